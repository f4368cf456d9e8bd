"""What servers, monitors and peers do all day; nobody may be accused."""

import struct

from tests.traffic import frames, payloads
from tests.traffic.activities import fetch_secure, meet, ping, unreachable
from tests.traffic.frames import ACK, RST, SYN
from tests.traffic.hosts import (
    LAPTOP,
    PHONE,
    ROUTER,
    SERVER,
    Host,
    inside,
    outside,
    stranger,
    web_server,
)
from tests.traffic.scenarios.registry import scenario
from tests.traffic.tcp import Session, probe
from tests.traffic.timeline import MILLISECOND, MINUTE, SECOND, START, Trace


@scenario()
def quic_blocked(trace: Trace) -> None:
    """A network drops UDP to port 443: a browser tries it at 60 servers, then takes TCP."""
    meet(trace, 0, LAPTOP, ROUTER)
    for number in range(60):
        at, server = SECOND + number * 2 * SECOND, web_server(number)
        hello = payloads.quic_initial(trace.dice)
        for repeat in range(2):
            sport = 40000 + number
            trace.udp(at + repeat * 200 * MILLISECOND, LAPTOP, sport, server, 443, hello)
        fetch_secure(trace, at + 300 * MILLISECOND, LAPTOP, server, f"host{number}.example")


@scenario()
def names_of_clients(trace: Trace) -> None:
    """A Windows server asks each of its 40 outside clients for its NetBIOS name; none answers."""
    question = bytes.fromhex("80f00010000100000000000020434b") + b"A" * 30 + b"\0\0\x21\0\1"
    for number in range(40):
        at = number * 5 * SECOND
        client = stranger(number)
        session = Session(trace, client, SERVER, 80, at).open()
        session.client(payloads.http_request("home.example", "/"))
        session.server(payloads.http_response(b"x" * 900, kind="text/html")).close()
        for repeat in range(3):
            trace.udp(at + SECOND + repeat * 1500 * MILLISECOND, SERVER, 137, client, 137, question)


@scenario()
def balancer(trace: Trace) -> None:
    """A balancer opens and gives up a port of eight servers each five seconds, and works."""
    for turn in range(12):
        for number in range(8):
            at = turn * 5 * SECOND + number * 30 * MILLISECOND
            backend = inside(40 + number)
            probe(trace, at, SERVER, trace.dice.port(), backend, 80, SYN, SYN | ACK)
            session = Session(trace, SERVER, backend, 80, at + SECOND, rtt=MILLISECOND).open()
            session.client(payloads.http_request("home.example", "/"))
            session.server(payloads.http_response(b"x" * 700, kind="text/html")).close()


@scenario()
def eyeballs(trace: Trace) -> None:
    """Two addresses of a site are tried at once, the slower is given up; idle ones are closed."""
    for number in range(40):
        at = number * 3 * SECOND
        server = web_server(number)
        fetch_secure(trace, at, LAPTOP, server, f"host{number}.example")
        if number % 3 == 0:
            Session(trace, LAPTOP, web_server(number + 100), 443, at).open().reset()
        elif number % 3 == 1:
            Session(trace, LAPTOP, server, 443, at).open().wait(9 * SECOND).close()


@scenario()
def telephones(trace: Trace) -> None:
    """Twenty calls to one gateway on ports of their own, of which one direction is captured."""
    for number in range(20):
        dport = 16384 + 2 * trace.dice.below(8000)
        for packet in range(60):
            at = number * 20 * SECOND + packet * 20 * MILLISECOND
            voice = struct.pack("!BBHII", 0x80, 0, packet, packet * 160, number) + bytes(160)
            trace.udp(at, LAPTOP, 40000 + 2 * number, web_server(9), dport, voice)


@scenario()
def answers_only(trace: Trace) -> None:
    """A server of names, of time, of STUN and of a game, of which only the answers are seen."""
    server = web_server(9)
    for number in range(60):
        at = number * SECOND
        answers = {
            53: payloads.dns_answer(number, f"www{number}.example", ("198.51.100.9",)),
            123: payloads.ntp(4, (START + at) // SECOND),
            3478: payloads.stun_response(trace.dice, LAPTOP.ip),
            27015: b"\xff\xff\xff\xffI\x11a game\0",
        }
        for sport, data in answers.items():
            trace.udp(at, server, sport, LAPTOP, trace.dice.between(49152, 65000), data)


@scenario()
def questions_only(trace: Trace) -> None:
    """A resolver of which only the questions are captured, to 18 servers."""
    for number in range(300):
        data = payloads.dns_question(number, f"www{number}.example")
        server = web_server(trace.dice.below(18))
        trace.udp(number * 200 * MILLISECOND, SERVER, trace.dice.port(), server, 53, data)


@scenario()
def exporters(trace: Trace) -> None:
    """syslog, flow records, traps and metrics, which nobody answers, to six collectors."""
    for number in range(200):
        for other, dport in enumerate((514, 2055, 162, 8125, 4739, 6343)):
            at = number * 500 * MILLISECOND + other * MILLISECOND
            trace.udp(at, ROUTER, 50000 + other, inside(40 + other), dport, b"<134>a line of log")


@scenario()
def poller(trace: Trace) -> None:
    """SNMP to forty devices each minute; six are switched off."""
    for turn in range(10):
        for number in range(40):
            at = turn * MINUTE + number * 300 * MILLISECOND
            device, sport = inside(60 + number), trace.dice.port()
            data = bytes.fromhex("302602010004067075626c6963a019020400000001")
            trace.udp(at, SERVER, sport, device, 161, data)
            if number % 7 != 3:
                trace.udp(at + 3 * MILLISECOND, device, 161, SERVER, sport, data)


@scenario()
def traces(trace: Trace) -> None:
    """Routes are traced by UDP, by ICMP and by TCP, to three hosts."""
    for number in range(30):
        at, hop = number * SECOND, outside(f"203.0.113.{1 + number // 3}")
        target = web_server(7)
        datagram = frames.udp((LAPTOP.ip, 50000), (target.ip, 33434 + number), bytes(32))
        trace.packet(at, LAPTOP, target, frames.UDP, datagram)
        quoted = frames.ip(LAPTOP.ip, target.ip, frames.UDP, datagram)
        message = frames.icmp(11, 0, bytes(4) + quoted[:28])
        trace.packet(at + 9 * MILLISECOND, hop, LAPTOP, frames.ICMP, message)
        probe(trace, at + MINUTE, LAPTOP, 51000 + number, web_server(8), 80, SYN)
    ping(trace, 2 * MINUTE, LAPTOP, web_server(9), 30, answered=False)


@scenario()
def transfers(trace: Trace) -> None:
    """TFTP and passive FTP: each file comes from, or goes to, another port of the server."""
    for number in range(20):
        at, sport, port = number * 2 * SECOND, 50000 + number, trace.dice.between(20000, 60000)
        trace.udp(at, PHONE, sport, SERVER, 69, b"\0\1config\0octet\0")
        trace.udp(at + MILLISECOND, SERVER, port, PHONE, sport, b"\0\3\0\1" + bytes(512))
        trace.udp(at + 2 * MILLISECOND, PHONE, sport, SERVER, port, b"\0\4\0\1")
        passive = trace.dice.between(30000, 60000)
        session = Session(trace, LAPTOP, SERVER, passive, at, rtt=MILLISECOND).open()
        session.server(trace.dice.bytes(3000)).close(1)


@scenario()
def running_streams(trace: Trace) -> None:
    """A capture begins in the midst of sixty connections, whose ends come by ones and twos."""
    for number in range(60):
        at, server = number * 300 * MILLISECOND, web_server(number)
        sport, seq = trace.dice.port(), trace.dice.below(1 << 32)
        here, there = (LAPTOP.ip, sport), (server.ip, (443, 8009, 5228)[number % 3])
        for part in range(3):
            mine = frames.tcp(here, there, ACK, seq=seq, ack=77 + 900 * part)
            data = frames.tcp(there, here, ACK, seq=77 + 900 * part, ack=seq, payload=bytes(900))
            if number % 2:
                trace.packet(at + part * SECOND, server, LAPTOP, frames.TCP, data)
            trace.packet(at + part * SECOND + MILLISECOND, LAPTOP, server, frames.TCP, mine)
        if number % 4 == 0:
            end = frames.tcp(here, there, RST | ACK, seq=seq, ack=77)
            trace.packet(at + 4 * SECOND, LAPTOP, server, frames.TCP, end)


@scenario()
def shares(trace: Trace) -> None:
    """A Windows client looks for its servers: old names, closed ports, printers that are off."""
    gone = [inside(70 + number) for number in range(3)]
    for number, host in enumerate(gone):
        for dport in (445, 139):
            at = number * 10 * SECOND
            Session(trace, LAPTOP, host, dport, at).unanswered(2)
        Session(trace, LAPTOP, inside(31 + number), 9100, number * SECOND).refused()
    for number in range(10):
        session = Session(trace, LAPTOP, SERVER, 445, MINUTE + number * SECOND, rtt=MILLISECOND)
        session.open().client(payloads.smb_negotiate(trace.dice)).server(bytes(200)).close()
        refused = frames.udp((LAPTOP.ip, 50000 + number), (SERVER.ip, 137), bytes(50))
        trace.packet(MINUTE + number * SECOND, LAPTOP, SERVER, frames.UDP, refused)
        quoted = frames.ip(LAPTOP.ip, SERVER.ip, frames.UDP, refused)
        unreachable(trace, MINUTE + number * SECOND, SERVER, LAPTOP, 3, quoted)


@scenario()
def game_lobby(trace: Trace) -> None:
    """A game asks eighty servers of the world how far away they are; a third answers."""
    for number in range(80):
        at, server = number * 50 * MILLISECOND, web_server(number)
        trace.udp(at, PHONE, 50000, server, 27015 + number % 20, b"\xff\xff\xff\xffTSource\0")
        if number % 3 == 0:
            trace.udp(at + 40 * MILLISECOND, server, 27015 + number % 20, PHONE, 50000, bytes(90))


@scenario()
def neighbours6(trace: Trace) -> None:
    """IPv6: hosts look for each other, routers announce themselves, and all are answered."""
    hosts = [Host(f"fd00:7::{number:x}", inside(number).mac) for number in range(20, 50)]
    for number, host in enumerate(hosts):
        group = Host("ff02::1:ff00:1", "33:33:ff:00:00:01")
        target = bytes.fromhex("fd000007000000000000000000000001")
        source = b"\1\1" + frames.mac_bytes(host.mac)
        ask = frames.icmp6(host.ip, group.ip, 135, 0, bytes(4) + target + source)
        trace.packet(number * SECOND, host, group, frames.ICMP6, ask)
        router = Host("fd00:7::1", ROUTER.mac)
        tell = frames.icmp6(router.ip, host.ip, 136, 0, b"\xe0\0\0\0" + target)
        trace.packet(number * SECOND + MILLISECOND, router, host, frames.ICMP6, tell)


@scenario()
def crowd(trace: Trace) -> None:
    """Eighty people behind one address of the world use a server of ours; answers only are seen."""
    people = outside("203.0.113.9")
    for number in range(80):
        session = Session(trace, people, SERVER, 443, number * 400 * MILLISECOND).open()
        session.client(payloads.client_hello(trace.dice, "home.example")).server(
            bytes(3000)
        ).close()
    server = frames.mac_bytes(SERVER.mac)
    trace.keep(lambda frame: frame[6:12] == server)
