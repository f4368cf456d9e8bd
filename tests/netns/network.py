"""Namespaces of our own, joined by veth pairs that carry nothing but what a test sends."""

import itertools
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace, by the name that ``ip netns`` knows it by."""

    name: str

    def words(self, *command: str) -> list[str]:
        """The command as it is run inside."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command: str) -> str:
        """Run a command inside; what it printed."""
        done = subprocess.run(self.words(*command), check=True, capture_output=True, text=True)
        return done.stdout


@dataclass(frozen=True, slots=True)
class Network:
    """Two namespaces; wire ``n`` is ``out{n}`` in the outer and ``in{n}`` in the inner one."""

    outer: Namespace
    inner: Namespace


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def _namespace(role: str) -> Iterator[Namespace]:
    """A namespace without IPv6, so that no kernel announces itself on our wires."""
    namespace = Namespace(f"hdr-lite-{os.getpid()}-{next(_numbers)}-{role}")
    _ip("netns", "add", namespace.name)
    try:
        for which in ("all", "default"):
            namespace.run("sysctl", "-qw", f"net.ipv6.conf.{which}.disable_ipv6=1")
        yield namespace
    finally:
        _ip("netns", "del", namespace.name)


@contextmanager
def wires(count: int) -> Iterator[Network]:
    """Two namespaces joined by that many wires, all of them up, without addresses."""
    with ExitStack() as stack:
        outer = stack.enter_context(_namespace("outer"))
        inner = stack.enter_context(_namespace("inner"))
        for number in range(count):
            ends = (f"out{number}", f"in{number}")
            _ip("-n", outer.name, "link", "add", ends[0], "type", "veth", "peer", ends[1])
            _ip("-n", outer.name, "link", "set", ends[1], "netns", inner.name)
            _ip("-n", outer.name, "link", "set", ends[0], "up")
            _ip("-n", inner.name, "link", "set", ends[1], "up")
        yield Network(outer, inner)
