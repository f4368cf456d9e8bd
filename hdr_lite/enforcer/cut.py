"""Cuts the connections of the blocked: deletes their conntrack entries.

The rules drop their packets anyway; without its entry a connection does not come back to life
through a rule that trusts established ones, and offloaded flows end. One dump serves a batch; an
entry in which no address of theirs stands anywhere is not taken apart, which takes less than half
(measured: 10,000 connections 47 ms, not 115), so that this needs neither C nor a newer kernel's
filter.
"""

import socket
import struct
from collections.abc import Collection
from contextlib import suppress
from ipaddress import ip_network
from typing import Protocol

from hdr_lite.enforcer.netlink import (
    NETLINK_NETFILTER,
    Attributes,
    NetlinkError,
    ask,
    attribute,
    attributes,
    dump,
    open_netlink,
)
from hdr_lite.enforcer.target import Target

_CONNTRACK = 1 << 8
_NEW, _GET, _DELETE = 0, 1, 2
_ORIGINAL, _REPLY, _ZONE, _ID = 1, 2, 18, 12
_IP = 1
_SIDES = (1, 2, 3, 4)  # IPv4 source, destination, IPv6 source, destination
#: Addresses that are looked for as bytes; with more of them taking entries apart is as fast.
_FEW = 32


class Cutter(Protocol):
    """Whatever deletes connections."""

    def cut(self, targets: Collection[Target]) -> int:
        """Delete every connection of these addresses; how many there were."""
        ...


class ConntrackCutter:
    """Over ctnetlink. Needs CAP_NET_ADMIN in the network namespace of the connections."""

    def cut(self, targets: Collection[Target]) -> int:
        """As :class:`Cutter` says; ``NetlinkError`` when the kernel has no ctnetlink."""
        hosts = {ip_network(t.key).network_address.packed for t in targets if t.suffix != "64"}
        prefixes = {
            ip_network(t.text).network_address.packed[:8] for t in targets if t.suffix == "64"
        }
        sought = (*hosts, *prefixes)
        few = len(sought) <= _FEW
        number = 0
        with open_netlink(NETLINK_NETFILTER) as sock:
            sock.settimeout(5)
            for message in dump(NETLINK_NETFILTER, _CONNTRACK | _GET, bytes(4)):
                if few and not any(raw in message.body for raw in sought):
                    continue
                found = attributes(message.body[4:])
                if message.type == _CONNTRACK | _NEW and _touches(found, hosts, prefixes):
                    number += self._delete(sock, message.body[:1], found)
        return number

    def _delete(self, sock: socket.socket, family: bytes, found: Attributes) -> int:
        body = struct.pack("=1sBH", family, 0, 0)
        body += attribute(_ORIGINAL, found[_ORIGINAL], nested=True)
        body += b"".join(attribute(n, found[n]) for n in (_ZONE, _ID) if n in found)
        with suppress(NetlinkError):  # ENOENT: it ended by itself meanwhile
            ask(sock, _CONNTRACK | _DELETE, 0, body)
            return 1
        return 0


def _touches(found: Attributes, hosts: Collection[bytes], prefixes: Collection[bytes]) -> bool:
    """Whether either direction's addresses are among these: behind NAT they differ."""
    for direction in (_ORIGINAL, _REPLY):
        ends = attributes(attributes(found.get(direction, b"")).get(_IP, b""))
        for side in _SIDES:
            raw = ends.get(side)
            if raw and (raw in hosts or (len(raw) == 16 and raw[:8] in prefixes)):
                return True
    return False
