"""What every source of packets is to the sensor."""

from typing import NamedTuple, Protocol

from hdr_lite.config import UserError
from hdr_lite.native import Meter


class SourceStats(NamedTuple):
    """Counters of one source since it was opened."""

    packets: int  #: handed to the meter
    dropped: int  #: by the kernel, for want of room
    interface_dropped: int  #: by the interface or its driver


class SourceError(UserError):
    """A source that cannot be opened or read: one sentence for the user."""


class Source(Protocol):
    """An input of packets. One is opened by its constructor and belongs to the sensor."""

    name: str
    live: bool
    opener: str  #: who opened it: ``pypcap`` or ``libpcap``
    linktype: str  #: libpcap's name of the link type, ``EN10MB``
    decoded: bool  #: whether frames of that type are understood

    def read(self, meter: Meter, limit: int) -> int:
        """Feed at most ``limit`` packets; how many were taken.

        0: no more are there now, or the meter waits for room in the ring. Raises
        ``EOFError`` at the end of a file and ``SourceError`` when the input breaks.
        """

    def fileno(self) -> int:
        """A descriptor that polls readable when packets wait; -1 for a file."""

    def position(self) -> int:
        """Bytes of the file that were read; 0 for an interface."""

    def stats(self) -> SourceStats:
        """Counters so far."""

    def close(self) -> None:
        """Give the handle back."""
