"""The real collector, as a process that a test may kill."""

import importlib.util
import os
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT

PROGRAM = (sys.executable, "-m", "hdr_lite")


def needs_collector() -> None:
    """Skip where its libraries are not there."""
    for name in ("hdr_lite.cli.collector", "litestar", "uvicorn", "msgspec"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"needs {name}: pip install 'hdr-lite[collector]'")


class RealCollector:
    """``hdr-lite collector serve`` on loopback, with its own CA; it keeps its port and data."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.data = folder / "collector"
        with socket.create_server(("127.0.0.1", 0)) as bound:
            self.port: int = bound.getsockname()[1]
        self._words = ("--listen", f"127.0.0.1:{self.port}", "--data", str(self.data), *words)
        self._log = (folder / "collector.log").open("a+")
        self.process: subprocess.Popen[bytes]
        self.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Until it says that it is ready."""
        limits = ("--alerts-per-minute", "1000000", "--name", "127.0.0.1")
        words = [*PROGRAM, "collector", "serve", *self._words, *limits]
        self.process = subprocess.Popen(
            words, cwd=ROOT, env=_environment(), stdout=self._log, stderr=subprocess.PIPE
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.startswith(b"ready on port"):
                return
        raise AssertionError("the collector did not start")

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def token(self, *words: str) -> str:
        """A new one."""
        done = subprocess.run(
            [*PROGRAM, "collector", "token", "--data", str(self.data), *words],
            cwd=ROOT,
            env=_environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1]

    def rows(self, query: str) -> list[Any]:
        """What its database says."""
        path = self.data / "collector.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(query).fetchall()

    def alerts(self) -> Counter[str]:
        """How often each alert is there, by its id."""
        return Counter(row[0] for row in self.rows("SELECT id FROM alert"))

    def close(self) -> None:
        self.kill()
        self._log.close()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
