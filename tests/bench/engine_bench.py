"""How many records a second go through ring and engine, with no module and with all of them.

    python -m tests.bench.engine_bench [--json] [--records N]

A process puts fates of connections, as the meter does, and waits where the ring is full; the
engine in this process reads, schedules and judges them as in a replay. The records are those of
a busy network in which nearly everything is answered, so that what is measured is the common case.
"""

import argparse
import json
import time
from dataclasses import replace

from hdr_lite.config import Config
from hdr_lite.engine.process import Engine
from hdr_lite.link.codec import Digest
from hdr_lite.link.end import create_link
from hdr_lite.records.flow import Fate
from hdr_lite.records.kind import Kind
from hdr_lite.ring import RingReader, RingWriter, create_ring
from hdr_lite.ring.codec import encode
from tests.bench.ring_bench import BATCH, FINAL, beside

MODULES = ("arp", "bruteforce", "network_discovery")
START = 1_700_000_000_000_000_000
#: Different records, which are put over and over.
VARIETY = 4096


def fate(number: int) -> Fate:
    """One of 200 hosts talks to one of many servers; one in fifty does not answer."""
    source, server = f"10.77.0.{number % 200 + 1}", f"198.18.{number % 64}.{number * 7 % 250 + 1}"
    told, reply = ("unanswered", 0) if number % 50 == 0 else ("answered", 18)
    uid = f"C{number:017d}"
    port = 1024 + number % 60000
    return Fate(START, uid, source, port, server, 443, "tcp", 2, told, reply, "", 0, 0)


def put_fates(writer: RingWriter, records: int) -> None:
    """Put that many, waiting where there is no room, and the end."""
    bodies = [encode(fate(number)) for number in range(VARIETY)]
    put = writer.ring.put
    for number in range(records):
        if number % BATCH == 0:
            writer.notify()
            while not writer.ready:
                writer.wait_for_room()
        put(Kind.FATE, START + number * 1000, bodies[number % VARIETY])
    put(Kind.STATS, START + records * 1000, FINAL)
    writer.notify()


def records_per_second(records: int, disabled: tuple[str, ...]) -> float:
    """From the first record to the engine's last word."""
    config = Config()
    config = replace(config, modules=replace(config.modules, disable=disabled))
    memory = create_ring(config.ring.size)
    engine = Engine(config, replay=True)
    parent, link = create_link()
    parent.send(Digest("0" * 64))
    with beside(lambda writer: put_fates(writer, records), memory):
        reader = RingReader(memory, (Kind.FATE, Kind.CLOCK, Kind.STATS))
        began = time.perf_counter()
        if engine.run(reader, [], link) != 0:
            raise SystemExit("the engine failed")
        seconds = time.perf_counter() - began
    memory.close()
    link.close()
    parent.close()
    return records / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--records", type=int, default=500_000)
    arguments = parser.parse_args()
    figures = {
        "engine: records a second, no module": round(
            records_per_second(arguments.records, MODULES)
        ),
        "engine: records a second, all modules": round(records_per_second(arguments.records, ())),
    }
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:48} {value:>12}")


if __name__ == "__main__":
    main()
