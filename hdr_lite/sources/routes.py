"""Which interface an address is behind, as the kernel's main tables of routes tell anybody."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_IPV4, _IPV6 = Path("/proc/self/net/route"), Path("/proc/self/net/ipv6_route")
#: Flags of routes (linux/route.h): packets are refused; the address is this device's own.
_REJECT, _LOCAL = 0x200, 0x80000000
_MAPPED = bytes(10) + b"\xff\xff"


class Route(NamedTuple):
    """Addresses and the interface that they are behind; "" for none."""

    network: bytes  #: 16 bytes; IPv4 as ::ffff:a.b.c.d
    bits: int
    interface: str
    metric: int = 0


def routes() -> list[Route]:
    """All of them, in the order in which the first that fits holds."""
    found = [*_ipv4(), *_ipv6()]
    # No route of IPv6 is one of IPv4.
    found.append(Route(_MAPPED + bytes(4), 96, "", sys.maxsize))
    return sorted(found, key=lambda route: (-route.bits, route.metric))


def _lines(path: Path) -> Iterator[list[str]]:
    try:
        text = path.read_text()
    except OSError:  # a kernel without that protocol
        return
    yield from (line.split() for line in text.splitlines())


def _ipv4() -> Iterator[Route]:
    for name, network, _, flags, _, _, metric, mask, *_ in list(_lines(_IPV4))[1:]:
        address = int(network, 16).to_bytes(4, sys.byteorder)
        bits = 96 + int(mask, 16).bit_count()
        interface = "" if int(flags, 16) & _REJECT else name
        yield Route(_MAPPED + address, bits, interface, int(metric))


def _ipv6() -> Iterator[Route]:
    for network, bits, _, _, _, metric, _, _, flags, name in _lines(_IPV6):
        interface = "" if int(flags, 16) & (_REJECT | _LOCAL) else name
        yield Route(bytes.fromhex(network), int(bits, 16), interface, int(metric, 16))
