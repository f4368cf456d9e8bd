"""Traffic in which nobody may be accused, though some of it looks like an attack."""

from tests.traffic import frames, payloads
from tests.traffic.activities import (
    announce_service,
    browse,
    fetch_secure,
    keep_time,
    lease,
    look_up,
    meet,
    ping,
)
from tests.traffic.frames import ACK, RST, SYN
from tests.traffic.hosts import (
    LAPTOP,
    PHONE,
    PRINTER,
    ROUTER,
    SERVER,
    TELEVISION,
    inside,
    outside,
    stranger,
    web_server,
)
from tests.traffic.scenarios.registry import scenario
from tests.traffic.tcp import Session, probe
from tests.traffic.timeline import MILLISECOND, MINUTE, SECOND, Trace

SITE_WORDS = ("www", "mail", "cdn", "api", "static")


def household(trace: Trace, minutes: int) -> None:
    """Some minutes of a small network: leases, neighbours, browsing, time, announcements."""
    for number, client in enumerate((LAPTOP, PHONE, TELEVISION)):
        at = number * 7 * SECOND
        lease(trace, at, client)
        meet(trace, at + 8 * SECOND, client, ROUTER)
        keep_time(trace, at + 9 * SECOND, client)
        browse(trace, at + 10 * SECOND, client, minutes * (5 - number), 11 * SECOND)
    for number in range(minutes):
        announce_service(trace, number * MINUTE + 5 * SECOND, PRINTER, "printer.local")
        meet(trace, number * MINUTE + 30 * SECOND, ROUTER, LAPTOP)


@scenario()
def home(trace: Trace) -> None:
    """Ten minutes of a household: DHCP, ARP, DNS, HTTP, TLS, NTP, multicast DNS."""
    household(trace, 10)


@scenario("ConnectionToLocalDevice", accused="192.168.7.20")
def ping_pair(trace: Trace) -> None:
    """Two local hosts ping each other (found only where local connections are forbidden)."""
    meet(trace, 0, LAPTOP, SERVER)
    ping(trace, 10 * MILLISECOND, LAPTOP, SERVER, 4)
    ping(trace, 6 * SECOND, SERVER, LAPTOP, 4)


@scenario()
def busy_client(trace: Trace) -> None:
    """A client opens 400 connections to 120 servers in two minutes; one of 25 fails."""
    meet(trace, 0, LAPTOP, ROUTER)
    for number in range(400):
        at = SECOND + number * 300 * MILLISECOND + trace.dice.below(200 * MILLISECOND)
        server = web_server(trace.dice.below(120))
        if trace.dice.chance(96):
            fetch_secure(trace, at, LAPTOP, server, f"host{number}.example")
        elif trace.dice.chance(50):
            Session(trace, LAPTOP, server, 443, at).refused()
        else:
            Session(trace, LAPTOP, server, 443, at).unanswered(3)


@scenario()
def nat(trace: Trace) -> None:
    """Twenty people behind one address: 900 connections in five minutes, some to dead servers."""
    behind = inside(40)
    meet(trace, 0, behind, ROUTER)
    for number in range(900):
        at = SECOND + number * 330 * MILLISECOND
        server = web_server(trace.dice.below(250))
        dport = trace.dice.pick((443, 443, 443, 443, 853, 993, 5228, 8443))
        session = Session(trace, behind, server, dport, at)
        if trace.dice.chance(94):
            data = trace.dice.bytes(trace.dice.between(100, 900))
            session.open().client(data).server(data + data).close()
        else:
            session.unanswered(2)


@scenario()
def resolver(trace: Trace) -> None:
    """A recursive resolver asks 200 name servers; one of twelve is dead."""
    meet(trace, 0, SERVER, ROUTER)
    dead = {number for number in range(200) if trace.dice.chance(8)}
    for number in range(1200):
        at = SECOND + number * 150 * MILLISECOND
        chosen = trace.dice.below(200)
        server, ident, sport = web_server(chosen), trace.dice.below(65536), trace.dice.port()
        name = f"{SITE_WORDS[number % len(SITE_WORDS)]}{chosen}.example"
        trace.udp(at, SERVER, sport, server, 53, payloads.dns_question(ident, name, flags=0))
        if chosen not in dead:
            answer = payloads.dns_answer(ident, name, ("198.51.100.9",))
            trace.udp(at + 30 * MILLISECOND, server, 53, SERVER, sport, answer)


@scenario()
def torrent_peer(trace: Trace) -> None:
    """A BitTorrent client tries 300 peers on ports of their own; more than half do not answer."""
    meet(trace, 0, LAPTOP, ROUTER)
    hello = b"\x13BitTorrent protocol" + trace.dice.bytes(48)
    peers = [make(number) for make in (web_server, stranger) for number in range(150)]
    for number, peer in enumerate(trace.dice.shuffled(peers)):
        at = SECOND + number * 400 * MILLISECOND
        dport = trace.dice.between(10000, 65000)
        if number % 3 == 0:
            data = trace.dice.bytes(20)
            trace.udp(at, LAPTOP, 51413, peer, dport, data)
            if trace.dice.chance(50):
                trace.udp(at + 70 * MILLISECOND, peer, dport, LAPTOP, 51413, data)
        elif trace.dice.chance(45):
            piece = trace.dice.bytes(4000)
            session = Session(trace, LAPTOP, peer, dport, at, rtt=80 * MILLISECOND).open()
            session.client(hello).server(hello).client(piece[:90]).server(piece).close()
        elif trace.dice.chance(30):
            Session(trace, LAPTOP, peer, dport, at, rtt=80 * MILLISECOND).refused()
        else:
            Session(trace, LAPTOP, peer, dport, at).unanswered(2)


@scenario()
def dead_server_retry(trace: Trace) -> None:
    """A client tries a dead server, and one that refuses, every five seconds for ten minutes."""
    meet(trace, 0, LAPTOP, ROUTER)
    dead, closed = web_server(77), web_server(78)
    for number in range(120):
        at = SECOND + number * 5 * SECOND
        Session(trace, LAPTOP, dead, 8883, at).unanswered(2)
        Session(trace, LAPTOP, closed, 5222, at + 2 * SECOND).refused()


@scenario()
def backscatter(trace: Trace) -> None:
    """Answers to packets that others forged in our name: SYN-ACK and RST that nobody asked for."""
    for number in range(300):
        target = inside(2 + trace.dice.below(200))
        victim, flags = web_server(number % 3), (SYN | ACK if number % 2 else RST | ACK)
        probe(trace, number * 120 * MILLISECOND, victim, 80, target, trace.dice.port(), flags)


@scenario()
def syn_flood(trace: Trace) -> None:
    """A flood of SYNs from forged addresses at one service: a scan by nobody."""
    for number in range(4000):
        forged = outside(f"203.0.113.{1 + trace.dice.below(254)}")
        probe(trace, number * MILLISECOND, forged, trace.dice.port(), SERVER, 80, SYN)


@scenario()
def one_direction(trace: Trace) -> None:
    """Browsing, seen by a tap that misses every frame from the router."""
    browse(trace, 0, LAPTOP, 60, 3 * SECOND)
    browse(trace, SECOND, PHONE, 40, 4 * SECOND)
    router = frames.mac_bytes(ROUTER.mac)
    trace.keep(lambda frame: frame[6:12] != router)


@scenario()
def busy_server(trace: Trace) -> None:
    """A server of ours has 250 clients; some leave in the middle of a handshake."""
    for number in range(600):
        at = number * 200 * MILLISECOND
        session = Session(trace, stranger(number), SERVER, 443, at, rtt=60 * MILLISECOND)
        if trace.dice.chance(90):
            request = payloads.client_hello(trace.dice, "home.example")
            session.open().client(request).server(payloads.server_hello(trace.dice)).close()
        else:
            session.open().reset()
    look_up(trace, 0, SERVER, "home.example", "203.0.113.200")
