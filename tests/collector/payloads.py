"""Alerts as devices send them: what ``outputs/idmef.py`` makes of records."""

from typing import Any

from hdr_lite.outputs.idmef import event, incident
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence, Finding, ThreatLevel

START = 1_795_000_000_000_000_000  #: ns: 2026-11-18


def payload(
    number: int,
    *,
    attacker: str = "203.0.113.7",
    type: str = "VERTICAL_PORT_SCAN",
    family: str = "scan",
    level: ThreatLevel = ThreatLevel.HIGH,
    with_evidence: bool = True,
    ts: int = START,
) -> dict[str, Any]:
    """One alert with one evidence; ``number`` makes their ids."""
    finding = Finding(
        type, family, level, 900, f"finding {number}", attacker, victim="192.0.2.5", port=22
    )
    found = Evidence(f"e{number:08d}", ts, attacker, 1, "network_discovery", finding)
    raised = Alert(
        f"a{number:08d}", ts, attacker, 1, ts, ts, 15200, 900, f"reason {number}", "limit", (found,)
    )
    return {"alert": incident(raised), "evidence": [event(found)] if with_evidence else []}
