"""Weights, as properties; accounts, by example."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.engine.scoring import (
    MOST_FINDINGS,
    MOST_UIDS,
    Account,
    Entry,
    may_block,
    points,
)
from hdr_lite.records.evidence import Evidence, Finding, ThreatLevel

findings = st.builds(
    Finding,
    type=st.sampled_from(["A", "B", "C"]),
    family=st.just("scan"),
    threat_level=st.sampled_from(list(ThreatLevel)),
    confidence=st.integers(0, 1000),
    description=st.just("d"),
    attacker=st.just("10.0.0.1"),
    direction=st.sampled_from(["srcip", "dstip"]),
    victim=st.sampled_from(["", "10.0.0.2", "10.0.0.3"]),
    port=st.integers(0, 3),
    uids=st.lists(st.text("abc", min_size=1, max_size=3), max_size=4).map(tuple),
    blocking=st.booleans(),
    proof=st.booleans(),
)
HIGH = Finding("A", "scan", ThreatLevel.HIGH, 900, "d", "10.0.0.1")


def told(finding: Finding, account: Account) -> Evidence:
    return Evidence("id", 1, "10.0.0.1", account.window, "m", finding)


@given(findings, st.integers(0, 200))
def test_weight_is_an_integer_that_halves(finding: Finding, repeats: int) -> None:
    """A repeat weighs at most half of the one before, and never less than nothing."""
    weight, next_weight = points(finding, repeats), points(finding, repeats + 1)
    assert type(weight) is int
    assert 0 <= 2 * next_weight <= weight


@given(findings, st.integers(1, 300))
def test_repeats_weigh_less_than_twice(finding: Finding, times: int) -> None:
    """However often a finding is told, all of it weighs no more than twice the first."""
    assert sum(points(finding, n) for n in range(times)) <= 2 * points(finding)


@given(findings)
def test_weight_is_level_times_confidence(finding: Finding) -> None:
    """Level x confidence in thousandths, nothing for info and for an accused destination."""
    expected = int(finding.threat_level) * finding.confidence // 1000
    if finding.direction == "dstip":
        expected = 0
    assert points(finding) == expected
    assert points(replace(finding, threat_level=ThreatLevel.INFO)) == 0


def test_blocking_evidence_needs_all_three() -> None:
    """The mark, a high level and a confidence of 0.8 are all needed."""
    marked = replace(HIGH, blocking=True)
    assert may_block(marked)
    assert not may_block(HIGH)
    assert not may_block(replace(marked, threat_level=ThreatLevel.MEDIUM))
    assert not may_block(replace(marked, confidence=799))


@given(st.lists(findings, max_size=300))
def test_account_is_bounded_and_loses_no_finding(many: list[Finding]) -> None:
    """Every finding is new evidence or counted in one, and no account grows without bound."""
    account = Account(1)
    for finding in many:
        entry = account.find(finding)
        if entry is None:
            account.add(told(finding, account))
        else:
            entry.fold(finding)
    assert sum(entry.count for entry in account.entries()) == len(many)
    assert len(account) <= 2 * MOST_FINDINGS + len(ThreatLevel) * 3
    assert all(len(entry.uids) <= MOST_UIDS for entry in account.entries())


def test_worse_is_a_finding_of_its_own() -> None:
    """A higher level, permission to block or proof is not folded into what was milder."""
    account = Account(1)
    account.add(told(HIGH, account))
    assert account.find(replace(HIGH, confidence=1000, uids=("x",))) is not None
    assert account.find(replace(HIGH, threat_level=ThreatLevel.CRITICAL)) is None
    assert account.find(replace(HIGH, blocking=True)) is None
    assert account.find(replace(HIGH, proof=True)) is None


def test_full_account_still_takes_what_is_worse() -> None:
    """Noise of low level cannot hide something worse from a full account."""
    account = Account(1)
    low = replace(HIGH, threat_level=ThreatLevel.LOW)
    for n in range(10 * MOST_FINDINGS):
        finding = replace(low, victim=f"10.1.{n // 256}.{n % 256}")
        if account.find(finding) is None:
            account.add(told(finding, account))
    assert len(account) == MOST_FINDINGS
    assert account.find(HIGH) is None


def test_made_up_types_are_folded() -> None:
    """A module that makes up a type for each finding does not get an entry for each."""
    account = Account(1)
    for n in range(1000):
        finding = replace(HIGH, type=f"T{n}")
        entry = account.find(finding)
        if entry is None:
            account.add(told(finding, account))
        else:
            entry.fold(finding)
    assert len(account) == 2 * MOST_FINDINGS


def test_final_evidence_has_count_and_uids() -> None:
    """What was folded in shows in the final evidence; uids are kept once, up to the bound."""
    entry = Entry(told(replace(HIGH, uids=("u0",)), Account(1)))
    for n in range(100):
        entry.fold(replace(HIGH, uids=("u0", f"u{n}")))
    final = entry.final()
    assert final.count == 101
    assert final.finding.uids == tuple(f"u{n}" for n in range(MOST_UIDS))
    assert entry.evidence.count == 1


def test_alerted_evidence_weighs_nothing() -> None:
    """A repeat of what is already in an alert is counted and adds nothing."""
    entry = Entry(told(HIGH, Account(1)))
    assert entry.fold(HIGH) == points(HIGH) // 2
    entry.alerted = True
    assert entry.fold(HIGH) == 0
    assert entry.count == 3
