"""The enforcer on a router with real nftables: what is stopped, and what never is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hdr_lite.records.verb import Block
from tests.netns.bed import ATTACKER, ATTACKER6, FRIEND, LAN_HOST6, Bed, bed
from tests.netns.enforcing import enforcing

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]


@pytest.fixture(scope="module")
def net() -> Iterator[Bed]:
    """One router for all tests of this file; each removes its tables."""
    with bed() as made:
        yield made


def block(address: str, evidence: str = "e1", seconds: int = 600) -> Block:
    """An order as the engine sends it."""
    return Block(evidence, address, seconds, "VERTICAL_PORT_SCAN", 0)


def test_blocked_and_nobody_else(net: Bed, tmp_path: Path) -> None:
    """What the blocked send does not pass, nor what is sent to them; others go on."""
    with enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer:
        assert net.reaches(ATTACKER)
        answer = enforcer.ask(block(ATTACKER))
        assert (answer.outcome, answer.seconds) == ("blocked", 600)
        assert not net.reaches(ATTACKER)
        assert net.reaches(FRIEND)
        answer = enforcer.ask(block("2001:db8:bad::/64"))
        assert answer.outcome == "blocked", answer
        assert not net.reaches(ATTACKER6, LAN_HOST6)
        assert not net.reaches("2001:db8:bad::6", LAN_HOST6)
        assert net.reaches("2001:db8:c::6", LAN_HOST6)
        assert enforcer.stop() == 0
    assert net.reaches(ATTACKER)
    assert "hdr_lite" not in net.router.run("nft", "list", "tables")
