"""Time windows: which stretch of traffic time a moment belongs to.

Windows are of one width and are counted from 1, from the first traffic on (Slips); a moment
on the border belongs to the later one. The present window closes for every profile at once,
when traffic time passes its end.
"""

SECOND = 1_000_000_000


class Windows:
    """Numbers and borders. Times are ns of traffic time."""

    __slots__ = ("_first", "_width", "current", "end")

    def __init__(self, width: float) -> None:
        """``width`` in seconds."""
        self._width = round(width * SECOND)
        self._first = 0
        self.current = 0  #: number of the present window, 0 before any traffic
        self.end = 0  #: where it ends

    def begin(self, ts: int) -> None:
        """The first traffic, from which windows are counted."""
        self._first = ts
        self._enter(1)

    def resume(self, first: int, number: int) -> None:
        """Go on with the windows of a run that was cut off in that one.

        Not if that one lies ahead: the clock was another then. 0: there was no such run.
        """
        if number and first + (number - 1) * self._width <= self._first:
            self._first = first
            self._enter(number)

    @property
    def first(self) -> int:
        """The time from which windows are counted."""
        return self._first

    def number(self, ts: int) -> int:
        """The window that holds a time; what came before the first traffic counts to the first."""
        return max(1, (ts - self._first) // self._width + 1)

    def bounds(self, number: int) -> tuple[int, int]:
        """Start and end of a window."""
        start = self._first + (number - 1) * self._width
        return start, start + self._width

    def advance(self, ts: int) -> None:
        """Traffic time has reached ``end`` or passed it."""
        self._enter(self.number(ts))

    def _enter(self, number: int) -> None:
        self.current = number
        self.end = self.bounds(number)[1]
