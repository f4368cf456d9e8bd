"""The collector's processes of a fleet, as they are started by the units."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

_START = 60.0  # s, on a machine that is busy


class Process:
    """``hdr-lite collector …``; may be killed and started again."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self.log = log
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def pid(self) -> int:
        """Of the one that runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it is ready."""
        command = [sys.executable, "-m", "hdr_lite", "collector", *self._arguments]
        if self.port:  # the one it had
            command += ["--listen", f"127.0.0.1:{self.port}"]
        begun = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"}
            )
        end = time.monotonic() + _START
        while True:
            told = self.log.read_bytes()[begun:].decode()
            if match := re.search(r"^ready(?: on port (\d+))?$", told, re.MULTILINE):
                self.port = int(match[1] or 0)
                return
            assert self._process.poll() is None, told
            assert time.monotonic() < end, told
            time.sleep(0.05)

    def kill(self) -> None:
        """As a crash."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """By SIGTERM; it has to end well, and in any case ends."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                status = process.wait(_START)
            finally:
                process.kill()
                process.wait()
            assert status in (0, -15), self.log.read_text()
