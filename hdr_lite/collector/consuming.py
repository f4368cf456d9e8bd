"""The process that writes what the bus holds to PostgreSQL. Any number may run; any may die."""

import asyncio
import signal
from collections.abc import Callable

import uvloop

from hdr_lite.collector.fleet import consume
from hdr_lite.collector.jetstream import Bus
from hdr_lite.collector.postgres import PostgresStore
from hdr_lite.config import UserError


def run(store: str, bus: str, bus_size: int, ready: Callable[[], None]) -> None:
    """Until told to stop by SIGTERM or SIGINT."""
    if not store.startswith("postgresql://"):
        raise UserError("batches of the bus are written to postgresql://USER@HOST/DATABASE")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(PostgresStore(store), Bus(bus, bus_size), ready))


async def _run(store: PostgresStore, bus: Bus, ready: Callable[[], None]) -> None:
    await store.open()
    await bus.open()
    ready()
    work = asyncio.create_task(consume(store, bus))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        pass  # what was not acknowledged comes again
    finally:
        await bus.close()
        await store.close()
