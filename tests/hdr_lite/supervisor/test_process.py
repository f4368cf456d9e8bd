"""Two real processes and whatever may happen to them."""

import io
import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hdr_lite.config import ConfigError
from hdr_lite.link.codec import Digest, Done, Finish, Message, Notice, Opened, Progress, Raised
from hdr_lite.link.end import End
from hdr_lite.link.stop import StopSignal
from hdr_lite.records.verb import Block, Enforced, Ready
from hdr_lite.supervisor import child, process
from hdr_lite.supervisor.child import Main
from hdr_lite.supervisor.process import Outcome, Supervisor
from hdr_lite.supervisor.terminal import Terminal

DONE = Done(1, 2, 3, 4)


def _supervise(
    sensor: Main, engine: Main, digest: Iterator[str] | None = None
) -> tuple[Outcome, str, str]:
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(out, err)
    outcome = Supervisor(sensor, engine, terminal, instance="t", digest=digest).run()
    return outcome, out.getvalue(), err.getvalue()


def _await(end: End, wanted: type[Message]) -> Message:
    """The next message of a type; the test's children are slow machines, too."""
    while True:
        assert select.select([end], [], [], 10)[0]
        for message in end.receive():
            if isinstance(message, wanted):
                return message


def _until_stopped(stop: StopSignal) -> None:
    while not stop:
        select.select([stop], [], [], 10)


def _good_sensor(end: End, _stop: StopSignal) -> int:
    end.send(Opened("x"))
    end.send(Progress(1, 2, 3, 4))
    return 0


def _good_engine(end: End, _stop: StopSignal) -> int:
    end.send(Raised("an alert"))
    end.send(DONE)
    return 0


def _finishing_engine(end: End, _stop: StopSignal) -> int:
    message = _await(end, Finish)
    assert isinstance(message, Finish)
    end.send(Notice(f"told: {message.reason}"))
    end.send(DONE)
    return 0


def _hanging(end: End, _stop: StopSignal) -> int:
    end.send(Opened("x"))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    time.sleep(60)
    return 0


def test_a_run_that_goes_well() -> None:
    """Messages are relayed, the digest reaches the engine, and the outcome is the engine's."""

    def engine(end: End, _stop: StopSignal) -> int:
        message = _await(end, Digest)
        assert message == Digest("abc")
        return _good_engine(end, _stop)

    outcome, out, err = _supervise(_good_sensor, engine, iter(["", "", "abc"]))
    assert outcome == Outcome(0, DONE, False)
    assert (out, err) == ("an alert\n", "")


def test_processes_have_names() -> None:
    """ps tells which instance and which part a process is."""

    def sensor(end: End, stop: StopSignal) -> int:
        end.send(Notice(Path("/proc/self/comm").read_text().strip()))
        return _good_sensor(end, stop)

    assert _supervise(sensor, _good_engine)[2] == "hdr-lite: t:sensor\n"


def test_users_mistake_in_the_sensor() -> None:
    """A source that cannot be opened is one sentence, status 2, and no engine is started."""

    def sensor(_end: End, _stop: StopSignal) -> int:
        raise ConfigError("no such file")

    def engine(end: End, _stop: StopSignal) -> int:
        end.send(Notice("started"))
        return 0

    outcome, _, err = _supervise(sensor, engine)
    assert outcome == Outcome(2, None, False)
    assert err == "hdr-lite: no such file\n"


def test_users_mistake_in_the_engine() -> None:
    """An engine that cannot start ends the sensor with it; status 2."""

    def engine(_end: End, _stop: StopSignal) -> int:
        raise ConfigError("wrong option")

    outcome, _, err = _supervise(_hanging, engine)
    assert outcome.status == 2
    assert err == "hdr-lite: wrong option\n"


def test_sensor_dies() -> None:
    """The engine is told to finish with what it has; the run has failed."""

    def sensor(end: End, _stop: StopSignal) -> int:
        end.send(Opened("x"))
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    outcome, _, err = _supervise(sensor, _finishing_engine)
    assert outcome == Outcome(1, DONE, False)
    assert "the sensor was ended by SIGKILL" in err
    assert "told: the sensor was ended by SIGKILL" in err


def test_sensor_raises() -> None:
    """A bug in the sensor is one line with its place; the engine still finishes."""

    def sensor(end: End, _stop: StopSignal) -> int:
        end.send(Opened("x"))
        raise RuntimeError("a bug")

    outcome, _, err = _supervise(sensor, _finishing_engine)
    assert outcome == Outcome(1, DONE, False)
    assert "t:sensor: RuntimeError: a bug at " in err
    assert "told: the sensor ended with status 1" in err


def test_the_engine_ends_first() -> None:
    """An engine that has read the last record may end while the sensor still closes its files."""

    def sensor(end: End, _stop: StopSignal) -> int:
        end.send(Opened("x"))
        time.sleep(0.3)
        return 0

    outcome, _, err = _supervise(sensor, _good_engine)
    assert (outcome, err) == (Outcome(0, DONE, False), "")


@pytest.mark.parametrize("how", ["kill", "raise", "no words"])
def test_engine_dies(how: str) -> None:
    """A run whose engine is gone has failed, and its sensor does not stay behind."""

    def engine(_end: End, _stop: StopSignal) -> int:
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "raise":
            raise RuntimeError("a bug")
        return 0

    started = time.monotonic()
    outcome, _, err = _supervise(_hanging, engine)
    assert outcome.status == 1
    assert outcome.done is None
    assert time.monotonic() - started < 5
    assert err.startswith("hdr-lite: ")
    assert err.count("\n") == 1


def test_clean_stop() -> None:
    """SIGINT stops the sensor, which finishes; the engine ends after it; nothing failed."""
    outcome, out, _ = _supervise(_interrupting_sensor, _good_engine)
    assert outcome == Outcome(0, DONE, True)
    assert out == "an alert\n"


def _interrupting_sensor(end: End, stop: StopSignal) -> int:
    end.send(Opened("x"))
    os.kill(os.getppid(), signal.SIGINT)
    _until_stopped(stop)
    return 0


def test_a_child_that_does_not_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the timeout what still runs is killed, and the run has failed."""
    monkeypatch.setattr(process, "STOP_TIMEOUT", 0.3)
    outcome, _, err = _supervise(_hanging, _interrupting_engine)
    assert outcome == Outcome(1, None, True)
    assert "stopped by force" in err


def _interrupting_engine(_end: End, _stop: StopSignal) -> int:
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(60)
    return 0


def test_a_second_signal_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who presses Ctrl-C twice does not wait."""
    monkeypatch.setattr(process, "IMPATIENCE", 0.0)
    monkeypatch.setattr(process, "STOP_TIMEOUT", 60.0)

    def sensor(end: End, stop: StopSignal) -> int:
        _interrupting_sensor(end, stop)
        return _interrupting_engine(end, stop)

    started = time.monotonic()
    outcome, _, _ = _supervise(sensor, _hanging_engine)
    assert outcome.status == 1
    assert time.monotonic() - started < 30


def _hanging_engine(_end: End, _stop: StopSignal) -> int:
    time.sleep(60)
    return 0


def test_two_signals_at_once_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends a signal to the program and to its group asks once, and patiently."""
    monkeypatch.setattr(process, "IMPATIENCE", 60.0)

    def sensor(end: End, stop: StopSignal) -> int:
        _interrupting_sensor(end, stop)
        os.kill(os.getppid(), signal.SIGINT)
        return 0

    outcome, _, err = _supervise(sensor, _good_engine)
    assert (outcome, err) == (Outcome(0, DONE, True), "")


def test_stop_before_a_child_listens_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the sensor is still starting ends it like any other."""
    supervisor = os.getpid()

    def starting(name: str) -> None:
        if name.endswith("sensor"):
            os.kill(supervisor, signal.SIGINT)
            time.sleep(0.3)

    monkeypatch.setattr(child, "set_title", starting)

    def sensor(end: End, stop: StopSignal) -> int:
        end.send(Opened("x"))
        _until_stopped(stop)
        return 0

    outcome, _, err = _supervise(sensor, _good_engine)
    assert (outcome, err) == (Outcome(0, DONE, True), "")


def test_garbage_ends_its_sender() -> None:
    """A child that sends what is no message is ended, and the run has failed."""

    def sensor(end: End, _stop: StopSignal) -> int:
        end.send(Opened("x"))
        end._socket.sendall(b"\xff\xff\xff\xff")
        time.sleep(60)
        return 0

    outcome, _, err = _supervise(sensor, _finishing_engine)
    assert outcome.status == 1
    assert "the sensor sent what is no message" in err


def test_a_sensor_that_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sensor that does not end after the engine has is killed after the timeout."""
    monkeypatch.setattr(process, "STOP_TIMEOUT", 0.3)
    outcome, _, err = _supervise(_hanging, _good_engine)
    assert outcome == Outcome(1, DONE, False)
    assert "stopped by force" in err


def test_a_message_of_the_wrong_child() -> None:
    """Only the sensor may say that sources are open."""

    def engine(end: End, _stop: StopSignal) -> int:
        end.send(Opened("x"))
        time.sleep(60)
        return 0

    outcome, _, err = _supervise(_hanging, engine)
    assert outcome.status == 1
    assert "the engine sent what is no message: Opened" in err


def test_children_die_with_the_supervisor() -> None:
    """When the supervisor is killed, the kernel ends its children."""
    reader, writer = os.pipe()

    def sensor(end: End, _stop: StopSignal) -> int:
        os.write(writer, b"%d\n" % os.getpid())
        return _hanging(end, _stop)

    def engine(_end: End, _stop: StopSignal) -> int:
        os.write(writer, b"%d\n" % os.getpid())
        time.sleep(60)
        return 0

    supervisor = os.fork()
    if supervisor == 0:
        try:
            _supervise(sensor, engine)
        finally:
            os._exit(0)
    text = b""
    while text.count(b"\n") < 2:
        text += os.read(reader, 100)
    children = [os.pidfd_open(int(pid)) for pid in text.split()]
    os.kill(supervisor, signal.SIGKILL)
    os.waitpid(supervisor, 0)
    for descriptor in children:
        assert select.select([descriptor], [], [], 5)[0]
        os.close(descriptor)
    os.close(reader)
    os.close(writer)


def _blocking_run(enforcer: Main) -> tuple[Outcome, str]:
    """A run whose engine orders one block, and what was told."""

    reads, writes = os.pipe()  # the ring between the two

    def sensor(end: End, stop: StopSignal) -> int:
        end.send(Opened("x"))
        _until_stopped(stop)
        os.write(writes, b"end")
        return 0

    def engine(end: End, _stop: StopSignal) -> int:
        end.send(Block("e1", "203.0.113.5", 60, "X", 0))
        while reads not in select.select([end.fileno(), reads], [], [], 10)[0]:
            for message in end.receive():
                assert isinstance(message, Enforced)
                end.send(Notice(f"told: {message.outcome}"))
                os.kill(os.getppid(), signal.SIGTERM)
        end.send(DONE)
        return 0

    err = io.StringIO()
    terminal = Terminal(io.StringIO(), err)
    made = Supervisor(sensor, engine, terminal, enforcer=enforcer, instance="t", live=True)
    outcome = made.run()
    os.close(reads)
    os.close(writes)
    return outcome, err.getvalue()


def test_orders_are_handed_over() -> None:
    """From the engine to the enforcer, the answer back; the enforcer ends when the engine has."""

    def enforcer(end: End, stop: StopSignal) -> int:
        end.send(Ready("mode block"))
        order = _await(end, Block)
        assert isinstance(order, Block)
        end.send(Enforced(order.evidence, order.address, "blocked", 60, ""))
        _until_stopped(stop)
        return 0

    outcome, said = _blocking_run(enforcer)
    assert outcome == Outcome(0, DONE, True)
    assert "mode block" in said
    assert "ready" in said
    assert "told: blocked" in said


def test_a_run_whose_enforcer_dies() -> None:
    """Nobody blocks any more: the rest ends in good order, and the run has failed."""

    def enforcer(end: End, _stop: StopSignal) -> int:
        _await(end, Block)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    outcome, said = _blocking_run(enforcer)
    assert (outcome.status, outcome.done) == (1, DONE)
    assert "the enforcer was ended by SIGKILL" in said


def test_only_its_own_messages() -> None:
    """An enforcer that orders, or an engine that says it is ready, is ended."""

    def enforcer(end: End, stop: StopSignal) -> int:
        end.send(Block("e1", "203.0.113.5", 60, "X", 0))
        _until_stopped(stop)
        return 0

    outcome, said = _blocking_run(enforcer)
    assert outcome.status == 1
    assert "Block is not its to send" in said
