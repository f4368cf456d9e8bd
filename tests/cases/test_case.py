"""How cases are judged: what does not hold is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cases.case import Check, load, repeatable, value_at
from tests.program import Done

LINES = """\
{"id": "1", "count": 1, "type": "A", "attacker": {"ip": "10.0.0.1"}}
{"id": "2", "type": "B", "id.orig_h": "10.0.0.2"}
{"id": "1", "count": 7, "type": "A", "attacker": {"ip": "10.0.0.1"}}
"""


@pytest.fixture
def done(tmp_path: Path) -> Done:
    """A run that left two pieces of evidence, one of them with a final count."""
    (tmp_path / "evidence.jsonl").write_text(LINES)
    return Done(0, "hello\n", "", tmp_path)


def test_counts_are_exact_or_bounds(done: Done) -> None:
    """Too few and too many are both told."""
    check: dict[str, Any] = {"file": "evidence.jsonl", "match": {"type": "A"}}
    assert Check(**check, count=1).complaint(done) == ""
    assert Check(**check, at_least=1, at_most=1).complaint(done) == ""
    assert "holds for 1 of 2" in Check(**check, count=2).complaint(done)
    assert "holds for 1 of 2" in Check(**check, at_least=2).complaint(done)
    assert "holds for 1 of 2" in Check(**check, at_most=0).complaint(done)


def test_filters_reach_into_objects(done: Done) -> None:
    """Keys with dots are keys first, paths second; absent ones match nothing."""
    assert Check("evidence.jsonl", match={"attacker.ip": "10.0.0.1"}, count=1).complaint(done) == ""
    assert Check("evidence.jsonl", match={"id.orig_h": "10.0.0.2"}, count=1).complaint(done) == ""
    assert Check("evidence.jsonl", like={"type": "^[AC]$"}, count=1).complaint(done) == ""
    assert Check("evidence.jsonl", match={"count": 7}, count=1).complaint(done) == ""
    assert Check("evidence.jsonl", match={"count": 1}, count=0).complaint(done) == ""
    assert value_at({"a": [{"b": 1}]}, "a.b") == 1
    assert Check("evidence.jsonl", match={"count": 7}, count=1).complaint(done) == ""
    assert Check("evidence.jsonl", match={"count": 1}, count=0).complaint(done) == ""
    assert value_at({"a": 1}, "a.b") is None


def test_whole_files_and_plain_lines(done: Done) -> None:
    """Text that is no JSON is compared as it is."""
    assert Check("stdout", lines=["hello"]).complaint(done) == ""
    assert Check("stdout", lines=["hullo"]).complaint(done) != ""
    assert Check("stdout", like={"line": "^hello"}, count=1).complaint(done) == ""


def test_misspelt_case_is_refused(tmp_path: Path) -> None:
    """A key that means nothing is an error, not ignored."""
    (tmp_path / "case.toml").write_text('scenaro = "home"\n')
    with pytest.raises(TypeError, match="scenaro"):
        load(tmp_path)


def test_run_facts_may_differ(tmp_path: Path) -> None:
    """summary.json is compared without its ``run`` object, and the rest with it."""
    runs = []
    for number in (1, 2):
        (tmp_path / "summary.json").write_text(json.dumps({"flows": 3, "run": {"seconds": number}}))
        runs.append(repeatable(Done(0, "", "", tmp_path)))
    assert runs[0] == runs[1]
    assert runs[0]["summary.json"] == '{"flows": 3}'
