"""The bounded tables: what a full one sheds, who is remembered, what pace is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.enforcer.blocks import (
    LONGEST,
    FullError,
    Hold,
    Offenders,
    Pace,
    Recent,
    Table,
    lengthened,
)

MOST = 4
_ACTIONS = st.lists(
    st.tuples(
        st.sampled_from("put put put remove expire".split()),
        st.integers(0, 9),  # key
        st.integers(0, 3),  # offences
        st.booleans(),  # operator
    ),
    max_size=120,
)


class Model:
    """A table without cleverness: a list in order of arrival."""

    def __init__(self) -> None:
        self.holds: list[Hold] = []

    def put(self, hold: Hold) -> str | None:
        """As ``Table.put``; the key that was shed."""
        shed = None
        if all(h.key != hold.key for h in self.holds) and len(self.holds) >= MOST:
            light = [h for h in self.holds if not h.operator]
            if not light:
                raise FullError
            shed = min(light, key=lambda h: (h.offences, self.holds.index(h)))
            self.holds.remove(shed)
        self.holds = [h for h in self.holds if h.key != hold.key] + [hold]
        return shed.key if shed else None


@given(_ACTIONS)
def test_table_is_like_its_model(actions: list[tuple[str, int, int, bool]]) -> None:
    """Whatever happens, the same is held and the same is shed as by a plain list."""
    table, model = Table(MOST), Model()
    for now, (action, number, offences, operator) in enumerate(actions):
        key = f"10.0.0.{number}"
        if action == "put":
            hold = Hold(key, now + 20, operator=operator, offences=offences)
            try:
                expected = model.put(hold)
            except FullError:
                with pytest.raises(FullError):
                    table.put(hold)
            else:
                shed = table.put(hold)
                assert (shed.key if shed else None) == expected
        elif action == "remove":
            table.remove(key)
            model.holds = [h for h in model.holds if h.key != key]
        else:
            table.expire(now)
            model.holds = [h for h in model.holds if h.until > now]
        assert sorted(h.key for h in table) == sorted(h.key for h in model.holds)
        assert len(table) == len(model.holds) <= MOST


def test_what_left_a_table_does_not_pile_up() -> None:
    """A key that is held and let go a thousand times costs no memory."""
    table = Table(MOST)
    for now in range(1000):
        table.put(Hold("10.0.0.1", now + 1.0))
        table.remove("10.0.0.1")
    assert len(table._heap) <= 2 * MOST + 65


def test_time_doubles_to_a_day() -> None:
    """Each earlier offence doubles, and nothing holds for longer than a day."""
    assert [lengthened(600, n) for n in range(4)] == [600, 1200, 2400, 4800]
    assert lengthened(600, 8) == LONGEST == lengthened(600, 10**9)


def test_good_behaviour_counts() -> None:
    """After each day of peace since the end of the block one offence is forgotten."""
    offenders = Offenders(10, forgive=86400)
    offenders.remember("x", 3, until=1000)
    assert offenders.offences("x", 500) == 3
    assert offenders.offences("x", 1000 + 86399) == 3
    assert offenders.offences("x", 1000 + 86400) == 2
    assert offenders.offences("x", 1000 + 3 * 86400) == 0
    assert offenders.offences("y", 0) == 0


def test_offenders_are_bounded() -> None:
    """The one that was remembered longest ago is forgotten first."""
    offenders = Offenders(2, forgive=100)
    for name in ("a", "b", "a", "c"):
        offenders.remember(name, 1, until=0)
    assert [name for name, _ in offenders.items()] == ["a", "c"]
    offenders.pardon("a", 0)
    assert offenders.offences("a", 0) == 0


def test_pardon_takes_the_last_offence() -> None:
    """Who was unblocked by a person is back where he was before."""
    offenders = Offenders(2, forgive=100)
    offenders.remember("a", 3, until=500)
    offenders.pardon("a", 50)
    assert offenders.offences("a", 50) == 2


@given(st.lists(st.floats(0, 0.1), max_size=500))
def test_pace(gaps: list[float]) -> None:
    """In no stretch of time are there more than rate times (its seconds plus one)."""
    pace, now, passed = Pace(20), 0.0, []
    for gap in gaps:
        now += gap
        if pace.allows(now):
            passed.append(now)
    for first in range(len(passed)):
        assert len(passed) - first <= 20 * (now - passed[first] + 1) + 1e-6


def test_recent_is_bounded() -> None:
    """A repeat is told among the last so many."""
    recent = Recent(2)
    assert [recent.repeated(text) for text in "aab"] == [False, True, False]
    assert not recent.repeated("c")
    assert "a" not in recent
    assert "b" in recent
