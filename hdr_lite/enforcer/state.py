"""The file that keeps blocks over a reboot: what is left of each, not when it ends.

A router boots years in the past and learns the time later, so the file holds no dates: time
that the device was off does not count. Layout: magic and version, CRC-32 and length of the
rest, then msgpack: ``[holds, offenders]``. It is replaced as a whole or not at all.
"""

import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgpack

from hdr_lite.storage import replacing, sync_directory

_MAGIC = b"HDRE"
_VERSION = 1
_HEADER = struct.Struct(">4sHIQ")
_LARGEST = 64 * 1024 * 1024


class StateError(Exception):
    """The file is not what was written; the text says why."""


class KeptHold(NamedTuple):
    """A block or quarantine as it is kept."""

    set: str
    key: str
    remaining: int  #: seconds
    evidence: str
    cause: str
    operator: bool
    offences: int


class KeptOffender(NamedTuple):
    """An offender as it is kept."""

    name: str
    offences: int
    quiet: int  #: seconds since the last block ended, below 0 while it holds


class State(NamedTuple):
    """All that is kept."""

    holds: tuple[KeptHold, ...] = ()
    offenders: tuple[KeptOffender, ...] = ()


def save(path: Path, holds: Iterable[KeptHold], offenders: Iterable[KeptOffender]) -> int:
    """Replace the file, durably; ``OSError`` (a full disk) leaves the old one.

    Returns how many bytes were written.
    """
    body: bytes = msgpack.packb([list(holds), list(offenders)])
    with replacing(path, 0o600) as file:
        file.write(_HEADER.pack(_MAGIC, _VERSION, zlib.crc32(body), len(body)))
        file.write(body)
    sync_directory(path.parent)
    return _HEADER.size + len(body)


def load(path: Path) -> State:
    """What was kept, nothing if there is no file; ``StateError``, ``OSError``."""
    try:
        with path.open("rb") as file:
            # Not read(_LARGEST): Python takes the memory that it names before it reads.
            data = file.read(min(os.fstat(file.fileno()).st_size, _LARGEST))
    except FileNotFoundError:
        return State()
    if len(data) < _HEADER.size:
        raise StateError("it is cut short")
    magic, version, crc, length = _HEADER.unpack_from(data)
    body = data[_HEADER.size :]
    if magic != _MAGIC:
        raise StateError("it is another program's")
    if version != _VERSION:
        raise StateError(f"its version is {version}, not {_VERSION}")
    if length != len(body) or crc != zlib.crc32(body):
        raise StateError("it is damaged")
    return _parse(body)


def _parse(body: bytes) -> State:
    try:
        holds, offenders = msgpack.unpackb(body, use_list=False)
        return State(
            tuple(KeptHold._make(_checked(KeptHold, fields)) for fields in holds),
            tuple(KeptOffender._make(_checked(KeptOffender, fields)) for fields in offenders),
        )
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise StateError(f"its content makes no sense: {error}") from None


def _checked(kind: type[NamedTuple], fields: object) -> tuple[object, ...]:
    """The fields, if their types are those of the kind."""
    types = tuple(kind.__annotations__.values())
    if not isinstance(fields, tuple) or tuple(map(type, fields)) != types:
        raise ValueError(f"{fields!r:.80} is no {kind.__name__}")
    return fields
