"""The supervisor of a service: keeps every process of its table alive until it is told to stop.

One loop sleeps in poll and takes up what comes: a message or the end of a child, a request
on the control socket, a signal, a moment at which something is due. Nothing in it waits for
a child: what a child does not read waits in line (``member``). A child that died starts again
after a pause (``restart``); one that says nothing for a while is killed and counts as dead.
"""

import gc
import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from hdr_lite.config import UserError
from hdr_lite.link.codec import (
    Answer,
    Done,
    Failed,
    Finish,
    Message,
    Notice,
    Progress,
    Raised,
    Reload,
    Request,
)
from hdr_lite.link.end import End, LinkClosed, LinkError
from hdr_lite.link.stop import StopSignal
from hdr_lite.native import trim_memory
from hdr_lite.supervisor.child import end_with_parent, fork_child, how_it_ended, title
from hdr_lite.supervisor.control import ControlServer, Reply
from hdr_lite.supervisor.member import Member
from hdr_lite.supervisor.privileges import give_up
from hdr_lite.supervisor.questions import Questions, read_object
from hdr_lite.supervisor.readiness import Readiness
from hdr_lite.supervisor.role import Keeper, Role
from hdr_lite.supervisor.terminal import Terminal

#: Seconds that all have to end once they are asked to.
STOP_TIMEOUT = 4.5
#: Seconds between questions whether a child is well, and of silence that mean it is not.
ASK_INTERVAL = 5.0
SILENCE = 30.0
#: Seconds between looks after what is the supervisor's own: not above ``LONGEST_SLEEP``.
LOOK_INTERVAL = 0.5
#: Characters of an answer that a child may get: a message on the link has 64 kB.
_MOST_ANSWER = 60 * 1024
#: Longest sleep, s.
LONGEST_SLEEP = 0.5


class Change(NamedTuple):
    """What a reload asks for."""

    settings: str  #: for those that take ``Reload``
    restart: frozenset[str]  #: those that are to be started anew
    notes: tuple[str, ...]  #: for the person: what holds only after the next start
    new: tuple[Role, ...] = ()  #: processes that there shall be from now on
    gone: frozenset[str] = frozenset()  #: names of those that there shall be no more


class Daemon:
    """The service. ``run`` returns its exit status."""

    def __init__(
        self,
        roles: Sequence[Role],
        terminal: Terminal,
        *,
        instance: str = "",
        readiness: Readiness,
        control: Callable[[Callable[[Mapping[str, Any], Reply], None]], ControlServer],
        status: Callable[[Sequence[Member]], dict[str, Any]],
        reload: Callable[[], Change],
        keeper: Keeper | None = None,
    ) -> None:
        """``control`` makes the control socket around a handler, ``status`` its answer.

        ``reload`` reads the settings anew; ``UserError`` leaves the old ones. ``keeper`` looks
        after its own when it has news, and each ``LOOK_INTERVAL``.
        """
        self._members = {role.name: Member(role) for role in roles}
        self._terminal = terminal
        self._instance = instance
        self._readiness = readiness
        self._control = control(self._handle)
        self._reload = reload
        self._keeper = keeper
        self._looked = 0.0
        self._announced = False  #: that all is ready
        self._hangup = False
        self._stopping = False
        self._deadline = 0.0
        self._status = 0
        self._questions = Questions(self._members, status)
        self._asked = 0.0
        self._alive = 0.0
        self._stop: StopSignal

    def run(self) -> int:
        """Start all, watch until told to stop, end all; the exit status."""
        with StopSignal((signal.SIGINT, signal.SIGTERM)) as self._stop, self._on_hangup():
            gc.collect()  # once: it writes to every object, and a page that is written is copied
            trim_memory()
            for member in self._members.values():
                self._start(member)
            while not self._stopping or any(m.child for m in self._members.values()):
                self._wait()
                self._tend(time.monotonic())
        gc.unfreeze()
        self._terminal.finish()
        self._control.close()
        self._readiness.close()
        return self._status

    # Signals ------------------------------------------------------------------------------

    @contextmanager
    def _on_hangup(self) -> Iterator[None]:
        before = signal.signal(signal.SIGHUP, self._hang_up)
        try:
            yield
        finally:
            signal.signal(signal.SIGHUP, before)

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self._hangup = True  # the wake-up descriptor of StopSignal polls readable, too

    # Children -----------------------------------------------------------------------------

    def _start(self, member: Member) -> None:
        role, parent, first = member.role, os.getpid(), member.starts == 0

        def confine(end: End) -> None:
            _close_all_but({end.fileno(), *role.keeps})
            if role.open is not None:
                role.open()
            failed = give_up(role.privileges)
            end_with_parent(parent)
            for text in failed if first else ():
                end.send(Notice(text))

        gc.freeze()  # what is there now stays shared: no collector touches it any more
        child = fork_child(role.name, title(role.name, self._instance), role.main, confine)
        member.adopt(child, time.monotonic())
        member.flush()
        self._questions.ask_figures(member)

    def _ended(self, member: Member) -> None:
        child = member.child
        if child is None:
            return
        while self._receive(member):
            pass  # its last words
        how = how_it_ended(child.wait())
        clean = how == how_it_ended(0)
        member.last_end = how
        member.lose()
        if member.gone:
            del self._members[member.name]
        self._questions.lose(member.name)
        now = time.monotonic()
        if self._stopping:
            if not clean and not self._status:
                self._fail(f"the {member.name} {how}")
        elif member.expected:
            member.due = now
        elif not self._announced and self._status == 2:
            self._begin_stop(now)  # a user's mistake, found by a child at the first start
        else:
            self._schedule(member, how, now)

    def _schedule(self, member: Member, how: str, now: float) -> None:
        pause = member.back_off.died(now)
        member.due = now + pause
        text = f"the {member.name} {how}; it starts again in {pause:g} s"
        if member.back_off.looping(now):
            text += f" (a crash loop: {member.back_off.deaths} times in a row)"
        self._tell(text)
        self._show_state()

    def _tell(self, text: str) -> None:
        """For the person, and for errors.log."""
        self._terminal.notice(text)
        engine = self._members.get("engine")
        if engine is not None:
            engine.send(Notice(text))

    def _fail(self, text: str, status: int = 1) -> None:
        self._status = self._status or status
        self._terminal.notice(text)

    # The loop -----------------------------------------------------------------------------

    def _wait(self) -> None:
        """Sleep until something happens, then take it up."""
        poll = select.poll()
        poll.register(self._stop, select.POLLIN)
        for descriptor, writes in self._control.filenos():
            poll.register(descriptor, select.POLLIN | (select.POLLOUT if writes else 0))
        for member in self._members.values():
            if member.child is not None:
                out = select.POLLOUT if member.wants_to_write else 0
                poll.register(member.child.end, select.POLLIN | out)
                poll.register(member.child.pidfd, select.POLLIN)
        if self._keeper is not None and not self._stopping:
            poll.register(self._keeper, select.POLLIN)
        ready = dict(poll.poll(self._patience(time.monotonic())))
        self._stop.drain()
        if self._keeper is not None and self._keeper.fileno() in ready:
            self._look(time.monotonic())
        for member in list(self._members.values()):
            self._serve(member, ready)
        for descriptor in ready:
            self._control.handle(descriptor)

    def _serve(self, member: Member, ready: Mapping[int, int]) -> None:
        child = member.child
        if child is None:
            return
        if ready.get(child.end.fileno(), 0) & select.POLLOUT:
            member.flush()
        if ready.get(child.end.fileno(), 0) & ~select.POLLOUT:
            self._receive(member)
        if child.pidfd in ready:
            self._ended(member)

    def _patience(self, now: float) -> int:
        """Milliseconds to sleep at most."""
        until = now + LONGEST_SLEEP
        until = min([until, *(m.due for m in self._members.values() if m.due is not None)])
        until = min([until, *self._questions.deadlines()])
        if self._readiness.interval:
            until = min(until, self._alive + self._readiness.interval)
        return max(0, int((until - now) * 1000) + 1)

    def _tend(self, now: float) -> None:
        """What is due."""
        if self._stop.count and not self._stopping:
            self._begin_stop(now)
        if self._stopping:
            self._go_on_stopping(now)
        else:
            self._restart_due(now)
            self._ask_all(now)
            if now >= self._looked + LOOK_INTERVAL:
                self._look(now)
            if self._hangup:
                self._hangup = False
                self._take_reload()
        self._questions.finish_due(now)
        self._control.tidy()
        if self._readiness.interval and now >= self._alive + self._readiness.interval:
            self._alive = now
            self._readiness.alive()

    def _look(self, now: float) -> None:
        self._looked = now
        for text in self._keeper.look_after() if self._keeper else ():
            self._tell(text)

    def _restart_due(self, now: float) -> None:
        for member in self._members.values():
            if member.child is None and member.due is not None and now >= member.due:
                self._start(member)

    def _ask_all(self, now: float) -> None:
        """Ask whether they are well; end those that did not answer for long."""
        if now < self._asked + ASK_INTERVAL:
            return
        self._asked = now
        for member in self._members.values():
            if member.child is None:
                continue
            if now - member.heard >= SILENCE:
                self._tell(f"the {member.name} has said nothing for {SILENCE:g} s: it is ended")
                member.child.kill(signal.SIGKILL)
            self._questions.ask_figures(member)

    # Messages -----------------------------------------------------------------------------

    def _receive(self, member: Member) -> bool:
        """Take what a child sent; whether there was anything."""
        count = 0
        if member.child is None:
            return False
        try:
            for message in member.child.end.receive():
                count += 1
                member.heard = time.monotonic()
                if isinstance(message, Request):
                    self._let_ask(member, message)
                    continue
                take = member.role.takes.get(type(message)) or partial(self._take, member)
                take(message)
        except LinkClosed:
            return False  # its end is told by the pidfd
        except LinkError as error:
            self._tell(f"the {member.name} sent what is no message and is ended: {error}")
            member.child.kill(signal.SIGKILL)
            return False
        return count > 0

    def _take(self, member: Member, message: Message) -> None:
        target = member.role.routes.get(type(message))
        if target in self._members:
            member.answered(message)
            self._members[target].order(message)
        match message:
            case Answer():
                self._questions.take_answer(member, message)
            case Progress():
                self._terminal.progress(message)
            case Raised():
                self._terminal.alert(message.text)
            case Notice():
                self._terminal.notice(f"{member.name}: {message.text}")
            case Failed():
                self._take_failure(member, message)
            case Done():
                pass  # its end follows
            case _ if target is None and not isinstance(message, member.role.ready):
                raise LinkError(f"{type(message).__name__} is not its to send")
        if isinstance(message, member.role.ready) and not member.ready:
            self._is_ready(member)

    def _take_failure(self, member: Member, message: Failed) -> None:
        if message.status == 2 and not member.was_ready and not self._announced:
            self._fail(message.text, 2)
        else:
            self._tell(f"{member.name}: {message.text}")

    def _is_ready(self, member: Member) -> None:
        again = member.was_ready
        member.ready = member.was_ready = True
        if again:
            self._terminal.notice(f"the {member.name} is back")
        if all(m.ready for m in self._members.values()):
            if not self._announced:
                self._announced = True
                self._terminal.notice("ready")
            self._readiness.ready("watching")

    def _show_state(self) -> None:
        """What ``systemctl status`` says."""
        absent = [m.name for m in self._members.values() if not m.ready]
        if self._announced and absent:
            self._readiness.status(f"without {', '.join(absent)}")

    # The control socket -------------------------------------------------------------------

    def _let_ask(self, member: Member, request: Request) -> None:
        """A child asks as somebody at the control socket does."""
        fields = read_object(request.text)
        if fields.get("verb") not in member.role.asks:
            raise LinkError(f"the verb {fields.get('verb')} is not its to ask")

        def reply(answer: Mapping[str, Any]) -> None:
            text = json.dumps(answer)
            if len(text) > _MOST_ANSWER:
                text = json.dumps({"error": "the answer is too long"})
            member.send(Answer(request.number, text))

        self._handle(fields, reply)

    def _handle(self, request: Mapping[str, Any], reply: Reply) -> None:
        verb = request["verb"]
        if verb == "status":
            self._questions.ask_for_status(reply)
            return
        if verb == "reload":
            self._hangup = True
            reply({"state": "the settings are read anew"})
            return
        for member in self._members.values():
            if verb in member.role.verbs:
                self._questions.pass_on(member, request, reply)
                return
        reply({"error": f"there is no verb '{verb}' here"})

    # Reload -------------------------------------------------------------------------------

    def _take_reload(self) -> None:
        self._readiness.reloading()
        try:
            change = self._reload()
        except UserError as error:
            self._tell(f"not reloaded, the old settings hold: {error}")
        else:
            self._terminal.notice("reloaded")
            self._change(change)
        self._readiness.ready("watching")

    def _change(self, change: Change) -> None:
        for note in change.notes:
            self._terminal.notice(note)
        for member in list(self._members.values()):
            if member.role.reloads:
                member.send(Reload(change.settings))
            if member.name in change.restart and member.child is not None:
                member.expected = True
                member.send(Finish("new settings"))
            if member.name in change.gone:
                self._let_go(member)
        for role in change.new:
            self._let_in(role)

    def _let_in(self, role: Role) -> None:
        """It is a part of the service from now on, unless it is one already."""
        if role.name in self._members:
            self._members[role.name].gone = False
            return
        member = self._members[role.name] = Member(role)
        self._start(member)

    def _let_go(self, member: Member) -> None:
        """It is no part of the service any more, once its process has ended."""
        if member.child is None:
            del self._members[member.name]
        else:
            member.expected = member.gone = True
            member.child.kill(signal.SIGTERM)

    # The end ------------------------------------------------------------------------------

    def _begin_stop(self, now: float) -> None:
        self._stopping = True
        self._deadline = now + STOP_TIMEOUT
        for member in self._members.values():
            member.expected = False  # from here on: that it was told to end
        self._readiness.stopping()

    def _go_on_stopping(self, now: float) -> None:
        """In the order of the data: each ends when the one before it has."""
        alive = [m for m in self._members.values() if m.child is not None]
        if now > self._deadline:
            self._deadline = now + STOP_TIMEOUT
            for member in alive:
                self._fail(f"the {member.name} did not stop in time and was killed")
                if member.child is not None:
                    member.child.kill(signal.SIGKILL)
            return
        if alive and not alive[0].expected:
            self._ask_to_end(alive[0])

    def _ask_to_end(self, member: Member) -> None:
        if member.child is None:
            return
        member.expected = True
        if not member.role.follows:
            member.child.kill(signal.SIGTERM)
            return
        members = list(self._members.values())
        before = members[members.index(member) - 1]
        if not before.expected or before.last_end != how_it_ended(0):
            member.send(Finish(f"the {before.name} is gone"))


def _close_all_but(kept: set[int]) -> None:
    """Close every descriptor but these and the standard ones."""
    wanted = kept | {0, 1, 2}
    for name in [entry.name for entry in Path("/proc/self/fd").iterdir()]:
        descriptor = int(name)
        if descriptor not in wanted:
            try:
                os.close(descriptor)
            except OSError:
                continue  # that of the listing itself
