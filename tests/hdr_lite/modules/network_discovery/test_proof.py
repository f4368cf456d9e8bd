"""What proves that a scan is the accused's own, and what a forger gets."""

from collections.abc import Iterable
from typing import Any

import pytest

from hdr_lite.module import Attempts, Fate, Finding, Probes
from hdr_lite.module.testing import Harness, record
from hdr_lite.modules.network_discovery.network_discovery import NetworkDiscovery
from hdr_lite.modules.network_discovery.proof import HABIT, TOGETHER

HOST, SERVER = "10.0.0.66", "203.0.113.9"
MAC, OTHER = "02:00:00:00:00:66", "02:00:00:00:00:77"
_SECOND = 1_000_000_000
MINUTE, HOUR = TOGETHER // _SECOND, HABIT // _SECOND


def fate(at: float, daddr: str, dport: int, outcome: str, **fields: Any) -> Fate:
    """Of a connection that the host opens."""
    usual: dict[str, Any] = {
        "saddr": HOST, "proto": "tcp", "flags": 2, "sport": 40000, "uid": f"C{at}", "smac": MAC,
    }  # fmt: skip
    return record(Fate, at=at, daddr=daddr, dport=dport, fate=outcome, **(usual | fields))


def looks(
    at: float, ends: Iterable[tuple[str, int]], outcome: str = "left", **fields: Any
) -> list[Fate]:
    """Connections that are opened by a whole handshake, and left without a word."""
    usual = {"handshake": True} | fields
    return [
        told
        for host, port in ends
        for told in (
            fate(at, host, port, "answered", **fields),
            fate(at + 0.01, host, port, outcome, **usual),
        )
    ]


def closed(at: float, ports: Iterable[int], **fields: Any) -> list[Fate]:
    """Ports of the server that refuse."""
    return [fate(at + n * 0.01, SERVER, port, "refused", **fields) for n, port in enumerate(ports)]


OPEN = [(SERVER, 22), (SERVER, 80)]
PORTS = range(1000, 1020)


def found(*records: object) -> list[Finding]:
    """What is told of scans by walks."""
    harness = Harness(NetworkDiscovery)
    harness.feed(*records)
    return [f for f in harness.findings if f.type.endswith("PORT_SCAN")]


def proven(*records: object) -> bool:
    """Whether any of it has proof."""
    return any(finding.proof for finding in found(*records))


@pytest.mark.parametrize("outcome", ["left", "abandoned"])
@pytest.mark.parametrize("before", [True, False])
def test_connect_scan_of_one_host(outcome: str, before: bool) -> None:
    """Two open ports among the closed, whichever come first; with the MAC, and blocking."""
    first, then = (0, 5) if before else (5, 0)
    records = looks(first, OPEN, outcome) + closed(then, PORTS)
    findings = found(*sorted(records, key=lambda r: r.ts))
    last = findings[-1]
    assert [f.proof for f in findings].count(True) == 1
    assert last.proof
    assert last.blocking
    assert (last.attacker, last.attacker_mac, last.victim) == (HOST, MAC, SERVER)
    assert "2 opened with a whole handshake and left without a word" in last.description


def test_connect_scan_of_one_port() -> None:
    """Two hosts among many."""
    hosts = [f"10.0.1.{n}" for n in range(1, 31)]
    records = looks(0, [(host, 22) for host in hosts[:2]])
    records += [fate(1 + n, host, 22, "unanswered") for n, host in enumerate(hosts[2:])]
    first = next(finding for finding in found(*records) if finding.proof)
    assert (first.type, first.attacker_mac, first.port) == ("HORIZONTAL_PORT_SCAN", MAC, 22)


def test_connect_scan_that_is_summed() -> None:
    """Its failures are told as a sum, which carries the MAC if all of them do."""
    total = record(
        Attempts, first=0, last=9 * _SECOND, at=10, role="source", saddr=HOST, daddr=SERVER,
        proto="tcp", flags=2, attempts=90, refused=90, addresses=1, ports=90, smac=MAC,
    )  # fmt: skip
    begun = looks(0, OPEN) + closed(1, PORTS[:3])
    assert proven(*begun, total)
    assert not proven(*begun, total._replace(smac=""))


def test_what_is_foreseen_waits_for_fates() -> None:
    """A burst names the latest frame's MAC only: the fates that follow tell whose it was."""
    burst = record(
        Probes, at=1, saddr=HOST, sport=40000, daddr=SERVER, dport=1009, proto="tcp", flags=2,
        hosts=1, ports=20, answered=0, smac=MAC,
    )  # fmt: skip
    begun = [*looks(0, OPEN), burst]
    assert not proven(*begun)
    assert proven(*begun, *closed(2, PORTS[:10]))
    assert not proven(*begun, *closed(2, PORTS[:10], smac=OTHER))


def test_syn_scan_has_no_proof() -> None:
    """Open ports that are reset in the middle of the handshake."""
    assert not proven(*looks(0, OPEN, "abandoned", handshake=False), *closed(1, PORTS))


def test_ordinary_connections_are_no_proof() -> None:
    """Somebody scans in the name of a client, who talks with that very server."""
    talks = [fate(n, SERVER, port, "answered") for n, port in enumerate((22, 80, 443))]
    assert not proven(*talks, *closed(4, PORTS))


def test_one_look_is_no_proof() -> None:
    """A browser opens a connection too many now and then; looks at others do not count."""
    assert not proven(*looks(0, OPEN[:1]), *closed(1, PORTS))
    elsewhere = [("203.0.113.10", 22), ("203.0.113.11", 22)]
    assert not proven(*looks(0, [*OPEN[:1], *elsewhere]), *closed(1, PORTS))


def test_looks_under_another_mac_are_no_proof() -> None:
    """Neither of a neighbour in whose name somebody scans, nor the scanner's."""
    assert not proven(*looks(0, OPEN), *closed(1, PORTS, smac=OTHER))
    mixed = [*closed(1, PORTS[:10]), *closed(2, PORTS[10:], smac=OTHER), *closed(3, PORTS[:9])]
    assert not any(
        finding.proof
        for finding in found(*closed(0, PORTS[:1], smac=OTHER), *looks(1, OPEN), *mixed)
    )


def test_a_neighbours_looks_accuse_nobody() -> None:
    """He in whose name somebody scans opens a port: it is no report of the scan, with his MAC."""
    scan = closed(0, PORTS, smac=OTHER)
    before = found(*scan)
    assert found(*scan, *looks(20, OPEN)) == before
    assert {finding.attacker_mac for finding in before} == {OTHER}


def test_looks_long_ago_are_no_proof() -> None:
    """They must be of the scan: within a minute of its failures, before or after."""
    assert not proven(*looks(0, OPEN), *closed(MINUTE + 1, PORTS))
    assert not proven(*closed(0, PORTS), *looks(MINUTE + 1, OPEN))


def test_habits_are_no_proof() -> None:
    """Who watches over a server opens its ports again and again; after an hour it is news."""
    watch = [told for n in range(5) for told in looks(n * MINUTE * 2, OPEN)]
    assert not proven(*watch, *closed(8 * MINUTE + 5, PORTS))
    later = 8 * MINUTE + HOUR + 5
    assert proven(*watch, *looks(later, OPEN), *closed(later + 1, PORTS))


@pytest.mark.parametrize(("net", "proof"), [("203.0.113", False), ("10.0.1", True)])
def test_many_web_servers_outside_are_no_proof(net: str, proof: bool) -> None:
    """Browsers open what they then do not need; inside that is no habit of theirs."""
    hosts = [f"{net}.{n}" for n in range(1, 40)]
    records = looks(0, [(host, 443) for host in hosts[:4]])
    records += [fate(1 + n, host, 443, "refused") for n, host in enumerate(hosts[4:])]
    assert any(f.blocking for f in found(*records))
    assert proven(*records) is proof


def test_outside_scanner() -> None:
    """With proof it becomes a block: the same rule, whatever the gateway's MAC is."""
    records = looks(0, OPEN, saddr="198.51.100.4", smac="") + closed(
        1, PORTS, saddr="198.51.100.4", smac=""
    )
    assert proven(*records)


def test_others_looks_are_no_proof() -> None:
    """Another host's."""
    assert not proven(*looks(0, OPEN, saddr="10.0.0.7"), *closed(1, PORTS))
