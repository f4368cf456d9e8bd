"""What outputs that write a file have in common, and what none of them needs to write.

A run starts its files anew; a service goes on with them, whichever of its processes came
before. Text is UTF-8; what is none (a lone surrogate from a module)
appears as an escape.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence
from hdr_lite.records.flow import Flow

#: Bytes that wait at most while the disk takes nothing; what comes then is counted and lost.
_MOST_WAITING = 32 * 1024
#: Bytes read at once to find the end of the last whole line.
_STEP = 64 * 1024


class SilentOutput:
    """An output that takes everything and does nothing: each output overrides what it wants."""

    name: str = ""
    wants_flows: bool = False
    lost: int = 0
    problem: str = ""

    def open(self) -> None:
        """Nothing to open."""

    def intent(self) -> tuple[int, bytes]:
        """Nothing that must not be lost."""
        return 0, b""

    def redo(self, position: int, data: bytes) -> None:
        """There is nothing to complete."""

    def flow(self, flow: Flow) -> None:
        """Not told."""

    def evidence(self, evidence: Evidence) -> None:
        """Not told."""

    def evidence_final(self, evidence: Evidence) -> None:
        """Not told."""

    def alert(self, alert: Alert) -> None:
        """Not told."""

    def goes_on(self, evidence: Evidence) -> None:
        """Not told."""

    def error(self, ts: int, text: str) -> None:
        """Not told."""

    def log(self, ts: int, name: str, text: str) -> None:
        """Not told."""

    def summary(self, facts: Mapping[str, Any]) -> None:
        """Not told."""

    def figures(self) -> Mapping[str, Any]:
        """Nothing that a person asks for."""
        return {}

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        """Nothing to close."""


class FileOutput(SilentOutput):
    """A text file in the output directory, which holds whole lines at any time."""

    file_name: ClassVar[str]
    kept: ClassVar[bool] = False  #: whether its lines outlive a process that is killed

    def __init__(self, directory: str, *, append: bool = False) -> None:
        """``append``: what is in the file stays."""
        self._append = append
        self.path = Path(directory) / self.file_name
        self.name = str(self.path)
        self._file = -1
        self._buffer = bytearray()
        self._stuck = False  # the last flush could not write all

    def open(self) -> None:
        """Make the file, or empty it unless it is to go on. ``OSError``."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_APPEND
        flags |= 0 if self._append else os.O_TRUNC
        self._file = os.open(self.path, flags, 0o666)
        self.lost = 0
        if self._append:
            _cut_half_line(self._file)

    def write(self, text: str) -> None:
        """Append text; it reaches the system at the next :meth:`flush` at the latest."""
        if self._file < 0:
            return
        if self._stuck and len(self._buffer) > _MOST_WAITING:
            self.lost += 1
        else:
            self._buffer += text.encode(errors="backslashreplace")

    def intent(self) -> tuple[int, bytes]:
        """What waits, if it must not be lost, and how long the file is now."""
        if self.kept and self._buffer:
            return os.fstat(self._file).st_size, bytes(self._buffer)
        return 0, b""

    def redo(self, position: int, data: bytes) -> None:
        """Write what is missing of it. A file that is shorter than before was rotated."""
        there = os.fstat(self._file).st_size - position
        self._buffer += data[max(0, there) :]

    def flush(self) -> None:
        """Give to the system what was written. ``OSError`` when the disk is full: what could not
        be written stays for the next time, and no half line is left in the file."""
        data, written = bytes(self._buffer), 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError:
            whole = data.rfind(b"\n", 0, written) + 1
            if written > whole:
                size = os.fstat(self._file).st_size
                os.ftruncate(self._file, size - (written - whole))
            del self._buffer[:whole]
            self._stuck = True
            raise
        self._buffer.clear()
        self._stuck = False

    def close(self) -> None:
        """Flush and close."""
        if self._file >= 0:
            try:
                self.flush()
            finally:
                os.close(self._file)
                self._file = -1
                self._buffer.clear()


def _cut_half_line(file: int) -> None:
    """Take away what follows the last end of a line: its writer was killed."""
    end = size = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - _STEP)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        os.ftruncate(file, end)
