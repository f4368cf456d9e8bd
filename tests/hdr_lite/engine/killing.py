"""Kill the engine over and over during an attack and see what it told.

    killing.py KILLS SEED FOLDER

This process puts the records of many port scans into a ring, as fast as a busy network would,
and has a real engine with its modules and files read them in a process of its own. That is
killed with SIGKILL after a random time and replaced by another, on the same ring, the same
files, the same spool and the same ledger. The report, in JSON, is what the files, the orders and
the batches that a collector would have got say.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

from hdr_lite.config import Config
from hdr_lite.engine.ledger import Ledger
from hdr_lite.engine.process import Engine
from hdr_lite.link.codec import Notice
from hdr_lite.link.end import End, LinkClosed, create_link
from hdr_lite.native import Ring
from hdr_lite.outputs import Console, file_outputs
from hdr_lite.outputs.orders import Orders
from hdr_lite.outputs.spool import Spool
from hdr_lite.records.kind import Kind
from hdr_lite.records.verb import Block, Limit, Quarantine
from hdr_lite.ring import RingReader, RingWriter, create_ring
from hdr_lite.sensor.meter import make_meter
from hdr_lite.spool import Cursor, SpoolReader, save_cursor
from tests.traffic import frames

START = 1_700_000_000 * 10**9
ATTACKERS, AT_ONCE, PORTS = 300, 5, 60
Raw = tuple[int, int, int, bytes]
Address = tuple[str, int]
T = TypeVar("T")


def batched(things: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """``itertools.batched``, which Python 3.11 does not have."""
    left = iter(things)
    while batch := tuple(islice(left, size)):
        yield batch


def scans(config: Config, wanted: int) -> list[Raw]:
    """The records of scans by so many attackers, some of them at the same time."""
    memory = create_ring(1 << 25)
    ring = Ring(memory.memory)
    meter = make_meter(ring, wanted, config.meter, wait=True)
    now = START
    for group in batched(range(ATTACKERS), AT_ONCE):
        for port in range(1, PORTS + 1):
            for attacker in group:
                low, high = attacker & 255, attacker >> 8
                ends = (f"203.0.{high}.{low}", 40000), (f"192.168.{high}.{low}", port)
                for frame in (syn(*ends), reset(*ends)):
                    now += 6_000_000  # fewer than are told as a sum
                    assert meter.packet(1, 0, now, len(frame), frame)
    assert meter.flush()
    records = []
    while more := ring.read(1000, 0xFFFFFFFF, 1 << 20):
        records += more
        ring.commit()
    memory.close()
    return records


def syn(source: Address, target: Address) -> bytes:
    """An attempt."""
    return framed(source, target, frames.tcp(source, target, frames.SYN, seq=9))


def reset(source: Address, target: Address) -> bytes:
    """It is refused."""
    return framed(target, source, frames.tcp(target, source, frames.RST | frames.ACK, ack=10))


def framed(source: Address, target: Address, segment: bytes) -> bytes:
    """In a packet, in a frame."""
    packet = frames.ip(source[0], target[0], frames.TCP, segment)
    return frames.ethernet("02:00:00:00:00:01", "02:00:00:00:00:02", frames.IPV4, packet)


class Stage:
    """The engine, what outlives it, and what it said to the enforcer."""

    def __init__(self, folder: Path) -> None:
        self.config = Config()
        self.engine = Engine(self.config, replay=False)
        self.memory = create_ring(1 << 20)
        self.ledger = os.memfd_create("told", os.MFD_CLOEXEC)
        self.folder = folder
        self.orders: Counter[str] = Counter()
        self.notices: list[str] = []
        self.spool = folder / "spool"
        self.spool.mkdir()
        self.reader = SpoolReader(self.spool)
        self.cursor: Cursor | None = None
        self.received: list[str] = []  # ids of alerts
        self.dropped = 0
        self.pid = 0
        self.end: End

    def start(self) -> None:
        """An engine, in a process of its own."""
        self.end, theirs = create_link()
        self.pid = os.fork()
        if self.pid == 0:
            self.end.close()
            os._exit(self._live(theirs))
        theirs.close()

    def _live(self, end: End) -> int:
        outputs = [
            Orders(end.send, self.engine.is_inside, 600),
            *file_outputs(str(self.folder), append=True),
            Console(lambda _line: None),
            Spool(self.spool, 1 << 20, self.folder / "cursor"),
        ]
        reader = RingReader(self.memory, tuple(Kind))
        return self.engine.run(reader, outputs, end, Ledger(self.ledger))

    def collect(self) -> None:
        """Take what is in the spool, and acknowledge it."""
        while batch := self.reader.read(self.cursor, 100, 1 << 20):
            self.received += [record.payload["alert"]["ID"] for record in batch.records]
            self.dropped += batch.next - batch.first - len(batch.records)
            self.cursor = batch.cursor
            save_cursor(self.folder / "cursor", self.cursor)

    def hear(self) -> bool:
        """Take what it said; whether it lives."""
        try:
            for message in self.end.receive():
                if isinstance(message, Block | Limit | Quarantine):
                    self.orders[message.evidence.partition("+")[0]] += 1
                elif isinstance(message, Notice):
                    self.notices.append(message.text)
        except LinkClosed:
            return False
        return True

    def kill(self) -> None:
        """It dies; its last words are heard."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """How it ended."""
        while self.hear():
            time.sleep(0.001)
        self.end.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def attack(stage: Stage, kills: int, dice: random.Random) -> int:
    """Put all records while engines die; the exit status of the last engine."""
    writer = RingWriter(stage.memory)
    records = scans(stage.config, stage.engine.wanted)
    share = len(records) // kills
    stage.start()
    for killed, chunk in enumerate(batched(records, share)):
        if 0 < killed <= kills:
            stage.kill()
            if dice.random() < 0.5:
                stage.collect()
            stage.start()
            if dice.random() < 0.2:
                stage.collect()
        pause = dice.uniform(0, 0.04) / share
        for _number, kind, at, body in chunk:
            while not writer.put(Kind(kind), at, body):
                writer.wait_for_room()
            writer.notify()
            stage.hear()
            time.sleep(pause)
    end = records[-1][2]
    writer.put(Kind.STATS, end, b"\x94\xc3\x80\x80\x90")  # the final one
    writer.notify()
    status = stage.wait()
    stage.collect()
    return status


def report(stage: Stage) -> dict[str, object]:
    """What was told, and what of it twice or in one place only."""
    told = [json.loads(line) for line in lines(stage, "alerts.json")]
    events = [line["ID"] for line in told if line["Status"] == "Event"]
    incidents = [line for line in told if line["Status"] == "Incident"]
    facts = [line["hdr_lite"] for line in incidents]
    first = [
        e["id"] for line in lines(stage, "evidence.jsonl") if (e := json.loads(line))["count"] == 1
    ]
    log = Counter("Alert in window" in line for line in lines(stage, "alerts.log"))
    of_each = [set(line["CorrelID"]) for line in incidents]
    correlated = set(chain.from_iterable(of_each))
    return {
        "events": len(events),
        "incidents": len(incidents),
        "windows": sorted({fact["window"] for fact in facts}),
        "same alert": repeats((fact["profile"], *fact["type"], fact["window"]) for fact in facts),
        "same id": repeats(line["ID"] for line in told),
        "same evidence": repeats(first),
        "evidence in one file only": len(set(first) ^ set(events)),
        "log": [log[False] - len(events), log[True] - len(incidents)],
        "alerts of unknown evidence": len(correlated - set(events)),
        "alerts without order": sum(
            not stage.orders.keys() & set(i["CorrelID"]) for i in incidents
        ),
        "orders without alert": len(stage.orders.keys() - correlated),
        "alerts not collected": len({line["ID"] for line in incidents} - set(stage.received)),
        "collected and not told": len(set(stage.received) - {line["ID"] for line in incidents}),
        "collected twice": repeats(stage.received),
        "dropped by the spool": stage.dropped,
        "epochs of the spool": len({path.name[:16] for path in stage.spool.glob("*.seg")}) - 1,
        "notices": stage.notices,
    }


def lines(stage: Stage, name: str) -> list[str]:
    """Of an output file; the last one is whole."""
    text = (stage.folder / name).read_text()
    assert text.endswith("\n")
    return text.splitlines()


def repeats(things: object) -> int:
    """How many there are too many."""
    return sum(count - 1 for count in Counter(things).values())  # type: ignore[call-overload]


def main() -> None:
    """Run and report."""
    kills, seed = map(int, sys.argv[1:3])
    stage = Stage(Path(sys.argv[3]))
    began = time.monotonic()
    status = attack(stage, kills, random.Random(seed))
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"status": status, "seconds": seconds, **report(stage)}))


if __name__ == "__main__":
    main()
