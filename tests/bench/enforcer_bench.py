"""What the enforcer costs and how fast it is. Needs root.

    python -m tests.bench.enforcer_bench [--json] [--orders N] [--flood SECONDS]

A namespace of its own, the process as it runs in the field, orders over its link. An order is
timed from before it is sent until its answer, which comes after nftables has carried it out.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from hdr_lite.enforcer.state import KeptHold, save
from hdr_lite.records.verb import Block, Enforced
from tests.bench.figure import Figure
from tests.netns.bed import namespace
from tests.netns.enforcing import Enforcing, enforcing
from tests.netns.network import Namespace

HELD = 8192
#: Orders of the flood, by the minute.
FLOOD = 100_000
#: Seconds between two orders: each finds the process at rest; just under the pace.
APART, HASTE = 0.05, 0.006


def memory(pid: int) -> dict[str, float]:
    """MiB of a process: its proportional set, and the highest its resident set ever was."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    status = Path(f"/proc/{pid}/status").read_text()
    sizes = {
        "pss": next(line for line in rollup.splitlines() if line.startswith("Pss:")),
        "rss_peak": next(line for line in status.splitlines() if line.startswith("VmHWM:")),
    }
    return {name: round(int(line.split()[1]) / 1024, 2) for name, line in sizes.items()}


def cpu(pid: int) -> float:
    """CPU seconds of a process."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / 100


def latencies(enforcer: Enforcing, orders: int, gap: float, first: int) -> dict[str, float]:
    """Milliseconds from an order to its answer, one at a time, with a gap between them.

    A gap shorter than a walk of the kernel's connection table makes orders wait for the cuts
    of those before them.
    """
    times = []
    for number in range(orders):
        time.sleep(gap)
        began = time.perf_counter()
        answer = enforcer.ask(
            Block(f"l{first + number}", f"198.18.{number >> 8}.{number & 255}", 600, "X", 0)
        )
        times.append((time.perf_counter() - began) * 1000)
        assert answer.outcome == "blocked", answer
    cuts = statistics.quantiles(times, n=100)
    return {name: round(cuts[at], 2) for name, at in (("median", 49), ("p99", 98))}


def flood(enforcer: Enforcing, seconds: float) -> dict[str, Any]:
    """Blocks asked at 100,000 a minute: what is done, what it costs, how late an order is."""
    pid, began, spent = enforcer.process.pid, time.monotonic(), cpu(enforcer.process.pid)
    total = int(FLOOD / 60 * seconds)
    answers: list[Enforced] = []

    def listen() -> None:
        while len(answers) == 0 or answers[-1].evidence != "end":
            answers.append(enforcer.next(Enforced))

    listener = threading.Thread(target=listen)
    listener.start()
    for number in range(total):
        place = f"100.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        enforcer.send(Block(f"f{number}", place, 600, "X", 0))
        time.sleep(max(0.0, began + number / FLOOD * 60 - time.monotonic()))
    taken = time.monotonic() - began
    time.sleep(1)
    enforcer.send(Block("end", "203.0.113.5", 600, "X", 0))
    listener.join()
    return {
        "asked": total,
        "seconds": round(taken, 1),
        "blocked": sum(answer.outcome == "blocked" for answer in answers),
        "cpu_share": round((cpu(pid) - spent) / taken, 3),
        **memory(pid),
    }


def measure(inside: Namespace, folder: Path, orders: int, seconds: float) -> dict[str, Any]:
    """All figures."""
    figures: dict[str, Any] = {}
    with enforcing(inside, folder / "empty", enforcer__on_stop="remove") as enforcer:
        figures["idle"] = memory(enforcer.process.pid)
        figures["order_ms"] = latencies(enforcer, orders, APART, 0)
        figures["order_ms_in_haste"] = latencies(enforcer, orders, HASTE, orders)
        enforcer.stop()
    keys = (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(HELD))
    evidence = "a1b2c3d4-0000-5000-8000-123456789abc"
    save(
        folder / "full",
        [KeptHold("block4", k, 80000, evidence, "X", False, 0) for k in keys],
        [],
    )
    with enforcing(
        inside, folder / "full", enforcer__on_stop="remove", enforcer__blocks=HELD
    ) as enforcer:
        figures["full"] = memory(enforcer.process.pid)
        figures["order_ms_when_full"] = latencies(enforcer, orders, APART, 0)
        began = time.monotonic()
        inside.run("nft", "flush", "ruleset")
        enforcer.notice("made again")
        figures["whole_after_flush_ms"] = round((time.monotonic() - began) * 1000)
        figures["flood"] = flood(enforcer, seconds)
        enforcer.stop()
    return figures


def run(orders: int = 500, seconds: float = 20) -> list[Figure]:
    """The figures of :mod:`tests.bench.live`."""
    with namespace("bench") as inside, tempfile.TemporaryDirectory() as folder:
        figures = measure(inside, Path(folder), orders, seconds)
    told = [
        Figure(f"enforcer: {name}, {state}", figures[key][at], "ms")
        for key, state in (("order_ms", "no block held"), ("order_ms_when_full", "full"))
        for name, at in (("an order, median", "median"), ("an order, 99 %", "p99"))
    ]
    flooded = figures["flood"]
    return [
        *told,
        Figure("enforcer: whole again after a flush", figures["whole_after_flush_ms"], "ms", 1000),
        Figure("enforcer: memory, idle", figures["idle"]["pss"], "MiB PSS"),
        Figure("enforcer: memory after a flood of orders", flooded["pss"], "MiB PSS"),
        Figure("enforcer: CPU at 100,000 orders a minute", flooded["cpu_share"], "of a core"),
    ]


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description="What the enforcer costs and how fast it is.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--flood", type=float, default=60, help="seconds of it")
    arguments = parser.parse_args()
    with namespace("bench") as inside, tempfile.TemporaryDirectory() as folder:
        figures = measure(inside, Path(folder), arguments.orders, arguments.flood)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name:24} {figure}")


if __name__ == "__main__":
    main()
