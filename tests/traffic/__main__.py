"""``python -m tests.traffic SCENARIO [--seed N] [-o FILE]``: write a labelled capture."""

import argparse
import sys
from pathlib import Path

from tests.traffic.scenarios import SCENARIOS, build


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.traffic", description=__doc__)
    parser.add_argument("scenario", nargs="?", metavar="SCENARIO", choices=sorted(SCENARIOS))
    parser.add_argument("--seed", type=int, default=1, help="another course of the same scenario")
    parser.add_argument("-o", type=Path, metavar="FILE", help="the capture (SCENARIO.pcap)")
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    arguments = parser.parse_args()
    if not arguments.list and not arguments.scenario:
        parser.error("a SCENARIO or --list is wanted")
    return arguments


def _list() -> None:
    for entry in sorted(SCENARIOS.values(), key=lambda s: s.name):
        found = ", ".join(entry.evidence) or "nothing"
        print(f"{entry.name:24} {entry.meaning}")
        print(f"{'':24} to be found: {found} {entry.accused}".rstrip())


def main() -> int:
    """Run the command."""
    arguments = _arguments()
    if arguments.list:
        _list()
        return 0
    path = arguments.o or Path(f"{arguments.scenario}.pcap")
    trace = build(arguments.scenario, arguments.seed)
    try:
        trace.write(path)
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        return 2
    frames = trace.frames()
    seconds = (frames[-1][0] - frames[0][0]) / 1e9
    print(f"{path}: {len(frames)} frames, {seconds:.1f} s of traffic")
    return 0


if __name__ == "__main__":
    sys.exit(main())
