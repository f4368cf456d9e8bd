"""Alerts for the collector, as IDMEFv2 objects, on storage until it has them (``hdr_lite.spool``).

An alert gets its number as it is raised. It is written at the next flush, and forced to storage
together with those of the same second: never more than once a second, and so seldom that the
engine waits for a slow storage a fiftieth of its time at most. An order to the enforcer goes out
before either.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgpack

from hdr_lite.outputs.file import SilentOutput
from hdr_lite.outputs.idmef import event, incident
from hdr_lite.records.alert import Alert
from hdr_lite.spool.codec import ALERT, Frame, Place, Record, decode, encode
from hdr_lite.spool.segments import Segments

#: Bytes that wait at most while the storage takes nothing.
MOST_WAITING = 32 * 1024
#: Bytes of an alert up to which its evidence goes with it.
MOST_EVIDENCE = 16 * 1024
#: Seconds between two forced writes, at least; and how many times as long as one took.
SYNC_INTERVAL = 1.0
_SYNC_SHARE = 50
_EPOCH = 16  # bytes of it, in an intent


class Spool(SilentOutput):
    """The output."""

    name = "the spool"

    def __init__(
        self,
        directory: Path,
        size: int,
        cursor: Path,
        now: Callable[[], float] = time.monotonic,
        *,
        told: Callable[[], object] = lambda: None,
    ) -> None:
        """``size`` in bytes; ``cursor``: the sender's file; ``told`` wakes him."""
        self._directory = directory
        self._size = size
        self._segments = Segments(directory, size, cursor)
        self._now = now
        self._told = told
        self._waiting: list[Frame] = []
        self._next = 0
        self._dropped = 0  # while they waited
        self._sync_at = 0.0  # not before
        self._unsynced = False
        self._stuck = False  # the storage took not all, the last time
        self._full = False

    # The engine's calls -------------------------------------------------------------------

    def open(self) -> None:
        """Go on behind what is there."""
        self._segments.open()
        self._next = self._segments.last + 1
        if self._segments.damaged:
            names = ", ".join(self._segments.damaged)
            self.problem = f"what followed a damaged record is lost, in {names}"

    def alert(self, alert: Alert) -> None:
        """With its evidence, none of which was part of an alert before."""
        severity = max(int(evidence.finding.threat_level) for evidence in alert.evidence)
        self._append(Record(self._next, ALERT, severity, alert.ts, _payload(alert)))

    def intent(self) -> tuple[int, bytes]:
        """The records that wait, with the epoch in which their numbers count."""
        if not self._waiting:
            return 0, b""
        epoch = self._segments.epoch.encode()
        return 0, epoch + b"".join(frame.data for frame in self._waiting)

    def redo(self, _position: int, data: bytes) -> None:
        """Append what is missing. Where an epoch has begun meanwhile the numbers are new ones,
        and whether an alert was told before is seen by its id only."""
        epoch = data[:_EPOCH].decode(errors="replace")
        for record, _ in decode(Place(epoch, 1), data[_EPOCH:]).frames:
            if epoch != self._segments.epoch:
                self._append(record._replace(number=self._next))
            elif record.number >= self._next:
                self._append(record)

    def flush(self) -> None:
        """Write what waits; force to storage what is due."""
        if self._waiting:
            self._write()
            self._told()
        if self._unsynced and self._now() >= self._sync_at:
            self._sync()

    def close(self) -> None:
        """All that can be written is on storage."""
        try:
            if self._waiting:
                self._write()
            if self._unsynced:
                self._sync()
        finally:
            self._segments.close()

    def figures(self) -> Mapping[str, Any]:
        """For ``hdr-lite status``; ``dropped`` since the engine's start."""
        return {
            "spool": {
                "directory": str(self._directory),
                "bytes": self._segments.bytes,
                "waiting": self._segments.waiting() + len(self._waiting),
                "dropped": self._segments.dropped + self._dropped,
            }
        }

    # Inside -------------------------------------------------------------------------------

    def _append(self, record: Record) -> None:
        self._waiting.append(encode(self._segments.epoch, record))
        self._next = record.number + 1
        size = sum(len(frame.data) for frame in self._waiting)
        while self._stuck and size > MOST_WAITING and len(self._waiting) > 1:
            least = min(self._waiting, key=lambda frame: frame.record.severity)  # the oldest
            self._waiting.remove(least)
            self._dropped += 1
            size -= len(least.data)

    def _write(self) -> None:
        dropped = self._segments.dropped
        self._stuck = True
        try:
            self._segments.append(self._waiting)
            self._stuck = False
        finally:
            last = self._segments.last
            left = [frame for frame in self._waiting if frame.record.number > last]
            if len(left) < len(self._waiting) and not self._unsynced:
                self._unsynced = True
                self._sync_at = max(self._sync_at, self._now() + SYNC_INTERVAL)
            self._waiting = left
            self._tell_fullness(self._segments.dropped > dropped)

    def _tell_fullness(self, dropping: bool) -> None:
        if dropping and not self._full:
            self.problem = "it is full: of what waits, the oldest of the least severity is dropped"
        self._full = dropping or (self._full and self._segments.bytes > self._size // 2)

    def _sync(self) -> None:
        self._unsynced = False
        began = self._now()
        self._segments.sync()
        ended = self._now()
        self._sync_at = ended + max(SYNC_INTERVAL, _SYNC_SHARE * (ended - began))


def _payload(alert: Alert) -> dict[str, Any]:
    """The alert and, as far as they have room, the events of its evidence."""
    told = incident(alert)
    room = MOST_EVIDENCE - _weight(told)
    events = []
    for evidence in alert.evidence:
        one = event(evidence)
        room -= _weight(one)
        if room < 0:
            break
        events.append(one)
    return {"alert": told, "evidence": events}


def _weight(told: Mapping[str, Any]) -> int:
    return len(msgpack.packb(told, unicode_errors="backslashreplace"))
