"""What outputs that write a file have in common, and what none of them needs to write.

A run starts its files anew; a service goes on with them, whichever of its processes came
before. Text is UTF-8; what is none (a lone surrogate from a module)
appears as an escape.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, TextIO

from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence
from hdr_lite.records.flow import Flow

_BUFFER = 64 * 1024


class SilentOutput:
    """An output that takes everything and does nothing: each output overrides what it wants."""

    name: str = ""
    wants_flows: bool = False

    def open(self) -> None:
        """Nothing to open."""

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

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        """Nothing to close."""


class FileOutput(SilentOutput):
    """A text file in the output directory."""

    file_name: ClassVar[str]

    def __init__(self, directory: str, *, append: bool = False) -> None:
        """``append``: what is in the file stays."""
        self._mode: Literal["a", "w"] = "a" if append else "w"
        self.path = Path(directory) / self.file_name
        self.name = str(self.path)
        self._file: TextIO | None = None
        self._dirty = False

    def open(self) -> None:
        """Make the file, or empty it unless it is to go on. ``OSError``."""
        self._file = self.path.open(
            self._mode, buffering=_BUFFER, encoding="utf-8", errors="backslashreplace", newline="\n"
        )

    def write(self, text: str) -> None:
        """Append text; it reaches the system at the next :meth:`flush` at the latest."""
        if self._file is not None:
            self._file.write(text)
            self._dirty = True

    def flush(self) -> None:
        """Give to the system what was written. ``OSError`` when the disk is full."""
        if self._dirty and self._file is not None:
            self._file.flush()
            self._dirty = False

    def close(self) -> None:
        """Flush and close."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()
