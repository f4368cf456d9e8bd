"""Findings become evidence and alerts; windows open and close."""

import os
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.engine import casebook as casebook_module
from hdr_lite.engine.alerting import NAMESPACE
from hdr_lite.engine.casebook import Casebook, Cause
from hdr_lite.engine.ledger import Ledger
from hdr_lite.engine.output import Outputs
from hdr_lite.engine.profiles import Home
from hdr_lite.engine.windows import SECOND, Windows
from hdr_lite.records.evidence import Finding, ThreatLevel
from hdr_lite.records.verb import Enforced
from tests.hdr_lite.engine.fakes import Memory

START = 1000 * SECOND
FINDING = Finding(
    "A", "scan", ThreatLevel.MEDIUM, 800, "d", "10.0.0.1", victim="8.8.8.8", port=80, proto="tcp"
)


class Case:
    """A casebook with all its ends."""

    def __init__(self, profiles: int = 16, threshold: int = 15000) -> None:
        self.memory = Memory()
        self.said: list[tuple[str, Any]] = []
        outputs = Outputs(self.said.append)  # type: ignore[arg-type]
        outputs.open([self.memory])
        self.windows = Windows(60)
        self.book = Casebook(
            home=Home(["10.0.0.0/8"]),
            windows=self.windows,
            outputs=outputs,
            announce=lambda channel, message: self.said.append((channel, message)),
            profiles=profiles,
            threshold=threshold,
        )
        self.windows.begin(START)
        self._sequence = 0

    def report(self, finding: Finding, record: int = 1, order: int = 0, now: int = START) -> str:
        self._sequence += 1
        return self.book.report(Cause(record, order, self._sequence, "m", now), finding)

    def channel(self, name: str) -> list[Any]:
        return [message for channel, message in self.said if channel == name]


def test_finding_becomes_evidence() -> None:
    """The engine adds time, window, profile and identity; subscribers are told."""
    case = Case()
    identity = case.report(replace(FINDING, ts=START - 5))
    assert case.memory.lines == []
    assert case.book.settle()
    (evidence,) = case.memory.of("evidence")
    assert evidence.id == identity
    assert (evidence.ts, evidence.window, evidence.profile) == (START - 5, 1, "10.0.0.1")
    assert (evidence.module, evidence.count, evidence.accumulated) == ("m", 1, 400)
    assert case.channel("evidence_added") == [evidence]
    assert case.channel("new_profile")[0].address == "10.0.0.1"
    assert not case.book.settle()


def test_time_is_now_unless_the_finding_says_earlier() -> None:
    """A finding carries its own time, but none that has not come yet."""
    case = Case()
    case.report(replace(FINDING, port=1))
    case.report(replace(FINDING, port=2, ts=START + 10**12))
    case.book.settle()
    assert [e.ts for e in case.memory.of("evidence")] == [START, START]


def test_order_is_that_of_records() -> None:
    """Evidence is told in the order of records, then of modules, then of reports."""
    case = Case()
    for record, order, port in [(9, 0, 5), (2, 1, 3), (2, 0, 1), (2, 0, 2), (2, 1, 4)]:
        case.report(replace(FINDING, port=port), record, order)
    case.book.settle()
    assert [e.finding.port for e in case.memory.of("evidence")] == [1, 2, 3, 4, 5]


def test_repeats_are_folded() -> None:
    """A repeat is not told again; the final count is, when the window has closed."""
    case = Case()
    ids = {case.report(replace(FINDING, uids=(f"u{n}",))) for n in range(3)}
    case.report(replace(FINDING, port=81))
    case.book.settle()
    assert len(ids) == 1
    assert len(case.memory.of("evidence")) == 2
    case.book.forget()
    (final,) = case.memory.of("final")
    assert (final.id, final.count, final.finding.uids) == (ids.pop(), 3, ("u0", "u1", "u2"))


def test_id_is_uuid5() -> None:
    """An evidence's id is a version 5 uuid of what makes it that one, in our namespace."""
    case = Case()
    identity = case.report(FINDING)
    text = f"A\n10.0.0.1\n1\n{START}\n8.8.8.8\n80\ntcp\nsrcip\n500\n"
    assert identity == str(uuid.uuid5(NAMESPACE, text))
    assert case.report(replace(FINDING, uids=("other",), confidence=1)) == identity
    assert case.report(replace(FINDING, victim="8.8.4.4")) != identity


def test_runs_are_told_apart() -> None:
    """The same finding in window 1 of a run that began at another time is another evidence."""
    one, other = Case(), Case()
    other.windows.begin(START + 1)
    assert one.report(FINDING) != other.report(FINDING)


def test_what_an_engine_before_told() -> None:
    """Evidence of before is told no more, weighs as a repeat, and its alert is not raised again,
    but the enforcer is asked again; what is new is told."""
    file = os.memfd_create("told", os.MFD_CLOEXEC)
    blocking = replace(FINDING, blocking=True, threat_level=ThreatLevel.HIGH)
    cases = []
    for _ in range(2):
        case = Case()
        ledger = case.book.ledger = Ledger(file)
        ledger.enter(START, 1)
        cases.append(case)
        for finding in (blocking, replace(FINDING, port=1), replace(FINDING, port=1)):
            case.report(finding)
        case.book.settle()
        ledger.intend(())
    before, after = cases
    assert (len(before.memory.of("evidence")), len(before.memory.of("alert"))) == (2, 1)
    assert [kind for kind, _ in after.memory.lines] == ["goes on"]
    assert (after.book.findings, after.book.alerts) == (3, 0)
    after.report(replace(blocking, type="B"))
    after.report(replace(FINDING, port=2))
    after.book.settle()
    assert [e.finding.type for e in after.memory.of("evidence")] == ["B", "A"]
    (alert,) = after.memory.of("alert")
    assert alert.score == 640 + 400 + 200 + 200 + 100  # what before it was worth, and repeats
    assert alert.id != before.memory.of("alert")[0].id
    os.close(file)


def test_addresses_of_an_outside_64_are_one_accused() -> None:
    """The same finding about two addresses of an outside /64 is one evidence."""
    case = Case()
    ids = {case.report(replace(FINDING, attacker=f"2001:db8::{n}")) for n in range(1, 5)}
    case.book.settle()
    assert len(ids) == 1
    (evidence,) = case.memory.of("evidence")
    assert evidence.profile == "2001:db8::/64"
    assert evidence.finding.attacker == "2001:db8::1"


def test_alert() -> None:
    """Past the threshold an alert is told and published."""
    case = Case(threshold=1000)
    for port in range(3):
        case.report(replace(FINDING, port=port))
    case.book.settle()
    assert [kind for kind, _ in case.memory.lines] == ["evidence"] * 3 + ["alert"]
    (alert,) = case.channel("new_alert")
    assert alert.score == 1200
    assert case.book.alerts == 1


def test_a_new_window_starts_anew() -> None:
    """Weight and evidence are those of one window; the same finding is told again in the next."""
    case = Case(threshold=1000)
    first = case.report(FINDING)
    case.book.settle()
    case.book.close_window()
    case.book.forget()
    case.windows.advance(START + 60 * SECOND)
    second = case.report(FINDING, now=START + 60 * SECOND)
    case.book.settle()
    assert first != second
    assert [e.window for e in case.memory.of("evidence")] == [1, 2]
    assert [e.accumulated for e in case.memory.of("evidence")] == [400, 400]


def test_windows_close_for_who_was_there() -> None:
    """tw_closed is published for each profile with traffic or evidence in the window."""
    case = Case()
    case.book.touch("10.0.0.9", START)
    case.report(FINDING)
    case.book.settle()
    case.book.close_window()
    closed = case.channel("tw_closed")
    assert [(m.profile, m.window) for m in closed] == [("10.0.0.9", 1), ("10.0.0.1", 1)]
    assert closed[0].end == START + 60 * SECOND
    case.windows.advance(START + 60 * SECOND)
    case.book.close_window()
    assert len(case.channel("tw_closed")) == 2


def test_only_inside_addresses_have_a_profile_for_traffic() -> None:
    """Outside addresses get one when they are accused."""
    case = Case()
    case.book.touch("8.8.8.8", START)
    case.book.touch("10.0.0.1", START)
    assert case.book.profiles.made == 1
    assert case.channel("tw_modified")[0].profile == "10.0.0.1"


def test_new_ip_once() -> None:
    """An address is told when it is seen for the first time."""
    case = Case()
    for address in ("8.8.8.8", "10.0.0.1", "8.8.8.8"):
        case.book.meet(address, START)
    assert [m.address for m in case.channel("new_ip")] == ["8.8.8.8", "10.0.0.1"]


def test_memory_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses beyond the bound are forgotten, longest unseen first."""
    monkeypatch.setattr(casebook_module, "MOST_SEEN", 3)
    case = Case()
    for address in ("1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4", "1.1.1.4", "1.1.1.1"):
        case.book.meet(address, START)
        case.book.touch(address, START)
    assert len(case.channel("new_ip")) == 5
    assert len(case.book.seen) <= 3


def test_evicted_profile_tells_its_counts() -> None:
    """A profile that makes room tells its final counts and closes its window."""
    case = Case(profiles=1)
    for _ in range(2):
        case.report(FINDING)
    case.report(replace(FINDING, attacker="10.0.0.2"))
    case.book.settle()
    assert [e.count for e in case.memory.of("final")] == [2]
    assert [m.profile for m in case.channel("tw_closed")] == ["10.0.0.1"]


def test_evidence_of_all_windows_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where evidence of all profiles fills its room, the longest untouched account is settled."""
    monkeypatch.setattr(casebook_module, "MOST_EVIDENCE", 4)
    case = Case(profiles=100)
    for n in range(20):
        for _ in range(2):
            case.report(replace(FINDING, attacker=f"10.0.0.{n}"), record=n)
    case.book.settle()
    assert len(case.memory.of("evidence")) == 20
    assert len(case.memory.of("final")) == 16
    case.book.forget()
    assert len(case.memory.of("final")) == 20


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": ""}, "needs a type"),
        ({"family": "weather"}, "no family 'weather'"),
        ({"attacker": ""}, "accuses nobody"),
        ({"direction": "both"}, "direction is srcip or dstip"),
        ({"confidence": 1001}, "confidence is 0 to 1000"),
        ({"confidence": -1}, "confidence is 0 to 1000"),
        ({"port": 65536}, "port is 0 to 65535"),
        ({"threat_level": 7}, "7 is not a valid ThreatLevel"),
    ],
)
def test_improper_finding(change: dict[str, Any], reason: str) -> None:
    """What is no proper finding is an error in the module that reported it."""
    with pytest.raises(ValueError, match=reason):
        Case().report(replace(FINDING, **change))


@pytest.mark.parametrize(
    "change", [{"victim": 5}, {"port": None}, {"uids": 3}, {"uids": (1,)}, {"type": b"x"}]
)
def test_finding_of_wrong_types(change: dict[str, Any]) -> None:
    """Wrong types are found where the module reports, not later."""
    case = Case()
    with pytest.raises((TypeError, AttributeError)):
        case.report(replace(FINDING, **change))
    assert not case.book.settle()


def test_no_evidence_before_traffic() -> None:
    """Without traffic there is no window that evidence could be in."""
    case = Case()
    case.windows.current = 0
    with pytest.raises(ValueError, match="before there was any traffic"):
        case.report(FINDING)


def test_texts_are_cut() -> None:
    """A module cannot make evidence of any size."""
    case = Case()
    long = replace(FINDING, description="d" * 9999, victim="v" * 9999, uids=("u",) * 99)
    case.report(long)
    case.book.settle()
    (evidence,) = case.memory.of("evidence")
    finding = evidence.finding
    assert (len(finding.description), len(finding.victim), len(finding.uids)) == (1024, 256, 32)


def test_text_that_is_no_unicode() -> None:
    """A lone surrogate in a finding stops nothing."""
    case = Case()
    assert case.report(replace(FINDING, victim="\ud800"))


reports = st.lists(
    st.tuples(
        st.integers(1, 20),
        st.integers(0, 3),
        st.sampled_from(list(ThreatLevel)),
        st.integers(0, 1000),
        st.integers(1, 3),
    ),
    max_size=60,
)


@given(reports, st.data())
def test_rounds_do_not_show(many: list[tuple[Any, ...]], data: st.DataObject) -> None:
    """Whether findings are settled one by one or together, the same is written."""
    many.sort(key=lambda report: (report[0], report[1]))
    whole, parts = Case(threshold=2000), Case(threshold=2000)
    for record, order, level, confidence, port in many:
        finding = replace(FINDING, threat_level=level, confidence=confidence, port=port)
        whole.report(finding, record, order)
        parts.report(finding, record, order)
        if data.draw(st.booleans()):
            parts.book.settle()
    for case in (whole, parts):
        case.book.settle()
        case.book.forget()
    assert whole.memory.lines == parts.memory.lines


@given(reports)
def test_no_weight_is_lost_or_doubled(many: list[tuple[Any, ...]]) -> None:
    """Alerts carry, together, no more than all findings weigh, and each evidence once."""
    case = Case(threshold=2000)
    for record, order, level, confidence, port in many:
        finding = replace(FINDING, threat_level=level, confidence=confidence, port=port)
        case.report(finding, record, order)
    case.book.settle()
    alerts = case.memory.of("alert")
    carried = [e.id for alert in alerts for e in alert.evidence]
    assert len(carried) == len(set(carried))
    heaviest = sum(level * confidence // 1000 for _, _, level, confidence, _ in many)
    assert sum(alert.score for alert in alerts) <= heaviest
    assert all(alert.score >= 2000 for alert in alerts)


def test_answers_of_the_enforcer() -> None:
    """Each is a line of hdr-lite.log and counts under its outcome."""
    case = Case()
    case.book.hear(START, Enforced("e1", "203.0.113.5", "blocked", 600, ""))
    case.book.hear(START, Enforced("e2", "203.0.113.6", "refused", 0, "it is a friend"))
    assert case.book.enforced == {"blocked": 1, "refused": 1}
    assert case.memory.of("log") == [
        "enforcer: blocked 203.0.113.5 for 600 s (evidence e1)",
        "enforcer: refused 203.0.113.6: it is a friend (evidence e2)",
    ]


def test_blocking_evidence_that_goes_on_is_told_to_those_who_act() -> None:
    """One alert a window; past the pace, and for another victim too, they are told again."""
    case = Case()
    blocking = replace(FINDING, threat_level=ThreatLevel.HIGH, confidence=1000, blocking=True)
    other = replace(blocking, victim="8.8.4.4")
    weak = replace(blocking, blocking=False)
    for at, finding in ((0, blocking), (39, blocking), (41, weak), (42, other), (81, other)):
        case.report(finding, now=START + at * SECOND)
        case.book.settle()
    assert len(case.memory.of("alert")) == 1
    assert [(e.finding.victim, e.count) for e in case.memory.of("goes on")] == [("8.8.4.4", 1)]
    case.report(blocking, now=START + 83 * SECOND)
    case.book.settle()
    assert [(e.finding.victim, e.count) for e in case.memory.of("goes on")][1:] == [("8.8.8.8", 3)]
