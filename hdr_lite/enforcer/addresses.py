"""The facts about this device: its addresses, gateways, neighbours, servers and sessions.

From the kernel over rtnetlink and from the files that its own DHCP client, resolver and login
leave; never from packets. pyroute2 would cost this process 4 to 22 MB, five dumps cost nothing.
"""

import os
import re
import socket
import struct
import sys
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import NamedTuple

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

#: Each file, the pattern that finds a server in it, and what that server is.
_FILES = (
    ("etc/resolv.conf", r"^nameserver\s+(\S+)", "DNS server"),
    ("run/systemd/resolve/resolv.conf", r"^nameserver\s+(\S+)", "DNS server"),
    ("tmp/resolv.conf.d/resolv.conf.auto", r"^nameserver\s+(\S+)", "DNS server"),
    ("var/lib/dhcp/*.leases", r"dhcp-server-identifier\s+([^;\s]+)", "DHCP server"),
    ("run/systemd/netif/leases/*", r"^SERVER_ADDRESS=(\S+)", "DHCP server"),
    ("run/systemd/netif/leases/*", r"^NTP=(.+)", "NTP server"),
    ("var/lib/NetworkManager/*.lease", r"^SERVER_ADDRESS=(\S+)", "DHCP server"),
    ("etc/chrony/chrony.conf", r"^(?:server|peer|pool)\s+(\S+)", "NTP server"),
    ("etc/ntp.conf", r"^(?:server|peer|pool)\s+(\S+)", "NTP server"),
    ("etc/ntpsec/ntp.conf", r"^(?:server|peer|pool)\s+(\S+)", "NTP server"),
    ("etc/systemd/timesyncd.conf", r"^(?:Fallback)?NTP=(.+)", "NTP server"),
    ("run/systemd/timesync/synchronized-server", r"^(\S+)", "NTP server"),
    ("var/etc/chrony.conf", r"^(?:server|peer|pool)\s+(\S+)", "NTP server"),
)
_LARGEST = 256 * 1024  # bytes of such a file that are read


class _Link(NamedTuple):
    name: str
    mac: str
    kind: str
    master: int  #: index of the bridge or the like that it is a part of, 0 for none


def gather_facts(root: Path = Path("/"), ports: tuple[int, ...] = (22,)) -> Facts:
    """All of it, now; names among the servers stand in ``names_of_servers``.

    ``ports``: our TCP ports where a login counts as a management session.
    """
    links = dict(_links())
    addresses = list(_own(links))
    gateways, outside = _routes(links)
    return Facts(
        own=frozenset(str(ip_interface(text).ip) for _, text in addresses),
        own_macs=frozenset(link.mac for link in links.values() if link.mac),
        connected=tuple(Connected(name, ip_interface(text).network) for name, text in addresses),
        gateways=gateways,
        outside=outside,
        servers={word: role for word, role in _servers(root) if _is_address(word)},
        neighbours=tuple(_neighbours(links)),
        ports=_bridge_ports(links),
        bridges=any(link.kind == "bridge" for link in links.values()),
        bridge_ports=frozenset(
            link.name
            for link in links.values()
            if link.master in links and links[link.master].kind == "bridge"
        ),
        sessions=frozenset((a, p) for a in logged_in(root) for p in ports),
    )


def names_of_servers(root: Path = Path("/")) -> tuple[str, ...]:
    """Servers that the files give by name only."""
    return tuple(sorted({word for word, _ in _servers(root) if not _is_address(word)}))


def logged_in(root: Path = Path("/")) -> Iterator[str]:
    """Addresses from where somebody is logged in, by the login records (utmp(5))."""
    try:
        data = (root / "run/utmp").read_bytes()
    except OSError:
        return
    record = login_record(os.uname().machine)
    for offset in range(0, len(data) - record.size + 1, record.size):
        fields = record.unpack_from(data, offset)
        kind, raw = fields[0], fields[-1]
        if kind == 7 and any(raw):  # USER_PROCESS, from elsewhere
            mapped = not any(raw[4:])
            yield str(ip_address(raw[:4] if mapped else raw))


def login_record(machine: str) -> struct.Struct:
    """glibc's struct utmp: session and time have 32 bits where 32-bit programs read it, too."""
    wide = machine in ("aarch64", "riscv64", "loongarch64")
    return struct.Struct("=hxxi32s4s32s256shh" + ("qqq16s24x" if wide else "iii16s20x"))


def _is_address(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def _servers(root: Path) -> Iterator[tuple[str, str]]:
    for pattern, regex, role in _FILES:
        for path in sorted(root.glob(pattern)):
            try:
                with path.open(encoding="utf-8", errors="replace") as file:
                    text = file.read(_LARGEST)
            except OSError:
                continue
            for match in re.finditer(regex, text, re.MULTILINE):
                for word in match[1].split():
                    yield word.partition("%")[0], role


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
