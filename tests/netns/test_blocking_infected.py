"""Hosts of ours that scan, or guess passwords, against the whole service on a router."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.netns.bed import (
    LAN_HOST,
    LAN_MAC,
    MATE,
    MATE_MAC,
    ROUTER_IN_LAN,
    Bed,
    connects,
    listening,
    mated,
    opened,
    until,
)
from tests.netns.network import Namespace
from tests.netns.shell import Client, serving_at
from tests.netns.test_blocking_forged import Both, guarding, router_mac, scan_as

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]

#: Servers outside, and ports that are open on them besides 80.
SERVER, STRANGER = "203.0.113.8", "203.0.113.9"
OPEN = (21, 443)
#: The scan: those first, as nmap does, then closed ones.
PORTS = (*OPEN, 80, *range(2000, 2040))


@contextmanager
def serving_ports(net: Bed) -> Iterator[None]:
    """Open ports besides 80 on all addresses of the world."""
    with ExitStack() as stack:
        for port in OPEN:
            stack.enter_context(listening(net.world, port))
        yield


def scan(inside: Namespace, source: str, target: str) -> None:
    """Open each port in turn, and close it without a word."""
    for port in PORTS:
        connects(inside, source, target, port)


def nmap(inside: Namespace, target: str) -> None:
    """``nmap -sT`` of a hundred ports."""
    words = ("nmap", "-sT", "-Pn", "-n", "-T4", "-F", "--max-retries", "0", target)
    subprocess.run(inside.words(*words), capture_output=True, timeout=120)


def check_quarantined(net: Bed, mate: Namespace, guard: Both) -> None:
    """The mate has nothing left but DHCP, names and our page; its neighbour all."""
    guard.until_heard("quarantined")
    assert f"quarantined {MATE_MAC}" in guard.log()
    assert not connects(mate, MATE, STRANGER)
    assert not connects(mate, MATE, ROUTER_IN_LAN, 22)
    assert connects(mate, MATE, ROUTER_IN_LAN, 53)
    assert connects(mate, MATE, ROUTER_IN_LAN, 80)
    assert connects(net.lan, LAN_HOST, STRANGER)
    assert connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 22)


Scanner = Callable[[Namespace], None]


@pytest.mark.parametrize(
    "scanner",
    [
        lambda mate: scan(mate, MATE, STRANGER),
        pytest.param(
            lambda mate: nmap(mate, STRANGER),
            marks=pytest.mark.skipif(shutil.which("nmap") is None, reason="needs nmap"),
        ),
    ],
    ids=["own", "nmap"],
)
def test_who_scans_by_connections_is_quarantined(scanner: Scanner) -> None:
    """A scan in which some ports answer proves whose it is."""
    with mated() as (net, mate), serving_ports(net), guarding(net) as guard:
        scanner(mate)
        check_quarantined(net, mate, guard)
        assert "PORT_SCAN" in guard.verb("why", MATE_MAC)
        assert guard.stop() == 0, guard.said


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs openssh-client")
@pytest.mark.skipif(shutil.which("dropbear") is None, reason="needs dropbear-bin")
def test_who_guesses_passwords_is_quarantined(tmp_path: Path) -> None:
    """At a server outside."""
    with (
        mated() as (net, mate),
        serving_at(net.world, SERVER, tmp_path) as server,
        guarding(net) as guard,
    ):
        client = Client(net, MATE, tmp_path, mate, SERVER)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and "quarantined" not in guard.outcomes():
            client.log_in(*["wrong"] * 3)
        check_quarantined(net, mate, guard)
        assert "PASSWORD_GUESSING" in guard.verb("why", MATE_MAC)
        assert 7 <= server.refused <= 12
        assert guard.stop() == 0, guard.said


def work(net: Bed, until_done: Callable[[], bool]) -> None:
    """What the neighbour does all the time: it talks with the very server, and looks once."""
    assert connects(net.lan, LAN_HOST, STRANGER, 443)
    while not until_done():
        for port in (80, *OPEN):
            try:
                with opened(net.lan, LAN_HOST, STRANGER, port) as talk:
                    talk.sendall(b"hello")
            except OSError:  # limited
                pass
        time.sleep(0.05)


@pytest.mark.parametrize("mac", [MATE_MAC, LAN_MAC], ids=["its own MAC", "the neighbour's MAC"])
def test_scan_in_a_working_neighbours_name(mac: str) -> None:
    """Of a server with which the neighbour completes handshakes meanwhile: limited at most."""
    with mated() as (net, mate), serving_ports(net), guarding(net) as guard:
        with ThreadPoolExecutor(1) as neighbour:
            done = False
            working = neighbour.submit(work, net, lambda: done)
            try:
                for _ in range(3):
                    scan_as(mate, "m0", mac, LAN_HOST, router_mac(net))
                    time.sleep(2)
                guard.until_heard("limited")
            finally:
                done = True
            working.result()
        assert "quarantined" not in guard.outcomes()
        assert "blocked" not in guard.outcomes()
        assert connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 53)
        assert guard.stop() == 0, guard.said


def test_scan_under_the_neighbours_mac_alone() -> None:
    """Frames with the neighbour's MAC and the scanner's own address: he is answered, and proves
    his own address only."""
    with mated() as (net, mate), serving_ports(net), guarding(net) as guard:
        with disguised(mate, LAN_MAC):
            scan(mate, MATE, STRANGER)
            guard.until_heard("limited")
        assert f"{MATE} is not known to be {LAN_MAC}" in guard.log()
        assert "quarantined" not in guard.outcomes()
        until(lambda: connects(net.lan, LAN_HOST, STRANGER), 10)
        assert connects(net.lan, LAN_HOST, ROUTER_IN_LAN, 22)
        assert guard.stop() == 0, guard.said


@contextmanager
def disguised(host: Namespace, mac: str) -> Iterator[None]:
    """All IPv4 that a host sends carries another MAC than its own; ARP does not."""
    table = f"""
    add table netdev mask
    add chain netdev mask out {{ type filter hook egress device "m0" priority 0; }}
    add rule netdev mask out ether type ip ether saddr set {mac}
    """
    subprocess.run(host.words("nft", "-f", "-"), input=table, text=True, check=True)
    try:
        yield
    finally:
        host.run("nft", "delete", "table", "netdev", "mask")


def test_outside_scanner_with_proof_is_blocked() -> None:
    """Who completes handshakes in his scan forges nothing."""
    with mated() as (net, _), guarding(net) as guard, ExitStack() as stack:
        for port in OPEN:
            stack.enter_context(listening(net.lan, port))
        scan(net.world, STRANGER, LAN_HOST)
        guard.until_heard("blocked")
        assert not net.reaches(STRANGER)
        assert net.reaches(SERVER)
        assert guard.stop() == 0, guard.said
