"""First contacts as the meter tells them, and what a fresh module makes of them."""

from collections.abc import Iterator
from typing import Any

from hdr_lite.module import Attempts, Fate, Finding
from hdr_lite.module.testing import Harness, record
from hdr_lite.modules.network_discovery.network_discovery import NetworkDiscovery

SCANNER, CLIENT = "10.0.0.66", "10.0.0.7"


def fate(at: float, saddr: str, daddr: str, dport: int, outcome: str, **fields: Any) -> Fate:
    """A fate of a TCP connection opened by SYN from a high port, unless said otherwise."""
    usual: dict[str, Any] = {"proto": "tcp", "flags": 2, "sport": 40000, "uid": f"C{at}"}
    return record(
        Fate, at=at, saddr=saddr, daddr=daddr, dport=dport, fate=outcome, **(usual | fields)
    )


def hosts(count: int, net: str = "10.0.1") -> Iterator[str]:
    return (f"{net}.{i + 1}" for i in range(count))


def horizontal(
    count: int, outcome: str = "unanswered", step: float = 0.1, **fields: Any
) -> list[Fate]:
    """One source tries port 22 of so many inside hosts."""
    return [
        fate(i * step, SCANNER, host, 22, outcome, **fields) for i, host in enumerate(hosts(count))
    ]


def vertical(
    count: int, outcome: str = "refused", target: str = "10.0.1.1", **fields: Any
) -> list[Fate]:
    """One source tries so many ports of one host."""
    return [fate(i * 0.1, SCANNER, target, 1 + i, outcome, **fields) for i in range(count)]


def types(findings: list[Finding]) -> set[str]:
    return {finding.type for finding in findings}


def quiet(*messages: object) -> bool:
    """Whether a fresh module finds nothing in the messages."""
    return not Harness(NetworkDiscovery).feed(*messages)


def total(**fields: Any) -> Attempts:
    """A sum of one source's failures within ten seconds."""
    usual: dict[str, Any] = {"role": "source", "saddr": SCANNER, "proto": "tcp", "flags": 2}
    return record(Attempts, at=10, **(usual | fields))
