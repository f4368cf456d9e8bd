"""What ordinary conversations carry: DNS, DHCP, NTP, HTTP/1, TLS and more, well formed.

Formats: RFC 1035 (DNS), 2131 (DHCP), 5905 (NTP), 9112 (HTTP/1.1), 8446 and 6066 (TLS).
"""

import struct
from ipaddress import IPv4Address, IPv6Address

from tests.traffic.dice import Dice

DNS_A, DNS_PTR, DNS_AAAA = 1, 12, 28
NXDOMAIN = 3


def dns_name(name: str) -> bytes:
    """Labels, each behind its length."""
    return b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0"


def dns_question(ident: int, name: str, kind: int = DNS_A, *, flags: int = 0x0100) -> bytes:
    """A question."""
    return (
        struct.pack("!HHHHHH", ident, flags, 1, 0, 0, 0)
        + dns_name(name)
        + struct.pack("!HH", kind, 1)
    )


def dns_answer(
    ident: int, name: str, addresses: tuple[str, ...], kind: int = DNS_A, *, code: int = 0
) -> bytes:
    """The answer to a question: addresses, each valid for five minutes."""
    head = struct.pack("!HHHHHH", ident, 0x8180 | code, 1, len(addresses), 0, 0)
    question = dns_name(name) + struct.pack("!HH", kind, 1)
    records = b""
    for address in addresses:
        packed = IPv6Address(address).packed if kind == DNS_AAAA else IPv4Address(address).packed
        records += struct.pack("!HHHIH", 0xC00C, kind, 1, 300, len(packed)) + packed
    return head + question + records


def mdns_announcement(name: str, address: str) -> bytes:
    """A multicast DNS answer nobody asked for (RFC 6762)."""
    record = dns_name(name) + struct.pack("!HHIH", DNS_A, 0x8001, 120, 4)
    return struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + record + IPv4Address(address).packed


def dhcp(
    operation: int,
    transaction: int,
    mac: bytes,
    kind: int,
    *,
    yours: str = "0.0.0.0",
    options: bytes = b"",
) -> bytes:
    """A DHCP message: operation 1 by a client, 2 by a server; ``kind`` as in RFC 2132, 9.6."""
    head = struct.pack("!BBBBIHH", operation, 1, 6, 0, transaction, 0, 0)
    addresses = bytes(4) + IPv4Address(yours).packed + bytes(8)
    body = head + addresses + mac.ljust(16, b"\0") + bytes(192) + bytes.fromhex("63825363")
    return (body + bytes([53, 1, kind]) + options + b"\xff").ljust(300, b"\0")


def ntp(mode: int, seconds: int) -> bytes:
    """A request (mode 3) or an answer (4); ``seconds`` since 1970."""
    stamp = struct.pack("!II", (seconds + 2_208_988_800) & 0xFFFFFFFF, 0)
    stratum = 2 if mode == 4 else 0
    return struct.pack("!BBBb", 0x20 | mode, stratum, 6, -20) + bytes(12) + stamp * 4


def http_request(host: str, path: str, *, method: str = "GET", agent: str = "Mozilla/5.0") -> bytes:
    """The head of a request."""
    lines = (f"{method} {path} HTTP/1.1", f"Host: {host}", f"User-Agent: {agent}", "Accept: */*")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def http_response(body: bytes, *, status: str = "200 OK", kind: str = "text/html") -> bytes:
    """A whole response."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("!BHH", kind, 0x0303, len(body)) + body


def _handshake(kind: int, body: bytes) -> bytes:
    return _record(22, bytes([kind]) + len(body).to_bytes(3, "big") + body)


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack("!HH", kind, len(body)) + body


def _vector(body: bytes) -> bytes:
    return struct.pack("!H", len(body)) + body


def client_hello(dice: Dice, server_name: str) -> bytes:
    """A TLS 1.3 ClientHello as a browser would send it, with names, groups and a key share."""
    name = server_name.encode()
    ciphers = struct.pack(
        "!9H", 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8
    )
    extensions = (
        _extension(0, _vector(b"\0" + _vector(name)))
        + _extension(10, _vector(struct.pack("!3H", 0x001D, 0x0017, 0x0018)))
        + _extension(11, b"\x01\x00")
        + _extension(13, _vector(struct.pack("!4H", 0x0403, 0x0804, 0x0401, 0x0503)))
        + _extension(16, _vector(b"\x02h2\x08http/1.1"))
        + _extension(43, b"\x04" + struct.pack("!2H", 0x0304, 0x0303))
        + _extension(51, _vector(struct.pack("!H", 0x001D) + _vector(dice.bytes(32))))
    )
    session = b"\x20" + dice.bytes(32)
    start = struct.pack("!H", 0x0303) + dice.bytes(32) + session
    return _handshake(1, start + _vector(ciphers) + b"\x01\x00" + _vector(extensions))


def server_hello(dice: Dice) -> bytes:
    """A TLS 1.3 ServerHello, then the encrypted rest of the server's first flight."""
    extensions = _extension(43, struct.pack("!H", 0x0304)) + _extension(
        51, struct.pack("!H", 0x001D) + _vector(dice.bytes(32))
    )
    start = struct.pack("!H", 0x0303) + dice.bytes(32) + b"\x20" + dice.bytes(32)
    hello = _handshake(2, start + struct.pack("!HB", 0x1301, 0) + _vector(extensions))
    return hello + _record(20, b"\x01") + _record(23, dice.bytes(dice.between(2400, 3600)))


def tls_data(dice: Dice, length: int) -> bytes:
    """Application data: records of at most 16 kB."""
    parts = [min(16384, length - at) for at in range(0, length, 16384)]
    return b"".join(_record(23, dice.bytes(part)) for part in parts)


def quic_initial(dice: Dice) -> bytes:
    """A first QUIC packet of 1200 bytes; what is encrypted is random (RFC 9000, 17.2.2)."""
    before = b"\xc3\0\0\0\1\x08" + dice.bytes(8) + b"\0\0"
    rest = 1200 - len(before) - 2
    return before + struct.pack("!H", 0x4000 | rest) + dice.bytes(rest)


def stun_response(dice: Dice, client: str) -> bytes:
    """A binding response with the mapped address (RFC 8489, 14.1)."""
    mapped = struct.pack("!HHBBH", 1, 8, 0, 1, 50000) + IPv4Address(client).packed
    return struct.pack("!HHI", 0x0101, len(mapped), 0x2112A442) + dice.bytes(12) + mapped


def smb_negotiate(dice: Dice) -> bytes:
    """An SMB2 negotiate request for one dialect, in its NetBIOS message (MS-SMB2, 2.2.3)."""
    header = b"\xfeSMB" + struct.pack("<HHIHH", 64, 0, 0, 0, 1) + bytes(48)
    body = struct.pack("<HHHHI", 36, 1, 1, 0, 0) + dice.bytes(16) + bytes(8) + b"\x02\x02"
    return struct.pack("!I", len(header) + len(body)) + header + body
