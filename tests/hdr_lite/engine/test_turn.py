"""One turn: what is caught, what is interrupted, what is never interrupted."""

import signal
import sys
import time

import pytest

from hdr_lite.engine.turn import Clock, TurnOverrun


def endless() -> None:
    while True:
        pass


def test_result_and_cpu_time() -> None:
    """A turn that ends well gives what the code returned and the CPU time that it took."""
    with Clock(1.0) as clock:
        result, failure, cpu = clock.run(lambda: sum(range(100_000)))
    assert (result, failure) == (4999950000, None)
    assert 0 < cpu < 1_000_000_000


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (ValueError("bad  \n value"), "ValueError: bad value"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (MemoryError(), "MemoryError"),
        (RecursionError("deep"), "RecursionError: deep"),
        (GeneratorExit(), "GeneratorExit"),
        (ValueError("x" * 10_000), "ValueError: " + "x" * 500),
    ],
)
def test_whatever_is_raised_becomes_a_failure(raised: BaseException, reason: str) -> None:
    """Nothing that a module raises passes its turn; the reason is one line with its place."""

    def code() -> None:
        raise raised

    with Clock(1.0) as clock:
        _, failure, _ = clock.run(code)
    assert failure is not None
    assert failure.reason.startswith(reason + " (test_turn.py:")
    assert not failure.overrun
    assert "engine/turn.py" not in failure.traceback


def test_exit_is_a_failure() -> None:
    """sys.exit in a module does not end the engine."""
    with Clock(1.0) as clock:
        _, failure, _ = clock.run(lambda: sys.exit("bye"))
    assert failure is not None
    assert failure.reason.startswith("SystemExit: bye")


def test_endless_loop_is_interrupted() -> None:
    """Python code that overruns is interrupted after its CPU limit, ten quanta."""
    with Clock(0.005) as clock:
        _, failure, cpu = clock.run(endless)
    assert failure is not None
    assert failure.overrun
    assert failure.reason.startswith("interrupted: its turn took more than 0.05 s of CPU or 2 s")
    assert 50_000_000 <= cpu < 1_000_000_000


def test_sleeping_module_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that uses no CPU but does not return is interrupted, too."""
    monkeypatch.setattr("hdr_lite.engine.turn.HARD_REAL", 100_000_000)
    began = time.monotonic()
    with Clock(0.005) as clock:
        _, failure, _ = clock.run(lambda: time.sleep(30))
    assert failure is not None
    assert failure.overrun
    assert time.monotonic() - began < 10


def test_except_exception_does_not_stop_the_interrupt() -> None:
    """A module that catches every Exception in its loop is interrupted all the same."""

    def code() -> None:
        while True:
            try:
                endless()
            except Exception:  # noqa: BLE001 - what a module may do
                continue

    with Clock(0.005) as clock:
        _, failure, _ = clock.run(code)
    assert failure is not None
    assert failure.overrun


def test_an_exception_that_hangs_when_printed() -> None:
    """Describing a failure runs the module's code as well, and is interrupted as well."""

    class Hang(Exception):
        def __str__(self) -> str:
            endless()
            return ""

    def code() -> None:
        raise Hang

    with Clock(0.005) as clock:
        _, failure, _ = clock.run(code)
    assert failure is not None
    assert failure.reason.startswith("interrupted")


def test_quantum_only_tells() -> None:
    """A spent quantum is told to the turn; the code goes on."""
    with Clock(0.005) as clock:

        def code() -> int:
            rounds = 0
            while not clock.spent:
                rounds += 1
            return rounds

        rounds, failure, _ = clock.run(code)
    assert failure is None
    assert isinstance(rounds, int)
    assert rounds > 0


def test_replay_knows_no_quantum() -> None:
    """With a deadline nothing is spent before it; then the turn is interrupted."""
    seen = []
    with Clock(0.001, deadline=1.0) as clock:

        def code() -> None:
            end = time.monotonic() + 0.05
            while time.monotonic() < end:
                pass
            seen.append(clock.spent)
            endless()

        _, failure, _ = clock.run(code)
    assert seen == [False]
    assert failure is not None
    assert "more than 1 s" in failure.reason


def test_engine_code_is_not_interrupted() -> None:
    """What runs shielded is done to its end; the interrupt comes right behind it."""
    done = []
    with Clock(0.005) as clock:

        def code() -> None:
            with clock.shielded():
                end = time.thread_time() + 0.2
                while time.thread_time() < end:
                    pass
                done.append("whole")
            done.append("not reached")

        _, failure, _ = clock.run(code)
    assert done == ["whole"]
    assert failure is not None
    assert failure.overrun


def test_no_interrupt_outside_turns() -> None:
    """A signal that comes late hits nothing."""
    with Clock(0.005) as clock:
        clock.run(lambda: None)
        signal.raise_signal(signal.SIGALRM)
        _, failure, _ = clock.run(lambda: None)
    assert failure is None


def test_many_short_turns_are_never_hit_outside() -> None:
    """Interrupts that race with the end of a turn never escape from it."""
    with Clock(0.0002) as clock:
        outcomes = [clock.run(lambda: sum(range(3000)))[1] for _ in range(3000)]
    assert all(failure is None or failure.overrun for failure in outcomes)


def test_handler_is_restored() -> None:
    """A clock leaves SIGALRM as it was, and no timer running."""
    before = signal.getsignal(signal.SIGALRM)
    with Clock(0.01):
        assert signal.getsignal(signal.SIGALRM) is not before
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_overrun_is_no_exception() -> None:
    """``except Exception`` is not meant to catch an interrupt."""
    assert not issubclass(TurnOverrun, Exception)
