"""One kind of ICMP request to many hosts."""

import pytest

from hdr_lite.module import Attempts, Fate, ThreatLevel
from hdr_lite.module.testing import SECOND, Harness, record
from hdr_lite.modules.network_discovery.network_discovery import NetworkDiscovery
from hdr_lite.modules.network_discovery.sweeps import Sweep, Sweeps
from tests.hdr_lite.modules.network_discovery.contacts import (
    CLIENT,
    SCANNER,
    fate,
    hosts,
    quiet,
    total,
    types,
)


def test_a_sweep_of_silent_hosts_is_told_early_and_by_doublings() -> None:
    """Half of the least number, when none of them answers; then 10, 20, 40."""
    sweep, told = Sweep(), []
    for i in range(50):
        sweep.contact(i, f"10.0.0.{i}", False)
        if sweep.is_news(10):
            told.append((sweep.hosts, sweep.confidence))
    assert [hosts for hosts, _ in told] == [5, 10, 20, 40]
    assert [confidence for _, confidence in told] == [200, 400, 800, 800]


def test_a_sweep_of_live_hosts_needs_ten_in_a_minute() -> None:
    """Its confidence is Slips': low until hundreds."""
    fast, slow = Sweep(), Sweep()
    for i in range(12):
        fast.contact(i * SECOND, f"10.0.0.{i}", True)
        slow.contact(i * 30 * SECOND, f"10.0.0.{i}", True)
    assert fast.is_news(10)
    assert 11 <= fast.hosts <= 12
    assert fast.confidence == (fast.hosts - 5) * 4
    assert not slow.is_news(10)


def test_a_slow_sweep_of_silent_hosts_is_found() -> None:
    """The walk has no hurry."""
    sweep = Sweep()
    told = []
    for i in range(8):
        sweep.contact(i * 600 * SECOND, f"10.0.0.{i}", False)
        if sweep.is_news(10):
            told.append(sweep.hosts)
    assert told == [5]


def test_a_sum_makes_a_sweep() -> None:
    """Hosts that did not answer, told as a number."""
    sweep = Sweep()
    sweep.total(250)
    assert sweep.is_news(10)
    assert (sweep.hosts, sweep.silent) == (250, 250)
    assert sweep.confidence == 980


def test_a_sweep_in_turn() -> None:
    """Of either family; a step back, another network or a pause begins anew."""
    turns = {
        True: [[f"10.0.0.{2 * i}" for i in range(5)], [f"fd00::{8 + i:x}" for i in range(5)]],
        False: [[f"10.0.{i}.{i}" for i in range(5)], [f"10.0.0.{9 - i}" for i in range(5)]],
    }
    for told, lists in turns.items():
        for addresses in lists:
            sweep = Sweep()
            for i, address in enumerate(addresses):
                sweep.contact(i * SECOND // 10, address, True)
            assert sweep.is_news(10) is told


def test_live_hosts_outside_count_for_less() -> None:
    """Five times as many of them are needed as inside; sources and kinds are apart."""
    for inside, least in ((True, 10), (False, 50)):
        sweeps = Sweeps()
        for i in range(60):
            fate = record(Fate, daddr=f"192.0.{i}.{i}", sport=8, fate="answered")
            assert (
                sweeps.contact(i, "other", record(Fate, daddr="192.0.2.1", sport=13), True) is None
            )
            sweep = sweeps.contact(i * SECOND // 2, "source", fate, inside)
            if sweep is not None:
                break
        assert sweep is not None
        assert least <= sweep.hosts <= least + 3


def test_sums_of_one_host_or_of_other_types_are_no_sweep() -> None:
    """Of a type that is asked of many hosts, the sum is told."""
    sweeps = Sweeps()
    assert sweeps.total("source", record(Attempts, flags=8, addresses=1)) is None
    assert sweeps.total("source", record(Attempts, flags=5, addresses=250)) is None
    sweep = sweeps.total("source", record(Attempts, flags=8, addresses=250))
    assert sweep is not None
    assert sweep.hosts == 250


@pytest.mark.parametrize("icmp_type", [8, 128])
def test_an_icmp_sweep(icmp_type: int) -> None:
    """Echo requests to silent and to live hosts."""
    harness = Harness(NetworkDiscovery)
    for i, host in enumerate(hosts(20)):
        outcome = "answered" if i % 2 else "unanswered"
        harness.feed(fate(i * 0.1, SCANNER, host, 0, outcome, proto="icmp", sport=icmp_type))
    assert types(harness.findings) == {"ICMP_ADDRESS_SCAN"}
    assert all(f.threat_level == ThreatLevel.MEDIUM for f in harness.findings)
    assert not any(f.blocking for f in harness.findings)


@pytest.mark.parametrize(
    ("icmp_type", "type"), [(13, "ICMP_TIMESTAMP_SCAN"), (17, "ICMP_ADDRESS_MASK_SCAN")]
)
def test_rare_icmp_requests_to_three_hosts(icmp_type: int, type: str) -> None:
    """Nobody has a reason to ask many hosts for these."""
    harness = Harness(NetworkDiscovery)
    for i, host in enumerate(hosts(3)):
        harness.feed(fate(i, SCANNER, host, 0, "answered", proto="icmp", sport=icmp_type))
    assert types(harness.findings) == {type}


def test_a_sum_of_echo_requests_is_a_sweep() -> None:
    """flags is the ICMP type in sums."""
    harness = Harness(NetworkDiscovery)
    harness.feed(total(proto="icmp", flags=8, addresses=200, ports=1, attempts=200))
    assert types(harness.findings) == {"ICMP_ADDRESS_SCAN"}


def test_monitoring_of_live_hosts_by_echo_is_not_accused() -> None:
    """Nine hosts each minute, and a ping that nobody answers."""
    messages = [
        fate(minute * 60 + i, CLIENT, host, 0, "answered", proto="icmp", sport=8)
        for minute in range(20)
        for i, host in enumerate(hosts(9))
    ]
    lost = [
        fate(2000 + i, CLIENT, "10.0.9.9", 0, "unanswered", proto="icmp", sport=8)
        for i in range(50)
    ]
    assert quiet(*messages, *lost)


def test_pings_to_live_hosts_outside_are_not_accused() -> None:
    """Forty servers within a minute, as games and speed tests ask them; sixty are a sweep."""
    messages = [
        fate(i, CLIENT, f"93.184.1.{i}", 0, "answered", proto="icmp", sport=8) for i in range(40)
    ]
    assert quiet(*messages)
    more = [
        fate(40 + i / 2, CLIENT, f"93.184.2.{i}", 0, "answered", proto="icmp", sport=8)
        for i in range(30)
    ]
    assert not quiet(*messages, *more)


def test_other_icmp_is_not_looked_at() -> None:
    """Neighbour discovery asks for many addresses."""
    assert quiet(*(
        fate(i, CLIENT, host, 0, "unanswered", proto="icmp6", sport=135)
        for i, host in enumerate(hosts(50))
    ))  # fmt: skip


def test_a_sweep_in_turn_needs_five() -> None:
    """Live hosts inside, in the order of their numbers, one soon after the other."""
    harness = Harness(NetworkDiscovery)
    for i, host in enumerate(hosts(5)):
        harness.feed(fate(i * 0.1, SCANNER, host, 0, "answered", proto="icmp", sport=8))
    (finding,) = harness.findings
    assert (finding.type, finding.confidence) == ("ICMP_ADDRESS_SCAN", 200)
