"""How often somebody may: token buckets in a bounded table."""

import time
from collections import OrderedDict
from collections.abc import Callable

_MOST = 100_000


class Rate:
    """``most`` at once, and as many again each ``seconds``; who stays away longest is let go."""

    def __init__(
        self, most: float, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._a_second = most / seconds
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, who: str) -> float:
        """Seconds until they may again, 0: now. What is left may fall far below nothing."""
        left = self._now(who)
        return 0.0 if left >= 1 else (1 - left) / self._a_second

    def spend(self, who: str, amount: float = 1.0) -> None:
        """It happened."""
        self._left[who] = (self._now(who) - amount, self._clock())
        self._left.move_to_end(who)
        if len(self._left) > _MOST:
            self._left.popitem(last=False)

    def _now(self, who: str) -> float:
        left, then = self._left.get(who, (self._most, self._clock()))
        return min(self._most, left + (self._clock() - then) * self._a_second)
