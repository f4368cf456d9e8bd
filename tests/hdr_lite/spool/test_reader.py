"""Batches from a cursor on, beside a writer that appends, rolls and removes."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hdr_lite.spool import reader as module
from hdr_lite.spool.codec import ALERT, Record, encode, places_in
from hdr_lite.spool.cursor import Cursor, save_cursor
from hdr_lite.spool.reader import Batch, SpoolReader
from hdr_lite.spool.segments import Segments


class Bed:
    """A writer and a reader of one directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.directory = folder / "spool"
        self.directory.mkdir()
        self.reader = SpoolReader(self.directory)
        self.writer = self.open()

    def open(self) -> Segments:
        self.writer = Segments(self.directory, 1 << 20, self.folder / "cursor")
        self.writer.open()
        return self.writer

    def put(self, *numbers: int, size: int = 1000) -> None:
        for number in numbers:
            record = Record(number, ALERT, 800, 0, "x" * size)
            self.writer.append([encode(self.writer.epoch, record)])

    def read(self, cursor: Cursor | None = None, records: int = 100, size: int = 1 << 20) -> Batch:
        batch = self.reader.read(cursor, records, size)
        assert batch is not None
        return batch


@pytest.fixture(name="bed")
def _bed(tmp_path: Path) -> Iterator[Bed]:
    bed = Bed(tmp_path)
    yield bed
    bed.writer.close()


def numbers(batch: Batch) -> list[int]:
    return [record.number for record in batch.records]


def test_nothing_yet(bed: Bed) -> None:
    """Neither in an empty spool nor behind the last record."""
    assert bed.reader.read(None, 10, 1000) is None
    bed.put(1, 2)
    assert bed.reader.read(Cursor(bed.writer.epoch, 3), 10, 1000) is None


def test_batches_are_bounded(bed: Bed) -> None:
    """By records and by bytes; one record is handed out however large it is."""
    bed.put(*range(1, 151))
    epoch = bed.writer.epoch
    batch = bed.read(None, 40)
    assert (batch.epoch, batch.first, batch.next) == (epoch, 1, 41)
    assert numbers(batch) == list(range(1, 41))
    assert numbers(bed.read(batch.cursor, 200)) == list(range(41, 151))
    assert numbers(bed.read(Cursor(epoch, 7), 40, 5000)) == [7, 8, 9, 10]
    assert numbers(bed.read(Cursor(epoch, 7), 40, 1)) == [7]


def test_gaps_are_covered(bed: Bed) -> None:
    """A batch begins at the cursor: what is missing behind it was dropped."""
    bed.put(5, 6, 9)
    batch = bed.read()
    assert (batch.first, batch.next, numbers(batch)) == (1, 10, [5, 6, 9])
    batch = bed.read(Cursor(bed.writer.epoch, 7))
    assert (batch.first, batch.next, numbers(batch)) == (7, 10, [9])


def test_epochs_follow_each_other(bed: Bed) -> None:
    """No batch is of two; each begins with number 1."""
    bed.put(1, 2, 3)
    first = bed.writer.epoch
    bed.writer.close()
    with (bed.directory / places_in(bed.directory)[0].name).open("ab") as file:
        file.write(bytes(100))
    second = bed.open().epoch
    bed.put(1, 2)
    batch = bed.read(Cursor(first, 3))
    assert (batch.epoch, batch.first, numbers(batch)) == (first, 3, [3])
    batch = bed.read(batch.cursor)
    assert (batch.epoch, batch.first, numbers(batch)) == (second, 1, [1, 2])
    assert bed.reader.read(batch.cursor, 10, 1000) is None


def test_cursor_of_another_spool(bed: Bed) -> None:
    """All that is there follows."""
    bed.put(1, 2)
    for epoch in ("0" * 16, "f" * 16):
        batch = bed.read(Cursor(epoch, 99))
        assert (batch.first, numbers(batch)) == (1, [1, 2])


def test_torn_and_damaged(bed: Bed) -> None:
    """Half a record is not there yet; a damaged one ends its segment, and the next is read."""
    bed.put(*range(1, 100))
    paths = [bed.directory / place.name for place in places_in(bed.directory)]
    assert len(paths) == 2
    content = paths[0].read_bytes()
    paths[0].write_bytes(content[:5000] + b"\0" + content[5001:])
    with paths[1].open("ab") as file:
        file.write(b"\x10\0\0")
    batch = bed.read(None, 1000)
    before, after = [n for n in numbers(batch) if n < 10], [n for n in numbers(batch) if n > 10]
    assert before == [1, 2, 3, 4]
    assert after == list(range(after[0], 100))
    assert (batch.first, batch.next) == (1, 100)


def test_removed_meanwhile(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that goes between listing and reading is not missed."""
    bed.put(*range(1, 100))
    first = bed.directory / places_in(bed.directory)[0].name
    listed = module.places_in

    def places_then_remove(directory: Path) -> object:
        found = listed(directory)
        first.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(module, "places_in", places_then_remove)
    batch = bed.read(None, 1000)
    assert batch.first == 1
    assert numbers(batch)[-1] == 99


def test_on_storage_before_it_is_handed_out(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each segment that a batch is from has been forced to storage after it was read."""
    bed.put(*range(1, 100))
    done: list[int] = []

    def read(descriptor: int) -> bytes:
        done.append(os.fstat(descriptor).st_ino)
        return real_read(descriptor)

    def force(descriptor: int) -> None:
        assert done[-1] == os.fstat(descriptor).st_ino
        done[-1] = 0

    names: list[Path] = []
    monkeypatch.setattr(module, "sync_directory", names.append)
    real_read = module.read_segment
    monkeypatch.setattr(module, "read_segment", read)
    monkeypatch.setattr(module.os, "fdatasync", force)
    bed.read(None, 1000)
    assert done == [0, 0]
    bed.read(None, 1000)
    assert names == [bed.directory]  # of the last segment, once
    bed.put(*range(100, 200))
    bed.read(None, 1000)
    assert len(names) == 2


def test_beside_a_writer(bed: Bed) -> None:
    """While it appends, rolls, drops and removes: every number once, none before its turn, and none
    missing but those that were dropped."""
    total, seen, gone = 4000, 0, 0
    cursor = None
    path = bed.folder / "cursor"

    def write() -> None:
        bed.put(*range(1, total + 1), size=900)

    thread = threading.Thread(target=write)
    thread.start()
    while seen < total:
        alive = thread.is_alive()
        batch = bed.reader.read(cursor, 7, 1 << 20)
        if batch is None:
            assert alive or seen == total
            continue
        assert batch.first == seen + 1
        assert numbers(batch) == sorted(set(numbers(batch)))
        assert batch.records[0].number >= batch.first
        gone += batch.next - batch.first - len(batch.records)
        cursor, seen = batch.cursor, batch.next - 1
        save_cursor(path, cursor)
    thread.join()
    assert gone <= bed.writer.dropped
