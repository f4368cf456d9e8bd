"""Evidence and alerts as IDMEFv2 objects (draft-lehmann-idmefv2, version 2.0.3).

As Slips writes them: evidence has Status ``Event``, an alert ``Incident`` with the ids of its
evidence in CorrelID; ``Note`` is JSON text. What IDMEF has no place for is in ``hdr_lite``.
All times are the traffic's, so that the same input gives the same bytes.
"""

import json
from typing import Any

from hdr_lite import __version__
from hdr_lite.outputs.evidence_jsonl import is_address
from hdr_lite.outputs.text import iso_time
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence, Finding, ThreatLevel

VERSION = "2.0.3"
ANALYZER = {
    "IP": "0.0.0.0",  # noqa: S104 - the sensor has no address of its own, as Slips writes it
    "Name": "HDR-lite",
    "Model": f"HDR-lite {__version__}",
    "Category": ["NIDS"],
    "Data": ["Flow", "Network"],
    "Method": ["Heuristic"],
}
#: IDMEFv2 knows nothing above High.
_SEVERITY = {
    ThreatLevel.INFO: "Info",
    ThreatLevel.LOW: "Low",
    ThreatLevel.MEDIUM: "Medium",
    ThreatLevel.HIGH: "High",
    ThreatLevel.CRITICAL: "High",
}


def event(evidence: Evidence) -> dict[str, Any]:
    """An evidence."""
    finding = evidence.finding
    target = _target(finding)
    return {
        "Version": VERSION,
        "Analyzer": ANALYZER,
        "Status": "Event",
        "ID": evidence.id,
        "Severity": _SEVERITY[finding.threat_level],
        "StartTime": iso_time(evidence.ts),
        "CreateTime": iso_time(evidence.ts),
        "Confidence": finding.confidence / 1000,
        "Description": finding.description,
        "Source": [_source(finding)],
        **({"Target": [target]} if target else {}),
        "Note": json.dumps(
            {
                "uids": list(finding.uids),
                "accumulated_threat_level": evidence.accumulated / 1000,
                "threat_level": finding.threat_level.name.lower(),
                "confidence": _label(finding.confidence),
                "timewindow": evidence.window,
            }
        ),
        "hdr_lite": {
            "type": finding.type,
            "family": finding.family,
            "profile": evidence.profile,
            "window": evidence.window,
            "threat_level": finding.threat_level.name.lower(),
            "direction": finding.direction,
            "module": evidence.module,
            "category": finding.category,
            "blocking": finding.blocking,
            "proof": finding.proof,
            "count": evidence.count,
        },
    }


def incident(alert: Alert) -> dict[str, Any]:
    """An alert."""
    findings = [evidence.finding for evidence in alert.evidence]
    return {
        "Version": VERSION,
        "Analyzer": ANALYZER,
        "Status": "Incident",
        "ID": alert.id,
        "Severity": "High",
        "StartTime": iso_time(alert.window_start),
        "CreateTime": iso_time(alert.ts),
        "Confidence": alert.confidence / 1000,
        "Description": alert.reason,
        "Source": [_accused(alert, findings)],
        "CorrelID": [evidence.id for evidence in alert.evidence],
        "Note": json.dumps(
            {
                "accumulated_threat_level": alert.score / 1000,
                "timewindow": alert.window,
                "EndTime": iso_time(alert.window_end),
            }
        ),
        "hdr_lite": {
            "type": list(dict.fromkeys(finding.type for finding in findings)),
            "family": list(dict.fromkeys(finding.family for finding in findings)),
            "profile": alert.profile,
            "window": alert.window,
            "threat_level": max(finding.threat_level for finding in findings).name.lower(),
            "score": alert.score / 1000,
            "verb": alert.verb,
            "count": sum(evidence.count for evidence in alert.evidence),
        },
    }


def _source(finding: Finding) -> dict[str, Any]:
    """The accused. Ports belong to the side that was attacked."""
    source: dict[str, Any] = {"IP": finding.attacker}
    if finding.attacker_mac:
        source["MAC"] = finding.attacker_mac
    if finding.proto:
        source["Protocol"] = [finding.proto]
    return source


def _target(finding: Finding) -> dict[str, Any]:
    target: dict[str, Any] = {}
    if finding.victim:
        target["IP" if is_address(finding.victim) else "Hostname"] = finding.victim
    if finding.port:
        target["Port"] = [finding.port]
    return target


def _accused(alert: Alert, findings: list[Finding]) -> dict[str, Any]:
    """The profile; of a /64, the address that was accused last."""
    macs = [finding.attacker_mac for finding in findings if finding.attacker_mac]
    address = findings[-1].attacker if "/" in alert.profile else alert.profile
    return {"IP": address, **({"MAC": macs[-1]} if macs else {})}


def _label(confidence: int) -> str:
    """Slips' words for a confidence."""
    if confidence >= 800:
        return "High"
    return "Medium" if confidence >= 550 else "Low"
