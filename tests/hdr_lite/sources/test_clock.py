"""Traffic time goes on evenly while the wall clock is set."""

import time

from hdr_lite.sources.clock import STEP, TrafficClock


class _Offset:
    value = 10**18

    def __call__(self) -> int:
        return self.value


def test_a_step_is_taken_out() -> None:
    """After the wall clock went an hour ahead, packets' stamps are moved an hour back."""
    offset = _Offset()
    clock = TrafficClock(offset)
    before = clock.now()
    assert clock.shift() == 0
    offset.value += 3600 * 10**9
    assert clock.shift() == -3600 * 10**9
    assert abs(clock.now() - before) < 10**9
    offset.value -= 7200 * 10**9
    assert clock.shift() == 3600 * 10**9


def test_slewing_is_no_step() -> None:
    """Small differences between two readings of the clocks move no packet."""
    offset = _Offset()
    clock = TrafficClock(offset)
    offset.value += STEP
    assert clock.shift() == 0


def test_starts_at_the_wall_clock() -> None:
    """Without steps, traffic time is the wall clock's."""
    clock = TrafficClock()
    assert abs(clock.now() - time.time_ns()) < 50_000_000
    assert clock.shift() == 0
