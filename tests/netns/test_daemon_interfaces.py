"""Interfaces that change under a running service: it follows them, and nothing starts anew."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from hdr_lite.supervisor.control import ask
from tests.netns import router as names
from tests.netns.network import Namespace
from tests.netns.programs import running, talk
from tests.netns.router import Routed
from tests.netns.service import Service
from tests.netns.test_daemon_nflog import BothSides, downloads, serving

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
    pytest.mark.skipif(shutil.which("nft") is None, reason="needs nftables"),
    pytest.mark.parametrize("source", ["nflog", "capture"]),
]

SETTINGS = """
[capture]
source = "{source}"
[output]
flows = true
[meter]
closed_linger = 1
"""
OTHER_WAN4, OTHER_WAN6 = "203.0.113.77", "2001:db8:1::77"


@contextmanager
def following(source: str) -> Iterator[tuple[Routed, Service]]:
    """A service for both sides of the router; what of it runs at the end ran at the start."""
    with ExitStack() as stack:
        settings = SETTINGS.format(source=source)
        net, service = stack.enter_context(serving(settings=settings, kind=BothSides))
        for host in (net.lan, net.outside):
            stack.enter_context(running(host, "talk", "serve"))
        before = service.processes()
        assert service.status()["source"] == source
        yield net, service
        for name, process in service.processes().items():
            assert (process["pid"], process["restarts"]) == (before[name]["pid"], 0)
        assert service.stop() == 0


def is_seen(service: Service, client: Namespace, server: str) -> None:
    """A download is told, and that both sides sent something."""
    told = len(downloads(service))
    talk(client, "many", server, "1", "1")
    service.until(lambda: len(downloads(service)) > told)
    flow = downloads(service)[-1]
    assert (flow["id.resp_h"], flow["conn_state"]) == (server, "SF")
    assert min(flow["orig_bytes"], flow["resp_bytes"]) > 0


def index(host: Namespace, interface: str) -> int:
    """The kernel's number of an interface."""
    return int(host.run("cat", f"/sys/class/net/{interface}/ifindex"))


def blind_of(service: Service, interface: str) -> Callable[[], list[str]]:
    """What status says of an interface that cannot be watched."""
    return lambda: [text for text in service.status()["blind"] if text.startswith(interface)]


def test_down_and_up(source: str) -> None:
    """While it is down status says so; what passes after that is seen."""
    with following(source) as (net, service):
        is_seen(service, net.outside, names.LAN4)
        net.router.run("ip", "link", "set", "lan0", "down")
        service.until(lambda: blind_of(service, "lan0")() == ["lan0: is down"])
        net.router.run("ip", "link", "set", "lan0", "up")
        service.until(lambda: not blind_of(service, "lan0")())
        is_seen(service, net.lan, names.OUTSIDE4)


def test_made_anew(source: str) -> None:
    """Removed and made again under its name, with another index."""
    with following(source) as (net, service):
        is_seen(service, net.outside, names.LAN4)
        before = index(net.router, "lan0")
        net.router.run("ip", "link", "del", "lan0")
        absent = ["lan0: there is no such interface now"]
        service.until(lambda: blind_of(service, "lan0")() == absent)
        net.join_lan()
        assert index(net.router, "lan0") != before
        if source == "capture":
            service.until_said("lan0: watched again")
        assert not blind_of(service, "lan0")()
        is_seen(service, net.outside, names.LAN4)
        is_seen(service, net.lan, names.OUTSIDE6)


def test_redialled(source: str) -> None:
    """The outside interface comes back as another with other addresses: these are the device's
    own from then on, the old ones are anybody's, and connections through it are seen."""
    with following(source) as (net, service):
        is_seen(service, net.lan, names.OUTSIDE4)
        assert is_own(service, names.WAN4)
        assert not is_own(service, OTHER_WAN4)
        before = index(net.router, "wan0")
        net.router.run("ip", "link", "del", "wan0")
        absent = ["wan0: there is no such interface now"]
        service.until(lambda: blind_of(service, "wan0")() == absent)
        net.join_outside(OTHER_WAN4, OTHER_WAN6)
        assert index(net.router, "wan0") != before
        if source == "capture":
            service.until_said("wan0: watched again")
        service.until(lambda: all(is_own(service, a) for a in (OTHER_WAN4, OTHER_WAN6)))
        service.until(lambda: not any(is_own(service, a) for a in (names.WAN4, names.WAN6)))
        is_seen(service, net.lan, names.OUTSIDE4)
        with running(net.router, "talk", "serve"):
            is_seen(service, net.outside, OTHER_WAN4)


def is_own(service: Service, address: str) -> bool:
    """Whether the enforcer takes an address for the device's own."""
    answer = ask(service.folder / "hdr-lite.sock", {"verb": "why", "address": address})
    return "own" in (answer["never"] or "")
