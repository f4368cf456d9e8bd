"""Profiles: who traffic and evidence belong to.

A profile is an address of the watched network, or an outside one that is accused. An IPv6
address of the outside is always its /64, ``2001:db8:1:2::/64``: whoever holds one address of
it holds them all, and rotates them. Memory is bounded: the profile that was used longest ago
makes room for a new one.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from hdr_lite.engine.own import own
from hdr_lite.engine.scoring import Account

#: Addresses whose judgement is remembered.
_REMEMBERED = 8192


class Judgement(NamedTuple):
    """Whether an address is inside, and whose profile it belongs to."""

    inside: bool
    profile: str


class Home:
    """The watched network."""

    def __init__(self, networks: Iterable[str]) -> None:
        self.set_networks(networks)

    def set_networks(self, networks: Iterable[str]) -> None:
        """From here on these are watched."""
        parsed = [ipaddress.ip_network(network, strict=False) for network in networks]
        self._networks = [
            (network.version, int(network.network_address), int(network.netmask))
            for network in parsed
        ]
        #: What was judged before: a caller may look here first, and owns no part of it.
        self.known: dict[str, Judgement] = {}

    def is_inside(self, address: str) -> bool:
        """Whether an address belongs to it; what is no address does not."""
        return self.judge(address).inside

    def profile_of(self, address: str) -> str:
        """The name of the profile that an address belongs to."""
        return self.judge(address).profile

    def judge(self, address: str) -> "Judgement":
        """Both at once, remembered for a while."""
        judgement = self.known.get(address)
        if judgement is None:
            if len(self.known) >= _REMEMBERED:
                self.known.clear()
            judgement = self._look(address)
            self.known[own(address)] = judgement
        return judgement

    def _look(self, address: str) -> Judgement:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return Judgement(False, own(address))
        value = int(ip)
        inside = any(ip.version == v and value & mask == net for v, net, mask in self._networks)
        if inside or ip.version == 4:
            return Judgement(inside, str(ip))
        return Judgement(False, f"{ipaddress.IPv6Address(value >> 64 << 64)}/64")


class Profile:
    """One profile. ``window`` is the last one in which it had traffic or evidence."""

    __slots__ = ("account", "name", "window")

    def __init__(self, name: str) -> None:
        self.name = name
        self.window = 0
        self.account: Account | None = None  #: evidence of the present window


class Profiles:
    """All profiles, at most ``most``; ``leave`` is called with one that makes room."""

    def __init__(self, most: int, leave: Callable[[Profile], None]) -> None:
        self._most = most
        self._leave = leave
        self._profiles: OrderedDict[str, Profile] = OrderedDict()
        self.made = 0  #: since the start
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._profiles)

    def use(self, name: str) -> Profile:
        """The profile of that name, made when it is new (its ``window`` is 0 then)."""
        profile = self._profiles.get(name)
        if profile is not None:
            self._profiles.move_to_end(name)
            return profile
        if len(self._profiles) >= self._most:
            self.evict()
        profile = self._profiles[name] = Profile(name)
        self.made += 1
        return profile

    def evict(self) -> None:
        """The profile that was used longest ago leaves."""
        _, profile = self._profiles.popitem(last=False)
        self.evicted += 1
        self._leave(profile)

    def all(self) -> list[Profile]:
        """Every profile, longest unused first."""
        return list(self._profiles.values())
