"""The process that writes what the bus holds."""

import asyncio
from pathlib import Path

import pytest

from hdr_lite.collector.consuming import run
from hdr_lite.collector.load import Outcome, batches, enrol
from hdr_lite.collector.load import run as send
from hdr_lite.collector.postgres import PostgresStore
from hdr_lite.config import UserError
from tests.fleet.process import Process


def test_what_ingest_published_is_written(database: str, bus_url: str, tmp_path: Path) -> None:
    """By a consumer that begins later, and ends well when it is told to."""
    where = ("--store", database, "--bus", bus_url, "--bus-size", "1")
    ingest = Process(
        tmp_path / "ingest", "serve", *where, "--plain", "--data", str(tmp_path / "data"),
        "--listen", "127.0.0.1:0",
    )  # fmt: skip
    consumer = Process(tmp_path / "consumer", "consume", *where)

    async def work() -> None:
        store = PostgresStore(database)
        await store.open()
        (device,) = await enrol(store, 1)
        todo = [(device, list(batches(device.id, 20, 5)))]
        await send([f"http://127.0.0.1:{ingest.port}"], todo, None, Outcome())
        assert await store.fetch("SELECT 1 FROM alert") == []
        await asyncio.to_thread(consumer.start)
        async with asyncio.timeout(60):
            while len(await store.fetch("SELECT 1 FROM alert")) < 20:
                await asyncio.sleep(0.05)
        await store.close()

    try:
        ingest.start()
        asyncio.run(work())
    finally:
        ingest.stop()
        consumer.stop()


def test_a_file_is_no_storage_for_it() -> None:
    """Told before anything is connected to."""
    with pytest.raises(UserError, match="postgresql://"):
        run("sqlite:///x", "nats://127.0.0.1:1", 1, lambda: None)
