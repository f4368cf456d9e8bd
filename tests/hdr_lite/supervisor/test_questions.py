"""What children are asked, and what they may ask: real processes, and who waits for them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hdr_lite.link.codec import Answer, Message, Notice, Opened, Request
from hdr_lite.link.end import End
from hdr_lite.link.stop import StopSignal
from hdr_lite.supervisor.member import Member
from hdr_lite.supervisor.questions import read_object
from hdr_lite.supervisor.role import Role
from tests.hdr_lite.supervisor.played import ENGINE, Service, engine, serve


def curious(end: End, stop: StopSignal) -> int:
    """Asks for a verb, and tells what came back as a notice."""
    end.send(Opened("x"))
    for verb in ("status", "look", "absent"):
        end.send(Request(7, json.dumps({"verb": verb})))

    def take(end: End, message: Message) -> bool:
        if isinstance(message, Answer):
            end.send(Notice(f"{message.number} {sorted(json.loads(message.text))}"))
        return False

    return serve(end, stop, take)


def test_a_child_may_ask_what_its_role_names(tmp_path: Path) -> None:
    """As somebody at the control socket: the status, another process's verb; the answer has its
    number."""
    asks = frozenset({"status", "look", "absent"})
    role = Role("sync", curious, Opened, asks=asks)
    looked_at = Role("engine", engine, Answer, verbs=frozenset({"look"}))

    def actions(service: Service) -> None:
        service.until("sync: 7 ['engine', 'sync']")
        service.until("sync: 7 ['pid', 'verb']")
        service.until("sync: 7 ['error']")

    service = Service(tmp_path, [looked_at, role])
    assert service.run(actions) == 0, service.err.getvalue()


def test_a_child_that_asks_for_more_is_ended(tmp_path: Path) -> None:
    """A verb that is not its to ask is a wrong message."""
    service = Service(tmp_path, [ENGINE, Role("sync", curious, Opened, asks=frozenset({"status"}))])
    service.run(lambda service: service.until("the verb look is not its to ask"))
    assert "the sync was ended by SIGKILL" in service.err.getvalue()


def test_an_answer_that_is_too_long_for_a_child(tmp_path: Path) -> None:
    """It is told so, and lives."""
    long = "x" * 70_000

    class Wordy(Service):
        def _status(self, members: Sequence[Member]) -> dict[str, Any]:
            return {"long": long}

    asks = frozenset({"status", "look", "absent"})
    service = Wordy(tmp_path, [ENGINE, Role("sync", curious, Opened, asks=asks)])
    assert service.run(lambda service: service.until("sync: 7 ['error']")) == 0


def test_what_is_no_object() -> None:
    """Whatever a child wrote, who asked gets an object."""
    error = {"error": "the answer is no JSON object"}
    assert [read_object(t) for t in ('{"a": 1}', "[]", "{")] == [{"a": 1}, error, error]
