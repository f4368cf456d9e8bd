"""Orders in, changes of sets out: what is done, what is refused, and why. Pure.

Whatever the engine asks is judged here: who may not be touched, how long, how many. Nothing is
done; the process takes the elements and the connections to cut, and does it in one transaction.
"""

from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address, ip_network

from hdr_lite.config import EnforcerConfig
from hdr_lite.enforcer.blocks import (
    LONGEST,
    FullError,
    Held,
    Hold,
    Offenders,
    Pace,
    Recent,
    Table,
    lengthened,
)
from hdr_lite.enforcer.never_block import Facts, NeverBlock, parse_allow
from hdr_lite.enforcer.ruleset import (
    BLOCKS,
    CLAIM,
    FOREVER,
    LIMITS,
    OWN_MAC,
    QUARANTINE,
    RATES,
    SESSIONS,
    Element,
)
from hdr_lite.enforcer.state import KeptHold, KeptOffender, State
from hdr_lite.enforcer.target import Target, TargetError, parse_mac, parse_target
from hdr_lite.records.verb import Block, Enforced, Limit, Order, Quarantine

#: Orders that are looked at in a second; more are refused.
ORDERS_A_SECOND = 200
#: New limits in a second; beyond them what is attacked is rate-limited.
LIMITS_A_SECOND = 50
#: Seconds that a limit or rate holds without being renewed.
LIMIT_SECONDS = 60
#: A limit whose end is nearer than this is looked at, to renew it.
RENEW_BEFORE = 10.0
#: Sets that outlive a restart.
KEPT = (*BLOCKS, QUARANTINE, CLAIM)
#: Evidence that ends the welcome of a logged-in address at the port it attacked.
GUESSING = "PASSWORD_GUESSING"

_LONGEST_TEXT = 64


class _Refusal(Exception):
    """An order is not carried out; the text says why."""


class Orders:
    """The state of what is enforced. ``elements`` and ``cut`` are what is to be done about it."""

    def __init__(self, settings: EnforcerConfig) -> None:
        self.mode = settings.mode
        self.elements: list[Element] = []
        self.cut: list[Target] = []
        self._settings = settings
        self._allow = parse_allow(settings.allow)
        self._never = NeverBlock(Facts(), self._allow)
        self._tables = {name: Table(settings.blocks) for name in BLOCKS}
        self._tables |= {name: Table(settings.limits) for name in LIMITS}
        self._tables |= {name: Table(1024) for name in RATES}
        self._tables |= {name: Table(settings.quarantines) for name in (QUARANTINE, CLAIM)}
        self._offenders = Offenders(2 * settings.blocks, settings.forgive)
        self._orders = Pace(ORDERS_A_SECOND)
        self._limits = Pace(LIMITS_A_SECOND)
        self._recent = Recent(4 * settings.limits)
        self._unwelcome = Recent(256)
        self._welcome: dict[tuple[str, int], None] = {}
        self._own_macs: frozenset[str] = frozenset()

    # What the engine asks ------------------------------------------------------------------

    def take(self, order: Order, now: float) -> Enforced | None:
        """What becomes of an order; None for one over the pace, which is only counted."""
        if not self._orders.allows(now):
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
        seconds = self._lengthened(target.text, order.seconds, now)
        if self.mode == "observe":
            return self._observed(order.evidence, target.text, f"blocked for {seconds} s")
        if order.cause == GUESSING:
            self._end_welcome(target.key, order.port)
        if self.mode == "limit":
            hold = self._hold_limit(target, order.evidence, order.cause, LIMIT_SECONDS, now)
            if hold is None:
                raise _Refusal("there are too many new limits, and the mode blocks nothing")
            return _done(order, target.text, "limited", hold, now, "the mode blocks nothing")
        hold = self._hold_block(target, order.evidence, order.cause, order.seconds, now)
        return _done(order, target.text, "blocked", hold, now, "")

    def _limit(self, order: Limit, now: float) -> Enforced:
        target = self._touchable(order.address)
        seconds = min(order.seconds, LIMIT_SECONDS)
        if self.mode == "observe":
            return self._observed(order.evidence, target.text, f"limited for {seconds} s")
        if hold := self._tables[f"block{target.suffix}"].get(target.key):
            return _done(order, target.text, "blocked", hold, now, "it is blocked already")
        hold = self._hold_limit(target, order.evidence, order.cause, seconds, now)
        if hold is not None:
            return _done(order, target.text, "limited", hold, now, "")
        name = self._rate(order, now)
        return Enforced(
            order.evidence, name, "rated", LIMIT_SECONDS, "there are too many new limits"
        )

    def _quarantine(self, order: Quarantine, now: float) -> Enforced:
        mac = parse_mac(order.mac)
        own = self._own_address(order.address)
        why = self._never.reason_of_mac(mac) or self._never.doubt_of_mac(mac)
        if why is None and self.mode == "limit":
            why = "the mode quarantines nothing"
        seconds = self._lengthened(mac, order.seconds, now)
        if self.mode == "observe":
            what = f"quarantined for {seconds} s" if why is None else f"limited only, because {why}"
            return self._observed(order.evidence, mac, what)
        if why is not None:
            return self._limit_host(order, mac, own, why, now)
        hold = self._put(QUARANTINE, mac, order.evidence, order.cause, seconds, now)
        self._offended(mac, hold, now)
        if own:
            self._put(CLAIM, f"{mac} . {own}", order.evidence, order.cause, seconds, now)
        self.cut += [parse_target(a) for a in (own,) if a]
        return _done(order, mac, "quarantined", hold, now, "")

    def _limit_host(self, order: Quarantine, mac: str, own: str, why: str, now: float) -> Enforced:
        """Its addresses in place of its MAC, as far as they may be touched."""
        held = None
        for address in dict.fromkeys((own, *self._never.facts.addresses_of(mac))):
            try:
                target = self._touchable(address)
            except (_Refusal, TargetError):
                continue
            held = self._hold_limit(target, order.evidence, order.cause, LIMIT_SECONDS, now) or held
        if held is None:
            raise _Refusal(why)
        return _done(order, mac, "limited", held, now, why)

    def _own_address(self, text: str) -> str:
        """The IPv4 address that a quarantined host may go on claiming, "" when unknown."""
        if not text:
            return ""
        target = parse_target(text)
        if target.suffix != "4":
            raise TargetError(f"{text} is no IPv4 address")
        return "" if self._never.reason(target) else target.key

    # What a person asks --------------------------------------------------------------------

    def block_by_hand(self, address: str, seconds: int, why: str, now: float) -> Enforced:
        """An operator's block: for exactly so long, never shed; refused for the untouchable."""
        order = Block("", address, seconds, why, 0)
        try:
            target = self._touchable(address)
            if not 0 < seconds <= LONGEST * 365:
                raise _Refusal(f"{seconds} s is no time for a block")
            name = f"block{target.suffix}"
            hold = self._put(name, target.key, "", why, seconds, now, operator=True)
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
            self._offenders.pardon(target.text, now)
            return any([self._drop(f"{v}{target.suffix}", target.key) for v in ("block", "limit")])
        self._offenders.pardon(mac, now)
        self._drop_claims(mac)
        return self._drop(QUARANTINE, mac)

    def held(self) -> Iterator[tuple[str, Hold]]:
        """Everything that is held, by set."""
        for name, table in self._tables.items():
            for hold in table:
                yield name, hold

    @property
    def limited(self) -> bool:
        """Whether there are limits, whose counters must be looked at."""
        return any(len(self._tables[name]) for name in LIMITS)

    def why_never(self, address: str) -> str | None:
        """Why an address, /64 or MAC may not be touched, or None; ``TargetError``."""
        try:
            mac = parse_mac(address)
        except TargetError:
            return self._never.reason(parse_target(address))
        return self._never.reason_of_mac(mac)

    def names_of(self, name: str) -> frozenset[str]:
        """Under which names it may be held: itself, and the /64 of an IPv6 address."""
        try:
            return frozenset({parse_mac(name)})
        except TargetError:
            target = parse_target(name)
        if target.suffix != "6":
            return frozenset({target.text})
        return frozenset({target.text, str(ip_network(f"{target.key}/64", strict=False))})

    def release(self) -> int:
        """Let everybody go, whoever set it; how many were held."""
        number = 0
        for name, table in self._tables.items():
            for hold in list(table):
                number += self._drop(name, hold.key)
        self.cut.clear()
        return number

    def set_settings(self, settings: EnforcerConfig) -> None:
        """New settings; sizes of tables stay as they are. New facts must follow."""
        self._settings = settings
        self._allow = parse_allow(settings.allow)

    # Time, facts and what was kept ---------------------------------------------------------

    def expire(self, now: float) -> None:
        """Forget what has ended; the kernel has done so by itself."""
        for table in self._tables.values():
            table.expire(now)

    def renew(self, now: float, look: Callable[[str], Iterable[Held]]) -> None:
        """Renew the limits that end soon and whose counter moved; ``look`` reads a set."""
        for name in LIMITS:
            table = self._tables[name]
            due = {h.key: h for h in table if h.until - now <= RENEW_BEFORE}
            for element in look(name) if due else ():
                hold = due.get(element.key)
                if hold is not None and element.packets > 0:
                    hold.until = now + LIMIT_SECONDS
                    self.elements.append(Element(name, hold.key, LIMIT_SECONDS, there=True))

    def set_facts(self, facts: Facts) -> None:
        """New facts: whoever may not be touched any more is let go."""
        self._never = NeverBlock(facts, self._allow, self._settings.management)
        for name in (*BLOCKS, *LIMITS):
            suffix = name.removeprefix("block").removeprefix("limit")
            for hold in list(self._tables[name]):
                if self._never.reason(Target(suffix, hold.key)):
                    self._drop(name, hold.key)
        for hold in list(self._tables[QUARANTINE]):
            if self._never.reason_of_mac(hold.key):
                self._drop(QUARANTINE, hold.key)
                self._drop_claims(hold.key)
        self._set_sessions(facts)
        gone, new = self._own_macs - facts.own_macs, facts.own_macs - self._own_macs
        self.elements += [Element(OWN_MAC, mac, 0) for mac in sorted(gone)]
        self.elements += [Element(OWN_MAC, mac, FOREVER, there=True) for mac in sorted(new)]
        self._own_macs = facts.own_macs

    def everything(self, now: float, *, there: bool) -> Iterator[Element]:
        """All elements, what people and proof put there first.

        ``there``: some may be in their sets, which are not known to be empty.
        """
        for mac in sorted(self._own_macs):
            yield Element(OWN_MAC, mac, FOREVER, there)
        for session in self._welcome:
            yield _session(session, FOREVER)
        for name in (QUARANTINE, CLAIM, *BLOCKS, *LIMITS, *RATES):
            for hold in self._tables[name]:
                if hold.until > now:
                    yield Element(name, hold.key, _remaining(hold, now), there)

    def keep(self, now: float) -> tuple[list[KeptHold], list[KeptOffender]]:
        """What the state file shall hold."""
        holds = [
            KeptHold(n, h.key, _remaining(h, now), h.evidence, h.cause, h.operator, h.offences)
            for n in KEPT
            for h in self._tables[n]
            if h.until > now
        ]
        offenders = [
            KeptOffender(name, o.offences, int(now - o.until))
            for name, o in self._offenders.items()
        ]
        return holds, offenders

    def restore(self, state: State, kernel: dict[str, dict[str, Held]] | None, now: float) -> int:
        """Take up what was kept; how many holds that makes.

        With ``kernel`` (set -> key -> element) the tables outlived the process: what is in them
        holds, for as long as they say, and the file only tells why. Nothing is to be set then.
        """
        for name, offences, quiet in state.offenders:
            self._offenders.remember(name, offences, now - quiet)
        for kept in state.holds:
            if kept.set in KEPT and _is_key(kept.set, kept.key):
                self._restore(kept, kept.remaining, now)
        if kernel is not None:
            self._agree(kernel, now)
        return sum(len(table) for table in self._tables.values())

    def _agree(self, kernel: dict[str, dict[str, Held]], now: float) -> None:
        for name, elements in kernel.items():
            table = self._tables[name]
            for hold in list(table):
                if hold.key not in elements:
                    table.remove(hold.key)
            for key, element in elements.items():
                if known := table.get(key):
                    known.until = now + element.seconds
                else:
                    kept = KeptHold(name, key, 0, "", "set before a restart", False, 0)
                    self._restore(kept, element.seconds, now)
        for hold in list(self._tables[CLAIM]):
            if hold.key.partition(" ")[0] not in kernel.get(QUARANTINE, {}):
                self._tables[CLAIM].remove(hold.key)

    def _restore(self, kept: KeptHold, seconds: float, now: float) -> None:
        _, key, _, evidence, cause, operator, offences = kept
        until = now + max(1.0, seconds)
        hold = Hold(key, until, evidence, cause, operator, offences)
        try:
            shed = self._tables[kept.set].put(hold)
        except FullError:
            self.elements.append(Element(kept.set, key, 0))
            return
        if shed is not None:
            self.elements.append(Element(kept.set, shed.key, 0))

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
        known = self._tables[name].get(target.key)
        if known is None or known.until <= now:
            seconds = self._lengthened(target.text, seconds, now)
        hold = self._put(name, target.key, evidence, cause, seconds, now)
        self._offended(target.text, hold, now)
        self._drop(f"limit{target.suffix}", target.key)
        self.cut.append(target)
        return hold

    def _hold_limit(
        self, target: Target, evidence: str, cause: str, seconds: int, now: float
    ) -> Hold | None:
        """None when there are too many new ones already."""
        name = f"limit{target.suffix}"
        if self._tables[name].get(target.key) is None and not self._limits.allows(now):
            return None
        return self._put(name, target.key, evidence, cause, seconds, now)

    def _put(
        self,
        name: str,
        key: str,
        evidence: str,
        cause: str,
        seconds: int,
        now: float,
        *,
        operator: bool = False,
    ) -> Hold:
        """Hold it at least so long; what is held already for longer stays as it is."""
        table = self._tables[name]
        known = table.get(key)
        if known is not None and not operator and known.until >= now + seconds:
            return known
        offences = known.offences if known else self._offenders.offences(_offender(name, key), now)
        by_hand = operator or (known is not None and known.operator)
        hold = Hold(key, now + seconds, evidence, cause, by_hand, offences)
        shed = table.put(hold)
        if shed is not None:
            self.elements.append(Element(name, shed.key, 0))
        self.elements.append(Element(name, key, seconds, there=known is not None))
        return hold

    def _drop(self, name: str, key: str) -> bool:
        if self._tables[name].remove(key) is None:
            return False
        self.elements.append(Element(name, key, 0))
        return True

    def _drop_claims(self, mac: str) -> None:
        for hold in list(self._tables[CLAIM]):
            if hold.key.startswith(mac):
                self._drop(CLAIM, hold.key)

    def _rate(self, order: Limit, now: float) -> str:
        if not order.victim or order.proto not in ("tcp", "udp") or not 0 < order.port < 65536:
            raise _Refusal("there are too many new limits")
        victim = parse_target(order.victim)
        if victim.suffix == "64":
            raise _Refusal("there are too many new limits")
        key = f"{victim.key} . {order.proto} . {order.port}"
        self._put(f"rate{victim.suffix}", key, order.evidence, order.cause, LIMIT_SECONDS, now)
        return f"{victim.key} {order.proto} {order.port}"

    def _lengthened(self, name: str, seconds: int, now: float) -> int:
        return lengthened(seconds, self._offenders.offences(name, now))

    def _offended(self, name: str, hold: Hold, now: float) -> None:
        """Count the offence once a hold: one that is lengthened while it holds is the same."""
        counted = self._offenders.offences(name, now)
        first = hold.offences == counted
        self._offenders.remember(name, counted + 1 if first else counted, hold.until)

    def _observed(self, evidence: str, name: str, what: str) -> Enforced:
        return Enforced(evidence, name, "observed", 0, f"it would be {what}")

    # Logged-in addresses -------------------------------------------------------------------

    def _end_welcome(self, address: str, port: int) -> None:
        """Whoever guesses passwords at a port is no friend there, logged in or not."""
        self._unwelcome.repeated(f"{address} {port}")
        if (address, port) in self._welcome:
            del self._welcome[(address, port)]
            self.elements.append(_session((address, port), 0))

    def _set_sessions(self, facts: Facts) -> None:
        wanted = {
            s: None
            for s in sorted(facts.sessions)
            if f"{s[0]} {s[1]}" not in self._unwelcome and self._inside(s[0])
        }
        self.elements += [_session(s, 0) for s in self._welcome if s not in wanted]
        self.elements += [_session(s, FOREVER) for s in wanted if s not in self._welcome]
        self._welcome = wanted

    def _inside(self, address: str) -> bool:
        """Whether an address is in a network of an inside interface."""
        host, facts = ip_address(address), self._never.facts
        return any(
            c.interface not in facts.outside
            and c.network.version == host.version
            and host in c.network
            for c in facts.connected
        )


def _check(order: Order) -> None:
    if not 0 < len(order.evidence) <= _LONGEST_TEXT or len(order.cause) > _LONGEST_TEXT:
        raise _Refusal("its evidence has no proper id or type")
    if not 0 < order.seconds <= LONGEST:
        raise _Refusal(f"{order.seconds} s is not between 1 s and a day")


def _done(order: Order, name: str, outcome: str, hold: Hold, now: float, why: str) -> Enforced:
    return Enforced(order.evidence, name, outcome, _remaining(hold, now), why)


def _remaining(hold: Hold, now: float) -> int:
    return max(1, round(hold.until - now))


def _offender(name: str, key: str) -> str:
    """The name that an offender is remembered by."""
    return f"{key}/64" if name.endswith("64") else key


def _session(session: tuple[str, int], seconds: int) -> Element:
    address, port = session
    name = SESSIONS[":" in address]
    return Element(name, f"{address} . {port}", seconds, there=seconds != 0)


def _is_key(name: str, key: str) -> bool:
    """Whether a text from the state file is what may stand in that set."""
    try:
        if name == QUARANTINE:
            return parse_mac(key) == key
        if name == CLAIM:
            mac, _, address = key.partition(" . ")
            return parse_mac(mac) == mac and parse_target(address) == Target("4", address)
        suffix = name.removeprefix("block")
        text = f"{key}/64" if suffix == "64" else key
        return parse_target(text) == Target(suffix, key)
    except TargetError:
        return False
