"""The design's budgets, measured: ``scripts/bench [--packets N] [--runs N] [--json] [--live …]``.

Times are CPU seconds of the whole process tree, as a multiple of ``tcpdump -r FILE -w /dev/null``
on the same file; the two commands take turns, and the median of the ratios of neighbouring runs is
told. Memory is the largest sum of proportional set sizes over all processes of a run.
``--live`` measures the running service instead: :mod:`tests.bench.live`.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import live
from tests.bench.measure import run

ROOT = Path(__file__).resolve().parents[2]
MKTRACE = ROOT.parent / "shared" / "bench" / "mktrace.py"
CACHE = ROOT / ".cache" / "bench"
HDR_LITE = [sys.executable, "-m", "hdr_lite"]

#: What must hold: (name, capture, verb, most); the figures stand in docs/benchmarks.md.
CPU_BUDGETS = (
    ("inspect, mix", "mix", "inspect", 4.0),
    ("run, mix", "mix", "run", 13.0),
    ("run, small", "small", "run", 110.0),
)
MEMORY_MIB = 48.0
MEMORY_GROWTH = 1.10  #: for ten times the flows


def capture(kind: str, packets: int) -> Path:
    """A capture made by the shared trace maker, kept between runs."""
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"{kind}-{packets}.pcap"
    if not path.exists():
        part = path.with_suffix(".part")
        command = [sys.executable, str(MKTRACE), "--kind", kind, "--packets", str(packets)]
        subprocess.run([*command, "--seed", "1", str(part)], check=True, stdout=subprocess.DEVNULL)
        part.rename(path)
    return path


def command_for(verb: str, path: Path, output: Path) -> list[str]:
    """The program's command line for a verb on a capture."""
    if verb == "inspect":
        return [*HDR_LITE, "inspect", "--json", str(path)]
    return [*HDR_LITE, "run", "-f", str(path), "-o", str(output)]


def cpu_row(name: str, path: Path, verb: str, most: float, runs: int) -> dict[str, Any]:
    """Ratios of CPU time to tcpdump's, in turns."""
    reference = ["tcpdump", "-r", str(path), "-w", "/dev/null"]
    ratios, ours, theirs = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(runs + 1):  # the first pair warms the page cache
            output = Path(scratch) / str(number)
            base = run(reference, memory=False)
            cost = run(command_for(verb, path, output), memory=False)
            if base.status or cost.status:
                raise SystemExit(f"{name}: exit status {base.status} and {cost.status}")
            if number:
                ratios.append(cost.cpu / base.cpu)
                ours.append(cost.cpu)
                theirs.append(base.cpu)
    return {
        "name": name,
        "ratio": round(statistics.median(ratios), 2),
        "least": round(min(ratios), 2),
        "greatest": round(max(ratios), 2),
        "cpu_seconds": round(statistics.median(ours), 3),
        "tcpdump_cpu_seconds": round(statistics.median(theirs), 3),
        "budget": most,
        "holds": statistics.median(ratios) <= most,
    }


def peak(kind: str, packets: int, runs: int) -> float:
    """Median over some runs of the peak memory of `run`, in MiB."""
    path = capture(kind, packets)
    with tempfile.TemporaryDirectory() as scratch:
        costs = [
            run(command_for("run", path, Path(scratch) / str(number))) for number in range(runs)
        ]
    return statistics.median(cost.peak for cost in costs)


def memory_rows(packets: int, runs: int) -> list[dict[str, Any]]:
    """Peak memory of `run` on each capture, and its growth from a tenth of the flows."""
    peaks = {kind: peak(kind, packets, runs) for kind in ("mix", "small")}
    growth = peaks["small"] / peak("small", packets // 10, runs)
    rows = [
        {
            "name": f"peak memory, run, {kind} (MiB)",
            "value": round(value, 1),
            "budget": MEMORY_MIB,
            "holds": value <= MEMORY_MIB,
        }
        for kind, value in peaks.items()
    ]
    return [
        *rows,
        {
            "name": "peak memory, run, small, over that at a tenth of the flows",
            "value": round(growth, 3),
            "budget": MEMORY_GROWTH,
            "holds": growth <= MEMORY_GROWTH,
        },
    ]


def print_table(rows: list[dict[str, Any]]) -> None:
    """Aligned columns for a person."""
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        value = row.get("ratio", row.get("value"))
        spread = f"{row['least']} to {row['greatest']}" if "least" in row else ""
        budget = f"at most {row['budget']}" if "budget" in row else ""
        budget = f"at least {row['at_least']}" if "at_least" in row else budget
        verdict = {True: "holds", False: "MISSED", None: ""}[row.get("holds")]
        print(f"{row['name']:{width}}  {value:>12}  {spread:>18}  {budget:14} {verdict}")


def tell(rows: list[dict[str, Any]], *, as_json: bool) -> int:
    """Print all; status 1 when a budget is missed."""
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        print_table(rows)
    return 1 if any(row.get("holds") is False for row in rows) else 0


def part_rows(part: str) -> list[dict[str, Any]]:
    """Figures of one part, which has a bench of its own."""
    command = [sys.executable, "-m", f"tests.bench.{part}_bench", "--json"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return [{"name": name, "value": value} for name, value in json.loads(answer.stdout).items()]


def live_rows(names: list[str]) -> list[dict[str, Any]]:
    """Figures of the running service, from the benches of those names or from all."""
    return [figure.row() for figure in live.measure(names or live.LIVE)]


def main() -> int:
    """Measure all and say what holds; status 1 when a budget is missed."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--packets", type=int, default=1_000_000, help="in each capture")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each command")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument(
        "--live",
        nargs="*",
        choices=live.LIVE,
        help="measure the running service instead; needs root",
    )
    arguments = parser.parse_args()
    if arguments.live is not None:
        if os.geteuid() != 0:
            print("scripts/bench --live makes network namespaces: it needs root", file=sys.stderr)
            return 2
        return tell(live_rows(arguments.live), as_json=arguments.json)
    if not MKTRACE.exists():
        print(f"scripts/bench needs {MKTRACE}, which makes its captures", file=sys.stderr)
        return 2
    if shutil.which("tcpdump") is None:
        print("scripts/bench needs tcpdump: scripts/bootstrap check installs it", file=sys.stderr)
        return 2
    rows = [
        cpu_row(name, capture(kind, arguments.packets), verb, most, arguments.runs)
        for name, kind, verb, most in CPU_BUDGETS
    ]
    rows += memory_rows(arguments.packets, max(1, arguments.runs // 2))
    rows += [row for part in ("ring", "engine") for row in part_rows(part)]
    return tell(rows, as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
