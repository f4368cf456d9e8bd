"""A fleet whose parts are killed in turn while devices report: nothing lost, nothing twice."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hdr_lite.collector.load import Identity, Outcome, batches, enrol, run
from hdr_lite.collector.postgres import PostgresStore
from tests.fleet.cluster import Cluster
from tests.fleet.postgresql import Postgresql
from tests.fleet.process import Process

DEVICES, ALERTS, BATCH = 200, 150, 3


@pytest.fixture
def database() -> Iterator[Postgresql]:
    """A server that really syncs."""
    server = Postgresql()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Three nodes."""
    nodes = Cluster(3)
    try:
        nodes.start()
        yield nodes
    finally:
        nodes.remove()


# asyncpg forgets connections that it was opening when the server went
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(400)
def test_nothing_is_lost_and_nothing_twice(
    database: Postgresql, cluster: Cluster, tmp_path: Path
) -> None:
    """Each of 200 devices' alerts is there once, though each kind of process was killed."""
    where = ("--store", database.url(), "--bus", cluster.url)
    ingest = [
        Process(
            tmp_path / f"ingest{n}.log", "serve", *where, "--plain", "--data",
            str(tmp_path / f"ingest{n}"), "--listen", "127.0.0.1:0", "--bus-size", "1",
        )
        for n in range(2)
    ]  # fmt: skip
    consumers = [
        Process(tmp_path / f"consumer{n}.log", "consume", *where, "--bus-size", "1")
        for n in range(2)
    ]
    processes = (*ingest, *consumers)
    with ExitStack() as stack:
        for process in processes:
            stack.callback(process.stop)
            process.start()
        try:
            asyncio.run(_report_and_kill(database, cluster, ingest, consumers))
        except BaseException:
            for process in processes:
                print(process.log.read_text()[-3000:])
            raise


async def _report_and_kill(
    database: Postgresql, cluster: Cluster, ingest: list[Process], consumers: list[Process]
) -> None:
    store = PostgresStore(database.url())
    await store.open()
    identities = await enrol(store, DEVICES)
    work = [(each, list(batches(each.id, ALERTS, BATCH))) for each in identities]
    urls = [f"http://127.0.0.1:{process.port}" for process in ingest]
    outcome = Outcome()
    total = DEVICES * ALERTS

    async def past(percent: int) -> None:
        """Devices go on meanwhile: each step waits for what they have sent."""
        while outcome.alerts * 100 < total * percent:
            await asyncio.sleep(0.02)

    async def kill_and_start(percent: int, kill: Step, start: Step) -> None:
        await past(percent)
        await asyncio.to_thread(kill)
        await past(percent + 6)
        await asyncio.to_thread(start)

    async def kills() -> None:
        for node in range(cluster.size):  # one of them leads the stream
            await kill_and_start(
                5 + 12 * node, lambda n=node: cluster.kill(n), lambda n=node: cluster.start_node(n)
            )
            await asyncio.to_thread(cluster.wait, node)
        await kill_and_start(45, ingest[0].kill, ingest[0].start)
        await kill_and_start(60, database.kill, database.start)
        await kill_and_start(75, consumers[0].kill, consumers[0].start)

    try:
        async with asyncio.timeout(300):
            await asyncio.gather(run(urls, work, None, outcome), kills())
            assert outcome.alerts == total
            assert outcome.again > 0  # something was felt
            while len(await store.fetch("SELECT 1 FROM alert")) < total:
                await asyncio.sleep(0.2)
        await asyncio.sleep(1)  # for what would come twice
        await _check(store, identities)
    finally:
        await store.close()


Step = Callable[[], None]


async def _check(store: PostgresStore, identities: list[Identity]) -> None:
    ids = [row[0] for row in await store.fetch("SELECT id FROM alert ORDER BY number")]
    wanted = {f"a-{each.id}-{n}" for each in identities for n in range(1, ALERTS + 1)}
    assert len(ids) == len(wanted)
    assert set(ids) == wanted
    cursors = await store.fetch("SELECT next FROM cursor")
    assert [row[0] for row in cursors] == [ALERTS + 1] * DEVICES
    told = await store.fetch("SELECT alerts, dropped, refused FROM device")
    assert {tuple(row) for row in told} == {(ALERTS, 0, 0)}
    for each in identities[:5]:  # in the order of their numbers
        own = [i for i in ids if each.id in i]
        assert own == [f"a-{each.id}-{n}" for n in range(1, ALERTS + 1)]
