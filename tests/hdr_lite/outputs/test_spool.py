"""Alerts in the spool: each once, in order, whatever ends the engine, and seldom forced."""

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hdr_lite.engine.ledger import Ledger
from hdr_lite.engine.output import Outputs
from hdr_lite.outputs.idmef import event, incident
from hdr_lite.outputs.spool import MOST_WAITING, Spool
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import ThreatLevel
from hdr_lite.spool.codec import Record, places_in
from hdr_lite.spool.cursor import Cursor, save_cursor
from hdr_lite.spool.reader import SpoolReader
from hdr_lite.spool.segments import Segments
from tests.hdr_lite.outputs.samples import ALERT, EVIDENCE, FINDING


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Bed:
    """A spool, engine after engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "spool").mkdir()
        self.clock = Clock()
        self.notices: list[str] = []
        self.ledger = os.memfd_create("told", os.MFD_CLOEXEC)
        self.spools: list[Spool] = []

    def engine(self) -> tuple[Outputs, Spool]:
        """The one before, if there was one, is dead."""
        for spool in self.spools:
            spool._segments.close()
        spool = Spool(self.folder / "spool", 1 << 20, self.folder / "cursor", self.clock)
        self.spools.append(spool)
        outputs = Outputs(self.notices.append, patient=True)
        outputs.open([spool], Ledger(self.ledger))
        return outputs, spool

    def records(self) -> list[Record]:
        reader, cursor, found = SpoolReader(self.folder / "spool"), None, []
        while (batch := reader.read(cursor, 100, 1 << 20)) is not None:
            found += batch.records
            cursor = batch.cursor
        return found

    def told(self) -> list[str]:
        return [record.payload["alert"]["ID"] for record in self.records()]


@pytest.fixture(name="bed")
def _bed(tmp_path: Path) -> Iterator[Bed]:
    bed = Bed(tmp_path)
    yield bed
    for spool in bed.spools:
        spool._segments.close()
    os.close(bed.ledger)


def alert(name: str, level: ThreatLevel = ThreatLevel.HIGH, **change: object) -> Alert:
    evidence = replace(EVIDENCE, finding=replace(FINDING, threat_level=level))
    return replace(ALERT, id=name, evidence=(evidence,), **change)  # type: ignore[arg-type]


def test_what_is_told(bed: Bed) -> None:
    """The alert and its evidence as alerts.json has them, with the worst level and the time."""
    outputs, _ = bed.engine()
    worse = replace(EVIDENCE, id="b", finding=replace(FINDING, threat_level=ThreatLevel.CRITICAL))
    told = replace(ALERT, evidence=(EVIDENCE, worse))
    outputs.alert(told)
    outputs.flush()
    (record,) = bed.records()
    payload = {"alert": incident(told), "evidence": [event(EVIDENCE), event(worse)]}
    assert record[:4] == (1, 1, 1000, ALERT.ts)
    assert record.payload == json.loads(json.dumps(payload))


def test_much_evidence(bed: Bed) -> None:
    """What has no room is named and left out."""
    outputs, _ = bed.engine()
    many = tuple(replace(EVIDENCE, id=f"{number:036}") for number in range(100))
    outputs.alert(replace(ALERT, evidence=many))
    outputs.flush()
    (record,) = bed.records()
    assert len(record.payload["alert"]["CorrelID"]) == 100
    assert 5 < len(record.payload["evidence"]) < 20


def test_largest_alert(bed: Bed) -> None:
    """Whatever a module may say fits into a record."""
    outputs, _ = bed.engine()
    words = "\U0001f600" * 1024
    finding = replace(FINDING, description=words, type=words[:256], attacker=words[:256])
    evidence = tuple(replace(EVIDENCE, id=str(n), finding=finding) for n in range(128))
    outputs.alert(replace(ALERT, reason=words * 10, evidence=evidence))
    outputs.alert(alert("a\udcff"))
    outputs.flush()
    assert bed.told() == [ALERT.id, "a\\udcff"]
    assert bed.notices == []


@pytest.mark.parametrize("written", [False, True])
def test_killed_between_ledger_and_spool(bed: Bed, written: bool) -> None:
    """What was about to be written is written by the successor, once, under the same number."""
    outputs, spool = bed.engine()
    outputs.alert(alert("before"))
    outputs.flush()
    outputs.alert(alert("a"))
    outputs.alert(alert("b"))
    ledger = outputs._ledger
    assert ledger is not None

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        if written:
            patch.setattr(ledger, "done", die)
        else:
            patch.setattr(spool, "flush", die)
        with pytest.raises(Killed):
            outputs.flush()
    assert bed.told() == ["before", *(["a", "b"] if written else [])]
    outputs, _ = bed.engine()
    assert bed.told() == ["before", "a", "b"]
    outputs.alert(alert("c"))
    outputs.flush()
    bed.engine()
    assert bed.told() == ["before", "a", "b", "c"]
    assert [record.number for record in bed.records()] == [1, 2, 3, 4]


def test_killed_within_a_write(bed: Bed) -> None:
    """At every byte: the successor completes it."""
    for cut in range(1, 4000, 37):
        outputs, spool = bed.engine()
        size = spool._segments.bytes
        outputs.alert(alert(f"{cut}"))
        outputs.alert(alert(f"{cut}b"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(outputs._ledger, "done", lambda: None)
            outputs.flush()
        path = bed.folder / "spool" / places_in(bed.folder / "spool")[-1].name
        if size and path.stat().st_size > size:  # no new segment
            os.truncate(path, min(path.stat().st_size, size + cut))
    bed.engine()
    wanted = [f"{cut}{end}" for cut in range(1, 4000, 37) for end in ("", "b")]
    assert bed.told() == wanted


def test_redone_in_another_epoch(bed: Bed) -> None:
    """Where the spool is gone meanwhile its numbers are new; the id stays."""
    outputs, spool = bed.engine()
    outputs.alert(alert("gone"))
    outputs.flush()
    outputs.alert(alert("a"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "flush", lambda: None)
        patch.setattr(outputs._ledger, "done", lambda: None)
        outputs.flush()
    for place in places_in(bed.folder / "spool"):
        (bed.folder / "spool" / place.name).unlink()
    bed.engine()
    assert [(record.number, record.payload["alert"]["ID"]) for record in bed.records()] == [
        (1, "a")
    ]


def test_hostile_intent(bed: Bed) -> None:
    """What is no record is not redone."""
    _, spool = bed.engine()
    for data in (b"", b"\xff" * 100, b"0" * 16 + b"\xff" * 50):
        spool.redo(0, data)
        assert spool.intent() == (0, b"")


def syncs(monkeypatch: pytest.MonkeyPatch, bed: Bed, seconds: float = 0.0) -> list[float]:
    """The moments when something was forced to storage, which takes so long."""
    moments: list[float] = []

    def force(segments: Segments) -> None:
        moments.append(bed.clock.now)
        bed.clock.now += seconds
        really(segments)

    really = Segments.sync
    monkeypatch.setattr(Segments, "sync", force)
    return moments


def test_forced_once_a_second(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many alerts: together, within a second, and not at all without any."""
    moments = syncs(monkeypatch, bed)
    outputs, _ = bed.engine()
    for step in range(400):
        bed.clock.now = 1000 + step / 100
        if step < 200:
            outputs.alert(alert(f"{step}"))
        outputs.flush()
    assert moments == [1001.0, 1002.01]


def test_slow_storage(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine waits for it a fiftieth of its time."""
    moments = syncs(monkeypatch, bed, 0.5)
    outputs, _ = bed.engine()
    while bed.clock.now < 1200:
        outputs.alert(alert("x"))
        outputs.flush()
        bed.clock.now += 0.1
    assert 5 <= len(moments) <= 9
    assert min(b - a for a, b in zip(moments, moments[1:], strict=False)) >= 25


def test_forced_at_the_end(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop waits for no second."""
    moments = syncs(monkeypatch, bed)
    outputs, _ = bed.engine()
    outputs.alert(alert("x"))
    outputs.close()
    assert len(moments) == 1
    assert bed.told() == ["x"]


def test_full_disk(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits in memory, as far as there is room, the oldest of the least severity going first;
    one line says so, and all of it is written when there is space again."""
    outputs, spool = bed.engine()
    outputs.alert(alert("first"))
    outputs.flush()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        for number in range(100):
            outputs.alert(alert(f"low {number}", ThreatLevel.LOW))
            outputs.alert(alert(f"high {number}"))
            outputs.flush()
        assert len(spool.intent()[1]) <= MOST_WAITING + 16
        figures = outputs.figures()["spool"]
        assert figures["waiting"] + figures["dropped"] == 201
    assert bed.told() == ["first"]
    outputs.flush()
    told = bed.told()[1:]
    assert told == [f"high {number}" for number in range(100 - len(told), 100)]
    assert outputs.figures()["spool"]["dropped"] == 200 - len(told)
    assert bed.notices[0] == "cannot write the spool: No space left on device; it is tried again"
    assert len(bed.notices) == 2
    numbers = [record.number for record in bed.records()]
    assert numbers == [1, *range(201 - 2 * len(told) + 2, 202, 2)]


def test_killed_while_the_disk_is_full(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waited is written by the successor."""
    outputs, _ = bed.engine()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        for number in range(5):
            outputs.alert(alert(f"{number}"))
            outputs.flush()
    bed.engine()
    assert bed.told() == ["0", "1", "2", "3", "4"]


def test_full_spool_is_told_once(bed: Bed) -> None:
    """And again once it was emptied meanwhile."""
    outputs, _ = bed.engine()
    for round_ in range(2):
        for number in range(1200):
            outputs.alert(alert(f"{round_} {number}"))
            outputs.flush()
        assert len(bed.notices) == round_ + 1, bed.notices
        assert "the spool: it is full" in bed.notices[-1]
        last = bed.records()[-1].number
        save_cursor(bed.folder / "cursor", Cursor(bed.spools[-1]._segments.epoch, last + 1))


def test_damage_is_told(bed: Bed) -> None:
    """In one line, which names the segment."""
    outputs, _ = bed.engine()
    outputs.alert(alert("a"))
    outputs.flush()
    (place,) = places_in(bed.folder / "spool")
    with (bed.folder / "spool" / place.name).open("ab") as file:
        file.write(bytes(1000))
    outputs, _ = bed.engine()
    outputs.flush()
    assert bed.notices == [f"the spool: what followed a damaged record is lost, in {place.name}"]
    assert bed.told() == ["a"]


def test_that_cannot_be_opened(bed: Bed) -> None:
    """The engine goes on without, and says so; a second engine has no part in it."""
    bed.engine()
    spool = Spool(bed.folder / "spool", 1 << 20, bed.folder / "cursor")
    outputs = Outputs(bed.notices.append, patient=True)
    outputs.open([spool])
    outputs.alert(alert("a"))
    outputs.flush()
    assert outputs.given_up == ["cannot write the spool: another process writes there"]
    assert bed.notices == outputs.given_up
    assert outputs.figures() == {}


def test_figures(bed: Bed) -> None:
    """What a status shows."""
    outputs, _ = bed.engine()
    for number in range(3):
        outputs.alert(alert(f"{number}"))
    outputs.flush()
    epoch = bed.spools[-1]._segments.epoch
    save_cursor(bed.folder / "cursor", Cursor(epoch, 3))
    figures = outputs.figures()["spool"]
    size = sum(path.stat().st_size for path in (bed.folder / "spool").glob("*.seg"))
    assert figures == {
        "directory": str(bed.folder / "spool"),
        "bytes": size,
        "waiting": 1,
        "dropped": 0,
    }
