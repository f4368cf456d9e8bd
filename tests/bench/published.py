"""The table of figures to beat, our column beside those that were published.

    python -m tests.bench.published [FILE...]

Measures what the table needs, as root; or takes figures measured before, from files that
``scripts/bench --live NAME --json`` wrote.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import live

NEEDED = ("latency", "attacks", "inline")
_CLOSED = "SYN scan at 1,000/s, closed"
_HOSTS = "SYN scan of hosts at 200/s, silent"
_UDP = "UDP scan at 1,000/s, silent"
_ROTATING = "SYN scan at 1,000/s, silent, rotating in its /64"
_NOT = "not blocked"
_ALL = "blocks itself, all four"


class Figures(dict[str, float]):
    """By name, as a person reads them."""

    def n(self, name: str) -> str:
        """A number without zeros that say nothing."""
        return f"{self[name]:g}"

    def scan(self, name: str) -> str:
        """Packets through, and when the last of them went."""
        through = self.n(f"{name}: through, median")
        return f"{through}, {self[f'{name}: last after, median (ms)']:.0f} ms"


#: What is measured; the kernel alone; Suricata 7 with a script; ours.
Row = tuple[str, str, str, Callable[[Figures], str]]
ROWS: tuple[Row, ...] = (
    (
        "scan at 1,000 ports/s: packets through, time",
        "20, 15 ms",
        "65, 59 ms",
        lambda f: f.scan(_CLOSED),
    ),
    (
        "scan unlimited",
        "20, 3 ms",
        "356, 21 ms",
        lambda f: f.scan("SYN scan, unlimited"),
    ),
    (
        "SYN scan of many hosts / UDP scan",
        "235 / 73 ms",
        "494 / 532 ms",
        lambda f: f"{f.scan(_HOSTS)} / {f.scan(_UDP)}",
    ),
    (
        "ssh guessing: passwords tried",
        _NOT,
        "48",
        lambda f: f.n("ssh guessing: passwords tried"),
    ),
    (
        "slow scan (2.5 ports/s): probes through",
        _NOT,
        _NOT,
        lambda f: f.n("slow scan: probes through"),
    ),
    (
        "IPv6 source that changes within its /64: packets through, time",
        _NOT,
        _NOT,
        lambda f: f.scan(_ROTATING),
    ),
    (
        "ARP spoof",
        _NOT,
        _NOT,
        lambda f: f"quarantined after {f.n('ARP spoof: quarantined after, s')} s",
    ),
    (
        "beacon, DNS tunnel",
        _NOT,
        _NOT,
        lambda _: "not blocked: their detectors are not written yet",
    ),
    (
        "forged source (gateway, DNS server, allow-listed, third party in use): friends lost",
        _ALL,
        _ALL,
        lambda f: f.n("forged source: friends lost, of 4"),
    ),
    (
        "`nft flush ruleset`",
        "leaks to the end",
        "leaks to the end",
        lambda f: (
            f"{f.n('flush: probes through')} probes in "
            f"{f.n('flush: the last after the first, ms')} ms, then whole"
        ),
    ),
    (
        "one minute of ordinary load",
        "client blocked",
        "nothing lost",
        lambda f: (
            f"{f.n('ordinary load: complaints')} lost, "
            f"{f.n('ordinary load: alerts and orders')} alerts or blocks"
        ),
    ),
    (
        "router throughput kept, as the kernel hands packets on",
        "0.91",
        "0.40",
        lambda f: f.n("nflog: throughput kept"),
    ),
    (
        "memory",
        "0.5 MB",
        "126 MB",
        lambda f: f"{f.n('memory of the service, after ordinary load, MiB PSS')} MiB",
    ),
)


def table(figures: Figures) -> str:
    """The table, for docs/benchmarks.md."""
    lines = [
        "| | kernel-only nft dynamic set | Suricata 7 + a script | HDR-lite |",
        "|---|---|---|---|",
    ]
    lines += [f"| {what} | {k} | {s} | {ours(figures)} |" for what, k, s, ours in ROWS]
    return "\n".join(lines)


def main(*files: str) -> None:
    """Print it."""
    rows = [row for file in files for row in json.loads(Path(file).read_text())]
    rows = rows or [figure.row() for figure in live.measure(NEEDED)]
    print(table(Figures({row["name"]: row["value"] for row in rows})))


if __name__ == "__main__":
    main(*sys.argv[1:])
