"""A spool against a list, under anything that may happen to it in any order."""

import os
import tempfile
from pathlib import Path
from shutil import rmtree

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hdr_lite.spool import segments as module
from hdr_lite.spool.codec import ALERT, Record, encode, places_in
from hdr_lite.spool.cursor import Cursor, save_cursor
from hdr_lite.spool.reader import SpoolReader
from hdr_lite.spool.segments import Segments

SIZE = 4096


class Model(RuleBasedStateMachine):
    """``told`` is what was appended and not lost since, ``received`` what a collector has."""

    @initialize()
    def begin(self) -> None:
        self.share, module._SHARE = module._SHARE, 4
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # nothing is really forced
        self.folder = Path(tempfile.mkdtemp(prefix="hdr-lite-spool-", dir=memory))
        (self.folder / "spool").mkdir()
        self.reader = SpoolReader(self.folder / "spool")
        self.cursor: Cursor | None = None
        self.told: dict[tuple[str, int], Record] = {}
        self.received: dict[tuple[str, int], Record] = {}
        self.dropped = 0  # by writers that have ended
        self.forced: tuple[Path, int] = (self.folder, 0)  # so many bytes of the last segment
        self.open()

    def open(self) -> None:
        self.spool = Segments(self.folder / "spool", SIZE, self.folder / "cursor")
        self.spool.open()
        self.next = self.spool.last + 1
        assert self.cursor is None or (self.spool.epoch, self.next) >= self.cursor

    def last(self) -> Path:
        return self.folder / "spool" / places_in(self.folder / "spool")[-1].name

    @rule(
        severities=st.lists(st.sampled_from([200, 500, 800]), min_size=1, max_size=4),
        size=st.integers(0, 300),
        gap=st.integers(0, 2),
    )
    def append(self, severities: list[int], size: int, gap: int) -> None:
        numbers = range(self.next + gap, self.next + gap + len(severities))
        made = [
            Record(number, ALERT, severity, 0, os.urandom(size))
            for number, severity in zip(numbers, severities, strict=True)
        ]
        self.spool.append([encode(self.spool.epoch, record) for record in made])
        self.next = self.spool.last + 1
        self.told |= {(self.spool.epoch, record.number): record for record in made}

    @rule(records=st.integers(1, 5), size=st.integers(1, 1000), lost=st.booleans())
    def send(self, records: int, size: int, lost: bool) -> None:
        """A batch reaches the collector; its answer may be lost."""
        batch = self.reader.read(self.cursor, records, size)
        if batch is None:
            return
        assert len(batch.records) <= records
        for record in batch.records:
            key = batch.epoch, record.number
            assert batch.first <= record.number < batch.next
            assert self.told.get(key) == record
            assert self.received.setdefault(key, record) == record
        place = places_in(self.folder / "spool")[-1]
        if batch.epoch == place.epoch and batch.next > place.first:
            self.forced = self.last(), self.last().stat().st_size
        if not lost:
            self.cursor = batch.cursor
            save_cursor(self.folder / "cursor", batch.cursor)

    @rule()
    def kill(self) -> None:
        self.end()
        self.open()

    def end(self) -> None:
        self.dropped += self.spool.dropped
        self.spool.close()

    @rule(share=st.floats(0, 1))
    def lose_power(self, share: float) -> None:
        """Of what was not forced to storage a part is there."""
        self.end()
        path, size = self.last(), self.last().stat().st_size
        kept = self.forced[1] if path == self.forced[0] else 0
        os.truncate(path, kept + int((size - kept) * share))
        self.forget_lost()
        self.open()

    @rule(at=st.floats(0, 0.999), which=st.integers(0, 3))
    def damage(self, at: float, which: int) -> None:
        """A byte of a segment changes."""
        paths = [self.folder / "spool" / place.name for place in places_in(self.folder / "spool")]
        path = paths[which % len(paths)]
        if not path.stat().st_size:
            return
        self.end()
        content = bytearray(path.read_bytes())
        content[int(at * len(content))] ^= 0x11
        path.write_bytes(content)
        self.forget_lost()
        self.open()

    def there(self) -> dict[tuple[str, int], Record]:
        """All that can be read."""
        found, cursor = {}, None
        while (batch := self.reader.read(cursor, 100, 1 << 20)) is not None:
            found |= {(batch.epoch, record.number): record for record in batch.records}
            cursor = batch.cursor
        return found

    def forget_lost(self) -> None:
        """What cannot be read any more and was not sent: its number may come again."""
        kept = self.there() | self.received
        self.told = {key: record for key, record in self.told.items() if key in kept}

    @invariant()
    def bounded(self) -> None:
        """On storage, as the writer believes."""
        folder = self.folder / "spool"
        size = sum((folder / place.name).stat().st_size for place in places_in(folder))
        assert size == self.spool.bytes <= SIZE

    @invariant()
    def nothing_else_is_missing(self) -> None:
        """What is not there was acknowledged, sent or dropped, and dropping was counted."""
        there = self.there()
        assert all(self.told[key] == record for key, record in there.items())
        missing = self.told.keys() - there.keys()
        missing = {key for key in missing if self.cursor is None or key >= self.cursor}
        assert len(missing - self.received.keys()) <= self.dropped + self.spool.dropped

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            module._SHARE = self.share
            self.spool.close()
            rmtree(self.folder)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
