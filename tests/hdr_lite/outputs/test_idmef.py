"""Evidence and alerts as IDMEFv2."""

import json
from dataclasses import replace

import pytest

from hdr_lite.outputs.idmef import event, incident
from hdr_lite.records.evidence import ThreatLevel
from tests.hdr_lite.outputs.samples import ALERT, EVIDENCE, FINDING, evidence


def test_event() -> None:
    """An evidence has Slips' fields and ours beside them."""
    made = event(EVIDENCE)
    assert made["Version"] == "2.0.3"
    assert made["Status"] == "Event"
    assert made["ID"] == EVIDENCE.id
    assert made["Severity"] == "High"
    assert made["StartTime"] == made["CreateTime"] == "2022-06-02T16:51:57.123456Z"
    assert made["Confidence"] == 0.8
    assert made["Source"] == [
        {"IP": "192.168.1.18", "MAC": "02:00:00:00:00:01", "Protocol": ["tcp"]}
    ]
    assert made["Target"] == [{"IP": "192.168.1.12", "Port": [22]}]
    assert json.loads(made["Note"]) == {
        "uids": ["CAbc", "CDef"],
        "accumulated_threat_level": 0.64,
        "threat_level": "high",
        "confidence": "High",
        "timewindow": 3,
    }
    assert made["hdr_lite"]["type"] == "ConnectionToLocalDevice"
    assert made["hdr_lite"]["family"] == "policy"


def test_incident() -> None:
    """An alert names its evidence, its sum and the end of its window."""
    made = incident(ALERT)
    assert made["Status"] == "Incident"
    assert made["CorrelID"] == [EVIDENCE.id, "other"]
    assert made["Source"] == [{"IP": "192.168.1.18", "MAC": "02:00:00:00:00:01"}]
    assert json.loads(made["Note"]) == {
        "accumulated_threat_level": 15.36,
        "timewindow": 3,
        "EndTime": "2022-06-02T16:51:58.123456Z",
    }
    ours = made["hdr_lite"]
    assert (ours["type"], ours["family"]) == (["ConnectionToLocalDevice"], ["policy"])
    assert (ours["verb"], ours["count"], ours["threat_level"]) == ("limit", 5, "high")


def test_alert_about_a_64_names_an_address() -> None:
    """The source of an alert is an address also where the profile is a /64."""
    accused = replace(EVIDENCE, finding=replace(FINDING, attacker="2001:db8::9", attacker_mac=""))
    made = incident(replace(ALERT, profile="2001:db8::/64", evidence=(EVIDENCE, accused)))
    assert made["Source"] == [{"IP": "2001:db8::9", "MAC": "02:00:00:00:00:01"}]
    assert made["hdr_lite"]["profile"] == "2001:db8::/64"


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (ThreatLevel.INFO, "Info"),
        (ThreatLevel.LOW, "Low"),
        (ThreatLevel.MEDIUM, "Medium"),
        (ThreatLevel.CRITICAL, "High"),
    ],
)
def test_severity(level: ThreatLevel, severity: str) -> None:
    """IDMEF's four severities; critical is High."""
    assert event(evidence(threat_level=level))["Severity"] == severity


@pytest.mark.parametrize(
    ("confidence", "label"), [(549, "Low"), (550, "Medium"), (799, "Medium"), (800, "High")]
)
def test_confidence_label(confidence: int, label: str) -> None:
    """Slips' words for a confidence."""
    assert json.loads(event(evidence(confidence=confidence))["Note"])["confidence"] == label


def test_nobody_attacked() -> None:
    """Without victim and port there is no target; a domain is a host name."""
    assert "Target" not in event(evidence(victim="", port=0))
    assert event(evidence(victim="a.org", port=0))["Target"] == [{"Hostname": "a.org"}]
    bare = event(evidence(attacker_mac="", proto=""))
    assert bare["Source"] == [{"IP": "192.168.1.18"}]
