"""Walks under way, and which of them are forgotten first."""

from hdr_lite.module.testing import Harness
from hdr_lite.modules.network_discovery.network_discovery import NetworkDiscovery
from hdr_lite.modules.network_discovery.walk import STEP
from hdr_lite.modules.network_discovery.walks import Key, Walks
from tests.hdr_lite.modules.network_discovery.contacts import (
    SCANNER,
    fate,
    horizontal,
    quiet,
)


def key_of(source: int) -> Key:
    """The walk of one of many sources over the hosts of a port."""
    return ("h", f"10.{source >> 8}.{source & 255}.1", "22", "tcp")


def fail(walks: Walks, key: Key, host: str) -> None:
    """One more host has not answered."""
    walk = walks.use(key)
    walk.contact(0, host, STEP)
    walks.grow(key, walk)


def test_a_success_begins_no_walk() -> None:
    """It moves only one that is known."""
    walks, key = Walks(), key_of(1)
    assert key not in walks
    assert walks.known(key) is None
    assert walks.get(key) is None
    walk = walks.use(key)
    assert key in walks
    assert walks.known(key) is walk
    assert walks.get(key) is walk


def test_forged_sources_do_not_displace_who_failed_twice() -> None:
    """One failure each pushes out others that failed once."""
    walks, once, twice = Walks(), key_of(1), key_of(2)
    fail(walks, once, "a")
    fail(walks, twice, "a")
    fail(walks, twice, "b")
    for source in range(100, 1100):
        fail(walks, key_of(source), "a")
    assert once not in walks
    walk = walks.get(twice)
    assert walk is not None
    assert walk.failures == 2


def test_a_walk_keeps_what_it_knows_when_it_moves() -> None:
    """There is one walk for a key, before and after its second failure."""
    walks, key = Walks(), key_of(1)
    fail(walks, key, "a")
    before = walks.use(key)
    fail(walks, key, "b")
    assert walks.use(key) is before


def test_a_flood_of_forged_sources_is_not_a_scan_by_each() -> None:
    """Every source has one first contact."""
    assert quiet(
        *(
            fate(i * 0.001, f"{1 + i % 200}.{i // 200 % 250}.7.7", "10.0.1.1", 80, "unanswered")
            for i in range(5000)
        )
    )


def test_a_flood_of_forged_sources_does_not_hide_a_scan() -> None:
    """Sources that failed once cannot displace the one that failed twice."""
    harness = Harness(NetworkDiscovery)
    probes = horizontal(6, step=100)
    harness.feed(*probes[:2])
    for i in range(4000):
        forged = f"{1 + i % 200}.{i // 200 % 250}.7.7"
        harness.feed(fate(150 + i * 0.001, forged, "10.0.1.1", 80, "unanswered"))
    harness.feed(*probes[2:])
    assert {f.attacker for f in harness.findings} == {SCANNER}


def test_the_order_of_failures_does_not_matter_for_the_decision() -> None:
    """The same targets in another order lead to the same kinds of evidence at the same counts."""
    probes = horizontal(30)
    shuffled = [
        fate(i * 0.1, p.saddr, p.daddr, p.dport, p.fate)
        for i, p in enumerate(sorted(probes, key=lambda p: p.daddr[::-1]))
    ]
    straight, other = Harness(NetworkDiscovery), Harness(NetworkDiscovery)
    straight.feed(*probes)
    other.feed(*shuffled)
    assert [(f.type, f.confidence) for f in straight.findings] == [
        (f.type, f.confidence) for f in other.findings
    ]
