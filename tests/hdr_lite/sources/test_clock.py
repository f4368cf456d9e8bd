"""Traffic time goes on evenly while the wall clock is set."""

import time

import pytest

from hdr_lite.sources.clock import STEP, TrafficClock


class _Offset:
    value = 10**18

    def __call__(self) -> int:
        return self.value


@pytest.mark.parametrize("hours", [1, 56 * 365 * 24])
def test_a_step_is_taken_out(hours: int) -> None:
    """After the wall clock went ahead, packets' stamps are moved as far back: an hour, or the years
    that a router was behind when it booted."""
    step = hours * 3600 * 10**9
    offset = _Offset()
    clock = TrafficClock(offset)
    before = clock.now()
    assert clock.shift() == 0
    offset.value += step
    assert clock.shift() == -step
    assert clock.steps() == step
    assert abs(clock.now() - before) < 10**9
    offset.value -= 2 * step
    assert clock.shift() == step
    assert clock.steps() == -step


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
