"""What is held in our sets and who offended before: bounded, kept over a restart. Pure.

Whoever changes something here finds what is to be done about it in ``elements``.
"""

from collections.abc import Callable, Iterable, Iterator

from hdr_lite.config import EnforcerConfig
from hdr_lite.enforcer.blocks import FullError, Held, Hold, Offenders, Table, lengthened
from hdr_lite.enforcer.ruleset import BLOCKS, CLAIM, HOSTS, LIMITS, QUARANTINE, RATES, Element
from hdr_lite.enforcer.state import KeptHold, KeptOffender, State
from hdr_lite.enforcer.target import Target, TargetError, parse_mac, parse_target

#: Seconds that a limit or rate holds without being renewed.
LIMIT_SECONDS = 60
#: A limit whose end is nearer than this is looked at, to renew it.
RENEW_BEFORE = 10.0
#: Sets that outlive a restart.
KEPT = (*BLOCKS, QUARANTINE, CLAIM)
#: All sets, what people and proof put there first.
ORDER = (QUARANTINE, CLAIM, *BLOCKS, *LIMITS, *HOSTS, *RATES)


class Holdings:
    """The tables of all sets; ``FullError`` where one holds nothing that may be shed."""

    def __init__(self, settings: EnforcerConfig) -> None:
        self.elements: list[Element] = []
        self._tables = {name: Table(settings.blocks) for name in BLOCKS}
        self._tables |= {name: Table(settings.limits) for name in (*LIMITS, *HOSTS)}
        self._tables |= {name: Table(1024) for name in RATES}
        self._tables |= {name: Table(settings.quarantines) for name in (QUARANTINE, CLAIM)}
        self._offenders = Offenders(2 * settings.blocks, settings.forgive)

    def get(self, name: str, key: str) -> Hold | None:
        """What a set holds under a key."""
        return self._tables[name].get(key)

    def held(self) -> list[tuple[str, Hold]]:
        """Everything that is held, with its set; what people and proof put there first."""
        return [(name, hold) for name in ORDER for hold in self._tables[name]]

    @property
    def limited(self) -> bool:
        """Whether there are limits, whose counters must be looked at."""
        return any(len(self._tables[name]) for name in (*LIMITS, *HOSTS))

    # Holding and letting go ----------------------------------------------------------------

    def put(
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

    def drop(self, name: str, key: str) -> bool:
        """Let it go; whether it was held."""
        if self._tables[name].remove(key) is None:
            return False
        self.elements.append(Element(name, key, 0))
        return True

    def drop_parts(self, names: Iterable[str], part: str) -> bool:
        """Let go what has that address or MAC as a part of its key; whether there was any."""
        found = [(n, h.key) for n in names for h in self._tables[n] if part in h.key.split(" . ")]
        return any([self.drop(name, key) for name, key in found])

    def lengthened(self, name: str, seconds: int, now: float) -> int:
        """The time of its next block."""
        return lengthened(seconds, self._offenders.offences(name, now))

    def offended(self, name: str, hold: Hold, now: float) -> None:
        """Count the offence once a hold: one that is lengthened while it holds is the same."""
        counted = self._offenders.offences(name, now)
        first = hold.offences == counted
        self._offenders.remember(name, counted + 1 if first else counted, hold.until)

    def offences(self, name: str, now: float) -> int:
        """Earlier blocks that still count."""
        return self._offenders.offences(name, now)

    def pardon(self, name: str, now: float) -> None:
        """A person says it was no offence."""
        self._offenders.pardon(name, now)

    # Time, and what outlives us ------------------------------------------------------------

    def expire(self, now: float) -> None:
        """Forget what has ended; the kernel has done so by itself."""
        for table in self._tables.values():
            table.expire(now)

    def renew(self, now: float, look: Callable[[str], Iterable[Held]]) -> None:
        """Renew the limits that end soon and whose counter moved; ``look`` reads a set."""
        for name in (*LIMITS, *HOSTS):
            table = self._tables[name]
            due = {h.key: h for h in table if h.until - now <= RENEW_BEFORE}
            for element in look(name) if due else ():
                hold = due.get(element.key)
                if hold is not None and element.packets > 0:
                    hold.until = now + LIMIT_SECONDS
                    self.elements.append(Element(name, hold.key, LIMIT_SECONDS, there=True))

    def everything(self, now: float, *, there: bool) -> Iterator[Element]:
        """All elements, what people and proof put there first.

        ``there``: some may be in their sets, which are not known to be empty.
        """
        for name, hold in self.held():
            if hold.until > now:
                yield Element(name, hold.key, remaining(hold, now), there)

    def keep(self, now: float) -> tuple[list[KeptHold], list[KeptOffender]]:
        """What the state file shall hold."""
        holds = [
            KeptHold(n, h.key, remaining(h, now), h.evidence, h.cause, h.operator, h.offences)
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


def remaining(hold: Hold, now: float) -> int:
    """Whole seconds until it ends."""
    return max(1, round(hold.until - now))


def _offender(name: str, key: str) -> str:
    """The name that an offender is remembered by."""
    return f"{key}/64" if name.endswith("64") else key


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
