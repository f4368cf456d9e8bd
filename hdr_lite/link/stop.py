"""Signals that ask a process to stop, as a flag and as something to poll."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import Self


class StopSignal:
    """From its making on, the given signals set :attr:`count` instead of ending the process.

    ``fileno()`` polls readable once one has come, so that a loop that sleeps in poll wakes.
    One at a time: signal handlers are the process's. A context manager: what was set
    before is restored.
    """

    def __init__(self, stopping: Iterable[int], ignored: Iterable[int] = ()) -> None:
        self.count = 0
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._before = {n: signal.signal(n, self._on_signal) for n in stopping}
        self._before |= {n: signal.signal(n, signal.SIG_IGN) for n in ignored}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._reader)
        os.close(self._writer)

    def __bool__(self) -> bool:
        return self.count > 0

    def fileno(self) -> int:
        """A descriptor that polls readable when a signal came since the last :meth:`drain`."""
        return self._reader

    def drain(self) -> None:
        """Let ``fileno()`` poll unreadable again."""
        with suppress(BlockingIOError):
            os.read(self._reader, 64)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.count += 1
