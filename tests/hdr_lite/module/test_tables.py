"""Bounded tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.module import BoundedTable, Distinct


def table(most: int) -> BoundedTable[int, list[int]]:
    return BoundedTable(most, list)


def test_a_full_table_forgets_what_was_used_longest_ago() -> None:
    """Use renews an entry; the oldest goes and is counted."""
    t = table(2)
    t.use(1).append(7)
    t.use(2)
    t.use(1)
    t.use(3)
    assert list(t) == [1, 3]
    assert t.use(1) == [7]
    assert t.evicted == 1


def test_looking_does_not_count_as_use() -> None:
    """get() and `in` leave the order alone and make nothing."""
    t = table(2)
    t.use(1)
    t.use(2)
    assert t.get(1) == []
    assert 1 in t
    assert t.get(9) is None
    t.use(3)
    assert list(t) == [2, 3]


def test_pop_makes_room() -> None:
    """A forgotten entry is handed out once and counts as nobody's eviction."""
    t = table(1)
    t.use(1).append(5)
    assert t.pop(1) == [5]
    assert t.pop(1) is None
    t.use(2)
    assert (len(t), t.evicted) == (1, 0)


def test_put_replaces_and_makes_room() -> None:
    """A value that is put counts as a use; it never makes the table larger than it may be."""
    t = table(2)
    t.use(1)
    t.use(2)
    t.put(1, [5])
    t.put(3, [6])
    assert (list(t), t.get(1), t.get(3), t.evicted) == ([1, 3], [5], [6], 1)


def test_a_table_without_room_is_refused() -> None:
    """At least one entry must fit."""
    with pytest.raises(ValueError, match="room for one entry at least, not 0"):
        table(0)


@given(st.lists(st.integers(0, 20)), st.integers(1, 8))
def test_it_never_holds_more_than_it_may(keys: list[int], most: int) -> None:
    """Size is bounded; the entries are the most recently used ones, in order."""
    t = table(most)
    for key in keys:
        t.use(key)
        assert len(t) <= most
    recent = list(dict.fromkeys(reversed(keys)))[:most]
    assert list(t) == list(reversed(recent))


def test_distinct_counts_each_value_once() -> None:
    """A value that was counted is not new; few values are counted exactly."""
    d = Distinct()
    assert [d.add(v) for v in ("a", "b", "a")] == [True, True, False]
    assert len(d) == 2


@pytest.mark.parametrize("count", [10, 50, 200, 1000, 3000])
def test_distinct_estimates(count: int) -> None:
    """Good within an eighth up to 3,000, whatever the values are."""
    for form in ("10.0.{}.7", "port {}", "{}"):
        d = Distinct()
        for i in range(count):
            d.add(form.format(i))
        assert abs(len(d) - count) <= count / 8


def test_distinct_stops_when_it_is_full() -> None:
    """Past its capacity the count stays where it is, and nothing is new any more."""
    d = Distinct()
    for i in range(100_000):
        d.add(str(i))
    assert 3000 < len(d) < 5500
    assert not d.add("another")
