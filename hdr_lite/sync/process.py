"""The process that reports to the collector: it sleeps until there is something to say.

The sending is done by a child of it that ends with the round (``sender``): what is asleep has no
TLS in memory. The child says how far it came in lines of JSON on a pipe. It ends itself where it
makes no progress, so that this process needs no right to end others.
"""

import json
import os
import select
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from hdr_lite.config import SyncConfig, UserError
from hdr_lite.link.codec import Answer, Finish, Notice, Request
from hdr_lite.link.end import End, LinkClosed
from hdr_lite.link.figures import own_memory
from hdr_lite.link.stop import StopSignal
from hdr_lite.native import die_with_parent, set_title
from hdr_lite.sync.enrolment import load_enrolment
from hdr_lite.sync.pace import Pace

#: Seconds that the health is waited for before a round begins without it.
HEALTH_WAIT = 3.0
#: Seconds after which a round that got nothing acknowledged ends.
STUCK = 240
#: What the health is made of: verbs of the control socket that this process may ask for.
ASKS = ("status", "blocked")
#: Failures in a row from which on ``status`` lists it among what is blind.
_TELLING = 3
_PIECE = 4096


def run_sync(config: SyncConfig, spool: Path, end: End, stop: StopSignal, news: int) -> int:
    """The process from start to end; its exit status.

    ``spool`` is the directory, ``news`` an eventfd that polls readable once something was put
    there.
    """
    process = Process(config, spool, end, stop, news)
    with suppress(LinkClosed):
        process.loop()
    return 0


def _draw() -> float:
    """From 0 to below 1, without the module ``random``, which is 1 MB."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


class _Round:
    """The child that sends, and what it has said so far."""

    def __init__(self, pid: int, pipe: int, *, health: bool) -> None:
        self.pid = pid
        self.pipe = pipe
        self.health = health
        self._text = b""

    def read(self) -> list[dict[str, Any]] | None:
        """What it said; None once it has ended."""
        data = os.read(self.pipe, _PIECE)
        if not data:
            return None
        *lines, self._text = (self._text + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> int:
        """Wait for its end, which the end of the pipe has told; its exit status."""
        os.close(self.pipe)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Process:
    """The loop over link, news, the child and time."""

    def __init__(
        self, config: SyncConfig, spool: Path, end: End, stop: StopSignal, news: int
    ) -> None:
        self._config = config
        self._spool = spool
        self._end = end
        self._stop = stop
        self._news = news
        now = time.monotonic()
        self._pace = Pace(now, _draw)
        self._round: _Round | None = None
        self._ended: dict[str, Any] = {}  # the round's last words
        self._health_by: float | None = None  # a health is being gathered until then
        self._health: dict[int, dict[str, Any]] = {}  # what came of it, by its place in ASKS
        self._rounds = self._sent = 0
        self._success: float | None = None
        self._error = ""

    def loop(self) -> None:
        """Until a signal or the word to finish, or until the supervisor is gone."""
        while not self._stop:
            poll = select.poll()
            for part in (self._stop, self._end, self._news):
                poll.register(part, select.POLLIN)
            if self._round is not None:
                poll.register(self._round.pipe, select.POLLIN)
            ready = {descriptor for descriptor, _ in poll.poll(self._patience())}
            self._stop.drain()
            if self._end.fileno() in ready and not self._take_messages():
                return
            if self._news in ready:
                os.eventfd_read(self._news)
                self._pace.woken(time.monotonic())
            if self._round is not None and self._round.pipe in ready:
                self._hear(self._round)
            self._begin_what_is_due(time.monotonic())

    def _patience(self) -> int | None:
        """Milliseconds until something is due; None while a round goes on, which says so itself."""
        if self._round is not None:
            return None
        due = self._pace.due if self._health_by is None else self._health_by
        return max(0, int((due - time.monotonic()) * 1000) + 1)

    # Messages -----------------------------------------------------------------------------

    def _take_messages(self) -> bool:
        """Take what the supervisor says; False: it is time to end."""
        for message in self._end.receive():
            if isinstance(message, Finish):
                return False
            if isinstance(message, Request):
                memory = bool(json.loads(message.text).get("memory"))
                figures = self.figures() | {"memory": own_memory() if memory else 0}
                self._end.send(Answer(message.number, json.dumps(figures)))
            elif isinstance(message, Answer):
                self._health[message.number] = json.loads(message.text)
        return True

    def figures(self) -> dict[str, Any]:
        """For ``hdr-lite status``."""
        now = time.monotonic()
        facts: dict[str, Any] = {"url": "", "device": "", "name": ""}
        with suppress(UserError):
            enrolment = load_enrolment(self._config.state)
            if enrolment is not None:
                facts = {"url": enrolment.url, "device": enrolment.device, "name": enrolment.name}
        success = None if self._success is None else round(now - self._success)
        next_round = None if self._round is not None else max(0, round(self._pace.due - now))
        lost = self._error and self._pace.failures >= _TELLING
        return {
            **facts,
            "sending": self._round is not None,
            "rounds": self._rounds,
            "sent": self._sent,
            "last_success": success,
            "last_error": self._error,
            "failures": self._pace.failures,
            "next": next_round,
            "blind": [f"alerts do not reach the collector: {self._error}"] if lost else [],
        }

    # Rounds -------------------------------------------------------------------------------

    def _begin_what_is_due(self, now: float) -> None:
        if self._round is not None:
            return
        if self._health_by is not None:
            if len(self._health) == len(ASKS) or now >= self._health_by:
                self._health_by = None
                self._begin()
        elif now >= self._pace.due:
            self._health.clear()
            if self._pace.wants_health(now):
                self._health_by = now + HEALTH_WAIT
                for number, verb in enumerate(ASKS):
                    self._end.send(Request(number, json.dumps({"verb": verb})))
            else:
                self._begin()

    def _begin(self) -> None:
        self._pace.begun()
        reader, writer = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            self._live(writer, parent)
        os.close(writer)
        self._rounds += 1
        self._ended = {}
        self._round = _Round(pid, reader, health=bool(self._health))

    def _live(self, pipe: int, parent: int) -> NoReturn:
        """The child: it never returns to the parent's code."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGALRM):
                signal.signal(number, signal.SIG_DFL)
            die_with_parent(signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
            set_title("hdr-sync-round")
            self._end.close()
            signal.setitimer(signal.ITIMER_REAL, STUCK)
            from hdr_lite.sync.sender import send_round

            def tell(line: Mapping[str, Any]) -> None:
                signal.setitimer(signal.ITIMER_REAL, STUCK)
                os.write(pipe, json.dumps(line).encode() + b"\n")

            send_round(self._config, self._spool, self._health, tell)
            status = 0
        except BaseException as error:  # noqa: BLE001 - the fence between a child and its parent
            words = {"error": f"{type(error).__name__}: {error}"}
            with suppress(OSError):
                os.write(pipe, json.dumps(words).encode() + b"\n")
        finally:
            os._exit(status)

    def _hear(self, child: _Round) -> None:
        lines = child.read()
        for line in lines or ():
            self._sent += line.get("advanced", 0)
            if "error" in line:
                self._ended = line
        if lines is None:
            self._round = None
            self._conclude(child, child.close())

    def _conclude(self, child: _Round, status: int) -> None:
        now = time.monotonic()
        said = self._ended
        if not said:  # it died before its last words
            said = {"error": f"the sending {'got stuck' if status == -signal.SIGALRM else 'died'}"}
        error = said["error"]
        if error:
            self._pace.failed(now, said.get("wait"), lasting=bool(said.get("lasting")))
        else:
            self._success = now
            self._pace.went_well(now, health=bool(said.get("health")))
        if error != self._error:
            told = f"the collector: {error}" if error else "the collector has all again"
            self._end.send(Notice(told))
        self._error = error
