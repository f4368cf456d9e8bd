"""What was told already, kept where it outlives the engine; and what was about to be told.

An engine may be killed at any instruction. What it tells goes to several files and to the
enforcer; that it was told must be known to its successor. So each step is written here first
and whole, the accounts that it changes and the bytes that are to be written (the *intent*);
then it is carried out; then it is marked as done. The successor carries out again what was not
marked, which the outputs do once however often they are asked (``Output.redo``), and continues
the accounts. A step that was killed before its record was whole has not happened.

The descriptor is of a small file in memory that the supervisor opened: whoever is killed, the
page cache is not. Two areas of equal size hold records with consecutive numbers; one that has
no room for the next record is left for the other, which then begins with all that is kept. The
area whose first record has the higher number is the present one. Nothing that is read is
believed: what is no record ends the reading, and an unreadable file is an empty one.
"""

import os
import struct
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgpack

from hdr_lite.engine.scoring import Account, Kept

#: Bytes of an area; of them, those that accounts may fill.
AREA = 256 * 1024
KEPT = AREA // 2
#: An area is left when it holds so many bytes and four times what is kept: memory is scarce.
_SLACK = 16 * 1024

_HEADER = struct.Struct("<IIQB")  # length of the body, its checksum, number, whether done
_DONE = _HEADER.size - 1


class Intent(NamedTuple):
    """What an output is about to write."""

    name: str  #: the output's
    position: int  #: the size of its file before
    data: bytes


class _Record(NamedTuple):
    number: int
    at: int  #: in its area
    done: bool
    body: bytes


class Ledger:
    """One engine's view of the file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.problem = ""  #: for errors.log, in words; whoever tells it takes it away
        self.unfinished: tuple[Intent, ...] = ()  #: that the one before was about to write
        self.first = self.window = 0  #: where windows are counted from, and the present one
        self._accounts: OrderedDict[str, bytes] = OrderedDict()  # packed; the oldest first
        self._size = 0  # of them together
        self._changed: dict[str, Account] = {}
        self._last: Sequence[Intent] = ()
        self._number = self._area = self._end = 0
        self._open_at: int | None = None  # the record that is not marked as done
        self._failing = False
        try:
            self._read()
        except OSError as error:
            self._fail(error)

    # What the engine tells ----------------------------------------------------------------

    def enter(self, first: int, window: int) -> None:
        """The present window, counted from ``first``: accounts of another one are forgotten."""
        if (first, window) != (self.first, self.window):
            self.first, self.window = first, window
            self._forget()
            self._write(())

    def restore(self, name: str, account: Account) -> None:
        """Make a new account continue what is known of its profile in this window."""
        packed = self._accounts.get(name)
        if packed is not None:
            account.restore(_unpack(packed)[1])

    def note(self, name: str, account: Account) -> None:
        """An account has changed: it is part of the next step."""
        self._changed[name] = account

    def intend(self, intents: Sequence[Intent]) -> None:
        """A step: what changed, and what is about to be written because of it."""
        if self._changed or (intents and intents != self._last):
            self._write(intents)

    def done(self) -> None:
        """All that was intended has been written."""
        if self._open_at is not None:
            self._put(b"\1", self._open_at + _DONE)
            self._open_at, self._last = None, ()

    def clear(self) -> None:
        """The run has ended in good order: its successor begins anew."""
        self._forget()
        self._end = AREA
        self.enter(0, 0)

    # Writing ------------------------------------------------------------------------------

    def _write(self, intents: Sequence[Intent]) -> None:
        changed = [self._keep(name, account) for name, account in self._changed.items()]
        self._changed.clear()
        body = self._body(changed, intents)
        if self._end + len(body) > min(AREA - _HEADER.size, _SLACK + 4 * self._size):
            self._shed()
            self._area, self._end = 1 - self._area, 0
            body = self._body(self._accounts.values(), intents)
            if len(body) > AREA - _HEADER.size:  # no room: written once, or not at all
                intents, body = (), self._body(self._accounts.values(), ())
        self._number += 1
        numbered = struct.pack("<Q", self._number) + body
        header = _HEADER.pack(len(body), zlib.crc32(numbered), self._number, not intents)
        at = self._area * AREA + self._end
        self._end += _HEADER.size + len(body)
        if not self._put(header + body, at):
            self._end = AREA  # the next one begins anew, with all
        self._open_at, self._last = (at, intents) if intents else (None, ())

    def _put(self, data: bytes, at: int) -> bool:
        """Whether it could be written. A full file system costs the memory, not the engine."""
        try:
            whole = os.pwrite(self._descriptor, data, at) == len(data)
        except OSError as error:
            self._fail(error)
            return False
        self._failing = False
        return whole

    def _fail(self, error: OSError) -> None:
        if not self._failing:
            self.problem = f"what is told cannot be kept: {error.strerror or error}"
        self._failing = True

    def _body(self, accounts: Any, intents: Sequence[Intent]) -> bytes:
        body: bytes = msgpack.packb(
            [self.first, self.window, list(accounts), intents], unicode_errors="surrogatepass"
        )
        return body

    def _keep(self, name: str, account: Account) -> bytes:
        packed: bytes = msgpack.packb([name, *account.keep()], unicode_errors="surrogatepass")
        self._hold(name, packed)
        return packed

    def _hold(self, name: str, packed: bytes) -> None:
        self._size += len(packed) - len(self._accounts.pop(name, b""))
        self._accounts[name] = packed

    def _shed(self) -> None:
        """Forget the accounts that changed longest ago, until the others fit."""
        while self._size > KEPT:
            self._size -= len(self._accounts.popitem(last=False)[1])

    def _forget(self) -> None:
        self._accounts.clear()
        self._changed.clear()
        self._size = 0

    # Reading ------------------------------------------------------------------------------

    def _read(self) -> None:
        data = os.pread(self._descriptor, 2 * AREA, 0)
        areas = [list(_records(data[start : start + AREA])) for start in (0, AREA)]
        self._area = max((0, 1), key=lambda area: areas[area][0].number if areas[area] else 0)
        records = areas[self._area]
        try:
            for record in records:
                self._take(record)
        except (ValueError, TypeError, msgpack.UnpackException):
            records = []
        if not records:
            self._start_anew(bool(data.strip(b"\0")))

    def _take(self, record: _Record) -> None:
        first, window, accounts, intents = _parse(record.body)
        if (first, window) != (self.first, self.window):
            self.first, self.window = first, window
            self._forget()
        for packed in accounts:
            self._hold(_unpack(packed)[0], packed)
        self._number = record.number
        self._end = record.at + _HEADER.size + len(record.body)
        self.unfinished = () if record.done else intents
        self._open_at = None if record.done else self._area * AREA + record.at

    def _start_anew(self, was_something: bool) -> None:
        if was_something:
            self.problem = "what was told before cannot be read: some of it may be told again"
        self.first = self.window = self._number = self._area = 0
        self.unfinished, self._open_at = (), None
        self._forget()
        os.ftruncate(self._descriptor, 0)
        self._end = AREA


def _records(area: bytes) -> Iterator[_Record]:
    """The records at the start of an area, up to what is none."""
    at, before = 0, None
    while at + _HEADER.size <= len(area):
        length, checksum, number, done = _HEADER.unpack_from(area, at)
        body = area[at + _HEADER.size : at + _HEADER.size + length]
        sound = len(body) == length and zlib.crc32(struct.pack("<Q", number) + body) == checksum
        if not sound or number == 0 or (before is not None and number != before + 1):
            return
        yield _Record(number, at, bool(done), body)
        at, before = at + _HEADER.size + length, number


def _parse(body: bytes) -> tuple[int, int, tuple[bytes, ...], tuple[Intent, ...]]:
    first, window, accounts, intents = _unpacked(body)
    if type(first) is not int or type(window) is not int or window < 0:
        raise ValueError("no window")
    made = tuple(Intent(*intent) for intent in intents)
    for name, position, data in made:
        if not (type(name) is str and type(position) is int and type(data) is bytes):
            raise ValueError("no intent")
    return first, window, accounts, made


def _unpack(packed: bytes) -> tuple[str, Kept]:
    name, *fields = _unpacked(packed)
    kept = Kept(*fields)
    types = (type(name), type(kept.score), type(kept.alerts), type(kept.blocked), type(kept.told))
    if types != (str, int, int, tuple, bytes) or any(
        type(text) is not str for kind, verb in kept.blocked for text in (kind, verb)
    ):
        raise ValueError("no account")
    return name, kept


def _unpacked(data: bytes) -> Any:
    return msgpack.unpackb(
        data, use_list=False, unicode_errors="surrogatepass", max_map_len=0, max_ext_len=0
    )
