"""``hdr-lite daemon`` in a namespace, and what a test asks of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.netns.network import Network, wires
from tests.program import ROOT

PROGRAM = (sys.executable, "-m", "hdr_lite")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}


class Service:
    """``hdr-lite daemon`` in a namespace."""

    def __init__(self, network: Network, folder: Path, *words: str, settings: str = "") -> None:
        self.network = network
        self.folder = folder
        self.settings = folder / "settings.toml"
        self.write_settings(settings)
        self._err = (folder / "stderr").open("w+")
        self.process = subprocess.Popen(
            network.inner.words(*words, *PROGRAM, *self._words()),
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._err,
        )

    def write_settings(self, text: str) -> None:
        """The settings file; the enforcer's state is kept with it."""
        state = f'[enforcer]\nstate = "{self.folder}/state/blocks"\n'
        self.settings.write_text(text + state)

    def _words(self) -> tuple[str, ...]:
        folder = str(self.folder)
        where = ("--runtime", folder, "-o", f"{folder}/out", "-c", str(self.settings))
        return ("daemon", "-i", "in0", *where)

    @property
    def said(self) -> str:
        """What it told on standard error."""
        return (self.folder / "stderr").read_text()

    def until(self, condition: Callable[[], object], seconds: float = 15) -> None:
        """Wait for that."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.02)

    def until_said(self, text: str) -> None:
        """Wait until it has said that."""
        self.until(lambda: text in self.said)

    def status(self) -> dict[str, Any]:
        """``hdr-lite status --json``."""
        words = [*PROGRAM, "status", "--json", "--runtime", str(self.folder)]
        done = subprocess.run(words, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.stdout, done.stderr
        status: dict[str, Any] = json.loads(done.stdout)
        return status

    def processes(self) -> dict[str, dict[str, Any]]:
        """Its processes by name."""
        return {process["name"]: process for process in self.status()["processes"]}

    def send(self, scenario: str) -> int:
        """Have a scenario's frames sent to it, as fast as they go; how many."""
        words = (sys.executable, "-m", "tests.netns.replay", scenario, "out0", "--flood")
        return int(self.network.outer.run("env", f"PYTHONPATH={ROOT}", *words))

    def packets(self) -> int:
        """That its sensor has seen."""
        return sum(source["packets"] for source in self.status()["sensor"].get("sources", ()))

    def evidence(self) -> list[dict[str, Any]]:
        """All lines of evidence.jsonl."""
        text = (self.folder / "out/evidence.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def stop(self) -> int:
        """SIGTERM; its exit status, which must come within 5 s."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(5)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._err.close()


@contextmanager
def serving(*words: str) -> Iterator[Service]:
    """A service that is ready, in a folder that every user may enter."""
    with TemporaryDirectory(prefix="hdr-lite-") as name, wires(1) as network:
        folder = Path(name)
        folder.chmod(0o755)
        service = Service(network, folder, *words)
        try:
            service.until_said("hdr-lite: ready\n")
            yield service
        finally:
            service.close()
