"""Scans at an exact pace, and what of them reaches the LAN, by the kernel's own clock."""

import ipaddress
import select
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.netns.bed import within
from tests.netns.network import Namespace

#: nft's commands that make the ports from 3000 to 3999 of a host silent.
SILENCE = """
add table inet silent
add chain inet silent in { type filter hook input priority 0; }
add rule inet silent in tcp dport 3000-3999 drop
add rule inet silent in udp dport 3000-3999 drop
"""
_TCP, _UDP = socket.IPPROTO_TCP, socket.IPPROTO_UDP
_SYN = 2
_TIMESTAMPNS = 35
_ANY = 3  # ETH_P_ALL


def _sum(data: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def probe(source: str, target: str, port: int, *, udp: bool = False, sport: int = 44444) -> bytes:
    """The IP packet of one probe: a SYN, or a datagram of four bytes."""
    src, dst = (ipaddress.ip_address(address) for address in (source, target))
    if udp:
        body = struct.pack(">HHHH4s", sport, port, 12, 0, b"hdr?")
    else:
        body = struct.pack(">HHIIBBHHH", sport, port, port, 0, 0x50, _SYN, 1024, 0, 0)
    proto = _UDP if udp else _TCP
    pseudo = src.packed + dst.packed + struct.pack(">II", len(body), proto)
    check = struct.pack(">H", 0xFFFF - _sum(pseudo + body) or 0xFFFF)
    at = 6 if udp else 16
    body = body[:at] + check + body[at + 2 :]
    if src.version == 6:
        return struct.pack(">IHBB", 6 << 28, len(body), proto, 64) + src.packed + dst.packed + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), port, 0, 64, proto, 0)
    return head + src.packed + dst.packed + body  # the kernel fills in the checksum


def send(inside: Namespace, probes: Iterable[bytes], rate: float) -> None:
    """Send IP packets from a namespace, so many a second; 0: as fast as it goes."""
    packets = list(probes)
    family = socket.AF_INET6 if packets[0][0] >> 4 == 6 else socket.AF_INET
    sock = within(inside, lambda: socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW))
    at = 16 if family == socket.AF_INET else 24
    size = 4 if family == socket.AF_INET else 16
    with sock:
        began = time.monotonic()
        for number, packet in enumerate(packets):
            if rate:
                _wait_until(began + number / rate)
            sock.sendto(packet, (socket.inet_ntop(family, packet[at : at + size]), 0))


def _wait_until(moment: float) -> None:
    left = moment - time.monotonic()
    if left > 0.0005:
        time.sleep(left - 0.0003)
    while time.monotonic() < moment:
        pass


class Arrival(NamedTuple):
    """A probe that was forwarded."""

    time: float  #: seconds, the kernel's
    source: str
    port: int


class Wire:
    """What passes an interface of a namespace."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def arrivals(self) -> list[Arrival]:
        """TCP's SYNs and UDP's datagrams that came in since the last look."""
        found = []
        while select.select([self._sock], [], [], 0.05)[0]:
            frame, more, _, address = self._sock.recvmsg(128, 64)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            seconds, nanoseconds = struct.unpack("qq", more[0][2])
            arrival = _arrival(frame[14:], seconds + nanoseconds / 1e9)
            if arrival is not None:
                found.append(arrival)
        return found


def _arrival(packet: bytes, moment: float) -> Arrival | None:
    version = packet[0] >> 4
    if version == 4:
        proto, body, source = packet[9], packet[20:], packet[12:16]
    elif version == 6:
        proto, body, source = packet[6], packet[40:], packet[8:24]
    else:
        return None
    if proto != _UDP and not (proto == _TCP and body[13] & 0x12 == _SYN):
        return None
    return Arrival(moment, str(ipaddress.ip_address(source)), int.from_bytes(body[2:4], "big"))


@contextmanager
def watching(inside: Namespace, interface: str) -> Iterator[Wire]:
    """Listen on an interface."""

    def make() -> socket.socket:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ANY))
        sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        sock.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
        sock.bind((interface, _ANY))
        return sock

    with within(inside, make) as sock:
        yield Wire(sock)
