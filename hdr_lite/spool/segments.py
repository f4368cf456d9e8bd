"""The directory of a spool as its writer sees it: the segments, what is in each, and room.

The last segment is appended to; the others are only thinned out and removed. One stays always,
so that numbers go on. No number is given twice, whatever is killed or loses power: what may have
been sent was on storage before (``reader``), so that all but a torn end is there after it; where
something else is wrong with the last segment, a new epoch begins.
"""

import errno
import fcntl
import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from hdr_lite.spool.codec import (
    MOST_NUMBER,
    MOST_SEGMENT,
    Content,
    Frame,
    Place,
    decode,
    places_in,
)
from hdr_lite.spool.cursor import Cursor, load_cursor
from hdr_lite.storage import replacing, sync_directory

#: A segment is left for the next one when it has this share of the bound, or so many bytes.
_SHARE, _LARGEST = 16, 256 * 1024
_MOST_COUNT = 0xFFFF
_MODE = 0o640  # the reader is of the group


def open_segment(path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of a regular file. ``OSError``."""
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, _MODE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is no file")
    return descriptor


def read_segment(descriptor: int) -> bytes:
    """All of it, as far as anybody writes. ``OSError``."""
    size = min(os.fstat(descriptor).st_size, MOST_SEGMENT)
    return os.pread(descriptor, size, 0)


class _Segment:
    """One file, and what of it counts."""

    def __init__(self, place: Place, size: int = 0, frames: Iterable[Frame] = ()) -> None:
        self.place = place
        self.size = size
        self.last = place.first - 1  #: number of the last record
        self.records = 0
        self.weights: Counter[int] = Counter()  #: severity -> bytes
        for frame in frames:
            self.count(frame)

    def count(self, frame: Frame) -> None:
        self.last = frame.record.number
        self.records += 1
        self.weights[frame.record.severity] += len(frame.data)


class Segments:
    """The writing end. ``open`` comes first; every call may raise ``OSError``."""

    def __init__(self, directory: Path, size: int, cursor: Path) -> None:
        """``size``: bytes that all together take at most; ``cursor``: the reader's file."""
        self._directory = directory
        self._size = size
        self._roll_at = min(size // _SHARE, _LARGEST)
        self._cursor = cursor
        self._segments: list[_Segment] = []
        self._file = self._lock = -1
        self._left: list[int] = []  # segments that were left and may not be on storage
        self._is_new = False  # the last segment: its name may not be on storage
        self.dropped = 0  #: records that were removed to make room
        self.damaged: list[str] = []  #: segments in which something was not to be read

    @property
    def epoch(self) -> str:
        """That is written to."""
        return self._segments[-1].place.epoch

    @property
    def last(self) -> int:
        """The number of the last record, or one below the first."""
        return self._segments[-1].last

    @property
    def bytes(self) -> int:
        """That all segments take."""
        return sum(segment.size for segment in self._segments)

    def waiting(self) -> int:
        """Records that are not acknowledged; those behind a gap may be counted too many."""
        cursor, count = self._acknowledged(), 0
        for segment in self._segments:
            left = segment.records
            if cursor is not None and segment.place.epoch == cursor.epoch:
                left = min(left, max(0, segment.last + 1 - cursor.next))
            elif cursor is not None and segment.place.epoch < cursor.epoch:
                left = 0
            count += left
        return count

    # Opening ------------------------------------------------------------------------------

    def open(self) -> None:
        """Find what is there and go on behind it; nobody else may have it open."""
        self._claim()
        for left in self._directory.glob("*.new"):
            left.unlink()
        cursor = load_cursor(self._cursor)
        content = Content([], 0, torn=False, damaged=True)  # without any: a first epoch
        damaged = []
        for place in places_in(self._directory):
            content, size = self._read(place)
            segment = _Segment(place, size, content.frames)
            self._segments.append(segment)
            if content.damaged:
                damaged.append((segment, content.frames))
        if content.damaged or self._is_behind(cursor):
            self._begin(Place(self._new_epoch(cursor), 1))
        else:
            self._go_on(content)
        for segment, frames in damaged:
            self._heal(segment, frames)

    def _claim(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._lock = os.open(self._directory / ".lock", flags, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(errno.EBUSY, "another process writes there") from None

    def _is_behind(self, cursor: Cursor | None) -> bool:
        """Whether the collector has numbers that are not here: something was taken away."""
        if cursor is not None and cursor.epoch == self.epoch and cursor.next > self.last + 1:
            return True
        return self.last >= MOST_NUMBER

    def _go_on(self, content: Content) -> None:
        current = self._segments[-1]
        self._file = open_segment(self._directory / current.place.name, os.O_WRONLY | os.O_APPEND)
        if content.torn:
            os.ftruncate(self._file, content.end)
            current.size = content.end

    def _heal(self, segment: _Segment, frames: Sequence[Frame]) -> None:
        """Keep what is sound of a damaged segment, so that it is told of once."""
        self.damaged.append(segment.place.name)
        with suppress(OSError):
            if frames:
                self._replace(segment, frames)
            else:
                self._remove(segment)

    def _read(self, place: Place) -> tuple[Content, int]:
        """What is in a segment, and its size; one that cannot be read is damaged."""
        try:
            descriptor = open_segment(self._directory / place.name)
        except OSError:
            return Content([], 0, torn=False, damaged=True), 0
        try:
            size = os.fstat(descriptor).st_size
            content = decode(place, read_segment(descriptor))
        finally:
            os.close(descriptor)
        return content._replace(damaged=content.damaged or size > MOST_SEGMENT), size

    def _new_epoch(self, cursor: Cursor | None) -> str:
        """Behind all that are known."""
        known = [segment.place.epoch for segment in self._segments]
        known += [cursor.epoch] if cursor is not None else []
        count = min(int(max(known)[:4], 16) + 1, _MOST_COUNT) if known else 0
        return f"{count:04x}{os.urandom(6).hex()}"

    # Writing ------------------------------------------------------------------------------

    def append(self, frames: Sequence[Frame]) -> None:
        """Write records with numbers behind ``last``, which then tells what was written."""
        data = b"".join(frame.data for frame in frames)
        current = self._segments[-1]
        if os.fstat(self._file).st_size != current.size:  # a part of a record, of the last time
            os.ftruncate(self._file, current.size)
        if current.records and current.size + len(data) > self._roll_at:
            self._roll(frames[0].record.number)
        self._make_room(len(data), frames[0].record.number)
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        finally:
            self._count(frames, written)

    def sync(self) -> None:
        """See that all is on storage."""
        while self._left:  # the oldest first
            os.fdatasync(self._left[0])
            os.close(self._left.pop(0))
        os.fdatasync(self._file)
        if self._is_new:
            sync_directory(self._directory)
            self._is_new = False

    def close(self) -> None:
        """Called once."""
        for descriptor in (self._file, self._lock, *self._left):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1
        self._left.clear()

    def _count(self, frames: Sequence[Frame], written: int) -> None:
        """Only records that were written to their end."""
        current = self._segments[-1]
        for frame in frames:
            written -= len(frame.data)
            if written < 0:
                return
            current.size += len(frame.data)
            current.count(frame)

    def _roll(self, first: int) -> None:
        """Leave the last segment for a new one."""
        if len(self._left) >= _SHARE:
            self.sync()
        self._begin(Place(self.epoch, first))
        self._forget_acknowledged()

    def _begin(self, place: Place) -> None:
        path = self._directory / place.name
        file = open_segment(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL)
        if self._file >= 0:
            self._left.append(self._file)
        self._file, self._is_new = file, True
        self._segments.append(_Segment(place))

    # Room ---------------------------------------------------------------------------------

    def _make_room(self, needed: int, number: int) -> None:
        """Where it would become too full, the oldest records of the least severity go.

        A segment's worth of them at once: it costs writing what stays beside them anew.
        """
        if self.bytes + needed <= self._size:
            return
        self._forget_acknowledged()
        if self.bytes + needed <= self._size:
            return
        if self._segments[-1].records:
            self._roll(number)
        most = max(0, self._size - self._roll_at - needed)
        for severity in sorted(set().union(*(segment.weights for segment in self._segments))):
            for segment in self._segments[:-1]:
                if self.bytes <= most:
                    return
                self._thin(segment, severity, self.bytes - most)

    def _thin(self, segment: _Segment, severity: int, excess: int) -> None:
        """Take so many bytes of that severity out of a segment, its oldest first."""
        if not segment.weights[severity]:
            return
        content, _ = self._read(segment.place)
        kept = []
        for frame in content.frames:
            if frame.record.severity == severity and excess > 0:
                excess -= len(frame.data)
            else:
                kept.append(frame)
        if kept:
            self._replace(segment, kept)
        else:
            self._remove(segment)
        self.dropped += len(content.frames) - len(kept)

    def _replace(self, segment: _Segment, frames: Sequence[Frame]) -> None:
        with replacing(self._directory / segment.place.name, _MODE) as file:
            file.writelines(frame.data for frame in frames)
        size = sum(len(frame.data) for frame in frames)
        self._segments[self._segments.index(segment)] = _Segment(segment.place, size, frames)

    def _forget_acknowledged(self) -> None:
        cursor = self._acknowledged()
        if cursor is None:
            return
        for segment in self._segments[:-1]:
            if (segment.place.epoch, segment.last) < (cursor.epoch, cursor.next):
                self._remove(segment)

    def _acknowledged(self) -> Cursor | None:
        """The reader's cursor, unless it is of another spool."""
        cursor = load_cursor(self._cursor)
        return cursor if cursor is not None and cursor.epoch <= self.epoch else None

    def _remove(self, segment: _Segment) -> None:
        (self._directory / segment.place.name).unlink(missing_ok=True)
        self._segments.remove(segment)
