"""Whether a scan's own contacts prove that the accused is no forged address.

Anybody can send in a neighbour's name, and so have him walk towards an accusation; what he cannot
do blindly is to complete a handshake. That the accused completes some proves nothing either: he
may be an ordinary client in whose name somebody else scans. So only a handshake that looks like
the scan itself counts: in a connection that its originator gave up within three seconds without a
word (the meter's fates ``abandoned`` and ``left``), at a host and port where he had not done so
before, of the very walk, within a minute of its failures, with the one hardware address that all
those failures carry. Two such are needed: a browser opens a connection too many now and then.
"""

from collections.abc import Callable

from hdr_lite.module import BoundedTable, Fate
from hdr_lite.modules.network_discovery.walk import CERTAIN, MIXED, Walk
from hdr_lite.modules.network_discovery.weights import CLIENT_PORTS

_SECOND = 1_000_000_000
#: Completed contacts of one walk that prove it, and how near they and its failures must be, ns.
LEAST, TOGETHER = 2, 60 * _SECOND
#: A contact that is made again within this is a habit (who watches over a service), ns.
HABIT = 3600 * _SECOND
#: Failures of which the fate is known, and so the hardware address.
_KNOWN = CERTAIN // 2


class Completed:
    """Handshakes that sources completed and then said nothing, by host and port."""

    def __init__(self, is_inside: Callable[[str], bool]) -> None:
        self._is_inside = is_inside
        #: Source, host, port -> when first, when last, hardware address.
        self._contacts: BoundedTable[tuple[str, str, str], tuple[int, int, str]] = BoundedTable(
            96, lambda: (0, 0, "")
        )

    def note(self, now: int, source: str, fate: Fate) -> None:
        """One was given up with nothing said."""
        key = (source, fate.daddr, str(fate.dport))
        first, last, _ = self._contacts.get(key) or (now, now, "")
        first = now if now - last > HABIT else first
        self._contacts.put(key, (first, now, fate.smac))

    def of_walk(self, now: int, key: tuple[str, str, str, str], walk: Walk) -> int:
        """How many prove a walk, whose key is that; 0 when they are too few."""
        direction, source, what, proto = key
        if proto != "tcp" or not is_provable(now, walk):
            return 0
        at = 1 if direction == "v" else 2
        count = 0
        for contact in self._contacts:
            if contact[0] == source and contact[at] == what and self._counts(direction, contact):
                first, _, mac = self._contacts.get(contact) or (0, 0, "")
                count += mac == walk.mac and now - first <= TOGETHER
        return count if count >= LEAST else 0

    def _counts(self, direction: str, contact: tuple[str, str, str]) -> bool:
        """Browsers do open connections to many hosts outside that they then do not need."""
        common = direction == "h" and int(contact[2]) in CLIENT_PORTS
        return not common or self._is_inside(contact[1])


def is_provable(now: int, walk: Walk) -> bool:
    """Whether all that failed came with one hardware address, and not long ago."""
    known = walk.failures - walk.foreseen
    recent = now - walk.failed_at <= TOGETHER
    return walk.certain and walk.mac != MIXED and known >= _KNOWN and recent
