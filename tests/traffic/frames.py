"""Bytes of Ethernet frames and what is in them, with valid lengths and checksums.

Each function builds one header in front of its payload. Formats: RFC 826 (ARP), 791 (IPv4),
8200 (IPv6), 9293 (TCP), 768 (UDP), 792 and 950 (ICMP), 4443 (ICMPv6), 1071 (checksum).
"""

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32

ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
ICMP, TCP, UDP, ICMP6, VRRP = 1, 6, 17, 58, 112

BROADCAST = "ff:ff:ff:ff:ff:ff"
NO_MAC = "00:00:00:00:00:00"

Address = IPv4Address | IPv6Address


def mac_bytes(mac: str) -> bytes:
    """The six bytes of ``aa:bb:cc:dd:ee:ff``."""
    return bytes.fromhex(mac.replace(":", ""))


def checksum(data: bytes) -> int:
    """The Internet checksum of the bytes."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(source: str, destination: str, ethertype: int, payload: bytes) -> bytes:
    """A frame, padded to the least length of 60 bytes (without its check sequence)."""
    frame = mac_bytes(destination) + mac_bytes(source) + struct.pack("!H", ethertype) + payload
    return frame.ljust(60, b"\0")


def arp(operation: int, sender_mac: str, sender: str, target_mac: str, target: str) -> bytes:
    """An ARP message: 1 asks, 2 answers."""
    return (
        struct.pack("!HHBBH", 1, IPV4, 6, 4, operation)
        + mac_bytes(sender_mac)
        + IPv4Address(sender).packed
        + mac_bytes(target_mac)
        + IPv4Address(target).packed
    )


def ip(
    source: str,
    destination: str,
    protocol: int,
    payload: bytes,
    *,
    ident: int = 0,
    ttl: int = 64,
    fragment: int = 0x4000,
) -> bytes:
    """An IPv4 or IPv6 packet, as the addresses are; ``fragment``: IPv4's flags and offset."""
    src, dst = ip_address(source), ip_address(destination)
    if src.version == 6:
        fixed = struct.pack("!IHBB", 6 << 28, len(payload), protocol, ttl)
        return fixed + src.packed + dst.packed + payload
    start = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(payload), ident, fragment, ttl, protocol)
    addresses = src.packed + dst.packed
    check = struct.pack("!H", checksum(start + b"\0\0" + addresses))
    return start + check + addresses + payload


def ethertype_of(address: str) -> int:
    """The Ethernet type of a packet with that address."""
    return IPV6 if ":" in address else IPV4


def _pseudo(source: str, destination: str, protocol: int, length: int) -> bytes:
    src, dst = ip_address(source), ip_address(destination)
    if src.version == 6:
        return src.packed + dst.packed + struct.pack("!II", length, protocol)
    return src.packed + dst.packed + struct.pack("!HH", protocol, length)


def tcp(
    source: tuple[str, int],
    destination: tuple[str, int],
    flags: int,
    *,
    seq: int = 0,
    ack: int = 0,
    window: int = 64240,
    options: bytes = b"",
    payload: bytes = b"",
) -> bytes:
    """A TCP segment; ``options`` are padded to whole words."""
    options = options.ljust(-(-len(options) // 4) * 4, b"\0")
    offset = (5 + len(options) // 4) << 4
    before = struct.pack(
        "!HHIIBBH",
        source[1],
        destination[1],
        seq & 0xFFFFFFFF,
        ack & 0xFFFFFFFF,
        offset,
        flags,
        window,
    )
    rest = b"\0\0" + options + payload
    length = len(before) + 2 + len(rest)
    check = checksum(_pseudo(source[0], destination[0], TCP, length) + before + b"\0\0" + rest)
    return before + struct.pack("!H", check) + rest


def udp(source: tuple[str, int], destination: tuple[str, int], payload: bytes) -> bytes:
    """A UDP datagram."""
    before = struct.pack("!HHH", source[1], destination[1], 8 + len(payload))
    pseudo = _pseudo(source[0], destination[0], UDP, 8 + len(payload))
    check = checksum(pseudo + before + b"\0\0" + payload) or 0xFFFF
    return before + struct.pack("!H", check) + payload


def icmp(kind: int, code: int, rest: bytes) -> bytes:
    """An ICMP message; ``rest`` begins after the checksum."""
    check = checksum(struct.pack("!BBH", kind, code, 0) + rest)
    return struct.pack("!BBH", kind, code, check) + rest


def icmp6(source: str, destination: str, kind: int, code: int, rest: bytes) -> bytes:
    """An ICMPv6 message; ``rest`` begins after the checksum."""
    start = struct.pack("!BBH", kind, code, 0)
    check = checksum(_pseudo(source, destination, ICMP6, 4 + len(rest)) + start + rest)
    return struct.pack("!BBH", kind, code, check) + rest


def sctp(start: bytes, chunk: bytes) -> bytes:
    """An SCTP packet (RFC 9260): ports and tag, CRC-32C, one chunk."""
    check = _crc32c(start + bytes(4) + chunk)
    return start + struct.pack("<I", check) + chunk


def _crc32c(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def echo(kind: int, ident: int, number: int, payload: bytes) -> bytes:
    """What follows the checksum of an echo request or reply, as ICMP message (RFC 792)."""
    return icmp(kind, 0, struct.pack("!HH", ident, number) + payload)
