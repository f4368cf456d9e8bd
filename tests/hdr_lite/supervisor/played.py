"""A daemon in the test's own process, with children that play sensor and engine."""

import io
import json
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hdr_lite.config import ConfigError
from hdr_lite.link.codec import (
    Answer,
    Done,
    Finish,
    Message,
    Notice,
    Opened,
    Raised,
    Reload,
    Request,
)
from hdr_lite.link.end import End
from hdr_lite.link.stop import StopSignal
from hdr_lite.supervisor.control import ControlServer, ask
from hdr_lite.supervisor.daemon import Change, Daemon
from hdr_lite.supervisor.member import Member
from hdr_lite.supervisor.readiness import Readiness
from hdr_lite.supervisor.role import Role
from hdr_lite.supervisor.terminal import Terminal

Take = Callable[[End, Message], bool]


def serve(end: End, stop: StopSignal, take: Take | None = None) -> int:
    """A child's loop: answers requests until SIGTERM, a Finish, or ``take`` returns true."""
    poll = select.poll()
    poll.register(end, select.POLLIN)
    poll.register(stop, select.POLLIN)
    while not stop:
        poll.poll(100)
        if not select.select([end], [], [], 0)[0]:
            continue
        for message in end.receive():
            if isinstance(message, Request):
                verb = json.loads(message.text)["verb"]
                end.send(Answer(message.number, json.dumps({"pid": os.getpid(), "verb": verb})))
            if isinstance(message, Finish) or (take is not None and take(end, message)):
                return 0
    return 0


def sensor(end: End, stop: StopSignal) -> int:
    end.send(Opened("x"))
    return serve(end, stop)


def engine(end: End, stop: StopSignal) -> int:
    """Ends a moment after it is asked to finish, or when its sensor has ended: told by a file."""

    def take(end: End, message: Message) -> bool:
        if isinstance(message, Notice):
            end.send(Raised(f"errors.log: {message.text}"))
        if isinstance(message, Reload):
            end.send(Raised(f"reload: {message.settings}"))
        return False

    status = serve(end, stop, take)
    end.send(Done(1, 2, 3, 4))
    return status


class Keeper:
    """Has something to tell each time that the daemon looks, as long as there is any."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.news = os.eventfd(0, os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self.news

    def look_after(self) -> list[str]:
        with suppress(BlockingIOError):
            os.eventfd_read(self.news)
        return [self.told.pop(0)] if self.told else []


class Service:
    """A daemon in this process, and somebody who does things to it from a thread."""

    def __init__(self, folder: Path, roles: Sequence[Role], change: Change | None = None) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.socket = folder / "socket"
        self.change = change
        self.keeper = Keeper()
        self.daemon = Daemon(
            roles,
            Terminal(self.out, self.err),
            instance="t",
            readiness=Readiness({}),
            control=lambda handler: ControlServer(self.socket, None, handler),
            status=self._status,
            reload=self._reload,
            keeper=self.keeper,
        )
        self.failure: BaseException | None = None

    def _status(self, members: Sequence[Member]) -> dict[str, Any]:
        return {
            m.name: {**m.figures, "starts": m.starts, "loop": m.back_off.looping(time.monotonic())}
            for m in members
        }

    def _reload(self) -> Change:
        if self.change is None:
            raise ConfigError("a wrong setting")
        return self.change

    def run(self, actions: Callable[["Service"], None] = lambda service: None) -> int:
        """Run it; once it is ready do these actions, then SIGTERM. Its exit status."""
        before = signal.getsignal(signal.SIGTERM)

        def act() -> None:
            try:
                self.until("ready\n")
                actions(self)
            except BaseException as error:  # noqa: BLE001 - raised again below
                self.failure = error
            while signal.getsignal(signal.SIGTERM) is before:
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGTERM)

        thread = threading.Thread(target=act, daemon=True)
        thread.start()
        status = self.daemon.run()
        thread.join(10)
        if self.failure is not None:
            raise self.failure
        return status

    def until(self, text: str, seconds: float = 10) -> None:
        """Until it has said that."""
        deadline = time.monotonic() + seconds
        while text not in self.err.getvalue() + self.out.getvalue():
            assert time.monotonic() < deadline, f"{text!r} never came: {self.err.getvalue()}"
            time.sleep(0.01)

    def status(self) -> dict[str, Any]:
        return ask(self.socket, {"verb": "status"})

    def kill(self, name: str) -> None:
        os.kill(self.status()[name]["pid"], signal.SIGKILL)


SENSOR = Role("sensor", sensor, Opened)
ENGINE = Role("engine", engine, Answer, reloads=True)
