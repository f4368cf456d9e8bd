"""The whole service inline: ordinary load, throughput kept, CPU and memory: ``--live inline``.

Throughput is iperf3's through the router, one connection; with and without the service in turns,
and the median of the ratios of neighbouring runs is told.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.bench.figure import Figure
from tests.bench.measure import proportional_kib
from tests.netns.bed import Bed, bed
from tests.netns.guard import Guard, guarding
from tests.netns.load import IPERF, SERVER, iperf_server, masquerade, site

#: Seconds of ordinary load, and of one transfer.
ORDINARY, TRANSFER = 60, 4
#: Source, pairs of transfers, whether with small packets.
TRANSFERS = (("nflog", 9, False), ("nflog", 5, True), ("capture", 3, False), ("capture", 3, True))
#: What is left of the machine's start of the service when it is ready.
SETTLE = 1


class Transfer(NamedTuple):
    """One iperf3 with the service beside it; CPU seconds of the sensor and of all processes."""

    rate: float
    gigabytes: float
    sensor: float = 0
    service: float = 0


def _cpu(pid: int) -> float:
    """CPU seconds of a process (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(guard: Guard) -> float:
    """MiB of the service: proportional set sizes of its processes."""
    return sum(proportional_kib(one["pid"]) for one in guard.status()["processes"]) / 1024


def transfer(net: Bed) -> Transfer:
    """As much as goes through."""
    words = ("iperf3", "-J", "-c", SERVER, "-p", str(IPERF), "-t", str(TRANSFER))
    received = json.loads(net.lan.run(*words))["end"]["sum_received"]
    return Transfer(received["bits_per_second"] / 1e9, received["bytes"] / 1e9)


def watched(net: Bed, source: str) -> Transfer:
    """The same with the service on the router."""
    with guarding(net, source) as guard:
        time.sleep(SETTLE)
        pids = {one["name"]: one["pid"] for one in guard.status()["processes"]}
        before = {name: _cpu(pid) for name, pid in pids.items()}
        done = transfer(net)
        spent = {name: _cpu(pid) - before[name] for name, pid in pids.items()}
        assert guard.outcomes() == {}
        guard.stop()
    return done._replace(sensor=spent["sensor"], service=sum(spent.values()))


def throughput(source: str, pairs: int, *, small: bool = False) -> list[Figure]:
    """Kept of the router's throughput, and what the service spent.

    Packets are as the kernel joins them, as behind a network card, or of an MTU each.
    """
    ratios, with_it = [], []
    with bed() as net, iperf_server(net):
        masquerade(net)  # a router without the service tracks connections, too
        if small:
            _small_packets(net)
        transfer(net)  # warms caches and the clock of the CPU
        for number in range(pairs):
            if number % 2:
                one = watched(net, source)
                none = transfer(net)
            else:
                none = transfer(net)
                one = watched(net, source)
            ratios.append(one.rate / none.rate)
            with_it.append(one)
    name = f"{source}, packets of an MTU" if small else source
    gigabytes = sum(one.gigabytes for one in with_it)
    rate = statistics.median(one.rate for one in with_it)
    least = 0.98 if source == "nflog" and not small else None
    costs = {
        "sensor": sum(one.sensor for one in with_it),
        "all processes": sum(one.service for one in with_it),
    }
    return [
        Figure(f"{name}: throughput kept", round(statistics.median(ratios), 3), least=least),
        Figure(f"{name}: throughput kept, least pair", round(min(ratios), 3)),
        Figure(f"{name}: throughput kept, best pair", round(max(ratios), 3)),
        Figure(f"{name}: throughput", round(rate, 2), "Gbit/s"),
        *(
            Figure(f"{name}: {who}", round(c / gigabytes, 4), "CPU s / GB")
            for who, c in costs.items()
        ),
    ]


def _small_packets(net: Bed) -> None:
    """What passes a wire is packets of an MTU."""
    for inside, interface in (
        (net.router, "lan0"),
        (net.router, "wan0"),
        (net.lan, "l0"),
        (net.world, "w0"),
    ):
        inside.run("ip", "link", "set", interface, "gso_max_segs", "1")


def ordinary(source: str, seconds: float) -> list[Figure]:
    """A minute of ordinary load: what was lost, who was touched, what it cost."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = stack.enter_context(site(stack.enter_context(bed()), Path(folder)))
        guard = stack.enter_context(guarding(place.net, source))
        idle = _memory(guard)
        pids = [one["pid"] for one in guard.status()["processes"]]
        before = sum(map(_cpu, pids))
        did = place.under_load(seconds)
        cpu = sum(map(_cpu, pids)) - before
        touched = sum(guard.outcomes().values()) + guard.status()["engine"]["alerts"]
        after = _memory(guard)
        guard.stop()
    for complaint in did.wrong:
        print(complaint, file=sys.stderr)
    figures = [Figure(f"ordinary load: {name}", count) for name, count in did.done.items()]
    return [
        Figure("ordinary load: complaints", len(did.wrong), most=0),
        Figure("ordinary load: alerts and orders", touched, most=0),
        *figures,
        Figure("ordinary load: CPU of the service", round(cpu / seconds, 3), "of a core"),
        Figure("memory of the service, idle", round(idle, 1), "MiB PSS"),
        Figure("memory of the service, after ordinary load", round(after, 1), "MiB PSS"),
    ]


def run() -> list[Figure]:
    """The figures of :mod:`tests.bench.live`."""
    figures = ordinary("nflog", ORDINARY)
    for source, pairs, small in TRANSFERS:
        figures += throughput(source, pairs, small=small)
    return figures
