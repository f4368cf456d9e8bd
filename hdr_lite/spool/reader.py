"""The reading end of a spool: batches from a cursor on, while the engine writes.

Nothing is handed out before it is on storage: else a loss of power could take a number back
that the collector has, and the engine give it to another alert.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hdr_lite.spool.codec import Place, Record, decode, places_in
from hdr_lite.spool.cursor import Cursor
from hdr_lite.spool.segments import open_segment, read_segment
from hdr_lite.storage import sync_directory

#: Segments may be removed while they are listed and read: so often it is tried anew.
_TRIES = 5


class Batch(NamedTuple):
    """Records ``[first, next)`` of an epoch; a number that is missing was dropped."""

    epoch: str
    first: int
    next: int
    records: list[Record]

    @property
    def cursor(self) -> Cursor:
        """Where it goes on once this was acknowledged."""
        return Cursor(self.epoch, self.next)


class SpoolReader:
    """Reads a directory that another process writes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known = Place("", 0)  #: the last segment whose name is on storage

    def read(self, cursor: Cursor | None, records: int, size: int) -> Batch | None:
        """The next records behind a cursor (None: the oldest), None where there are none yet.

        At most so many, whose bytes on storage are at most ``size``; one in any case. ``OSError``.
        """
        for _ in range(_TRIES):
            try:
                return self._read(cursor, records, size)
            except FileNotFoundError:
                continue  # what was to be read has been acknowledged, or dropped
        return None

    def _read(self, cursor: Cursor | None, records: int, size: int) -> Batch | None:
        places = places_in(self._directory)
        epochs = sorted({place.epoch for place in places})
        if cursor is not None:  # one that is newer than all is of another spool
            epochs = [epoch for epoch in epochs if epoch >= cursor.epoch] or epochs
        for epoch in epochs:
            first = cursor.next if cursor is not None and cursor.epoch == epoch else 1
            own = [place for place in places if place.epoch == epoch]
            found = self._collect(own, first, records, size)
            if found:
                self._keep_names(own[-1])
                return Batch(epoch, first, found[-1].number + 1, found)
        return None

    def _keep_names(self, last: Place) -> None:
        if last != self._known:
            sync_directory(self._directory)
            self._known = last

    def _collect(self, places: Sequence[Place], first: int, most: int, size: int) -> list[Record]:
        found: list[Record] = []
        for place, after in zip(places, [*places[1:], None], strict=True):
            if after is not None and after.first <= first:
                continue  # all of it is acknowledged
            for record, data in decode(place, self._content(place)).frames:
                if record.number < first:
                    continue
                size -= len(data)
                if found and (len(found) >= most or size < 0):
                    return found
                found.append(record)
                first = record.number + 1
        return found

    def _content(self, place: Place) -> bytes:
        descriptor = open_segment(self._directory / place.name)
        try:
            data = read_segment(descriptor)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        return data
