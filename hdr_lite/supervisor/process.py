"""The supervisor process: forks sensor and engine, relays what they say, ends them together.

The order of a run: the sensor is forked and opens its sources; when it says so the engine
is forked, and an enforcer where there is something to block; the supervisor then only watches and
hands orders over. Whatever happens to one child, the others are told or ended, and all end with
their parent.
"""

import gc
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from hdr_lite.link.codec import (
    Digest,
    Done,
    Failed,
    Finish,
    LinkError,
    Message,
    Notice,
    Opened,
    Progress,
    Raised,
)
from hdr_lite.link.end import End, LinkClosed
from hdr_lite.link.stop import StopSignal
from hdr_lite.records.verb import Block, Enforced, Limit, Quarantine, Ready
from hdr_lite.supervisor.child import Child, Main, end_with_parent, fork_child, how_it_ended, title
from hdr_lite.supervisor.terminal import Terminal

#: Seconds that the children have to end once they are asked to.
STOP_TIMEOUT = 5.0
#: Seconds within which a second signal is the same wish: timeout(1) sends two at once.
IMPATIENCE = 0.2


class Outcome(NamedTuple):
    """How a run went. ``done`` is absent when the engine did not finish."""

    status: int
    done: Done | None
    stopped: bool  #: by a signal


class Supervisor:
    """One run. ``digest`` is stepped while the children work; its last value goes to the engine."""

    def __init__(
        self,
        sensor: Main,
        engine: Main,
        terminal: Terminal,
        *,
        enforcer: Main | None = None,
        instance: str = "",
        digest: Iterator[str] | None = None,
        live: bool = False,
    ) -> None:
        """``live``: it is told when all is ready."""
        self._mains = {"sensor": sensor, "engine": engine}
        if enforcer is not None:
            self._mains["enforcer"] = enforcer
        self._live = live
        self._terminal = terminal
        self._instance = instance
        self._digest = digest
        self._children: dict[str, Child] = {}
        self._status = 0
        self._done: Done | None = None
        self._deadline: float | None = None
        self._killed = False
        self._asked = 0.0  # when a signal first asked to stop
        self._signals = 0
        self._stop: StopSignal

    def run(self) -> Outcome:
        """Fork, watch until both children have ended, tell how it went."""
        with StopSignal((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)) as self._stop:
            gc.collect()
            gc.freeze()  # what is there now stays shared: the collector shall not touch it
            self._start("sensor")
            while self._children:
                self._wait()
                self._stop_if_asked()
                self._step_digest()
        gc.unfreeze()
        if self._done is None and self._status == 0:
            self._fail("the engine ended before its work was done")
        self._terminal.finish()
        return Outcome(self._status, self._done, bool(self._stop))

    def _start(self, name: str) -> None:
        parent = os.getpid()

        def confine(_end: End) -> None:
            for child in self._children.values():
                child.close()
            end_with_parent(parent)

        self._children[name] = fork_child(
            name, title(name, self._instance), self._mains[name], confine
        )

    def _wait(self) -> None:
        """Sleep until something happens, then take it up."""
        poll = select.poll()
        poll.register(self._stop, select.POLLIN)
        for child in self._children.values():
            poll.register(child.end, select.POLLIN)
            poll.register(child.pidfd, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(self._patience())}
        for child in tuple(self._children.values()):
            if child.end.fileno() in ready:
                self._receive(child)
            if child.pidfd in ready:
                self._ended(child)

    def _patience(self) -> int | None:
        """Milliseconds to sleep at most."""
        if self._digest is not None and "engine" in self._children:
            return 0
        if self._deadline is None:
            return None
        return max(0, int((self._deadline - time.monotonic()) * 1000) + 1)

    def _receive(self, child: Child) -> bool:
        """Take what a child sent; whether there was anything."""
        count = 0
        try:
            for message in child.end.receive():
                count += 1
                self._take(child, message)
        except LinkClosed:
            return False  # its end is told by the pidfd
        except LinkError as error:
            self._fail(f"the {child.name} sent what is no message: {error}")
            child.kill(signal.SIGKILL)
            return False
        return count > 0

    def _take(self, child: Child, message: Message) -> None:
        match message:
            case Progress():
                self._terminal.progress(message)
            case Raised():
                self._terminal.alert(message.text)
            case Notice():
                self._terminal.notice(message.text)
            case Failed():
                self._fail(message.text, message.status)
            case Done():
                self._done = message
            case Opened() if child.name == "sensor" and "engine" not in self._children:
                self._start("engine")
                if "enforcer" in self._mains:
                    self._start("enforcer")
                else:
                    self._is_ready()
            case _:
                self._take_blocking(child, message)

    def _take_blocking(self, child: Child, message: Message) -> None:
        """What engine and enforcer have to say to each other."""
        match message:
            case Block() | Limit() | Quarantine() if child.name == "engine":
                self._pass_on("enforcer", message)
            case Enforced() if child.name == "enforcer":
                self._pass_on("engine", message)
            case Ready() if child.name == "enforcer":
                self._terminal.notice(message.text)
                self._is_ready()
            case _:
                raise LinkError(f"{type(message).__name__} is not its to send")

    def _is_ready(self) -> None:
        if self._live:
            self._terminal.notice("ready")

    def _pass_on(self, name: str, message: Message) -> None:
        """To a child that reads; what finds no room is lost, for nobody here waits for another."""
        child = self._children.get(name)
        if child is None:
            return
        writable = select.poll()
        writable.register(child.end, select.POLLOUT)
        if writable.poll(0):
            self._send(child, message)

    def _fail(self, reason: str, status: int = 1) -> None:
        """The first reason is the run's status; each is told."""
        self._status = self._status or status
        self._terminal.notice(reason)

    def _ended(self, child: Child) -> None:
        while self._receive(child):
            pass  # its last words
        status = child.wait()
        del self._children[child.name]
        child.close()
        if status > 0 and child.name == "engine" and self._done is not None:
            self._status = self._status or status  # it has told why, and that it is done
        elif status and self._status == 0:
            self._fail(f"the {child.name} {how_it_ended(status)}")
        for other in self._children.values():
            self._end_other(child.name, other, status)

    def _end_other(self, gone: str, other: Child, status: int) -> None:
        """A child has ended with that status: what becomes of another."""
        if gone == "enforcer":
            if other.name == "sensor":  # nobody blocks any more: the rest ends in good order
                other.kill(signal.SIGTERM)
        elif other.name == "enforcer":
            if gone == "engine":
                other.kill(signal.SIGTERM)
                self._deadline = self._deadline or time.monotonic() + STOP_TIMEOUT
        elif other.name == "engine":
            if status:
                self._send(other, Finish(f"the sensor {how_it_ended(status)}"))
        elif self._done is not None:  # it has said its last record: it is about to end
            self._deadline = self._deadline or time.monotonic() + STOP_TIMEOUT
        else:
            other.kill(signal.SIGKILL)  # nobody reads what it would write

    def _send(self, child: Child, message: Message) -> None:
        with suppress(LinkClosed):  # its end is told by the pidfd
            child.end.send(message)

    def _stop_if_asked(self) -> None:
        self._stop.drain()
        now = time.monotonic()
        again = self._stop.count > self._signals
        self._signals = self._stop.count
        late = self._deadline is not None and now > self._deadline
        if self._killed:
            return
        if late or (again and self._asked and now - self._asked > IMPATIENCE):
            self._killed, self._deadline = True, None
            self._fail("stopped by force, the output is not complete")
            for child in self._children.values():
                child.kill(signal.SIGKILL)
        elif again and not self._asked:
            self._asked, self._deadline = now, now + STOP_TIMEOUT
            # The sensor tells all that is still open and ends; the engine then ends by itself.
            if "sensor" in self._children:
                self._children["sensor"].kill(signal.SIGTERM)

    def _step_digest(self) -> None:
        engine = self._children.get("engine")
        if engine is None or self._digest is None:
            return
        sha256 = next(self._digest)
        if sha256:
            self._digest = None
            self._send(engine, Digest(sha256))
