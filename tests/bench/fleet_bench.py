"""What one machine's collector and a fleet's take in, by ``hdr-lite collector load``.

    python -m tests.bench.fleet_bench [--alerts N] [--only sqlite|fleet]

Rows: storage (SQLite; three NATS nodes, two ingest processes, a consumer and PostgreSQL), devices,
alerts in a batch, TLS or not. All of it shares this machine's cores with the devices. For the
fleet, ``stored`` is the rate until the last alert is in PostgreSQL. Memory is each process's
proportional set size at the end.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.fleet.cluster import Cluster
from tests.fleet.postgresql import Postgresql
from tests.fleet.process import Process

DEVICES, SIZES = (10, 100, 1000), (1, 100)
LIMITS = ("--alerts-per-minute", "100000000")


@contextlib.contextmanager
def one_machine(folder: Path, tls: bool) -> Iterator[tuple[str, list[str], list[Process]]]:
    """SQLite."""
    data = folder / "data"
    plain = () if tls else ("--plain",)
    server = Process(
        folder / "log", "serve", "--data", str(data), "--listen", "127.0.0.1:0", *plain, *LIMITS
    )
    server.start()
    try:
        yield f"sqlite:///{data}/collector.db", [_url(server, tls)], [server]
    finally:
        server.stop()


@contextlib.contextmanager
def a_fleet(folder: Path, tls: bool) -> Iterator[tuple[str, list[str], list[Process]]]:
    """NATS and PostgreSQL."""
    database, cluster = Postgresql(), Cluster(3)
    where = ("--store", database.url(), "--bus", cluster.url, "--bus-size", "2")
    options = (*where, "--listen", "127.0.0.1:0", *(() if tls else ("--plain",)), *LIMITS)
    ingest = [
        Process(folder / f"log{n}", "serve", "--data", str(folder / f"data{n}"), *options)
        for n in range(2)
    ]
    consumer = Process(folder / "consumer", "consume", *where)
    with contextlib.ExitStack() as stack:
        stack.callback(database.remove)
        database.start()
        stack.callback(cluster.remove)
        cluster.start()
        for process in (*ingest, consumer):
            stack.callback(process.stop)
            process.start()
        yield database.url(), [_url(process, tls) for process in ingest], [*ingest, consumer]


def measure(fleet: bool, devices: int, size: int, tls: bool, alerts: int) -> dict[str, object]:
    """One row."""
    with (
        tempfile.TemporaryDirectory() as folder,
        (a_fleet if fleet else one_machine)(Path(folder), tls) as (store, urls, processes),
    ):
        command = [sys.executable, "-m", "hdr_lite", "collector", "load", *urls[: 1 + fleet]]
        command += ["--store", store, "--devices", str(devices), "--batch", str(size)]
        command += ["--alerts", str(alerts)]
        if tls and not fleet:
            command += ["--ca", f"{folder}/data/ca.pem"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        figures = json.loads(done.stdout)
        row = {"storage": "fleet" if fleet else "sqlite", "devices": devices, "batch": size}
        row |= {"tls": tls, **figures}
        row["mib"] = [_memory(process.pid) for process in processes]
        if fleet:
            row["stored_behind_s"] = _stored(store, int(figures["alerts"]))
        return row


def _stored(store: str, count: int) -> float:
    """Seconds until all is in PostgreSQL, after the last was acknowledged."""
    import asyncio

    import asyncpg

    async def wait() -> float:
        began = time.perf_counter()
        db = await asyncpg.connect(store)
        while await db.fetchval("SELECT sum(alerts) FROM device") < count:
            await asyncio.sleep(0.05)
        await db.close()
        return round(time.perf_counter() - began, 2)

    return asyncio.run(wait())


def _memory(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return round(int(rollup.partition("Pss:")[2].split()[0]) / 1024, 1)


def _url(process: Process, tls: bool) -> str:
    return f"{'https' if tls else 'http'}://127.0.0.1:{process.port}"


def main() -> None:
    """Print a row of JSON for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--alerts", type=int, default=50_000, help="of a row with large batches")
    parser.add_argument("--only", choices=("sqlite", "fleet"))
    arguments = parser.parse_args()
    for fleet in (False, True):
        if arguments.only and fleet != (arguments.only == "fleet"):
            continue
        for tls in (False, True) if not fleet else (False,):
            for size in SIZES:
                for devices in DEVICES:
                    alerts = arguments.alerts if size > 1 else arguments.alerts // 10
                    alerts = max(alerts, devices * size)
                    print(json.dumps(measure(fleet, devices, size, tls, alerts)), flush=True)


if __name__ == "__main__":
    main()
