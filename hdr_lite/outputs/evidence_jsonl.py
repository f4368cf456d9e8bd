"""evidence.jsonl: a JSON object per evidence.

An evidence is written when it is raised, with ``count`` 1. If it was repeated, a second
object with the same ``id``, the final ``count`` and the uids gathered follows once its
window has closed (or the run has ended): the last object of an id is the one that counts.
"""

import json
from typing import Any

from hdr_lite.outputs.file import FileOutput
from hdr_lite.outputs.text import seconds
from hdr_lite.records.evidence import Evidence, Finding


def evidence_object(evidence: Evidence) -> dict[str, Any]:
    """``ts`` in seconds, ``confidence`` from 0 to 1; ``victim`` is empty where there is none."""
    finding = evidence.finding
    return {
        "id": evidence.id,
        "ts": seconds(evidence.ts),
        "profile": evidence.profile,
        "window": evidence.window,
        "type": finding.type,
        "family": finding.family,
        "threat_level": finding.threat_level.name.lower(),
        "confidence": finding.confidence / 1000,
        "attacker": {
            "ip": finding.attacker,
            "mac": finding.attacker_mac,
            "direction": finding.direction,
        },
        "victim": victim_object(finding),
        "port": finding.port,
        "proto": finding.proto,
        "description": finding.description,
        "module": evidence.module,
        "uids": list(finding.uids),
        "count": evidence.count,
    }


def victim_object(finding: Finding) -> dict[str, str]:
    """``ip`` or ``domain``."""
    if not finding.victim:
        return {}
    return {"ip" if is_address(finding.victim) else "domain": finding.victim}


def is_address(text: str) -> bool:
    """Whether a victim is an address and not a domain: those hold no colon and end in no digit.

    RFC 3696, 2: a top-level domain is not all-numeric.
    """
    return ":" in text or text.rpartition(".")[2].isdigit()


class EvidenceJsonl(FileOutput):
    """The file."""

    file_name = "evidence.jsonl"
    kept = True

    def evidence(self, evidence: Evidence) -> None:
        """One line."""
        self.write(json.dumps(evidence_object(evidence)) + "\n")

    def evidence_final(self, evidence: Evidence) -> None:
        """One more line for the same id."""
        self.evidence(evidence)
