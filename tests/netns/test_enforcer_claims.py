"""False ARP claims: who makes them is quarantined, whose MAC they carry is not."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hdr_lite.enforcer.trial import PATIENCE
from hdr_lite.records.verb import Enforced, Quarantine
from tests.netns.bed import (
    LAN_HOST,
    LAN_MAC,
    MATE,
    MATE_MAC,
    ROUTER_IN_LAN,
    bridged,
    connects,
    mated,
)
from tests.netns.claims import claiming
from tests.netns.enforcing import enforcing
from tests.netns.network import Namespace

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]

VERDICT = PATIENCE + 10


def accused(mac: str, own: str, claimed: str, evidence: str = "c1") -> Quarantine:
    """An order as the engine sends it about false claims."""
    return Quarantine(evidence, mac, own, 600, "MITM_ARP_ATTACK", claimed)


@contextmanager
def spoofing(inside: Namespace, interface: str, victim: str, claimed: str) -> Iterator[None]:
    """``arpspoof`` of dsniff: tells the victim, each 2 s, that it has an address."""
    words = inside.words("arpspoof", "-i", interface, "-t", victim, claimed)
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_spoofer_on_a_switch(tmp_path: Path) -> None:
    """A real spoofer tells us that it is another: it answers for itself, and is quarantined."""
    with mated() as (net, mate), enforcing(net.router, tmp_path / "state") as enforcer:
        with spoofing(mate, "m0", ROUTER_IN_LAN, LAN_HOST):
            enforcer.send(accused(MATE_MAC, MATE, LAN_HOST))
            answer = enforcer.next(Enforced, VERDICT)
        assert (answer.outcome, answer.target) == ("quarantined", MATE_MAC), answer
        assert not connects(mate, MATE, ROUTER_IN_LAN, 22)
        assert connects(mate, MATE, ROUTER_IN_LAN, 53)


def test_spoofer_on_our_bridge(tmp_path: Path) -> None:
    """The same behind a bridge of ours, where it lies to its neighbour and not to us."""
    with (
        bridged() as (router, one, two),
        enforcing(router, tmp_path / "state") as enforcer,
        spoofing(one, "h0", "192.168.9.12", "192.168.9.1"),
    ):
        enforcer.send(accused("02:00:00:00:09:11", "192.168.9.11", "192.168.9.1"))
        answer = enforcer.next(Enforced, VERDICT)
        assert answer.outcome == "quarantined", answer
        two.run("ip", "neigh", "flush", "all")  # what it believed already stays for a while
        assert connects(two, "192.168.9.12", "192.168.9.1", 22)
        time.sleep(2.5)  # the spoofer goes on, and nobody hears it any more
        assert "02:00:00:00:09:11" not in two.run("ip", "neigh", "show", "192.168.9.1")


def test_forged_mac_on_a_switch(tmp_path: Path) -> None:
    """Claims that carry a friend's MAC accuse him; asked, he does not hear it: he stays free."""
    with (
        mated() as (net, mate),
        enforcing(net.router, tmp_path / "state") as enforcer,
        claiming(mate, "m0", LAN_MAC, MATE, ROUTER_IN_LAN),
    ):
        enforcer.send(accused(LAN_MAC, LAN_HOST, MATE))
        answer = enforcer.next(Enforced, VERDICT)
        assert answer.outcome == "refused", answer
        assert "somebody else may forge that MAC" in answer.reason
        assert "02:00" not in net.router.run("nft", "list", "set", "inet", "hdr_lite", "quarantine")


def test_forged_mac_on_our_bridge(tmp_path: Path) -> None:
    """On a bridge of ours the friend answers from another port, or not at all."""
    with (
        bridged() as (router, one, _two),
        enforcing(router, tmp_path / "state") as enforcer,
        claiming(one, "h0", "02:00:00:00:09:12", "192.168.9.1", "192.168.9.1"),
    ):
        enforcer.send(accused("02:00:00:00:09:12", "192.168.9.12", "192.168.9.1"))
        answer = enforcer.next(Enforced, VERDICT)
        assert answer.outcome == "refused", answer
        assert "forge" in answer.reason


def test_claims_end(tmp_path: Path) -> None:
    """Who is no neighbour is not asked at all, and nobody is limited for a claim."""
    with mated() as (net, _mate), enforcing(net.router, tmp_path / "state") as enforcer:
        answer = enforcer.ask(accused("02:00:00:00:07:99", LAN_HOST, MATE))
        assert (answer.outcome, answer.reason) == (
            "refused",
            "02:00:00:00:07:99 is no neighbour of ours",
        )
        answer = enforcer.ask(accused(LAN_MAC, "192.168.7.99", MATE, "c2"))
        assert answer.outcome == "refused"
        assert answer.reason.startswith(f"192.168.7.99 is not known to be {LAN_MAC}'s: ")
        answer = enforcer.ask(accused(LAN_MAC, "", MATE, "c3"))
        assert (answer.outcome, answer.reason) == (
            "refused",
            f"{LAN_MAC} is no neighbour that can be asked",
        )
        assert connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 22)
