"""CPU of a sensor on a router: ``nflog`` against ``capture`` against tcpdump.

``python -m tests.bench.nflog_bench [--json]``, as root. An outside host, a router and a LAN in
namespaces; the LAN downloads over few and many connections, in segments of an MTU. Told are
CPU seconds of the process that reads, for each GB forwarded;
what the kernel itself does for it in forwarding (the rules, copies to sockets) is in none of them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.figure import Figure
from tests.netns.network import Namespace
from tests.netns.programs import log_first_packets, running, talk, translate
from tests.netns.router import OUTSIDE4, Routed, routed

#: Connections, and MB that each downloads.
LOADS = ((1, 512), (100, 5), (10_000, 1 / 16))
SENSORS = ("nflog", "lan0", "tcpdump")
SETTLE = 1.5


def _small_segments(net: Routed) -> None:
    """What passes the wire is packets of an MTU, as on a real one."""
    ends: list[tuple[Namespace, str]] = [(net.router, "lan0"), (net.router, "wan0")]
    ends += [(net.lan, "eth0"), (net.outside, "eth0")]
    for namespace, interface in ends:
        namespace.run("ip", "link", "set", interface, "gso_max_segs", "1")


def _cpu_of(pid: int) -> float:
    """CPU seconds of a process (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _with_tcpdump(net: Routed, load: tuple[str, str]) -> dict[str, Any]:
    words = net.router.words("tcpdump", "-i", "lan0", "-s", "512", "-B", "65536", "-w", "/dev/null")
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        time.sleep(SETTLE)
        talk(net.lan, "many", OUTSIDE4, *load)
        time.sleep(SETTLE)
        return {"cpu": _cpu_of(process.pid)}
    finally:
        process.terminate()
        process.wait()


def _with_sensor(net: Routed, sensor: str, load: tuple[str, str]) -> dict[str, Any]:
    if sensor == "nflog":
        log_first_packets(net)
    with (
        tempfile.NamedTemporaryFile() as out,
        running(net.router, "metering", sensor, out.name) as program,
    ):
        talk(net.lan, "many", OUTSIDE4, *load)
        time.sleep(SETTLE)
        facts: dict[str, Any] = json.loads(program.finish())
    return facts


def measure(sensor: str, connections: int, megabytes: float) -> dict[str, Any]:
    """One row."""
    load = (str(connections), str(megabytes))
    with routed() as net, running(net.outside, "talk", "serve"):
        translate(net)
        _small_segments(net)
        facts = _with_tcpdump(net, load) if sensor == "tcpdump" else _with_sensor(net, sensor, load)
    gigabytes = connections * megabytes / 1024
    name = {"lan0": "capture"}.get(sensor, sensor)
    return {
        "name": f"{name}, {connections:,} connections (CPU s / GB)",
        "value": round(facts["cpu"] / gigabytes, 3),
        "packets": facts.get("packets"),
        "dropped": facts.get("dropped"),
    }


def run() -> list[Figure]:
    """The figures of :mod:`tests.bench.live`."""
    rows = [measure(sensor, *load) for load in LOADS for sensor in SENSORS]
    return [Figure(f"sensor: {row['name']}", row["value"]) for row in rows]


def main() -> int:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="for machines")
    rows = []
    arguments = parser.parse_args()
    for connections, megabytes in LOADS:
        for sensor in SENSORS:
            rows.append(measure(sensor, connections, megabytes))
            if not arguments.json:
                print(*(f"{key} {value}" for key, value in rows[-1].items()), sep="  ", flush=True)
    if arguments.json:
        print(json.dumps(rows, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
