"""Quarantine by MAC: what an infected inside host keeps, and whom it never hits."""

import os
import socket
import struct
from pathlib import Path

import pytest

from hdr_lite.records.verb import Block, Quarantine
from tests.netns.bed import (
    FRIEND,
    LAN_HOST,
    LAN_HOST6,
    LAN_MAC,
    ROUTER_IN_LAN,
    Bed,
    addresses,
    answers,
    bridged,
    connects,
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


def quarantine(mac: str, address: str = "", evidence: str = "q1") -> Quarantine:
    """An order as the engine sends it."""
    return Quarantine(evidence, mac, address, 600, "HORIZONTAL_PORT_SCAN", "")


def claim(inside: Namespace, interface: str, mac: str, address: str, target: str) -> None:
    """Send the false or true ARP reply "address is at mac" to everybody."""
    raw = bytes.fromhex(mac.replace(":", ""))
    ends = raw + socket.inet_aton(address) + bytes(6) + socket.inet_aton(target)
    frame = b"\xff" * 6 + raw + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + ends
    family = socket.AF_PACKET
    with within(inside, lambda: socket.socket(family, socket.SOCK_RAW)) as sock:
        sock.bind((interface, 0))
        sock.send(frame)


def neighbour(inside: Namespace, address: str) -> str:
    """What ``ip neigh`` says of an address."""
    return inside.run("ip", "neigh", "show", address)


def test_keeps_name_service_and_page_only(net: Bed, tmp_path: Path) -> None:
    """A quarantined host resolves names with us and opens our page; nothing else."""
    with enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer:
        answer = enforcer.ask(quarantine(LAN_MAC, LAN_HOST))
        assert (answer.outcome, answer.target) == ("quarantined", LAN_MAC)
        assert connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 53)
        assert connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 80)
        assert not connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 22)
        assert not connects(net.lan, LAN_HOST, "203.0.113.2", 80)
        assert connects(net.lan, LAN_HOST6, "fd00:7::1", 53)
        assert not connects(net.lan, LAN_HOST6, "2001:db8:f::2", 80)
        assert enforcer.stop() == 0
    assert connects(net.lan, LAN_HOST, "203.0.113.2", 80)


@pytest.mark.parametrize("held", ["quarantined", "blocked"])
def test_who_is_logged_in_keeps_that_port(net: Bed, tmp_path: Path, held: str) -> None:
    """A management session goes on, and may be opened again, whatever is held; nothing else."""
    settings = {"enforcer__on_stop": "remove", "authenticated": 0}
    with (
        opened(net.lan, LAN_HOST, ROUTER_IN_LAN, 22) as session,
        enforcing(net.router, tmp_path / "state", **settings) as enforcer,
    ):
        if held == "blocked":
            answer = enforcer.ask_by_hand("block", address=LAN_HOST, seconds=600, why="")
            assert answer["outcome"] == "blocked", answer
        else:
            assert enforcer.ask(quarantine(LAN_MAC, LAN_HOST)).outcome == "quarantined"
        assert answers(session)
        assert connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 22)
        assert not connects(net.lan, LAN_HOST, "203.0.113.2")
        # A quarantine is of the host, which resolves names; a block of the one address.
        assert connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 53) == (held == "quarantined")
        assert connects(net.lan, LAN_HOST6, "fd00:7::1", 22) == (held == "blocked")
        assert enforcer.stop() == 0


def test_its_false_claims_are_not_heard(net: Bed, tmp_path: Path) -> None:
    """A quarantined host may claim its own address over ARP and nobody else's."""
    with enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer:
        net.router.run("ip", "neigh", "add", "192.168.7.77", "lladdr", "02:00:00:00:07:77",
                       "dev", "lan0", "nud", "stale")  # fmt: skip
        assert enforcer.ask(quarantine(LAN_MAC, LAN_HOST)).outcome == "quarantined"
        claim(net.lan, "l0", LAN_MAC, "192.168.7.77", ROUTER_IN_LAN)
        net.router.run("ip", "neigh", "flush", "to", LAN_HOST)
        assert connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 53)
        assert "02:00:00:00:07:77" in neighbour(net.router, "192.168.7.77")
        assert enforcer.stop() == 0
    claim(net.lan, "l0", LAN_MAC, "192.168.7.77", ROUTER_IN_LAN)
    until(lambda: LAN_MAC in neighbour(net.router, "192.168.7.77"))


def test_outside_mac_is_limited_only(net: Bed, tmp_path: Path) -> None:
    """A MAC that was learnt on the outside is never quarantined; its address is limited at most."""
    mac = net.world.run("cat", "/sys/class/net/w0/address").strip()
    with enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer:
        answer = enforcer.ask(quarantine(mac, FRIEND))
        assert answer.outcome == "limited"
        assert "which is a gateway of this device" in answer.reason
        assert net.reaches("203.0.113.2")
        assert not net.reaches(FRIEND)
        assert enforcer.stop() == 0


@pytest.mark.parametrize(
    ("mac", "reason"),
    [
        ("02:00:00:00:00:99", "is no neighbour of ours"),
        ("01:00:5e:00:00:01", "is a group's MAC"),
        ("nonsense", "is no MAC"),
    ],
)
def test_no_host(net: Bed, tmp_path: Path, mac: str, reason: str) -> None:
    """What is no neighbour's MAC is refused."""
    with enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer:
        answer = enforcer.ask(quarantine(mac))
        assert answer.outcome == "refused"
        assert reason in answer.reason
        assert enforcer.stop() == 0


def test_access_point_is_limited_only(net: Bed, tmp_path: Path) -> None:
    """A MAC with more than four addresses is many hosts: they are limited, a person is told."""
    others = [f"192.168.7.{n}" for n in range(21, 25)]
    addresses(net.lan, "l0", *(f"{other}/24" for other in others))
    try:
        assert all(connects(net.lan, other, ROUTER_IN_LAN, 53) for other in others)
        with enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer:
            answer = enforcer.ask(quarantine(LAN_MAC, LAN_HOST))
            assert answer.outcome == "limited"
            assert "has more than 4 addresses" in answer.reason
            assert not connects(net.lan, others[0], "203.0.113.2", 80)
            assert enforcer.stop() == 0
    finally:
        for other in others:
            net.lan.run("ip", "addr", "del", f"{other}/24", "dev", "l0")


def test_on_a_bridge(tmp_path: Path) -> None:
    """Behind a bridge its neighbours are safe from it, too; us it reaches as before."""
    with (
        bridged() as (router, one, two),
        enforcing(router, tmp_path / "state", enforcer__on_stop="remove") as enforcer,
    ):
        assert enforcer.ask(quarantine("02:00:00:00:09:11", "192.168.9.11")).outcome == (
            "quarantined"
        )
        assert not connects(one, "192.168.9.11", "192.168.9.12", 80)
        assert connects(one, "192.168.9.11", "192.168.9.1", 53)
        assert not connects(one, "192.168.9.11", "192.168.9.1", 22)
        assert connects(two, "192.168.9.12", "192.168.9.1", 22)
        claim(one, "h0", "02:00:00:00:09:11", "192.168.9.1", "192.168.9.12")
        assert "02:00:00:00:09:11" not in neighbour(two, "192.168.9.1")
        assert enforcer.stop() == 0


def test_blocked_on_a_bridge(tmp_path: Path) -> None:
    """Who is blocked reaches nobody from port to port, nor anybody him; others go on."""
    with (
        bridged() as (router, one, two),
        enforcing(router, tmp_path / "state", enforcer__on_stop="remove") as enforcer,
    ):
        addresses(one, "h0", "198.51.100.5/24")
        addresses(two, "h0", "198.51.100.6/24")
        assert connects(one, "198.51.100.5", "198.51.100.6")
        order = Block("b1", "198.51.100.5", 600, "PASSWORD_GUESSING", 22)
        assert enforcer.ask(order).outcome == "blocked"
        assert not connects(one, "198.51.100.5", "198.51.100.6")
        assert not connects(two, "198.51.100.6", "198.51.100.5")
        assert connects(one, "192.168.9.11", "192.168.9.12")
        assert enforcer.stop() == 0
