"""How fast the ring is between two processes.

    python -m tests.bench.ring_bench [--json] [--records N] [--wakes N]

The writer is a process that puts packed flow records from Python (the meter does so from C) and
waits where the ring is full; the reader is this one. A wake-up is timed from just before the
put of a record to the moment when the reader, which slept in the kernel, has it. All times are
CLOCK_MONOTONIC's, which both share.
"""

import argparse
import contextlib
import json
import os
import select
import statistics
import time
from collections.abc import Callable, Iterator

from hdr_lite.records.flow import Clock, Flow, Stats
from hdr_lite.records.kind import Kind
from hdr_lite.ring import RingMemory, RingReader, RingWriter, create_ring
from hdr_lite.ring.codec import encode

CAPACITY = 1 << 20  #: as configured unless told otherwise
BATCH = 256
FLOW = Flow(
    *(1_700_000_000_000_000_000, "CHhAvVGS1DHFjwGM9", "192.168.1.18", 51324, "93.184.216.34"),
    *(443, "tcp", "ssl", 1_234_567_890, 517, 4380, "SF", "ShADadFf", 12, 11, 1153, 4964),
    *("02:00:00:00:00:01", "02:00:00:00:00:02", 0, 0, "end", True),
)
FINAL = encode(Stats(True, {}, {}, []))
#: The sleeper must be asleep again before the next record.
PAUSE = 0.002


@contextlib.contextmanager
def beside(child: Callable[[RingWriter], None], memory: RingMemory) -> Iterator[None]:
    """Run the writer's side in another process meanwhile."""
    process = os.fork()
    if process == 0:
        with contextlib.suppress(BaseException):
            child(RingWriter(memory))
            os._exit(0)
        os._exit(1)
    yield
    if os.waitpid(process, 0)[1] != 0:
        raise SystemExit("the writer's process failed")


def put_flows(writer: RingWriter, records: int) -> None:
    """Put that many, waiting where there is no room, and the end."""
    body, put = encode(FLOW), writer.ring.put
    for _ in range(records // BATCH):
        while not writer.ready:
            writer.wait_for_room()
        for number in range(BATCH):
            put(Kind.FLOW, number, body)
        writer.notify()
    put(Kind.STATS, 0, FINAL)
    writer.notify()


def sleep(reader: RingReader, poll: select.poll) -> None:
    """As the engine does when it has nothing to read."""
    if reader.arm():
        poll.poll()


def records_per_second(records: int, decoded: bool) -> float:
    """Through the ring, as bytes or as typed records, from the first one to the last."""
    memory = create_ring(CAPACITY)
    reader = RingReader(memory)
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    wanted = (1 << 32) - 1
    taken, began = 0, 0.0
    with beside(lambda writer: put_flows(writer, records), memory):
        while taken <= records // BATCH * BATCH:
            batch = reader.read(BATCH) if decoded else reader.ring.read(BATCH, wanted)
            if not batch:
                sleep(reader, poll)
                continue
            began = began or time.perf_counter()
            taken += len(batch)
            reader.commit()
        seconds = time.perf_counter() - began
    memory.close()
    return taken / seconds


def put_clocks(writer: RingWriter, wakes: int) -> None:
    """One record at a time, each with the moment in which it was put."""
    for _ in range(wakes):
        time.sleep(PAUSE)
        now = time.monotonic_ns()
        writer.put_record(Kind.CLOCK, now, Clock(now))
        writer.notify()
    writer.put(Kind.STATS, 0, FINAL)
    writer.notify()


def wake_ups(wakes: int) -> list[float]:
    """Microseconds from put to read, for a reader that slept."""
    memory = create_ring(CAPACITY)
    reader = RingReader(memory)
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    delays = []
    with beside(lambda writer: put_clocks(writer, wakes), memory):
        while not reader.ended:
            sleep(reader, poll)
            for _, kind, put_at, _ in reader.read(BATCH):
                if kind is Kind.CLOCK:
                    delays.append((time.monotonic_ns() - put_at) / 1000)
            reader.commit()
    memory.close()
    return delays


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--wakes", type=int, default=2000)
    arguments = parser.parse_args()
    delays = wake_ups(arguments.wakes)
    figures = {
        "ring: records a second, bytes": round(records_per_second(arguments.records, False)),
        "ring: records a second, typed": round(records_per_second(arguments.records, True)),
        "ring: wake-up of a sleeping reader, median, µs": round(statistics.median(delays), 1),
        "ring: wake-up of a sleeping reader, 99 %, µs": round(
            statistics.quantiles(delays, n=100)[98], 1
        ),
    }
    if arguments.json:
        print(json.dumps(figures, ensure_ascii=False))
        return
    for name, value in figures.items():
        print(f"{name:48} {value:>12}")


if __name__ == "__main__":
    main()
