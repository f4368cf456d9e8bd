"""What ordinary hosts do: find each other, look names up, browse, keep the time, ping."""

import struct

from tests.traffic import frames, payloads
from tests.traffic.hosts import RESOLVER, ROUTER, TIME_SERVER, Host, web_server
from tests.traffic.tcp import Session
from tests.traffic.timeline import MICROSECOND, MILLISECOND, SECOND, START, Trace

WORDS = ("news", "mail", "maps", "video", "shop", "bank", "wiki", "code", "music", "photos")
SITES = tuple(f"{word}.example" for word in WORDS)
MDNS = Host("224.0.0.251", "01:00:5e:00:00:fb")
EVERYONE = Host("255.255.255.255", frames.BROADCAST)


def meet(trace: Trace, at: int, asker: Host, asked: Host) -> None:
    """ARP: who has the address, and the answer."""
    trace.arp(at, 1, asker, asked)
    trace.arp(at + 200 * MICROSECOND, 2, asked, asker)


def look_up(trace: Trace, at: int, client: Host, name: str, address: str) -> int:
    """A and AAAA questions as a stub resolver asks them; returns the time of the answer."""
    sport = trace.dice.port()
    for kind, answer in ((payloads.DNS_A, (address,)), (payloads.DNS_AAAA, ())):
        ident = trace.dice.below(65536)
        trace.udp(at, client, sport, RESOLVER, 53, payloads.dns_question(ident, name, kind))
        back = at + trace.dice.between(4, 30) * MILLISECOND
        reply = payloads.dns_answer(ident, name, answer, kind)
        trace.udp(back, RESOLVER, 53, client, sport, reply)
        at += 300 * MICROSECOND
    return back


def fetch_plain(trace: Trace, at: int, client: Host, server: Host, name: str) -> Session:
    """A page, its style and its font over HTTP."""
    session = Session(trace, client, server, 80, at).open()
    for path, kind in (("/", "text/html"), ("/a.css", "text/css"), ("/b.woff2", "font/woff2")):
        body = trace.dice.bytes(trace.dice.between(800, 9000))
        session.client(payloads.http_request(name, path))
        session.server(payloads.http_response(body, kind=kind))
    return session.wait(trace.dice.between(1, 5) * SECOND).close()


def fetch_secure(trace: Trace, at: int, client: Host, server: Host, name: str) -> Session:
    """A page over TLS."""
    dice = trace.dice
    session = Session(trace, client, server, 443, at).open()
    session.client(payloads.client_hello(dice, name)).server(payloads.server_hello(dice))
    session.client(payloads.tls_data(dice, 58))
    for _ in range(dice.between(1, 4)):
        session.client(payloads.tls_data(dice, dice.between(80, 700)))
        session.server(payloads.tls_data(dice, dice.between(400, 20000)))
    return session.wait(dice.between(1, 8) * SECOND).close()


def browse(trace: Trace, at: int, client: Host, visits: int, pause: int) -> None:
    """Visit sites, about a pause apart: names first, then mostly TLS."""
    for _ in range(visits):
        number = trace.dice.below(len(SITES) * 3)
        name, server = SITES[number % len(SITES)], web_server(100 + number)
        ready = look_up(trace, at, client, name, server.ip)
        fetch = fetch_plain if trace.dice.chance(15) else fetch_secure
        fetch(trace, ready + MILLISECOND, client, server, name)
        at += pause // 2 + trace.dice.below(pause)


def keep_time(trace: Trace, at: int, client: Host) -> None:
    """NTP, once."""
    seconds = (START + at) // SECOND
    trace.udp(at, client, 123, TIME_SERVER, 123, payloads.ntp(3, seconds))
    trace.udp(at + 18 * MILLISECOND, TIME_SERVER, 123, client, 123, payloads.ntp(4, seconds))


def lease(trace: Trace, at: int, client: Host) -> None:
    """DHCP: discover, offer, request, acknowledgement, then the probes of RFC 5227."""
    transaction, mac = trace.dice.below(1 << 32), frames.mac_bytes(client.mac)
    unset = client.as_("0.0.0.0")
    for step, kind in enumerate((1, 2, 3, 5)):
        when = at + step * 5 * MILLISECOND
        if kind in (1, 3):
            question = payloads.dhcp(1, transaction, mac, kind)
            trace.udp(when, unset, 68, EVERYONE, 67, question)
        else:
            answer = payloads.dhcp(2, transaction, mac, kind, yours=client.ip)
            trace.udp(when, ROUTER, 67, client, 68, answer)
    announce_address(trace, at + 50 * MILLISECOND, client)


def announce_address(trace: Trace, at: int, host: Host) -> None:
    """Three probes for the own address, then two announcements (RFC 5227)."""
    for number in range(3):
        trace.arp(at + number * SECOND, 1, host.as_("0.0.0.0"), host)
    for number in range(2):
        trace.arp(at + (4 + 2 * number) * SECOND, 1, host, host)


def announce_service(trace: Trace, at: int, host: Host, name: str) -> None:
    """A multicast DNS announcement."""
    trace.udp(at, host, 5353, MDNS, 5353, payloads.mdns_announcement(name, host.ip))


def ping(
    trace: Trace, at: int, source: Host, target: Host, count: int, *, answered: bool = True
) -> None:
    """Echo requests a second apart, with the 56 bytes that ping sends."""
    ident = trace.dice.below(65536)
    for number in range(1, count + 1):
        data = struct.pack("<Q", number) + bytes(range(16, 64))
        request, reply = (frames.echo(kind, ident, number, data) for kind in (8, 0))
        trace.packet(at, source, target, frames.ICMP, request)
        if answered:
            trace.packet(at + 600 * MICROSECOND, target, source, frames.ICMP, reply)
        at += SECOND


def unreachable(
    trace: Trace, at: int, source: Host, target: Host, code: int, quoted: bytes
) -> None:
    """ICMP destination unreachable about a packet that came from ``target``."""
    message = frames.icmp(3, code, bytes(4) + quoted[:28])
    trace.packet(at, source, target, frames.ICMP, message)
