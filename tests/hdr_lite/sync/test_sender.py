"""A round of sending: what arrives, whatever happens on the way."""

import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import pytest

from hdr_lite.config import SyncConfig
from hdr_lite.records.batch import Health, signature
from hdr_lite.spool import Cursor, Record, SpoolReader, load_cursor, save_cursor
from hdr_lite.spool.codec import ALERT, encode
from hdr_lite.spool.segments import Segments
from hdr_lite.sync import sender
from hdr_lite.sync.channel import Channel, Trust
from hdr_lite.sync.enrolment import Server as Address
from hdr_lite.sync.enrolment import save_enrolment
from hdr_lite.sync.sender import Outcome, Round, send_round
from tests.hdr_lite.sync.certificates import Authority
from tests.hdr_lite.sync.server import Asked, Server, Told
from tests.hdr_lite.sync.test_enrolment import ENROLMENT

HEALTH = Health("1", 2, 3)


def _arrives(told: Told) -> Told:
    return told


def _cut(at: int) -> Callable[[Told], Told]:
    return lambda told: replace(told, cut=at)


class Collector:
    """Keeps alerts as a real one must: by device, epoch and number, each once."""

    def __init__(self) -> None:
        self.cursors: dict[str, int] = {}
        self.kept: dict[tuple[str, int], Any] = {}
        self.health: list[Mapping[str, Any]] = []
        self.trouble: list[Told] = []  #: answers to give first, instead of taking anything
        self.most = 1 << 30  #: alerts in a batch
        self.fate: Callable[[Told], Told] = _arrives  #: what becomes of an answer on its way

    def __call__(self, asked: Asked) -> Told | None:
        if self.trouble:
            return self.trouble.pop(0)
        device, epoch = asked.headers["hdr-device"], asked.headers["hdr-epoch"]
        first = int(asked.headers["hdr-first"])
        signed = signature(ENROLMENT.secret, device, epoch, first, asked.body)
        assert asked.headers["hdr-signature"] == signed
        said = msgpack.unpackb(zlib.decompress(asked.body))
        if len(said["alerts"]) > self.most:
            return self.fate(Told(413))
        cursor = self.cursors.setdefault(epoch, 1)
        if first > cursor:
            return self.fate(Told(409, msgpack.packb({"next": cursor})))
        for number, payload in said["alerts"]:
            assert first <= number < said["next"]
            if number >= cursor:
                assert (epoch, number) not in self.kept
                self.kept[epoch, number] = payload
        if "health" in said:
            self.health.append(said["health"])
        self.cursors[epoch] = max(cursor, said["next"])
        return self.fate(Told(200, msgpack.packb({"next": self.cursors[epoch]})))


class Bench:
    """A spool, a collector, and rounds between them."""

    def __init__(self, folder: Path, server: Server, authority: Authority) -> None:
        self.collector = Collector()
        server.answer = self.collector
        self.server = server
        self._trust = Trust(authority.pem)
        self.spool, self.cursor = folder / "spool", folder / "cursor"
        self.spool.mkdir()
        self._segments = Segments(self.spool, 8 << 20, self.cursor)
        self._segments.open()
        self.advanced: list[int] = []

    @property
    def epoch(self) -> str:
        return self._segments.epoch

    def put(self, *numbers: int, size: int = 10) -> None:
        records = [Record(n, ALERT, 800, n, {"alert": {"n": n, "x": "y" * size}}) for n in numbers]
        for record in records:
            self._segments.append([encode(self.epoch, record)])
        self._segments.sync()

    def round(self, health: Health | None = None) -> Outcome:
        way = Channel(Address("127.0.0.1", self.server.port, ""), self._trust)
        reader = SpoolReader(self.spool)
        made = Round(ENROLMENT, reader, self.cursor, way, health, self.advanced.append)
        return made.run()

    @property
    def kept(self) -> list[int]:
        return [number for _, number in sorted(self.collector.kept)]

    def close(self) -> None:
        self._segments.close()


@pytest.fixture(name="bench")
def _bench(tmp_path: Path, server: Server, authority: Authority) -> Any:
    bench = Bench(tmp_path, server, authority)
    yield bench
    bench.close()


def test_all_is_sent_and_acknowledged(bench: Bench) -> None:
    """In batches over one connection; the cursor says so; a further round sends none of it."""
    bench.put(*range(1, 2501))
    assert bench.round(HEALTH) == Outcome(health=True)
    assert bench.kept == list(range(1, 2501))
    assert load_cursor(bench.cursor) == Cursor(bench.epoch, 2501)
    assert sum(bench.advanced) == 2500
    assert bench.server.connections == 1
    assert len(bench.server.asked) >= 3
    assert [h["version"] for h in bench.collector.health] == ["1"]  # once
    bench.put(2501)
    assert bench.round() == Outcome()
    assert len(bench.kept) == 2501


def test_a_sign_of_life(bench: Bench) -> None:
    """Where nothing waits an empty batch goes: from where we are, or of no spool at all."""
    assert bench.round(HEALTH) == Outcome(health=True)
    assert not bench.cursor.exists()
    bench.put(1)
    bench.round()
    assert bench.round() == Outcome()
    (first, _, last) = bench.server.asked
    assert first.headers["hdr-epoch"] == "0000000000000001"
    assert (last.headers["hdr-epoch"], last.headers["hdr-first"]) == (bench.epoch, "2")


def test_each_once_whatever_is_cut(bench: Bench) -> None:
    """Every answer is cut, at each byte in turn: what was kept is sent again, and kept once."""
    whole = len(Told(200, msgpack.packb({"next": 4})).bytes)
    bench.put(1, 2, 3)
    for cut in range(whole):
        bench.cursor.unlink(missing_ok=True)
        bench.collector.fate = _cut(cut)
        assert bench.round().error
    bench.collector.fate = _arrives
    assert bench.round() == Outcome()
    assert bench.kept == [1, 2, 3]


def test_the_cursor_of_before(bench: Bench) -> None:
    """A cursor that was lost, or is older: sent again, kept once."""
    bench.put(*range(1, 11))
    bench.round()
    for cursor in (None, Cursor(bench.epoch, 4)):
        bench.cursor.unlink()
        if cursor is not None:
            save_cursor(bench.cursor, cursor)
        assert bench.round() == Outcome()
        assert bench.kept == list(range(1, 11))
        assert load_cursor(bench.cursor) == Cursor(bench.epoch, 11)


def test_a_gap_is_sent(bench: Bench) -> None:
    """A collector that has less than it acknowledged gets what is still there."""
    bench.put(*range(1, 11))
    bench.round()
    bench.collector.cursors.clear()
    bench.collector.kept.clear()
    bench.put(11)
    assert bench.round() == Outcome()
    assert bench.kept == list(range(1, 12))


def test_dropped_numbers_are_covered(bench: Bench) -> None:
    """What the spool has dropped is passed over: the collector counts it, nobody asks again."""
    bench.put(1, 2, 5, 9)
    assert bench.round() == Outcome()
    assert bench.kept == [1, 2, 5, 9]
    assert bench.collector.cursors[bench.epoch] == 10


def test_who_always_wants_the_same(bench: Bench) -> None:
    """A collector that makes no progress is left after a few answers."""
    bench.put(1, 2)
    bench.collector.fate = lambda _told: Told(409, msgpack.packb({"next": 1}))
    assert bench.round() == Outcome("it asks for the same again and again")
    assert len(bench.server.asked) == 4


def test_too_large(bench: Bench) -> None:
    """Halved until it fits."""
    bench.put(*range(1, 101))
    bench.collector.most = 7
    assert bench.round() == Outcome()
    assert bench.kept == list(range(1, 101))


def test_one_that_is_too_large_alone(bench: Bench) -> None:
    """It is left out as if it had been dropped, and that is told; the others arrive."""
    bench.put(1, 2, 3)

    def answer(asked: Asked) -> Told | None:
        alerts = msgpack.unpackb(zlib.decompress(asked.body))["alerts"]
        return Told(413) if 2 in [number for number, _ in alerts] else bench.collector(asked)

    bench.server.answer = answer
    assert bench.round() == Outcome("1 alerts were left out: it answers 413")
    assert bench.kept == [1, 3]
    assert load_cursor(bench.cursor) == Cursor(bench.epoch, 4)


def test_what_it_cannot_read_stops_nothing(bench: Bench) -> None:
    """A batch that is answered with 400 is halved until the alerts that spoil it are alone: these
    are left out, counted and told; all others arrive, and nothing is sent for ever."""
    bench.put(*range(1, 1001))
    spoilt = {2, 500, 501, 1000}

    def answer(asked: Asked) -> Told | None:
        alerts = msgpack.unpackb(zlib.decompress(asked.body))["alerts"]
        if spoilt.intersection(number for number, _ in alerts):
            return Told(400, msgpack.packb({"reason": "the body is no batch"}))
        return bench.collector(asked)

    bench.server.answer = answer
    told = "4 alerts were left out: it answers 400 (the body is no batch)"
    assert bench.round() == Outcome(told)
    assert set(bench.kept) == set(range(1, 1001)) - spoilt
    assert load_cursor(bench.cursor) == Cursor(bench.epoch, 1001)
    assert bench.round() == Outcome()


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (Told(400, b"<html>400 Bad Request</html>"), "it answers 400"),
        (Told(400, msgpack.packb({"reason": "a header is missing"})),
         "it answers 400 (a header is missing)"),
    ],
)  # fmt: skip
def test_who_reads_nothing_loses_nothing(bench: Bench, told: Told, error: str) -> None:
    """A proxy's 400, or one to a batch without alerts too, is no alert's fault: all stay."""
    bench.put(1, 2, 3)
    bench.server.answer = lambda _asked: told
    assert bench.round() == Outcome(error)
    assert not bench.cursor.exists()
    bench.server.answer = bench.collector
    assert bench.round() == Outcome()
    assert bench.kept == [1, 2, 3]


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (Told(429, headers={"Retry-After": "7"}), Outcome("it is busy", wait=7.0)),
        (Told(503), Outcome("it is busy")),
        (Told(401), Outcome("it answers 401: it does not know this device", lasting=True)),
        (
            Told(403, msgpack.packb({"reason": "revoked"})),
            Outcome("it answers 403: this device may not report any more (revoked)", lasting=True),
        ),
        (Told(500), Outcome("it answers 500")),
        (Told(200, b"x"), Outcome("what it answers is no collector's answer")),
    ],
)
def test_refusals_end_the_round(bench: Bench, told: Told, outcome: Outcome) -> None:
    """Nothing counts as acknowledged; the next round sends all."""
    bench.put(1, 2)
    bench.collector.trouble = [told]
    assert bench.round(HEALTH) == outcome
    assert not bench.cursor.exists()
    assert bench.round(HEALTH) == Outcome(health=True)
    assert bench.kept == [1, 2]


def test_what_was_acknowledged_before_a_failure_stays(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of three batches fails: the first is not sent again."""
    monkeypatch.setattr(sender, "MOST_RECORDS", 2)
    bench.put(1, 2, 3, 4, 5)
    answers = iter((None, Told(503)))
    take = bench.collector

    def answer(asked: Asked) -> Told | None:
        with suppress(StopIteration):
            told = next(answers)
            return take(asked) if told is None else told
        return take(asked)

    bench.server.answer = answer
    assert bench.round(HEALTH) == Outcome("it is busy", health=True)
    assert load_cursor(bench.cursor) == Cursor(bench.epoch, 3)
    assert bench.round() == Outcome()
    assert [a.headers["hdr-first"] for a in bench.server.asked] == ["1", "3", "3", "5"]


def test_large_records_make_small_batches(bench: Bench) -> None:
    """Bounded in bytes, too."""
    bench.put(*range(1, 21), size=60_000)
    assert bench.round() == Outcome()
    assert len(bench.server.asked) >= 4
    for asked in bench.server.asked:
        assert len(zlib.decompress(asked.body)) < 300_000


def test_from_the_settings(bench: Bench, tmp_path: Path, authority: Authority) -> None:
    """Enrolment, spool and cursor by path; what was taken is told, then the outcome."""
    enrolment = replace(ENROLMENT, url=bench.server.url, ca=authority.pem)
    save_enrolment(str(tmp_path), enrolment)
    bench.put(1, 2)
    lines: list[Mapping[str, Any]] = []
    config = SyncConfig(state=str(tmp_path))
    send_round(config, bench.spool, {0: {"version": "9"}, 1: {}}, lines.append)
    assert lines == [{"advanced": 2}, Outcome(health=True)._asdict()]
    assert bench.collector.health[0]["version"] == "9"
    assert bench.kept == [1, 2]


def test_without_an_enrolment(tmp_path: Path) -> None:
    """A sentence, no traceback."""
    lines: list[Mapping[str, Any]] = []
    send_round(SyncConfig(state=str(tmp_path)), tmp_path, {}, lines.append)
    assert [line["error"] for line in lines] == ["this device is not enrolled"]


def test_a_spool_that_cannot_be_read(bench: Bench) -> None:
    """Told, and nothing is sent that would look like a gap."""
    bench.put(1)
    bench.spool.rename(bench.spool.with_name("aside"))
    bench.spool.touch()
    assert bench.round() == Outcome("the spool cannot be read: not a directory")
    assert bench.server.asked == []


def test_no_spool_yet(bench: Bench) -> None:
    """A device that has nothing to tell yet is alive."""
    bench.spool.rename(bench.spool.with_name("aside"))
    assert bench.round(HEALTH) == Outcome(health=True)


@pytest.mark.parametrize(
    ("kernel", "systemd", "quality"),
    [
        (True, False, "synchronised"),
        (False, True, "synchronised"),
        (False, False, "unknown"),
    ],
)
def test_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: bool, systemd: bool, quality: str
) -> None:
    """The wall clock's time, and the kernel's word on it, or systemd's."""
    monkeypatch.setattr(sender, "is_clock_synchronised", lambda: kernel)
    monkeypatch.setattr(sender, "_TIMESYNC", tmp_path if systemd else tmp_path / "absent")
    before = time.time_ns()
    told = sender.clock()
    assert told.quality == quality
    assert before <= told.now <= time.time_ns()
