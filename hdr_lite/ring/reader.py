"""The reading end, held by the engine.

Nothing that the writer wrote is believed: the ring's own structure is checked in C, each
record by ``codec.decode``. A record that is none is counted by kind and skipped.
"""

import os
import select
from collections.abc import Callable, Iterable

from hdr_lite.native import Ring
from hdr_lite.records.flow import Stats
from hdr_lite.records.kind import Kind
from hdr_lite.ring.codec import MalformedRecord, Record, decode
from hdr_lite.ring.memory import RingMemory, clear

#: Number, kind, traffic time (ns), record. The number is the record's for good: a record that
#: comes a second time, after a kill, comes under the same one.
Delivery = tuple[int, Kind, int, Record]

_KINDS = {int(kind): kind for kind in Kind}
#: One read holds at most this part of the ring, so that the writer can go on meanwhile.
_SHARE = 8


def _never() -> bool:
    return False


class RingReader:
    """Reads records of the wanted ``kinds`` in batches; ``CLOCK`` and ``STATS`` always come.

    A reader that takes over from one that was killed starts with what that one had not
    committed. ``ValueError`` from the constructor or a read: the ring is corrupt.
    """

    def __init__(self, memory: RingMemory, kinds: Iterable[Kind] = tuple(Kind)) -> None:
        self.ring = Ring(memory.memory)
        self.ended = False  #: the final STATS has been read: nothing follows
        self.malformed: dict[str, int] = {}  #: records skipped, by name of their kind
        self._data = memory.data
        self._room = memory.room
        self._mask = sum(1 << kind for kind in {*kinds, Kind.CLOCK, Kind.STATS})
        self._most = self.ring.capacity // _SHARE
        # The one before may have been killed between its commit and the writer's wake-up.
        os.eventfd_write(self._room, 1)

    def read(self, limit: int) -> list[Delivery]:
        """Up to ``limit`` records that are there now, fewer where they are long.

        None, though there was something, means that it was nothing for the caller; it is
        committed then, so that a writer of nonsense does not fill the ring for good.
        """
        untouched = not self.ring.held
        records = self._decoded(self.ring.read(limit, self._mask, self._most))
        if untouched and not records:
            self.commit()
        return records

    def read_exact(
        self, limit: int, watch: int = -1, gone: Callable[[], bool] = _never
    ) -> list[Delivery]:
        """Replay: sleep until ``limit`` records are there, fewer where they are long.

        Batches end at the same records whenever the same ones are written from the ring's
        start: they end after ``limit`` records, an eighth of the ring or the final ``STATS``
        (which sets ``ended``), never because more was not there in time.

        ``watch`` is a descriptor by which the end of the writer is told: whenever it polls
        readable, ``gone`` is called, which takes what there is to read and says whether the
        writer is gone. What it wrote is returned then, which may be nothing.
        """
        raw: list[tuple[int, int, int, bytes]] = []
        records: list[Delivery] = []
        left = False
        while len(raw) < limit and not self.ended and self.ring.held < self._most:
            more = self.ring.read(limit - len(raw), self._mask, self._most)
            raw += more
            records += self._decoded(more)
            if not more and not self.ring.pending():
                if left:
                    break
                left = self._sleep(watch) and gone()
        return records

    @property
    def used(self) -> int:
        """Bytes put and not committed."""
        return self.ring.used

    @property
    def capacity(self) -> int:
        """Bytes of data that the ring holds at most."""
        return self.ring.capacity

    def commit(self) -> None:
        """Give back the space of all that was read, and wake a writer that waits for it."""
        self.ring.commit()
        if self.ring.ready() and self.ring.wants_wake(True):
            os.eventfd_write(self._room, 1)

    def fileno(self) -> int:
        """Polls readable when an armed reader has something to read."""
        return self._data

    def arm(self) -> bool:
        """Ask for a wake-up. False: there are records to read, do not sleep.

        Call it each time before sleeping on ``fileno()``; it also takes old wake-ups.
        """
        clear(self._data)
        self.ring.announce_sleep(False)
        return not self.ring.pending()

    def _sleep(self, watch: int) -> bool:
        """Sleep until there is something to read; whether ``watch`` has something to tell."""
        poll = select.poll()
        poll.register(self._data, select.POLLIN)
        if watch >= 0:
            poll.register(watch, select.POLLIN)
        if not self.arm():
            return False
        return any(descriptor == watch for descriptor, _ in poll.poll())

    def _decoded(self, raw: list[tuple[int, int, int, bytes]]) -> list[Delivery]:
        records = []
        for number, kind, time, body in raw:
            try:
                record = decode(kind, body)
            except MalformedRecord:
                name = _KINDS[kind].name
                self.malformed[name] = self.malformed.get(name, 0) + 1
                continue
            records.append((number, _KINDS[kind], time, record))
            if type(record) is Stats and record.final:
                self.ended = True
        return records
