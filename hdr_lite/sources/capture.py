"""Packets from a capture file or an interface, read by C over libpcap.

Where pypcap is installed it opens, filters and counts drops, and our C reads the packets
from the handle it holds (pypcap itself hands out no wire length). Where it is not, or
refuses, or cannot be trusted with what is asked, we open the same through libpcap
ourselves: docs/decisions/0002-pypcap.md.
"""

import errno
import os
import socket
import stat
from pathlib import Path
from typing import Any

from hdr_lite.config import CaptureConfig
from hdr_lite.native import Capture, Meter, Tally
from hdr_lite.sources.base import SourceError, SourceStats
from hdr_lite.sources.clock import TrafficClock

#: The kernel hands packets over when a block is full or this old, ms (capture.h).
TIMEOUT_MS = 10


class CaptureSource:
    """One file or interface, open. Made by :func:`open_file` and :func:`open_interface`."""

    def __init__(
        self,
        name: str,
        capture: Capture,
        pypcap: Any = None,
        *,
        index: int = 0,
        clock: TrafficClock | None = None,
    ) -> None:
        self.name = name
        self.live = clock is not None
        self.opener = "libpcap" if pypcap is None else "pypcap"
        self.linktype = capture.linktype_name
        self.decoded = Tally(capture.linktype).known
        self._capture = capture
        self._pypcap = pypcap
        self._index = index
        self._clock = clock
        self._packets = 0

    def read(self, meter: Meter, limit: int) -> int:
        """Feed at most ``limit`` packets; see :class:`~hdr_lite.sources.base.Source`."""
        shift = self._clock.shift() if self._clock else 0
        try:
            taken = self._capture.feed(meter, self._index, limit, shift)
        except OSError as error:
            reason = f"broken after {self._packets} packets: {error.strerror}"
            raise SourceError(f"{self.name}: {reason}") from None
        self._packets += taken
        return taken

    def fileno(self) -> int:
        """A descriptor that polls readable when packets wait; -1 for a file."""
        return self._capture.fileno() if self.live else -1

    def position(self) -> int:
        """Bytes of the file that were read; 0 for an interface."""
        return self._capture.position()

    def stats(self) -> SourceStats:
        """Counters so far; a file drops nothing."""
        if not self.live:
            return SourceStats(self._packets, 0, 0)
        try:
            counts = self._pypcap.stats() if self._pypcap else self._capture.stats()
        except OSError:  # the interface is gone, and its counters with it
            counts = (0, 0, 0)
        return SourceStats(self._packets, counts[1], counts[2])

    def set_filter(self, text: str) -> None:
        """Let only packets through that match; ``SourceError`` tells what is wrong with it."""
        if self._pypcap is not None:
            try:
                self._pypcap.setfilter(text)
                return
            except OSError:
                pass  # ours tells the reason in words
        try:
            self._capture.set_filter(text)
        except OSError as error:
            raise SourceError(f"filter '{text}': {error.strerror}") from None

    def close(self) -> None:
        """Give the handle back."""
        self._capture.close()
        if self._pypcap is not None:
            self._pypcap.close()
            self._pypcap = None


def open_capture(path: str) -> Capture:
    """libpcap's handle of a capture file. ``SourceError``: one sentence why not."""
    _check_file(path)
    try:
        return Capture.open_file(path)
    except OSError as error:
        reason = str(error.strerror).removeprefix(f"{path}: ")
        raise SourceError(f"{path}: not a capture file: {reason}") from None


def open_file(path: str, config: CaptureConfig) -> CaptureSource:
    """A capture file, from its start. ``SourceError``: one sentence why not."""
    capture = open_capture(path)
    # An absolute path is no interface's name, which pypcap would open as well as a file's.
    borrowed = _borrow(str(Path(path).absolute())) if Path(path).is_file() else None
    capture, handle = borrowed or (capture, None)
    return _filtered(CaptureSource(path, capture, handle), config)


def open_interface(
    name: str, config: CaptureConfig, index: int, clock: TrafficClock
) -> CaptureSource:
    """An interface, number ``index`` of the run's. ``SourceError``: one sentence why not."""
    options = {
        "snaplen": config.snap_length,
        "promisc": config.promiscuous,
        "timeout_ms": TIMEOUT_MS,
        "buffer_size": config.buffer,
    }
    # pypcap would rather read a file of that name in the current directory.
    borrowed = None if _is_path(name) else _borrow(name, **options)
    capture, handle = borrowed or (_open_live(name, config), None)
    source = CaptureSource(name, capture, handle, index=index, clock=clock)
    return _filtered(source, config)


def _open_live(name: str, config: CaptureConfig) -> Capture:
    try:
        return Capture.open_live(name, config.snap_length, config.promiscuous, config.buffer)
    except OSError as error:
        raise SourceError(f"{name}: {_reason(error)}") from None


def _is_path(name: str) -> bool:
    try:
        Path(name).lstat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True  # too long for one, or not to be looked at: better not ask pypcap
    return True


def _filtered(source: CaptureSource, config: CaptureConfig) -> CaptureSource:
    # An interface has a filter always: without one the kernel copies whole packets into its
    # buffer, 64 kB of each where segments are joined, whatever the snap length is.
    if config.filter or source.live:
        try:
            source.set_filter(config.filter)
        except SourceError:
            source.close()
            raise
    return source


def _borrow(name: str, **options: Any) -> tuple[Capture, Any] | None:
    """What pypcap opens, with our reader over it; None when it cannot or may not be used."""
    try:
        import pcap
    except ImportError:
        return None
    try:
        handle = pcap.pcap(name, **options)
        if options:
            handle.setnonblock(True)
        return Capture.borrow(handle), handle
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def _check_file(path: str) -> None:
    """Mistakes that the system knows better words for than libpcap."""
    if not path:
        raise SourceError("a capture file's name is empty")
    try:
        facts = Path(path).stat()
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(f"{path}: {reason.lower()}") from None
    if stat.S_ISREG(facts.st_mode) and not facts.st_size:
        raise SourceError(f"{path}: is empty, not a capture file")
    if stat.S_ISDIR(facts.st_mode):
        raise SourceError(f"{path}: is a directory, not a capture file")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path}: permission denied")


def _reason(error: OSError) -> str:
    if error.errno == errno.ENODEV:
        present = sorted(name for _, name in socket.if_nameindex())
        return f"no such interface; there are {', '.join(present)}"
    if error.errno == errno.ENETDOWN:
        return "the interface is down"
    if error.errno == errno.EPERM:
        return "not permitted: capturing needs root or CAP_NET_RAW"
    return str(error.strerror).lower()
