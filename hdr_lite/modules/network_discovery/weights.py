"""What a first contact weighs, in thousandths of natural logarithms: README.md has the reasons."""

from hdr_lite.module import Fate, Probes
from hdr_lite.modules.network_discovery.walk import STEP, Walk

UDP_SILENT = 470  #: ln(0.8 / 0.5): half of all first UDP contacts may well stay unanswered
UDP_ANSWERED = -916  #: ln(0.2 / 0.5)
PEER_FAILED = 642  #: ln(0.95 / 0.5): peers come and go
PEER_ANSWERED = -2303  #: ln(0.05 / 0.5)
KNOWN_PEER_FAILED = 200  #: of a source that is known to have peers
#: From one well-known port to the same: services speak with each other, or ask who a client is.
SAME_PORT_SILENT = 60
#: The source is seen to be answered by nobody: questions only may be captured.
UNHEARD_SILENT = 235
ABANDONED_HOST = 462  #: STEP / 3: who watches over services does that, too
PEER_UDP_SILENT = 118  #: ln(0.9 / 0.8): most of a distributed hash table is out of date
DEAD_TARGET = 693  #: ln(0.8 / 0.4): a host that is down is asked on a few ports
#: While nobody outside answers anybody, our line may be down or one direction only be seen.
NOBODY_ANSWERS, NOBODY_ANSWERS_CLIENT = 600, 200
#: Ports that ordinary clients use to many hosts; 113: servers ask back (RFC 1413).
CLIENT_PORTS = frozenset({80, 443, 8080, 8443, 853, 993, 5223, 5228})
QUIC = 443  #: many networks drop it, and clients then take TCP


def is_peer_port(port: int) -> bool:
    """Whether peers listen there, and no services of ordinary clients."""
    return port >= 1024 and port not in CLIENT_PORTS


def horizontal_weight(fate: Fate, inside: bool, doubtful: bool) -> int:
    """Of a host that is new to a source on that port; ``doubtful``: nobody outside answers."""
    peers = not inside and is_peer_port(fate.dport)
    if fate.fate == "answered":
        if peers:
            return PEER_ANSWERED
        return UDP_ANSWERED if fate.proto == "udp" else -STEP
    if fate.proto == "udp" and fate.fate != "refused":
        return PEER_UDP_SILENT if peers else _udp_silent(fate, inside)
    if doubtful:
        return NOBODY_ANSWERS_CLIENT if fate.dport in CLIENT_PORTS else NOBODY_ANSWERS
    return PEER_FAILED if peers else STEP


def _udp_silent(fate: Fate, inside: bool) -> int:
    """What silence means of a datagram to a well-known port."""
    if inside:
        return UDP_SILENT
    if fate.dport == QUIC:
        return 0
    return SAME_PORT_SILENT if fate.sport == fate.dport else UDP_SILENT


def vertical_weight(fate: Fate, inside: bool, walk: Walk) -> int:
    """Of a port that is new to a source on that host."""
    if fate.fate == "answered":
        return UDP_ANSWERED if fate.proto == "udp" else -STEP
    if fate.fate == "refused":
        return STEP
    if fate.proto == "udp":
        return UDP_SILENT
    return STEP if inside or walk.refused else DEAD_TARGET


def foreseen_weight(probes: Probes, inside: bool) -> int:
    """Of each that has no answer yet: a host outside may be far away, or down."""
    weight = UDP_SILENT if probes.proto == "udp" else STEP
    return weight if inside else min(weight, DEAD_TARGET)
