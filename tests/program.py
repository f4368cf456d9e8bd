"""The program as a test calls it: a process of its own, with a time limit, and what it left."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Done:
    """One run that has ended."""

    status: int  #: negative: the signal that ended it
    stdout: str
    stderr: str
    folder: Path  #: where ``-o`` pointed

    def text(self, name: str) -> str:
        """Content of an output file, ``stdout`` or ``stderr``; "" when there is no such file."""
        if name in ("stdout", "stderr"):
            return self.stdout if name == "stdout" else self.stderr
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def objects(self, name: str) -> list[dict[str, Any]]:
        """The JSON objects of a file, one a line; a ``.json`` file may be one object."""
        text = self.text(name)
        if name == "summary.json":
            return [json.loads(text)]
        return [json.loads(line) for line in text.splitlines()]

    def evidence(self) -> list[dict[str, Any]]:
        """The evidence, each once: a later line with the same id has its final count."""
        return list({entry["id"]: entry for entry in self.objects("evidence.jsonl")}.values())

    def incidents(self) -> list[dict[str, Any]]:
        """The alerts: objects of alerts.json with Status Incident."""
        return [entry for entry in self.objects("alerts.json") if entry["Status"] == "Incident"]


class Hung(Exception):
    """The program did not end in time; all its processes were killed."""


def start(*arguments: str | Path, cwd: Path = ROOT) -> "subprocess.Popen[str]":
    """Start ``hdr-lite`` with these arguments, in a process group of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(
        [sys.executable, "-m", "hdr_lite", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        start_new_session=True,
    )


def finish(process: "subprocess.Popen[str]", folder: Path, seconds: float) -> Done:
    """Wait for the end; ``Hung`` when it does not come within the time."""
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise Hung(f"{process.args!r} ran for more than {seconds} s") from None
    return Done(process.returncode, stdout, stderr, folder)


def hdr_lite(*arguments: str | Path, folder: Path = ROOT, seconds: float = 60) -> Done:
    """Run ``hdr-lite`` with these arguments to its end."""
    return finish(start(*arguments), folder, seconds)


def analyse(capture: Path, folder: Path, *arguments: str | Path, seconds: float = 60) -> Done:
    """``hdr-lite run`` on a capture, with its output in the folder."""
    return hdr_lite("run", "-f", capture, "-o", folder, *arguments, folder=folder, seconds=seconds)
