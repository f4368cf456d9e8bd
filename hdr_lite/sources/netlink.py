"""Requests to netfilter's netlink sockets, as bytes (netlink(7), linux/netfilter/nfnetlink.h).

What arrives in numbers is read in C (``native/netlink``); here are the few requests that open
and configure a socket, and their answers.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator

from hdr_lite.sources.base import SourceError

NETLINK_NETFILTER = 12
SO_RCVBUFFORCE = 33
REQUEST, ACK, DUMP = 1, 4, 0x300
NLMSG_ERROR = 2
#: Seconds that the kernel may take for an answer; it answers at once.
PATIENCE = 2.0

_HEADER = struct.Struct("=IHHII")


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute with its padding."""
    return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def message(
    kind: int,
    *attributes: bytes,
    flags: int = 0,
    sequence: int = 0,
    family: int = 0,
    resource: int = 0,
) -> bytes:
    """A request; ``kind`` is subsystem and command, ``resource`` a group's number."""
    body = struct.pack("=BB", family, 0) + struct.pack(">H", resource) + b"".join(attributes)
    return _HEADER.pack(len(body) + 16, kind, flags | REQUEST, sequence, 0) + body


def messages(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, sequence number and body of each message. ``ValueError``: a length is wrong."""
    at = 0
    while at < len(datagram):
        if len(datagram) - at < _HEADER.size:
            raise ValueError("a netlink header is cut")
        length, kind, _, sequence, _ = _HEADER.unpack_from(datagram, at)
        if length < _HEADER.size or at + length > len(datagram):
            raise ValueError("a netlink message has a wrong length")
        yield kind, sequence, datagram[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def error_of(body: bytes) -> int:
    """The errno of an error message, 0 when it is an acknowledgement."""
    return -int(struct.unpack_from("=i", body)[0]) if len(body) >= 4 else errno.EBADMSG


def open_socket(groups: int, buffer: int) -> socket.socket:
    """A netfilter socket that hears these multicast groups (a bit each). ``OSError``."""
    sock = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER
    )
    try:
        sock.settimeout(PATIENCE)
        try:
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, buffer)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.bind((0, groups))
    except OSError:
        sock.close()
        raise
    return sock


def ask(sock: socket.socket, request: bytes) -> None:
    """Send a request that is acknowledged (flag ACK); ``OSError`` with the kernel's answer."""
    sock.send(request)
    for kind, _, body in messages(sock.recv(65536)):
        if kind == NLMSG_ERROR and error_of(body):
            raise OSError(error_of(body), os.strerror(error_of(body)))


def explain(error: OSError, what: str, module: str) -> SourceError:
    """Why a socket could not be had, in a sentence; ``module`` is what it needs of the kernel."""
    if error.errno in (errno.EPERM, errno.EACCES):
        return SourceError(f"{what}: not permitted: it needs root or CAP_NET_ADMIN")
    absent = (
        errno.EPROTONOSUPPORT,
        errno.EOPNOTSUPP,
        errno.EINVAL,
        errno.ENOENT,
        errno.EAFNOSUPPORT,
    )
    if error.errno in absent:
        return SourceError(f"{what}: the kernel lacks {module}")
    return SourceError(f"{what}: {os.strerror(error.errno or 0).lower()}")
