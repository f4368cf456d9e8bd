"""Carries out what ``orders`` decided: tables, elements, connections, the state file.

The kernel holds what is enforced and forgets it by itself; this object keeps the kernel's
tables as they should be, whoever else changes them, and keeps what must outlive it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hdr_lite.config import Config
from hdr_lite.enforcer.armed import Armed, ArmedFile
from hdr_lite.enforcer.blocks import Held
from hdr_lite.enforcer.cut import Cutter
from hdr_lite.enforcer.interfaces import Interfaces
from hdr_lite.enforcer.monitor import Monitor, held
from hdr_lite.enforcer.netlink import NetlinkError
from hdr_lite.enforcer.never_block import Facts
from hdr_lite.enforcer.nft import Nft, NftError
from hdr_lite.enforcer.orders import Orders
from hdr_lite.enforcer.prober import Prober
from hdr_lite.enforcer.ruleset import (
    BLOCKS,
    HOSTS,
    LIMITS,
    QUARANTINE,
    RATES,
    Element,
    removal,
    skeleton,
    table_name,
    transactions,
)
from hdr_lite.enforcer.state import State, StateError, load, save
from hdr_lite.enforcer.target import Target
from hdr_lite.records.verb import Enforced, Order, Quarantine

#: Bytes of state that may be written in a day, whatever the interval: flash wears out.
WRITTEN_A_DAY = 4_000_000
_DAY = 86400.0


class Enforcer:
    """One instance's tables in this network namespace.

    ``clock`` gives seconds that never step (CLOCK_BOOTTIME), ``facts`` the facts of now,
    ``tell`` takes what a person should read; ``interfaces`` are blocked on by one instance only.
    """

    def __init__(
        self,
        config: Config,
        instance: str,
        cutter: Cutter,
        clock: Callable[[], float],
        facts: Callable[[], Facts],
        tell: Callable[[str], None],
        interfaces: Interfaces,
    ) -> None:
        self.orders = Orders(config.enforcer)
        self.monitor = Monitor(table_name(instance))
        self._config = config
        self._table = table_name(instance)
        self._cutter = cutter
        self._clock = clock
        self._facts = facts
        self._tell = tell
        self._interfaces = interfaces
        self._nft = Nft()
        self._families: tuple[str, ...] = ()
        self._problems: list[str] = []  #: what cannot be stopped, in words
        self._state = state_path(config, instance)
        self._off = self._state.with_name(self._state.name + ".off")  #: there: a panic holds
        self._armed = ArmedFile(self._state.with_name(self._state.name + ".armed"))
        self._until: float | None = None  #: when an arming ends that nobody has confirmed
        self._harmed = False  # told while something else was done
        self._changed = False  # since the state file was written
        self._unsaved = False  # the last time it could not be
        self._saved, self._written = clock(), 0
        self._facts_at = float("-inf")
        self._outcomes: Counter[str] = Counter()  #: of orders since the start

    # The whole -----------------------------------------------------------------------------

    def begin(self) -> str:
        """Facts, kept blocks, tables; in words what holds now.

        ``NftError``: nothing does. ``UserError``: another instance blocks on our interfaces.
        """
        if self._off.exists():
            self.orders.mode = "observe"
        elif armed := self._armed.load():
            self.orders.mode, self._until = armed
        self._lapse()
        self.refresh_facts()
        there = self._kernel()
        number = self.orders.holdings.restore(self._kept(), there, self._clock())
        if self.orders.mode == "observe":
            self._remove_tables()
            self._interfaces.give_back()  # which one that died may have left taken
            return "mode observe: nothing is touched, what would be done is told"
        self._interfaces.take()
        self._make_tables(empty=there is None)
        words = [f"mode {self.orders.mode}"]
        words += [f"{number} kept from before"] if number else []
        return "; ".join(words + self._problems)

    def set_mode(self, mode: str) -> str:
        """Change what is done from now on; ``observe`` lets everybody go. ``UserError``."""
        if mode != "observe":
            self._interfaces.take()
        before, self.orders.mode = self.orders.mode, mode
        if mode == "observe":
            self._remove_tables()
            self._interfaces.give_back()
        elif before == "observe":
            self._make_tables(empty=True)
        return f"mode {mode}"

    def reload(self, config: Config, facts: Callable[[], Facts]) -> None:
        """New settings: who may not be touched, ports, times; a new mode only if it changed."""
        changed = config.enforcer.mode != self._config.enforcer.mode
        self._config, self._facts = config, facts
        self.orders.set_settings(config.enforcer)
        self.refresh_facts()
        if changed and not self._off.exists():
            self._until = None
            self._armed.forget()
            self.set_mode(config.enforcer.mode)
        if self.orders.mode != "observe":
            self._make_tables(empty=False)

    def end(self) -> None:
        """Keep what must be kept; take the tables away if the settings say so."""
        self.save()
        self._armed.forget()
        if self._config.enforcer.on_stop == "remove":
            self._remove_tables()
        self.monitor.close()

    # Orders --------------------------------------------------------------------------------

    def take(self, order: Order) -> Enforced | None:
        """Judge an order; :meth:`apply` does what came of it. None: over the pace, or on trial."""
        if self._clock() - self._facts_at > 1.0 and isinstance(order, Quarantine):
            self.refresh_facts()  # the neighbour table tells no news worth listening to
        answer = self.orders.take(order, self._clock())
        if answer is not None:
            self._outcomes[answer.outcome] += 1
        return answer

    def begin_trials(self, prober: Prober) -> list[Enforced]:
        """Ask those who are accused of false claims; answers about those who cannot be asked."""
        trials, self.orders.trials = self.orders.trials, []
        answers = []
        for order in trials:
            suspect = self.orders.suspect(order)
            doubt = f"{order.address or order.mac} is no neighbour that can be asked"
            if suspect is not None:
                doubt = prober.begin(order, suspect, self.orders.bridge_ports)
            if doubt:
                answers.append(self.conclude(order, doubt))
        return answers

    def conclude(self, order: Quarantine, doubt: str) -> Enforced:
        """A trial is over: a quarantine, or why there is none."""
        if not doubt:
            self.refresh_facts()
        answer = self.orders.conclude(order, doubt, self._clock())
        self._outcomes[answer.outcome] += 1
        return answer

    def apply(self) -> None:
        """Everything judged since the last time, in as few transactions as can be."""
        elements = self._changes()
        if not elements or self.orders.mode == "observe":
            return
        self._changed = True
        try:
            self._set(elements)
        except NftError:  # somebody took the tables away and we did not hear of it yet
            self.rebuild("a change was refused")

    def cut(self) -> None:
        """Delete the connections of those who were blocked since the last time.

        The rules drop their packets already. The kernel walks its whole table for this (16 ms
        for 262,144 buckets), so that orders come first and one walk serves many of them.
        """
        doomed, self.orders.cut = self.orders.cut, []
        try:
            self._cutter.cut(doomed)
        except OSError as error:
            self._tell(f"connections of the blocked could not be cut: {error.strerror}")

    # What a person asks --------------------------------------------------------------------

    def block_by_hand(self, address: str, seconds: int, why: str) -> Enforced:
        """A person's block, done."""
        done = self.orders.block_by_hand(address, seconds, why, self._clock())
        self.apply()
        return done

    def unblock(self, name: str) -> bool:
        """Let an address, /64 or MAC go; whether it was held. ``TargetError``."""
        was_held = self.orders.unblock(name, self._clock())
        self.apply()
        return was_held

    def release(self) -> int:
        """Let everybody go, people's blocks too; how many were held."""
        number = self.orders.release()
        self.apply()
        return number

    def arm(self, mode: str, confirm: int | None = None) -> str:
        """A person's choice of mode, until the service's next start; it ends a panic.

        With ``confirm`` it is observe again after so many seconds, unless :meth:`confirm` comes.
        """
        state = self.set_mode(mode)
        with suppress(FileNotFoundError):
            self._off.unlink()
        self._until = None if confirm is None else self._clock() + confirm
        self._keep_choice()
        if confirm is None:
            return state
        return f"{state} for {confirm} s, then observe unless 'hdr-lite arm --confirmed' comes"

    def confirm(self) -> str:
        """A person still reaches us and wants it to stay so."""
        if self._until is None:
            return f"mode {self.orders.mode}; there was nothing to confirm"
        self._until = None
        self._keep_choice()
        return f"mode {self.orders.mode}, confirmed"

    @property
    def until(self) -> float | None:
        """When an arming ends unless it is confirmed, on our clock."""
        return self._until

    def _keep_choice(self) -> None:
        try:
            self._armed.save(Armed(self.orders.mode, self._until))
        except OSError as error:
            self._tell(f"the mode could not be kept for a restart: {error.strerror}")

    def _lapse(self) -> None:
        """Back to observe when nobody has confirmed in time."""
        if self._until is not None and self._clock() >= self._until:
            mode, self._until = self.orders.mode, None
            self.set_mode("observe")
            self._armed.forget()
            self._tell(f"nobody confirmed mode {mode} in time: mode observe, all are let go")

    def panic(self) -> str:
        """Everybody goes, the tables too, and it stays so over restarts until :meth:`arm`."""
        self.orders.release()
        self.orders.elements.clear()
        self._until = None
        self._armed.forget()
        state = self.set_mode("observe")
        self._changed = True
        try:
            self._off.write_bytes(b"")  # touch() needs a call that is not on our list
        except OSError as error:
            self._tell(f"that all is off could not be kept in {self._off}: {error.strerror}")
        self.save()
        return f"all is let go, nothing is touched: {state}"

    def holds(self) -> Iterator[dict[str, Any]]:
        """What is held, in words: what people and proof put there first."""
        now = self._clock()
        for name, hold in self.orders.holdings.held():
            if hold.until > now:
                yield {
                    "set": name,
                    "target": Target("64", hold.key).text if name.endswith("64") else hold.key,
                    "seconds": round(hold.until - now),
                    "cause": hold.cause,
                    "evidence": hold.evidence,
                    "by_hand": hold.operator,
                    "offences": hold.offences,
                }

    def why(self, name: str) -> dict[str, Any]:
        """How an address or MAC stands: what holds it, why it may not be touched, what it keeps."""
        names = self.orders.names_of(name)
        return {
            "target": name,
            "mode": self.orders.mode,
            "never": self.orders.why_never(name),
            "sessions": list(self.orders.sessions_of(name)),
            "offences": self.orders.offences_of(name, self._clock()),
            "held": [h for h in self.holds() if not names.isdisjoint(h["target"].split(" . "))],
        }

    def figures(self) -> dict[str, Any]:
        """For ``hdr-lite status``."""
        held = Counter(
            name for name, hold in self.orders.holdings.held() if hold.until > self._clock()
        )
        return {
            "mode": self.orders.mode,
            "panic": self._off.exists(),
            "unconfirmed": None if self._until is None else round(self._until - self._clock()),
            "blocks": sum(held[name] for name in BLOCKS),
            "limits": sum(held[name] for name in (*LIMITS, *HOSTS)),
            "rates": sum(held[name] for name in RATES),
            "quarantined": held[QUARANTINE],
            "outcomes": dict(self._outcomes) | {"too fast": self.orders.too_fast},
            "families": list(self._families),
            "blind": self._blind(),
        }

    # Time and news -------------------------------------------------------------------------

    def heed(self) -> None:
        """Read the monitor: when somebody else harmed our tables, make them whole."""
        harmed = self.monitor.harmed() or self._harmed
        self._harmed = False
        if harmed and self.orders.mode != "observe":
            self.rebuild("somebody else changed them")

    def rebuild(self, why: str) -> None:
        """Rules and everything that is still valid, again."""
        self.orders.holdings.expire(self._clock())
        self._make_tables(empty=True, there=self._is_there())
        number = sum(1 for _ in self.orders.holdings.held())
        self._tell(f"the tables of nftables were made again ({why}): {number} held")

    def tick(self) -> None:
        """What time brings: ends, renewals, the state file."""
        now = self._clock()
        self._lapse()
        self.orders.holdings.expire(now)
        if self.orders.mode != "observe":
            self.orders.holdings.renew(now, self._look)
        self.apply()
        if self._changed and now - self._saved >= self._save_interval():
            self.save()

    def refresh_facts(self) -> None:
        """Ask the kernel and the files again; whoever may not be touched any more is let go."""
        self._facts_at, had_bridge = self._clock(), self.orders.has_bridge
        self.orders.set_facts(self._facts())
        if self._families and self.orders.has_bridge and not had_bridge:
            self._make_tables(empty=True, there=True)

    def save(self) -> None:
        """Write the state file now; a disk that takes nothing is told once and tried again."""
        self._saved = self._clock()
        try:
            self._written = save(self._state, *self.orders.holdings.keep(self._saved))
        except OSError as error:
            self._changed = True
            if not self._unsaved:
                self._tell(f"blocks could not be kept in {self._state}: {error.strerror}")
            self._unsaved = True
        else:
            self._changed = self._unsaved = False

    def _save_interval(self) -> float:
        """Seconds between writes: longer for a large file."""
        return max(self._config.enforcer.state_interval, _DAY * self._written / WRITTEN_A_DAY)

    # Tables --------------------------------------------------------------------------------

    def _make_tables(self, *, empty: bool, there: bool = False) -> None:
        """Rules, and all elements if the sets are empty or, with ``there``, may be so."""
        problems = []
        made = []
        for family in ("inet", "arp", "bridge"):
            if family == "bridge" and not self.orders.has_bridge:
                continue  # sets of its own, for nothing
            try:
                self._make(family)
                made.append(family)
            except NftError as error:
                if family == "inet":
                    raise
                problems.append(_without(family, error))
        self._families, self._problems = tuple(made), problems
        self.monitor.learn()
        elements = self._changes()
        wanted = self.orders.everything(self._clock(), there=there) if empty else elements
        self._set(wanted)

    def _blind(self) -> list[str]:
        """What cannot be stopped now, in words."""
        if self._families and self.orders.has_bridge:
            return [*self._problems, "what limited hosts on one bridge open to each other"]
        return self._problems

    def _changes(self) -> list[Element]:
        """What is to be done, which from here on is ours to do."""
        elements = list(self.orders.elements)
        self.orders.elements.clear()
        return elements

    def _set(self, elements: Iterable[Element]) -> None:
        """Carry out changes of sets; what the monitor tells meanwhile is read as it comes."""
        for text in transactions(self._table, self._families, elements):
            self._nft.run(text)
            self._harmed |= self.monitor.harmed()

    def _make(self, family: str) -> None:
        """A table's rules; made from nothing where an older one has other sets."""
        rules = skeleton(family, self._table, self._config)
        try:
            self._nft.run(rules)
        except NftError:
            self._nft.run(removal(family, self._table) + rules)

    def _remove_tables(self) -> None:
        for family in ("inet", "arp", "bridge"):
            try:
                self._nft.run(removal(family, self._table))
            except NftError:
                continue  # a family that this kernel does not have
        self._families = ()

    def _kernel(self) -> dict[str, dict[str, Held]] | None:
        """What our sets hold from before, None when there are no tables."""
        try:
            return {
                name: {element.key: element for element in self._look(name)}
                for name in (QUARANTINE, *BLOCKS, *LIMITS, *HOSTS)
            }
        except NetlinkError:
            return None

    def _is_there(self) -> bool:
        """Whether our main table still has its sets."""
        try:
            list(self._look(QUARANTINE))
        except NetlinkError:
            return False
        return True

    def _look(self, name: str) -> Iterable[Held]:
        return held(self._table, name)

    def _kept(self) -> State:
        try:
            return load(self._state)
        except (StateError, OSError) as error:
            self._tell(f"{self._state} is of no use, no block is taken from it: {error}")
            return State()


def state_path(config: Config, instance: str) -> Path:
    """The file that keeps blocks: of several instances each has its own."""
    path = Path(config.enforcer.state)
    return path.with_name(f"{path.stem}-{instance}{path.suffix}") if instance else path


def _without(family: str, error: NftError) -> str:
    what = {
        "arp": "false ARP claims to this device",
        "bridge": "what passes from port to port of a bridge",
    }
    return f"{what[family]} cannot be stopped ({family}: {error})"
