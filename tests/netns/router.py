"""An attacker, a router and a LAN, each in a network namespace of its own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.netns.network import Namespace, _ip, _numbers

OUTSIDE4, OUTSIDE6 = "203.0.113.2", "2001:db8:1::2"
WAN4, WAN6 = "203.0.113.1", "2001:db8:1::1"
LAN4, LAN6 = "10.0.0.2", "2001:db8:2::2"
GATEWAY4, GATEWAY6 = "10.0.0.1", "2001:db8:2::1"
GUEST4, GUEST6 = "10.9.0.2", "2001:db8:9::2"


@dataclass(frozen=True, slots=True)
class Routed:
    """Interfaces: ``wan0`` and ``lan0`` of the router, ``eth0`` of the others."""

    outside: Namespace
    router: Namespace
    lan: Namespace

    def join_lan(self) -> None:
        """Make the wire between router and LAN."""
        ends = {"router": f"{GATEWAY4}/24 {GATEWAY6}/64", "other": f"{LAN4}/24 {LAN6}/64"}
        _join(self.router, "lan0", self.lan, ends)

    def join_outside(self, wan4: str, wan6: str) -> None:
        """Make the wire between router and world, the router's addresses being these."""
        ends = {"router": f"{wan4}/24 {wan6}/64", "other": f"{OUTSIDE4}/24 {OUTSIDE6}/64"}
        _join(self.router, "wan0", self.outside, ends)

    def nft(self, text: str) -> None:
        """nft's own language in the router."""
        words = self.router.words("nft", "-f", "-")
        done = subprocess.run(words, input=text, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr

    def has_flowtables(self) -> bool:
        """Whether the kernel can take connections out of the rules' way."""
        text = "table inet try { flowtable f { hook ingress priority 0; devices = { lan0 }; }; }"
        words = self.router.words("nft", "-c", text)
        return subprocess.run(words, capture_output=True).returncode == 0


@contextmanager
def _namespace(role: str) -> Iterator[Namespace]:
    namespace = Namespace(f"hdr-lite-{os.getpid()}-{next(_numbers)}-{role}")
    _ip("netns", "add", namespace.name)
    try:
        for name in ("all", "default"):
            namespace.run("sysctl", "-qw", f"net.ipv6.conf.{name}.accept_dad=0")
        namespace.run("ip", "link", "set", "lo", "up")
        yield namespace
    finally:
        _ip("netns", "del", namespace.name)


def _join(router: Namespace, name: str, other: Namespace, ends: dict[str, str]) -> None:
    _ip("-n", router.name, "link", "add", name, "type", "veth", "peer", "eth0", "netns", other.name)
    for namespace, interface, addresses in (
        (router, name, ends["router"]),
        (other, "eth0", ends["other"]),
    ):
        for address in addresses.split():
            options = ["nodad"] if ":" in address else []
            _ip("-n", namespace.name, "addr", "add", address, "dev", interface, *options)
        _ip("-n", namespace.name, "link", "set", interface, "up")
    for address in ends["router"].split():
        _ip("-n", other.name, "route", "add", "default", "via", address.partition("/")[0])


@contextmanager
def routed() -> Iterator[Routed]:
    """The three, joined; the router forwards, counts connections and translates nothing yet."""
    with ExitStack() as stack:
        outside, router, lan = (
            stack.enter_context(_namespace(role)) for role in ("outside", "router", "lan")
        )
        for setting in (
            "net.ipv4.ip_forward=1",
            "net.ipv6.conf.all.forwarding=1",
            "net.netfilter.nf_conntrack_acct=1",
            "net.netfilter.nf_conntrack_timestamp=1",
        ):
            router.run("sysctl", "-qw", setting)
        net = Routed(outside, router, lan)
        net.join_outside(WAN4, WAN6)
        net.join_lan()
        yield net


@contextmanager
def guest_of(router: Namespace) -> Iterator[Namespace]:
    """A host of a second LAN, behind the router's ``guest0``."""
    with _namespace("guest") as guest:
        ends = {"router": "10.9.0.1/24 2001:db8:9::1/64", "other": f"{GUEST4}/24 {GUEST6}/64"}
        _join(router, "guest0", guest, ends)
        yield guest
