"""The seed's module, typed."""

from hdr_lite.module import Flow, ThreatLevel
from hdr_lite.module.testing import Harness, record
from hdr_lite.modules.local_connection_detector.local_connection_detector import (
    LocalConnectionDetector,
)


def test_private_to_private_is_reported() -> None:
    """The evidence is the seed's: type, level, confidence and words."""
    harness = Harness(LocalConnectionDetector)
    (finding,) = harness.feed(record(Flow, at=3, saddr="192.168.1.18", daddr="192.168.1.12"))
    assert finding.type == "ConnectionToLocalDevice"
    assert (finding.threat_level, finding.confidence) == (ThreatLevel.HIGH, 800)
    assert finding.description == "Detected a connection to a local device 192.168.1.12"
    assert (finding.attacker, finding.victim) == ("192.168.1.18", "192.168.1.12")
    assert finding.ts == 3_000_000_000


def test_a_public_side_is_not() -> None:
    """Either side public: nothing to say."""
    harness = Harness(LocalConnectionDetector)
    assert not harness.feed(record(Flow, saddr="192.168.1.18", daddr="1.1.1.1"))
    assert not harness.feed(record(Flow, saddr="1.1.1.1", daddr="192.168.1.18"))


def test_it_is_shipped_switched_off() -> None:
    """It would accuse every LAN."""
    assert not LocalConnectionDetector.enabled_by_default
