"""Guessing of ssh passwords by a real client at a real server is cut; who errs is not."""

import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.netns.bed import ATTACKER, Bed, bed
from tests.netns.guard import Guard, guarding
from tests.netns.shell import PASSWORD, Client, Server, make_key, serving

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
    pytest.mark.skipif(shutil.which("ssh") is None, reason="needs openssh-client"),
    pytest.mark.skipif(shutil.which("dropbear") is None, reason="needs dropbear-bin"),
]

#: The aim.
PASSWORDS = 12
SOURCES = ("capture", "nflog")


@pytest.fixture
def net() -> Iterator[Bed]:
    """A router of its own for each test."""
    with bed() as made:
        yield made


@pytest.fixture
def server(net: Bed, tmp_path: Path) -> Iterator[Server]:
    """An ssh server in its LAN."""
    with serving(net, tmp_path) as made:
        yield made


def guess(net: Bed, guard: Guard, client: Client, each: int, at_once: int) -> None:
    """So many passwords a connection, so many connections at once, until cut off."""
    deadline = time.monotonic() + 60

    def go_on() -> None:
        while time.monotonic() < deadline and "blocked" not in guard.outcomes():
            client.log_in(*["wrong"] * each)

    with ThreadPoolExecutor(at_once) as guessers:
        for done in [guessers.submit(go_on) for _ in range(at_once)]:
            done.result()


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("each", [1, 3, 6])
@pytest.mark.parametrize("source", SOURCES)
def test_guesser_is_cut(
    net: Bed, server: Server, tmp_path: Path, source: str, each: int, at_once: int
) -> None:
    """At most twelve passwords by the server's own count, however they are spread."""
    with guarding(net, source) as guard:
        guess(net, guard, Client(net, ATTACKER, tmp_path), each, at_once)
        assert not net.reaches(ATTACKER)
        assert "PASSWORD_GUESSING" in guard.verb("why", ATTACKER)
        assert 7 <= server.refused <= PASSWORDS
        assert guard.stop() == 0


@pytest.mark.parametrize("source", SOURCES)
def test_who_errs_is_not_cut(net: Bed, server: Server, tmp_path: Path, source: str) -> None:
    """A person who mistypes thrice, twice, and gets in; an agent with six keys; a script whose
    password is old. Then a person who got in again and again by a program."""
    keys = tuple(
        make_key(tmp_path, f"{kind}{n}", kind) for kind in ("ed25519", "rsa") for n in range(3)
    )
    with guarding(net, source) as guard:
        person = Client(net, ATTACKER, tmp_path)
        assert not person.log_in(*["wrong"] * 3, pause=1)
        assert not person.log_in(*["wrong"] * 3, pause=1)
        assert person.log_in("wrong", "wrong", PASSWORD, pause=1)
        for _ in range(4):
            assert not person.log_in(keys=keys)
        for _ in range(9):
            assert person.log_in(PASSWORD)
        assert net.reaches(ATTACKER)
        assert guard.verb("blocked").startswith("mode block, held: 0")
        assert server.refused == 8
        assert guard.stop() == 0
