"""Scans that are small, odd, or seen by halves."""

import struct

from tests.traffic import frames
from tests.traffic.activities import meet, unreachable
from tests.traffic.frames import ACK, FIN, PSH, RST, SYN, URG
from tests.traffic.hosts import INTRUDER, LAPTOP, ROUTER, SERVER, Host, inside, outside
from tests.traffic.scenarios.registry import scenario
from tests.traffic.scenarios.scans import HORIZONTAL, VERTICAL, elsewhere, ports_in_turn
from tests.traffic.tcp import Session, probe
from tests.traffic.timeline import MILLISECOND, SECOND, Trace

#: What nmap -F asks first.
COMMON = (80, 443, 22, 21, 25, 3389, 110, 445, 139, 143, 53, 8080)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_few(trace: Trace) -> None:
    """Ten ports of one host, two of them open."""
    meet(trace, 0, INTRUDER, SERVER)
    for number, dport in enumerate(COMMON[:10]):
        answer = SYN | ACK if dport in (80, 22) else RST | ACK
        at = SECOND + number * 5 * MILLISECOND
        probe(trace, at, INTRUDER, 51000, SERVER, dport, SYN, answer)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_half_open(trace: Trace) -> None:
    """nmap -sS at a host on which every port that is asked is open."""
    meet(trace, 0, INTRUDER, SERVER)
    for number, dport in enumerate(COMMON):
        at = SECOND + number * 5 * MILLISECOND
        probe(trace, at, INTRUDER, 51000, SERVER, dport, SYN, SYN | ACK)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_connect_open(trace: Trace) -> None:
    """nmap -sT at such a host: whole handshakes, no word said, reset."""
    meet(trace, 0, INTRUDER, SERVER)
    for number, dport in enumerate(COMMON):
        at = SECOND + number * 5 * MILLISECOND
        Session(trace, INTRUDER, SERVER, dport, at, rtt=MILLISECOND).open().reset()


@scenario(HORIZONTAL, accused=INTRUDER.ip)
def scan_half_open_hosts(trace: Trace) -> None:
    """One port of ten hosts, on all of which it is open."""
    for number in range(10):
        at = number * 8 * MILLISECOND
        probe(trace, at, INTRUDER, 51000, elsewhere(10 + number), 445, SYN, SYN | ACK)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_seen_by_half(trace: Trace) -> None:
    """A scan of 60 ports of which only the scanner's packets are captured."""
    for number, dport in enumerate(ports_in_turn(trace, 60)):
        at = number * 5 * MILLISECOND
        probe(trace, at, INTRUDER, 51000, SERVER, dport, SYN, SYN | ACK if dport % 9 == 0 else None)
    intruder = frames.mac_bytes(INTRUDER.mac)
    trace.keep(lambda frame: frame[6:12] == intruder)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_outside_seen_by_half(trace: Trace) -> None:
    """The same at a host of the world."""
    target = outside("198.51.100.80")
    for number, dport in enumerate(ports_in_turn(trace, 30)):
        probe(trace, number * 5 * MILLISECOND, INTRUDER, 51000, target, dport, SYN)


@scenario(HORIZONTAL, accused=INTRUDER.ip)
def scan_block(trace: Trace) -> None:
    """Fifteen hosts, each asked on another port; none answers."""
    for number in range(15):
        at = number * 50 * MILLISECOND
        probe(trace, at, INTRUDER, 51000 + number, elsewhere(1 + number), 20 + number, SYN)


@scenario(HORIZONTAL, accused="203.0.113.99")
def scan_block_outside(trace: Trace) -> None:
    """A stranger tries our hosts on one of three ports each, in hours."""
    for number in range(12):
        port = (80, 8080, 88)[number % 3]
        at = number * 600 * SECOND
        probe(trace, at, outside("203.0.113.99"), 51000 + number, inside(10 + number), port, SYN)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_decoys(trace: Trace) -> None:
    """nmap -D: each of twelve ports is asked by four forged addresses, too."""
    for number, dport in enumerate(COMMON):
        for decoy in range(5):
            source = INTRUDER if decoy == 2 else INTRUDER.as_(f"192.168.7.{90 + decoy}")
            at = number * 10 * MILLISECOND + decoy * MILLISECOND
            answer = RST | ACK if decoy == 2 else None
            probe(trace, at, source, 51000, SERVER, dport, SYN, answer)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_fragments(trace: Trace) -> None:
    """nmap -f: the TCP header of each of forty probes comes in three fragments."""
    for number, dport in enumerate(ports_in_turn(trace, 40)):
        segment = frames.tcp(
            (INTRUDER.ip, 51000), (SERVER.ip, dport), SYN, seq=trace.dice.below(1 << 32)
        )
        at = number * 5 * MILLISECOND
        trace.fragments(at, INTRUDER, SERVER, frames.TCP, segment, 8)


@scenario("OS_FINGERPRINTING", accused=INTRUDER.ip)
def fingerprint_nmap(trace: Trace) -> None:
    """nmap -O where the ports are known: its seven tests at an open and a closed port."""
    for number in range(6):
        probe(
            trace, number * 100 * MILLISECOND, INTRUDER, 51000 + number, SERVER, 22, SYN, SYN | ACK
        )
    tests = (
        (22, 0),
        (22, SYN | FIN | URG | PSH),
        (22, ACK),
        (1, SYN),
        (1, ACK),
        (1, FIN | PSH | URG),
    )
    for number, (dport, flags) in enumerate(tests):
        at = SECOND + number * 25 * MILLISECOND
        probe(trace, at, INTRUDER, 51010 + number, SERVER, dport, flags, RST | ACK)


@scenario(HORIZONTAL, accused=INTRUDER.ip)
def sweep_tcp(trace: Trace) -> None:
    """nmap -sn -PS443 -PA80 at fourteen addresses behind the router, of which three exist."""
    for number in range(1, 15):
        at = number * 10 * MILLISECOND
        there = number in (1, 5, 9)
        probe(trace, at, INTRUDER, 51000, elsewhere(number), 443, SYN, RST | ACK if there else None)
        probe(
            trace,
            at + MILLISECOND,
            INTRUDER,
            51000,
            elsewhere(number),
            80,
            ACK,
            RST if there else None,
        )


@scenario("ICMP_ADDRESS_SCAN", accused=INTRUDER.ip)
def sweep_few(trace: Trace) -> None:
    """Echo requests to the six hosts of a /29, one after the other; all are up."""
    for number in range(1, 7):
        at, target = number * 20 * MILLISECOND, elsewhere(number)
        rest = struct.pack("!HH", 4660, 0)
        trace.packet(at, INTRUDER, target, frames.ICMP, frames.icmp(8, 0, rest))
        trace.packet(at + MILLISECOND, target, INTRUDER, frames.ICMP, frames.icmp(0, 0, rest))


@scenario("ICMP_ADDRESS_SCAN")
def sweep_echo6(trace: Trace) -> None:
    """ICMPv6 echo requests to thirty addresses in turn."""
    source = Host("fd00:7::66", INTRUDER.mac)
    for number in range(1, 31):
        target = Host(f"fd00:8::{number:x}", ROUTER.mac)
        rest = struct.pack("!HH", 4660, number)
        data = frames.icmp6(source.ip, target.ip, 128, 0, rest)
        trace.packet(number * 20 * MILLISECOND, source, target, frames.ICMP6, data)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_sctp(trace: Trace) -> None:
    """nmap -sY: INIT to twelve ports, answered by ABORT."""
    for number in range(12):
        there, back = struct.pack("!HH", 51000, 20 + number), struct.pack("!HH", 20 + number, 51000)
        init = struct.pack("!BBHIIHHI", 1, 0, 20, 77, 32768, 10, 2048, 9)
        at = number * 10 * MILLISECOND
        trace.packet(at, INTRUDER, SERVER, 132, frames.sctp(there + bytes(4), init))
        reply = frames.sctp(back + struct.pack("!I", 77), struct.pack("!BBH", 6, 0, 4))
        trace.packet(at + MILLISECOND, SERVER, INTRUDER, 132, reply)


@scenario(VERTICAL, accused=INTRUDER.ip)
def scan_udp_few(trace: Trace) -> None:
    """nmap -sU of ten ports, two of which answer nothing and eight are closed."""
    ports = (631, 161, 137, 123, 138, 1434, 445, 135, 67, 53)
    for number, dport in enumerate(ports):
        at = number * 800 * MILLISECOND
        datagram = frames.udp((INTRUDER.ip, 51000), (SERVER.ip, dport), b"")
        trace.packet(at, INTRUDER, SERVER, frames.UDP, datagram)
        if dport not in (161, 53):
            quoted = frames.ip(INTRUDER.ip, SERVER.ip, frames.UDP, datagram)
            unreachable(trace, at + MILLISECOND, SERVER, INTRUDER, 3, quoted)


@scenario(HORIZONTAL, accused="203.0.113.99")
def scan_worldwide(trace: Trace) -> None:
    """A stranger's search of our network for one service, in random order, a host a minute."""
    for number, host in enumerate(trace.dice.shuffled(range(2, 32))):
        probe(trace, number * 60 * SECOND, outside("203.0.113.99"), 61000, inside(host), 23, SYN)


@scenario("SERVICE_SCAN", accused=INTRUDER.ip)
def probe_one_host(trace: Trace) -> None:
    """nmap -sn and -p80 by an ordinary user: is anybody there, is 80 open; both are."""
    meet(trace, 0, INTRUDER, SERVER)
    Session(trace, INTRUDER, SERVER, 443, SECOND, rtt=MILLISECOND).open().reset()
    probe(trace, SECOND, INTRUDER, 51000, SERVER, 80, SYN, SYN | ACK)
    Session(trace, INTRUDER, SERVER, 80, 2 * SECOND, rtt=MILLISECOND).open().reset()


@scenario("ARP_SCAN", accused=INTRUDER.ip)
def arp_scan_few(trace: Trace) -> None:
    """arp-scan of a /28: fourteen addresses in turn, within a second."""
    for number in range(1, 15):
        trace.arp(number * 30 * MILLISECOND, 1, INTRUDER, inside(number))
        if number in (1, 9):
            there = ROUTER if number == 1 else inside(number)
            trace.arp(number * 30 * MILLISECOND + MILLISECOND, 2, there, INTRUDER)


@scenario("ARP_SCAN", accused=INTRUDER.ip)
def arp_scan_slow(trace: Trace) -> None:
    """Forty addresses in turn, ten seconds apart."""
    for number in range(1, 41):
        trace.arp(number * 10 * SECOND, 1, INTRUDER, inside(number))


@scenario("ARP_SCAN")
def arp_scan_nameless(trace: Trace) -> None:
    """A scanner that has no address yet asks for fifty."""
    nobody = INTRUDER.as_("0.0.0.0")
    for number in range(1, 51):
        trace.arp(number * 20 * MILLISECOND, 1, nobody, inside(number))


@scenario(HORIZONTAL, accused=LAPTOP.ip)
def scan_after_work(trace: Trace) -> None:
    """A client that has long been served searches twenty neighbours for a service."""
    for number in range(30):
        Session(trace, LAPTOP, SERVER, 443, number * SECOND).open().client(b"a" * 90).close()
    for number in range(20):
        at = 60 * SECOND + number * 20 * MILLISECOND
        probe(trace, at, LAPTOP, 51000, elsewhere(1 + number), 22, SYN, RST | ACK)
