"""The verbs that ask a running service: what they send, and how they print the answer."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from hdr_lite.cli import control, main

HOLD = {
    "set": "block4",
    "target": "203.0.113.5",
    "seconds": 9,
    "cause": "X",
    "evidence": "e1",
    "by_hand": False,
    "offences": 0,
}
STANDING: dict[str, Any] = {
    "target": "x",
    "mode": "block",
    "never": None,
    "held": [],
    "sessions": [],
    "offences": 0,
}
CASES: tuple[tuple[tuple[str, ...], dict[str, Any], dict[str, Any], str], ...] = (
    (("blocked",), {}, {"mode": "block", "held": [HOLD], "more": 2}, "mode block, held: 3"),
    (
        ("block", "203.0.113.5", "--for", "2h", "--why", "w"),
        {"address": "203.0.113.5", "seconds": 7200, "why": "w"},
        {"target": "203.0.113.5", "outcome": "blocked", "seconds": 7200},
        "203.0.113.5 is blocked for 7200 s",
    ),
    (("unblock", "x"), {"address": "x"}, {"target": "x", "held": True}, "x was let go"),
    (("release",), {}, {"released": 3}, "3 were let go"),
    (("why", "x"), {"address": "x"}, STANDING, "x is not held (mode block)"),
    (("why", "x"), {"address": "x"}, STANDING | {"never": "n"}, "never touched: n"),
    (("why", "x"), {"address": "x"}, STANDING | {"sessions": [22]}, "port 22 of this device"),
    (("why", "x"), {"address": "x"}, STANDING | {"offences": 2}, "earlier blocks that count: 2"),
    (("arm", "block"), {"mode": "block"}, {"state": "mode block"}, "mode block"),
    (("arm", "--confirm", "10m"), {"confirm": 600}, {"state": "mode block"}, "mode block"),
    (("arm", "--confirmed"), {"confirmed": True}, {"state": "mode block"}, "mode block"),
    (("panic",), {}, {"state": "all is let go"}, "all is let go"),
)


@pytest.mark.parametrize(("words", "fields", "answer", "line"), CASES)
def test_verb(
    words: tuple[str, ...],
    fields: dict[str, Any],
    answer: dict[str, Any],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each verb sends its fields, and prints the answer as words or as JSON."""
    asked: list[Mapping[str, Any]] = []

    def ask(_path: object, request: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return answer

    monkeypatch.setattr(control, "ask", ask)
    assert main(words) == 0
    assert asked == [{"verb": words[0], **fields}]
    printed = capsys.readouterr().out
    assert line in printed
    assert ("e1" in printed) == (words[0] == "blocked")
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == answer
