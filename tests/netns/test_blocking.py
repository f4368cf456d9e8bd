"""The whole service on a router, in mode block: who attacks is stopped, and nobody else."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Self

import pytest

from tests.netns.bed import (
    ATTACKER,
    FRIEND,
    LAN_HOST,
    Bed,
    bed,
    listening,
    opened,
    resident,
    until,
)
from tests.netns.guard import guarding
from tests.netns.network import Namespace
from tests.traffic.dice import Dice
from tests.traffic.ssh import Login

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]

GATEWAY = "203.0.113.2"


@pytest.fixture
def net() -> Iterator[Bed]:
    """A router of its own for each test."""
    with bed() as made:
        yield made


def probe(inside: Namespace, source: str, ports: range, pause: float = 0.001) -> None:
    """A connection attempt from an address to each port of the LAN's host."""

    def attempt(port: int) -> None:
        with socket.socket() as sock:
            sock.setblocking(False)
            sock.bind((source, 0))
            with suppress(BlockingIOError):
                sock.connect((LAN_HOST, port))
            time.sleep(pause)

    with resident(inside) as thread:
        for port in ports:
            thread.submit(attempt, port).result()


def resets(lan: Namespace) -> int:
    """RSTs that the LAN's host has sent: one for each probe of a closed port that reached it."""
    names, values = [
        line.split() for line in lan.run("cat", "/proc/net/snmp").splitlines() if line[:4] == "Tcp:"
    ]
    return int(dict(zip(names, values, strict=True))["OutRsts"])


def tables(bed: Bed) -> str:
    """Names of the router's tables."""
    return bed.router.run("nft", "list", "tables")


def test_scanner_is_limited(net: Bed) -> None:
    """Of a thousand ports a scanner reaches few; friends notice nothing; a flush heals."""
    with guarding(net, "capture") as guard:
        before = resets(net.lan)
        probe(net.world, ATTACKER, range(2000, 3000))
        guard.until(lambda: guard.outcomes().get("limited"))
        assert 10 <= resets(net.lan) - before < 200
        assert not net.reaches(ATTACKER)
        assert net.reaches(FRIEND)
        assert ATTACKER in guard.verb("blocked")
        assert "VERTICAL_PORT_SCAN" in guard.verb("why", ATTACKER)
        net.router.run("nft", "flush", "ruleset")
        assert until(lambda: "hdr_lite" in tables(net), 1) < 1
        assert not net.reaches(ATTACKER)
        assert "limited 203.0.113.5 for 60 s" in (guard.folder / "out/hdr-lite.log").read_text()
        assert guard.stop() == 0, guard.said
    assert "inet hdr_lite\n" not in tables(net)


def test_friends_are_never_touched(net: Bed) -> None:
    """Whoever forges the gateway, or an allow-listed address, cuts nobody off."""
    with guarding(net, "capture") as guard:
        for count, address in enumerate((FRIEND, GATEWAY), 1):
            probe(net.world, address, range(2000, 2100))
            guard.until(partial(guard.has_heard, "refused", count))
            assert net.reaches(address)
        log = (guard.folder / "out/hdr-lite.log").read_text()
        assert "is on the allow list" in log
        assert "is a gateway of this device" in log
        assert guard.verb("blocked").startswith("mode block, held: 0")
        assert guard.stop() == 0, guard.said


class Wire:
    """What the traffic generator says, over a real connection."""

    def __init__(self, near: socket.socket, far: socket.socket, seed: int) -> None:
        self.trace = self
        self.dice = Dice("guessing", seed)
        self._ends = (near, far)
        for end in self._ends:
            end.settimeout(1)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def open(self) -> Self:
        """It is."""
        return self

    def client(self, data: bytes) -> Self:
        """The client says that, and it arrives; ``TimeoutError``."""
        return self._say(*self._ends, data)

    def server(self, data: bytes) -> Self:
        """The server says that."""
        return self._say(*self._ends[::-1], data)

    def wait(self, _nanoseconds: int) -> Self:
        """A short one."""
        time.sleep(0.01)
        return self

    def close(self, _side: int) -> Self:
        """Both ends."""
        for end in self._ends:
            end.close()
        return self

    def _say(self, speaker: socket.socket, hearer: socket.socket, data: bytes) -> Self:
        speaker.sendall(data)
        heard = 0
        while heard < len(data):
            heard += len(hearer.recv(65536))
        return self


def guess(bed: Bed, server: socket.socket, seed: int) -> int:
    """Three passwords in one connection; how many were refused before it was cut off."""
    near = opened(bed.world, ATTACKER, LAN_HOST, 22)
    far, _ = server.accept()
    wire: Any = Wire(near, far, seed)
    refused = 0
    try:
        login = Login(wire).ask_methods()
        for _ in range(3):
            login.wrong_password()
            refused += 1
    except TimeoutError:
        pass
    wire.close(0)
    return refused


def test_guesser_is_blocked(net: Bed) -> None:
    """Guessing of ssh passwords, over connections of its own: a block, for it has proof."""
    with listening(net.lan, 22) as server, guarding(net, "capture") as guard:
        guesses = 0
        with suppress(OSError):
            for number in range(18):
                guesses += guess(net, server, number)
                time.sleep(0.7)
        guard.until(lambda: guard.outcomes().get("blocked"))
        assert 7 <= guesses <= 12
        assert not net.reaches(ATTACKER)
        assert net.reaches(FRIEND)
        assert "PASSWORD_GUESSING" in guard.verb("why", ATTACKER)
        assert "was let go" in guard.verb("unblock", ATTACKER)
        assert net.reaches(ATTACKER)
        assert guard.stop() == 0, guard.said


def test_what_a_person_asks(net: Bed) -> None:
    """Block and unblock by hand; a panic takes all away and outlives the enforcer."""
    with guarding(net, "capture") as guard:
        assert "is blocked for 600 s" in guard.verb("block", ATTACKER, "--for", "10m")
        assert not net.reaches(ATTACKER)
        assert "nothing is touched" in guard.verb("panic")
        assert "inet hdr_lite\n" not in tables(net)
        assert net.reaches(ATTACKER)
        os.kill(guard.processes()["enforcer"]["pid"], signal.SIGKILL)
        guard.until_said("the enforcer is back")
        status = guard.status()["enforcer"]
        assert (status["mode"], status["panic"]) == ("observe", True)
        assert "mode block" in guard.verb("arm", "block")
        assert "hdr_lite" in tables(net)
        assert net.reaches(ATTACKER)
        assert guard.stop() == 0, guard.said


def test_processes_that_are_killed(net: Bed) -> None:
    """Engine and enforcer die during an attack: what is held stays, both are back in 2 s."""
    with guarding(net, "capture") as guard:
        probe(net.world, ATTACKER, range(2000, 2200))
        guard.until(lambda: guard.outcomes().get("limited"))
        for name in ("engine", "enforcer"):
            os.kill(guard.processes()[name]["pid"], signal.SIGKILL)
            assert not net.reaches(ATTACKER)
            assert net.reaches(FRIEND)
            until(partial(guard.has_said, f"the {name} is back"), 2)
            assert not net.reaches(ATTACKER)
        assert ATTACKER in guard.verb("blocked")
        assert guard.stop() == 0, guard.said
