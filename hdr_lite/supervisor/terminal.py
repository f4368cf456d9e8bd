"""What a run shows while it goes on: alerts on standard output, the rest on standard error.

Progress is drawn on one line that is written over, and only where standard error is a
terminal.
"""

import time
from collections.abc import Callable
from typing import TextIO

from hdr_lite.link.codec import Progress

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
        except BrokenPipeError:  # nobody reads them any more; alerts.log still has them
            self._alerts = False

    def notice(self, text: str) -> None:
        """A sentence for the person who started the program."""
        self._clear()
        self._err.write(f"{self._label}: {text}\n")
        self._err.flush()

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
        self._err.write(_CLEAR + "  ".join(parts))
        self._err.flush()
        self._drawn = True

    def finish(self) -> None:
        """Nothing more is drawn."""
        self._clear()

    def _clear(self) -> None:
        if self._drawn:
            self._err.write(_CLEAR)
            self._err.flush()
            self._drawn = False
