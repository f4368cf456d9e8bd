"""Bounded tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.module import BoundedTable


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
