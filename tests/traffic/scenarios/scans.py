"""Scans of every kind nmap makes, fast and slow. Most scan from inside: 192.168.7.66."""

import struct

from tests.traffic import frames
from tests.traffic.activities import meet, unreachable
from tests.traffic.frames import ACK, FIN, PSH, RST, SYN, URG
from tests.traffic.hosts import INTRUDER, ROUTER, SERVER, Host, outside
from tests.traffic.scenarios.registry import scenario
from tests.traffic.tcp import Session, probe
from tests.traffic.timeline import MILLISECOND, SECOND, Trace

OPEN = (22, 80, 443)

#: A GetRequest of community "public" for 1.3.6.1.2.1 (RFC 1157), around its number.
SNMP_BEFORE = bytes.fromhex("302602010004067075626c6963a0190204")
SNMP_AFTER = bytes.fromhex("020100020100300b300906052b060102010500")

VERTICAL, HORIZONTAL = "VERTICAL_PORT_SCAN", "HORIZONTAL_PORT_SCAN"


def elsewhere(number: int) -> Host:
    """A host of the next network, 192.168.8.0/24, behind the router."""
    return Host(f"192.168.8.{number}", ROUTER.mac)


def ports_in_turn(trace: Trace, count: int) -> list[int]:
    """Ports 1 to ``count`` in the random order in which nmap asks."""
    return trace.dice.shuffled(range(1, count + 1))


def vertical(
    trace: Trace, at: int, source: Host, target: Host, flags: int, count: int, gap: int
) -> None:
    """Probe ports of one host; closed ones answer with RST, open ones as their kernel would."""
    sport = trace.dice.port()
    for number, dport in enumerate(ports_in_turn(trace, count)):
        if flags == SYN:
            answer: int | None = SYN | ACK if dport in OPEN else RST | ACK
        elif flags & ACK:
            answer = RST
        else:
            answer = None if dport in OPEN else RST | ACK
        probe(trace, at + number * gap, source, sport, target, dport, flags, answer)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_syn(trace: Trace) -> None:
    """nmap -sS: 500 ports of one host."""
    meet(trace, 0, INTRUDER, SERVER)
    vertical(trace, SECOND, INTRUDER, SERVER, SYN, 500, 4 * MILLISECOND)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_connect(trace: Trace) -> None:
    """nmap -sT: 300 ports by whole handshakes."""
    meet(trace, 0, INTRUDER, SERVER)
    for number, dport in enumerate(ports_in_turn(trace, 300)):
        at = SECOND + number * 5 * MILLISECOND
        session = Session(trace, INTRUDER, SERVER, dport, at, rtt=MILLISECOND)
        if dport in OPEN:
            session.open().reset()
        else:
            session.refused()


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_filtered(trace: Trace) -> None:
    """nmap -sS at a firewall that answers nothing: 200 ports, each asked twice."""
    meet(trace, 0, INTRUDER, SERVER)
    for number, dport in enumerate(ports_in_turn(trace, 200)):
        at = SECOND + number * 25 * MILLISECOND
        probe(trace, at, INTRUDER, 40001, SERVER, dport, SYN)
        probe(trace, at + SECOND, INTRUDER, 40002, SERVER, dport, SYN)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_null(trace: Trace) -> None:
    """nmap -sN: segments without flags."""
    vertical(trace, 0, INTRUDER, SERVER, 0, 200, 5 * MILLISECOND)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_fin(trace: Trace) -> None:
    """nmap -sF: FIN alone."""
    vertical(trace, 0, INTRUDER, SERVER, FIN, 200, 5 * MILLISECOND)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_xmas(trace: Trace) -> None:
    """nmap -sX: FIN, PSH and URG."""
    vertical(trace, 0, INTRUDER, SERVER, FIN | PSH | URG, 200, 5 * MILLISECOND)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_ack(trace: Trace) -> None:
    """nmap -sA: ACK alone, all answered by RST."""
    vertical(trace, 0, INTRUDER, SERVER, ACK, 200, 5 * MILLISECOND)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_maimon(trace: Trace) -> None:
    """nmap -sM: FIN and ACK."""
    vertical(trace, 0, INTRUDER, SERVER, FIN | ACK, 200, 5 * MILLISECOND)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_udp(trace: Trace) -> None:
    """nmap -sU: 150 ports; the host's kernel tells of one closed port in ten."""
    meet(trace, 0, INTRUDER, SERVER)
    for number, dport in enumerate(ports_in_turn(trace, 150)):
        at = SECOND + number * 50 * MILLISECOND
        datagram = frames.udp((INTRUDER.ip, 40123), (SERVER.ip, dport), b"")
        trace.packet(at, INTRUDER, SERVER, frames.UDP, datagram)
        if number % 10 == 0:
            quoted = frames.ip(INTRUDER.ip, SERVER.ip, frames.UDP, datagram)
            unreachable(trace, at + MILLISECOND, SERVER, INTRUDER, 3, quoted)


@scenario(HORIZONTAL, accused=INTRUDER.ip)
def scan_horizontal(trace: Trace) -> None:
    """One port of 120 addresses in the next network, of which a few answer."""
    meet(trace, 0, INTRUDER, ROUTER)
    for number in range(1, 121):
        answer = {0: SYN | ACK, 1: RST | ACK}.get(number % 20)
        at = SECOND + number * 30 * MILLISECOND
        probe(trace, at, INTRUDER, trace.dice.port(), elsewhere(number), 445, SYN, answer)


@scenario(HORIZONTAL, accused=INTRUDER.ip)
def scan_udp_horizontal(trace: Trace) -> None:
    """SNMP asked of 100 addresses in the next network; nobody answers."""
    for number in range(1, 101):
        data = SNMP_BEFORE + trace.dice.bytes(4) + SNMP_AFTER
        trace.udp(number * 40 * MILLISECOND, INTRUDER, 40161, elsewhere(number), 161, data)


@scenario(VERTICAL, accused="203.0.113.99")
def scan_outside(trace: Trace) -> None:
    """A stranger scans our server through the router."""
    vertical(trace, 0, outside("203.0.113.99"), SERVER, SYN, 300, 12 * MILLISECOND)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_slow(trace: Trace) -> None:
    """nmap -T1: a probe every fifteen seconds, sixty ports."""
    vertical(trace, 0, INTRUDER, SERVER, SYN, 60, 15 * SECOND)


@scenario(VERTICAL, accused="2001:db8:bad:1::/64")
def scan_rotating(trace: Trace) -> None:
    """An IPv6 scan of 120 ports, each probe from another address of one /64."""
    target = Host("fd00:7::30", SERVER.mac)
    for number, dport in enumerate(ports_in_turn(trace, 120)):
        suffix = ":".join(f"{trace.dice.below(65535) + 1:x}" for _ in range(4))
        source = outside(f"2001:db8:bad:1:{suffix}")
        answer = SYN | ACK if dport in OPEN else RST | ACK
        at = number * 50 * MILLISECOND
        probe(trace, at, source, trace.dice.port(), target, dport, SYN, answer)


def _sweep(trace: Trace, kind: int, rest: bytes) -> None:
    for number in range(1, 101):
        at, target = number * 60 * MILLISECOND, elsewhere(number)
        ident = struct.pack("!HH", 4660, number)
        trace.packet(at, INTRUDER, target, frames.ICMP, frames.icmp(kind, 0, ident + rest))
        if number % 20 == 0:
            reply = {8: 0, 13: 14, 17: 18}[kind]
            answer = frames.icmp(reply, 0, ident + rest)
            trace.packet(at + MILLISECOND, target, INTRUDER, frames.ICMP, answer)


@scenario("ICMP_ADDRESS_SCAN", accused=INTRUDER.ip)
def sweep_echo(trace: Trace) -> None:
    """Echo requests to 100 addresses."""
    _sweep(trace, 8, bytes(40))


@scenario("ICMP_TIMESTAMP_SCAN", accused=INTRUDER.ip)
def sweep_timestamp(trace: Trace) -> None:
    """Timestamp requests to 100 addresses."""
    _sweep(trace, 13, bytes(12))


@scenario("ICMP_ADDRESS_MASK_SCAN", accused=INTRUDER.ip)
def sweep_mask(trace: Trace) -> None:
    """Address mask requests to 100 addresses."""
    _sweep(trace, 17, bytes(4))
