"""Who may not be touched, whatever anybody asks. Pure: facts in, a reason or None out."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from hdr_lite.enforcer.target import Target, TargetError, parse_mac

Network = IPv4Network | IPv6Network

#: More IPv4 addresses than this behind one MAC: an access point or a repeater.
MOST_ADDRESSES = 4
#: Addresses of one allowed domain that count.
MOST_OF_DOMAIN = 16


class Neighbour(NamedTuple):
    """An entry of the kernel's neighbour table."""

    address: str
    mac: str
    interface: str


class Connected(NamedTuple):
    """A network that one of our interfaces is in."""

    interface: str
    network: Network


class Facts(NamedTuple):
    """What the device knows of itself and of its surroundings, from the kernel and its files."""

    own: frozenset[str] = frozenset()  #: addresses
    own_macs: frozenset[str] = frozenset()
    connected: tuple[Connected, ...] = ()
    gateways: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()  #: interfaces that a default route leaves by
    servers: Mapping[str, str] = {}  #: address -> ``DNS server``, ``DHCP server``, ``NTP server``
    neighbours: tuple[Neighbour, ...] = ()
    ports: Mapping[str, frozenset[str]] = {}  #: MAC -> bridge ports where it was learnt
    bridges: bool = False
    bridge_ports: frozenset[str] = frozenset()
    sessions: frozenset[tuple[str, int]] = frozenset()  #: logged in: address, our TCP port
    domains: Mapping[str, tuple[str, ...]] = {}  #: allowed domain -> its addresses

    def addresses_of(self, mac: str) -> tuple[str, ...]:
        """The addresses that the kernel ties to a MAC, in order."""
        return tuple(sorted({n.address for n in self.neighbours if n.mac == mac}))

    def macs_of(self, address: str) -> frozenset[str]:
        """The MACs that the kernel ties to an address."""
        return frozenset(n.mac for n in self.neighbours if n.address == address)

    def interfaces_of(self, mac: str) -> frozenset[str]:
        """Where a MAC was seen: bridge ports if it is behind a bridge, else interfaces."""
        return self.ports.get(mac) or frozenset(
            n.interface for n in self.neighbours if n.mac == mac
        )


class Allow(NamedTuple):
    """The operator's allow list, taken apart."""

    networks: tuple[Network, ...]
    macs: frozenset[str]
    domains: tuple[str, ...]


def parse_allow(entries: Iterable[str]) -> Allow:
    """Addresses, networks, MACs and, whatever else, domain names."""
    networks, macs, domains = [], [], []
    for entry in entries:
        try:
            networks.append(ip_network(entry, strict=False))
            continue
        except ValueError:
            pass
        try:
            macs.append(parse_mac(entry))
        except TargetError:
            domains.append(entry.lower().rstrip("."))
    return Allow(tuple(networks), frozenset(macs), tuple(domains))


class NeverBlock:
    """Answers for one set of facts; make a new one when they change."""

    def __init__(self, facts: Facts, allow: Allow, management: str = "") -> None:
        self.facts = facts
        self._allow = allow
        self._addresses = dict(_addresses(facts))
        self._networks = [(n, "is on the allow list") for n in allow.networks]
        self._networks += [
            (c.network, f"is in the network of the management interface {c.interface}")
            for c in facts.connected
            if c.interface == management
        ]

    def reason(self, target: Target) -> str | None:
        """Why a target may not be touched, in words, or None."""
        if target.suffix == "64":
            return self._reason_of_prefix(target)
        if why := self._addresses.get(target.key):
            return f"{target.key} {why}"
        address = ip_address(target.key)
        for network, why in self._networks:
            if address.version == network.version and address in network:
                return f"{target.key} {why}"
        return self._reason_of_owner(target.key)

    def reason_of_mac(self, mac: str) -> str | None:
        """Why the host with that MAC may not be touched at all, or None."""
        if mac in self.facts.own_macs:
            return f"{mac} is this device's own"
        if mac in self._allow.macs:
            return f"{mac} is on the allow list"
        for address in self.facts.addresses_of(mac):
            if why := self._addresses.get(address):
                return f"{mac} has {address}, which {why}"
        return None

    def doubt_of_mac(self, mac: str) -> str | None:
        """Why it is not one host that can be told by its MAC alone, or None."""
        where = self.facts.interfaces_of(mac)
        if not where:
            return f"{mac} is no neighbour of ours"
        if where & self.facts.outside:
            return f"{mac} was learnt on an outside interface"
        if len(where) > 1:
            return f"{mac} was seen on {len(where)} ports"
        if sum(":" not in a for a in self.facts.addresses_of(mac)) > MOST_ADDRESSES:
            return f"{mac} has more than {MOST_ADDRESSES} addresses, as an access point has"
        return None

    def _reason_of_prefix(self, target: Target) -> str | None:
        prefix = ip_network(target.text)
        for address, why in self._addresses.items():
            if ":" in address and ip_address(address) in prefix:
                return f"{target.text} holds {address}, which {why}"
        for network, why in self._networks:
            if network.version == 6 and network.overlaps(prefix):
                return f"{target.text} overlaps {network}, which {why}"
        for connected in self.facts.connected:
            if connected.network.version == 6 and connected.network.overlaps(prefix):
                return f"{target.text} is the network of {connected.interface}"
        return None

    def _reason_of_owner(self, address: str) -> str | None:
        for neighbour in self.facts.neighbours:
            if neighbour.address == address and neighbour.mac in self._allow.macs:
                return f"{address} has the MAC {neighbour.mac}, which is on the allow list"
        return None


def _addresses(facts: Facts) -> Iterable[tuple[str, str]]:
    """Address -> why not, the strongest reason last."""
    for domain, addresses in facts.domains.items():
        for address in addresses[:MOST_OF_DOMAIN]:
            yield address, f"is an address of {domain}, which is on the allow list"
    for connected in facts.connected:
        if connected.network.version == 4 and connected.network.prefixlen < 31:
            yield str(connected.network.broadcast_address), "is a broadcast address"
    for address, role in facts.servers.items():
        yield address, f"is a {role} of this device"
    for address in facts.gateways:
        yield address, "is a gateway of this device"
    for address in facts.own:
        yield address, "is this device's own address"
