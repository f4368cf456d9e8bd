"""The kernel's table of connections: its socket and dumps of it.

What the kernel tells is read by :class:`hdr_lite.native.Conntrack`; this opens the socket and
writes the requests. Every request needs CAP_NET_ADMIN of whoever sends it, not of whoever reads
the answer: a process that holds a copy of the socket may send for a reader without privilege,
after :func:`is_question` agreed.
"""

import socket
from pathlib import Path

from hdr_lite.sources.base import SourceError
from hdr_lite.sources.netlink import (
    ACK,
    DUMP,
    ask,
    explain,
    message,
    messages,
    open_socket,
)

#: Multicast groups, a bit each: new, update, destroy.
NEW, UPDATE, DESTROY = 1, 2, 4
#: Sequence numbers of dumps: what they are for (native/netlink/conntrack.h).
OLDER, POLL = 1, 2

SYSCTLS = Path("/proc/sys/net/netfilter")
#: Bytes of the socket's buffer: some 3,000 events.
BUFFER = 1 << 20

_MODULE = "nf_conntrack_netlink (conntrack over netlink)"
_WHAT = "connections"
_GET, _GET_STATS = 0x101, 0x105


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
