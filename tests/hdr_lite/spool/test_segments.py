"""What is appended stays, numbers rise whatever happens, and the bound holds."""

import errno
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hdr_lite.spool import segments as module
from hdr_lite.spool.codec import ALERT, MOST_NUMBER, Frame, Place, Record, encode, places_in
from hdr_lite.spool.cursor import Cursor, save_cursor
from hdr_lite.spool.reader import SpoolReader
from hdr_lite.spool.segments import Segments

LOW, HIGH = 200, 800


_OPEN: list[Segments] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


def opened(folder: Path, size: int = 1 << 20) -> Segments:
    made = Segments(folder / "spool", size, folder / "cursor")
    (folder / "spool").mkdir(exist_ok=True)
    _OPEN.append(made)
    made.open()
    return made


def frame(spool: Segments, number: int, severity: int = HIGH, size: int = 100) -> Frame:
    return encode(spool.epoch, Record(number, ALERT, severity, number, "x" * size))


def put(spool: Segments, count: int = 1, severity: int = HIGH, size: int = 100) -> None:
    """So many records, one by one."""
    for _ in range(count):
        spool.append([frame(spool, spool.last + 1, severity, size)])


def numbers(folder: Path, cursor: Cursor | None = None) -> list[int]:
    """Of all records that the reader finds."""
    return [record.number for record in records(folder, cursor)]


def records(folder: Path, cursor: Cursor | None = None) -> list[Record]:
    reader, found = SpoolReader(folder / "spool"), []
    while (batch := reader.read(cursor, 100, 1 << 20)) is not None:
        found += batch.records
        cursor = batch.cursor
    return found


def segment_files(folder: Path) -> list[Path]:
    return [folder / "spool" / place.name for place in places_in(folder / "spool")]


def test_goes_on_behind_what_is_there(tmp_path: Path) -> None:
    """In the same epoch, with the next number."""
    first = opened(tmp_path)
    put(first, 3)
    first.close()
    second = opened(tmp_path)
    assert (second.epoch, second.last) == (first.epoch, 3)
    put(second)
    assert numbers(tmp_path) == [1, 2, 3, 4]
    assert len(segment_files(tmp_path)) == 1


def test_cut_at_every_byte(tmp_path: Path) -> None:
    """After a loss of power a beginning of the file is there: so are its whole records, and what
    is appended follows them in the same epoch, without a gap."""
    spool = opened(tmp_path)
    ends = [0]
    for size in (10, 60, 1, 20):
        put(spool, size=size)
        ends.append(spool.bytes)
    spool.close()
    (path,) = segment_files(tmp_path)
    whole = path.read_bytes()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        kept = sum(end <= size for end in ends) - 1
        assert numbers(tmp_path) == list(range(1, kept + 1))
        again = opened(tmp_path)
        assert (again.epoch, again.last, again.damaged) == (spool.epoch, kept, [])
        put(again)
        again.close()
        assert numbers(tmp_path) == list(range(1, kept + 2))


def test_killed_at_every_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that ends before any one of its calls to the system leaves what it had written: all
    that it said was written is there, and its successor gives no number twice."""

    class Killed(BaseException):
        pass

    calls = 0

    def count(function: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object, **named: object) -> object:
            nonlocal calls
            calls -= 1
            if calls == 0:
                raise Killed
            return function(*arguments, **named)

        return counted

    for name in ("open", "write", "fsync", "fdatasync", "ftruncate", "close"):
        monkeypatch.setattr(module.os, name, count(getattr(os, name)))
    monkeypatch.setattr(Path, "unlink", count(Path.unlink))
    monkeypatch.setattr(Path, "replace", count(Path.replace))
    monkeypatch.setattr(module, "_SHARE", 4)
    at, ended = 0, False
    while not ended:
        at += 1
        folder = tmp_path / str(at)
        (folder / "spool").mkdir(parents=True)
        spool = Segments(folder / "spool", 4096, folder / "cursor")
        calls, told = at, 0
        try:
            spool.open()
            for number in range(1, 25):
                severity = HIGH if number % 2 else LOW
                spool.append([frame(spool, number, severity, 300)])
                told = number
            ended = True
        except Killed:
            pass
        calls = 0
        spool.close()
        before = numbers(folder)
        # Of what was written only the least severe and the oldest may be missing: for room.
        recent = range(max(1, told - 4), told + 1)
        assert {number for number in recent if number % 2} <= set(before)
        again = opened(folder)
        assert again.last >= max(told, *before, 0)
        put(again)
        assert numbers(folder) == [*before, again.last]
        again.close()
    assert at > 100
    assert spool.dropped > 0


def test_torn_and_more(tmp_path: Path) -> None:
    """What is no torn end may have been sent: a new epoch begins, behind the old one, whose sound
    records are still read; the damage is told of once."""
    for damage in (bytes(4096), b"\xff" * 20):
        folder = tmp_path / damage[:1].hex()
        folder.mkdir()
        spool = opened(folder)
        put(spool, 3)
        spool.close()
        (path,) = segment_files(folder)
        with path.open("ab") as file:
            file.write(damage)
        again = opened(folder)
        assert again.epoch[:4] == "0001"
        assert (again.last, again.damaged) == (0, [path.name])
        put(again, 2)
        again.close()
        assert numbers(folder) == [1, 2, 3, 1, 2]
        assert opened(folder).damaged == []


def test_damaged_length(tmp_path: Path) -> None:
    """A length that points behind the end is no torn end: that record, too, may have been sent."""
    for bit in range(32):
        folder = tmp_path / str(bit)
        folder.mkdir()
        spool = opened(folder)
        put(spool, 2)
        last = spool.bytes
        put(spool)
        spool.close()
        (path,) = segment_files(folder)
        content = bytearray(path.read_bytes())
        content[last + bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        again = opened(folder)
        assert again.epoch > spool.epoch
        assert again.damaged == [path.name]
        again.close()


def test_damaged_middle(tmp_path: Path) -> None:
    """Reading goes on with the next segment, writing where it was; what lies between is missing."""
    spool = opened(tmp_path)
    put(spool, 200, size=1000)
    spool.close()
    paths = segment_files(tmp_path)
    assert len(paths) >= 3
    content = bytearray(paths[1].read_bytes())
    content[len(content) // 2] ^= 1
    paths[1].write_bytes(content)
    seen = numbers(tmp_path)
    assert seen == sorted(set(seen))
    assert 200 - 66 < len(seen) < 200
    again = opened(tmp_path)
    assert (again.epoch, again.last, again.damaged) == (spool.epoch, 200, [paths[1].name])
    assert numbers(tmp_path) == seen
    again.close()
    assert opened(tmp_path).damaged == []


@pytest.mark.parametrize("spoiled", ["empty", "garbage", "absent"])
def test_nothing_readable(tmp_path: Path, spoiled: str) -> None:
    """A new epoch, behind the one that was acknowledged; nothing is left of the old one."""
    spool = opened(tmp_path)
    put(spool, 5)
    spool.close()
    save_cursor(tmp_path / "cursor", Cursor(spool.epoch, 4))
    (path,) = segment_files(tmp_path)
    if spoiled == "absent":
        path.unlink()
    else:
        path.write_bytes(b"" if spoiled == "empty" else b"\xff" * 5000)
    again = opened(tmp_path)
    assert again.epoch > spool.epoch
    assert again.last == 0
    put(again)
    again.close()
    assert numbers(tmp_path, Cursor(spool.epoch, 4)) == [1]


def test_hostile_files(tmp_path: Path) -> None:
    """A huge file, a pipe, a link, a directory: none is read without end, none stops the spool."""
    spool = opened(tmp_path)
    put(spool, 3)
    spool.close()
    folder, epoch = tmp_path / "spool", spool.epoch
    with (folder / Place(epoch, 10).name).open("wb") as file:
        file.truncate(1 << 40)
    os.mkfifo(folder / Place(epoch, 11).name)
    (folder / Place(epoch, 12).name).symlink_to("/dev/zero")
    (folder / Place(epoch, 13).name).mkdir()
    (folder / f"{Place(epoch, 1).name[:-4]}.new").write_bytes(b"left")
    again = opened(tmp_path)
    assert again.epoch > epoch
    put(again, 2)
    assert numbers(tmp_path) == [1, 2, 3, 1, 2]
    assert again.bytes < 2000
    assert not list(folder.glob("*.new"))


def test_longer_than_anybody_writes(tmp_path: Path) -> None:
    """What lies behind may have been sent: no number of it is given again."""
    (tmp_path / "spool").mkdir()
    epoch = "0" * 16
    record = Record(0, ALERT, HIGH, 0, "x" * 1000)
    frames = (encode(epoch, record._replace(number=number)).data for number in range(1, 1200))
    (tmp_path / "spool" / Place(epoch, 1).name).write_bytes(b"".join(frames))
    spool = opened(tmp_path)
    assert spool.epoch > epoch
    assert 1000 < len(numbers(tmp_path)) < 1199


def test_highest_number(tmp_path: Path) -> None:
    """Behind it begins an epoch."""
    (tmp_path / "spool").mkdir()
    epoch = "ffff" + "0" * 12
    data = encode(epoch, Record(MOST_NUMBER, ALERT, HIGH, 0, None)).data
    (tmp_path / "spool" / Place(epoch, MOST_NUMBER).name).write_bytes(data)
    spool = opened(tmp_path)
    assert spool.epoch > epoch
    assert spool.last == 0


def test_one_writer(tmp_path: Path) -> None:
    """A second one is refused, until the first has ended."""
    first = opened(tmp_path)
    with pytest.raises(OSError, match="another process writes there"):
        opened(tmp_path)
    first.close()
    opened(tmp_path).close()


def test_acknowledged_segments_go(tmp_path: Path) -> None:
    """With the next segment; the last one stays, so that numbers go on after a restart."""
    spool = opened(tmp_path)
    put(spool, 100, size=1000)
    assert spool.waiting() == 100
    save_cursor(tmp_path / "cursor", Cursor(spool.epoch, 98))
    assert spool.waiting() == 3
    put(spool, 70, size=1000)
    assert spool.bytes < 3 * 66_000
    assert numbers(tmp_path, Cursor(spool.epoch, 98)) == list(range(98, 171))
    save_cursor(tmp_path / "cursor", Cursor(spool.epoch, 171))
    assert spool.waiting() == 0
    spool.close()
    again = opened(tmp_path)
    assert (again.epoch, again.last) == (spool.epoch, 170)


def test_cursor_of_another_spool(tmp_path: Path) -> None:
    """What it acknowledges is not here: nothing goes because of it."""
    spool = opened(tmp_path)
    save_cursor(tmp_path / "cursor", Cursor("f" * 16, 1 << 50))
    put(spool, 100, size=1000)
    assert spool.waiting() == 100
    assert len(numbers(tmp_path)) == 100


def test_cursor_ahead(tmp_path: Path) -> None:
    """The collector has what is not here any more: those numbers are not given again."""
    spool = opened(tmp_path)
    put(spool, 3)
    spool.close()
    save_cursor(tmp_path / "cursor", Cursor(spool.epoch, 9))
    again = opened(tmp_path)
    assert again.epoch > spool.epoch
    put(again)
    assert numbers(tmp_path, Cursor(spool.epoch, 9)) == [1]


def test_full(tmp_path: Path) -> None:
    """The oldest of the least severity go first; what there is of more stays while it can."""
    size = 1 << 20
    spool = opened(tmp_path, size)
    dice = random.Random(1)
    put(spool, 300, HIGH, 1000)
    severities = {number: HIGH for number in range(1, 301)}
    for _ in range(2000):
        severity = dice.choice((LOW, LOW, 500, HIGH))
        put(spool, 1, severity, 1000)
        severities[spool.last] = severity
        assert spool.bytes <= size
    kept = records(tmp_path)
    assert all(record.severity == severities[record.number] for record in kept)
    assert len(kept) + spool.dropped == 2300
    assert spool.bytes > size * 0.9
    assert sum(path.stat().st_size for path in segment_files(tmp_path)) == spool.bytes
    of_each = {
        severity: [r.number for r in kept if r.severity == severity] for severity in (LOW, HIGH)
    }
    given = [number for number in severities if severities[number] == LOW]
    assert of_each[LOW] == given[len(given) - len(of_each[LOW]) :]  # the youngest of them
    assert len(of_each[LOW]) < 100  # those that came since room was made
    highs = [number for number in severities if severities[number] == HIGH]
    assert of_each[HIGH] == highs[len(highs) - len(of_each[HIGH]) :]
    assert len(of_each[HIGH]) > 700


def test_full_of_what_cannot_go(tmp_path: Path) -> None:
    """Of equals the oldest go, a segment's worth at a time."""
    spool = opened(tmp_path)
    put(spool, 3000, HIGH, 1000)
    kept = numbers(tmp_path)
    assert kept == list(range(3001 - len(kept), 3001))
    assert spool.dropped == 3000 - len(kept)
    assert len(kept) > 900


class Disk:
    """Room for so many bytes; then the system writes what fits, and then nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self._write = os.write
        monkeypatch.setattr(module.os, "write", self.write)

    def write(self, file: int, data: bytes) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(file, data[: self.room])
        self.room -= written
        return written


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written can be written later; half a record is never in the middle."""
    spool = opened(tmp_path)
    for room in range(300):
        disk = Disk(monkeypatch, room)
        last = spool.last
        frames = [frame(spool, last + 1), frame(spool, last + 2)]
        first, both = len(frames[0].data), len(frames[0].data) + len(frames[1].data)
        if room < both:
            with pytest.raises(OSError, match="No space"):
                spool.append(frames)
            assert spool.last == last + (room >= first)
        disk.room = 1 << 30
        spool.append(frames[spool.last - last :])
        assert spool.last == last + 2
        monkeypatch.undo()
        if room % 50 == 0:
            spool.close()
            spool = opened(tmp_path)
    assert room > both
    assert numbers(tmp_path) == list(range(1, spool.last + 1))
