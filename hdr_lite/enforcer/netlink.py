"""Netlink in a few lines: build a message, dump a table, take attributes apart. No library.

Numbers are in host byte order unless the kernel's protocol says otherwise (netfilter's are
big-endian). Kernel headers: linux/netlink.h, linux/netfilter/nfnetlink.h.
"""

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

NETLINK_ROUTE = 0
NETLINK_NETFILTER = 12

REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_NESTED = 0x8000
_TYPE = 0x3FFF  # without the flags for nested and byte order
_RECEIVE = 64 * 1024

Attributes = dict[int, bytes]


class NetlinkError(OSError):
    """The kernel refused a request."""


class Message(NamedTuple):
    """One netlink message: its type, the port of who caused it, and what follows the header."""

    type: int
    port: int
    body: bytes


def open_netlink(protocol: int, groups: int = 0) -> socket.socket:
    """A socket that also hears the multicast groups (a bit mask)."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
    sock.bind((0, groups))
    return sock


def attribute(number: int, value: bytes, *, nested: bool = False) -> bytes:
    """An attribute's bytes, padded."""
    head = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), number | (_NESTED if nested else 0))
    return head + value + b"\0" * (-len(value) % 4)


def attributes(data: bytes) -> Attributes:
    """Number -> value; of one that comes twice, the last. Stops where lengths are nonsense."""
    found = {}
    while len(data) >= _ATTRIBUTE.size:
        length, number = _ATTRIBUTE.unpack_from(data)
        if not _ATTRIBUTE.size <= length <= len(data):
            break
        found[number & _TYPE] = data[_ATTRIBUTE.size : length]
        data = data[(length + 3) & ~3 :]
    return found


def listed(data: bytes) -> Iterator[bytes]:
    """The values of attributes that form a list."""
    while len(data) >= _ATTRIBUTE.size:
        length, _ = _ATTRIBUTE.unpack_from(data)
        if not _ATTRIBUTE.size <= length <= len(data):
            break
        yield data[_ATTRIBUTE.size : length]
        data = data[(length + 3) & ~3 :]


def messages(data: bytes) -> Iterator[Message]:
    """The messages of one datagram."""
    offset = 0
    while len(data) - offset >= _HEADER.size:
        length, kind, _flags, _sequence, port = _HEADER.unpack_from(data, offset)
        if not _HEADER.size <= length <= len(data) - offset:
            break
        yield Message(kind, port, data[offset + _HEADER.size : offset + length])
        offset += (length + 3) & ~3


def request(kind: int, flags: int, body: bytes) -> bytes:
    """A message to the kernel."""
    return _HEADER.pack(_HEADER.size + len(body), kind, REQUEST | flags, 1, 0) + body


def dump(protocol: int, kind: int, body: bytes) -> Iterator[Message]:
    """Every entry of a kernel table, as the kernel hands them out: memory stays small.

    Raises ``NetlinkError``.
    """
    with open_netlink(protocol) as sock:
        sock.settimeout(5)
        sock.send(request(kind, DUMP, body))
        while True:
            for message in messages(sock.recv(_RECEIVE)):
                if message.type == _DONE:
                    return
                if message.type == _ERROR:
                    _raise(message)
                yield message


def ask(sock: socket.socket, kind: int, flags: int, body: bytes) -> None:
    """One request, and the kernel's word that it was done; ``NetlinkError`` when not."""
    sock.send(request(kind, flags | ACK, body))
    for message in messages(sock.recv(_RECEIVE)):
        if message.type == _ERROR:
            _raise(message)


def _raise(message: Message) -> None:
    (code,) = struct.unpack_from("=i", message.body)
    if code:
        import os

        raise NetlinkError(-code, os.strerror(-code))
