"""From an account to an alert."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.engine.alerting import judge, thousandths, verb
from hdr_lite.engine.scoring import Account, Entry, points
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence, Finding, ThreatLevel

LOW = Finding("A", "scan", ThreatLevel.LOW, 1000, "looked around", "10.0.0.1")
HIGH = replace(LOW, threat_level=ThreatLevel.HIGH, confidence=900, description="broke in")
BLOCKING = replace(HIGH, blocking=True)
THRESHOLD = 1000


def add(account: Account, finding: Finding) -> Entry:
    account.score += points(finding)
    number = len(account)
    return account.add(Evidence(f"e{number}", number, "10.0.0.1", 1, "m", finding))


def tell(account: Account, entry: Entry) -> Alert | None:
    return judge(account, entry, THRESHOLD, "10.0.0.1", (0, 3600), 77)


def test_threshold() -> None:
    """The alert comes with the evidence that reaches the threshold, and takes them all."""
    account = Account(1)
    alerts = [tell(account, add(account, replace(LOW, port=n))) for n in range(5)]
    assert alerts[:4] == [None] * 4
    alert = alerts[4]
    assert alert is not None
    assert [e.id for e in alert.evidence] == ["e0", "e1", "e2", "e3", "e4"]
    assert (alert.score, alert.ts, alert.window_end) == (1000, 77, 3600)
    assert "adds up to 1 points (threshold 1)" in alert.reason
    assert account.score == 0


def test_evidence_alerts_once() -> None:
    """What is in an alert neither raises nor joins another one; later evidence can."""
    account = Account(1)
    entry = add(account, BLOCKING)
    assert tell(account, entry) is not None
    entry.fold(BLOCKING)
    assert tell(account, entry) is None
    second = tell(account, add(account, replace(BLOCKING, type="B")))
    assert second is not None
    assert [e.id for e in second.evidence] == ["e1"]
    assert account.alerts == 2


def test_one_type_alerts_at_once_only_once() -> None:
    """More blocking evidence of a type adds up; it alerts at once if it permits more."""
    account = Account(1)
    assert tell(account, add(account, BLOCKING)) is not None
    assert tell(account, add(account, replace(BLOCKING, port=1))) is None
    proven = tell(account, add(account, replace(BLOCKING, port=2, proof=True)))
    assert proven is not None
    assert proven.verb == "block"
    assert [e.id for e in proven.evidence] == ["e1", "e2"]
    assert tell(account, add(account, replace(BLOCKING, port=3, proof=True))) is None
    by_weight = tell(account, add(account, replace(BLOCKING, port=4, proof=True)))
    assert by_weight is not None


def test_blocking_evidence_alerts_at_once() -> None:
    """Blocking evidence waits for no threshold and brings along what was there."""
    account = Account(1)
    assert tell(account, add(account, LOW)) is None
    alert = tell(account, add(account, BLOCKING))
    assert alert is not None
    assert alert.reason == "A is blocking evidence: broke in; looked around"
    assert alert.confidence == 1000


def test_destination_is_told_and_never_adds_up() -> None:
    """Evidence whose attacker is the destination is in no alert of the accused's sum."""
    account = Account(1)
    for n in range(20):
        assert tell(account, add(account, replace(HIGH, direction="dstip", port=n))) is None
    assert account.score == 0


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([LOW], ""),
        ([LOW, replace(LOW, threat_level=ThreatLevel.MEDIUM)], "limit"),
        ([BLOCKING], "limit"),
        ([replace(BLOCKING, proof=True)], "block"),
        ([replace(LOW, proof=True)], ""),
        ([LOW, replace(HIGH, proof=True)], "block"),
    ],
)
def test_verb(findings: list[Finding], expected: str) -> None:
    """Only proof permits a block; without it there is a limit, from medium level on."""
    evidence = tuple(Evidence("e", 0, "p", 1, "m", finding) for finding in findings)
    assert verb(evidence) == expected


def test_id_is_content() -> None:
    """The same evidence makes an alert of the same id; another window another one."""
    ids = []
    for window in (1, 1, 2):
        account = Account(window)
        alert = tell(account, add(account, BLOCKING))
        assert alert is not None
        ids.append(alert.id)
    assert ids[0] == ids[1] != ids[2]


def test_reason_is_bounded() -> None:
    """An alert of much evidence quotes the first ten and says how many more there are."""
    account = Account(1)
    for n in range(30):
        add(account, replace(LOW, port=n, description=f"port {n}"))
    alert = tell(account, add(account, replace(BLOCKING, port=99)))
    assert alert is not None
    assert alert.reason.endswith("port 8; and 21 more")
    assert len(alert.evidence) == 31


def test_reason_says_equal_words_once() -> None:
    """Two evidences of the same words, of which one may block, are one thing to a person."""
    account = Account(1)
    assert tell(account, add(account, HIGH)) is None
    alert = tell(account, add(account, BLOCKING))
    assert alert is not None
    assert alert.reason == "A is blocking evidence: broke in"
    assert len(alert.evidence) == 2


def test_reason_says_how_often() -> None:
    """A repeated evidence is quoted with its count."""
    account = Account(1)
    entry = add(account, LOW)
    for _ in range(3):
        account.score += entry.fold(LOW)
    alert = tell(account, add(account, BLOCKING))
    assert alert is not None
    assert "looked around (4 times)" in alert.reason


@given(st.integers(0, 10**9))
def test_thousandths_reads_back(value: int) -> None:
    """The decimal that is shown is exactly the number."""
    whole, _, part = thousandths(value).partition(".")
    assert int(whole) * 1000 + int(part.ljust(3, "0") or 0) == value
