"""Ingest by the bus: nothing lost, nothing twice, whoever is asked and whatever is away."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import msgspec
import pytest

from hdr_lite.collector import clock, jetstream
from hdr_lite.collector.fleet import FleetStore, Recent, consume
from hdr_lite.collector.jetstream import Bus, split
from hdr_lite.collector.postgres import PostgresStore
from hdr_lite.collector.store import (
    AlertFilter,
    Batch,
    Gap,
    Invitation,
    Newcomer,
    Reported,
    Unavailable,
)
from hdr_lite.config import UserError
from hdr_lite.records.batch import Health

DEVICE, EPOCH, SIZE = "d" * 32, "0123456789abcdef", 64 << 20
NOW = clock.now()

Work = Callable[[FleetStore, FleetStore], Awaitable[None]]


def alert(sequence: int, payload: bytes = b"payload") -> Reported:
    """An alert as ingest reads it."""
    return Reported(
        sequence, f"id-{sequence}", NOW, NOW, "192.0.2.1", "", "", 0, "192.0.2.1", ("PortScan",),
        ("scan",), 3, 1.0, 0.5, "", 1, "", payload,
    )  # fmt: skip


def batch(first: int, next_: int) -> Batch:
    """A batch with an alert for each number."""
    alerts = tuple(alert(n) for n in range(first, next_))
    return Batch(DEVICE, EPOCH, first, next_, alerts, 0, None, "", 0, NOW)


@contextlib.asynccontextmanager
async def consumer(database: str, bus_url: str) -> AsyncIterator[PostgresStore]:
    """A consumer process's work, as long as it lasts."""
    store, bus = PostgresStore(database), Bus(bus_url, SIZE)
    await store.open()
    await bus.open()
    task = asyncio.create_task(consume(store, bus))
    try:
        yield store
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()
        await store.close()


def run(database: str, bus_url: str, work: Work) -> None:
    """Work on two ingest processes' storages, with one device."""

    async def all_of_it() -> None:
        stores = [FleetStore(database, Bus(bus_url, SIZE)) for _ in range(2)]
        for store in stores:
            await store.open()
        try:
            await stores[0].invite(Invitation("t", "", NOW, NOW + 1, "", 0, "", False), b"")
            newcomer = Newcomer(DEVICE, b"first", "", "", "")
            assert await stores[0].enrol("t", b"", newcomer, NOW) == ""
            await work(*stores)
        finally:
            for store in stores:
                await store.close()

    asyncio.run(all_of_it())


async def ids(store: PostgresStore, count: int) -> list[str]:
    """Once so many have come, and nothing after them."""
    async with asyncio.timeout(60):
        while len(await store.fetch("SELECT 1 FROM alert")) < count:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    return [a.id for a in reversed((await store.alerts(AlertFilter())).items)]


def test_whichever_process_is_asked(database: str, bus_url: str) -> None:
    """The cursor is that of the stream while nobody consumes, and of the database then."""

    async def work(one: FleetStore, other: FleetStore) -> None:
        assert await one.ingest(batch(1, 3)) == 3
        assert await other.ingest(batch(4, 5)) == Gap(3)
        assert await other.ingest(batch(3, 5)) == 5
        assert await one.ingest(batch(6, 7)) == Gap(5)
        assert await one.ingest(batch(5, 6)) == 6
        assert await one.alerts(AlertFilter()) == await other.alerts(AlertFilter())
        async with consumer(database, bus_url):
            assert await ids(one, 5) == [f"id-{n}" for n in range(1, 6)]
            third = FleetStore(database, Bus(bus_url, SIZE))
            await third.open()
            assert await third.ingest(batch(7, 8)) == Gap(6)
            assert await third.ingest(batch(6, 7)) == 7
            assert await ids(one, 6) == [f"id-{n}" for n in range(1, 7)]
            await third.close()

    run(database, bus_url, work)


def test_what_is_sent_again_is_kept_once(database: str, bus_url: str) -> None:
    """By both processes at a time, with two consumers at it."""

    async def work(one: FleetStore, other: FleetStore) -> None:
        async with consumer(database, bus_url), consumer(database, bus_url):
            for first in range(1, 60, 3):
                sent = (batch(first, first + 3), batch(max(1, first - 3), first + 2))
                answers = await asyncio.gather(*(s.ingest(b) for b in sent for s in (one, other)))
                assert first + 3 in answers
            assert await ids(one, 60) == [f"id-{n}" for n in range(11, 61)]
            assert len(await one.fetch("SELECT 1 FROM alert")) == 60

    run(database, bus_url, work)


def test_what_it_followed_is_lost(
    database: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database from an older backup: what is between is counted, and the device goes on."""
    monkeypatch.setattr(jetstream, "_LOST", 0.3)
    monkeypatch.setattr(jetstream, "_PAUSE", 0.05)

    async def work(one: FleetStore, _: FleetStore) -> None:
        one._cursors.put(f"{DEVICE}/{EPOCH}", 5)  # as it was before the backup was put back
        assert await one.ingest(batch(5, 7)) == 7
        async with consumer(database, bus_url):
            assert await ids(one, 2) == ["id-5", "id-6"]
            device = await one.device(DEVICE)
            assert device is not None
            assert (device.alerts, device.dropped) == (2, 4)

    run(database, bus_url, work)


def test_a_rotation_holds_everywhere_at_once(database: str, bus_url: str) -> None:
    """Each process knows the pending secret, its first use, and a revocation."""

    async def work(one: FleetStore, other: FleetStore) -> None:
        assert await other.keys(DEVICE) == await one.keys(DEVICE)
        await one.set_pending(DEVICE, b"second")
        async with asyncio.timeout(10):
            while (known := await other.keys(DEVICE)) and known.pending != b"second":
                await asyncio.sleep(0.01)
        await other.ingest(replace(batch(1, 2), new_secret=True))
        stored = await PostgresStore.keys(one, DEVICE)
        assert stored is not None
        assert (stored.secret, stored.pending) == (b"second", None)
        await one.set_pending(DEVICE, b"third")
        async with consumer(database, bus_url):  # the queued batch does not promote the third
            await ids(one, 1)
        stored = await PostgresStore.keys(one, DEVICE)
        assert stored is not None
        assert (stored.secret, stored.pending) == (b"second", b"third")
        await one.revoke(DEVICE)
        async with asyncio.timeout(10):
            while (known := await other.keys(DEVICE)) and not known.revoked:
                await asyncio.sleep(0.01)

    run(database, bus_url, work)


def test_known_devices_report_on_without_the_database(
    database: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are not known to a process are told to come later."""

    async def work(one: FleetStore, other: FleetStore) -> None:
        assert await one.keys(DEVICE) is not None
        assert await one.ingest(batch(1, 2)) == 2

        async def away(*_: object) -> None:
            raise Unavailable("away")

        monkeypatch.setattr(PostgresStore, "fetchrow", away)
        monkeypatch.setattr("hdr_lite.collector.fleet._FRESH", 0)
        assert await one.keys(DEVICE) is not None
        assert await one.ingest(batch(2, 3)) == 3
        with pytest.raises(Unavailable):
            await other.keys(DEVICE)
        with pytest.raises(Unavailable):
            await other.ingest(batch(3, 4))

    run(database, bus_url, work)


def test_a_full_stream_is_told(bus_url: str) -> None:
    """The device keeps what the stream does not take."""

    async def work() -> None:
        bus = Bus(bus_url, 200_000)
        await bus.open()
        big = [alert(n, random.Random(n).randbytes(10_000)) for n in range(1, 100)]
        for each in big[:10]:
            await bus.publish(replace(batch(1, 2), alerts=(each,)))
        with pytest.raises(Unavailable):
            await asyncio.gather(*(bus.publish(replace(batch(1, 2), alerts=(a,))) for a in big))
        await bus.close()

    asyncio.run(work())


def test_a_large_batch_is_split_at_its_alerts() -> None:
    """Each part fits a message and covers what the others do not."""
    health = Health("1", 1, 1)
    alerts = tuple(alert(n, b"x" * 300_000) for n in (2, 3, 5, 6, 9))
    whole = Batch(DEVICE, EPOCH, 1, 12, alerts, 2, health, "", 0, NOW)
    parts = list(split(whole))
    assert [(part.first, part.next) for part in parts] == [(1, 5), (5, 9), (9, 12)]
    assert [a.sequence for part in parts for a in part.alerts] == [2, 3, 5, 6, 9]
    assert [(part.refused, part.health) for part in parts] == [(0, None), (0, None), (2, health)]
    assert all(len(msgspec.msgpack.encode(part)) < 1 << 20 for part in parts)
    assert list(split(batch(1, 1))) == [batch(1, 1)]


def test_what_was_not_used_for_longest_is_forgotten() -> None:
    """A bounded memory."""
    recent: Recent[int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]
    recent.drop("a")
    recent.drop("a")
    assert recent.get("a") is None


def test_no_bus_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a message, not as a traceback."""
    monkeypatch.setattr(jetstream, "_STARTING", 1.0)
    with pytest.raises(UserError, match="cannot use the bus"):
        asyncio.run(Bus("nats://127.0.0.1:1", SIZE).open())
