"""A segment of a spool: its name, and records to bytes and back.

A segment is a file ``EPOCH-FIRST.seg``: 16 hex digits, 16 decimal ones. It holds records, one
behind the other: length of the body, CRC-32 of the body, CRC-32 of these two (u32, little-endian),
the body, which is msgpack ``[number, kind, severity, ts, payload]``. Numbers rise from FIRST on;
one that is not there was dropped. That the checksums begin with the epoch keeps records of another
file out, whose blocks a file system may show after a loss of power; that the length has one tells
a record whose end was never written from one whose length is damaged.

Epochs sort by age: the first four digits count them, the others are random.
"""

import os
import re
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import msgpack

#: Kinds of records.
ALERT = 1
#: Bytes of a body, and of a segment, that are read; nobody writes that many.
MOST_BODY = 128 * 1024
MOST_SEGMENT = 1024 * 1024
#: Numbers up to here: what every language of a collector counts exactly.
MOST_NUMBER = (1 << 53) - 1

_HEADER = struct.Struct("<III")
_CHECKED = struct.Struct("<II")  # what of it its own checksum is of
_NAME = re.compile(r"([0-9a-f]{16})-([0-9]{16})\.seg")


class Record(NamedTuple):
    """What was told once."""

    number: int  #: in its epoch, from 1
    kind: int
    severity: int  #: thousandths, as ``ThreatLevel``
    ts: int  #: ns
    payload: Any  #: of an alert: ``{"alert": incident, "evidence": [event, …]}``


class Frame(NamedTuple):
    """A record as it stands in a segment."""

    record: Record
    data: bytes


class Content(NamedTuple):
    """What a segment holds."""

    frames: list[Frame]
    end: int  #: bytes that they take, from its start
    torn: bool  #: behind them is the beginning of a record: its writer was killed
    damaged: bool  #: behind them is what nobody wrote


class Place(NamedTuple):
    """Which segment: they sort as they were made."""

    epoch: str
    first: int

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.epoch}-{self.first:016}.seg"


def place_of(name: str) -> Place | None:
    """The segment that is called so."""
    match = _NAME.fullmatch(name)
    return Place(match[1], int(match[2])) if match and 0 < int(match[2]) <= MOST_NUMBER else None


def places_in(directory: Path) -> list[Place]:
    """The segments of a spool, the oldest first. ``OSError``."""
    with os.scandir(directory) as entries:
        names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
    return sorted(place for name in names if (place := place_of(name)) is not None)


def encode(epoch: str, record: Record) -> Frame:
    """``ValueError`` when it is too long. Text that is no UTF-8 is escaped."""
    body: bytes = msgpack.packb(list(record), unicode_errors="backslashreplace")
    if len(body) > MOST_BODY:
        raise ValueError(f"a record of {len(body)} bytes is too long")
    head = _CHECKED.pack(len(body), _checksum(epoch, body))
    return Frame(record, head + _checksum(epoch, head).to_bytes(4, "little") + body)


def decode(place: Place, data: bytes) -> Content:
    """The records of a segment, up to what is none."""
    frames: list[Frame] = []
    at, least = 0, place.first
    while at < len(data):
        if len(data) - at < _HEADER.size:
            return Content(frames, at, torn=True, damaged=False)
        length, checksum, own = _HEADER.unpack_from(data, at)
        end = at + _HEADER.size + length
        head = data[at : at + _CHECKED.size]
        sound = length <= MOST_BODY and own == _checksum(place.epoch, head)
        if sound and end > len(data):
            return Content(frames, at, torn=True, damaged=False)
        body = data[at + _HEADER.size : end]
        record = None
        if sound and checksum == _checksum(place.epoch, body):
            record = _record(body, least)
        if record is None:
            return Content(frames, at, torn=False, damaged=True)
        frames.append(Frame(record, data[at:end]))
        at, least = end, record.number + 1
    return Content(frames, at, torn=False, damaged=False)


def _checksum(epoch: str, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(epoch.encode()))


def _record(body: bytes, least: int) -> Record | None:
    """What is in a body; None where it makes no sense."""
    try:
        record = Record(*msgpack.unpackb(body))
    except (ValueError, TypeError, msgpack.UnpackException):
        return None
    numbers = record[:4]
    if any(type(number) is not int for number in numbers):
        return None
    return record if least <= record.number <= MOST_NUMBER else None
