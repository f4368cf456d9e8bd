"""When the next round of sending is due. No clock in here: times are given, in seconds."""

from collections.abc import Callable

#: Seconds between something to send and the round, in which more may come.
GATHER = 1.0
#: Seconds between two rounds where all is well.
LEAST = 5.0
#: Seconds of silence after which a sign of life is sent.
LONELY = 3600.0
#: Seconds between two reports of health, where there is something to send anyway.
HEALTH = 300.0
#: Seconds of the first pause after a failure, of the longest, and where we are not wanted.
SHORTEST, LONGEST, UNWANTED = 2.0, 900.0, 3600.0


class Pace:
    """The moments of one process, from its start on."""

    def __init__(self, now: float, draw: Callable[[], float]) -> None:
        """``draw`` gives numbers from 0 to below 1; a fleet must not draw the same."""
        self.failures = 0  #: in a row
        self._draw = draw
        self._due = now + GATHER * (1.0 + draw())  # whether anything waits is to be found out
        self._held = now  #: no round before then
        self._woken = False  #: since the last round began, which may not have seen why
        self._health: float | None = None  #: when it was reported

    @property
    def due(self) -> float:
        """When the next round begins."""
        return max(self._due, self._held)

    def wants_health(self, now: float) -> bool:
        """Whether a round that begins now shall report it."""
        return self._health is None or now - self._health >= HEALTH

    def woken(self, now: float) -> None:
        """There is something to send."""
        self._woken = True
        self._due = min(self._due, now + GATHER)

    def begun(self) -> None:
        """A round begins: it sends what is there now."""
        self._woken = False

    def went_well(self, now: float, *, health: bool) -> None:
        """A round has sent all there was."""
        self.failures = 0
        if health:
            self._health = now
        self._due = now if self._woken else now + LONELY * (0.9 + 0.2 * self._draw())
        self._held = now + LEAST

    def failed(self, now: float, wait: float | None, *, lasting: bool = False) -> None:
        """It has not; ``wait`` is what the collector asked for."""
        self.failures += 1
        longest = min(SHORTEST * 2.0 ** min(self.failures - 1, 16), LONGEST)
        if lasting:
            longest = UNWANTED
        # Half of it by chance: those who failed together shall not come back together.
        pause = longest * (0.5 + 0.5 * self._draw())
        if wait is not None:
            pause = max(pause, wait * (1.0 + 0.2 * self._draw()))
        self._due = self._held = now + pause
