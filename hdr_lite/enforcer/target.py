"""Whom an order names: an IPv4 or IPv6 address, an IPv6 /64, a MAC; checked and canonical."""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from typing import NamedTuple

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")

Address = IPv4Address | IPv6Address


class TargetError(ValueError):
    """What was named is nothing that can be blocked; the text says why."""


class Target(NamedTuple):
    """``suffix`` names the set that it belongs in: ``4``, ``6`` or ``64``."""

    suffix: str
    key: str  #: canonical; a /64 is its first address, as it stands in the set

    @property
    def text(self) -> str:
        """As a person reads it."""
        return f"{self.key}/64" if self.suffix == "64" else self.key


def parse_target(text: str) -> Target:
    """An address or /64 as the engine and operators write it; ``TargetError``."""
    try:
        network = ip_network(text)
        if "%" in text:  # a zone, which may be any text
            raise ValueError
    except ValueError:
        raise TargetError(f"{text[:50]!r} is no address") from None
    if network.prefixlen == network.max_prefixlen:
        return _host(network.network_address)
    if isinstance(network, IPv6Network) and network.prefixlen == 64:
        _host(network.network_address + 1)
        return Target("64", str(network.network_address))
    raise TargetError(f"{text} is wider than a host or an IPv6 /64")


def _host(address: Address) -> Target:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return _host(address.ipv4_mapped)
    if address.is_multicast or address.is_loopback or address.is_unspecified:
        raise TargetError(f"{address} is no host's address")
    if str(address) == "255.255.255.255":
        raise TargetError(f"{address} is no host's address")
    return Target(str(address.version), str(address))


def parse_mac(text: str) -> str:
    """A host's MAC in small letters; ``TargetError`` for a group's or for what is none."""
    mac = parse_source_mac(text)
    if mac == "00:00:00:00:00:00":
        raise TargetError(f"{text[:50]!r} is no MAC")
    if int(mac[:2], 16) & 1:
        raise TargetError(f"{mac} is a group's MAC")
    return mac


def parse_source_mac(text: str) -> str:
    """What a frame may carry as its source: a forger writes a group's there, too."""
    mac = text.lower()
    if not _MAC.fullmatch(mac):
        raise TargetError(f"{text[:50]!r} is no MAC")
    return mac
