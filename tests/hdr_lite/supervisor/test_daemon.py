"""The service: real processes that die, fall silent or lie, and what becomes of the others."""

import io
import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hdr_lite.config import ConfigError
from hdr_lite.link.codec import (
    Answer,
    Ask,
    Digest,
    LinkError,
    Message,
    Notice,
    Opened,
    Raised,
    Reload,
)
from hdr_lite.link.end import End
from hdr_lite.link.stop import StopSignal
from hdr_lite.supervisor import daemon
from hdr_lite.supervisor.control import ask
from hdr_lite.supervisor.daemon import Change
from hdr_lite.supervisor.role import Role
from tests.hdr_lite.supervisor.played import ENGINE, SENSOR, Service, engine, serve


def test_start_and_clean_stop(tmp_path: Path) -> None:
    """All start, ``ready`` is told once, SIGTERM ends all, status 0, the socket is gone."""
    service = Service(tmp_path, [SENSOR, ENGINE])
    started = time.monotonic()
    assert service.run() == 0
    assert time.monotonic() - started < 5
    assert service.err.getvalue() == "hdr-lite: ready\n"
    assert not service.socket.exists()


@pytest.mark.parametrize("name", ["sensor", "engine"])
def test_child_that_is_killed_comes_back(tmp_path: Path, name: str) -> None:
    """A killed child is back within 2 s, the other stays, and errors.log hears of it."""
    seen: list[dict[str, Any]] = []

    def actions(service: Service) -> None:
        seen.append(service.status())
        started = time.monotonic()
        service.kill(name)
        service.until(f"the {name} is back")
        assert time.monotonic() - started < 2
        service.until(f"errors.log: the {name} was ended by SIGKILL; it starts again in 0.1 s")
        seen.append(service.status())

    service = Service(tmp_path, [SENSOR, ENGINE])
    assert service.run(actions) == 0
    before, after = seen
    other = "engine" if name == "sensor" else "sensor"
    assert before[name]["pid"] != after[name]["pid"]
    assert after[name]["starts"] == 2
    assert before[other]["pid"] == after[other]["pid"]


def test_memory_stays_shared(tmp_path: Path) -> None:
    """What was there before the first fork is not copied by the second one, nor by a restart."""
    kept: list[list[int]] = [[] for _ in range(400_000)]  # 32 MB of what the collector looks at
    seen: list[int] = []

    def actions(service: Service) -> None:
        service.kill("engine")
        service.until("the engine is back")
        sensor_pid = service.status()["sensor"]["pid"]
        for pid in (os.getpid(), sensor_pid):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            shared = [line for line in rollup if line.startswith("Shared_Dirty:")]
            seen.append(int(shared[0].split()[1]) // 1024)

    assert Service(tmp_path, [SENSOR, ENGINE]).run(actions) == 0
    assert min(seen) > 25, seen
    assert len(kept) == 400_000


def test_crash_loop_is_told(tmp_path: Path) -> None:
    """One that dies at once starts again with longer and longer pauses; the loop has a name."""

    def broken(end: End, stop: StopSignal) -> int:
        end.send(Opened("x"))
        raise RuntimeError("a bug")

    def actions(service: Service) -> None:
        service.until("a crash loop: 5 times in a row")
        assert service.status()["sensor"]["loop"]
        assert service.status()["engine"]["starts"] == 1

    service = Service(tmp_path, [Role("sensor", broken, Opened), ENGINE])
    service.run(actions)
    said = service.err.getvalue()
    pauses = ["0.1 s", "0.2 s", "0.4 s", "0.8 s", "1.6 s"]
    assert all(f"it starts again in {pause}" in said for pause in pauses)
    assert "RuntimeError: a bug at" in said


def test_users_mistake_at_the_start(tmp_path: Path) -> None:
    """A source that cannot be opened at the first start ends the service: status 2."""

    def mistaken(_end: End, _stop: StopSignal) -> int:
        raise ConfigError("in9: no such interface")

    service = Service(tmp_path, [Role("sensor", mistaken, Opened), ENGINE])
    assert service.daemon.run() == 2
    assert service.err.getvalue() == "hdr-lite: in9: no such interface\n"


def test_silent_child_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that answers nothing is killed and starts again."""
    monkeypatch.setattr(daemon, "SILENCE", 0.5)
    monkeypatch.setattr(daemon, "ASK_INTERVAL", 0.1)
    marker = tmp_path / "was here"

    def stuck(end: End, stop: StopSignal) -> int:
        end.send(Opened("x"))
        if not marker.exists():
            marker.touch()
            time.sleep(60)
        return serve(end, stop)

    service = Service(tmp_path, [Role("sensor", stuck, Opened), ENGINE])
    assert service.run(lambda service: service.until("the sensor is back")) == 0
    assert "the sensor has said nothing for 0.5 s" in service.err.getvalue()


def test_child_that_lies(tmp_path: Path) -> None:
    """A message that is not its to send ends the sender, and nobody gets it."""

    def liar(end: End, stop: StopSignal) -> int:
        end.send(Opened("x"))

        def take(end: End, message: Message) -> bool:
            end.send(Digest("not mine"))
            return False

        return serve(end, stop, take)

    service = Service(tmp_path, [Role("sensor", liar, Opened), ENGINE])
    service.run(lambda service: service.until("Digest is not its to send"))


def test_child_that_does_not_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not end in time is killed, and the exit status is 1."""
    monkeypatch.setattr(daemon, "STOP_TIMEOUT", 0.3)

    def stubborn(end: End, stop: StopSignal) -> int:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        end.send(Opened("x"))
        time.sleep(60)
        return 0

    service = Service(tmp_path, [Role("sensor", stubborn, Opened), ENGINE])
    assert service.run() == 1
    assert "the sensor did not stop in time and was killed" in service.err.getvalue()


def test_orders_are_relayed(tmp_path: Path) -> None:
    """What the engine orders reaches the enforcer, again if it died before it answered."""
    marker = tmp_path / "died"

    def ordering(end: End, stop: StopSignal) -> int:
        def take(end: End, message: Message) -> bool:
            if isinstance(message, Reload):
                end.send(Digest("block that one"))
            return False

        return serve(end, stop, take)

    def enforcer(end: End, stop: StopSignal) -> int:
        end.send(Opened("tables are in place"))

        def take(end: End, message: Message) -> bool:
            if isinstance(message, Digest):
                end.send(Raised(f"done: {message.sha256}"))
                if marker.exists():
                    end.send(message)
                else:  # it dies before it has answered
                    marker.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
            return False

        return serve(end, stop, take)

    def actions(service: Service) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        service.until("the enforcer is back")
        service.until("done: block that one\ndone: block that one\n")
        service.kill("enforcer")
        service.until("the enforcer is back\nhdr-lite: the enforcer was ended by SIGKILL")
        time.sleep(0.5)
        assert ask(service.socket, {"verb": "blocked"})["verb"] == "blocked"
        with pytest.raises(ConfigError.__bases__[0], match="there is no verb 'dance'"):
            ask(service.socket, {"verb": "dance"})

    roles = [
        SENSOR,
        Role("engine", ordering, Answer, routes={Digest: "enforcer"}, reloads=True),
        Role(
            "enforcer",
            enforcer,
            Opened,
            verbs=frozenset({"blocked"}),
            routes={Digest: "engine"},
            order=lambda message: message.sha256 if isinstance(message, Digest) else "",
        ),
    ]
    service = Service(tmp_path, roles, Change("{}", frozenset(), ()))
    assert service.run(actions) == 0
    assert service.out.getvalue().count("done") == 2  # what was answered is not said again


def test_reload(tmp_path: Path) -> None:
    """SIGHUP: who can takes the new settings and lives on; who cannot starts anew, at once."""
    seen: list[dict[str, Any]] = []

    def actions(service: Service) -> None:
        seen.append(service.status())
        os.kill(os.getpid(), signal.SIGHUP)
        service.until('reload: {"a": 1}')
        service.until("the sensor is back")
        seen.append(service.status())

    change = Change('{"a": 1}', frozenset({"sensor"}), ("ring.size: takes effect later",))
    service = Service(tmp_path, [SENSOR, ENGINE], change)
    assert service.run(actions) == 0
    before, after = seen
    assert before["engine"]["pid"] == after["engine"]["pid"]
    assert before["sensor"]["pid"] != after["sensor"]["pid"]
    assert "ring.size: takes effect later" in service.err.getvalue()
    assert "ended" not in service.err.getvalue()


def test_reload_with_a_mistake(tmp_path: Path) -> None:
    """A mistake in the new settings is told, and nothing changes."""

    def actions(service: Service) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        service.until("not reloaded, the old settings hold: a wrong setting")
        assert service.status()["sensor"]["starts"] == 1

    assert Service(tmp_path, [SENSOR, ENGINE]).run(actions) == 0


def test_descriptors_are_handed_over(tmp_path: Path) -> None:
    """A child has its link, the standard ones and what it was given; nothing else."""
    given, other = os.pipe()

    def listing(end: End, stop: StopSignal) -> int:
        end.send(Opened("x"))
        names = sorted(int(p.name) for p in Path("/proc/self/fd").iterdir())
        kept = {name for name in names if Path(f"/proc/self/fd/{name}").exists()}
        end.send(Notice(f"given {given in kept}, other {other in kept}"))
        return serve(end, stop)

    service = Service(tmp_path, [Role("sensor", listing, Opened, keeps=(given,)), ENGINE])
    service.run(lambda service: service.until("given True, other False"))
    os.close(given)
    os.close(other)


def test_what_the_supervisor_does_itself(tmp_path: Path) -> None:
    """A message that a role names goes to its function only; one that this refuses ends the
    sender; without being named it is a lie."""
    taken: list[Message] = []

    def asking(end: End, stop: StopSignal) -> int:
        end.send(Opened("x"))
        end.send(Ask("log", b"a" if not taken else b"b"))
        return serve(end, stop)

    def take(message: Message) -> None:
        taken.append(message)
        if len(taken) == 2:
            raise LinkError("not that")

    def actions(service: Service) -> None:
        service.kill("sensor")
        service.until("the sensor sent what is no message and is ended: not that")
        service.until("the sensor was ended by SIGKILL; it starts again in 0.2 s")
        deadline = time.monotonic() + 10
        while len(taken) < 3:  # its successor is well again
            assert time.monotonic() < deadline
            time.sleep(0.01)

    service = Service(tmp_path, [Role("sensor", asking, Opened, takes={Ask: take}), ENGINE])
    assert service.run(actions) == 0
    assert taken[:2] == [Ask("log", b"a"), Ask("log", b"b")]
    service = Service(tmp_path, [Role("sensor", asking, Opened), ENGINE])
    service.run(lambda service: service.until("Ask is not its to send"))


def test_what_the_supervisor_looks_after(tmp_path: Path) -> None:
    """It looks twice a second, and tells errors.log what it had to do."""

    def actions(service: Service) -> None:
        service.keeper.told += ["one", "two"]
        started = time.monotonic()
        service.until("errors.log: two")
        assert time.monotonic() - started < 2

    service = Service(tmp_path, [SENSOR, ENGINE])
    assert service.run(actions) == 0
    assert "errors.log: one" in service.err.getvalue() + service.out.getvalue()


def test_news_are_looked_after_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without waiting for the time to look."""
    monkeypatch.setattr(daemon, "LOOK_INTERVAL", math.inf)

    def actions(service: Service) -> None:
        service.keeper.told += ["one"]
        os.eventfd_write(service.keeper.news, 1)
        service.until("errors.log: one")

    service = Service(tmp_path, [SENSOR, ENGINE])
    assert service.run(actions) == 0


def test_children_end_with_the_supervisor(tmp_path: Path) -> None:
    """When the supervisor is killed, no child stays behind."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            sys.stderr = io.StringIO()
            service = Service(tmp_path, [SENSOR, ENGINE])

            def actions(service: Service) -> None:
                status = service.status()
                os.write(writer, f"{status['sensor']['pid']} {status['engine']['pid']}".encode())
                os.kill(os.getpid(), signal.SIGKILL)

            service.run(actions)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as said:
        pids = said.read().split()
    os.waitpid(pid, 0)
    deadline = time.monotonic() + 5
    while any(_lives(int(pid)) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(pids) == 2


def _lives(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_processes_come_and_go_by_a_reload(tmp_path: Path) -> None:
    """One that is new starts, one that is gone ends and is not started again; the control socket
    asks for it as SIGHUP does."""
    new = Role("sync", engine, Answer)
    changes = [
        Change("{}", frozenset(), (), new=(new,)),
        Change("{}", frozenset(), (), new=(new,)),  # it is there already
        Change("{}", frozenset(), (), gone=frozenset({"sync"})),
        Change("{}", frozenset(), (), gone=frozenset({"sync"})),
    ]
    pids: list[int] = []

    def reload_until(service: Service, there: bool) -> None:
        assert ask(service.socket, {"verb": "reload"}) == {"state": "the settings are read anew"}
        deadline = time.monotonic() + 10
        while there != bool(service.status().get("sync", {}).get("pid")):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def actions(service: Service) -> None:
        for there in (True, True, False, False):
            service.change = changes.pop(0)
            reload_until(service, there)
            if there:
                pids.append(service.status()["sync"]["pid"])
        assert set(service.status()) == {"sensor", "engine"}

    service = Service(tmp_path, [SENSOR, ENGINE])
    assert service.run(actions) == 0
    assert pids[0] == pids[1]
    assert "starts again" not in service.err.getvalue()
