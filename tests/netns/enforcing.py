"""``python -m tests.netns.enforcing FD CONFIG``: the enforcer alone, its link on a descriptor.

And the other side of it: :class:`Enforcing` starts it in a namespace and speaks to it.
"""

import faulthandler
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from hdr_lite.config import Override, load
from hdr_lite.enforcer import run_enforcer, sessions
from hdr_lite.enforcer.interfaces import Interfaces
from hdr_lite.enforcer.prober import open_socket
from hdr_lite.link.codec import Answer, Message, Notice, Request
from hdr_lite.link.end import End, LinkClosed
from hdr_lite.link.stop import StopSignal
from hdr_lite.records.verb import Enforced, Order, Ready
from tests.netns.network import Namespace
from tests.program import ROOT

Kind = TypeVar("Kind")
#: Seconds after which an enforcer says where it is and ends: no test takes so long.
STUCK = 60


class Enforcing:
    """An enforcer process in a namespace, and our end of its link."""

    def __init__(self, inside: Namespace, state: Path, **settings: object) -> None:
        ours, theirs = socket.socketpair()
        values: dict[str, object] = {"enforcer.state": str(state), "enforcer.mode": "block"}
        values |= {key.replace("__", "."): value for key, value in settings.items()}
        program = [sys.executable, "-m", "tests.netns.enforcing", str(theirs.fileno())]
        self.process = subprocess.Popen(
            inside.words(*program, json.dumps(values)),
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        self._end = End(ours)
        self._waiting: list[Message] = []
        self.notices: list[str] = []
        self.ready = self.next(Ready).text

    def next(self, kind: type[Kind], seconds: float = 10) -> Kind:
        """The next message of that kind; notices are put aside."""
        return self._take(lambda message: isinstance(message, kind), seconds)  # type: ignore

    def notice(self, words: str, seconds: float = 10) -> str:
        """Wait for a notice with these words."""
        for said in self.notices:
            if words in said:
                return said
        found = self._take(lambda m: isinstance(m, Notice) and words in m.text, seconds)
        assert isinstance(found, Notice)
        return found.text

    def next_notice(self, seconds: float = 10) -> str:
        """The next of the notices, each once; those that were put aside come first."""
        if not self.notices:
            self._waiting.clear()
            self._take(lambda message: isinstance(message, Notice), seconds)
        return self.notices.pop(0)

    def ask(self, order: Order) -> Enforced:
        """Send an order; what became of it."""
        self._end.send(order)
        return self.next(Enforced)

    def ask_by_hand(self, verb: str, **fields: object) -> dict[str, Any]:
        """What a person asks at the control socket; the answer."""
        self._end.send(Request(1, json.dumps({"verb": verb, **fields})))
        answer: dict[str, Any] = json.loads(self.next(Answer).text)
        return answer

    def send(self, order: Order) -> None:
        """Send an order and do not wait."""
        self._end.send(order)

    def pour(self, orders: Iterable[Order]) -> None:
        """Send orders as fast as they are taken; of what comes back, notices are kept."""
        for order in orders:
            try:
                self._end.send(order)
            except LinkClosed:
                raise AssertionError(self.process.communicate()[1]) from None
            if select.select([self._end], [], [], 0)[0]:
                self._receive()
                self._waiting.clear()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end, or kill it; its exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        _, said = self.process.communicate(timeout=10)
        assert "Traceback" not in said, said
        return self.process.returncode

    def close(self) -> None:
        """End what still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self._end.close()

    def _take(self, wanted: Callable[[Message], bool], seconds: float) -> Message:
        deadline = time.monotonic() + seconds
        while True:
            for message in self._waiting:
                if wanted(message):
                    self._waiting.remove(message)
                    return message
            left = deadline - time.monotonic()
            assert left > 0, f"nothing came but {self._waiting} {self.notices}"
            if select.select([self._end], [], [], left)[0]:
                self._receive()

    def _receive(self) -> None:
        try:
            arrived = list(self._end.receive())
        except LinkClosed:
            raise AssertionError(self.process.communicate()[1]) from None
        self._waiting += arrived
        self.notices += [m.text for m in arrived if isinstance(m, Notice)]


@contextmanager
def enforcing(inside: Namespace, state: Path, **settings: object) -> Iterator[Enforcing]:
    """An enforcer that is ready; killed at the end when it still runs.

    Settings are written ``enforcer__blocks=100``; ``authenticated=1`` is for how many seconds a
    connection to a management port must have been there to be somebody's who is logged in.
    """
    enforcer = Enforcing(inside, state, **settings)
    try:
        yield enforcer
    finally:
        enforcer.close()


def hide_the_wall_clock() -> None:
    """Whoever reads it fails: a clock that is set must neither end a block nor keep it."""
    read, read_ns = time.clock_gettime, time.clock_gettime_ns

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the enforcer has read the wall clock")

    def steady(read: Callable[[int], Any]) -> Callable[[int], Any]:
        return lambda clock: refuse() if clock == time.CLOCK_REALTIME else read(clock)

    time.time = time.time_ns = refuse  # noqa: TID251
    time.clock_gettime, time.clock_gettime_ns = steady(read), steady(read_ns)


def main(descriptor: str, settings: str) -> int:
    """The process."""
    hide_the_wall_clock()
    faulthandler.dump_traceback_later(STUCK, exit=True)
    values = json.loads(settings)
    sessions.AUTHENTICATED = values.pop("authenticated", sessions.AUTHENTICATED)
    config = load(None, [Override(key, value, "test") for key, value in values.items()]).config
    with StopSignal((signal.SIGTERM, signal.SIGINT)) as stop:
        end = End(socket.socket(fileno=int(descriptor)))
        return run_enforcer(config, "", end, stop, Interfaces({}, "test"), open_socket())


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main(sys.argv[1], sys.argv[2]))
