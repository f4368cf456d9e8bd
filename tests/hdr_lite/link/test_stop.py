"""Signals as a flag and as something to poll."""

import os
import select
import signal

from hdr_lite.link.stop import StopSignal


def _readable(stop: StopSignal) -> bool:
    return bool(select.select([stop], [], [], 0)[0])


def test_a_signal_is_counted_and_polls() -> None:
    """A signal sets the flag, wakes a poll, and what was set before comes back."""
    before = signal.getsignal(signal.SIGUSR1)
    with StopSignal((signal.SIGUSR1,), ignored=(signal.SIGUSR2,)) as stop:
        assert not stop
        assert not _readable(stop)
        os.kill(os.getpid(), signal.SIGUSR2)
        assert not stop
        os.kill(os.getpid(), signal.SIGUSR1)
        assert stop
        assert stop.count == 1
        assert _readable(stop)
        stop.drain()
        stop.drain()
        assert not _readable(stop)
        assert stop
    assert signal.getsignal(signal.SIGUSR1) == before
    assert signal.getsignal(signal.SIGUSR2) == signal.SIG_DFL
