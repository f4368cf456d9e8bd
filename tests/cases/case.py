"""What a ``case.toml`` may say, and how it is judged.

::

    scenario = "scan_syn"       # of tests/traffic; or script = "input.py", which has a function
    seed = 1                    # capture() -> bytes; or neither: the command takes no capture
    command = "run"             # or flows, inspect, config ...
    arguments = ["--flows"]     # further ones; {case} is the case's folder, {output} the output's
    status = 0                  # exit status
    repeat = 1                  # so many runs must give the same bytes

    [[check]]                   # of the lines of a file that match ...
    file = "evidence.jsonl"     # an output, stdout or stderr
    match = { type = "VERTICAL_PORT_SCAN", "attacker.ip" = "192.168.7.66" }   # equal values
    like = { description = "^vertical" }                                    # regular expressions
    count = 1                   # ... there are so many (or at_least, at_most)

Evidence counts once, with its final count. A line that is no JSON object is one with the single
key ``line``. ``lines`` instead of filters
gives the whole file.
"""

import json
import re
import runpy
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.program import Done

#: Outputs in which the same input gives the same bytes (summary.json: without its run object).
REPEATABLE = ("alerts.log", "alerts.json", "evidence.jsonl", "flows.jsonl")


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation about the lines of one file."""

    file: str
    match: dict[str, Any] | None = None
    like: dict[str, str] | None = None
    count: int | None = None
    at_least: int | None = None
    at_most: int | None = None
    lines: list[str] | None = None

    def complaint(self, done: Done) -> str:
        """What is not as expected, "" otherwise."""
        text = done.text(self.file)
        if self.lines is not None:
            wanted = "".join(f"{line}\n" for line in self.lines)
            return "" if text == wanted else f"{self.file} is\n{text}and not\n{wanted}"
        entries = entries_of(done, self.file)
        found = sum(self.fits(entry) for entry in entries)
        least = self.at_least if self.count is None else self.count
        most = self.at_most if self.count is None else self.count
        if (least is None or found >= least) and (most is None or found <= most):
            return ""
        return f"{self} holds for {found} of {len(entries)} lines:\n{text[:4000]}"

    def fits(self, entry: dict[str, Any]) -> bool:
        """Whether a line passes both filters."""
        return all(
            value_at(entry, key) == value for key, value in (self.match or {}).items()
        ) and all(
            re.search(pattern, str(value_at(entry, key)))
            for key, pattern in (self.like or {}).items()
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One case as its file says it."""

    name: str
    check: list[Check]
    scenario: str = ""
    seed: int = 1
    script: str = ""
    command: str = "run"
    arguments: tuple[str, ...] = ()
    status: int = 0
    repeat: int = 1


def load(folder: Path) -> Case:
    """The case in that folder; TypeError when its file says what it may not."""
    said = tomllib.loads((folder / "case.toml").read_text())
    checks = [Check(**entry) for entry in said.pop("check", [])]
    return Case(name=folder.name, check=checks, **said)


def capture_of_script(path: Path) -> bytes:
    """What the script's ``capture()`` gives."""
    data: bytes = runpy.run_path(str(path))["capture"]()
    return data


def entries_of(done: Done, file: str) -> list[dict[str, Any]]:
    """What filters are applied to: evidence each once, the summary as one, else the lines."""
    if file == "evidence.jsonl":
        return done.evidence()
    return done.objects(file) if file == "summary.json" else parsed(done.text(file))


def parsed(text: str) -> list[dict[str, Any]]:
    """A dict a line: the JSON object in it, or the line itself under ``line``."""
    entries = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        entries.append(entry if isinstance(entry, dict) else {"line": line})
    return entries


def value_at(entry: dict[str, Any], key: str) -> Any:
    """The value under a key, or deeper under its parts between dots; None when absent."""
    if key in entry:
        return entry[key]
    first, _, rest = key.partition(".")
    inner = entry.get(first)
    if isinstance(inner, list) and inner:
        inner = inner[0]
    return value_at(inner, rest) if rest and isinstance(inner, dict) else None


def repeatable(done: Done) -> dict[str, str]:
    """What a second run must give again, byte for byte."""
    if not done.text("summary.json"):
        return {"stdout": done.stdout}
    summary = done.objects("summary.json")[0]
    summary.pop("run", None)
    return {"summary.json": json.dumps(summary)} | {name: done.text(name) for name in REPEATABLE}
