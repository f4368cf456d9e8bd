"""Whose turn it is."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.engine.scheduler import Scheduler
from hdr_lite.engine.seat import State

MS = 1_000_000


class FakeSeat:
    """A seat whose turns cost what it is told, for a number of turns."""

    def __init__(self, cost: int, turns: int = 1_000_000) -> None:
        self.cost = cost
        self.left = turns
        self.took = 0
        self.state = State.RUNNING
        self.due = 0
        self.restarts = 0
        self.rounds = 0

    def can_run(self) -> bool:
        return self.state is State.RUNNING and self.left > 0

    def turn(self) -> int:
        self.left -= 1
        self.took += self.cost
        return self.cost

    def new_round(self) -> None:
        self.rounds += 1

    def restart(self) -> None:
        self.restarts += 1
        self.state = State.RUNNING


def passes(seats: list[Any], count: int, replay: bool = False) -> Scheduler:
    scheduler = Scheduler(seats, 0.02, replay)
    for _ in range(count):
        scheduler.one_pass()
    return scheduler


def test_cpu_is_shared_evenly() -> None:
    """A module whose turns take ten quanta gets the CPU time of one that keeps to its own."""
    slow, quick = FakeSeat(200 * MS), FakeSeat(20 * MS)
    passes([slow, quick], 1000)
    assert abs(slow.took - quick.took) <= 200 * MS


@given(st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_nobody_starves(costs: list[int]) -> None:
    """Whatever turns cost, each module gets its share but for the debt of one turn."""
    seats = [FakeSeat(cost * MS) for cost in costs]
    passes(seats, 500)
    for seat in seats:
        assert seat.took >= min(seat.cost * 500, 500 * 20 * MS - 2 * 300 * MS)


def test_idle_module_does_not_save_up() -> None:
    """A module that had nothing to do for long gets two quanta at most for it."""
    idle = FakeSeat(20 * MS, turns=0)
    busy = FakeSeat(20 * MS)
    scheduler = passes([idle, busy], 1000)
    idle.left = 1000
    before = busy.took
    for _ in range(10):
        scheduler.one_pass()
    assert idle.took <= 12 * 20 * MS
    assert busy.took - before == 10 * 20 * MS


def test_replay_has_no_quantum() -> None:
    """In replay everybody has a turn in each pass, whatever it cost."""
    slow, quick = FakeSeat(9000 * MS), FakeSeat(MS)
    passes([slow, quick], 10, replay=True)
    assert (slow.left, quick.left) == (999_990, 999_990)


def test_waiting_module_starts_when_it_is_due() -> None:
    """The end of a back-off is traffic time."""
    seat = FakeSeat(MS)
    seat.state, seat.due = State.WAITING, 100
    scheduler = Scheduler([seat], 0.02, False)  # type: ignore[list-item]
    scheduler.new_round(99)
    assert seat.restarts == 0
    assert not scheduler.backlog()
    scheduler.new_round(100)
    assert seat.restarts == 1
    assert scheduler.backlog()
    assert seat.rounds == 2
