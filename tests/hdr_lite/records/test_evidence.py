"""Evidence: families of types, and scores in thousandths."""

import dataclasses

import pytest

from hdr_lite.records.evidence import FAMILIES, FAMILY_OF, Evidence, Finding, ThreatLevel


def evidence(level: ThreatLevel, confidence: int) -> Evidence:
    finding = Finding("HORIZONTAL_PORT_SCAN", "scan", level, confidence, "why", "192.0.2.1")
    return Evidence("id", 1, "192.0.2.1", 1, "module", finding)


def test_every_type_has_one_of_the_families() -> None:
    """No type invents a family."""
    assert set(FAMILY_OF.values()) <= FAMILIES


@pytest.mark.parametrize(
    ("level", "confidence", "score"),
    [
        (ThreatLevel.INFO, 1000, 0),
        (ThreatLevel.LOW, 1000, 200),
        (ThreatLevel.MEDIUM, 500, 250),
        (ThreatLevel.HIGH, 800, 640),
        (ThreatLevel.CRITICAL, 1000, 1000),
        (ThreatLevel.HIGH, 1, 0),
    ],
)
def test_score_is_level_times_confidence(level: ThreatLevel, confidence: int, score: int) -> None:
    """Both are thousandths, and so is the score, rounded down."""
    assert evidence(level, confidence).score == score


def test_levels_are_in_order() -> None:
    """Levels compare as their words do."""
    assert list(ThreatLevel) == sorted(ThreatLevel)


def test_evidence_cannot_be_changed() -> None:
    """What was found stays as it was found."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        evidence(ThreatLevel.LOW, 1).ts = 2  # type: ignore[misc]
