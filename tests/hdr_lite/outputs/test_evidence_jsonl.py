"""evidence.jsonl."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hdr_lite.outputs.evidence_jsonl import EvidenceJsonl, evidence_object
from tests.hdr_lite.outputs.samples import EVIDENCE, evidence

KEYS = (
    "id ts profile window type family threat_level confidence attacker victim port proto "
    "description module uids count"
)


def test_object() -> None:
    """Exactly these keys, in this order, with these values."""
    made = evidence_object(EVIDENCE)
    assert list(made) == KEYS.split()
    assert made["ts"] == 1654188717.123456
    assert made["threat_level"] == "high"
    assert made["confidence"] == 0.8
    assert made["attacker"] == {
        "ip": "192.168.1.18",
        "mac": "02:00:00:00:00:01",
        "direction": "srcip",
    }
    assert made["victim"] == {"ip": "192.168.1.12"}
    assert made["uids"] == ["CAbc", "CDef"]
    assert made["count"] == 1


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        ("", {}),
        ("example.org", {"domain": "example.org"}),
        ("4.example.org", {"domain": "4.example.org"}),
        ("fd00::1", {"ip": "fd00::1"}),
        ("8.8.8.8", {"ip": "8.8.8.8"}),
    ],
)
def test_victim(victim: str, expected: dict[str, str]) -> None:
    """A victim is an address, a domain, or nobody."""
    assert evidence_object(evidence(victim=victim))["victim"] == expected


def test_final_count_is_a_second_line(tmp_path: Path) -> None:
    """A repeated evidence is written again under its id when its count is final."""
    output = EvidenceJsonl(str(tmp_path))
    output.open()
    output.evidence(EVIDENCE)
    output.evidence_final(replace(EVIDENCE, count=7))
    output.close()
    lines = [json.loads(line) for line in (tmp_path / "evidence.jsonl").read_text().splitlines()]
    assert [(line["id"], line["count"]) for line in lines] == [(EVIDENCE.id, 1), (EVIDENCE.id, 7)]
