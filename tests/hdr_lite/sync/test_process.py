"""The process that sleeps: when it forks a round, what it tells, how it ends."""

import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import pytest

from hdr_lite.config import SyncConfig
from hdr_lite.link.codec import Answer, Finish, Message, Notice, Request
from hdr_lite.link.end import End, LinkClosed
from hdr_lite.link.stop import StopSignal
from hdr_lite.supervisor.child import Child, fork_child
from hdr_lite.sync import pace, process
from hdr_lite.sync.enrolment import save_enrolment
from hdr_lite.sync.process import run_sync
from tests.hdr_lite.cli.test_status import STATUS
from tests.hdr_lite.sync.certificates import Authority
from tests.hdr_lite.sync.server import Server, Told
from tests.hdr_lite.sync.test_enrolment import ENROLMENT
from tests.hdr_lite.sync.test_sender import Bench


class Syncing:
    """The process, and this test in the supervisor's place."""

    def __init__(self, spool: Path, folder: Path) -> None:
        """``folder`` is the one of its enrolment and cursor."""
        self.news = os.eventfd(0, os.EFD_NONBLOCK)
        config = SyncConfig(state=str(folder))

        def main(end: End, stop: StopSignal) -> int:
            return run_sync(config, spool, end, stop, self.news)

        self.child: Child = fork_child("sync", "hdr-sync", main, lambda end: None)
        self.heard: list[Message] = []
        self.asked: list[str] = []  #: verbs
        self.answers = True  #: whether what it asks is answered
        self._waited = False

    def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.heard
            self._listen()
            time.sleep(0.01)

    def _listen(self) -> None:
        for message in self.child.end.receive():
            if isinstance(message, Request):
                verb = json.loads(message.text)["verb"]
                self.asked.append(verb)
                if self.answers:
                    said = STATUS if verb == "status" else {"held": []}
                    self.child.end.send(Answer(message.number, json.dumps(said)))
            else:
                self.heard.append(message)

    def figures(self, memory: bool = False) -> dict[str, Any]:
        """What it answers."""
        number = len(self.heard) + 1000
        text = json.dumps({"verb": "figures", "memory": memory})
        self.child.end.send(Request(number, text))

        def answers() -> list[Answer]:
            return [m for m in self.heard if isinstance(m, Answer) and m.number == number]

        self.until(answers)
        figures: dict[str, Any] = json.loads(answers()[0].text)
        return figures

    def notices(self) -> list[str]:
        self.figures()
        return [m.text for m in self.heard if isinstance(m, Notice)]

    def wake(self) -> None:
        os.eventfd_write(self.news, 1)

    def wait(self) -> int:
        """Its exit status."""
        self._waited = True
        return self.child.wait()

    def close(self) -> None:
        os.close(self.news)
        if not self._waited:
            self.child.kill(signal.SIGKILL)
            self.child.wait()
        self.child.close()


@pytest.fixture(name="bench")
def _bench(tmp_path: Path, server: Server, authority: Authority) -> Iterator[Bench]:
    save_enrolment(str(tmp_path), replace(ENROLMENT, url=server.url, ca=authority.pem))
    bench = Bench(tmp_path, server, authority)
    yield bench
    bench.close()


@pytest.fixture(name="syncing")
def _syncing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Syncing]]:
    """Starts it, with short pauses."""
    monkeypatch.setattr(pace, "GATHER", 0.05)
    monkeypatch.setattr(pace, "LEAST", 0.1)
    monkeypatch.setattr(pace, "SHORTEST", 0.1)
    started: list[Syncing] = []

    def start() -> Syncing:
        started.append(Syncing(bench.spool, tmp_path))
        return started[-1]

    yield start
    for made in started:
        made.close()


def test_what_waits_is_sent_with_the_health(bench: Bench, syncing: Callable[[], Syncing]) -> None:
    """At the start all that waits; the health is asked of the supervisor, once in five minutes."""
    bench.put(1, 2, 3)
    made = syncing()
    made.until(lambda: bench.kept == [1, 2, 3])
    made.until(lambda: made.figures()["last_success"] is not None)
    assert made.asked == ["status", "blocked"]
    assert [h["uptime"] for h in bench.collector.health] == [93784]
    figures = made.figures(memory=True)
    assert (figures["url"], figures["name"]) == (bench.server.url, "attic")
    assert (figures["rounds"], figures["sent"], figures["last_error"]) == (1, 3, "")
    assert figures["memory"] > 0
    assert figures["blind"] == []
    bench.put(4)
    made.wake()
    made.until(lambda: bench.kept == [1, 2, 3, 4])
    assert made.asked == ["status", "blocked"]
    assert made.notices() == []


def test_nothing_is_done_while_there_is_nothing(
    bench: Bench, syncing: Callable[[], Syncing]
) -> None:
    """After the first sign of life it sleeps for about an hour."""
    made = syncing()
    made.until(lambda: made.figures()["last_success"] is not None)
    assert 3000 < made.figures()["next"] < 4000
    used = Path(f"/proc/{made.child.pid}/stat").read_text().split()[13:15]
    time.sleep(0.5)
    assert Path(f"/proc/{made.child.pid}/stat").read_text().split()[13:15] == used
    assert made.figures()["rounds"] == 1


def test_without_an_answer_to_its_questions(
    bench: Bench, syncing: Callable[[], Syncing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor that is busy holds up no alert."""
    monkeypatch.setattr(process, "HEALTH_WAIT", 0.2)
    bench.put(1)
    made = syncing()
    made.answers = False
    made.until(lambda: bench.kept == [1])
    assert bench.collector.health == []


def test_failures_are_told_once(bench: Bench, syncing: Callable[[], Syncing]) -> None:
    """One notice for a reason however often it fails, one when it works again; status says it."""
    bench.put(1)
    bench.collector.trouble = [Told(500)] * 4
    made = syncing()
    made.until(lambda: made.figures()["failures"] == 3)
    assert made.figures()["blind"] == ["alerts do not reach the collector: it answers 500"]
    made.until(lambda: bench.kept == [1])
    made.until(lambda: made.figures()["last_error"] == "")
    assert made.notices() == ["the collector: it answers 500", "the collector has all again"]


def test_a_secret_that_was_changed_is_used_at_once(
    bench: Bench, syncing: Callable[[], Syncing], tmp_path: Path, authority: Authority
) -> None:
    """The next round reads the enrolment anew: a rotation needs no restart."""
    made = syncing()
    made.until(lambda: made.figures()["last_success"] is not None)
    changed = replace(ENROLMENT, url=bench.server.url, ca=authority.pem, secret=bytes(32))
    save_enrolment(str(tmp_path), changed)
    body = msgpack.packb({"next": 1})
    bench.server.answer = lambda asked: Told(200, body)
    before = bench.server.asked[-1].headers["hdr-signature"]
    made.wake()
    made.until(lambda: made.figures()["rounds"] == 2)
    made.until(lambda: bench.server.asked[-1].headers["hdr-signature"] != before)


@pytest.mark.parametrize("how", ["SIGTERM", "Finish"])
def test_it_ends_at_once_and_takes_its_round_with_it(
    bench: Bench, syncing: Callable[[], Syncing], how: str
) -> None:
    """Even while a round waits for a collector that says nothing."""
    bench.put(1)
    bench.server.answer = lambda _asked: None
    made = syncing()
    made.until(lambda: bench.server.asked)
    (child,) = children_of(made.child.pid)
    if how == "Finish":
        made.child.end.send(Finish("new settings"))
    else:
        made.child.kill(signal.SIGTERM)
    pidfd = os.pidfd_open(child)
    began = time.monotonic()
    assert made.wait() == 0
    assert time.monotonic() - began < 5
    gone(pidfd)


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def gone(pidfd: int) -> None:
    """Wait until that process has ended."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(5000)
    os.close(pidfd)


def test_a_round_that_is_killed(bench: Bench, syncing: Callable[[], Syncing]) -> None:
    """It counts as a failure; the next one sends all, each once."""
    bench.put(1, 2)
    bench.server.answer = lambda _asked: None
    made = syncing()
    made.until(lambda: bench.server.asked)
    (child,) = children_of(made.child.pid)
    bench.server.answer = bench.collector
    os.kill(child, signal.SIGKILL)
    made.until(lambda: bench.kept == [1, 2])
    assert made.notices()[0] == "the collector: the sending died"


def test_a_round_that_is_stuck_ends_itself(
    bench: Bench, syncing: Callable[[], Syncing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing acknowledged for long: it ends, and is told so."""
    monkeypatch.setattr(process, "STUCK", 0.5)
    bench.put(1)
    bench.server.answer = lambda _asked: None
    made = syncing()
    made.until(lambda: made.figures()["failures"] >= 1)
    assert made.notices()[0] == "the collector: the sending got stuck"


def test_a_supervisor_that_is_gone(bench: Bench, syncing: Callable[[], Syncing]) -> None:
    """It ends by itself."""
    made = syncing()
    made.until(lambda: made.figures()["last_success"] is not None)
    made.child.end.close()
    pidfd = os.pidfd_open(made.child.pid)
    gone(pidfd)
    with pytest.raises(LinkClosed):
        list(made.child.end.receive())
