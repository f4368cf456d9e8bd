"""The kernel's table of connections: its socket, dumps of it, and deletion from it.

What the kernel tells is read by :class:`hdr_lite.native.Conntrack`; this opens the socket and
writes the requests. Every request needs CAP_NET_ADMIN of whoever sends it, not of whoever reads
the answer: a process that holds a copy of the socket may send for a reader without privilege,
after :func:`is_question` agreed.
"""

import errno
import ipaddress
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from hdr_lite.sources.base import SourceError
from hdr_lite.sources.netlink import (
    ACK,
    DUMP,
    NLMSG_DONE,
    NLMSG_ERROR,
    ask,
    attribute,
    attributes,
    error_of,
    explain,
    message,
    messages,
    nested,
    open_socket,
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Multicast groups, a bit each: new, update, destroy.
NEW, UPDATE, DESTROY = 1, 2, 4
#: Sequence numbers of dumps: what they are for (native/netlink/conntrack.h).
OLDER, POLL = 1, 2

SYSCTLS = Path("/proc/sys/net/netfilter")
#: Bytes of the socket's buffer: some 3,000 events.
BUFFER = 1 << 20

_MODULE = "nf_conntrack_netlink (conntrack over netlink)"
_WHAT = "connections"
_GET, _DELETE, _GET_STATS = 0x101, 0x102, 0x105
_TUPLE_ORIG, _TUPLE_REPLY, _FILTER, _ZONE = 1, 2, 25, 18
_FILTER_FLAGS = {_TUPLE_ORIG: 1, _TUPLE_REPLY: 2}
#: Which address of a tuple a filter looks at.
_SOURCE, _DESTINATION = 1, 2


def dump_request(purpose: int) -> bytes:
    """Ask for every entry; ``purpose`` is ``OLDER`` or ``POLL``."""
    return message(_GET, flags=DUMP, sequence=purpose)


def is_question(request: bytes) -> bool:
    """Whether these are requests that only read conntrack, and at most a few of them."""
    if len(request) > 4096:
        return False
    try:
        return all(kind == _GET for kind, _, _ in messages(request))
    except ValueError:
        return False


def open_events(buffer: int = BUFFER) -> socket.socket:
    """A socket that hears of connections that begin, change and end.

    ``SourceError``: one sentence about the piece that the kernel lacks.
    """
    check_accounting()
    try:
        sock = open_socket(NEW | UPDATE | DESTROY, buffer)
    except OSError as error:
        raise explain(error, _WHAT, _MODULE) from None
    try:
        ask(sock, message(_GET_STATS, flags=ACK))
    except OSError as error:
        sock.close()
        raise explain(error, _WHAT, _MODULE) from None
    sock.setblocking(False)
    return sock


def check_accounting() -> None:
    """``SourceError`` unless the kernel counts the packets of connections."""
    try:
        value = (SYSCTLS / "nf_conntrack_acct").read_text().strip()
    except OSError:
        raise SourceError(f"{_WHAT}: the kernel lacks nf_conntrack") from None
    if value == "0":
        raise SourceError(
            f"{_WHAT}: the kernel does not count their packets:"
            " set net.netfilter.nf_conntrack_acct to 1"
        )


def has_timestamps() -> bool:
    """Whether the kernel notes when a connection began."""
    try:
        return (SYSCTLS / "nf_conntrack_timestamp").read_text().strip() != "0"
    except OSError:
        return False


# Deletion


def open_deletion() -> socket.socket:
    """A socket to delete entries by. ``SourceError``: one sentence why not."""
    try:
        return open_socket(0, BUFFER)
    except OSError as error:
        raise explain(error, _WHAT, _MODULE) from None


def delete_connection(
    sock: socket.socket, proto: int, source: tuple[Address, int], target: tuple[Address, int]
) -> bool:
    """Forget the connection that ``source`` (address, port) opened; whether there was one.

    ``target`` is whom it addressed, before any translation. TCP, UDP and SCTP.
    """
    src, dst = source[0], target[0]
    ports = struct.pack(">H", source[1]), struct.pack(">H", target[1])
    protocol = nested(
        2, attribute(1, bytes([proto])), attribute(2, ports[0]), attribute(3, ports[1])
    )
    ends = nested(
        1, attribute(_ip(src, _SOURCE), src.packed), attribute(_ip(dst, _DESTINATION), dst.packed)
    )
    return _delete(sock, _family(src), nested(_TUPLE_ORIG, ends, protocol))


def delete_address(sock: socket.socket, address: Address, most: int = 4096) -> int:
    """Forget connections that an address opened or answers, at most so many; their number.

    It is looked for on either end, as it is and as others see it behind a translation.
    """
    deleted = 0
    for side in (_TUPLE_ORIG, _TUPLE_REPLY):
        for end in (_SOURCE, _DESTINATION):
            for tuple_ in _dump(sock, address, side, end, most - deleted):
                deleted += _delete(sock, _family(address), *tuple_)
    return deleted


def _ip(address: Address, end: int) -> int:
    """The attribute of a tuple's address."""
    return end if address.version == 4 else end + 2


def _family(address: Address) -> int:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def _delete(sock: socket.socket, family: int, *tuple_: bytes) -> bool:
    try:
        ask(sock, message(_DELETE, *tuple_, flags=ACK, family=family))
    except OSError as error:
        if error.errno == errno.ENOENT:
            return False
        raise
    return True


def _dump(
    sock: socket.socket, address: Address, side: int, end: int, most: int
) -> list[tuple[bytes, ...]]:
    """What names the entries (tuple and zone) that have the address there; at most so many."""
    wanted = nested(side, nested(1, attribute(_ip(address, end), address.packed)))
    flags = nested(_FILTER, attribute(_FILTER_FLAGS[side], struct.pack("=I", end)))
    sock.send(message(_GET, wanted, flags, flags=DUMP, family=_family(address)))
    found: list[tuple[bytes, ...]] = []
    for body in _answers(sock):
        if len(found) < most:
            parts = dict(attributes(body[4:]))
            zone = (attribute(_ZONE, parts[_ZONE]),) if _ZONE in parts else ()
            found.append((attribute(_TUPLE_ORIG | 0x8000, parts[_TUPLE_ORIG]), *zone))
    return found


def _answers(sock: socket.socket) -> Iterator[bytes]:
    """Bodies of the entries of a dump, until its end."""
    while True:
        for kind, _, body in messages(sock.recv(65536)):
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR:
                code = error_of(body)
                raise OSError(code, f"the kernel lists no connections: errno {code}")
            yield body
