"""How soon the whole service cuts a scanner. Needs root.

    python -m tests.bench.latency_bench [--json] [--attacks N] [--source nflog|capture]

A router between world and LAN in namespaces, ``hdr-lite daemon`` on it in mode block, probes sent
at a pace of our own, times by the kernel's clock on the LAN's wire.

Latency: an attacker tries ten ports of a host, of which the tenth decides; then it goes on with the
first port, which no pace holds up. It is from the tenth probe to the last that gets through.
"""

import argparse
import json
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count

from tests.bench.figure import Figure
from tests.netns import scans
from tests.netns.bed import LAN_HOST, LAN_HOST6, Bed, bed
from tests.netns.guard import guarding

#: Probes a second; so many after those that decide.
RATE, AFTER = 2000, 300
DECIDING = 10
#: Scans of each kind; ports and hosts of one.
SCANS, PORTS = 20, range(3000, 3600)
#: Name of a figure -> most.
BUDGETS = {
    "latency, median (ms)": 20.0,
    "latency, 99th percentile (ms)": 100.0,
    "SYN scan at 1,000/s, closed: through, most": 20.0,
    "SYN scan at 1,000/s, silent: through, most": 20.0,
}


class Range:
    """The bed with a service on its router, and attackers who have not been seen."""

    def __init__(self, net: Bed, wire: scans.Wire) -> None:
        self._net, self._wire = net, wire
        self._numbers = count(1)

    def attacker(self) -> str:
        """A new address."""
        number = next(self._numbers)
        return f"198.51.{100 + number // 250}.{number % 250 + 1}"

    def attack(self, probes: list[bytes], rate: float) -> list[scans.Arrival]:
        """Of these probes, those that got through."""
        self._wire.arrivals()
        scans.send(self._net.world, probes, rate)
        return self._wire.arrivals()

    def latency(self, first: int) -> float:
        """Milliseconds from the deciding probe to the last that got through."""
        source = self.attacker()
        self._wire.arrivals()
        ports = range(first, first + DECIDING)
        decide = [scans.probe(source, LAN_HOST, port) for port in ports]
        after = [scans.probe(source, LAN_HOST, first, sport=1024 + n) for n in range(AFTER)]
        scans.send(self._net.world, decide + after, RATE)
        times = [arrival.time for arrival in self._wire.arrivals()]
        return (times[-1] - times[DECIDING - 1]) * 1000 + 1000 / RATE


def vertical(source: str, ports: range = PORTS, udp: bool = False) -> list[bytes]:
    """A probe of each port of one host."""
    return [scans.probe(source, LAN_HOST, port, udp=udp) for port in ports]


def scenes(field: Range) -> Iterator[tuple[str, list[bytes], float]]:
    """Name, probes, rate of each kind of scan; ports from 3000 on are silent, others closed."""
    new = field.attacker
    yield "SYN scan at 1,000/s, closed", vertical(new(), range(2000, 2600)), 1000
    yield "SYN scan at 1,000/s, silent", vertical(new()), 1000
    yield "SYN scan, unlimited", vertical(new()) * 10, 0
    yield "UDP scan at 1,000/s, silent", vertical(new(), udp=True), 1000
    hosts = [f"192.168.7.{number}" for number in range(100, 200)]
    for what, port in (("closed", 2022), ("silent", 3022)):
        source = new()
        yield f"SYN scan of hosts at 200/s, {what}", _to(source, hosts, port), 200
    prefix = f"2001:db8:{new().rpartition('.')[2]}"
    rotating = [scans.probe(f"{prefix}::{p:x}", LAN_HOST6, p) for p in PORTS]
    yield "SYN scan at 1,000/s, silent, rotating in its /64", rotating, 1000


def _to(source: str, hosts: list[str], port: int) -> list[bytes]:
    return [scans.probe(source, host, port) for host in hosts]


def measure(attacks: int, source: str) -> dict[str, float]:
    """All figures by name."""
    through: dict[str, list[int]] = {}
    spans: dict[str, list[float]] = {}
    with ExitStack() as stack:
        net = stack.enter_context(bed())
        for number in range(100, 200):
            net.lan.run("ip", "addr", "add", f"192.168.7.{number}/24", "dev", "l0")
        net.lan.run("nft", scans.SILENCE)
        guard = stack.enter_context(guarding(net, source))
        field = Range(net, stack.enter_context(scans.watching(net.lan, "l0")))
        times = sorted(field.latency(2000 + 1000 * (n % 2)) for n in range(attacks))
        for _ in range(SCANS):
            for name, probes, rate in scenes(field):
                arrivals = field.attack(probes, rate)
                through.setdefault(name, []).append(len(arrivals))
                spans.setdefault(name, []).append(arrivals[-1].time - arrivals[0].time)
        guard.stop()
    figures = {
        "latency, median (ms)": round(statistics.median(times), 2),
        "latency, 99th percentile (ms)": round(times[len(times) * 99 // 100 - 1], 2),
        "latency, most (ms)": round(times[-1], 2),
    }
    for name, numbers in through.items():
        figures[f"{name}: through, median"] = statistics.median(numbers)
        figures[f"{name}: through, most"] = max(numbers)
        figures[f"{name}: last after, median (ms)"] = round(
            1000 * statistics.median(spans[name]), 1
        )
    return figures


def run() -> list[Figure]:
    """The figures of :mod:`tests.bench.live`."""
    figures = measure(200, "nflog")
    return [Figure(name, value, most=BUDGETS.get(name)) for name, value in figures.items()]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--attacks", type=int, default=200, help="whose latency is measured")
    parser.add_argument("--source", default="nflog", choices=("nflog", "capture"))
    arguments = parser.parse_args()
    figures = measure(arguments.attacks, arguments.source)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:60} {value:10}")


if __name__ == "__main__":
    main()
