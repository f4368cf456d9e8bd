"""Orders in, changes of sets out: what is done, what is refused, and why. Pure.

Whatever the engine asks is judged here: who may not be touched, how long, how many. Nothing is
done; the process takes the elements and the connections to cut, and does it in one transaction.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from hdr_lite.config import EnforcerConfig
from hdr_lite.enforcer.blocks import (
    LONGEST,
    FullError,
    Hold,
    Pace,
    Recent,
)
from hdr_lite.enforcer.holdings import LIMIT_SECONDS, Holdings, remaining
from hdr_lite.enforcer.never_block import Facts, Neighbour, NeverBlock, parse_allow
from hdr_lite.enforcer.ruleset import (
    BLOCKS,
    CLAIM,
    FOREVER,
    HOSTS,
    LIMITS,
    OUTSIDE,
    OWN_MAC,
    QUARANTINE,
    Element,
    is_plain,
)
from hdr_lite.enforcer.target import Target, TargetError, parse_mac, parse_source_mac, parse_target
from hdr_lite.enforcer.trial import Suspect
from hdr_lite.enforcer.welcome import Welcome, is_inside
from hdr_lite.records.verb import Block, Enforced, Limit, Order, Quarantine

#: Orders that are looked at in a second; more are refused.
ORDERS_A_SECOND = 200
#: New limits in a second; beyond them what is attacked is rate-limited.
LIMITS_A_SECOND = 50
#: Evidence that ends the welcome of a logged-in address at the port it attacked.
GUESSING = "PASSWORD_GUESSING"

_LONGEST_TEXT = 64


class _Refusal(Exception):
    """An order is not carried out; the text says why."""


class Orders:
    """The state of what is enforced. ``elements`` and ``cut`` are what is to be done about it."""

    def __init__(self, settings: EnforcerConfig) -> None:
        self.mode = settings.mode
        self.holdings = Holdings(settings)
        #: One list for all changes: cleared when they are carried out, never replaced.
        self.elements = self.holdings.elements
        self.cut: list[Target] = []
        #: Of hosts accused of false claims: whether they made them is to be found out first.
        self.trials: list[Quarantine] = []
        self.too_fast = 0  #: orders over the pace, not yet told
        self._settings = settings
        self._allow = parse_allow(settings.allow)
        self._never = NeverBlock(Facts(), self._allow)
        self._orders = Pace(ORDERS_A_SECOND)
        self._limits = Pace(LIMITS_A_SECOND)
        self._recent = Recent(4 * settings.limits)
        self._welcome = Welcome()
        self._standing = dict.fromkeys((OWN_MAC, OUTSIDE), frozenset[str]())  #: sets of facts

    # What the engine asks ------------------------------------------------------------------

    def take(self, order: Order, now: float) -> Enforced | None:
        """What becomes of an order; None for one over the pace, or whose host is on trial."""
        if not self._orders.allows(now):
            self.too_fast += 1
            return None
        name = order.mac if isinstance(order, Quarantine) else order.address
        try:
            _check(order)
            if self._recent.repeated(f"{type(order).__name__} {order.evidence} {name}"):
                return Enforced(order.evidence, name, "repeated", 0, "")
            if isinstance(order, Block):
                return self._block(order, now)
            if isinstance(order, Limit):
                return self._limit(order, now)
            return self._quarantine(order, now)
        except (_Refusal, TargetError, FullError) as error:
            return Enforced(order.evidence[:_LONGEST_TEXT], name[:50], "refused", 0, str(error))

    def _block(self, order: Block, now: float) -> Enforced:
        target = self._touchable(order.address)
        seconds = self.holdings.lengthened(target.text, order.seconds, now)
        if self.mode == "observe":
            return self._observed(order.evidence, target.text, f"blocked for {seconds} s")
        if order.cause == GUESSING:
            self.elements += self._welcome.end(target.key, order.port)
        why = self._why_no_block(target)
        if why:
            hold = self._hold_limit(self._place(target, ""), order, LIMIT_SECONDS, now)
            if hold is None:
                raise _Refusal(f"there are too many new limits, and {why}")
            return _done(order, target.text, "limited", hold, now, why)
        hold = self._hold_block(target, order.evidence, order.cause, order.seconds, now)
        return _done(order, target.text, "blocked", hold, now, "")

    def _why_no_block(self, target: Target) -> str:
        """Why a limit must do; "" when a block may."""
        if self.mode == "limit":
            return "the mode blocks nothing"
        if self._is_inside(target):
            return "an inside host is quarantined by its MAC, or limited"
        return ""

    def _limit(self, order: Limit, now: float) -> Enforced:
        target = self._touchable(order.address)
        seconds = min(order.seconds, LIMIT_SECONDS)
        if self.mode == "observe":
            return self._observed(order.evidence, target.text, f"limited for {seconds} s")
        if hold := self.holdings.get(f"block{target.suffix}", target.key):
            return _done(order, target.text, "blocked", hold, now, "it is blocked already")
        hold = self._hold_limit(self._place(target, order.mac), order, seconds, now)
        if hold is not None:
            return _done(order, target.text, "limited", hold, now, "")
        name = self._rate(order, now)
        return Enforced(
            order.evidence, name, "rated", LIMIT_SECONDS, "there are too many new limits"
        )

    def conclude(self, order: Quarantine, doubt: str, now: float) -> Enforced:
        """The trial is over; ``doubt`` is why the host is not believed to be the claimant."""
        try:
            mac, own, why = self._judge_mac(order)
            if doubt or why or self.mode != "block":
                raise _Refusal(doubt or why or f"the mode is {self.mode}")
            return self._hold_quarantine(order, mac, own, now)
        except (_Refusal, TargetError, FullError) as error:
            return Enforced(order.evidence, order.mac, "refused", 0, str(error))

    def suspect(self, order: Quarantine) -> Suspect | None:
        """Where the accused can be asked; None: nowhere."""
        facts = self._never.facts
        for neighbour in facts.neighbours:
            if (neighbour.address, neighbour.mac) == (order.address, order.mac):
                source = self._address_towards(neighbour)
                if source:
                    return Suspect(
                        order.mac, order.address, order.claimed, neighbour.interface, source
                    )
        return None

    def _address_towards(self, neighbour: Neighbour) -> str:
        """Our own address in a neighbour's network, "" when there is none."""
        facts, host = self._never.facts, ip_address(neighbour.address)
        networks = [c.network for c in facts.connected if c.interface == neighbour.interface]
        for own in sorted(facts.own):
            address = ip_address(own)
            if address.version == 4 and any(address in n and host in n for n in networks):
                return own
        return ""

    def _quarantine(self, order: Quarantine, now: float) -> Enforced | None:
        """None when it is to be tried first."""
        mac, own, why = self._judge_mac(order)
        if self.mode == "observe":
            seconds = self.holdings.lengthened(mac, order.seconds, now)
            what = f"limited only, because {why}" if why else f"quarantined for {seconds} s"
            return self._observed(order.evidence, mac, what)
        if why and order.claimed:
            raise _Refusal(why)  # a claim can be forged: it limits nobody
        if why:
            return self._limit_host(order, mac, why, now)
        if order.claimed:
            self.trials.append(order)
            return None
        return self._hold_quarantine(order, mac, own, now)

    def _judge_mac(self, order: Quarantine) -> tuple[str, str, str]:
        """MAC, own address and why it may not be quarantined, "" when it may."""
        mac = parse_mac(order.mac)
        own = self._own_address(order.address)
        why = self._never.reason_of_mac(mac) or self._never.doubt_of_mac(mac) or ""
        if not why and order.address and not self._has(mac, order.address):
            why = f"{order.address} is not known to be {mac}'s: somebody else may forge that MAC"
        if not why and self.mode == "limit":
            why = "the mode quarantines nothing"
        return mac, own, why

    def _hold_quarantine(self, order: Quarantine, mac: str, own: str, now: float) -> Enforced:
        seconds = self.holdings.lengthened(mac, order.seconds, now)
        hold = self.holdings.put(QUARANTINE, mac, order.evidence, order.cause, seconds, now)
        self.holdings.offended(mac, hold, now)
        if own:
            self.holdings.put(CLAIM, f"{mac} . {own}", order.evidence, order.cause, seconds, now)
        self.cut += [parse_target(a) for a in (own,) if a]
        return _done(order, mac, "quarantined", hold, now, "")

    def _limit_host(self, order: Quarantine, mac: str, why: str, now: float) -> Enforced:
        """Its addresses in place of its MAC, as far as they may be touched."""
        held = None
        others = self._never.facts.addresses_of(mac)
        if order.address and not self._has(mac, order.address):
            others = ()  # of another, whose MAC he forges
        for address in dict.fromkeys((order.address, *others)):
            try:
                target = self._touchable(address)
            except (_Refusal, TargetError):
                continue
            place = self._place(target, mac)
            held = self._hold_limit(place, order, LIMIT_SECONDS, now) or held
        if held is None:
            raise _Refusal(why)
        return _done(order, mac, "limited", held, now, why)

    def _has(self, mac: str, address: str) -> bool:
        """Whether the kernel knows an address under that MAC."""
        return mac in self._never.facts.macs_of(parse_target(address).key)

    def _own_address(self, text: str) -> str:
        """The IPv4 address that a quarantined host may go on claiming, "" when unknown."""
        if not text:
            return ""
        target = parse_target(text)
        if target.suffix == "64":
            raise TargetError(f"{text} is no host")
        return "" if target.suffix == "6" or self._never.reason(target) else target.key

    # What a person asks --------------------------------------------------------------------

    def block_by_hand(self, address: str, seconds: int, why: str, now: float) -> Enforced:
        """An operator's block: for exactly so long, never shed; refused for the untouchable."""
        order = Block("", address, seconds, why, 0)
        try:
            target = self._touchable(address)
            if not 0 < seconds <= LONGEST * 365:
                raise _Refusal(f"{seconds} s is no time for a block")
            name = f"block{target.suffix}"
            hold = self.holdings.put(name, target.key, "", why, seconds, now, operator=True)
        except (_Refusal, TargetError, FullError) as error:
            return Enforced("", address[:50], "refused", 0, str(error))
        self.cut.append(target)
        return _done(order, target.text, "blocked", hold, now, "")

    def unblock(self, name: str, now: float) -> bool:
        """Let an address, /64 or MAC go, and forget its last offence; whether it was held."""
        try:
            mac = parse_mac(name)
        except TargetError:
            target = parse_target(name)
            self.holdings.pardon(target.text, now)
            held = [
                self.holdings.drop(f"{v}{target.suffix}", target.key) for v in ("block", "limit")
            ]
            return any([*held, self.holdings.drop_parts(HOSTS, target.key)])
        self.holdings.pardon(mac, now)
        self.holdings.drop_parts((CLAIM,), mac)
        return any([self.holdings.drop(QUARANTINE, mac), self.holdings.drop_parts(HOSTS, mac)])

    def why_never(self, address: str) -> str | None:
        """Why an address, /64 or MAC may not be touched, or None; ``TargetError``."""
        try:
            mac = parse_mac(address)
        except TargetError:
            return self._never.reason(parse_target(address))
        return self._never.reason_of_mac(mac)

    def names_of(self, name: str) -> frozenset[str]:
        """Under which names it may be held: itself, its /64, the MAC that it has."""
        try:
            return frozenset({parse_mac(name)})
        except TargetError:
            target = parse_target(name)
        names = {target.text}
        if target.suffix == "6":
            names.add(str(ip_network(f"{target.key}/64", strict=False)))
        return frozenset(names | self._never.facts.macs_of(target.key))

    def sessions_of(self, name: str) -> tuple[int, ...]:
        """Our ports where an address stays welcome whatever is held against it."""
        return self._welcome.ports_of(name)

    def offences_of(self, name: str, now: float) -> int:
        """How many of its blocks still count: as often its next one is doubled."""
        return max(self.holdings.offences(each, now) for each in self.names_of(name))

    @property
    def has_bridge(self) -> bool:
        """Whether this device is a bridge, too."""
        return self._never.facts.bridges

    @property
    def bridge_ports(self) -> frozenset[str]:
        """Interfaces that are ports of our bridges."""
        return self._never.facts.bridge_ports

    def release(self) -> int:
        """Let everybody go, whoever set it; how many were held."""
        self.cut.clear()
        return sum([self.holdings.drop(name, hold.key) for name, hold in self.holdings.held()])

    def set_settings(self, settings: EnforcerConfig) -> None:
        """New settings; sizes of tables stay as they are. New facts must follow."""
        self._settings = settings
        self._allow = parse_allow(settings.allow)

    # Time, facts and what was kept ---------------------------------------------------------

    def set_facts(self, facts: Facts) -> None:
        """New facts: whoever may not be touched any more is let go."""
        self._never = NeverBlock(facts, self._allow, self._settings.management)
        for name, hold in self.holdings.held():
            if self._why_let_go(name, hold.key):
                self.holdings.drop(name, hold.key)
                if name == QUARANTINE:
                    self.holdings.drop_parts((CLAIM,), hold.key)
        self.elements += self._welcome.update(facts)
        self._set_standing(OWN_MAC, facts.own_macs)
        self._set_standing(OUTSIDE, frozenset(f'"{i}"' for i in facts.outside if is_plain(i)))

    def _set_standing(self, name: str, keys: frozenset[str]) -> None:
        """What a set that mirrors the facts holds from now on."""
        gone, new = self._standing[name] - keys, keys - self._standing[name]
        self.elements += [Element(name, key, 0) for key in sorted(gone)]
        self.elements += [Element(name, key, FOREVER, there=True) for key in sorted(new)]
        self._standing[name] = keys

    def _why_let_go(self, name: str, key: str) -> str | None:
        """Why what is held may be held no more."""
        if name == QUARANTINE:
            return self._never.reason_of_mac(key)
        if name in HOSTS:
            address, _, mac = key.partition(" . ")
            target = Target(name.removeprefix("host"), address)
            return self._never.reason(target) or self._never.reason_of_mac(mac)
        if name in (*BLOCKS, *LIMITS):
            suffix = name.removeprefix("block").removeprefix("limit")
            return self._never.reason(Target(suffix, key))
        return None

    def everything(self, now: float, *, there: bool) -> Iterator[Element]:
        """All elements, what people and proof put there first.

        ``there``: some may be in their sets, which are not known to be empty.
        """
        for name, keys in self._standing.items():
            for key in sorted(keys):
                yield Element(name, key, FOREVER, there)
        yield from self._welcome.everything()
        yield from self.holdings.everything(now, there=there)

    # Holding and letting go ----------------------------------------------------------------

    def _touchable(self, address: str) -> Target:
        target = parse_target(address)
        if why := self._never.reason(target):
            raise _Refusal(why)
        return target

    def _hold_block(
        self, target: Target, evidence: str, cause: str, seconds: int, now: float
    ) -> Hold:
        name = f"block{target.suffix}"
        known = self.holdings.get(name, target.key)
        if known is None or known.until <= now:
            seconds = self.holdings.lengthened(target.text, seconds, now)
        hold = self.holdings.put(name, target.key, evidence, cause, seconds, now)
        self.holdings.offended(target.text, hold, now)
        self.holdings.drop(f"limit{target.suffix}", target.key)
        self.cut.append(target)
        return hold

    def _place(self, target: Target, mac: str) -> tuple[str, str]:
        """Set and key of a limit: an inside host's only together with its MAC.

        So whoever sends from a neighbour's address limits himself and not the neighbour.
        """
        if mac and self._is_inside(target):
            return f"host{target.suffix}", f"{target.key} . {parse_source_mac(mac)}"
        return f"limit{target.suffix}", target.key

    def _is_inside(self, target: Target) -> bool:
        return target.suffix != "64" and is_inside(self._never.facts, target.key)

    def _hold_limit(
        self, place: tuple[str, str], order: Order, seconds: int, now: float
    ) -> Hold | None:
        """None when there are too many new ones already."""
        name, key = place
        if self.holdings.get(name, key) is None and not self._limits.allows(now):
            return None
        return self.holdings.put(name, key, order.evidence, order.cause, seconds, now)

    def _rate(self, order: Limit, now: float) -> str:
        if not order.victim or order.proto not in ("tcp", "udp") or not 0 < order.port < 65536:
            raise _Refusal("there are too many new limits")
        victim = parse_target(order.victim)
        if victim.suffix == "64":
            raise _Refusal("there are too many new limits")
        key = f"{victim.key} . {order.proto} . {order.port}"
        self.holdings.put(
            f"rate{victim.suffix}", key, order.evidence, order.cause, LIMIT_SECONDS, now
        )
        return f"{victim.key} {order.proto} {order.port}"

    def _observed(self, evidence: str, name: str, what: str) -> Enforced:
        return Enforced(evidence, name, "observed", 0, f"it would be {what}")


def _check(order: Order) -> None:
    if not 0 < len(order.evidence) <= _LONGEST_TEXT or len(order.cause) > _LONGEST_TEXT:
        raise _Refusal("its evidence has no proper id or type")
    if not 0 < order.seconds <= LONGEST:
        raise _Refusal(f"{order.seconds} s is not between 1 s and a day")


def _done(order: Order, name: str, outcome: str, hold: Hold, now: float, why: str) -> Enforced:
    return Enforced(order.evidence, name, outcome, remaining(hold, now), why)
