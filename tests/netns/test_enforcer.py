"""The enforcer on a router with real nftables: what is stopped, and what never is."""

import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from hdr_lite.enforcer.ruleset import RATE
from hdr_lite.records.verb import Block, Limit
from tests.netns.bed import (
    ATTACKER,
    ATTACKER6,
    FRIEND,
    LAN_HOST,
    LAN_HOST6,
    LAN_MAC,
    Bed,
    answers,
    connects,
    datagrams,
    opened,
    until,
    within,
)
from tests.netns.enforcing import enforcing
from tests.netns.network import Namespace

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]


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


def limit(address: str, evidence: str = "l1", victim: str = "", port: int = 0) -> Limit:
    """A limit as the engine asks for it."""
    return Limit(
        evidence, address, 60, "VERTICAL_PORT_SCAN", victim, port, "tcp" if port else "", ""
    )


def test_limited_opens_nothing_new(net: Bed, tmp_path: Path) -> None:
    """A limited source opens nothing; what was open, and what we open to it, goes on."""
    with enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer:
        with opened(net.world, ATTACKER, "203.0.113.1", 22) as before:
            assert enforcer.ask(limit(ATTACKER)).outcome == "limited"
            assert not net.reaches(ATTACKER, port=443)
            assert not net.reaches(ATTACKER, "203.0.113.1", 80)
            assert answers(before)
            assert connects(net.lan, LAN_HOST, ATTACKER)
            assert net.reaches(FRIEND)
        assert enforcer.stop() == 0


def test_limited_keeps_the_services_it_is_known_at(net: Bed, tmp_path: Path) -> None:
    """Forged packets do not keep anybody from a service where he completed a handshake."""
    with enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer:
        assert net.reaches(FRIEND, LAN_HOST, 80)
        assert net.reaches("2001:db8:c::6", LAN_HOST6, 80)
        assert enforcer.ask(limit(FRIEND)).outcome == "limited"
        assert enforcer.ask(limit("2001:db8:c::/64", "l2")).outcome == "limited"
        assert net.reaches(FRIEND, LAN_HOST, 80)
        assert net.reaches("2001:db8:c::6", LAN_HOST6, 80)
        assert not net.reaches(FRIEND, "203.0.113.1", 22)
        assert not net.reaches("2001:db8:c::6", "2001:db8:f::1", 22)
        assert enforcer.stop() == 0


def tracked_addresses(bed: Bed) -> set[str]:
    """Source addresses that conntrack knows of TCP connections to the LAN's port 80."""
    found = set()
    for line in bed.router.run("cat", "/proc/net/nf_conntrack").splitlines():
        words = dict(word.split("=", 1) for word in reversed(line.split()) if "=" in word)
        found.add(words["src"])
    return found


def test_connections_of_the_blocked_are_cut(net: Bed, tmp_path: Path) -> None:
    """The conntrack entries of a blocked address are gone, those of others are not."""
    with (
        enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer,
        opened(net.world, ATTACKER, LAN_HOST),
        opened(net.world, FRIEND, LAN_HOST),
    ):
        assert {ATTACKER, FRIEND} <= tracked_addresses(net)
        enforcer.ask(block(ATTACKER))
        until(lambda: ATTACKER not in tracked_addresses(net))
        assert FRIEND in tracked_addresses(net)
        assert enforcer.stop() == 0


UNTOUCHABLE = {
    "203.0.113.2": "is a gateway of this device",
    "203.0.113.1": "is this device's own address",
    "192.168.7.255": "is a broadcast address",
    "203.0.113.6": "is on the allow list",
    "198.51.100.7": "is on the allow list",
    "192.168.7.10": "has the MAC 02:00:00:00:07:10, which is on the allow list",
    "2001:db8:f::2": "is a gateway of this device",
    "2001:db8:f::/64": "2001:db8:f::/64 holds 2001:db8:f::",
    "fd00:7::/64": "fd00:7::/64 holds fd00:7::1",
    "224.0.0.1": "is no host's address",
    "203.0.113.0/24": "is wider than a host",
    "127.0.0.1": "is no host's address",
}


@pytest.mark.parametrize("mode", ["observe", "limit", "block"])
def test_never_touched(net: Bed, tmp_path: Path, mode: str) -> None:
    """Whatever the engine asks, in whatever mode, these are refused with the reason."""
    settings: dict[str, object] = {"enforcer__mode": mode, "enforcer__on_stop": "remove"}
    settings["enforcer__allow"] = ["203.0.113.6", "198.51.100.0/24", LAN_MAC]
    with enforcing(net.router, tmp_path / "state", **settings) as enforcer:
        for address, reason in UNTOUCHABLE.items():
            for order in (block(address), limit(address)):
                answer = enforcer.ask(order)
                assert answer.outcome == "refused"
                assert reason in answer.reason
        assert enforcer.stop() == 0


def test_observe_touches_nothing(net: Bed, tmp_path: Path) -> None:
    """In mode observe it is told what would be done, and there are no tables."""
    with enforcing(net.router, tmp_path / "state", enforcer__mode="observe") as enforcer:
        answer = enforcer.ask(block(ATTACKER))
        assert answer.outcome == "observed"
        assert answer.reason == "it would be blocked for 600 s"
        assert net.reaches(ATTACKER)
        assert net.router.run("nft", "list", "tables") == ""
        assert enforcer.stop() == 0


def test_mode_limit_blocks_nobody(net: Bed, tmp_path: Path) -> None:
    """In mode limit a block becomes a limit."""
    settings = {"enforcer__mode": "limit", "enforcer__on_stop": "remove"}
    with enforcing(net.router, tmp_path / "state", **settings) as enforcer:
        assert enforcer.ask(block(ATTACKER)).outcome == "limited"
        assert not net.reaches(ATTACKER)
        assert connects(net.lan, LAN_HOST, ATTACKER)
        assert enforcer.stop() == 0


def test_too_many_limits_become_one_rate(net: Bed, tmp_path: Path) -> None:
    """Forged sources by the hundred limit the port that they attack, and no other."""
    with (
        enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer,
        datagrams(net.lan, 5353) as attacked,
        datagrams(net.lan, 5354) as other,
    ):
        orders = [limit(f"198.51.100.{n}", f"e{n}", LAN_HOST, 5353) for n in range(1, 101)]
        judged = [enforcer.ask(order._replace(proto="udp")) for order in orders]
        outcomes = [answer.outcome for answer in judged]
        assert outcomes[:50] == ["limited"] * 50
        assert "rated" in outcomes
        assert judged[outcomes.index("rated")].target == f"{LAN_HOST} udp 5353"
        for port in (5353, 5354):
            send_datagrams(net.world, FRIEND, LAN_HOST, port, 200)
        assert 2 * RATE <= arrived(attacked) < 100
        assert arrived(other) == 200
        assert enforcer.stop() == 0


def send_datagrams(inside: Namespace, source: str, target: str, port: int, number: int) -> None:
    """As many, each from a port of its own."""
    for _ in range(number):
        with within(inside, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
            sock.bind((source, 0))
            sock.sendto(b"x", (target, port))


def arrived(sock: socket.socket) -> int:
    """How many datagrams have arrived, when no more come."""
    number = 0
    sock.settimeout(0.3)
    with suppress(TimeoutError):
        while sock.recv(10):
            number += 1
    return number


def test_allowed_domain(net: Bed, tmp_path: Path) -> None:
    """What a domain on the allow list stands for, as this device resolves it, is not touched."""
    hosts = Path(f"/etc/netns/{net.router.name}/hosts")
    hosts.parent.mkdir(parents=True)
    hosts.write_text(f"{ATTACKER} friend.example\n")
    try:
        settings = {"enforcer__allow": ["friend.example"], "enforcer__on_stop": "remove"}
        with enforcing(net.router, tmp_path / "state", **settings) as enforcer:
            answer = enforcer.ask(block(ATTACKER))
            assert answer.outcome == "refused"
            assert "is an address of friend.example" in answer.reason
            assert enforcer.stop() == 0
    finally:
        hosts.unlink()
        hosts.parent.rmdir()
