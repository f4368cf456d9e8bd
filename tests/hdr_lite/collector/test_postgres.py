"""What PostgreSQL's storage does in its own way: several writers, partitions, refusals."""

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from hdr_lite.collector import clock
from hdr_lite.collector.keeping import NUMBER_BITS
from hdr_lite.collector.postgres import PostgresStore
from hdr_lite.collector.postgres_schema import DAY, MIGRATIONS, RUN, days
from hdr_lite.collector.store import AlertFilter, Batch, Invitation, Newcomer, Reported, Unavailable
from hdr_lite.config import UserError
from tests.fleet.postgresql import Postgresql

EPOCH = "0123456789abcdef"
NOW = clock.now()


def alert(sequence: int, **changes: object) -> Reported:
    """An alert as ingest reads it."""
    plain = Reported(
        sequence, f"id-{sequence}", NOW, NOW, "192.0.2.1", "", "", 0, "192.0.2.1", ("PortScan",),
        ("scan",), 3, 1.0, 0.5, "", 1, "", b"payload",
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def batch(device: str, first: int, *alerts: Reported) -> Batch:
    """A batch of these alerts."""
    return Batch(device, EPOCH, first, first + len(alerts), alerts, 0, None, "", 0, NOW)


async def enrol(store: PostgresStore, device: str) -> None:
    """By a token of its own."""
    await store.invite(Invitation(device[:8], "", NOW, NOW + 1, "", 0, "", False), b"")
    assert await store.enrol(device[:8], b"", Newcomer(device, b"s", "", "", ""), NOW) == ""


def run(database: str, work: Callable[[PostgresStore], Awaitable[None]]) -> None:
    """Work on an open storage."""

    async def all_of_it() -> None:
        store = PostgresStore(database)
        await store.open()
        try:
            await work(store)
        finally:
            await store.close()

    asyncio.run(all_of_it())


def test_several_writers_keep_each_once(database: str) -> None:
    """Three processes' worth of writers, given the same batches at the same time."""

    async def work(first: PostgresStore) -> None:
        stores = [first, PostgresStore(database), PostgresStore(database)]
        await asyncio.gather(*(store.open() for store in stores[1:]))
        devices = [f"{n:08x}" * 4 for n in range(10)]
        for device in devices:
            await enrol(first, device)
        for n in range(1, 30, 3):
            sent = [batch(d, n, alert(n), alert(n + 1), alert(n + 2)) for d in devices]
            answers = await asyncio.gather(*(s.ingest(b) for b in sent for s in stores))
            assert set(answers) == {n + 3}
        rows = await first.fetch("SELECT device, id FROM alert")
        assert len(rows) == 300
        assert set(Counter(map(tuple, rows)).values()) == {1}
        numbers = [row[0] for row in await first.fetch("SELECT number FROM alert ORDER BY 1")]
        assert numbers[-1] == await first.last_number()
        await asyncio.gather(*(store.close() for store in stores[1:]))

    run(database, work)


def test_what_it_refuses_does_not_stop_a_device(database: str) -> None:
    """A text that PostgreSQL does not take is counted; those beside it are kept."""

    async def work(store: PostgresStore) -> None:
        good, bad = "a" * 32, "b" * 32
        await enrol(store, good)
        await enrol(store, bad)
        batches = [batch(bad, 1, alert(1, mac="\0"), alert(2)), batch(good, 1, alert(1))]
        assert await store.ingest_all(batches) == [3, 2]
        assert await store.ingest_all([batch(bad, 3, alert(3))]) == [4]
        told = await store.device(bad)
        assert told is not None
        assert (told.alerts, told.refused, told.dropped) == (1, 2, 0)
        assert len((await store.alerts(AlertFilter(device=good))).items) == 1

    run(database, work)


def test_a_batch_of_an_unknown_device_is_thrown_away(database: str) -> None:
    """A queue may hold batches of a device that a restored backup does not know."""

    async def work(store: PostgresStore) -> None:
        assert await store.ingest(batch("c" * 32, 5, alert(5))) == 6
        assert (await store.alerts(AlertFilter())).items == []

    run(database, work)


def test_days_are_made_and_dropped(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each day of arrival has its partition, made as it comes; those too old go whole."""

    async def work(store: PostgresStore) -> None:
        device = "a" * 32
        await enrol(store, device)
        for n in range(5):
            monkeypatch.setattr(clock, "now", lambda n=n: NOW + n * DAY)
            assert await store.ingest(batch(device, n + 1, alert(n + 1))) == n + 2
        today = NOW // DAY
        async with store.connection() as db:
            assert await days(db) == list(range(today, today + 6))
            assert await store.retain(2, 1 << 40, NOW + 4 * DAY) == 2
            assert await days(db) == list(range(today + 2, today + 6))
        left = (await store.alerts(AlertFilter())).items
        assert [a.id for a in left] == ["id-5", "id-4", "id-3"]
        assert [a.number >> NUMBER_BITS for a in left] == [NOW + n * DAY for n in (4, 3, 2)]

    run(database, work)


def test_what_is_rare_is_found_in_long_runs(database: str) -> None:
    """A type of one alert among thousands, whichever runs it is in."""

    async def work(store: PostgresStore) -> None:
        device = "a" * 32
        await enrol(store, device)
        rare = {7, RUN, RUN + 1, 3000}
        alerts = [alert(n, types=("Rare",) if n in rare else ("Often",)) for n in range(1, 4001)]
        await store.ingest(batch(device, 1, *alerts))
        runs = await store.fetch("SELECT run, last FROM tag WHERE word = 'type:Often'")
        assert len(runs) == 4000 // RUN + 1
        found = (await store.alerts(AlertFilter(type="Rare"))).items
        assert [a.id for a in found] == [f"id-{n}" for n in sorted(rare, reverse=True)]
        first = await store.alerts(AlertFilter(type="Often", level="high"), limit=100)
        assert [a.id for a in first.items] == [f"id-{n}" for n in range(4000, 3900, -1)]

    run(database, work)


def test_made_up_families_are_bounded(database: str) -> None:
    """Sums are kept of so many families, and of the others together."""

    async def work(store: PostgresStore) -> None:
        device = "a" * 32
        await enrol(store, device)
        alerts = [alert(n, families=(f"f{n}",)) for n in range(1, 401)]
        await store.ingest(batch(device, 1, *alerts))
        buckets = (await store.overview(NOW - DAY, NOW + 1, 3_600_000)).buckets
        assert len(buckets) == 257
        assert {b.alerts for b in buckets if b.family == "OTHER"} == {144}

    run(database, work)


def test_a_database_of_a_newer_program_is_refused(database: str) -> None:
    """Nothing is written into it."""

    async def work(store: PostgresStore) -> None:
        await store.change("INSERT INTO migration VALUES ($1)", len(MIGRATIONS) + 1)
        with pytest.raises(UserError, match="newer"):
            await PostgresStore(database).open()

    run(database, work)


def test_no_server_is_told(tmp_path: object) -> None:
    """As a message, not as a traceback."""
    with pytest.raises(UserError, match="cannot use the PostgreSQL"):
        asyncio.run(PostgresStore(f"postgresql://x@/x?host={tmp_path}").open())


# asyncpg forgets connections that it was opening when the server went
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_killed_server_is_unavailable_until_it_is_back() -> None:
    """What it acknowledged is there; the pool finds its way back by itself."""
    server = Postgresql()

    async def work() -> None:
        device = "a" * 32
        store = PostgresStore(server.url())
        await store.open()
        await enrol(store, device)
        assert await store.ingest(batch(device, 1, alert(1))) == 2
        server.kill()
        with pytest.raises(Unavailable):
            await store.ingest(batch(device, 2, alert(2)))
        server.start()
        assert await store.ingest(batch(device, 1, alert(1), alert(2))) == 3
        assert len((await store.alerts(AlertFilter())).items) == 2
        await store.close()

    try:
        server.start()
        asyncio.run(work())
    finally:
        server.remove()
        gc.collect()
