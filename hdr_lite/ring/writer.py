"""The writing end, held by the sensor."""

import os
import select
import time

from hdr_lite.native import Ring
from hdr_lite.records.kind import Kind
from hdr_lite.ring.codec import Record, encode
from hdr_lite.ring.memory import RingMemory, clear


class RingWriter:
    """Puts records; wakes the reader when told to.

    The meter writes into ``ring`` itself, from C. A writer that takes over from one that was
    killed goes on with the next number. ``ValueError``: the ring is corrupt.
    """

    def __init__(self, memory: RingMemory) -> None:
        self.ring = Ring(memory.memory)
        self._data = memory.data
        self._room = memory.room
        self._poll = select.poll()
        self._poll.register(memory.room, select.POLLIN)
        # The one before may have been killed between its last record and the reader's wake-up.
        os.eventfd_write(self._data, 1)

    def put(self, kind: Kind, time: int, body: bytes) -> bool:
        """Append a packed record; False, and counted as dropped, when there is no room."""
        return self.ring.put(kind, time, body)

    def put_record(self, kind: Kind, time: int, record: Record) -> bool:
        """Append a record; False, and counted as dropped, when there is no room."""
        return self.ring.put(kind, time, encode(record))

    @property
    def ready(self) -> bool:
        """Whether a burst of records would fit."""
        return self.ring.ready()

    def notify(self) -> None:
        """Wake the reader if it sleeps: to be called after records were put."""
        if self.ring.wants_wake(False):
            os.eventfd_write(self._data, 1)

    def wait_for_room(self, timeout: float = 1.0) -> bool:
        """Wake the reader and sleep until a burst fits, or for so many seconds.

        Returns whether it fits now; False leaves the caller a chance to look at signals.
        """
        self.notify()
        until = time.monotonic() + timeout
        while not self.ring.ready():
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._sleep(left)
        return True

    def _sleep(self, seconds: float) -> None:
        """Until the reader says that there is room, a new reader came, or so long."""
        clear(self._room)
        self.ring.announce_sleep(True)
        if not self.ring.ready():
            self._poll.poll(seconds * 1000)
