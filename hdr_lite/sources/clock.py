"""Traffic time on a live interface: the system's clock without its steps.

The kernel stamps packets with CLOCK_REALTIME, which jumps when it is set (a router boots
without a clock). Traffic time is CLOCK_BOOTTIME plus the offset of the two clocks at the
start: it runs on evenly, whatever happens to the wall clock. What people read is dated by the
wall clock, that is with its steps.
"""

import time
from collections.abc import Callable

#: The clocks are read one after the other and drift while NTP slews: less is no step. ns.
STEP = 1_000_000


def _offset() -> int:
    """CLOCK_REALTIME minus CLOCK_BOOTTIME, in ns."""
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    real = time.clock_gettime_ns(time.CLOCK_REALTIME)
    after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return real - (before + after) // 2


class TrafficClock:
    """One per sensor, shared by its sources, so that their times are comparable."""

    def __init__(self, offset: Callable[[], int] = _offset) -> None:
        self._read_offset = offset
        self._start = self._now = offset()

    def now(self) -> int:
        """Traffic time, ns."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) + self._start

    def steps(self) -> int:
        """By how many ns the wall clock has been set since the start."""
        return -self.shift()

    def shift(self) -> int:
        """What to add to the stamp of a packet that arrives now, ns: minus the steps so far."""
        offset = self._read_offset()
        if abs(offset - self._now) > STEP:
            self._now = offset
        return self._start - self._now
