"""Attackers who try to get a friend blocked, against the whole service on a router."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.netns import scans
from tests.netns.bed import (
    FRIEND,
    LAN_HOST,
    LAN_MAC,
    MATE,
    MATE_MAC,
    ROUTER_IN_LAN,
    Bed,
    answers,
    bed,
    connects,
    mated,
    opened,
    until,
    within,
)
from tests.netns.claims import claiming
from tests.netns.guard import Guard
from tests.netns.network import Namespace
from tests.netns.test_enforcer_claims import spoofing
from tests.traffic.frames import ethernet

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]

GATEWAY, RESOLVER, PARTNER, STRANGER = (f"203.0.113.{n}" for n in (2, 8, 7, 9))
PORTS = range(2000, 2300)

#: A detector whose evidence has proof: what a host completed at port 4444 shows its infection.
INFECTED = """
from hdr_lite.module import Flow, Module, ThreatLevel


class Infected(Module):
    name = "infected"
    description = "calls of an infected host"
    authors = ("test",)

    def new_flow(self, flow: Flow) -> None:
        if flow.dport == 4444 and flow.handshake:
            self.set_evidence(
                "INFECTED", family="malware", attacker=flow.saddr, attacker_mac=flow.smac,
                victim=flow.daddr, threat_level=ThreatLevel.HIGH, confidence=0.9,
                description="it calls its master", port=4444, proto="tcp",
                blocking=True, proof=flow.handshake,
            )
"""


class Both(Guard):
    """The service on both interfaces, with that detector."""

    def write_settings(self, text: str) -> None:
        """As a guard's."""
        folder = self.folder / "modules/infected"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "infected.py").write_text(INFECTED)
        super().write_settings(text)

    def _words(self) -> tuple[str, ...]:
        modules = ("--modules-dir", str(self.folder / "modules"))
        return (*super()._words(), "-i", "lan0", *modules)

    def until_heard(self, outcome: str, count: int = 1) -> None:
        """Wait for so many answers of that kind."""
        self.until(partial(self.has_heard, outcome, count), 40)

    def log(self) -> str:
        """hdr-lite.log."""
        return (self.folder / "out/hdr-lite.log").read_text()


@contextmanager
def guarding(net: Bed) -> Iterator[Both]:
    """The service, ready."""
    with TemporaryDirectory(prefix="hdr-lite-") as name:
        Path(name).chmod(0o755)
        service = Both(net, Path(name), "auto")
        try:
            service.until_said("hdr-lite: ready\n")
            yield service
        finally:
            service.close()


@contextmanager
def resolving(net: Bed) -> Iterator[None]:
    """The router has a resolver in its own settings."""
    path = Path(f"/etc/netns/{net.router.name}/resolv.conf")
    path.parent.mkdir(parents=True)
    path.write_text(f"nameserver {RESOLVER}\n")
    try:
        yield
    finally:
        path.unlink()
        path.parent.rmdir()


def forge(inside: Namespace, source: str, target: str = LAN_HOST) -> None:
    """``hping3`` scans a host in somebody's name."""
    words = ("hping3", "-q", "-i", "u2000", "-c", str(len(PORTS)), "-S", "-a", source)
    more = ("-p", f"++{PORTS.start}", target)
    subprocess.run(inside.words(*words, *more), capture_output=True, timeout=30)


def test_forged_from_outside() -> None:
    """Gateway, resolver, allowed and partner, each forged in a scan: we lose none of them."""
    with bed() as net, resolving(net), guarding(net) as guard:
        partner = opened(net.lan, LAN_HOST, PARTNER)
        with partner:
            for count, (address, why) in enumerate(
                (
                    (GATEWAY, "is a gateway of this device"),
                    (RESOLVER, "is a DNS server of this device"),
                    (FRIEND, "is on the allow list"),
                ),
                1,
            ):
                forge(net.world, address)
                guard.until_heard("refused", count)
                assert f"{address} {why}" in guard.log()
                assert net.reaches(address)
                assert connects(net.lan, LAN_HOST, address)
            forge(net.world, PARTNER)
            guard.until_heard("limited")
            assert answers(partner)
            assert connects(net.lan, LAN_HOST, PARTNER)
            assert connects(net.router, "203.0.113.1", PARTNER)
            assert "203.0.113" not in guard.verb("blocked").replace(f"{PARTNER} ", "")
            assert "block" not in guard.verb("why", PARTNER)
            assert "blocked" not in guard.outcomes()
        assert guard.stop() == 0, guard.said


def test_forged_who_is_known_at_a_service() -> None:
    """Who completed a handshake with a service of ours keeps it while he is forged."""
    with bed() as net, guarding(net) as guard:
        assert net.reaches(PARTNER)
        forge(net.world, PARTNER)
        guard.until_heard("limited")
        assert net.reaches(PARTNER)
        assert not net.reaches(PARTNER, "203.0.113.1", 22)
        assert guard.stop() == 0, guard.said


def test_many_forged_sources() -> None:
    """Hundreds of addresses forged in a flood block nobody; who is not named is not touched."""
    with bed() as net, guarding(net) as guard:
        sources = [f"198.51.100.{n}" for n in range(1, 201)]
        probes = [scans.probe(s, LAN_HOST, p) for p in PORTS[:30] for s in sources]
        scans.send(net.world, probes, 2000)
        assert net.reaches(STRANGER)
        assert connects(net.lan, LAN_HOST, PARTNER)
        assert "blocked" not in guard.outcomes()
        assert guard.stop() == 0, guard.said


def scan_as(inside: Namespace, interface: str, mac: str, source: str, gateway_mac: str) -> None:
    """Frames of a scan to the world that carry somebody's MAC and address."""
    packets = [scans.probe(source, STRANGER, port) for port in PORTS]
    with within(inside, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)) as sock:
        sock.bind((interface, 0))
        for packet in packets:
            head = bytearray(packet)
            head[10:12] = ip_checksum(packet[:20])
            sock.send(ethernet(mac, gateway_mac, 0x0800, bytes(head)))


def ip_checksum(header: bytes) -> bytes:
    """Of an IPv4 header whose own is 0."""
    total = sum(int.from_bytes(header[at : at + 2], "big") for at in range(0, 20, 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (0xFFFF - total).to_bytes(2, "big")


def router_mac(net: Bed) -> str:
    """Of the router in the LAN."""
    return net.router.run("cat", "/sys/class/net/lan0/address").strip()


def test_neighbours_address_forged() -> None:
    """A host that scans in its neighbour's name limits itself: the neighbour notices nothing."""
    with mated() as (net, mate), guarding(net) as guard:
        scan_as(mate, "m0", MATE_MAC, LAN_HOST, router_mac(net))
        guard.until_heard("limited")
        assert f"{LAN_HOST} . {MATE_MAC}" in guard.verb("blocked")
        assert connects(net.lan, LAN_HOST, STRANGER)
        assert connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 22)
        assert MATE_MAC in guard.verb("why", LAN_HOST)
        assert guard.stop() == 0, guard.said


def test_neighbours_mac_forged_as_well() -> None:
    """With its MAC, too, it is limited and no more: what it has goes on, names and DHCP too."""
    with mated() as (net, mate), guarding(net) as guard:
        with opened(net.lan, LAN_HOST, PARTNER) as before:
            scan_as(mate, "m0", LAN_MAC, LAN_HOST, router_mac(net))
            guard.until_heard("limited")
            assert answers(before)
            assert connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 53)
            assert connects(mate, MATE, STRANGER)
            assert "quarantined" not in guard.outcomes()
            assert "blocked" not in guard.outcomes()
        assert guard.stop() == 0, guard.said


def test_inside_scanner_is_limited_only() -> None:
    """Without proof an inside host that scans is limited by its address and MAC."""
    with mated() as (net, mate), guarding(net) as guard:
        forge(mate, MATE, STRANGER)
        guard.until_heard("limited")
        assert not connects(mate, MATE, STRANGER)
        assert connects(mate, MATE, ROUTER_IN_LAN, 53)
        assert connects(net.lan, LAN_HOST, STRANGER)
        assert f"{MATE} . {MATE_MAC}" in guard.verb("blocked")
        assert "quarantined" not in guard.outcomes()
        assert guard.stop() == 0, guard.said


def test_infected_host_is_quarantined() -> None:
    """With proof on flows that carry its MAC, an inside host is left DHCP, names and our page."""
    with mated() as (net, mate), guarding(net) as guard:
        with within(net.world, lambda: socket.create_server((STRANGER, 4444))) as server:
            with opened(mate, MATE, STRANGER, 4444) as call:
                there, _ = server.accept()
                with there:
                    call.sendall(b"hello")
            guard.until_heard("quarantined")
        assert f"quarantined {MATE_MAC}" in guard.log()
        assert not connects(mate, MATE, STRANGER)
        assert not connects(mate, MATE, ROUTER_IN_LAN, 22)
        assert connects(mate, MATE, ROUTER_IN_LAN, 53)
        assert connects(mate, MATE, ROUTER_IN_LAN, 80)
        assert connects(net.lan, LAN_HOST, STRANGER)
        assert "INFECTED" in guard.verb("why", MATE_MAC)
        assert guard.stop() == 0, guard.said


def introduce(net: Bed, mate: Namespace) -> None:
    """Both hosts of the LAN ask for the router, as they do each few minutes."""
    for host, address in ((net.lan, LAN_HOST), (mate, MATE)):
        host.run("ip", "neigh", "flush", "all")
        assert connects(host, address, ROUTER_IN_LAN, 53)


def test_spoofer_is_quarantined() -> None:
    """``arpspoof`` between its neighbour and us: found, tried and quarantined by its MAC."""
    with mated() as (net, mate), guarding(net) as guard:
        introduce(net, mate)
        with spoofing(mate, "m0", ROUTER_IN_LAN, LAN_HOST):
            guard.until_heard("quarantined")
            assert f"quarantined {MATE_MAC}" in guard.log()
            net.router.run("ip", "neigh", "flush", "to", LAN_HOST)
            until(lambda: connects(net.lan, LAN_HOST, STRANGER))
            assert not connects(mate, MATE, STRANGER)
        assert guard.stop() == 0, guard.said


def test_spoofer_in_a_friends_name() -> None:
    """False claims that carry a friend's MAC: it is tried, and goes free."""
    with mated() as (net, mate), guarding(net) as guard:
        introduce(net, mate)
        with claiming(mate, "m0", LAN_MAC, MATE, ROUTER_IN_LAN, router_mac(net)):
            guard.until_heard("refused")
        assert "somebody else may forge that MAC" in guard.log()
        assert connects(net.lan, LAN_HOST, STRANGER)
        assert "quarantined" not in guard.outcomes()
        assert "limited" not in guard.outcomes()
        assert guard.stop() == 0, guard.said
