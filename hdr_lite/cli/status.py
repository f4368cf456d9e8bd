"""Show how a running service is: its processes, figures, drops, and what it cannot see.

For root and the group hdr-lite. Exit status: 0 all is well, 1 something needs a look, 2 nothing
runs or one may not ask.

examples:
  hdr-lite status
  hdr-lite status --json | jq .engine.modules
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hdr_lite.cli.runtime import find_socket
from hdr_lite.supervisor.control import ask

_MB = 1024 * 1024
Facts = Mapping[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("-P", "--instance", metavar="NAME", default="", help="of that instance")
    parser.add_argument("--runtime", metavar="DIR", help="where its control socket is")


def run(arguments: argparse.Namespace) -> int:
    """Ask and print; the exit status."""
    status = ask(find_socket(arguments.runtime, arguments.instance), {"verb": "status"})
    if arguments.json:
        print(json.dumps(status, indent=2))
    else:
        print("\n".join(_lines(status)))
    return 0 if status["ready"] and not status["trouble"] else 1


def _lines(status: Facts) -> Iterator[str]:
    """First what a person looks for, then a table for each kind of thing."""
    state = "ready" if status["ready"] else "not ready"
    yield f"hdr-lite {status['version']}: {state}, up {_duration(status['uptime'])}"
    yield from _labelled("trouble", status["trouble"])
    enforcer = status.get("enforcer")
    if enforcer:
        yield from _enforcer(enforcer)
    sync = status.get("sync")
    if sync:
        yield from _sync(sync)
    yield f"source    {status['source']} on {', '.join(status['interfaces'])}"
    yield f"          {status['source_why']}"
    yield f"users     {status['users']}"
    yield from _labelled("blind", status["blind"])
    yield ""
    yield from _processes(status["processes"], status["memory"])
    if status.get("sensor"):
        yield ""
        yield from _sensor(status["sensor"])
    if status.get("engine"):
        yield ""
        yield from _engine(status["engine"])


def _labelled(label: str, texts: Iterable[str]) -> Iterator[str]:
    yield from (f"{label:<9} {text}" for text in texts)


def _enforcer(enforcer: Facts) -> Iterator[str]:
    mode = enforcer["mode"]
    if enforcer["panic"]:
        mode += ", off since a panic: 'hdr-lite arm' ends that"
    if enforcer["unconfirmed"] is not None:
        left = _duration(enforcer["unconfirmed"])
        mode += f", for {left} yet: 'hdr-lite arm --confirmed' keeps it"
    yield f"mode      {mode}"
    yield (
        f"held      {enforcer['blocks']:,} blocked, {enforcer['limits']:,} limited, "
        f"{enforcer['quarantined']:,} quarantined, {enforcer['rates']:,} rates"
    )
    yield f"orders    {_counts(enforcer['outcomes'])}"


def _sync(sync: Facts) -> Iterator[str]:
    last = sync["last_success"]
    well = "nothing since its start" if last is None else f"all, {_duration(last)} ago"
    yield f"collector {sync['url']}, known there as {sync['name']}; sent: {well}"
    if sync["last_error"]:
        then = "" if sync["next"] is None else f"; again in {_duration(sync['next'])}"
        yield f"          {sync['failures']} times in vain: {sync['last_error']}{then}"


def _processes(processes: Sequence[Facts], memory: int) -> Iterator[str]:
    head = ("process", "state", "pid", "user", "memory", "restarts", "seccomp", "capabilities")
    rows = [_process(process) for process in processes]
    rows.append(("all", "", "", "", _megabytes(memory), "", "", ""))
    yield from _table(head, rows)
    for process in processes:
        if process["last_end"]:
            yield f"last end  the {process['name']} {process['last_end']}"


def _process(process: Facts) -> tuple[str, ...]:
    again = f"{process['restarts']:,}"
    if "pid" not in process:
        return process["name"], process["state"], "", "", "", again, "", ""
    names = [name.removeprefix("CAP_") for name in process["capabilities"]]
    return (
        process["name"],
        process["state"],
        str(process["pid"]),
        process["user"],
        _megabytes(process["memory"]),
        again,
        process["seccomp"],
        " ".join(names) or "none",
    )


def _sensor(sensor: Facts) -> Iterator[str]:
    head = ("source", "packets", "dropped by kernel", "by interface", "")
    yield from _table(head, [_source(source) for source in sensor["sources"]])
    ring = sensor["ring"]
    yield f"flows     {sensor['flows']:,}"
    full = 100 * ring["used"] / ring["capacity"]
    yield f"ring      {full:.0f} % full, dropped: {_counts(ring['dropped'])}"
    yield f"evicted   {_counts(_evicted(sensor['counters']))}"
    yield f"malformed {_counts(sensor['malformed'])}"


def _source(source: Facts) -> tuple[str, ...]:
    counts = (source["packets"], source["dropped"], source["interface_dropped"])
    return (source["name"], *(f"{count:,}" for count in counts), source["error"])


def _evicted(counters: Mapping[str, int]) -> dict[str, int]:
    """What made room in a full table."""
    start = "evicted_"
    return {name[len(start) :]: n for name, n in counters.items() if name.startswith(start)}


def _engine(engine: Facts) -> Iterator[str]:
    head = "module state messages waiting dropped findings failures memory CPU".split()
    yield from _table(head, [_module(name, of) for name, of in engine["modules"].items()])
    yield (
        f"profiles  {engine['profiles']:,}; evidence {engine['evidence']:,}, "
        f"alerts {engine['alerts']:,} since the engine's start"
    )
    spool = engine.get("spool")
    if spool:
        yield (
            f"spool     {spool['waiting']:,} alerts wait for the collector, "
            f"{_megabytes(spool['bytes'])} in {spool['directory']}; "
            f"{spool['dropped']:,} dropped since the engine's start"
        )


def _module(name: str, module: Facts) -> tuple[str, ...]:
    keys = ("messages", "waiting", "dropped", "findings", "failures")
    counts = (f"{module[key]:,}" for key in keys)
    memory, seconds = f"{module['memory'] / 1024:.0f} kB", f"{module['cpu_seconds']:.1f} s"
    return (name, module["state"], *counts, memory, seconds)


def _counts(counts: Mapping[str, int]) -> str:
    """Those that are not 0."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count) or "none"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as what is in them; numbers stand at the right."""
    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [all(text[:1].isdigit() or not text for text in column[1:]) for column in columns]
    for row in (head, *rows):
        cells = [
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(row, widths, right, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def _megabytes(size: int) -> str:
    return f"{size / _MB:.1f} MB"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d"] * (days > 0) + [f"{hours} h"] * (hours > 0)
    return " ".join([*parts, f"{minutes} min", f"{rest} s"])
