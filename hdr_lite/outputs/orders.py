"""Alerts become orders to the enforcer, at once: the first output that is flushed.

What is asked for follows the evidence that decided the alert, and the enforcer judges it
again. Outside: a block with proof, else a limit. Inside: a quarantine by MAC where the
deciding evidence has both proof and a MAC, or is of false claims over ARP (whether that MAC is the
claimant is the enforcer's to find out); else a limit.
"""

from collections.abc import Callable
from dataclasses import replace

from hdr_lite.link.codec import Decoder, encode
from hdr_lite.outputs.file import SilentOutput
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence, ThreatLevel
from hdr_lite.records.verb import Block, Enforced, Limit, Order, Quarantine

#: Seconds of a limit, which the enforcer renews while that goes on.
LIMIT_SECONDS = 60
_LONGEST_NAME = 64
_PORTED = ("tcp", "udp")


class Orders(SilentOutput):
    """Hands the order that follows from each alert to ``send``."""

    name = "orders to the enforcer"

    def __init__(
        self, send: Callable[[Order], None], is_inside: Callable[[str], bool], seconds: int
    ) -> None:
        """``is_inside`` tells the addresses of the watched network.

        ``seconds`` of a first block or quarantine: the enforcer doubles them with each offence.
        """
        self._seconds = seconds
        self._send = send
        self._is_inside = is_inside
        self._waiting: list[Order] = []

    def alert(self, alert: Alert) -> None:
        """Ask for what the alert permits, if it permits anything."""
        if alert.verb in ("block", "limit"):
            self._order(_deciding(alert), alert.verb)

    def goes_on(self, evidence: Evidence) -> None:
        """Ask anew: what was asked for before may have ended. The id tells when, as the time does
        not begin anew where a count would, in an engine that takes over."""
        again = replace(evidence, id=f"{evidence.id}+{evidence.ts // 1_000_000_000}")
        self._order(again, "block" if evidence.finding.proof else "limit")

    def _order(self, deciding: Evidence, verb: str) -> None:
        inside = self._is_inside(deciding.profile)
        self._waiting.append(order_of(deciding, verb, self._seconds, inside=inside))

    def intent(self) -> tuple[int, bytes]:
        """The orders that wait, as they are sent."""
        return 0, b"".join(map(encode, self._waiting))

    def redo(self, _position: int, data: bytes) -> None:
        """Ask again: the enforcer does nothing twice for the same evidence."""
        decoder = Decoder()
        decoder.feed(data)
        while (message := decoder.next()) is not None:
            if isinstance(message, Order):
                self._waiting.append(message)

    def flush(self) -> None:
        """Send them."""
        waiting, self._waiting = self._waiting, []
        for order in waiting:
            self._send(order)


def order_of(deciding: Evidence, verb: str, seconds: int, *, inside: bool) -> Order:
    """What a verb asks for on the ground of that evidence. The profile is who is accused."""
    finding, profile = deciding.finding, deciding.profile
    cause = finding.type[:_LONGEST_NAME]
    if verb == "block" and not inside:
        return Block(deciding.id, profile, seconds, cause, finding.port)
    if verb == "block" and finding.attacker_mac:
        return Quarantine(deciding.id, finding.attacker_mac, profile, seconds, cause, "")
    if inside and finding.family == "spoof" and finding.blocking and finding.attacker_mac:
        mac, claimed = finding.attacker_mac, finding.victim
        return Quarantine(deciding.id, mac, profile, seconds, cause, claimed)
    proto = finding.proto if finding.proto in _PORTED else ""
    attacked = (finding.victim, finding.port, proto)
    return Limit(deciding.id, profile, LIMIT_SECONDS, cause, *attacked, finding.attacker_mac)


def _deciding(alert: Alert) -> Evidence:
    """The evidence that gives the alert its verb: with proof for a block, else the worst."""
    high = ThreatLevel.HIGH
    if alert.verb == "block":
        proven = [e for e in alert.evidence if e.finding.proof and e.finding.threat_level >= high]
        return next((e for e in proven if e.finding.attacker_mac), proven[0])
    return max(alert.evidence, key=lambda e: (e.finding.blocking, e.finding.threat_level))


def key_of(message: object) -> str:
    """What an order and the answer to it have in common: the evidence.

    Each evidence is of one profile and asks for one thing; the target of an answer may be
    another one than was asked for (a MAC's addresses, the port that was attacked).
    """
    if isinstance(message, Block | Limit | Quarantine | Enforced):
        return message.evidence[:_LONGEST_NAME]
    return ""
