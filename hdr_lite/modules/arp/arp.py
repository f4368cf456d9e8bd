"""ARP misuse on the watched links.

A claim is the pair of sender addresses in any message. Who holds an address is whoever
claimed it first and still does (holders.py); all else is judged against that. What
counts, how much and why it is not somebody's failover is in README.md.
"""

import ipaddress

from hdr_lite.module import Arp as ArpMessage
from hdr_lite.module import BoundedTable, Distinct, Module, ThreatLevel
from hdr_lite.modules.arp.holders import Holders, Suspicion

_SECOND = 1_000_000_000
#: Slips counts the addresses that a host asks for in this time.
SCAN_WINDOW = 30 * _SECOND
#: Addresses asked for in that time -> what it is. Repeats are told at the next step only.
STEPS = (5, 25, 100, 400)
WIDE = 25
#: So many asked for one after the other, in the order of their numbers, are wide, too.
IN_TURN = 10
#: The next one may be so far away, in numbers and in time.
STRIDE, PAUSE = 4, 30 * _SECOND
#: The same finding about the same host is told again after this long.
QUIET = 3600 * _SECOND
_BROADCAST = "ff:ff:ff:ff:ff:ff"
_NO_MAC = "00:00:00:00:00:00"
_NO_IP = "0.0.0.0"  # noqa: S104 - the address of who has none, not one to bind to


class Asked:
    """Addresses that one host asks for."""

    __slots__ = ("addresses", "in_turn", "last", "last_at", "since", "told", "told_at")

    def __init__(self) -> None:
        self.since = 0
        self.addresses = Distinct()
        self.in_turn = 0  #: asked for in the order of their numbers
        self.last = ""
        self.last_at = 0
        self.told = 0  #: the step told last
        self.told_at = -QUIET

    def ask(self, now: int, address: str) -> int:
        """The number of addresses asked for, when it passes a step not told lately, else 0."""
        self._follow(now, address)
        if now - self.since > SCAN_WINDOW:
            self.since = now
            self.addresses = Distinct()
        if not self.addresses.add(address):
            return 0
        if now - self.told_at > QUIET:
            self.told = 0
        count = max(len(self.addresses), self.in_turn if self.in_turn >= IN_TURN else 0)
        step = max((step for step in STEPS if step <= count), default=0)
        if step < WIDE and self.in_turn >= IN_TURN:
            step = WIDE
        if step <= self.told:
            return 0
        self.told, self.told_at = step, now
        return count

    def _follow(self, now: int, address: str) -> None:
        """Count addresses that come one after the other: a walk through a network."""
        if address == self.last:
            return
        network, _, number = address.rpartition(".")
        before, _, last = self.last.rpartition(".")
        next_one = network == before and 0 < int(number) - int(last) <= STRIDE
        self.in_turn = self.in_turn + 1 if next_one and now - self.last_at <= PAUSE else 1
        self.last, self.last_at = address, now

    @property
    def wide(self) -> bool:
        """Whether what was told last is more than a host that wakes up needs."""
        return self.told >= WIDE


class Arp(Module):
    """ARP scans, foreign addresses, unsolicited answers and men in the middle."""

    name = "arp"
    description = "detects ARP scans, spoofing and men in the middle"
    authors = ("HDR-lite",)
    budget = 768 * 1024
    budget_reason = "who holds which of 512 addresses, and what 256 hosts claim"

    def init(self) -> None:
        """Everything is keyed by link: interface and VLAN."""
        self._asked: BoundedTable[tuple[int, int, str], Asked] = BoundedTable(128, Asked)
        self._told: BoundedTable[tuple[str, str, str], list[int]] = BoundedTable(
            256, lambda: [-QUIET]
        )
        self._holders = Holders()

    def new_arp(self, arp: ArpMessage) -> None:
        """One ARP message."""
        if arp.operation == "request":
            self._take_request(arp)
        elif arp.operation == "reply":
            self._take_reply(arp)
        suspicion = self._holders.claim(self.now(), arp)
        if suspicion is not None:
            self._report_mitm(arp, suspicion)

    def _take_request(self, arp: ArpMessage) -> None:
        # Announcements ask for the sender itself.
        if arp.target_ip in (_NO_IP, arp.sender_ip):
            return
        asked = self._asked.use((arp.interface, arp.vlan, arp.sender_mac))
        count = asked.ask(self.now(), arp.target_ip)
        # Probes (RFC 5227) come from 0.0.0.0: a host without an address tries a few of them.
        if count and (asked.wide or arp.sender_ip != _NO_IP):
            self._report_scan(arp, asked, count)
        if arp.sender_ip == _NO_IP:
            return
        if self._is_elsewhere(arp) and self._is_due("outside", arp.sender_mac, arp.target_ip):
            self._set(
                arp,
                "ARP_OUTSIDE_LOCALNET",
                ThreatLevel.LOW,
                0.6,
                f"{arp.sender_ip} asks the link for {arp.target_ip}, which is not of it",
                victim=arp.target_ip,
            )

    def _is_elsewhere(self, arp: ArpMessage) -> bool:
        """Neither private, link-local nor a group, and not in the sender's own range."""
        if arp.target_ip.partition(".")[0] == arp.sender_ip.partition(".")[0]:
            return False
        target = ipaddress.ip_address(arp.target_ip)
        local = target.is_private or target.is_multicast or target.is_reserved
        documented = target in _DOCUMENTATION
        return (not local or documented) and not self.is_inside(arp.target_ip)

    def _report_scan(self, arp: ArpMessage, asked: Asked, count: int) -> None:
        how = f"within {SCAN_WINDOW // _SECOND} seconds"
        if asked.in_turn >= IN_TURN:
            how = "one after the other"
        level = ThreatLevel.MEDIUM if asked.wide else ThreatLevel.LOW
        self._set(arp, "ARP_SCAN", level, 0.8, f"asked for {count} addresses {how}")

    def _take_reply(self, arp: ArpMessage) -> None:
        to_all = arp.dmac == _BROADCAST and arp.target_mac in (_BROADCAST, _NO_MAC, arp.sender_mac)
        if to_all and arp.sender_mac != _NO_MAC and self._is_due("reply", arp.sender_mac, ""):
            self._set(
                arp,
                "UNSOLICITED_ARP",
                ThreatLevel.LOW,
                0.8,
                f"{arp.sender_mac} tells everyone, unasked, that it has {arp.sender_ip}",
            )

    def _is_due(self, what: str, mac: str, about: str) -> bool:
        told = self._told.use((what, mac, about))
        if self.now() - told[0] < QUIET:
            return False
        told[0] = self.now()
        return True

    def _report_mitm(self, arp: ArpMessage, suspicion: Suspicion) -> None:
        own = suspicion.own_ip
        self._set(
            arp,
            "MITM_ARP_ATTACK",
            ThreatLevel.CRITICAL,
            suspicion.confidence / 1000,
            f"{arp.sender_mac} ({own or 'no address of its own'}) claims {suspicion.claimed}: "
            f"{suspicion.reason}",
            attacker=own or arp.sender_ip,
            victim=suspicion.claimed,
            blocking=bool(own) and suspicion.confidence >= 800,
        )

    def _set(
        self,
        arp: ArpMessage,
        type: str,
        level: ThreatLevel,
        confidence: float,
        description: str,
        *,
        attacker: str = "",
        victim: str = "",
        blocking: bool = False,
    ) -> None:
        self.set_evidence(
            type,
            attacker=attacker or arp.sender_ip,
            attacker_mac=arp.sender_mac,
            victim=victim,
            threat_level=level,
            confidence=confidence,
            description=description,
            proto="arp",
            blocking=blocking,
        )


class _Networks(tuple[ipaddress.IPv4Network, ...]):
    """Networks that may be asked whether they hold an address."""

    __slots__ = ()

    def __contains__(self, address: object) -> bool:
        return any(address in network for network in self)


#: Python calls these private; on a link they are as foreign as any.
_DOCUMENTATION = _Networks(
    ipaddress.IPv4Network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
)
