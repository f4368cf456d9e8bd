"""The export as STIX 2.1."""

from dataclasses import replace

from hdr_lite.collector.stix import bundle
from hdr_lite.collector.store import Alert

ALERT = Alert(
    number=5, device="d" * 32, id="a", received=1_795_000_001_000, time=1_795_000_000_500,
    told=0, clock="", attacker="203.0.113.7", mac="", victim="", port=0, profile="203.0.113.7",
    types=["VERTICAL_PORT_SCAN"], families=["scan"], level="high", score=15.0, confidence=0.9,
    verb="limit", count=3, description="reason",
)  # fmt: skip


def test_attacker_once_sighting_for_each_alert():
    """Ids follow from content: the same alert has the same in every export."""
    alerts = [
        ALERT,
        replace(ALERT, number=6, time=1_795_000_000_000),
        replace(ALERT, attacker="2001:db8::/64", number=7),
    ]
    first, second = bundle(alerts), bundle(alerts)
    assert first["id"] != second["id"]
    assert first["objects"] == second["objects"]
    of = {
        kind: [o for o in first["objects"] if o["type"] == kind]
        for kind in ("indicator", "sighting", "identity")
    }
    assert [i["pattern"] for i in of["indicator"]] == [
        "[ipv4-addr:value = '203.0.113.7']",
        "[ipv6-addr:value = '2001:db8::/64']",
    ]
    assert of["indicator"][0]["valid_from"] == "2026-11-18T11:06:40.000Z"
    assert len(of["sighting"]) == 3
    assert len(of["identity"]) == 2
    assert of["sighting"][0]["sighting_of_ref"] == of["indicator"][0]["id"]
    assert of["sighting"][0]["where_sighted_refs"] == [of["identity"][1]["id"]]
    assert of["sighting"][0]["confidence"] == 90
    assert len({o["id"] for o in first["objects"]}) == len(first["objects"])


def test_what_is_no_address_is_left_out():
    """Nothing that a device made up gets into a pattern."""
    objects = bundle([replace(ALERT, attacker="x' OR 'y")])["objects"]
    assert [o["type"] for o in objects] == ["identity"]
