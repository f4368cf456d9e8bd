"""When a process that died is started again. No clock and no process in here."""

#: Seconds before the first restart; each further one waits twice as long, up to the longest.
SHORTEST = 0.1
LONGEST = 10.0
#: Seconds of life after which a process counts as well.
WELL = 60.0
#: Deaths in a row, none of them after a life of that length, that are called a crash loop.
LOOP = 5


class BackOff:
    """The deaths of one process. Times are seconds of any clock that only goes on."""

    def __init__(self) -> None:
        self.deaths = 0  #: since the process was last well
        self._started = 0.0

    def started(self, now: float) -> None:
        """It was started."""
        self._started = now

    def died(self, now: float) -> float:
        """It ended without being asked to: seconds until it shall start again."""
        if now - self._started >= WELL:
            self.deaths = 0
        self.deaths += 1
        return min(SHORTEST * 2.0 ** min(self.deaths - 1, 16), LONGEST)

    def looping(self, now: float) -> bool:
        """Whether it dies again and again."""
        return self.deaths >= LOOP and now - self._started < WELL
