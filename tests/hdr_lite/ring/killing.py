"""Kill the two ends of a ring over and over and see what they received.

    killing.py KILLS SEED

A writer puts items, a reader takes and commits them one by one, in two processes made by fork
from this one. In turn, each is killed with SIGKILL after a random time and replaced by another
on the same ring. The reader keeps what it received in a file in memory, 16 bytes an entry: the
kernel writes an entry whole or not at all. The report, in JSON, is what the log and the ring say.
"""

import ctypes
import itertools
import json
import os
import random
import select
import signal
import struct
import sys
import time
import zlib
from collections.abc import Callable

from hdr_lite.native import Ring
from hdr_lite.records.flow import Clock
from hdr_lite.records.kind import Kind
from hdr_lite.ring import RingMemory, RingReader, RingWriter, create_ring

ENTRY = struct.Struct("=QQ")
PATIENCE = 10.0  #: seconds without a wake-up that count as a lost one
LOST_WAKE_UP, BROKEN = 3, 4
PDEATHSIG = 1


class Stage:
    """What both children share with this process."""

    def __init__(self) -> None:
        self.memory: RingMemory = create_ring(1 << 18)
        self.log = os.memfd_create("log", os.MFD_CLOEXEC)
        self.stop = os.eventfd(0, os.EFD_NONBLOCK)

    def stopped(self) -> bool:
        """Whether the writer is to end."""
        return bool(select.select([self.stop], [], [], 0)[0])


def body_of(item: int) -> bytes:
    """A CLOCK record of the item's time, which is all of the item and its checksum."""
    return struct.pack(">BBQ", 0x91, 0xCF, stamp(item))


def stamp(item: int) -> int:
    """The item with a checksum above it; fits a msgpack uint64."""
    return zlib.crc32(item.to_bytes(4, "big")) << 32 | item


def write_items(stage: Stage) -> None:
    """Put items from where the last writer was, as the ring itself tells."""
    writer = RingWriter(stage.memory)
    item = writer.ring.number - 1 + sum(writer.ring.dropped)
    filler = bytes(4000)
    while not stage.stopped():
        for _ in range(50):
            if item % 7 == 0 and item % 5:
                writer.put(Kind.FLOW, item, filler)  # of a kind that the reader passes over
            else:
                writer.put(Kind.CLOCK, item, body_of(item))
            item += 1
            if item % 16 == 0:
                writer.notify()
        writer.notify()
        if item // 20_000 % 2:
            continue  # as live: what finds no room is dropped
        if not writer.ready and not writer.wait_for_room(PATIENCE):
            os._exit(LOST_WAKE_UP)
    os._exit(0)


def read_items(stage: Stage) -> None:
    """Receive, check, log and commit until the writer's end."""
    reader = RingReader(stage.memory, [])
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    while not reader.ended:
        if reader.arm() and not poll.poll(PATIENCE * 1000):
            os._exit(LOST_WAKE_UP)
        while batch := reader.read(1):
            number, kind, _, record = batch[0]
            if kind is Kind.CLOCK:
                assert type(record) is Clock
                item = record.ts & 0xFFFFFFFF
                if record.ts != stamp(item):
                    os._exit(BROKEN)
                os.write(stage.log, ENTRY.pack(number, item))
            reader.commit()
        reader.commit()
    os._exit(1 if reader.malformed else 0)


def start(side: Callable[[Stage], None], stage: Stage) -> int:
    """A child that runs one side; it does not outlive this process."""
    child = os.fork()
    if child == 0:
        try:
            ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL)
            side(stage)
        finally:
            os._exit(BROKEN)
    return child


def end_of(child: int, want: int) -> None:
    """Wait for a child; anything but the wanted end is the failure of the whole."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != want:
        sys.exit(f"a child ended with {status} instead of {want}")


def kill_in_turn(stage: Stage, kills: int, seed: int) -> None:
    """The kills, then an orderly end of both."""
    chance = random.Random(seed)
    sides = (write_items, read_items)
    children = [start(side, stage) for side in sides]
    for i in range(kills):
        time.sleep(chance.uniform(0, 0.006))
        os.kill(children[i % 2], signal.SIGKILL)
        end_of(children[i % 2], -signal.SIGKILL)
        children[i % 2] = start(sides[i % 2], stage)
    os.eventfd_write(stage.stop, 1)
    end_of(children[0], 0)
    finish(stage)
    end_of(children[1], 0)


def finish(stage: Stage) -> None:
    """The record that ends the input."""
    last = RingWriter(stage.memory)
    while not last.ready:
        last.wait_for_room()
    last.put(Kind.STATS, 0, b"\x94\xc3\x80\x80\x90")
    last.notify()


def report(stage: Stage, kills: int) -> dict[str, object]:
    """What was received, in the order in which it was."""
    size = os.fstat(stage.log).st_size
    log = list(ENTRY.iter_unpack(os.pread(stage.log, size, 0)))
    ring = Ring(stage.memory.memory)
    moves = [(a[0] - b[0], a[1] - b[1]) for b, a in itertools.pairwise(log)]
    return {
        "kills": kills,
        "received": len(log),
        "repeats": sum(n == 0 for n, _ in moves),
        "backwards": sum(n < 0 for n, _ in moves),
        "other_under_same_number": sum(n == 0 and i != 0 for n, i in moves),
        "items_not_increasing": sum(n > 0 and i < n for n, i in moves),
        "clocks_lost": _lost(log),
        "numbers": ring.number - 1,
        "dropped": sum(ring.dropped),
        "left": ring.used,
    }


def _lost(log: list[tuple[int, int]]) -> int:
    """CLOCK items that were neither received nor, by the numbers, dropped.

    Between two neighbours, the numbers that are missing must be FLOW items, of which there
    are only so many; and items that have no number were dropped.
    """
    lost = 0
    before = (0, -1)
    for number, item in log:
        flows = sum(i % 7 == 0 and i % 5 != 0 for i in range(before[1] + 1, item))
        lost += max(0, number - before[0] - 1 - flows)
        before = (number, item)
    return lost


def main() -> None:
    """Run and report."""
    kills, seed = map(int, sys.argv[1:])
    stage = Stage()
    began = time.monotonic()
    kill_in_turn(stage, kills, seed)
    facts = report(stage, kills)
    print(json.dumps(facts | {"seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
