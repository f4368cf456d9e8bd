"""The storage of one machine, by itself: what it keeps, finds and forgets."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgpack
import pytest

from hdr_lite.collector import clock, keeping
from hdr_lite.collector.reading import read_alert
from hdr_lite.collector.sqlite import SqliteStore
from hdr_lite.collector.store import (
    AlertFilter,
    Batch,
    Gap,
    Invitation,
    Newcomer,
    Reported,
    Role,
    Session,
    User,
)
from hdr_lite.config import UserError
from hdr_lite.records.batch import Health, Held
from hdr_lite.records.evidence import ThreatLevel
from tests.collector.payloads import START, payload

R = TypeVar("R")
NOW = START // 1_000_000
EPOCH = "e" * 16


def reported(sequence: int, *, now: int = NOW, **of: object) -> Reported:
    return read_alert(sequence, msgpack.packb(payload(sequence, **of)), 0, now)


def batch(device: str, first: int, *alerts: Reported, after: int = 0, **more: object) -> Batch:
    """Covers what the alerts need."""
    values = {"refused": 0, "health": None, "clock_quality": "", "clock_offset": 0, "received": NOW}
    after = after or (alerts[-1].sequence + 1 if alerts else first)
    return Batch(device, EPOCH, first, after, alerts, **{**values, **more})


async def enrolled(store: SqliteStore, number: int = 1) -> str:
    """A new device."""
    token = f"{number:08x}"
    await store.invite(Invitation(token, "", NOW, NOW + 1, "me", 0, "", False), b"digest")
    device = f"{number:032x}"
    newcomer = Newcomer(device, b"s" * 32, f"device {number}", "m", "v")
    assert await store.enrol(token, b"digest", newcomer, NOW) == ""
    return device


def with_store(path: Path, do: Callable[[SqliteStore], Awaitable[R]]) -> R:
    """Run ``do`` on an open storage."""

    async def main() -> R:
        store = SqliteStore(path / "db")
        await store.open()
        try:
            return await do(store)
        finally:
            await store.close()

    return asyncio.run(main())


def test_cursors_outlive_the_process(tmp_path: Path):
    """What was kept is known after a start anew."""

    async def first(store: SqliteStore) -> str:
        device = await enrolled(store)
        assert await store.ingest(batch(device, 1, reported(1), reported(2))) == 3
        return device

    device = with_store(tmp_path, first)

    async def again(store: SqliteStore) -> None:
        assert await store.ingest(batch(device, 4, reported(4))) == Gap(3)
        assert await store.ingest(batch(device, 1, reported(1), reported(2), reported(3))) == 4
        page = await store.alerts(AlertFilter())
        assert [alert.id for alert in page.items] == ["a00000003", "a00000002", "a00000001"]
        numbers = [alert.number for alert in page.items]
        assert numbers == sorted(numbers, reverse=True)

    with_store(tmp_path, again)


def test_many_batches_at_once(tmp_path: Path):
    """A hundred devices send at the same time, each twice: all is there once."""

    async def do(store: SqliteStore) -> None:
        devices = [await enrolled(store, n) for n in range(1, 101)]
        sent = [batch(d, 1, *(reported(n) for n in range(1, 11))) for d in devices]
        results = await asyncio.gather(*(store.ingest(b) for b in sent + sent))
        assert results == [11] * 200
        found, before = 0, 0
        while True:
            page = await store.alerts(AlertFilter(), limit=300, before=before)
            found, before = found + len(page.items), page.next
            if not before:
                break
        assert found == 1000
        attacker, where = await store.attacker("203.0.113.7")
        assert (attacker.alerts, attacker.devices, len(where)) == (1000, 100, 100)

    with_store(tmp_path, do)


def test_job_that_fails_takes_nothing_with_it(tmp_path: Path):
    """Others of the same transaction are kept; what the failed one did is undone."""

    async def do(store: SqliteStore) -> None:
        device = await enrolled(store)

        def fails(db: sqlite3.Connection) -> None:
            db.execute("UPDATE device SET name = 'wrong'")
            raise ZeroDivisionError

        results = await asyncio.gather(
            store.ingest(batch(device, 1, reported(1))),
            store.write(fails),
            store.ingest(batch(device, 2, reported(2))),
            return_exceptions=True,
        )
        assert results[0] == 2
        assert isinstance(results[1], ZeroDivisionError)
        assert results[2] == 3
        assert (await store.device(device)).name == "device 1"
        assert (await store.device(device)).alerts == 2

    with_store(tmp_path, do)


async def filled(store: SqliteStore) -> list[str]:
    """Two devices, 60 alerts: every third of another family, every fifth by another attacker."""
    devices = [await enrolled(store, 1), await enrolled(store, 2)]
    for device in devices:
        alerts = [
            reported(
                n,
                attacker="198.51.100.9" if n % 5 == 0 else "203.0.113.7",
                type="PASSWORD_GUESSING" if n % 3 == 0 else "VERTICAL_PORT_SCAN",
                family="bruteforce" if n % 3 == 0 else "scan",
                level=ThreatLevel.CRITICAL if n % 4 == 0 else ThreatLevel.HIGH,
            )
            for n in range(1, 31)
        ]
        await store.ingest(batch(device, 1, *alerts))
    return devices


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_filters_and_pages(tmp_path: Path, limit: int):
    """Each filter and all together give what a look at each alert gives, whatever the page."""

    async def pages(store: SqliteStore, which: AlertFilter) -> list[tuple[str, str]]:
        found, before = [], 0
        while True:
            page = await store.alerts(which, limit=limit, before=before)
            assert len(page.items) <= limit
            found += [(alert.device, alert.id) for alert in page.items]
            if not page.next:
                return found
            before = page.next

    async def do(store: SqliteStore) -> None:
        one, two = await filled(store)

        def expected(*wanted: Callable[[str, int], bool]) -> list[tuple[str, str]]:
            every = [(device, n) for device in (two, one) for n in range(30, 0, -1)]
            return [(d, f"a{n:08d}") for d, n in every if all(ask(d, n) for ask in wanted)]

        by_device = lambda d, _: d == one  # noqa: E731
        by_attacker = lambda _, n: n % 5 == 0  # noqa: E731
        by_type = lambda _, n: n % 3 == 0  # noqa: E731
        by_level = lambda _, n: n % 4 == 0  # noqa: E731
        for which, wanted in (
            (AlertFilter(), []),
            (AlertFilter(device=one), [by_device]),
            (AlertFilter(attacker="198.51.100.9"), [by_attacker]),
            (AlertFilter(type="PASSWORD_GUESSING"), [by_type]),
            (AlertFilter(family="bruteforce"), [by_type]),
            (AlertFilter(level="critical"), [by_level]),
            (AlertFilter(device=one, level="critical"), [by_device, by_level]),
            (
                AlertFilter(device=one, attacker="198.51.100.9", family="bruteforce", level="high"),
                [by_device, by_attacker, by_type, lambda _, n: n % 4 != 0],
            ),
        ):
            assert await pages(store, which) == expected(*wanted), which
        for nothing in (
            AlertFilter(device="0" * 32),
            AlertFilter(attacker="192.0.2.1"),
            AlertFilter(type="NONE"),
            AlertFilter(level="low"),
            AlertFilter(level="silly"),
            AlertFilter(until=1),
            AlertFilter(since=clock.now() + 10_000),
        ):
            assert await pages(store, nothing) == []

    with_store(tmp_path, do)


def test_page_looks_at_a_bounded_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where the filters together match nothing, a page is empty and says where to go on."""
    monkeypatch.setattr("hdr_lite.collector.sqlite_reports._MOST_LOOKED_AT", 10)

    async def do(store: SqliteStore) -> None:
        await filled(store)
        which = AlertFilter(type="PASSWORD_GUESSING", family="scan")
        page = await store.alerts(which, limit=3)
        assert page.items == []
        assert page.next
        turns = 0
        while page.next:
            page = await store.alerts(which, limit=3, before=page.next)
            turns += 1
        assert page.items == []
        assert turns < 10

    with_store(tmp_path, do)


def test_evidence_that_was_sent_before_is_given(tmp_path: Path):
    """Earlier messages about the attacker, newest first, of this device only."""

    async def do(store: SqliteStore) -> None:
        one, two = await enrolled(store, 1), await enrolled(store, 2)
        await store.ingest(batch(two, 1, reported(9)))
        await store.ingest(
            batch(one, 1, reported(1), reported(2), reported(3, with_evidence=False))
        )
        page = await store.alerts(AlertFilter(device=one))
        found = await store.alert(page.items[0].number)
        assert found.alert == page.items[0]
        sent = [msgpack.unpackb(body)["alert"]["ID"] for body in (found.own, *found.earlier)]
        assert sent == ["a00000003", "a00000002", "a00000001"]
        assert await store.alert(12345) is None

    with_store(tmp_path, do)


def test_overview_counts(tmp_path: Path):
    """Sums by family and level, devices, attackers and blocks."""

    async def do(store: SqliteStore) -> None:
        one, two = await filled(store)
        held = Health("v", 1, 2, blocks=[Held("203.0.113.7", "block", 600, "scan")])
        await store.ingest(batch(one, 31, health=held, received=clock.now()))
        view = await store.overview(NOW - 3_600_000, NOW + 1, 300_000)
        sums = {(b.family, b.level): b.alerts for b in view.buckets}
        assert sums == {
            ("bruteforce", "critical"): 4,
            ("bruteforce", "high"): 16,
            ("scan", "critical"): 10,
            ("scan", "high"): 30,
        }
        assert {(d.device, d.alerts) for d in view.devices} == {(one, 30), (two, 30)}
        assert [(a.address, a.alerts, a.devices) for a in view.attackers] == [
            ("203.0.113.7", 48, 2),
            ("198.51.100.9", 12, 2),
        ]
        assert (view.enrolled, view.seen, view.blocks) == (2, 1, 1)

    with_store(tmp_path, do)


def test_attackers_in_pages(tmp_path: Path):
    """Last seen first; those of one moment stay together."""

    async def do(store: SqliteStore) -> None:
        device = await enrolled(store)
        for n in range(1, 6):
            alerts = [
                reported(n * 2 - 1, attacker=f"198.51.100.{n}"),
                reported(n * 2, attacker=f"203.0.113.{n}"),
            ]
            await store.ingest(batch(device, n * 2 - 1, *alerts, received=NOW + n // 2))
        found, before = [], 0
        while True:
            page = await store.attackers(limit=3, before=before)
            found += [(attacker.last, attacker.address) for attacker in page.items]
            before = page.next
            if not before:
                break
        assert len(found) == len(set(found)) == 10
        assert [last for last, _ in found] == sorted((last for last, _ in found), reverse=True)

    with_store(tmp_path, do)


def test_old_alerts_go(tmp_path: Path):
    """By days: alerts, their tags, sums and attackers; what is newer stays."""

    async def do(store: SqliteStore) -> None:
        device = await enrolled(store)
        await store.ingest(batch(device, 1, reported(1), reported(2, attacker="198.51.100.1")))
        assert await store.retain(30, 1 << 40, clock.now()) == 0
        assert await store.retain(30, 1 << 40, clock.now() + 31 * 86_400_000) == 2
        assert (await store.alerts(AlertFilter())).items == []
        assert await store.attacker("203.0.113.7") is None

        def left(db: sqlite3.Connection) -> list[int]:
            tables = ("alert", "payload", "tag", "attacker", "attacker_device", "bucket")
            return [db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables]

        assert await store.read(left) == [0] * 6
        assert (await store.device(device)).bytes == 0
        assert await store.ingest(batch(device, 1, reported(1), reported(2))) == 3  # still known
        assert await store.ingest(batch(device, 3, reported(3))) == 4
        assert len((await store.alerts(AlertFilter(attacker="203.0.113.7"))).items) == 1

    with_store(tmp_path, do)


def test_who_floods_displaces_himself(tmp_path: Path):
    """When there is too much, the oldest of the device that holds most go."""

    async def do(store: SqliteStore) -> None:
        quiet, loud = await enrolled(store, 1), await enrolled(store, 2)
        await store.ingest(batch(quiet, 1, *(reported(n) for n in range(1, 11))))
        for first in range(1, 10_001, 1000):
            await store.ingest(
                batch(loud, first, *(reported(n) for n in range(first, first + 1000)))
            )
        size = await store.read(lambda db: db.execute("PRAGMA page_count").fetchone()[0] * 4096)
        removed = await store.retain(30, size * 2 // 3, clock.now())
        assert 2000 <= removed < 10_000
        assert len((await store.alerts(AlertFilter(device=quiet))).items) == 10
        newest = (await store.alerts(AlertFilter(device=loud), limit=1)).items[0]
        assert newest.id == "a00010000"

    with_store(tmp_path, do)


def test_words_that_are_made_up_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A device that invents types fills no table; its alerts are there, and can be removed."""
    monkeypatch.setattr(keeping, "_MOST_WORDS", 20)

    async def do(store: SqliteStore) -> None:
        device = await enrolled(store)
        await store.ingest(batch(device, 1, *(reported(n, type=f"T{n}") for n in range(1, 100))))
        (count,) = await store.read(lambda db: db.execute("SELECT count(*) FROM word").fetchone())
        assert count <= 24
        found = (await store.alerts(AlertFilter(type="OTHER"), limit=200)).items
        assert len(found) > 70
        assert await store.retain(1, 1 << 40, clock.now() + 10 * 86_400_000) == 99

    with_store(tmp_path, do)


def test_epochs_of_a_device_have_a_bound(tmp_path: Path):
    """The one not used for longest is forgotten."""

    async def do(store: SqliteStore) -> None:
        device = await enrolled(store)
        for n in range(100):
            one = batch(device, 1, reported(1), received=NOW + n)
            values = {name: getattr(one, name) for name in one.__slots__}
            assert await store.ingest(Batch(**{**values, "epoch": f"{n:016x}"})) == 2
        query = "SELECT count(*), min(epoch) FROM cursor"
        assert await store.read(lambda db: db.execute(query).fetchone()) == (64, f"{36:016x}")

    with_store(tmp_path, do)


def test_database_of_a_newer_program_is_refused(tmp_path: Path):
    """And left as it is."""
    with_store(tmp_path, enrolled)
    with sqlite3.connect(tmp_path / "db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(UserError, match="newer version"):
        with_store(tmp_path, enrolled)


def test_file_that_is_none_is_refused(tmp_path: Path):
    """One sentence."""
    (tmp_path / "db").write_bytes(b"no database at all" * 100)
    with pytest.raises(UserError, match="cannot open the database"):
        with_store(tmp_path, enrolled)


def test_session_ends_with_its_user(tmp_path: Path):
    """A new password or role, or removal, ends the sessions; so does time."""

    async def do(store: SqliteStore) -> None:
        user = User("anna", Role.OPERATOR, NOW, "hash")
        session = Session("anna", Role.ADMIN, "csrf", NOW + 10)
        await store.put_user(user)
        await store.begin_session(b"one", session)
        assert (await store.session(b"one", NOW)).role == Role.OPERATOR  # the user's
        assert await store.session(b"one", NOW + 10) is None
        await store.put_user(User("anna", Role.VIEWER, NOW, "other"))
        assert await store.session(b"one", NOW) is None
        await store.begin_session(b"two", session)
        assert await store.remove_user("anna")
        assert await store.session(b"two", NOW) is None
        assert not await store.remove_user("anna")

    with_store(tmp_path, do)
