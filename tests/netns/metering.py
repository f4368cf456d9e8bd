"""A sensor reduced to its source and meter: flows as JSON lines, until standard input closes.

``python -m tests.netns.metering nflog|INTERFACE FILE``; says ``ready`` on standard output, then,
when it is over, one line with its CPU seconds and counters.
"""

import json
import os
import select
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hdr_lite.config import CaptureConfig, MeterConfig
from hdr_lite.native import Meter
from hdr_lite.records.kind import Kind
from hdr_lite.ring import RingReader, create_ring
from hdr_lite.sensor.meter import make_meter
from hdr_lite.sources.base import Source
from hdr_lite.sources.capture import open_interface
from hdr_lite.sources.clock import TrafficClock
from hdr_lite.sources.conntrack import is_question
from hdr_lite.sources.nflog import FirstPackets, NflogSource, Sockets, open_sockets

CONFIG = MeterConfig(
    attempt_timeout=1.0, closed_linger=3.0, udp_idle=float(os.environ.get("UDP_IDLE", 60))
)
KINDS = (Kind.FLOW, Kind.FOLDED_FLOW, Kind.ARP)
LAG = 20_000_000


def _open(name: str, clock: TrafficClock) -> tuple[Source, int]:
    """The source, and how many packets of a side it shows (0: all)."""
    if name == "nflog":
        what = FirstPackets(buffer=int(os.environ.get("BUFFER", 2 << 20)))
        sockets = open_sockets(what)
        options: dict[str, Any] = {"interfaces": ("lan0", "wan0")}
        if "POLL" in os.environ:
            options["poll"] = float(os.environ["POLL"])
        if "NOBODY" in os.environ:
            options["ask"] = _holder(sockets)
            os.setuid(65534)
        first: Source = NflogSource(what, sockets, clock, **options)
        return first, int(os.environ.get("SURE", what.packets))
    config = CaptureConfig(buffer=64 << 20, snap_length=128)
    return open_interface(name, config, 0, clock), 0


def _holder(sockets: Sockets) -> Callable[[socket.socket, bytes], None]:
    """Fork a process that keeps its privilege and sends questions for this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        while request := theirs.recv(8192):
            assert is_question(request)
            sockets.conntrack.send(request)
        os._exit(0)
    theirs.close()

    def ask(sock: socket.socket, request: bytes) -> None:
        if sock is sockets.conntrack:
            ours.send(request)

    return ask


def _watch(source: Source, meter: Meter, clock: TrafficClock, reader: RingReader, out: Path) -> int:
    ready = select.poll()
    ready.register(source.fileno(), select.POLLIN)
    ready.register(sys.stdin, select.POLLIN)
    count = 0
    with out.open("w") as file:
        while not any(fd == sys.stdin.fileno() for fd, _ in ready.poll(100)):
            while source.read(meter, 1024) == 1024:
                count += _drain(reader, file.write)
            meter.advance(clock.now() - LAG)
            count += _drain(reader, file.write)
        if isinstance(source, NflogSource):
            source.conclude(meter)
        while not meter.flush():
            count += _drain(reader, file.write)
        count += _drain(reader, file.write)
    return count


def _drain(reader: RingReader, write: Callable[[str], object]) -> int:
    count = 0
    while more := reader.read(1000):
        for _, kind, _, record in more:
            write(json.dumps({"kind": kind.name, **record._asdict()}) + "\n")
            count += 1
        reader.commit()
    return count


def main() -> None:
    """Runs in a namespace."""
    name, out = sys.argv[1], Path(sys.argv[2])
    clock = TrafficClock()
    source, first = _open(name, clock)
    memory = create_ring(1 << 22)
    reader = RingReader(memory)
    wanted = sum(1 << kind for kind in KINDS)
    meter = make_meter(reader.ring, wanted, CONFIG, wait=False, first_packets=first)
    print("ready", flush=True)
    before = time.process_time()
    records = _watch(source, meter, clock, reader, out)
    facts = {"cpu": time.process_time() - before, "records": records, **source.stats()._asdict()}
    if isinstance(source, NflogSource):
        facts |= source.counters() | {"interfaces": source.interfaces}
    facts |= {"events": meter.events(), "flows": meter.counters()["flows"]}
    print(json.dumps(facts), flush=True)
    source.close()


if __name__ == "__main__":
    main()
