"""The facts about this device: its addresses, gateways, neighbours and servers.

From the kernel over rtnetlink and from files (``leases``); never from packets. pyroute2 would cost
this process 4 to 22 MB, five dumps cost nothing.
"""

import socket
import struct
import sys
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import NamedTuple

from hdr_lite.enforcer.leases import is_address, servers
from hdr_lite.enforcer.netlink import NETLINK_ROUTE, attributes, dump
from hdr_lite.enforcer.never_block import Connected, Facts, Neighbour

#: Multicast groups whose news change the facts: link, IPv4 and IPv6 addresses and routes.
NEWS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400

_GETLINK, _GETADDR, _GETROUTE, _GETNEIGH = 18, 22, 26, 30
_NEW_LINK, _NEW_ADDRESS, _NEW_ROUTE, _NEW_NEIGHBOUR = 16, 20, 24, 28
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_INFO_KIND = 1, 3, 10, 18, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_OIF, _RTA_GATEWAY, _RTA_MULTIPATH, _RTA_VIA = 4, 5, 9, 18
_NDA_DST, _NDA_LLADDR = 1, 2
_UNICAST = 1
_FAILED_OR_NOARP = 0x20 | 0x40  # NUD states without a true neighbour
_INET, _INET6, _BRIDGE = int(socket.AF_INET), int(socket.AF_INET6), 7


class _Link(NamedTuple):
    name: str
    mac: str
    kind: str
    master: int  #: index of the bridge or the like that it is a part of, 0 for none


def gather_facts(root: Path = Path("/")) -> Facts:
    """All of it, now; names among the servers stand in ``names_of_servers``."""
    links = dict(_links())
    addresses = list(_own(links))
    gateways, outside = _routes(links)
    return Facts(
        own=frozenset(str(ip_interface(text).ip) for _, text in addresses),
        own_macs=frozenset(link.mac for link in links.values() if link.mac),
        connected=tuple(Connected(name, ip_interface(text).network) for name, text in addresses),
        gateways=gateways,
        outside=outside,
        servers={word: role for word, role in servers(root) if is_address(word)},
        neighbours=tuple(_neighbours(links)),
        ports=_bridge_ports(links),
        bridges=any(link.kind == "bridge" for link in links.values()),
        bridge_ports=frozenset(
            link.name
            for link in links.values()
            if link.master in links and links[link.master].kind == "bridge"
        ),
    )


def names_of_servers(root: Path = Path("/")) -> tuple[str, ...]:
    """Servers that the files give by name only."""
    return tuple(sorted({word for word, _ in servers(root) if not is_address(word)}))


def _links() -> Iterator[tuple[int, _Link]]:
    for message in dump(NETLINK_ROUTE, _GETLINK, bytes(16)):
        if message.type == _NEW_LINK:
            (index,) = struct.unpack_from("=i", message.body, 4)
            found = attributes(message.body[16:])
            kind = attributes(found.get(_IFLA_LINKINFO, b"")).get(_IFLA_INFO_KIND, b"")
            name = found.get(_IFLA_IFNAME, b"").rstrip(b"\0").decode()
            master = int.from_bytes(found.get(_IFLA_MASTER, b""), sys.byteorder)
            mac = _mac(found.get(_IFLA_ADDRESS))
            yield index, _Link(name, mac, kind.rstrip(b"\0").decode(), master)


def _own(links: dict[int, _Link]) -> Iterator[tuple[str, str]]:
    """Interface and ``address/length`` for each of our addresses."""
    for message in dump(NETLINK_ROUTE, _GETADDR, bytes(8)):
        if message.type == _NEW_ADDRESS:
            _family, length, _flags, _scope, index = struct.unpack_from("=BBBBI", message.body)
            found = attributes(message.body[8:])
            raw = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
            if raw and index in links:
                yield links[index].name, f"{ip_address(raw)}/{length}"


def _routes(links: dict[int, _Link]) -> tuple[frozenset[str], frozenset[str]]:
    """Gateways of all routes; interfaces of default routes."""
    gateways: set[str] = set()
    outside: set[str] = set()
    for family in (_INET, _INET6):
        for message in dump(NETLINK_ROUTE, _GETROUTE, struct.pack("=B11x", family)):
            if message.type != _NEW_ROUTE or message.body[7] != _UNICAST:
                continue
            default = message.body[1] == 0
            for via, index in _hops(message.body):
                if via:
                    gateways.add(str(ip_address(via)))
                if default and index in links:
                    outside.add(links[index].name)
    return frozenset(gateways), frozenset(outside)


def _hops(body: bytes) -> Iterator[tuple[bytes, int]]:
    """Gateway (empty: on the link) and interface index of each next hop of a route."""
    found = attributes(body[12:])
    yield _gateway(found), int.from_bytes(found.get(_RTA_OIF, b""), sys.byteorder)
    rest = found.get(_RTA_MULTIPATH, b"")
    while len(rest) >= 8:
        length, _flags, _hops, index = struct.unpack_from("=HBBi", rest)
        if not 8 <= length <= len(rest):
            break
        yield _gateway(attributes(rest[8:length])), index
        rest = rest[(length + 3) & ~3 :]


def _gateway(found: dict[int, bytes]) -> bytes:
    via = found.get(_RTA_VIA, b"")  # an IPv6 gateway of an IPv4 route: family, address
    return found.get(_RTA_GATEWAY, b"") or via[2:]


def _neighbours(links: dict[int, _Link]) -> Iterator[Neighbour]:
    for message in dump(NETLINK_ROUTE, _GETNEIGH, bytes(12)):
        if message.type != _NEW_NEIGHBOUR:
            continue
        index, state = struct.unpack_from("=4xiH", message.body)
        found = attributes(message.body[12:])
        raw, mac = found.get(_NDA_DST), _mac(found.get(_NDA_LLADDR))
        if raw and mac and index in links and not state & _FAILED_OR_NOARP:
            yield Neighbour(str(ip_address(raw)), mac, links[index].name)


def _bridge_ports(links: dict[int, _Link]) -> dict[str, frozenset[str]]:
    """MAC -> ports, from the bridges' forwarding tables; without the bridges' own MACs."""
    ports: dict[str, frozenset[str]] = {}
    own = {link.mac for link in links.values()}
    for message in dump(NETLINK_ROUTE, _GETNEIGH, struct.pack("=B11x", _BRIDGE)):
        if message.type != _NEW_NEIGHBOUR:
            continue
        (index,) = struct.unpack_from("=4xi", message.body)
        mac = _mac(attributes(message.body[12:]).get(_NDA_LLADDR))
        if mac and mac not in own and not int(mac[:2], 16) & 1 and index in links:
            ports[mac] = ports.get(mac, frozenset()) | {links[index].name}
    return ports


def _mac(raw: bytes | None) -> str:
    """Six bytes as text, "" for another kind of address or none."""
    return raw.hex(":") if raw and len(raw) == 6 and any(raw) else ""
