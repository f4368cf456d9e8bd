"""The bounded tables of what is held: blocks, limits, quarantines; and who offended before.

Pure: time comes in as seconds of a clock that never steps (CLOCK_BOOTTIME), nothing is done
here. The kernel's sets hold the same with the same timeouts and forget by themselves; these
tables are what its sets are made from again when somebody else has emptied them.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

#: Longest time that anything the engine asks for may hold, seconds.
LONGEST = 86400
#: Doublings that are counted: 2**16 times the shortest block is over the longest.
_MOST_OFFENCES = 16


@dataclass(slots=True)
class Hold:
    """One element of a set, and why it is there."""

    key: str  #: as it stands in the set
    until: float  #: when it ends by itself
    evidence: str = ""
    cause: str = ""
    operator: bool = False  #: set by a person: never shed for others
    offences: int = 0  #: earlier ones that it was lengthened for
    number: int = 0  #: order of arrival, set by its table


class Held(NamedTuple):
    """An element as the kernel holds it."""

    key: str
    packets: int  #: its counter
    seconds: float  #: until it ends; 0 when it does not


class FullError(Exception):
    """A table holds nothing that may be shed."""


class Table:
    """What one set holds. A full one sheds its lightest: fewest offences, then the oldest.

    The lightest is found in a heap; what left the table otherwise stays in the heap until it
    comes up or until the heap is made anew, so an addition costs O(log n).
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._holds: dict[str, Hold] = {}
        self._heap: list[tuple[int, int, str]] = []
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._holds)

    def __iter__(self) -> Iterator[Hold]:
        return iter(self._holds.values())

    def get(self, key: str) -> Hold | None:
        """What is held under a key."""
        return self._holds.get(key)

    def put(self, hold: Hold) -> Hold | None:
        """Hold it, in the place of what has its key; what was shed for it.

        ``FullError`` when all else is an operator's.
        """
        shed = None
        if hold.key not in self._holds and len(self._holds) >= self._most:
            shed = self._lightest()
            del self._holds[shed.key]
        self._numbers += 1
        hold.number = self._numbers
        self._holds[hold.key] = hold
        if not hold.operator:
            heapq.heappush(self._heap, (hold.offences, hold.number, hold.key))
        if len(self._heap) > 2 * self._most + 64:
            self._heap = [(h.offences, h.number, h.key) for h in self if not h.operator]
            heapq.heapify(self._heap)
        return shed

    def remove(self, key: str) -> Hold | None:
        """Forget it."""
        return self._holds.pop(key, None)

    def expire(self, now: float) -> list[Hold]:
        """Forget and return what has ended."""
        ended = [hold for hold in self if hold.until <= now]
        for hold in ended:
            del self._holds[hold.key]
        return ended

    def _lightest(self) -> Hold:
        while self._heap:
            _, number, key = heapq.heappop(self._heap)
            hold = self._holds.get(key)
            if hold is not None and hold.number == number:
                return hold
        raise FullError("all of them were set by hand")


@dataclass(slots=True)
class Offender:
    """What is remembered of somebody who was blocked."""

    offences: int
    until: float  #: end of the last block


class Offenders:
    """How often an address was blocked; the longest forgotten one goes first.

    Good behaviour is counted from the end of the last block: each ``forgive`` seconds take one
    offence, that is one doubling, away.
    """

    def __init__(self, most: int, forgive: float) -> None:
        self._most = most
        self._forgive = forgive
        self._known: dict[str, Offender] = {}

    def __len__(self) -> int:
        return len(self._known)

    def items(self) -> Iterator[tuple[str, Offender]]:
        """All of them, the longest forgotten first."""
        return iter(self._known.items())

    def offences(self, name: str, now: float) -> int:
        """Offences that still count."""
        offender = self._known.get(name)
        if offender is None:
            return 0
        quiet = max(0.0, now - offender.until)
        return max(0, offender.offences - int(quiet / self._forgive))

    def remember(self, name: str, offences: int, until: float) -> None:
        """The name was blocked until then, and that was offence number ``offences``."""
        self._known.pop(name, None)
        if len(self._known) >= self._most:
            del self._known[next(iter(self._known))]
        self._known[name] = Offender(offences, until)

    def pardon(self, name: str, now: float) -> None:
        """A person says it was no offence: the last one is forgotten."""
        offender = self._known.pop(name, None)
        if offender is not None and offender.offences > 1:
            self._known[name] = Offender(offender.offences - 1, now)


def lengthened(seconds: int, offences: int) -> int:
    """The time of a block: doubled for each earlier offence, at most :data:`LONGEST`."""
    return min(LONGEST, seconds << min(offences, _MOST_OFFENCES))


class Pace:
    """At most so many a second, in bursts of one second's worth."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._tokens = float(rate)
        self._at: float | None = None

    def allows(self, now: float) -> bool:
        """Whether one more may be done now; counts it if so."""
        if self._at is not None:
            self._tokens = min(self._rate, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Recent:
    """The last so many texts: tells repeats."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._texts: dict[str, None] = {}

    def __contains__(self, text: str) -> bool:
        return text in self._texts

    def repeated(self, text: str) -> bool:
        """Whether it was among them; it is now."""
        if text in self._texts:
            return True
        if len(self._texts) >= self._most:
            del self._texts[next(iter(self._texts))]
        self._texts[text] = None
        return False
