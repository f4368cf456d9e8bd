"""What a ring consists of for the kernel: a sealed memfd and two eventfds."""

import fcntl
import os
from typing import NamedTuple

from hdr_lite.native import Ring

#: Below this a burst of the longest records (RECORD_BURST) would never fit.
LEAST_CAPACITY = 1 << 18


class RingMemory(NamedTuple):
    """Descriptors of a ring. Their maker holds them; both ends get them by fork."""

    memory: int  #: the memfd, its size sealed
    data: int  #: eventfd that wakes the reader: there is something to read
    room: int  #: eventfd that wakes the writer: there is room again

    def close(self) -> None:
        """Close them here. The ring lives as long as somebody has it open or mapped."""
        for descriptor in self:
            os.close(descriptor)


def create_ring(capacity: int) -> RingMemory:
    """An empty ring for ``capacity`` bytes of data, rounded up to a power of two.

    ValueError: too small for a burst of records. OSError: out of memory or descriptors.
    """
    if capacity < LEAST_CAPACITY:
        raise ValueError(f"a ring of {capacity} bytes: {LEAST_CAPACITY} are the least")
    memory = os.memfd_create("hdr-lite-ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(memory, Ring.size_for(capacity))
    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, seals)
    Ring(memory, format=True)
    flags = os.EFD_CLOEXEC | os.EFD_NONBLOCK
    return RingMemory(memory, os.eventfd(0, flags), os.eventfd(0, flags))


def clear(eventfd: int) -> None:
    """Take the wake-ups that an eventfd has, if any."""
    try:
        os.eventfd_read(eventfd)
    except BlockingIOError:
        return
