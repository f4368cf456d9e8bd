"""Backup and restore, as docs/operating-a-fleet.md says it."""

import asyncio
from collections.abc import Iterator

import pytest

from hdr_lite.collector import clock
from hdr_lite.collector.load import enrol
from hdr_lite.collector.postgres import PostgresStore
from hdr_lite.collector.store import AlertFilter, Batch, Gap, Reported
from tests.fleet.postgresql import Postgresql

EPOCH, NOW = "0" * 15 + "1", clock.now()


@pytest.fixture
def server() -> Iterator[Postgresql]:
    """A server."""
    running = Postgresql()
    try:
        running.start()
        yield running
    finally:
        running.remove()


def _batch(device: str, first: int, after: int) -> Batch:
    alerts = tuple(
        Reported(
            n, f"id-{n}", NOW, NOW, "192.0.2.1", "", "", 0, "192.0.2.1", ("PortScan",), ("scan",),
            3, 1.0, 0.5, "", 1, "", b"payload",
        )
        for n in range(first, after)
    )  # fmt: skip
    return Batch(device, EPOCH, first, after, alerts, 0, None, "", 0, NOW)


def test_a_restored_database_goes_on(server: Postgresql) -> None:
    """All that was kept is there, nothing comes twice, and what came later is asked for again."""
    backup = server.directory / "data/backup"

    async def before() -> str:
        store = PostgresStore(server.url())
        await store.open()
        (device,) = await enrol(store, 1)
        assert await store.ingest(_batch(device.id, 1, 101)) == 101
        arguments = ("--format", "custom", "--file", str(backup), server.url())
        await asyncio.to_thread(server.run, "pg_dump", *arguments)
        assert await store.ingest(_batch(device.id, 101, 111)) == 111
        await store.close()
        return device.id

    async def after(device: str) -> None:
        store = PostgresStore(server.url("restored"))
        await store.open()
        assert await store.keys(device) is not None
        assert await store.ingest(_batch(device, 111, 112)) == Gap(101)
        assert await store.ingest(_batch(device, 90, 112)) == 112
        found = (await store.alerts(AlertFilter(type="PortScan"), limit=200)).items
        assert [a.id for a in found] == [f"id-{n}" for n in range(111, 0, -1)]
        await store.close()

    device = asyncio.run(before())
    server.run("createdb", "--maintenance-db", server.url(), "restored")
    server.run("pg_restore", "--dbname", server.url("restored"), str(backup))
    asyncio.run(after(device))
