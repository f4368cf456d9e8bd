"""Our tables in nftables' own language: settings and changes in, transactions out. Pure.

Own tables only. ``inet``:

==================  =========================  ================================================
chain               hook, priority             does
==================  =========================  ================================================
``block_in``        prerouting -300            quarantined MACs; drops by source, but for a
                                               session of who is logged in
``block_forward``   forward -300               drops by destination
``block_out``       output -300                drops by destination
``limit_in``        prerouting -80             drops what a limited source opens (a limited inside
                                               host may open what a quarantined one may); after
                                               our log rule at -90, and after conntrack (at -300
                                               ``ct state`` matches nothing) and de-NAT
==================  =========================  ================================================

An IPv6 /64 is looked up as ``saddr & mask`` in a hash set, not as an interval: additions stay
atomic and cost O(1), where an interval set is copied for every transaction.

``arp``: a quarantined MAC may claim its own address only. ``bridge``, where there is one: what
passes a bridge from port to port and never ``inet``: all of the blocked, and what a quarantined
host sends to others; what is sent to us goes on into ``inet``.

Text and not JSON: a third less time and half the memory for the same transaction (measured with
nftables 1.0.6, see docs/decisions), and OpenWrt's smaller library has no JSON.
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import collapse_addresses, ip_network
from typing import NamedTuple

from hdr_lite.config import Config, UserError
from hdr_lite.enforcer.never_block import Network, parse_allow

FAMILIES = ("inet", "arp", "bridge")
#: Elements in one transaction: 1,000 cost 10 ms and 0.6 MB while they are set.
CHUNK = 1000
#: The kernel's sets are larger than our tables by what a batch may hold on its way.
SLACK = 2 * CHUNK

QUARANTINE = "quarantine"
#: MAC and IPv4 address of the quarantined: what they may claim over ARP.
CLAIM = "claim"
OWN_MAC = "own_mac"
#: Interfaces that a default route leaves by.
OUTSIDE = "outside"
LIMITS = ("limit4", "limit6", "limit64")
#: Inside hosts that are limited: address and MAC.
HOSTS = ("host4", "host6")
BLOCKS = ("block4", "block6", "block64")
RATES = ("rate4", "rate6")
SESSIONS = ("session4", "session6")
#: Set -> families that have it.
_FAMILIES_OF = {
    QUARANTINE: FAMILIES,
    CLAIM: ("arp", "bridge"),
    OWN_MAC: ("bridge",),
    **dict.fromkeys(BLOCKS, ("inet", "bridge")),
}
_KEYS = {"4": "ipv4_addr", "6": "ipv6_addr", "64": "ipv6_addr"}
_SOLICITED = "nd-neighbor-solicit, nd-router-solicit"
_NDP = f"{_SOLICITED}, nd-neighbor-advert, nd-router-advert"
_PREFIX = "& ffff:ffff:ffff:ffff::"

#: New connections a second that pass towards an address and port under a rate limit.
RATE = 20
#: Sources whose completed handshakes with our services are remembered for a day.
KNOWN = 4096


#: First contacts a second of an outside source, and how many at once, that pass while nobody has
#: judged it yet: a contact is an address and port that it has not tried in ten seconds.
PACE, PACE_BURST = 16, 32
CONTACTS = 8192

FOREVER = -1


class Element(NamedTuple):
    """One element to set, to take away (``seconds`` is 0) or to set for good (``FOREVER``)."""

    set: str
    key: str
    seconds: int
    there: bool = False  #: it may be in the set already: its old self goes first


def is_plain(interface: str) -> bool:
    """Whether an interface's name is one that nftables takes in quotes for what it is."""
    return re.fullmatch(r"[A-Za-z0-9_.@:-]{1,15}", interface) is not None


def table_name(instance: str) -> str:
    """The name of our tables; ``UserError`` for an instance that cannot be part of one."""
    if not instance:
        return "hdr_lite"
    if not re.fullmatch(r"[A-Za-z0-9_]{1,20}", instance):
        raise UserError(f"{instance!r} cannot be part of the name of a table in nftables")
    return f"hdr_lite_{instance}"


def skeleton(family: str, table: str, config: Config) -> str:
    """A family's table as one transaction: makes what is not there, renews the rules.

    Elements that are in its sets stay. It fails, and changes nothing, when a set is there with
    another size or type.
    """
    chains, sets = {"inet": _inet, "arp": _arp, "bridge": _bridge}[family](config)
    lines = [f"table {family} {table} {{"]
    lines += [f"set {name} {{ {what} }}" for name, what in sets.items()]
    lines += [f"chain {name} {{ {hook} }}" for name, (hook, _) in chains.items()]
    lines.append("}")
    lines += [f"flush chain {family} {table} {name}" for name in chains]
    for name, (_, rules) in chains.items():
        lines += [f"add rule {family} {table} {name} {rule}" for rule in rules]
    return "\n".join(lines) + "\n"


def removal(family: str, table: str) -> str:
    """A family's table away, whether it is there or not."""
    return f"add table {family} {table}\ndelete table {family} {table}\n"


def transactions(table: str, families: Iterable[str], elements: Iterable[Element]) -> Iterator[str]:
    """Elements as transactions of at most :data:`CHUNK` each, in the order given."""
    present = tuple(families)
    chunk: list[Element] = []
    for element in elements:
        chunk.append(element)
        if len(chunk) == CHUNK:
            yield _transaction(table, present, chunk)
            chunk = []
    if chunk:
        yield _transaction(table, present, chunk)


def _transaction(table: str, families: tuple[str, ...], chunk: list[Element]) -> str:
    """Three commands a set at most: make sure it is there, take it away, set it.

    Deleting what is not there would fail the whole, and nftables 1.0.6 knows no ``destroy``.
    """
    stale: dict[str, list[str]] = {}
    fresh: dict[str, dict[str, str]] = {}
    for element in chunk:
        if element.there or not element.seconds:
            stale.setdefault(element.set, []).append(element.key)
        if element.seconds:
            limited = element.seconds != FOREVER
            text = element.key + (f" timeout {element.seconds}s" if limited else "")
            fresh.setdefault(element.set, {})[element.key] = text
        else:
            fresh.get(element.set, {}).pop(element.key, None)
    lines = []
    for name, keys in stale.items():
        for place in _places(name, families, table):
            group = "{ " + ", ".join(dict.fromkeys(keys)) + " }"
            lines += [f"add element {place} {group}", f"delete element {place} {group}"]
    for name, texts in fresh.items():
        for place in _places(name, families, table) if texts else ():
            lines.append(f"add element {place} {{ {', '.join(texts.values())} }}")
    return "\n".join(lines) + "\n"


def _places(name: str, families: tuple[str, ...], table: str) -> list[str]:
    return [f"{f} {table} {name}" for f in _FAMILIES_OF.get(name, ("inet",)) if f in families]


def ports_of(words: Iterable[str], key: str) -> tuple[int, ...]:
    """TCP ports of a setting; ``UserError``."""
    ports = []
    for word in words:
        if not word.isascii() or not word.isdigit() or not 0 < int(word) < 65536:
            raise UserError(f"{key}: {word!r} is no port")
        ports.append(int(word))
    return tuple(dict.fromkeys(ports))


# The tables --------------------------------------------------------------------------------

_Chains = dict[str, tuple[str, list[str]]]  # name -> hook, rules
_Sets = dict[str, str]


def _hook(hook: str, priority: int) -> str:
    return f"type filter hook {hook} priority {priority}; policy accept;"


def _set(key: str, size: int, more: str = "counter;") -> str:
    return f"type {key}; size {size}; flags timeout; {more}"


def _inet(config: Config) -> tuple[_Chains, _Sets]:
    settings = config.enforcer
    sets = {
        QUARANTINE: _set("ether_addr", settings.quarantines + SLACK),
        "known4": _known("ipv4_addr"),
        "known6": _known("ipv6_addr"),
        OUTSIDE: _set("ifname", 64, ""),
        "contact4": _contacts("ipv4_addr"),
        "contact6": _contacts("ipv6_addr"),
        "pace4": _paces("ipv4_addr"),
        "pace6": _paces("ipv6_addr"),
        SESSIONS[0]: _set("ipv4_addr . inet_service", 1024, ""),
        SESSIONS[1]: _set("ipv6_addr . inet_service", 1024, ""),
    }
    sets |= _block_sets(config)
    for suffix, key in _KEYS.items():
        sets[f"limit{suffix}"] = _set(key, settings.limits + SLACK)
    for name, key in zip(HOSTS, ("ipv4_addr", "ipv6_addr"), strict=True):
        sets[name] = _set(f"{key} . ether_addr", settings.limits + SLACK)
    over = f"limit rate over {RATE}/second burst {2 * RATE} packets;"
    for name, key in zip(RATES, ("ipv4_addr", "ipv6_addr"), strict=True):
        sets[name] = _set(f"{key} . inet_proto . inet_service", 1024 + SLACK, over)
    management = settings.management
    incoming = _spared(management, "iifname")
    outgoing = _spared(management, "oifname")
    towards = _drops("block", "daddr")
    sessions = _sessions("saddr", "dport", " fib daddr type local")
    chains = {
        # Who is held meets his sessions here: nobody else's packets are looked up for them.
        "held": ("", [*sessions, "drop"]),
        "quarantined": ("", [*sessions, *_quarantined(config)]),
        "block_in": (_hook("prerouting", -300), [*incoming, *_block_in()]),
        "block_forward": (_hook("forward", -300), [*incoming, *outgoing, *towards]),
        "block_out": (
            _hook("output", -300),
            [*outgoing, *_sessions("daddr", "sport", ""), *towards],
        ),
        "limit_in": (_hook("prerouting", -80), [*incoming, *_limit_in(config)]),
    }
    return chains, sets


def _known(key: str) -> str:
    return f"type {key} . {key} . inet_service; size {KNOWN}; flags dynamic,timeout; timeout 1d;"


def _contacts(key: str) -> str:
    what = f"{key} . {key} . inet_proto . inet_service"
    return f"type {what}; size {CONTACTS}; flags dynamic,timeout; timeout 10s;"


def _paces(key: str) -> str:
    return f"type {key}; size {KNOWN}; flags dynamic,timeout; timeout 10s;"


def _spared(management: str, *directions: str) -> list[str]:
    """Interfaces that are never looked at; directions: ``iifname``, ``oifname``."""
    names = ["lo"]
    if management:
        if not is_plain(management):
            raise UserError(f"enforcer.management: {management!r} is no interface's name")
        names.append(management)
    return [f'{way} "{name}" accept' for way in directions for name in names]


def _drops(verb: str, side: str, before: str = "", then: str = "drop") -> list[str]:
    return [
        f"{before}ip {side} @{verb}4 {then}",
        f"{before}ip6 {side} @{verb}6 {then}",
        f"{before}ip6 {side} {_PREFIX} @{verb}64 {then}",
    ]


def _block_in() -> list[str]:
    drops = _drops("block", "saddr", then="jump held")
    return [f"ether saddr @{QUARANTINE} jump quarantined", *drops]


def _sessions(side: str, port: str, more: str) -> list[str]:
    return [
        f"ip {side} . tcp {port} @{SESSIONS[0]}{more} accept",
        f"ip6 {side} . tcp {port} @{SESSIONS[1]}{more} accept",
    ]


def _quarantined(config: Config) -> list[str]:
    """What is left to a quarantined host, and to a limited inside one to open: towards us."""
    dns = "meta l4proto { tcp, udp } th dport 53 fib daddr type local"
    rules = [
        "udp dport { 67, 547 } accept",
        f"icmpv6 type {{ {_NDP} }} accept",
        f"{dns} limit rate 20/second burst 40 packets accept",
    ]
    pages = ports_of(config.enforcer.page_ports, "enforcer.page_ports")
    if pages:
        ports = ", ".join(map(str, pages))
        rules.append(f"tcp dport {{ {ports} }} fib daddr type local accept")
    return [*rules, "drop"]


def _limit_in(config: Config) -> list[str]:
    """The sources that handshook with a service of ours, then the limits.

    The second or third packet of the side that opened, on a connection that conntrack calls
    established: that is the end of the handshake, and a rule that most packets fail early. What
    is established meets nothing after that: it is most of what a router forwards.
    """
    opened = "ct state established ct direction original ct original packets 2-3 meta l4proto tcp"
    learns, rules = [], ["ct state { established, related } accept"]
    for ip, version in (("ip", 4), ("ip6", 6)):
        home = _home(config, version)
        outside = f" {ip} saddr != {{ {home} }}" if home else ""
        what = f"{ip} saddr . {ip} daddr . tcp dport"
        learns.append(f"{opened}{outside} update @known{version} {{ {what} }}")
        rules.append(f"ct state new {what} @known{version} accept")
        rules.append(f"ct state new {ip} saddr . tcp dport @session{version} accept")
    rules.append(f"icmpv6 type {{ {_NDP} }} accept")  # conntrack calls it untracked
    opens = "ct state { new, invalid, untracked } "
    rules += _drops("limit", "saddr", opens)
    rules += [
        f"{opens}{ip} saddr . ether saddr @{name} jump quarantined"
        for ip, name in zip(("ip", "ip6"), HOSTS, strict=True)
    ]
    for ip, version in (("ip", 4), ("ip6", 6)):
        attacked = f"{ip} daddr . meta l4proto . th dport"
        rules.append(f"ct state new {attacked} @rate{version} drop")
    return learns + rules + _pace(config)


def _pace(config: Config) -> list[str]:
    """What a source outside may try before it is judged: dozens of ports, not thousands.

    The sensor sees what is dropped here. A full set drops nothing, so forged sources gain only
    what they would have without these rules.
    """
    rules = []
    over = f"limit rate over {PACE}/second burst {PACE_BURST} packets"
    for ip, version, mask in (("ip", 4, ""), ("ip6", 6, f" {_PREFIX}")):
        spared = _home(config, version, *parse_allow(config.enforcer.allow).networks)
        outside = f"iifname @{OUTSIDE} ct state new meta l4proto {{ tcp, udp }}"
        outside += f" {ip} saddr != {{ {spared} }}" if spared else ""
        contact = f"{ip} saddr . {ip} daddr . meta l4proto . th dport"
        source = f"{ip} saddr{mask}"
        first = f"{contact} != @contact{version}"
        rules.append(f"{outside} {first} update @pace{version} {{ {source} {over} }} drop")
        rules.append(f"{outside} update @contact{version} {{ {contact} }}")
    return rules


def _home(config: Config, version: int, *others: Network) -> str:
    nets = [n for n in (*map(ip_network, config.detection.home), *others) if n.version == version]
    return ", ".join(map(str, collapse_addresses(nets)))  # type: ignore[type-var]


def _arp(config: Config) -> tuple[_Chains, _Sets]:
    rule = f"ether saddr @{QUARANTINE} ether saddr . arp saddr ip != @{CLAIM} drop"
    return {"block_in": (_hook("input", -300), [rule])}, _mac_sets(config)


def _bridge(config: Config) -> tuple[_Chains, _Sets]:
    """Of the quarantined, ARP for its own address, DHCP, NDP and what is addressed to us pass."""
    rules = [
        f"ether saddr . arp saddr ip @{CLAIM} accept",
        "ether type arp drop",
        f"ether daddr @{OWN_MAC} accept",
        "udp dport { 67, 547 } accept",
        f"icmpv6 type {{ {_SOLICITED} }} accept",
        "drop",
    ]
    chains = {
        "quarantined": ("", rules),
        "block_in": (
            _hook("prerouting", -300),
            [
                *_spared(config.enforcer.management, "iifname"),
                f"ether saddr @{QUARANTINE} jump quarantined",
                f"ether daddr @{OWN_MAC} accept",
                *_drops("block", "saddr"),
                *_drops("block", "daddr"),
            ],
        ),
    }
    return chains, _mac_sets(config) | _block_sets(config) | {OWN_MAC: _set("ether_addr", 1024, "")}


def _block_sets(config: Config) -> _Sets:
    size = config.enforcer.blocks + SLACK
    return {f"block{suffix}": _set(key, size) for suffix, key in _KEYS.items()}


def _mac_sets(config: Config) -> _Sets:
    size = config.enforcer.quarantines + SLACK
    return {
        QUARANTINE: _set("ether_addr", size),
        CLAIM: _set("ether_addr . ipv4_addr", size, ""),
    }
