"""What the sensor cannot see on this device, in sentences.

Asked of the kernel when somebody wants to know: interfaces that are absent, down or without an
address; connections that hardware forwards past the kernel. And what it cannot keep.
"""

import fcntl
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from ipaddress import IPv4Address, ip_network
from pathlib import Path

_SIOCGIFADDR = 0x8915
_IFF_UP = 1

_NETLINK_NETFILTER = 12
_NFNL_SUBSYS_NFTABLES = 10
_NFT_MSG_GETFLOWTABLE = 23
_NLM_REQUEST_DUMP = 0x1 | 0x300
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NFTA_TABLE, _NFTA_NAME, _NFTA_FLAGS = 1, 2, 7
_HARDWARE = 1  # NFT_FLOWTABLE_HW_OFFLOAD


def blind_spots(interfaces: Iterable[str]) -> list[str]:
    """A sentence for each thing that cannot be seen."""
    spots = [text for name in interfaces if (text := _trouble_of(name))]
    spots += [
        f"flowtable {name}: hardware forwards established connections unseen"
        for name, flags in flowtables()
        if flags & _HARDWARE
    ]
    return spots


def inside_interfaces(home: Iterable[str]) -> list[str]:
    """The interfaces that are up and have an address in one of these networks."""
    networks = [ip_network(text, strict=False) for text in home]
    found = []
    for _, name in sorted(socket.if_nameindex()):
        address = ipv4_address(name)
        if name == "lo" or address is None or not _is_up(name):
            continue
        if any(net.version == 4 and address in net for net in networks):
            found.append(name)
    return found


def _trouble_of(name: str) -> str:
    if not Path("/sys/class/net", name).exists():
        return f"{name}: there is no such interface now"
    if not _is_up(name):
        return f"{name}: is down"
    if ipv4_address(name) is None and name not in _with_ipv6():
        return f"{name}: has no address: who is its own and who is a gateway is not known"
    return ""


def _is_up(name: str) -> bool:
    try:
        return bool(int(Path("/sys/class/net", name, "flags").read_text(), 16) & _IFF_UP)
    except (OSError, ValueError):
        return False


def ipv4_address(name: str) -> IPv4Address | None:
    """The first IPv4 address of an interface; None: it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as question:
        try:
            answer = fcntl.ioctl(question, _SIOCGIFADDR, struct.pack("16s24x", name.encode()))
        except OSError:
            return None
    return IPv4Address(answer[20:24])


def _with_ipv6() -> set[str]:
    """Interfaces with an IPv6 address that is more than link-local."""
    try:
        lines = Path("/proc/self/net/if_inet6").read_text().splitlines()
    except OSError:
        return set()
    return {line.split()[5] for line in lines if line.split()[3] != "20"}


def flowtables() -> Iterator[tuple[str, int]]:
    """Name and flags of each nftables flowtable; none where that may not be asked."""
    head = struct.pack(
        "=IHHII", 20, _NFNL_SUBSYS_NFTABLES << 8 | _NFT_MSG_GETFLOWTABLE, _NLM_REQUEST_DUMP, 1, 0
    )
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as kernel:
            kernel.settimeout(1.0)
            kernel.sendto(head + struct.pack("=BBH", 0, 0, 0), (0, 0))
            while True:
                more, tables = _parse(kernel.recv(64 * 1024))
                yield from tables
                if not more:
                    return
    except OSError:
        return


def _parse(data: bytes) -> tuple[bool, list[tuple[str, int]]]:
    """The flowtables in a datagram from the kernel, and whether more follow."""
    tables: list[tuple[str, int]] = []
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        if kind in (_NLMSG_ERROR, _NLMSG_DONE) or not 20 <= length <= len(data):
            return False, tables
        found = dict(_attributes(data[20:length]))
        name = b" ".join(found.get(k, b"").rstrip(b"\0") for k in (_NFTA_TABLE, _NFTA_NAME))
        flags = found.get(_NFTA_FLAGS, bytes(4))
        tables.append((name.decode(errors="replace"), int.from_bytes(flags[:4], "big")))
        data = data[(length + 3) & ~3 :]
    return True, tables


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if not 4 <= length <= len(data):
            return
        yield kind & 0x3FFF, data[4:length]
        data = data[(length + 3) & ~3 :]


def is_volatile(path: Path) -> bool:
    """Whether what is written there is gone after a reboot: its file system is memory."""
    path = path.resolve()
    found = ("", "")
    with suppress(OSError):
        for line in Path("/proc/self/mounts").read_text().splitlines():
            _, where, kind, *_ = line.split()
            # a later mount hides an earlier one of the same place
            if path.is_relative_to(where) and len(where) >= len(found[0]):
                found = (where, kind)
    return found[1] in ("tmpfs", "ramfs")
