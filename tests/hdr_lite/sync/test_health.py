"""What a collector hears of a device's state."""

import msgpack

from hdr_lite.records.batch import MAX_HELD, Health, Held
from hdr_lite.sync.health import reduce
from tests.hdr_lite.cli.test_status import STATUS

BLOCKED = {
    "held": [
        {"set": "block64", "target": "2001:db8::/64", "seconds": 9, "cause": "x"},
        {"set": "quarantine", "target": "02:00:00:00:00:01", "seconds": 8, "cause": ""},
        {"set": "claims", "target": "192.0.2.9", "seconds": 7, "cause": "y"},
    ]
}


def test_of_a_whole_status() -> None:
    """Few numbers, what is lost by where, who is held."""
    assert reduce(STATUS, BLOCKED) == Health(
        version="0.1.0",
        uptime=93784,
        memory=24 << 20,
        source="capture",
        mode="block",
        drops={"kernel": 1, "interface": 2, "ring": 7, "modules": 10},
        blind=["br-lan: is down"],
        trouble=[],
        blocks=[
            Held("2001:db8::/64", "block", 9, "x"),
            Held("02:00:00:00:00:01", "quarantine", 8, ""),
            Held("192.0.2.9", "claims", 7, "y"),
        ],
    )


def test_of_a_status_that_lacks_much() -> None:
    """Processes that did not answer, no enforcer: the rest is told."""
    health = reduce({"version": "1", "sensor": {}, "engine": {}}, {"error": "there is no verb"})
    assert health == Health("1", 0, 0)
    assert reduce({}, {}) == Health("", 0, 0)


def test_it_is_bounded() -> None:
    """However many are held and whatever they are called."""
    hold = {"set": "block4", "target": "192.0.2.1", "seconds": 1, "cause": "x" * 5000}
    health = reduce({"blind": ["y" * 5000] * 500}, {"held": [hold] * 5000})
    assert len(health.blocks) == MAX_HELD
    assert len(health.blind) == 32
    assert len(msgpack.packb([health.blocks, health.blind])) < 120_000
