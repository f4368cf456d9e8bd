"""ICMP sweeps: one kind of request to many hosts. Hosts that are up answer, so that these count."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from hdr_lite.module import Attempts, BoundedTable, Fate
from hdr_lite.modules.network_discovery.walk import ACCUSED, STEP, Walk


class SweepKind(NamedTuple):
    """A kind of ICMP request that is sent to many hosts."""

    type: str
    word: str
    least: int  #: hosts from which it is a sweep


#: ICMP type (128 is ICMPv6's echo) -> sweep. Nobody sends the rare ones to many hosts.
SWEEPS: Mapping[int, SweepKind] = MappingProxyType(
    {
        8: SweepKind("ICMP_ADDRESS_SCAN", "echo", 10),
        128: SweepKind("ICMP_ADDRESS_SCAN", "echo", 10),
        13: SweepKind("ICMP_TIMESTAMP_SCAN", "timestamp", 3),
        15: SweepKind("ICMP_TIMESTAMP_SCAN", "information", 3),
        17: SweepKind("ICMP_ADDRESS_MASK_SCAN", "address mask", 3),
    }
)

#: So many inside that are asked one after the other, in the order of their numbers, are a sweep:
#: each at most so much further, and so much later, ns, than the one before.
IN_TURN, STRIDE, PAUSE = 5, 4, 500_000_000
#: So many times as many live hosts outside as inside must be asked for it to be a sweep.
_OUTSIDE = 5
#: Hosts that answer must all have been asked within this to count, ns.
SWEEP_WINDOW = 60_000_000_000


class Sweep:
    """Hosts that one source sends one kind of ICMP request to.

    Told as a sweep once enough hosts were asked in a minute, or once so many of them stayed
    silent that the walk decides, however slowly.
    """

    __slots__ = ("_in_turn", "_last", "_last_at", "_walk", "_wide", "hosts")

    def __init__(self) -> None:
        self._walk = Walk()
        self._last = ""
        self._last_at = 0
        self._in_turn = 0  #: hosts asked in the order of their numbers
        self._wide = 0  #: hosts, the most in one minute or sum
        self.hosts = 0  #: hosts asked when it was last told

    def contact(self, now: int, host: str, answered: bool, inside: bool = True) -> bool:
        """Whether it is the first request to the host (since the minute began)."""
        if now - self._walk.begun > SWEEP_WINDOW and self._walk.score <= 0:
            self._walk = Walk()
        new = self._walk.contact(now, host, -STEP // 4 if answered else STEP)
        if new:
            soon = inside and now - self._last_at <= PAUSE
            self._in_turn = self._in_turn + 1 if soon and _follows(self._last, host) else 1
            self._last, self._last_at = host, now
        if new and now - self._walk.begun <= SWEEP_WINDOW:
            self._wide = max(self._wide, len(self._walk.contacts))
        return new

    def total(self, hosts: int) -> None:
        """So many hosts in one sum did not answer."""
        self._walk.total(0, hosts, 0, STEP)
        self._wide = max(self._wide, hosts)

    @property
    def silent(self) -> int:
        """Hosts that did not answer."""
        return self._walk.failures

    def is_news(self, least: int) -> bool:
        """Whether its hosts are to be told now: a sweep, and twice as wide as last time."""
        decided = self._walk.score >= ACCUSED and self.silent >= least // 2
        hosts = max(self._wide, self.silent if decided else 0)
        decided = decided or self._in_turn >= IN_TURN
        if (hosts < least and not decided) or hosts < 2 * self.hosts:
            return False
        self.hosts = hosts
        return hosts > 0

    @property
    def confidence(self) -> int:
        """Thousandths: Slips' (hosts - 255) / 250 + 1, or by silent hosts: 20 are 800."""
        slips = (self.hosts - 5) * 4
        in_turn = 200 if self._in_turn >= IN_TURN else 0
        return max(0, min(1000, max(slips, in_turn, min(800, self.silent * 40))))


class Sweeps:
    """The sweeps under way, by source and ICMP type."""

    def __init__(self) -> None:
        self._sweeps: BoundedTable[tuple[str, int], Sweep] = BoundedTable(128, Sweep)

    def contact(self, now: int, source: str, fate: Fate, inside: bool) -> Sweep | None:
        """The sweep that a request is of, when it is to be told."""
        sweep = self._sweeps.use((source, fate.sport))
        answered = fate.fate == "answered"
        if not sweep.contact(now, fate.daddr, answered, inside):
            return None
        least = SWEEPS[fate.sport].least
        if answered and not inside:
            least *= _OUTSIDE
        return sweep if sweep.is_news(least) else None

    def total(self, source: str, total: Attempts) -> Sweep | None:
        """The sweep that is known by a sum, when it is to be told."""
        if total.flags not in SWEEPS or total.addresses <= 1:
            return None
        sweep = self._sweeps.use((source, total.flags))
        sweep.total(total.addresses)
        return sweep if sweep.is_news(SWEEPS[total.flags].least) else None


def _follows(before: str, host: str) -> bool:
    """Whether an address is of the same network and a little higher than the one before."""
    sign, base = (":", 16) if ":" in host else (".", 10)
    network, _, number = host.rpartition(sign)
    was, _, last = before.rpartition(sign)
    return network == was and 0 < int(number or "0", base) - int(last or "0", base) <= STRIDE
