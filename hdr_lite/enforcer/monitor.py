"""Hears who else changes our tables, and what our sets hold; over nfnetlink, without a library.

``nft flush ruleset`` and a firewall's reload are heard as they happen. Kernel headers:
linux/netfilter/nf_tables.h.
"""

import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address

from hdr_lite.enforcer.blocks import Held
from hdr_lite.enforcer.netlink import (
    NETLINK_NETFILTER,
    Attributes,
    attribute,
    attributes,
    dump,
    listed,
    messages,
    open_netlink,
)

_GROUP = 1 << 6  # NFNLGRP_NFTABLES is group 7
_NFTABLES = 10 << 8
_NEW_RULE, _NEW_ELEMENT, _GET_ELEMENT, _NEW_GENERATION = 6, 12, 13, 15
#: DELTABLE, DELCHAIN, DELRULE, DELSET, DELSETELEM
_DELETIONS = frozenset((2, 5, 8, 11, 14))
#: What is looked into: new elements, the most by far, are not.
_HEARD = frozenset(_NFTABLES | kind for kind in (_NEW_RULE, *_DELETIONS))
_NAME, _SET_NAME = 1, 2  # the table's name is attribute 1 of all of them
_GENERATION_PID = 2
_ELEMENTS, _KEY, _EXPIRATION, _EXPRESSION = 3, 1, 5, 7
_VALUE, _EXPRESSION_DATA, _COUNTER_PACKETS = 1, 2, 2
_INET = 1
_SO_RCVBUFFORCE = 33  # past net.core.rmem_max, for a holder of CAP_NET_ADMIN
_BUFFER = 1 << 21  # a transaction of ours tells up to three changes for each of its elements


class Monitor:
    """Tells when somebody else took something out of our tables.

    The kernel tells a transaction's changes and then who made it. Our own process id is taken
    from the first transaction that makes our rules (:meth:`learn`), since a container's ids are
    not the kernel's.
    """

    def __init__(self, table: str) -> None:
        self._table = table.encode()
        self._socket = open_netlink(NETLINK_NETFILTER, _GROUP)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._socket.setblocking(False)
        self._own: int | None = None
        self._made = self._harmed = False  # by the transaction whose maker is not told yet

    def fileno(self) -> int:
        """Polls readable when there are news."""
        return self._socket.fileno()

    def learn(self) -> None:
        """Take whoever made our rules just now for this process, the first time."""
        if self._own is None:
            self._read(learning=True)

    def harmed(self) -> bool:
        """Read the news: whether somebody else deleted something of ours, or news were lost."""
        return self._read(learning=False)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def _read(self, *, learning: bool) -> bool:
        harmed = False
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                return harmed
            except OSError:  # ENOBUFS: there were more than the buffer holds
                harmed = not learning
                continue
            for message in messages(data):
                if message.type == _NFTABLES | _NEW_GENERATION:
                    harmed |= self._made_by(message.body, learning)
                elif message.type in _HEARD and self._ours(message.body):
                    self._made |= message.type & 0xFF == _NEW_RULE
                    self._harmed |= message.type & 0xFF in _DELETIONS

    def _ours(self, body: bytes) -> bool:
        return attributes(body[4:]).get(_NAME, b"").rstrip(b"\0") == self._table

    def _made_by(self, body: bytes, learning: bool) -> bool:
        pid = int.from_bytes(attributes(body[4:]).get(_GENERATION_PID, b""), "big")
        if learning and self._made:
            self._own = pid
        harmed = self._harmed and pid != self._own
        self._made = self._harmed = False
        return harmed


def held(table: str, name: str) -> Iterator[Held]:
    """The elements of one of our ``inet`` sets of addresses, MACs or both; ``NetlinkError``."""
    body = struct.pack("=BBH", _INET, 0, 0)
    body += attribute(_NAME, table.encode() + b"\0") + attribute(_SET_NAME, name.encode() + b"\0")
    for message in dump(NETLINK_NETFILTER, _NFTABLES | _GET_ELEMENT, body):
        if message.type == _NFTABLES | _NEW_ELEMENT:
            for element in listed(attributes(message.body[4:]).get(_ELEMENTS, b"")):
                yield _held(attributes(element))


def _held(found: Attributes) -> Held:
    raw = attributes(found.get(_KEY, b"")).get(_VALUE, b"")
    if len(raw) in (12, 24):  # address and MAC, which is padded to words
        key = f"{ip_address(raw[:-8])} . {raw[-8:-2].hex(':')}"
    else:
        key = raw.hex(":") if len(raw) == 6 else str(ip_address(raw))
    counter = attributes(attributes(found.get(_EXPRESSION, b"")).get(_EXPRESSION_DATA, b""))
    packets = int.from_bytes(counter.get(_COUNTER_PACKETS, b""), "big")
    return Held(key, packets, int.from_bytes(found.get(_EXPIRATION, b""), "big") / 1000)
