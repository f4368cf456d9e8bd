"""Show how a running service is: its processes, figures, drops, and what it cannot see.

For root and the group hdr-lite. Exit status: 0 all is well, 1 something needs a look, 2 nothing
runs or one may not ask.

examples:
  hdr-lite status
  hdr-lite status --json | jq .engine.modules
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from hdr_lite.cli.runtime import find_socket
from hdr_lite.supervisor.control import ask

_MB = 1024 * 1024


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


def _lines(status: Mapping[str, Any]) -> Iterator[str]:
    state = "ready" if status["ready"] else "not ready"
    yield (
        f"hdr-lite {status['version']}: {state}, up {_duration(status['uptime'])}, "
        f"{status['memory'] / _MB:.1f} MB, {status['source']} on {', '.join(status['interfaces'])}"
    )
    yield f"source {status['source']}: {status['source_why']}"
    yield f"users: {status['users']}"
    for process in status["processes"]:
        yield _process(process)
    yield from _sensor(status.get("sensor") or {})
    yield from _engine(status.get("engine") or {})
    yield from _blocks(status.get("enforcer") or {})
    yield from (f"trouble: {text}" for text in status["trouble"])
    yield from (f"blind: {text}" for text in status["blind"])


def _process(process: Mapping[str, Any]) -> str:
    restarts = f", started again {process['restarts']} times" if process["restarts"] else ""
    if "pid" not in process:
        return f"  {process['name']:<10}  {process['state']}, {process['last_end']}{restarts}"
    rights = " ".join(name.removeprefix("CAP_") for name in process["capabilities"]) or "none"
    return (
        f"  {process['name']:<10}  {process['state']}, process {process['pid']}, "
        f"{process['user']}, {process['memory'] / _MB:.1f} MB, capabilities {rights}, "
        f"seccomp {process['seccomp']}{restarts}"
    )


def _sensor(sensor: Mapping[str, Any]) -> Iterator[str]:
    for source in sensor.get("sources", ()):
        lost = source["dropped"] + source["interface_dropped"]
        error = f", {source['error']}" if source["error"] else ""
        yield f"source {source['name']}: {source['packets']:,} packets, {lost:,} dropped{error}"
    if sensor:
        ring = sensor["ring"]
        kinds = ", ".join(f"{name} {count:,}" for name, count in ring["dropped"].items())
        full = 100 * ring["used"] / ring["capacity"]
        yield f"flows {sensor['flows']:,}; ring {full:.0f} % full, dropped: {kinds or 'nothing'}"


def _engine(engine: Mapping[str, Any]) -> Iterator[str]:
    if not engine:
        return
    yield (
        f"profiles {engine['profiles']:,}, evidence {engine['evidence']:,}, "
        f"alerts {engine['alerts']:,} since the engine's start"
    )
    for name, module in engine["modules"].items():
        yield (
            f"  {name:<28}  {module['state']}, {module['messages']:,} messages, "
            f"{module['findings']:,} findings, {module['failures']} failures, "
            f"{module['waiting']:,} waiting, {module['cpu_seconds']:.1f} s"
        )


def _blocks(enforcer: Mapping[str, Any]) -> Iterator[str]:
    if not enforcer:
        return
    off = " since a panic: 'hdr-lite arm' ends it" if enforcer["panic"] else ""
    yield (
        f"mode {enforcer['mode']}{off}: blocks {enforcer['blocks']:,}, "
        f"limits {enforcer['limits']:,}, rates {enforcer['rates']:,}, "
        f"quarantined {enforcer['quarantined']:,}"
    )
    outcomes = ", ".join(f"{name} {count:,}" for name, count in enforcer["outcomes"].items())
    yield f"  orders since its start: {outcomes or 'none'}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d"] * (days > 0) + [f"{hours} h"] * (hours > 0)
    return " ".join([*parts, f"{minutes} min", f"{rest} s"])
