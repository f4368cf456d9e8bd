"""Scans, and what only looks like them."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from hdr_lite.module import Fate, Http, Probes, ThreatLevel
from hdr_lite.module.testing import SECOND, Harness, record
from hdr_lite.modules.network_discovery.network_discovery import NetworkDiscovery
from tests.hdr_lite.modules.heap import peak_of
from tests.hdr_lite.modules.network_discovery.contacts import (
    CLIENT,
    SCANNER,
    fate,
    horizontal,
    hosts,
    quiet,
    total,
    types,
    vertical,
)

# Accused -------------------------------------------------------------------------------------


def test_a_horizontal_scan_is_told_at_the_fourth_host_and_by_orders() -> None:
    """Level and confidence are Slips'; blocking from the tenth on, without proof."""
    harness = Harness(NetworkDiscovery)
    harness.feed(*horizontal(120))
    assert types(harness.findings) == {"HORIZONTAL_PORT_SCAN"}
    assert [(f.confidence, f.blocking) for f in harness.findings] == [
        (400, False),
        (1000, True),
        (1000, True),
    ]
    first = harness.findings[0]
    assert (first.attacker, first.port, first.proto, first.family) == (SCANNER, 22, "tcp", "scan")
    assert first.threat_level == ThreatLevel.HIGH
    assert not any(f.proof for f in harness.findings)
    assert first.description == (
        "TCP SYN scan of port 22 on 4 hosts such as 10.0.1.1, 10.0.1.2, 10.0.1.3, 10.0.1.4: "
        "none answered"
    )
    assert first.uids == ("C0.30000000000000004",)


@pytest.mark.parametrize("flags", [0x02, 0x00, 0x01, 0x29, 0x11, 0x10])
@pytest.mark.parametrize("outcome", ["refused", "unanswered"])
def test_vertical_tcp_scans_of_every_kind(flags: int, outcome: str) -> None:
    """SYN (or connect), NULL, FIN, Xmas, Maimon, ACK (or window)."""
    harness = Harness(NetworkDiscovery)
    harness.feed(*vertical(30, outcome, flags=flags))
    found = [f for f in harness.findings if f.type == "VERTICAL_PORT_SCAN"]
    assert [f.confidence for f in found] == [400, 1000]
    assert found[-1].blocking
    assert (found[-1].attacker, found[-1].victim) == (SCANNER, "10.0.1.1")


def test_sctp_ports_are_ports() -> None:
    """nmap -sY."""
    harness = Harness(NetworkDiscovery)
    harness.feed(*vertical(10, proto="132", flags=0))
    assert "SCTP scan" in harness.findings[0].description


def test_a_slow_scan_is_found() -> None:
    """One host in ten minutes: twelve hosts in two hours."""
    harness = Harness(NetworkDiscovery)
    harness.feed(*horizontal(12, step=600))
    assert types(harness.findings) == {"HORIZONTAL_PORT_SCAN"}


def test_a_scan_that_goes_on_is_told_again() -> None:
    """With every ten hosts more, so that whoever paused is limited again."""
    harness = Harness(NetworkDiscovery)
    harness.feed(*horizontal(60, step=300))
    counts = [int(f.description.split()[7]) for f in harness.findings]
    assert counts == pytest.approx([4, 10, 20, 30, 40, 50], abs=1)


def test_an_ip_protocol_scan() -> None:
    """Four protocols refused or silent, none of which has ports."""
    harness = Harness(NetworkDiscovery)
    for i, proto in enumerate(("2", "4", "41", "89")):
        harness.feed(fate(i, SCANNER, "10.0.1.1", 0, "refused", proto=proto, sport=0))
    (finding,) = harness.findings
    assert finding.type == "IP_PROTOCOL_SCAN"
    assert "2, 4, 41, 89" in finding.description


def test_sums_make_a_scan() -> None:
    """A fast scan reaches the module as a number, but for its first probes."""
    harness = Harness(NetworkDiscovery)
    harness.feed(fate(0, SCANNER, "10.0.1.1", 23, "unanswered"))
    harness.feed(total(dport=23, addresses=250, ports=1, attempts=250, unanswered=250))
    harness.feed(total(daddr="10.0.1.9", addresses=1, ports=900, attempts=900, refused=880))
    assert [(f.type, f.blocking) for f in harness.findings] == [
        ("HORIZONTAL_PORT_SCAN", True),
        ("VERTICAL_PORT_SCAN", True),
    ]
    assert harness.findings[1].description.startswith("TCP SYN scan of 900 ports of 10.0.1.9")
    assert harness.findings[1].description.endswith(": 880 refused, 20 did not answer")


def test_sums_of_a_scan_outside() -> None:
    """The weights of peers' ports hold for sums as well: it takes more."""
    harness = Harness(NetworkDiscovery)
    harness.feed(fate(0, SCANNER, "93.184.1.1", 2323, "refused"))
    harness.feed(total(dport=2323, addresses=6, ports=1, attempts=6, refused=6))
    assert not harness.findings
    harness.feed(total(dport=2323, addresses=30, ports=1, attempts=30, refused=30))
    assert [(f.type, f.blocking) for f in harness.findings] == [("HORIZONTAL_PORT_SCAN", True)]


def test_sums_while_nobody_answers_stay_doubtful() -> None:
    """A line that is down, and a client that tries hundreds of servers."""
    harness = Harness(NetworkDiscovery)
    for i in range(5):
        harness.feed(fate(i, CLIENT, f"93.184.1.{i}", 443, "unanswered"))
    harness.feed(total(saddr=CLIENT, dport=443, addresses=300, ports=1, attempts=300))
    assert not any(f.blocking for f in harness.findings)


def test_sums_of_one_target_or_port_are_no_scan() -> None:
    """Retries; ident."""
    assert quiet(
        total(daddr="10.0.1.1", dport=80, addresses=1, ports=1, attempts=900),
        total(proto="icmp", flags=8, addresses=1, ports=1, attempts=900),
        total(dport=113, addresses=90, ports=1, attempts=90),
        total(proto="41", addresses=90, ports=1, attempts=90),
        total(proto="tcp", flags=0x12, dport=80, addresses=90, ports=1, attempts=90),
    )


def test_sums_of_a_client_whose_answers_are_not_captured() -> None:
    """Its single fates were ignored for that; so are its sums."""
    messages = [fate(i, CLIENT, f"93.184.1.{i}", 443, "unseen") for i in range(64)]
    assert quiet(*messages, total(saddr=CLIENT, dport=443, addresses=90, ports=1, attempts=90))


def test_protocols_that_answer_or_repeat_are_no_scan() -> None:
    """A tunnel that works, and one that does not."""
    tunnel = [fate(i, CLIENT, "10.0.1.1", 0, "answered", proto="47", sport=0) for i in range(9)]
    dead = [fate(i, CLIENT, "10.0.1.2", 0, "unanswered", proto="47", sport=0) for i in range(9)]
    assert quiet(*tunnel, *dead)


# Not accused ---------------------------------------------------------------------------------


def test_retrying_one_dead_server_is_not_a_scan() -> None:
    """One contact, however often."""
    assert quiet(*(fate(i, CLIENT, "10.0.1.1", 445, "refused", sport=1024 + i) for i in range(500)))


def test_replies_that_are_never_captured_accuse_nobody() -> None:
    """The client goes on with every connection, and nothing was ever seen to answer it."""
    assert quiet(*(fate(i, CLIENT, f"93.184.1.{i}", 25, "unseen") for i in range(200)))


def test_pretending_to_go_on_hides_no_scan() -> None:
    """One refusal shows that answers to this source are captured."""
    harness = Harness(NetworkDiscovery)
    harness.feed(fate(0, SCANNER, "10.0.1.200", 22, "refused"))
    harness.feed(*horizontal(12, "unseen"))
    assert any(f.blocking for f in harness.findings)


def test_what_becomes_certain_between_orders_is_told() -> None:
    """Open hosts among the first ten leave doubts; they are gone long before the hundredth."""
    harness = Harness(NetworkDiscovery)
    for i, host in enumerate(hosts(60)):
        outcome = "answered" if i % 3 == 2 and i < 30 else "refused"
        harness.feed(fate(i, SCANNER, host, 22, outcome))
    told = [(int(f.description.split()[7]), f.blocking) for f in harness.findings]
    assert [blocking for _, blocking in told] == sorted(blocking for _, blocking in told)
    assert told[-1][1]
    assert 10 < told[-1][0] < 60


def test_sums_of_a_target_accuse_nobody() -> None:
    """They tell of a flood; who sent it is not known."""
    assert quiet(total(role="target", saddr="", daddr="10.0.1.1", dport=80, addresses=900, ports=1))


def test_traceroute_is_not_a_scan() -> None:
    """Ninety closed ports of one host, which is the point of them."""
    assert quiet(
        *(
            fate(i * 0.05, CLIENT, "93.184.1.1", 33434 + i, "unanswered", proto="udp", flags=0)
            for i in range(90)
        )
    )


def test_ident_is_not_a_scan() -> None:
    """A mail server asks back at everyone (RFC 1413)."""
    assert quiet(*(fate(i, "10.0.0.25", host, 113, "refused") for i, host in enumerate(hosts(50))))


# Bounds --------------------------------------------------------------------------------------


def of_everything(dice: Random) -> Iterator[object]:
    """Long addresses, every kind of probe, more of each than any table holds."""
    for i in range(20000):
        source = f"2001:db8:{1000 + dice.randrange(300):x}:7a7a:1111:2222:3333:{i % 9999:x}"
        target = f"2001:db8:ffff:7a7a:1111:2222:{dice.randrange(200):x}:{dice.randrange(400):x}"
        what = dice.randrange(7)
        if what == 0:
            yield fate(i * 0.01, source, target, 0, "unanswered", proto="icmp6", sport=128)
        elif what == 1:
            yield fate(i * 0.01, source, target, dice.randrange(20000, 20040), "answered")
        elif what == 2:
            sport = dice.choice([13, 15, 17])
            yield fate(i * 0.01, source, target, 0, "answered", proto="icmp", sport=sport)
        elif what == 6:
            end = (source, target, dice.randrange(20000, 20040), "left")
            yield fate(i * 0.01, *end, handshake=True, smac=f"02:00:00:00:00:{i % 90 + 10}")
        elif what == 3:
            yield record(Http, at=i * 0.01, saddr=source, daddr=target, user_agent="nikto")
        else:
            flags = dice.choice([0, 1, 2, 0x29])
            yield fate(i * 0.01, source, target, dice.randrange(1, 60), "refused", flags=flags)


def of_wide_scans(dice: Random) -> Iterator[object]:
    """Every walk sees thousands of targets."""
    for i in range(60_000):
        source, target = dice.randrange(130), dice.randrange(22500)
        port = dice.choice([22, 23, 445, 80])
        host = f"192.168.{100 + target // 150}.{100 + target % 150}"
        yield fate(i * 0.01, f"192.168.99.{100 + source}", host, port, "refused")


@pytest.mark.parametrize("traffic", [of_everything, of_wide_scans])
def test_memory_is_bounded(traffic: Callable[[Random], Iterator[object]]) -> None:
    """Whatever comes, the module stays within its budget."""
    peak = peak_of(NetworkDiscovery, traffic(Random(7)))  # noqa: S311
    assert NetworkDiscovery.budget // 2 < peak < NetworkDiscovery.budget


# Looks, blocks and streams -------------------------------------------------------------------


def looked_at(at: float, host: str, port: int) -> list[Fate]:
    """A port that answers and is given up."""
    return [fate(at, SCANNER, host, port, outcome) for outcome in ("answered", "abandoned")]


def test_ports_that_are_given_up_as_soon_as_they_answer() -> None:
    """Two are a look at a host, four a scan; health checks of one port are neither."""
    harness = Harness(NetworkDiscovery)
    for port in (80, 443, 22, 25):
        harness.feed(*looked_at(port / 100, "10.0.1.1", port))
    look, scan = harness.findings
    assert (look.type, look.threat_level, look.confidence) == (
        "SERVICE_SCAN", ThreatLevel.MEDIUM, 300,
    )  # fmt: skip
    said = "opened ports 80 and 443 of 10.0.1.1 and gave each up with nothing said"
    assert look.description == said
    assert scan.description == (
        "TCP SYN scan of 4 ports of 10.0.1.1 such as 80, 443, 22, 25: "
        "all given up as soon as they answered"
    )
    assert quiet(*(f for i in range(90) for f in looked_at(i * 5, "10.0.1.1", 80)))


def test_one_port_given_up_on_many_hosts() -> None:
    """Ten inside; never blocking, for balancers do it, too."""
    harness = Harness(NetworkDiscovery)
    for i, host in enumerate(hosts(9)):
        harness.feed(*looked_at(i, host, 445))
    assert not harness.findings
    for i, host in enumerate(hosts(30, "10.0.2")):
        harness.feed(*looked_at(10 + i, host, 445))
    assert types(harness.findings) == {"HORIZONTAL_PORT_SCAN"}
    assert not any(f.blocking for f in harness.findings)


def test_a_walk_over_hosts_and_ports() -> None:
    """Six hosts, each on another port; not when as many answer, and never blocking."""
    harness = Harness(NetworkDiscovery)
    harness.feed(*(fate(i, SCANNER, h, 20 + i, "unanswered") for i, h in enumerate(hosts(40))))
    first = harness.findings[0]
    assert first.type == "HORIZONTAL_PORT_SCAN"
    assert first.description == (
        "TCP SYN scan of 6 hosts such as 10.0.1.1, 10.0.1.2, 10.0.1.3, 10.0.1.4, 10.0.1.5, "
        "on ports such as 20, 21, 22: none answered"
    )
    assert [f.confidence for f in harness.findings] == [600, 1000]
    assert not any(f.blocking for f in harness.findings)
    mixed = [
        fate(i, CLIENT, h, 20 + i, "unanswered" if i % 2 else "answered")
        for i, h in enumerate(hosts(40))
    ]
    assert quiet(*mixed)


def test_streams_of_datagrams_are_no_questions() -> None:
    """Telephone calls to one gateway, answered elsewhere."""
    fates = [
        fate(i, CLIENT, "10.0.1.1", 16384 + 2 * i, "unseen", proto="udp", flags=0)
        for i in range(40)
    ]
    assert quiet(fate(0, CLIENT, "10.0.1.1", 53, "answered", proto="udp"), *fates)


def tried(**fields: Any) -> Probes:
    """Ten ports of a host inside that nothing has answered yet."""
    usual: dict[str, Any] = {
        "saddr": SCANNER, "sport": 40000, "daddr": "10.0.1.1", "dport": 4711, "proto": "tcp",
        "flags": 2, "hosts": 1, "ports": 10,
    }  # fmt: skip
    return record(Probes, at=10, **(usual | fields))


def test_a_scan_is_known_before_its_fates() -> None:
    """Ten ports of a host inside, ten hosts of a port; twenty outside, or for UDP."""
    for fields, kind in (
        ({}, "VERTICAL_PORT_SCAN"),
        ({"hosts": 10, "ports": 1}, "HORIZONTAL_PORT_SCAN"),
        ({"proto": "udp", "flags": 0, "sport": 4000, "ports": 20}, "VERTICAL_PORT_SCAN"),
        ({"daddr": "198.51.100.7", "ports": 20}, "VERTICAL_PORT_SCAN"),
    ):
        harness = Harness(NetworkDiscovery)
        harness.feed(tried(**fields))
        (finding,) = harness.findings
        assert (finding.type, finding.blocking, finding.confidence) == (kind, True, 1000)


@pytest.mark.parametrize(
    "fields",
    [
        {"answered": 1},
        {"ports": 13, "daddr": "198.51.100.7"},
        {"proto": "udp", "flags": 0, "ports": 12},
        {"proto": "udp", "flags": 0, "ports": 40, "dport": 33450},  # traceroute
        {"proto": "udp", "flags": 0, "ports": 40, "sport": 443, "dport": 50000},  # answers
        {"hosts": 40, "ports": 1, "daddr": "198.51.100.7", "dport": 443},  # a browser
        {"hosts": 40, "ports": 1, "dport": 113},
        {"flags": 0x12, "ports": 40},  # backscatter
        {"proto": "icmp", "hosts": 40, "ports": 1},
    ],
)
def test_what_is_left_to_the_fates(fields: dict[str, Any]) -> None:
    """Whatever may well be answered a moment later, or ordinary programs do."""
    harness = Harness(NetworkDiscovery)
    harness.feed(tried(**fields))
    assert harness.findings == []


def test_who_was_answered_before_is_left_to_the_fates() -> None:
    """Monitoring: most of the services that it asks of a host have answered it."""
    harness = Harness(NetworkDiscovery)
    target = "10.0.1.1"
    harness.feed(fate(1, SCANNER, target, 9, "refused"))
    harness.feed(*(fate(2, SCANNER, target, port, "answered") for port in (22, 25, 80)))
    harness.feed(tried(ports=12))
    assert harness.findings == []


def test_fates_that_were_foreseen_count_once() -> None:
    """Ten were foreseen; when twenty have failed that is told, and not when ten have."""
    harness = Harness(NetworkDiscovery)
    harness.feed(tried(), *vertical(20))
    assert [f.description.split()[4] for f in harness.findings] == ["10"]
    harness.feed(*(f._replace(ts=90 * SECOND, dport=100 + f.dport) for f in vertical(2)))
    told = [int(f.description.split()[4]) for f in harness.findings]
    assert told == [10, pytest.approx(20, abs=1)]


def test_a_scan_that_pauses_is_told_again() -> None:
    """The same ten ports, a minute later: nothing is new but that it goes on."""
    harness = Harness(NetworkDiscovery)
    harness.feed(tried())
    harness.feed(tried()._replace(ts=75 * SECOND))
    assert len(harness.findings) == 2
