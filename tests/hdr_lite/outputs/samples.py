"""An evidence and an alert to write."""

from dataclasses import replace
from typing import Any

from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence, Finding, ThreatLevel

#: 2022-06-02 16:51:57.123456789 UTC
MOMENT = 1654188717_123456789

FINDING = Finding(
    type="ConnectionToLocalDevice",
    family="policy",
    threat_level=ThreatLevel.HIGH,
    confidence=800,
    description="Detected a connection to a local device 192.168.1.12",
    attacker="192.168.1.18",
    attacker_mac="02:00:00:00:00:01",
    victim="192.168.1.12",
    port=22,
    proto="tcp",
    uids=("CAbc", "CDef"),
    category="Anomaly.Connection",
)
EVIDENCE = Evidence(
    id="00000000-0000-5000-8000-000000000001",
    ts=MOMENT,
    profile="192.168.1.18",
    window=3,
    module="local_connection_detector",
    finding=FINDING,
    accumulated=640,
)
ALERT = Alert(
    id="00000000-0000-5000-8000-000000000002",
    ts=MOMENT,
    profile="192.168.1.18",
    window=3,
    window_start=MOMENT - 10**9,
    window_end=MOMENT + 10**9,
    score=15360,
    confidence=800,
    reason="the evidence of window 3 adds up to 15.36 points (threshold 15): x",
    verb="limit",
    evidence=(EVIDENCE, replace(EVIDENCE, id="other", count=4)),
)


def evidence(**change: Any) -> Evidence:
    """The evidence with other fields in its finding."""
    return replace(EVIDENCE, finding=replace(FINDING, **change))
