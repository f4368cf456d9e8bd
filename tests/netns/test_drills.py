"""Drills: whatever dies, is flushed, fills up or is asked too much during an attack, who is held
stays held, everybody else's traffic goes on, and nothing is told twice."""

import itertools
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from hdr_lite.config import UserError
from hdr_lite.enforcer.orders import ORDERS_A_SECOND
from hdr_lite.records.verb import Block
from hdr_lite.supervisor.control import ask
from tests.netns.bed import ATTACKER, FRIEND, LAN_HOST, Bed, opened, resident, until
from tests.netns.enforcing import enforcing
from tests.netns.guard import Guard
from tests.netns.service import ENVIRONMENT, PROGRAM
from tests.program import ROOT

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]

#: Blocked by hand, so that there is a block beside the limit of who attacks.
BLOCKED = "203.0.113.7"
#: Scans by halves.
HALVED = "203.0.113.8"
CHILDREN = ("sensor", "engine", "enforcer")


@pytest.fixture
def folder(net: Bed) -> Iterator[Path]:
    """A service's folder; the router has no rules at the end."""
    with TemporaryDirectory(prefix="hdr-lite-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
    net.router.run("nft", "flush", "ruleset")


class Drilled(Guard):
    """The service with settings of the drill's, in a folder that outlives it."""

    def __init__(self, net: Bed, folder: Path, more: str = "", out: str = "out") -> None:
        self._more = more
        self.out = folder / out
        super().__init__(net, folder, "auto")

    def write_settings(self, text: str) -> None:
        """Those of a guard; lines of the enforcer's section in ``more`` come in their place."""
        super().write_settings(text)
        names = [line.partition(" ")[0] for line in self._more.splitlines()]
        lines = self.settings.read_text().splitlines(keepends=True)
        kept = [line for line in lines if line.partition(" ")[0] not in names]
        self.settings.write_text("".join(kept) + self._more)

    def _words(self) -> tuple[str, ...]:
        words = super()._words()
        return tuple(str(self.out) if word == f"{self.folder}/out" else word for word in words)

    def told(self, name: str) -> list[dict[str, Any]]:
        """The lines of an output file, all of them whole."""
        text = (self.out / name).read_text()
        assert text == "" or text.endswith("\n")
        return [json.loads(line) for line in text.splitlines()]

    def pids(self) -> dict[str, int]:
        """Of its processes."""
        return {name: process["pid"] for name, process in self.processes().items()}

    def restarts(self) -> int:
        """Of all its processes together."""
        return sum(process.get("restarts", 0) for process in self.processes().values())

    def block(self, address: str) -> str:
        """What its control socket says to a block of ten minutes."""
        request = {"verb": "block", "address": address, "seconds": 600, "why": ""}
        try:
            return str(ask(self.folder / "hdr-lite.sock", request)["outcome"])
        except UserError as error:
            return str(error)

    def holds(self, net: Bed) -> bool:
        """Whether who attacks and who is blocked reach nothing, and a friend does."""
        return net.reaches(FRIEND) and not (net.reaches(ATTACKER) or net.reaches(BLOCKED))


@contextmanager
def drilled(net: Bed, folder: Path, more: str = "", out: str = "out") -> Iterator[Drilled]:
    """It is ready."""
    service = Drilled(net, folder, more, out)
    try:
        service.until_said("hdr-lite: ready\n")
        yield service
    finally:
        service.close()


@contextmanager
def attack(net: Bed) -> Iterator[None]:
    """Somebody tries port after port of the LAN's host, 500 a second, until the drill is over."""
    over = threading.Event()

    def attempts() -> None:
        port = 1024
        while not over.wait(0.002):
            port = 1024 + (port + 1) % 40000
            with socket.socket() as sock:
                sock.setblocking(False)
                sock.bind((ATTACKER, 0))
                with suppress(BlockingIOError):
                    sock.connect((LAN_HOST, port))

    with resident(net.world) as thread:
        running = thread.submit(attempts)
        try:
            yield
        finally:
            over.set()
            running.result()


@contextmanager
def conversation(net: Bed) -> Iterator[Callable[[], int]]:
    """A friend talks with the LAN's host through the router all the time; how often both spoke."""
    over, spoken = threading.Event(), 0

    def talk(near: socket.socket, far: socket.socket) -> None:
        nonlocal spoken
        while not over.wait(0.01):
            for speaker, hearer in ((near, far), (far, near)):
                speaker.sendall(b"x")
                assert hearer.recv(1) == b"x"
            spoken += 1

    server = resident_server(net)
    near = opened(net.world, FRIEND, LAN_HOST, 4000, seconds=5)
    far, _ = server.accept()
    far.settimeout(5)
    with ThreadPoolExecutor(1) as thread, near, far, server:
        talking = thread.submit(talk, near, far)
        try:
            yield lambda: spoken
        finally:
            over.set()
            talking.result()


def resident_server(net: Bed) -> socket.socket:
    """A listener of the LAN's host."""
    with resident(net.lan) as thread:
        return thread.submit(socket.create_server, ("", 4000)).result()


def limited(service: Drilled) -> None:
    """Wait until who attacks is limited; block another one by hand."""
    service.until(lambda: service.outcomes().get("limited"))
    assert service.block(BLOCKED) == "blocked"


def is_told_once(service: Drilled) -> None:
    """No evidence and no alert is in a file twice, and all are in all files."""
    told = service.told("alerts.json")
    assert repeated(line["ID"] for line in told) == []
    facts = [line["hdr_lite"] for line in told if line["Status"] == "Incident"]
    assert repeated((f["profile"], *f["type"], f["window"]) for f in facts) == []
    assert facts
    evidence = [line["id"] for line in service.told("evidence.jsonl") if line["count"] == 1]
    assert evidence == [line["ID"] for line in told if line["Status"] == "Event"]
    assert len((service.out / "alerts.log").read_text().splitlines()) == len(told)


def repeated(things: Iterator[object]) -> list[object]:
    """Those that come more than once."""
    return [thing for thing, count in Counter(things).items() if count > 1]


def element(net: Bed, address: str, name: str = "block4") -> dict[str, Any]:
    """An element of a set of ours, as nft tells it; ``{}`` when it is not there."""
    words = ("nft", "-j", "list", "set", "inet", "hdr_lite", name)
    done = subprocess.run(net.router.words(*words), capture_output=True, text=True)
    if done.returncode:
        return {}
    (found,) = [part["set"] for part in json.loads(done.stdout)["nftables"] if "set" in part]
    for wrapped in found.get("elem", ()):
        if wrapped["elem"]["val"] == address:
            return dict(wrapped["elem"])
    return {}


def test_flush_during_an_attack(net: Bed, folder: Path) -> None:
    """All rules are flushed: tables, block and limit are back within a second."""
    with drilled(net, folder) as service, attack(net), conversation(net) as spoken:
        limited(service)
        net.router.run("nft", "flush", "ruleset")
        back = until(lambda: bool(element(net, BLOCKED) and element(net, ATTACKER, "limit4")))
        assert back < 1
        assert service.holds(net)
        service.until_said("somebody took out the rules that log first packets: they are back")
        before = spoken()
        until(lambda: spoken() > before)
        is_told_once(service)
        assert service.restarts() == 0
        assert service.stop() == 0


def test_each_process_is_killed_during_an_attack(net: Bed, folder: Path) -> None:
    """Sensor, engine and enforcer are killed in turn: what is held stays, forwarding goes on, the
    process is back in 2 s. Then the supervisor: all end, what is held stays, a new start works at
    once and goes on where the old one was. Nothing is told twice in all of it."""
    with attack(net), conversation(net) as spoken:
        with drilled(net, folder) as service:
            limited(service)
            for name in CHILDREN:
                os.kill(service.pids()[name], signal.SIGKILL)
                assert service.holds(net)
                assert until(partial(service.has_said, f"the {name} is back")) < 2
                before = spoken()
                until(lambda before=before: spoken() > before)  # type: ignore[misc]
                assert service.holds(net)
            assert service.restarts() == 3
            is_told_once(service)
            children = [os.pidfd_open(service.pids()[name]) for name in CHILDREN]
            service.process.kill()
            service.process.wait()
            for child in children:
                assert select.select([child], [], [], 5)[0]
                os.close(child)
        assert service.holds(net)
        number = len(service.told("alerts.json"))
        with drilled(net, folder) as successor:
            assert element(net, BLOCKED)["expires"] < 600
            assert successor.holds(net)
            successor.until(lambda: successor.status()["engine"]["findings"])
            is_told_once(successor)
            assert len(successor.told("alerts.json")) == number
            assert successor.stop() == 0


@pytest.fixture
def small(folder: Path) -> Iterator[Path]:
    """A disk of 256 kB."""
    path = folder / "small"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


def test_full_disk(net: Bed, folder: Path, small: Path) -> None:
    """The disk of logs and state is full: who attacks is stopped, a line each says it, no process
    ends; once there is room everything is written, in whole lines."""
    more = f'state = "{small}/state/blocks"\nstate_interval = 1\n'
    with drilled(net, folder, more, "small/out") as service:
        filler = small / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        with attack(net):
            limited(service)
            assert service.holds(net)
            service.until_said("blocks could not be kept")
            service.until_said("cannot write")
        size = (service.out / "evidence.jsonl").stat().st_size
        filler.unlink()
        service.until_said("the output files can be written again")
        state = small / "state/blocks"
        service.until(lambda: state.exists() and BLOCKED.encode() in state.read_bytes())
        assert (service.out / "evidence.jsonl").stat().st_size > size
        for text in ("cannot write", "blocks could not be kept"):
            assert service.said.count(text) == 1
        is_told_once(service)
        assert "cannot write" in (service.out / "errors.log").read_text()
        assert service.restarts() == 0
        assert service.stop() == 0


@pytest.mark.parametrize("on_stop", ["remove", "keep"])
def test_stop_and_start(net: Bed, folder: Path, on_stop: str) -> None:
    """A stop takes the tables away or leaves them, as the settings say; the next start has the
    blocks again either way, with the time that was left of them."""
    more = f'on_stop = "{on_stop}"\n'
    with drilled(net, folder, more) as service:
        assert service.block(BLOCKED) == "blocked"
        time.sleep(1.5)
        assert service.stop() == 0
    assert bool(element(net, BLOCKED)) == (on_stop == "keep")
    assert net.reaches(BLOCKED) == (on_stop == "remove")
    with drilled(net, folder, more) as service:
        assert 500 < element(net, BLOCKED)["expires"] < 600
        assert not net.reaches(BLOCKED)
        assert service.stop() == 0


def test_started_twice_in_parallel(net: Bed, folder: Path) -> None:
    """One of two runs; the other one says who does and ends with status 2."""
    with drilled(net, folder) as first:
        assert first.stop() == 0
    words = net.router.words(*PROGRAM, *first._words())
    pipe = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    both: list[subprocess.Popen[str]] = [
        subprocess.Popen(words, cwd=ROOT, env=ENVIRONMENT, **pipe)  # type: ignore[call-overload]
        for _ in range(2)
    ]
    until(lambda: any(process.poll() is not None for process in both), 15)
    (refused,) = [process for process in both if process.poll() is not None]
    (running,) = [process for process in both if process is not refused]
    assert refused.returncode == 2
    assert f"hdr-lite is in use by process {running.pid}" in refused.communicate()[1]
    assert running.stderr is not None
    while "ready" not in running.stderr.readline():
        assert running.poll() is None
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=10)
    assert running.returncode == 0


def test_interface_down_and_up_during_a_block(net: Bed, folder: Path) -> None:
    """The outer interface goes down and comes back: who was held still is, friends reach."""
    with drilled(net, folder) as service, attack(net):
        limited(service)
        net.router.run("ip", "link", "set", "wan0", "down")
        service.until(lambda: any("wan0" in text for text in service.status()["blind"]))
        assert element(net, BLOCKED)
        net.router.run("ip", "link", "set", "wan0", "up")
        net.router.run("ip", "route", "replace", "default", "via", "203.0.113.2")
        until(partial(net.reaches, FRIEND), 10)
        assert service.holds(net)
        service.until(lambda: not any("wan0" in text for text in service.status()["blind"]))
        is_told_once(service)
        assert service.restarts() == 0
        assert service.stop() == 0


def test_reload_during_an_attack(net: Bed, folder: Path) -> None:
    """SIGHUP: what is held stays, and so does what was learned: a scan of which half comes before
    the reload and half after it is found, though neither half would be."""
    with drilled(net, folder) as service, attack(net):
        limited(service)
        pids = service.pids()
        scan(net, range(2000, 2008))
        service.until(lambda: HALVED in (service.out / "evidence.jsonl").read_text())
        service.process.send_signal(signal.SIGHUP)
        service.until(lambda: "new settings" in (service.out / "hdr-lite.log").read_text())
        assert service.holds(net)
        assert not element(net, HALVED, "limit4")
        scan(net, range(2008, 2016))
        service.until(lambda: element(net, HALVED, "limit4"))
        is_told_once(service)
        assert service.pids() == pids
        assert service.stop() == 0


def scan(net: Bed, ports: range) -> None:
    """Somebody else tries these ports of the router, whose failures are not told as sums."""
    for port in ports:
        with suppress(OSError):
            opened(net.world, HALVED, "203.0.113.1", port)


def test_a_hundred_thousand_orders(net: Bed, tmp_path: Path) -> None:
    """Asked for 100,000 blocks at once, the enforcer does 200 a second and counts the others in a
    line; its set stays bounded, the oldest out, its memory as it was; the next block is done."""
    with enforcing(net.router, tmp_path / "state", enforcer__blocks=100) as enforcer:
        pid = enforcer.process.pid
        before, began = memory(pid), time.monotonic()
        enforcer.pour(
            Block(f"e{n}", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 600, "DDOS", 0)
            for n in range(100_000)
        )
        seconds = time.monotonic() - began
        lasts = itertools.count()

        def ask_again() -> bool:
            enforcer.send(Block(f"last{next(lasts)}", ATTACKER, 600, "DDOS", 0))
            return bool(element(net, ATTACKER))

        until(ask_again)
        assert not net.reaches(ATTACKER)
        least = 100_000 - ORDERS_A_SECOND * (seconds + 5)
        refused = 0
        while refused < least:  # a line for each two seconds of it
            line = enforcer.next_notice()
            refused += int(line.split()[1]) if "came too fast" in line else 0
        assert refused < 100_000
        listed = net.router.run("nft", "list", "set", "inet", "hdr_lite", "block4")
        assert listed.count("expires") == 100
        assert " 10.0.0.0 " not in listed
        assert memory(pid) - before < 4 << 20
        assert enforcer.stop() == 0
    net.router.run("nft", "flush", "ruleset")


def memory(pid: int) -> int:
    """Bytes that a process has, at most so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def test_blocks_by_hand_without_end(net: Bed, folder: Path) -> None:
    """A person's script asks for more blocks than there is room: those that hold, stay; more are
    refused in words; the service answers and stops as ever."""
    with drilled(net, folder, "blocks = 100\n") as service:
        answers = Counter(service.block(f"10.1.{n >> 8}.{n & 255}") for n in range(1000))
        assert answers == {"blocked": 100, "all of them were set by hand": 900}
        status = service.status()
        assert status["enforcer"]["blocks"] == 100
        assert status["memory"] < 48 << 20
        assert element(net, "10.1.0.0")
        assert service.stop() == 0
