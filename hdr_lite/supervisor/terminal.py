"""What a run shows while it goes on: alerts on standard output, the rest on standard error.

Progress is drawn on one line that is written over, and only where standard error is a
terminal. A stream that fails (a reader that left, a full disk) is not written to any more:
the run and its files are worth more than what is shown of it.
"""

import time
from collections.abc import Callable
from typing import TextIO

from hdr_lite.link.codec import Progress
from hdr_lite.outputs.text import one_line

#: Back to the start of the line, and clear it (ECMA-48, 8.3.41).
_CLEAR = "\r\x1b[K"


class Terminal:
    """Two streams and a progress line. ``size`` is that of the input file, 0 when live."""

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        *,
        label: str = "hdr-lite",
        size: int = 0,
        alerts: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = out
        self._err = err
        self._label = label
        self._size = size
        self._alerts = alerts
        self._drawn = False
        self._deaf = False  # standard error has failed
        self._interactive = err.isatty()
        self._now = now
        self._last = (now(), 0)

    def alert(self, line: str) -> None:
        """A line of alerts.log, at once."""
        if not self._alerts:
            return
        self._clear()
        try:
            self._out.write(line + "\n")
            self._out.flush()
        except OSError as error:  # alerts.log still has them
            self._alerts = False
            if not isinstance(error, BrokenPipeError):
                self.notice(f"alerts are not shown any more: {error.strerror}")

    def notice(self, text: str) -> None:
        """A sentence for the person who started the program."""
        self._clear()
        self._tell(f"{self._label}: {one_line(text)}\n")

    def progress(self, progress: Progress) -> None:
        """Packets, rate since the last call and share of the file."""
        if not self._interactive:
            return
        now = self._now()
        then, packets = self._last
        rate = (progress.packets - packets) / (now - then) if now > then else 0
        self._last = (now, progress.packets)
        parts = [f"{progress.packets:,} packets", f"{rate:,.0f}/s"]
        if self._size:
            parts.append(f"{min(100, 100 * progress.position // self._size)} %")
        if progress.dropped:
            parts.append(f"{progress.dropped:,} dropped")
        self._tell(_CLEAR + "  ".join(parts))
        self._drawn = True

    def finish(self) -> None:
        """Nothing more is drawn."""
        self._clear()

    def _clear(self) -> None:
        if self._drawn:
            self._tell(_CLEAR)
            self._drawn = False

    def _tell(self, text: str) -> None:
        """Write to standard error while that takes it."""
        if self._deaf:
            return
        try:
            self._err.write(text)
            self._err.flush()
        except OSError:
            self._deaf = True
