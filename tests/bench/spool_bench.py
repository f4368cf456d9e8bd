"""What a spool costs: time of an alert, and bytes that storage takes for it. Needs root.

    python -m tests.bench.spool_bench

The alerts are of two evidence each, 2.4 kB, as a port scan makes them. What storage takes is what
the kernel writes to a file system ext4 on a loop device, journal and all, until nothing is left
to write: of alerts that come alone, and of ten in one second.
"""

import ctypes
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hdr_lite.engine.ledger import Ledger
from hdr_lite.engine.output import Outputs
from hdr_lite.outputs.spool import Spool
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import ThreatLevel
from hdr_lite.spool import SpoolReader
from tests.bench.figure import Figure
from tests.hdr_lite.outputs.samples import ALERT, EVIDENCE, FINDING

SIZE = 4 * 1024 * 1024
BUDGET = 5_000_000  #: bytes that storage may take in a day
ALONE, TOGETHER, BURST = 100, 20, 10
#: Alerts of a day that are asked to fit into the budget.
DAY = 200


class Clock:
    """Time that goes on when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Engine:
    """As much of it as writes a spool."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.spool = Spool(folder, SIZE, folder / "cursor", self.clock)
        self.outputs = Outputs(print, patient=True)
        self.ledger = os.memfd_create("told", os.MFD_CLOEXEC)
        self.outputs.open([self.spool], Ledger(self.ledger))
        self.told = 0

    def tell(self, level: ThreatLevel = ThreatLevel.HIGH) -> None:
        """An alert, as the casebook tells it."""
        self.told += 1
        finding = replace(FINDING, threat_level=level)
        pair = (EVIDENCE, replace(EVIDENCE, id="a1b2c3d4-0000-5000-8000-123456789abc"))
        evidence = tuple(replace(one, finding=finding) for one in pair)
        alert: Alert = replace(ALERT, id=f"{self.told:036}", evidence=evidence)
        self.outputs.alert(alert)
        self.outputs.flush()

    def second(self) -> None:
        """What was told is forced to storage."""
        self.clock.now += 60
        self.outputs.flush()

    def close(self) -> None:
        self.outputs.close()
        os.close(self.ledger)


@contextmanager
def storage() -> Iterator[tuple[Path, str]]:
    """A file system of its own, and its device."""
    with TemporaryDirectory(prefix="hdr-lite-") as name:
        image, folder = Path(name, "image"), Path(name, "mounted")
        with image.open("wb") as file:
            file.truncate(128 * 1024 * 1024)
        folder.mkdir()
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
        subprocess.run(["mount", "-o", "loop,noatime", str(image), str(folder)], check=True)
        try:
            words = ["findmnt", "-no", "SOURCE", str(folder)]
            device = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            yield folder, Path(device.strip()).name
        finally:
            subprocess.run(["umount", str(folder)], check=True)


def taken(folder: Path, device: str) -> int:
    """Bytes that it was given since it was mounted, with nothing left to write."""
    descriptor = os.open(folder, os.O_RDONLY)
    ctypes.CDLL(None).syncfs(descriptor)
    os.close(descriptor)
    return int(Path(f"/sys/block/{device}/stat").read_text().split()[6]) * 512


def written() -> list[Figure]:
    """Bytes of storage for an alert."""
    with storage() as (folder, device):
        engine = Engine(folder)
        engine.tell()
        engine.second()
        before = taken(folder, device)
        for _ in range(ALONE):
            engine.tell()
            engine.second()
            taken(folder, device)  # time passes until the next one
        alone = (taken(folder, device) - before) / ALONE
        before = taken(folder, device)
        for _ in range(TOGETHER):
            for _ in range(BURST):
                engine.tell()
            engine.second()
            taken(folder, device)
        together = (taken(folder, device) - before) / TOGETHER / BURST
        engine.close()
    return [
        Figure("spool: an alert that comes alone", round(alone), "bytes of storage"),
        Figure("spool: an alert of ten in a second", round(together), "bytes of storage"),
        Figure(f"spool: a day of {DAY} alerts", round(alone * DAY), "bytes of storage", BUDGET),
        Figure("spool: alerts a day within the budget", int(BUDGET / alone)),
    ]


def timed() -> list[Figure]:
    """Time of what the engine does for an alert, and of reading it; nothing is forced."""
    count = 1000
    with TemporaryDirectory(prefix="hdr-lite-", dir="/dev/shm") as name:
        folder = Path(name)
        engine = Engine(folder)
        began = time.process_time()
        for _ in range(count):
            engine.tell()
        appended = (time.process_time() - began) / count
        began, cursor, records = time.process_time(), None, 0
        reader = SpoolReader(folder)
        while batch := reader.read(cursor, 100, 1 << 20):
            records, cursor = records + len(batch.records), batch.cursor
        assert records == count
        sent = (time.process_time() - began) / count
        steps = []
        for number in range(5 * count):  # it becomes full, and has one in ten of less severity
            began = time.process_time()
            engine.tell(ThreatLevel.LOW if number % 10 == 0 else ThreatLevel.HIGH)
            steps.append(time.process_time() - began)
        engine.close()
        began = time.process_time()
        again = Engine(folder)
        opened = time.process_time() - began
        again.close()
    full = steps[-2 * count :]
    return [
        Figure("spool: to append an alert", round(appended * 1e6), "µs", 1000),
        Figure("spool: the same where it is full", round(sum(full) / len(full) * 1e6), "µs"),
        Figure("spool: the longest of those", round(max(full) * 1e3, 1), "ms"),
        Figure("spool: to read an alert, in batches of 100", round(sent * 1e6), "µs"),
        Figure("spool: to open one of 4 MB", round(opened * 1e3, 1), "ms"),
    ]


def run() -> list[Figure]:
    """All figures."""
    return [*timed(), *written()]


def main() -> None:
    """Print them."""
    for figure in run():
        print(f"{figure.name:<50} {figure.value:>12,} {figure.unit}")


if __name__ == "__main__":
    main()
