"""One module at the table: its instance, its queue, its figures, and the context it is given.

A module that fails leaves its instance and its queue behind; after a while of traffic time
a fresh instance takes its place, and after so many failures none does.
"""

import gc
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from hdr_lite.engine.bus import Bus, Delivery, Inbox
from hdr_lite.engine.casebook import Casebook, Cause
from hdr_lite.engine.profiles import Home
from hdr_lite.engine.turn import SECOND, Clock, Failure
from hdr_lite.engine.windows import Windows
from hdr_lite.module.base import Module
from hdr_lite.native import Budget
from hdr_lite.records.evidence import Finding

#: Reports and log lines of one module in one round; what goes beyond is counted and left out.
MOST_REPORTS = 4096
MOST_LINES = 256
#: Steps in which a generator took no message, after which it waits for one.
IDLE_STEPS = 64
#: Bytes above its budget at which a module gets ``MemoryError`` in its turn. What it holds
#: beyond its budget when the turn is over fails it all the same; in between, it may be what
#: Python's free lists keep of what it gave back (at most about that much).
SLACK = 256 * 1024
#: Back-off after the first failure; it doubles with each. ns of traffic time.
BACK_OFF = SECOND


class RunFailed(Exception):
    """The run cannot go on and still be the same everywhere: one sentence."""


class State(Enum):
    """Where a module is in its life."""

    RUNNING = auto()
    WAITING = auto()  #: failed, to be started again
    FINISHED = auto()  #: ended by itself
    RETIRED = auto()  #: failed too often, or never started
    STOPPED = auto()  #: with the engine


@dataclass(slots=True)
class Figures:
    """What a module did and cost."""

    turns: int = 0
    messages: int = 0
    cpu: int = 0  #: ns
    overruns: int = 0
    failures: int = 0
    restarts: int = 0
    findings: int = 0
    dropped: int = 0  #: messages that it was too slow, or too broken, to read
    left_out: int = 0  #: reports and log lines beyond what one may say in a round
    memory: int = 0  #: bytes that it holds
    peak: int = 0  #: most that it held


@dataclass(slots=True)
class Table:
    """What all seats share."""

    bus: Bus
    home: Home
    windows: Windows
    casebook: Casebook
    clock: Clock
    log: Callable[[str, str, int, int], None]  #: name, text, verbose, debug
    error: Callable[[str, str], None]  #: name, reason: the line in errors.log
    failures: int  #: after which a module is retired
    queue: int  #: messages that wait for a module at most
    replay: bool  #: an interrupted turn fails the run, as others would be interrupted elsewhere
    now: int = 0  #: traffic time
    record: int = 0  #: number of the last record
    finished: Callable[[str], None] = lambda name: None  #: a module has shut down


class Seat:
    """A module's place. To the module it is the ``Context``."""

    def __init__(
        self,
        name: str,
        make: Callable[["Seat"], Module],
        order: int,
        table: Table,
        options: Mapping[str, Any],
        budget: int = Module.budget,
    ) -> None:
        """``budget``: bytes that the module may hold."""
        self.name = name
        self.order = order
        self.options = options
        self.figures = Figures()
        self.state = State.RETIRED
        self.due = 0  #: when WAITING: traffic time of the next start
        self.budget = Budget(budget + SLACK)
        self._allowed = budget
        self._make = make
        self._table = table
        self._module: Module | None = None
        self._inbox = Inbox(order, table.queue)
        self._steps: Generator[object, None, object] | None = None  # of a main() that yields
        self._idle_steps = 0
        self._ignored = -1  #: letters posted when it looked at its queues and took none
        self._announced = False  #: it published its own end
        self._current: Delivery | None = None
        self._sequence = 0
        self._reports_left = MOST_REPORTS
        self._lines_left = MOST_LINES

    # The context --------------------------------------------------------------------------

    def now(self) -> int:
        """Traffic time of the message under way."""
        return self._current[2] if self._current is not None else self._table.now

    def window(self, ts: int) -> int:
        """Number of the window that holds a time."""
        return self._table.windows.number(ts)

    def is_inside(self, address: str) -> bool:
        """Whether the address belongs to the watched network."""
        judgement = self._table.home.known.get(address)
        if judgement is not None:
            return judgement.inside
        with self._engines_own():
            return self._table.home.is_inside(address)

    def report(self, module: str, finding: Finding) -> str:
        """Take a finding; its id, "" for what is beyond the bound of a round."""
        with self._engines_own():
            if not self._reports_left:
                self.figures.left_out += 1
                return ""
            self._reports_left -= 1
            self.figures.findings += 1
            self._sequence += 1
            record = self._current[0] if self._current is not None else self._table.record
            cause = Cause(record, self.order, self._sequence, self.name, self.now())
            return self._table.casebook.report(cause, finding)

    def subscribe(self, module: Module, channel: str) -> object:
        """Keep messages of a channel for ``get_msg``. ``UnknownChannel``."""
        self._table.bus.read(self._inbox, channel)
        return channel

    def get_msg(self, module: Module, channel: str) -> dict[str, Any] | None:
        """The oldest message of a channel."""
        taken = self._inbox.take(channel)
        if taken is None:
            return None
        envelope, self._current = taken
        self.figures.messages += 1
        return envelope

    def publish(self, module: Module, channel: str, message: Any) -> None:
        """Give a message to every subscriber."""
        with self._engines_own():
            record = self._current[0] if self._current is not None else self._table.record
            self._table.bus.publish(channel, (record, None, self.now(), message))
            if channel == "finished_modules" and message == self.name:
                self._announced = True

    def log(self, module: str, text: str, verbose: int, debug: int) -> None:
        """A line for hdr-lite.log."""
        with self._engines_own():
            if not self._lines_left:
                self.figures.left_out += 1
                return
            self._lines_left -= 1
            self._table.log(self.name, text, verbose, debug)

    # Its life -----------------------------------------------------------------------------

    def start(self) -> Failure | None:
        """Make an instance and call ``init()``; why that failed."""
        self._inbox = Inbox(self.order, self._table.queue)
        self._steps, self._announced, self._ignored = None, False, -1
        _, failure = self._run(self._build)
        if failure is not None:
            self._table.bus.remove(self._inbox)
            self._module = None
            self.state = State.RETIRED
            return failure
        self.state = State.RUNNING
        return None

    def begin(self) -> None:
        """Call ``pre_main()``: in the engine process, before any traffic."""
        module = self._instance()
        ended, failure = self._run(module.pre_main)
        self._conclude(bool(ended), failure)

    def restart(self) -> None:
        """The back-off is over: a fresh instance."""
        self.figures.restarts += 1
        gc.collect()  # what its former instance held is no longer held against it
        failure = self.start()
        if failure is not None:
            self._failed(failure)
            return
        self._table.log("engine", f"{self.name}: started again", 1, 0)
        self.begin()

    def new_round(self) -> None:
        """What it may say in a round is granted anew."""
        self._reports_left = MOST_REPORTS
        self._lines_left = MOST_LINES
        self._idle_steps = 0

    def channels(self) -> list[str]:
        """What it subscribed to."""
        return self._table.bus.channels_of(self._inbox)

    @property
    def waiting(self) -> int:
        """Messages in its queue."""
        return len(self._inbox)

    def can_run(self) -> bool:
        """Whether a turn would have anything to do."""
        if self.state is not State.RUNNING:
            return False
        if self._steps is not None and self._idle_steps < IDLE_STEPS:
            return True
        return len(self._inbox) > 0 and self._ignored != self._inbox.posted

    def turn(self) -> int:
        """Serve its queue until that is empty or the quantum is spent; CPU time in ns."""
        self.figures.turns += 1
        cpu, messages = self.figures.cpu, self.figures.messages
        ended, failure = self._run(self._serve)
        self._ignored = self._inbox.posted if self.figures.messages == messages else -1
        self._conclude(bool(ended), failure)
        return self.figures.cpu - cpu

    def stop(self, final: State = State.STOPPED) -> None:
        """Shut it down; ``finished_modules`` is published for it unless it did that itself."""
        if self._module is None:
            return
        _, failure = self._run(self._module.shutdown_gracefully)
        if failure is not None:
            self.figures.failures += 1
            self._complain(failure, "while it shut down")
        self._leave(final)
        if not self._announced:
            delivery = (self._table.record, None, self._table.now, self.name)
            self._table.bus.publish("finished_modules", delivery)

    # Turns --------------------------------------------------------------------------------

    def _build(self) -> None:
        module = self._module = self._make(self)
        module.init()
        for name in module.handled():
            self._table.bus.handle(self._inbox, name, getattr(module, name))

    def _instance(self) -> Module:
        if self._module is None:
            raise RuntimeError(f"{self.name} is not started")
        return self._module

    def _serve(self) -> bool:
        """A turn's work; true when the module ends itself."""
        self._serve_calls()
        if self._inbox.letters and not self._table.clock.spent:
            return self._serve_main()
        return False

    def _serve_calls(self) -> None:
        calls, clock, figures = self._inbox.calls, self._table.clock, self.figures
        while calls:
            handler, self._current = calls.popleft()
            figures.messages += 1
            handler(self._current[3])
            if clock.spent:
                return

    def _serve_main(self) -> bool:
        """Call ``main()`` while it takes messages; a call that takes none ends the turn."""
        inbox, clock = self._inbox, self._table.clock
        while (len(inbox) or self._steps is not None) and not clock.spent:
            taken = inbox.taken
            if self._main():
                return True
            if inbox.taken == taken:
                self._idle_steps += 1
                if self._steps is None or self._idle_steps >= IDLE_STEPS:
                    return False
        return False

    def _main(self) -> bool:
        """``main()``, or its next step where it is a generator; true when it ends the module."""
        if self._steps is None:
            result = self._instance().main()
            if not isinstance(result, Generator):
                return bool(result)
            self._steps = result
        try:
            next(self._steps)
        except StopIteration as stop:
            self._steps = None
            return bool(stop.value)
        return False

    def _run(self, code: Callable[[], object]) -> tuple[object, Failure | None]:
        """Run the module's code on its own memory, until it returns or the clock ends it."""

        def on_own_memory() -> object:
            self.budget.enter()
            try:
                return code()
            finally:
                self.budget.leave()

        refused = self.budget.refused
        result, failure, cpu = self._table.clock.run(on_own_memory)
        self.budget.leave()  # the interrupt may have come before that in ``finally``
        self._current = None
        self.figures.cpu += cpu
        if failure is None and self.budget.used > self._allowed:
            failure = self._overdrawn()
        elif failure is not None and self.budget.refused > refused:
            failure = failure._replace(reason=f"{failure.reason}: past {self._allowed} bytes")
        self.figures.memory, self.figures.peak = self.budget.used, self.budget.peak
        return result, failure

    def _overdrawn(self) -> Failure | None:
        """It holds more than its budget: a failure, unless that was not its own doing.

        Python keeps some of what a module freed for later use, and frees what refers to
        itself now and then only. A collection frees both.
        """
        gc.collect()
        if self.budget.used <= self._allowed:
            return None
        return Failure(f"it holds {self.budget.used} bytes, its budget is {self._allowed}", "")

    @contextmanager
    def _engines_own(self) -> Iterator[None]:
        """The engine's work in a module's turn: not interrupted, and not on its memory."""
        with self._table.clock.shielded():
            entered = self.budget.leave()
            try:
                yield
            finally:
                if entered:
                    self.budget.enter()

    # Ends ---------------------------------------------------------------------------------

    def _conclude(self, ended: bool, failure: Failure | None) -> None:
        if failure is not None:
            self._failed(failure)
        elif ended:
            self._table.log("engine", f"{self.name}: ended by itself", 1, 0)
            self.stop(State.FINISHED)

    def _failed(self, failure: Failure) -> None:
        figures = self.figures
        figures.failures += 1
        figures.overruns += failure.overrun
        self._leave(State.WAITING)
        if failure.overrun and self._table.replay:
            raise RunFailed(f"module {self.name}: {failure.reason}")
        if figures.failures >= self._table.failures:
            self.state = State.RETIRED
            what = f"retired after {figures.failures} failures"
        else:
            pause = BACK_OFF << min(figures.failures - 1, 10)
            self.due = self._table.now + pause
            what = f"starts again in {pause // SECOND} s"
        self._complain(failure, what)

    def _leave(self, state: State) -> None:
        """The instance and its queue are gone."""
        self.figures.dropped += self._inbox.dropped + len(self._inbox)
        self._table.bus.remove(self._inbox)
        self._inbox = Inbox(self.order, self._table.queue)
        self._module, self._steps = None, None
        self.state = state

    def _complain(self, failure: Failure, what: str) -> None:
        self._table.error(self.name, f"{failure.reason}; {what}")
        for line in failure.traceback.splitlines():
            self._table.log(self.name, line, 0, 1)
