"""A router between the world and a LAN: three namespaces, IPv4 and IPv6, real forwarding.

=========  ==========================================  ==========================
namespace  interface                                   addresses
=========  ==========================================  ==========================
world      ``w0``                                      203.0.113.2 to .9, 2001:db8:f::2
router     ``wan0`` (default route by 203.0.113.2),    203.0.113.1, 2001:db8:f::1,
           ``lan0``                                    192.168.7.1, fd00:7::1
lan        ``l0``                                      192.168.7.10, fd00:7::10
=========  ==========================================  ==========================
"""

import ctypes
import fcntl
import itertools
import os
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.netns.network import Namespace

_numbers = itertools.count()
T = TypeVar("T")

#: The world's other addresses; .2 is the router's gateway.
ATTACKER, FRIEND = "203.0.113.5", "203.0.113.6"
ATTACKER6 = "2001:db8:bad::5"
LAN_HOST, LAN_HOST6 = "192.168.7.10", "fd00:7::10"
ROUTER_IN_LAN = "192.168.7.1"
LAN_MAC = "02:00:00:00:07:10"
MATE, MATE_MAC = "192.168.7.66", "02:00:00:00:07:66"


@dataclass(frozen=True, slots=True)
class Bed:
    """The three namespaces."""

    world: Namespace
    router: Namespace
    lan: Namespace

    def reaches(self, source: str, target: str = LAN_HOST, port: int = 80) -> bool:
        """Whether one of the world's addresses can open a TCP connection to a target."""
        return connects(self.world, source, target, port)


@contextmanager
def resident(inside: Namespace) -> Iterator[Executor]:
    """A thread that lives in a namespace and does there what it is given."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_enter, inside).result()
        yield thread


def within(inside: Namespace, do: Callable[[], T]) -> T:
    """Do something in a namespace; sockets made there stay there, this process does not."""
    with resident(inside) as thread:
        return thread.submit(do).result()


def _enter(inside: Namespace) -> None:
    with Path(f"/run/netns/{inside.name}").open() as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")


def opened(
    inside: Namespace, source: str, target: str, port: int = 80, seconds: float = 0.3
) -> socket.socket:
    """A TCP connection from an address of a namespace; ``OSError`` when there is none."""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    sock = within(inside, lambda: socket.socket(family, socket.SOCK_STREAM))
    try:
        sock.settimeout(seconds)
        sock.bind((source, 0))
        sock.connect((target, port))
    except OSError:
        sock.close()
        raise
    return sock


def connects(inside: Namespace, source: str, target: str, port: int = 80) -> bool:
    """Whether such a connection opens within 300 ms."""
    try:
        opened(inside, source, target, port).close()
    except OSError:
        return False
    return True


def answers(sock: socket.socket) -> bool:
    """Whether the peer's kernel still acknowledges what is sent."""
    sock.send(b"x")

    def unsent() -> bool:
        raw = fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(raw, sys.byteorder) == 0

    return until(unsent, 1) < 1


def datagrams(inside: Namespace, port: int) -> socket.socket:
    """A UDP socket of a namespace, for IPv4."""

    def make() -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("", port))
        return sock

    return within(inside, make)


def listening(inside: Namespace, port: int) -> socket.socket:
    """A listener of a namespace, for IPv4 and IPv6; the kernel alone completes handshakes."""

    def make() -> socket.socket:
        sock = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        sock.listen(4000)
        return sock

    return within(inside, make)


def until(true: Callable[[], bool], seconds: float = 5) -> float:
    """Wait until something is so; how many seconds it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not become so"
        time.sleep(0.005)
    return time.monotonic() - began


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def namespace(role: str) -> Iterator[Namespace]:
    """A network namespace of its own, its loopback up."""
    made = Namespace(f"hdr-lite-{os.getpid()}-{next(_numbers)}-{role}")
    _ip("netns", "add", made.name)
    try:
        for which in ("all", "default"):
            made.run("sysctl", "-qw", f"net.ipv6.conf.{which}.accept_dad=0")
        made.run("ip", "link", "set", "lo", "up")
        yield made
    finally:
        _ip("netns", "del", made.name)


def join(left: Namespace, name: str, right: Namespace, other: str) -> None:
    """A wire between two namespaces, both ends up."""
    _ip("-n", left.name, "link", "add", name, "type", "veth", "peer", other)
    _ip("-n", left.name, "link", "set", other, "netns", right.name)
    _ip("-n", left.name, "link", "set", name, "up")
    _ip("-n", right.name, "link", "set", other, "up")


def addresses(inside: Namespace, interface: str, *words: str) -> None:
    """Give an interface its addresses."""
    for word in words:
        _ip("-n", inside.name, "addr", "add", word, "dev", interface)


@contextmanager
def bridged() -> Iterator[tuple[Namespace, Namespace, Namespace]]:
    """A router with a bridge ``br0`` (192.168.9.1) and two hosts on it: router, .11 and .12.

    The hosts' MACs end in :11 and :12.
    """
    with ExitStack() as stack:
        router, one, two = (stack.enter_context(namespace(n)) for n in ("rtr", "one", "two"))
        _ip("-n", router.name, "link", "add", "br0", "type", "bridge")
        addresses(router, "br0", "192.168.9.1/24")
        for number, host in ((11, one), (12, two)):
            join(router, f"p{number}", host, "h0")
            _ip("-n", router.name, "link", "set", f"p{number}", "master", "br0")
            _ip("-n", host.name, "link", "set", "h0", "address", f"02:00:00:00:09:{number}")
            addresses(host, "h0", f"192.168.9.{number}/24")
            stack.enter_context(listening(host, 80))
        _ip("-n", router.name, "link", "set", "br0", "up")
        stack.enter_context(listening(router, 53))
        stack.enter_context(listening(router, 22))
        until(lambda: connects(one, "192.168.9.11", "192.168.9.12"))
        until(lambda: connects(one, "192.168.9.11", "192.168.9.1", 53))
        until(lambda: connects(two, "192.168.9.12", "192.168.9.1", 53))
        yield router, one, two


@contextmanager
def mated() -> Iterator[tuple[Bed, Namespace]]:
    """The router, whose LAN is a switch with two hosts on it; the second one is the mate."""
    with ExitStack() as stack:
        switch, mate = (stack.enter_context(namespace(n)) for n in ("sw", "mate"))
        _ip("-n", switch.name, "link", "add", "br0", "type", "bridge")
        _ip("-n", switch.name, "link", "set", "br0", "up")
        made = stack.enter_context(bed(switch))
        _plug(mate, "m0", switch)
        _ip("-n", mate.name, "link", "set", "m0", "address", MATE_MAC)
        addresses(mate, "m0", f"{MATE}/24")
        _ip("-n", mate.name, "route", "add", "default", "via", ROUTER_IN_LAN)
        until(lambda: connects(mate, MATE, ROUTER_IN_LAN, 53))
        yield made, mate


def _plug(host: Namespace, interface: str, switch: Namespace) -> None:
    """Join a host's interface to the switch."""
    port = f"p-{interface}"
    join(host, interface, switch, port)
    _ip("-n", switch.name, "link", "set", port, "master", "br0")


@contextmanager
def bed(switch: Namespace | None = None) -> Iterator[Bed]:
    """A router that forwards, with both its sides; the LAN as a wire or behind a switch."""
    with ExitStack() as stack:
        world, router, lan = (stack.enter_context(namespace(n)) for n in ("world", "rtr", "lan"))
        join(world, "w0", router, "wan0")
        if switch is None:
            join(lan, "l0", router, "lan0")
        else:
            _plug(lan, "l0", switch)
            _plug(router, "lan0", switch)
        _ip("-n", lan.name, "link", "set", "l0", "address", LAN_MAC)
        addresses(world, "w0", *(f"203.0.113.{n}/24" for n in range(2, 10)), "2001:db8:f::2/64")
        addresses(world, "w0", f"{ATTACKER6}/128", "2001:db8:bad::6/128", "2001:db8:c::6/128")
        addresses(router, "wan0", "203.0.113.1/24", "2001:db8:f::1/64")
        addresses(router, "lan0", "192.168.7.1/24", "fd00:7::1/64")
        addresses(lan, "l0", "192.168.7.10/24", "fd00:7::10/64")
        router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        router.run("sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1")
        _ip("-n", router.name, "route", "add", "default", "via", "203.0.113.2")
        _ip("-n", router.name, "-6", "route", "add", "default", "via", "2001:db8:f::2")
        _ip("-n", world.name, "route", "add", "192.168.7.0/24", "via", "203.0.113.1")
        _ip("-n", world.name, "-6", "route", "add", "fd00:7::/64", "via", "2001:db8:f::1")
        _ip("-n", lan.name, "route", "add", "default", "via", "192.168.7.1")
        _ip("-n", lan.name, "-6", "route", "add", "default", "via", "fd00:7::1")
        stack.enter_context(listening(world, 80))
        stack.enter_context(listening(lan, 80))
        for port in (22, 53, 80):
            stack.enter_context(listening(router, port))
        made = Bed(world, router, lan)
        until(lambda: made.reaches(FRIEND) and made.reaches("2001:db8:f::2", LAN_HOST6))
        yield made
