"""The engine process: records from the ring, turns, evidence, alerts, outputs, again.

A round is a few hundred records. Its steps, in this order:

1. each record moves traffic time and touches its profile; where time passes the end of the
   present window, the round is cut in two and the window closes between the halves;
2. the records go to the modules that read them, and each takes its turns;
3. what the modules found becomes evidence and alerts, which go to the outputs;
4. the outputs are flushed, and only then are the records given back to the ring.

In replay a round ends at records of fixed numbers, whatever arrived together, and goes on
until no module has anything left to do: the same file gives the same bytes. Live, a round
is what is there, and one turn for each module.
"""

import json
import select
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from hdr_lite import __version__
from hdr_lite.config import Config, ConfigError, restore
from hdr_lite.engine.bus import Bus, Delivery
from hdr_lite.engine.casebook import Casebook
from hdr_lite.engine.ends import Link, Reader
from hdr_lite.engine.facts import figures, summarize
from hdr_lite.engine.ledger import Ledger
from hdr_lite.engine.loader import Found, find
from hdr_lite.engine.output import Output, Outputs
from hdr_lite.engine.profiles import Home
from hdr_lite.engine.reload import reseat
from hdr_lite.engine.scheduler import MOST_PASSES, Scheduler
from hdr_lite.engine.seat import RunFailed, Seat, Table
from hdr_lite.engine.turn import REPLAY_DEADLINE, Clock
from hdr_lite.engine.windows import Windows
from hdr_lite.link.codec import (
    Answer,
    Digest,
    Done,
    Failed,
    Finish,
    Notice,
    Reload,
    Request,
)
from hdr_lite.link.figures import own_memory
from hdr_lite.module.base import Module
from hdr_lite.records.flow import Stats
from hdr_lite.records.kind import Kind
from hdr_lite.records.verb import Enforced

#: Records of a round: in replay it ends after each record whose number is a multiple.
ROUND = 256
#: Milliseconds between signs of life of a parent that hashes the input.
DIGEST_PATIENCE = 60_000

#: Where each kind of record names who it is about, and whom that spoke to.
_SOURCE = {
    Kind.CONN: 2,
    Kind.FATE: 2,
    Kind.FLOW: 2,
    Kind.FOLDED_FLOW: 2,
    Kind.ATTEMPTS: 3,
    Kind.DNS: 2,
    Kind.HTTP: 2,
    Kind.TLS: 2,
    Kind.SSH: 2,
    Kind.SSH_LOGIN: 2,
    Kind.ARP: 3,
    Kind.PROBES: 1,
}
_FLOWS = (Kind.FLOW, Kind.FOLDED_FLOW)
#: Channels of ours that tell of traffic: somebody who reads one needs records of it.
_TRAFFIC_CHANNELS = ("new_ip", "new_profile", "tw_modified", "tw_closed")


class Engine:
    """One engine. Made in the parent, so that what is wanted is known; run in its process."""

    def __init__(self, config: Config, *, replay: bool, deadline: float = REPLAY_DEADLINE) -> None:
        """Find the modules and call their ``init()``. ``deadline`` of a turn in replay, in s."""
        self._config = config
        self._replay = replay
        #: Name and reason of what went wrong before there were outputs.
        self.problems: list[tuple[str, str]] = []
        self._link: Link | None = None
        self._outputs = Outputs(self._complain, patient=not replay)
        self._ledger: Ledger | None = None
        self._windows = Windows(config.detection.window)
        self._home = Home(config.detection.home)
        self._bus = Bus()
        self._casebook = Casebook(
            home=self._home,
            windows=self._windows,
            outputs=self._outputs,
            announce=self._announce,
            profiles=config.detection.profiles,
            threshold=round(config.detection.threshold * 1000),
        )
        self._clock = Clock(config.scheduler.quantum, deadline if replay else 0.0)
        self._table = Table(
            bus=self._bus,
            home=self._home,
            windows=self._windows,
            casebook=self._casebook,
            clock=self._clock,
            log=self._log,
            error=self._error,
            failures=config.scheduler.failures,
            queue=config.scheduler.queue,
            replay=replay,
        )
        self.modules, problems = find(config.modules)
        for name, reason in problems:
            self._error(name, reason)
        self._seats = self._seat_all()
        self.kinds = self._kinds()  #: of record that anybody reads, for the ring's reader
        self._scheduler = Scheduler(self._seats, config.scheduler.quantum, replay)
        self._records: Counter[Kind] = Counter()
        self._stats: Stats | None = None
        self._sha256 = ""
        self._finish = False
        self._pending: list[Delivery] = []
        self._reader: Reader | None = None

    @property
    def wanted(self) -> int:
        """A bit for each of ``kinds``, for the meter."""
        return sum(1 << kind for kind in self.kinds)

    def is_inside(self, address: str) -> bool:
        """Whether an address is of the watched network."""
        return self._home.is_inside(address)

    def _kinds(self) -> tuple[Kind, ...]:
        kinds = {*self._bus.kinds(), Kind.CLOCK, Kind.STATS}
        if self._config.output.flows:
            kinds.update(_FLOWS)
        if any(self._bus.subscribed(name) for name in _TRAFFIC_CHANNELS):
            kinds.add(Kind.CONN)
        return tuple(sorted(kinds))

    def channels(self) -> dict[str, list[str]]:
        """Module -> the channels that it subscribed to, for those that run."""
        return {seat.name: seat.channels() for seat in self._seats}

    def run(
        self,
        reader: Reader,
        outputs: Sequence[Output],
        link: Link,
        ledger: Ledger | None = None,
        steps: Callable[[], int] | None = None,
    ) -> int:
        """The engine process from start to end: exit status 0, or 1 when anything failed.

        With a ledger it goes on where one that was killed had come to. ``steps`` tells by how much
        the wall clock was set (``Outputs.open``). ``LinkClosed`` when the parent is gone.
        """
        self._link, self._reader = link, reader
        self._started = time.monotonic()
        self._ledger = self._casebook.ledger = ledger
        self._outputs.open(outputs, ledger, steps)
        for name, reason in self.problems:
            self._error(name, reason)
        names = ", ".join(seat.name for seat in self._seats) or "no module"
        self._log("engine", f"HDR-lite {__version__} runs {names}", 1, 0)
        with self._clock:
            try:
                for seat in self._seats:
                    seat.begin()
                self._outputs.flush()
                (self._read_all if self._replay else self._watch)(reader, link)
                self._end()
                failed = bool(self._outputs.given_up)
            except RunFailed as error:
                self._outputs.error(self._table.now, str(error))
                link.send(Failed(str(error), 1))
                failed = True
        if self._replay:
            self._await_digest(link)
        self._outputs.summary(self._facts(reader))
        self._outputs.close()
        failed = failed or bool(self._outputs.given_up)
        link.send(self._done())
        return int(failed)

    # The two loops ------------------------------------------------------------------------

    def _read_all(self, reader: Reader, link: Link) -> None:
        hear = partial(self._hear, link)
        while not reader.ended:
            deliveries = reader.read_exact(ROUND, link.fileno(), hear)
            if not deliveries and self._finish:
                break
            for delivery in deliveries:
                self._pending.append(delivery)
                if delivery[0] % ROUND == 0:
                    self._round_of_pending()
            reader.commit()
        self._round_of_pending()

    def _round_of_pending(self) -> None:
        pending, self._pending = self._pending, []
        self._round(pending)

    def _watch(self, reader: Reader, link: Link) -> None:
        poll = select.poll()
        poll.register(reader, select.POLLIN)
        poll.register(link, select.POLLIN)
        heard = select.poll()
        heard.register(link, select.POLLIN)
        while not reader.ended:
            deliveries = reader.read(ROUND)
            if deliveries or self._scheduler.backlog():
                self._round(deliveries)
                reader.commit()
                if heard.poll(0):  # under load, too
                    self._hear(link)
            elif self._finish:
                break
            elif reader.arm() and link.fileno() in dict(poll.poll()):
                self._hear(link)

    def _hear(self, link: Link) -> bool:
        """Take what the parent sent; whether the sensor is gone."""
        for message in link.receive():
            match message:
                case Digest():
                    self._sha256 = message.sha256
                case Finish():
                    self._error("engine", f"{message.reason}: only what had arrived is reported")
                    self._finish = True
                case Request():
                    link.send(Answer(message.number, json.dumps(self._figures(message))))
                case Notice():
                    self._outputs.error(self._table.now, message.text)
                    self._outputs.flush()
                case Enforced():
                    self._casebook.hear(self._table.now, message)
                    self._outputs.flush()
                case Reload():
                    self._reload(message.settings)
        return self._finish

    def _await_digest(self, link: Link) -> None:
        """The parent hashes the input while we work; a large file may take it longer."""
        poll = select.poll()
        poll.register(link, select.POLLIN)
        while not self._sha256 and poll.poll(DIGEST_PATIENCE):
            self._hear(link)

    # A round ------------------------------------------------------------------------------

    def _round(self, deliveries: Sequence[Delivery]) -> None:
        start = 0
        for index, (number, kind, now, record) in enumerate(deliveries):
            if now >= self._windows.end:
                self._serve(deliveries[start:index])
                start = index
                self._enter_window(now, record)
            self._records[kind] += 1
            self._table.record = number
            source = _SOURCE.get(kind)
            if source is not None:
                self._meet(record, source, now)
            elif kind is Kind.STATS:
                self._stats = record
        self._serve(deliveries[start:])
        self._outputs.flush()

    def _meet(self, record: Any, source: int, now: int) -> None:
        casebook = self._casebook
        address = record[source]
        if casebook.seen.get(address) != self._windows.current:
            casebook.touch(address, now)
        if casebook.watch_addresses:
            casebook.meet(address, now)
            casebook.meet(record[source + 2], now)

    def _enter_window(self, now: int, record: Any) -> None:
        windows, ledger = self._windows, self._ledger
        if windows.current:
            self._close_window()
            self._casebook.forget()
            self._outputs.flush()
            windows.advance(now)
        else:
            windows.begin(min(now, getattr(record, "ts", 0) or now))
            if ledger is not None:
                windows.resume(ledger.first, ledger.window)
            self._casebook.watch_addresses = self._bus.subscribed("new_ip")
            if now >= windows.end:
                windows.advance(now)
        if ledger is not None:
            ledger.enter(windows.first, windows.current)

    def _serve(self, deliveries: Sequence[Delivery]) -> None:
        """The turns that these records lead to, and what comes of them."""
        if deliveries:
            self._table.now = max(self._table.now, deliveries[0][2])
        self._scheduler.new_round(self._table.now)
        if deliveries:
            self._table.now = max(self._table.now, deliveries[-1][2])
            self._bus.deliver(deliveries)
            if self._outputs.wants_flows:
                for delivery in deliveries:
                    if delivery[1] in _FLOWS:
                        self._outputs.flow(delivery[3])
        if self._replay:
            self._settle()
        else:
            self._scheduler.one_pass()
            self._casebook.settle()

    def _settle(self) -> None:
        """Turns until nothing is left to do, or modules answer each other without end."""
        for _ in range(MOST_PASSES):
            self._scheduler.one_pass()
            if not self._casebook.settle() and not self._scheduler.backlog():
                return

    def _end(self) -> None:
        """The input has ended: windows close, then modules, then the evidence is final."""
        self._scheduler.new_round(self._table.now)
        self._settle()
        self._close_window()
        self._settle()
        self._announce("control_module", "stop_message")
        self._settle()
        for seat in self._seats:
            seat.stop()
        self._casebook.settle()
        self._casebook.forget()
        self._tell_losses()
        self._outputs.flush()
        if self._ledger is not None:
            self._ledger.clear()

    def _close_window(self) -> None:
        casebook, number = self._casebook, self._windows.current
        casebook.close_window()
        evidence = sum(casebook.evidence.values())
        told = f"{evidence} evidence and {casebook.alerts} alerts so far"
        self._log("engine", f"window {number} is closed: {told}", 3, 0)

    def _tell_losses(self) -> None:
        """What was wrong with the traffic, what was lost of it, what each module took."""
        if self._stats is not None:
            for source in self._stats.sources:  # the terminal has it from the sensor
                if source["error"]:
                    self._outputs.error(self._table.now, f"sensor: {source['error']}")
            for event, count in sorted(self._stats.events.items()):
                self._log("engine", f"malformed packets: {count} of {event}", 0, 2)
            for name, count in sorted(self._stats.counters.items()):
                if count and name.startswith(("dropped.", "evicted_")):
                    self._log("engine", f"lost: {count} of {name}", 0, 2)
        for seat in self._seats:
            figures = seat.figures
            took = f"{figures.turns} turns, {figures.messages} messages, {figures.peak} bytes"
            self._log("engine", f"{seat.name} took {took}", 0, 3)

    # What the parts say -------------------------------------------------------------------

    def _announce(self, channel: str, message: Any) -> None:
        if self._bus.subscribed(channel):
            table = self._table
            now = max(table.now, getattr(message, "ts", 0))
            self._bus.publish(channel, (table.record, None, now, message))

    def _log(self, name: str, text: str, verbose: int, debug: int) -> None:
        """A line for hdr-lite.log and the terminal; the engine's usual ones for the log only."""
        output = self._config.output
        debugged = 0 < debug <= output.debug
        if not debugged and not 0 < verbose <= output.verbose:
            return
        self._outputs.log(self._table.now, name, text)
        if self._link is not None and (debugged or name != "engine" or output.verbose > 1):
            self._link.send(Notice(f"{name}: {text[:1024]}"))

    def _error(self, name: str, reason: str) -> None:
        if self._link is None:
            self.problems.append((name, reason))
        else:
            self._outputs.error(self._table.now, f"{name}: {reason}")
            self._link.send(Notice(f"{name}: {reason}"))

    def _complain(self, text: str) -> None:
        if self._link is not None:
            self._link.send(Notice(text))

    # A service ----------------------------------------------------------------------------

    def _reload(self, settings: str) -> None:
        """New settings; what was learned stays."""
        try:
            config = restore(json.loads(settings))
        except (ValueError, ConfigError) as error:
            self._error("engine", f"the new settings were not taken: {error}")
            return
        self._config = config
        self._casebook.set_threshold(round(config.detection.threshold * 1000))
        self._home.set_networks(config.detection.home)
        self.modules, problems = find(config.modules)
        for name, reason in problems:
            self._error(name, reason)
        for found in self.modules:
            if found.error and found.enabled:
                self._error(found.name, found.error)
        self._seats, done = reseat(self._seats, self.modules, self._seat_late)
        self._scheduler = Scheduler(self._seats, config.scheduler.quantum, self._replay)
        self._log("engine", "; ".join(["new settings", *done]), 1, 0)
        self._outputs.flush()

    def _seat_late(self, found: Found) -> Seat | None:
        """Seat a module and begin it, while the engine runs."""
        if found.module is None:
            return None
        order = 1 + max((seat.order for seat in self._seats), default=-1)
        seat = self._seat(found.name, found.module, order, found.options)
        if seat is not None:
            seat.begin()
        return seat

    def _figures(self, request: Request) -> dict[str, Any]:
        """What ``hdr-lite status`` shows of the engine."""
        facts = figures(
            records=self._records,
            casebook=self._casebook,
            windows=self._windows,
            seats=self._seats,
        )
        reader = self._reader
        if reader is not None:
            facts["malformed_records"] = dict(reader.malformed)
            facts["ring"] = {"used": reader.used, "capacity": reader.capacity}
        wants_memory = bool(json.loads(request.text).get("memory"))
        facts["blind"] = self._outputs.given_up
        facts.update(self._outputs.figures())
        return {**facts, "memory": own_memory() if wants_memory else 0}

    # The end ------------------------------------------------------------------------------

    def _seat_all(self) -> list[Seat]:
        seats: list[Seat] = []
        with self._clock:
            for found in self.modules:
                if found.error and found.enabled:
                    self._error(found.name, found.error)
                if found.runs and found.module is not None:
                    seat = self._seat(found.name, found.module, len(seats), found.options)
                    if seat is not None:
                        seats.append(seat)
        return seats

    def _seat(
        self, name: str, module: type[Module], order: int, options: Mapping[str, Any]
    ) -> Seat | None:
        try:
            seat = Seat(name, module, order, self._table, options, module.budget)
        except (OSError, RuntimeError) as error:
            self._error(name, f"not started: no memory of its own: {error}")
            return None
        failure = seat.start()
        if failure is not None:
            self._error(name, f"not started: {failure.reason}")
            return None
        return seat

    def _done(self) -> Done:
        counters = self._stats.counters if self._stats is not None else {}
        return Done(
            counters.get("packets", 0),
            counters.get("flows", 0),
            sum(self._casebook.evidence.values()),
            self._casebook.alerts,
        )

    def _facts(self, reader: Reader) -> dict[str, Any]:
        return summarize(
            sha256=self._sha256,
            stats=self._stats,
            malformed=reader.malformed,
            records=self._records,
            casebook=self._casebook,
            windows=self._windows,
            seats=self._seats,
            seconds=time.monotonic() - self._started,
        )
