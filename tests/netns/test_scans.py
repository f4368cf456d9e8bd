"""How soon scanners are cut, through the whole service on a router with first packets.

Limits are generous, for the machine may be busy; tests/bench/latency_bench.py tells figures.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.netns import scans
from tests.netns.bed import FRIEND, LAN_HOST, LAN_HOST6, Bed, bed, listening, resident
from tests.netns.guard import Guard, guarding
from tests.netns.network import Namespace

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]

#: Probes of a fast scan that may reach the LAN while the machine does other things as well.
MOST = 60
PORTS = range(2000, 2600)
#: Who pauses begins with the first test and goes on in the last one.
PATIENT = "203.0.113.20"


class Field:
    """The bed, its guard, and a wire before the LAN's host."""

    def __init__(self, net: Bed, guard: Guard, wire: scans.Wire) -> None:
        self.net, self.guard, self.wire = net, guard, wire
        self.began = 0.0

    def through(self, probes: list[bytes], rate: float = 1000) -> int:
        """Of these probes so many reach the LAN."""
        self.wire.arrivals()
        scans.send(self.net.world, probes, rate)
        return len(self.wire.arrivals())

    def nmap(self, source: str, *words: str) -> int:
        """The real scanner; distinct ports that it reached."""
        route = ("ip", "route", "replace", "192.168.7.0/24", "via", "203.0.113.1", "src", source)
        self.net.world.run(*route)
        self.wire.arrivals()
        self.net.world.run("timeout", "20", "nmap", "-n", "-Pn", *words, LAN_HOST)
        return len({a.port for a in self.wire.arrivals() if a.source == source})


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    """One service for all: each attacker has an address of its own."""
    with ExitStack() as stack:
        net = stack.enter_context(bed())
        for number in range(20, 60):
            net.world.run("ip", "addr", "add", f"203.0.113.{number}/24", "dev", "w0")
        for number in range(100, 200):
            net.lan.run("ip", "addr", "add", f"192.168.7.{number}/24", "dev", "l0")
        net.lan.run("nft", scans.SILENCE)
        guard = stack.enter_context(guarding(net))
        wire = stack.enter_context(scans.watching(net.lan, "l0"))
        yield Field(net, guard, wire)
        assert guard.stop() == 0


def vertical(source: str, ports: range = PORTS, target: str = LAN_HOST) -> list[bytes]:
    """A SYN to each port."""
    return [scans.probe(source, target, port) for port in ports]


def test_who_will_pause(field: Field) -> None:
    """The attacker of the last test begins: ten ports, and nothing that a limit could count."""
    assert field.through(vertical(PATIENT)[:10]) == 10
    field.guard.until(lambda: PATIENT in field.guard.verb("blocked"))
    field.began = time.monotonic()


@pytest.mark.parametrize("first", [2000, 3000])
def test_a_thousand_ports_a_second(field: Field, first: int) -> None:
    """Closed or silent: at most twenty packets get through on a machine that has time."""
    sources = (f"203.0.113.{number + first // 1000 * 3}" for number in range(20, 23))
    through = [field.through(vertical(s, range(first, first + 600))) for s in sources]
    assert min(through) <= 20
    assert max(through) <= 10 * MOST  # the sender waits for nobody


def test_as_fast_as_it_goes(field: Field) -> None:
    """The kernel lets dozens through until somebody has judged."""
    probes = vertical("203.0.113.32", range(3000, 4000)) * 10
    assert 32 <= field.through(probes, 0) <= MOST


def test_friends_may_scan(field: Field) -> None:
    """Whoever is on the allow list is neither limited nor paced."""
    ports = range(2000, 2100)
    assert field.through(vertical(FRIEND, ports), 0) == len(ports)


def test_datagrams(field: Field) -> None:
    """Twenty silent ones are needed: half of all may well stay unanswered."""
    source = "203.0.113.33"
    probes = [scans.probe(source, LAN_HOST, port, udp=True) for port in range(3000, 3600)]
    assert field.through(probes) <= 2 * MOST


@pytest.mark.parametrize("port", [2022, 3022])
def test_many_hosts(field: Field, port: int) -> None:
    """Closed at the tenth; silent ones once ten had a tenth of a second to answer."""
    source = f"203.0.113.{32 + port // 1000}"
    hosts = [f"192.168.7.{number}" for number in range(100, 200)]
    probes = [scans.probe(source, host, port) for host in hosts]
    assert 10 <= field.through(probes, 200) <= 80


def test_slowly(field: Field) -> None:
    """Two and a half silent ports a second: cut within twenty."""
    probes = vertical("203.0.113.36", range(3000, 3025))
    assert 9 <= field.through(probes, 2.5) <= 20


def test_rotating_addresses(field: Field) -> None:
    """Each probe from another address of a /64: all of it is limited."""
    probes = [scans.probe(f"2001:db8:bad::{port:x}", LAN_HOST6, port) for port in PORTS]
    assert field.through(probes) <= 2 * MOST
    assert "2001:db8:bad::/64" in field.guard.verb("blocked")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("203.0.113.40", ("-sS", "-T4", "-p", "1-1000")),
        ("203.0.113.41", ("-sS", "-T4", "-p", "3000-3999")),
        ("203.0.113.42", ("-sT", "-T4", "-p", "1-1000")),
        ("203.0.113.43", ("-sU", "-T4", "-p", "1-1000")),
        ("203.0.113.44", ("-sS", "-T4")),  # the usual thousand, of which one is open
    ],
)
def test_nmap(field: Field, source: str, words: tuple[str, ...]) -> None:
    """Cut before a hundred ports were reached; then it would go on for minutes."""
    assert 9 <= field.nmap(source, *words, "--host-timeout", "8s") < 100


def test_ordinary_programs_are_let_be(field: Field) -> None:
    """Fifty connections to a site, peers, names, a service that is down, another that answers."""
    before = field.guard.outcomes()
    lan, world = field.net.lan, field.net.world
    world.run("ip", "route", "add", "local", "198.51.100.0/24", "dev", "lo")
    sites = [("203.0.113.2", 80)] * 50
    peers = [(f"198.51.100.{n}", 20000 + 77 * n) for n in range(1, 60)]  # all refuse
    down = [("203.0.113.3", 8080)] * 30
    with ExitStack() as stack:
        services = [("203.0.113.2", 7000 + n) for n in range(20)]
        for _, port in services:
            stack.enter_context(listening(world, port))
        wire = stack.enter_context(scans.watching(world, "w0"))
        for targets in (sites, peers, down, services, sites + services):
            _open_all(lan, targets)
            assert len(wire.arrivals()) >= len(targets)  # inside nobody is paced
    names = [
        scans.probe(LAN_HOST, f"198.51.100.{n % 5 + 1}", 53, udp=True, sport=30000 + n)
        for n in range(200)
    ]
    scans.send(lan, names, 0)
    time.sleep(6)  # what nobody answered is known by then
    assert field.guard.outcomes() == before


def _open_all(inside: Namespace, targets: list[tuple[str, int]]) -> None:
    """Open all of them at once."""

    def connect() -> None:
        with ExitStack() as stack:
            for target in targets:
                sock = stack.enter_context(socket.socket())
                sock.setblocking(False)
                with suppress(BlockingIOError):
                    sock.connect(target)
            time.sleep(0.3)

    with resident(inside) as thread:
        thread.submit(connect).result()


def test_who_paused_is_limited_again(field: Field) -> None:
    """After more than a minute, by the same ports and more; one alert tells of all of it."""
    time.sleep(max(0.0, field.began + 62 - time.monotonic()))
    field.guard.until(lambda: PATIENT not in field.guard.verb("blocked"))
    alerts = field.guard.status()["engine"]["alerts"]
    assert 9 <= field.through(vertical(PATIENT)) <= MOST
    field.guard.until(lambda: PATIENT in field.guard.verb("blocked"))
    assert field.guard.status()["engine"]["alerts"] == alerts
