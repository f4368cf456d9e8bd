"""``hdr-lite run -i`` that blocks, and two instances on one interface."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.netns.bed import ATTACKER, FRIEND, Bed, bed
from tests.netns.guard import guarding
from tests.netns.service import ENVIRONMENT
from tests.netns.test_blocking import probe
from tests.program import ROOT

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]


class Running:
    """The program in the foreground, on the router's outer interface."""

    def __init__(self, net: Bed, folder: Path, verb: str, *words: str) -> None:
        self._err = folder / f"stderr-{verb}"
        state = f"enforcer.state={folder}/state/blocks"
        more = ("--runtime", str(folder), "-o", str(folder / f"out-{verb}"), "--set", state)
        program = (sys.executable, "-m", "hdr_lite", verb, "-i", "wan0", *more, *words)
        with self._err.open("w") as said:
            self.process = subprocess.Popen(
                net.router.words(*program),
                cwd=ROOT,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )

    @property
    def said(self) -> str:
        """On standard error."""
        return self._err.read_text()

    def until_said(self, text: str) -> None:
        """Wait until it has said that."""
        deadline = time.monotonic() + 20
        while text not in self.said:
            assert time.monotonic() < deadline, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.02)


@contextmanager
def running(net: Bed, folder: Path, verb: str, *words: str) -> Iterator[Running]:
    """It is killed at the end, if it still runs."""
    made = Running(net, folder, verb, *words)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
        made.process.wait()


def test_run_blocks(tmp_path: Path) -> None:
    """In mode block it says ready once all is in place, limits a scanner, and spares a friend."""
    with bed() as net:
        words = ("--mode", "block", "--allow", FRIEND, "--timeout", "2m")
        with running(net, tmp_path, "run", *words, "--set", "enforcer.on_stop=remove") as program:
            program.until_said("ready\n")
            assert "hdr_lite" in net.router.run("nft", "list", "tables")
            probe(net.world, FRIEND, range(2000, 2100))
            probe(net.world, ATTACKER, range(2000, 2100))
            log = tmp_path / "out-run/hdr-lite.log"
            deadline = time.monotonic() + 20
            while f"limited {ATTACKER}" not in log.read_text():
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            assert f"{FRIEND} is on the allow list" in log.read_text()
            assert not net.reaches(ATTACKER)
            assert net.reaches(FRIEND)
            program.process.send_signal(signal.SIGTERM)
            assert program.process.wait(10) == 0, program.said
        assert "inet hdr_lite\n" not in net.router.run("nft", "list", "tables")
        assert net.reaches(ATTACKER)


def test_run_that_only_watches(tmp_path: Path) -> None:
    """Without a mode it says ready as well, and touches nothing."""
    with bed() as net, running(net, tmp_path, "run") as program:
        program.until_said("ready\n")
        assert net.router.run("nft", "list", "tables") == ""
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(10) == 0, program.said


def test_two_that_would_block() -> None:
    """The second one is refused by name; it may watch, and arm once the first lets go."""
    with bed() as net, guarding(net) as guard:
        for verb in ("run", "daemon"):
            words = ("-P", "second", "--mode", "block")
            with running(net, guard.folder, verb, *words) as program:
                assert program.process.wait(20) == 2
                assert "hdr-lite (process " in program.said
                assert "blocks on wan0 already: one of the two must observe" in program.said
        with running(net, guard.folder, "daemon", "-P", "second") as program:
            program.until_said("ready\n")
            with pytest.raises(AssertionError, match="blocks on wan0 already"):
                guard.verb("arm", "limit", "-P", "second")
            guard.verb("arm", "observe")
            assert "mode limit" in guard.verb("arm", "limit", "-P", "second")
            assert "hdr_lite_second" in net.router.run("nft", "list", "tables")
            program.process.send_signal(signal.SIGTERM)
            assert program.process.wait(10) == 0, program.said
        assert guard.stop() == 0


def test_armed_until_confirmed() -> None:
    """Armed through the socket for a second it goes back by itself, also over a kill."""
    with bed() as net, guarding(net) as guard:
        guard.verb("arm", "observe")
        assert "for 1 s, then observe" in guard.verb("arm", "--confirm", "1s")
        guard.until(lambda: guard.status()["enforcer"]["mode"] == "observe")
        assert "inet hdr_lite\n" not in net.router.run("nft", "list", "tables")
        guard.until_said("nobody confirmed mode block in time")
        guard.verb("arm", "--confirm", "10m")
        assert guard.verb("arm", "--confirmed") == "mode block, confirmed\n"
        guard.verb("arm", "limit", "--confirm", "10m")
        os.kill(guard.processes()["enforcer"]["pid"], signal.SIGKILL)
        guard.until_said("the enforcer is back")
        status = guard.status()["enforcer"]
        assert status["mode"] == "limit"
        assert 500 < status["unconfirmed"] <= 600
        assert guard.stop() == 0
