"""One turn: code of one module runs, until it returns, fails or is interrupted.

This is the only place that catches whatever a module raises. A turn that goes on for too
long is interrupted by a timer: its signal handler raises :class:`TurnOverrun` at the next
bytecode of the module's code; never in the engine's own code that the module called (that
is inside :meth:`Clock.shielded`), so that nothing of the engine's is left half done.

The timer counts real time, as a module may also sleep; where the machine was busy with
something else, CPU time decides. First the turn is only told that its quantum is ``spent``,
and ends by itself after the message under way.
"""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns, thread_time_ns
from types import FrameType, TracebackType
from typing import NamedTuple, Self

SECOND = 1_000_000_000
#: Quanta of CPU time, and real time (ns), after which a turn is interrupted.
HARD_QUANTA = 10
HARD_REAL = 2 * SECOND
#: A replay's turn has no quantum, so that the same messages always make the same turns. One
#: that lasts this long (s) fails the run.
REPLAY_DEADLINE = 60.0
#: Seconds between the signals that follow the first.
_AGAIN = 0.05
_MOST_TEXT = 500
_OURS = str(Path(__file__).parent.parent) + os.sep
_MODULES = _OURS + "modules" + os.sep
_FOREIGN = (_OURS, str(Path(os.__file__).parent) + os.sep, "<frozen importlib")


class TurnOverrun(BaseException):
    """Raised inside a module whose turn took too long; no ``except Exception`` stops it."""


class Failure(NamedTuple):
    """Why a turn did not end well."""

    reason: str  #: one line
    traceback: str  #: without the engine's own frames
    overrun: bool = False


class Clock:
    """The timer of turns. One for the process: it owns SIGALRM while it is entered."""

    def __init__(self, quantum: float, deadline: float = 0.0) -> None:
        """``quantum`` in seconds; with a ``deadline`` (s), only that counts."""
        self.spent = False  #: the turn under way has used up its quantum
        self._first = deadline or quantum
        self._soft = not deadline
        self._cpu_limit = round(quantum * HARD_QUANTA * SECOND) if self._soft else 0
        self._inside = False
        self._shields = 0
        self._due = False
        self._cpu = self._real = 0
        self._before: object = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGALRM, self._on_alarm)
        return self

    def __exit__(self, *_error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)  # type: ignore[arg-type]

    def run(self, code: Callable[[], object]) -> tuple[object, Failure | None, int]:
        """Run a module's code: what it returned, how it failed, CPU time in ns."""
        result, failure = None, None
        self.spent = self._due = False
        self._shields = 0
        self._real = perf_counter_ns()
        self._cpu = thread_time_ns()
        try:
            try:
                self._inside = True
                signal.setitimer(signal.ITIMER_REAL, self._first, _AGAIN)
                result = code()
            except BaseException as error:  # noqa: BLE001 - the fence between modules
                failure = describe(error, self._limit())
            finally:
                self._inside = False
        except BaseException:  # noqa: BLE001 - interrupted, or misled, while describing the failure
            self._inside = False
            failure = Failure(f"interrupted: its turn took more than {self._limit()}", "", True)
        signal.setitimer(signal.ITIMER_REAL, 0)
        return result, failure, thread_time_ns() - self._cpu

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """The engine's own work on behalf of a module: an interrupt waits until it is done."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._due and self._inside and not self._shields:
            raise TurnOverrun

    def _on_alarm(self, _number: int, _frame: FrameType | None) -> None:
        if not self._inside:
            return
        self.spent = True
        if self._soft and not self._is_over():
            return
        if self._shields:
            self._due = True
            return
        raise TurnOverrun

    def _is_over(self) -> bool:
        cpu = thread_time_ns() - self._cpu
        return cpu >= self._cpu_limit or perf_counter_ns() - self._real >= HARD_REAL

    def _limit(self) -> str:
        if self._soft:
            return f"{self._cpu_limit / SECOND:g} s of CPU or {HARD_REAL / SECOND:g} s"
        return f"{self._first:g} s"


def describe(error: BaseException, limit: str) -> Failure:
    """What happened, and on which line of the module's."""
    trace = _trimmed(error.__traceback__)
    own = [
        (Path(frame.f_code.co_filename).name, line)
        for frame, line in traceback.walk_tb(trace)
        if not _is_foreign(frame)
    ]
    place = " ({}:{})".format(*own[-1]) if own else ""
    if isinstance(error, TurnOverrun):
        return Failure(f"interrupted: its turn took more than {limit}{place}", "", True)
    text = " ".join(str(error).split())[:_MOST_TEXT]
    reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
    lines = traceback.format_exception(type(error), error, trace, limit=-20)
    return Failure(reason + place, "".join(lines)[-4096:])


def _trimmed(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame on that is not the engine's."""
    while trace is not None and _is_foreign(trace.tb_frame):
        trace = trace.tb_next
    return trace


def _is_foreign(frame: FrameType) -> bool:
    """Whether it is none of the module's: ours, or of Python's library."""
    name = frame.f_code.co_filename
    return name.startswith(_FOREIGN) and not name.startswith(_MODULES)
