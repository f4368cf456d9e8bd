"""What a collector takes in: alerts a second and how soon they are acknowledged, over TLS.

    python -m tests.bench.collector_bench [--alerts N] [--devices D] [--json]

The collector is a process of its own, ``hdr-lite collector serve`` with SQLite on loopback; a
second process is the devices. Bodies are made and signed beforehand, so that what is measured is
the collector; both share the machine's cores. An answer means that the alerts are on the disk.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import threading
import time
import zlib
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import msgpack

from hdr_lite.records import batch as words
from tests.collector.payloads import payload
from tests.collector.server import Device, Person, Server

SIZES = (1, 100)


def bodies(device: Device, size: int, alerts: int) -> list[tuple[dict[str, str], bytes]]:
    """All requests of a device, signed."""
    made = []
    for first in range(1, alerts + 1, size):
        batch = [[n, payload(n, attacker=_attacker(n))] for n in range(first, first + size)]
        body = zlib.compress(msgpack.packb({"next": first + size, "alerts": batch}), 6)
        made.append((device.headers(first, body), body))
    return made


def send(device: Device, made: list[tuple[dict[str, str], bytes]], took: list[float]) -> None:
    """One connection, one request after another, as a device does."""
    connection = device.server.connect()
    connection.connect()
    for headers, body in made:
        began = time.perf_counter()
        answer = device.server.request("POST", words.BATCH_PATH, body, headers, connection)
        took.append(time.perf_counter() - began)
        assert answer.status == 200, answer
    connection.close()


def devices(
    server: Server, tokens: list[words.Token], size: int, alerts: int, out: "Queue[Any]"
) -> None:
    """The process of the devices: seconds for all, and of each request."""
    known = [Device(server, token) for token in tokens]
    made = [bodies(device, size, alerts) for device in known]
    took: list[float] = []
    threads = [
        threading.Thread(target=send, args=(device, requests, took))
        for device, requests in zip(known, made, strict=True)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.put((time.perf_counter() - began, took))


def measure(size: int, count: int, alerts: int) -> dict[str, float]:
    """With a collector of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "data", "--alerts-per-minute", "100000000") as server,
    ):
        admin = Person(server)
        tokens = [admin.token() for _ in range(count)]
        out: Queue[Any] = multiprocessing.get_context("fork").Queue()
        sender = multiprocessing.get_context("fork").Process(
            target=devices, args=(_still(server), tokens, size, alerts // count // size * size, out)
        )
        sender.start()
        seconds, took = out.get()
        sender.join()
        return {
            "devices": count,
            "batch": size,
            "alerts a second": round(len(took) * size / seconds),
            "median ms": round(_share(took, 0.5) * 1000, 2),
            "p99 ms": round(_share(took, 0.99) * 1000, 2),
        }


def main() -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--alerts", type=int, default=100_000, help="in batches of 100 (100,000)")
    parser.add_argument("--devices", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    for size in SIZES:
        alerts = arguments.alerts if size > 1 else arguments.alerts // 20
        figures = measure(size, arguments.devices, alerts)
        line = json.dumps(figures) if arguments.json else _words(figures)
        print(line, flush=True)
    return 0


def _words(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in figures.items())


def _attacker(number: int) -> str:
    """One of a thousand."""
    return f"203.0.{number % 4}.{number * 7 % 250}"


def _share(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def _still(server: Server) -> Server:
    """What another process needs of it: where it is."""
    other = Server(server.data)
    other.port = server.port
    return other


if __name__ == "__main__":
    sys.exit(main())
