"""Two services on one router, each for a LAN of its own: each sees what is on it, both ways."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from tests.netns import router as names
from tests.netns.network import Network
from tests.netns.programs import Program, running, talk, translate
from tests.netns.router import Routed, guest_of, routed
from tests.netns.service import Service
from tests.netns.talk import CLOSED, DOWNLOAD, DROPPED, MEGABYTE, UPLOAD

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
    pytest.mark.skipif(shutil.which("nft") is None, reason="needs nftables"),
]

SETTINGS = "[output]\nflows = true\n[meter]\nclosed_linger = 4\nattempt_timeout = 1\n"


class Told(NamedTuple):
    """What is said of a connection: by whom, to whom, how it went, whether all was counted."""

    opener: str
    server: str
    port: int
    state: str
    whole: bool


class Named(Service):
    """A service on the router for one interface, which is its name, too."""

    def __init__(self, net: Routed, folder: Path, interface: str) -> None:
        self.interface = interface
        folder.mkdir()
        folder.chmod(0o777)
        super().__init__(Network(net.outside, net.router), folder, settings=SETTINGS)

    def _words(self) -> tuple[str, ...]:
        words = super()._words()
        named = tuple(self.interface if word == "in0" else word for word in words)
        return (*named, "-P", self.interface)

    def told(self) -> set[Told]:
        """All connections over IP that it told of."""
        text = (self.folder / "out/flows.jsonl").read_text()
        return {
            Told(
                flow["id.orig_h"],
                flow["id.resp_h"],
                flow["id.resp_p"],
                flow["conn_state"],
                max(flow["orig_ip_bytes"], flow["resp_ip_bytes"]) > MEGABYTE,
            )
            for flow in map(json.loads, text.splitlines())
            if flow.get("proto") == "tcp"
        }


@contextmanager
def _two(net: Routed, folder: Path) -> Iterator[tuple[Named, Named]]:
    """A service for each LAN, both ready."""
    with ExitStack() as stack:
        services = [Named(net, folder / name, name) for name in ("lan0", "guest0")]
        for service in services:
            stack.callback(service.close)
            service.until_said(f"hdr-lite[{service.interface}]: ready\n")
            assert "capture serves" not in service.said
        yield services[0], services[1]


def test_each_its_own() -> None:
    """Connections from and to a LAN, translated or not, refused, dropped by the firewall and
    older than the service, with both directions and all their bytes; those between the LANs
    belong to both, those of neither are told by nobody."""
    with ExitStack() as stack:
        net = stack.enter_context(routed())
        translate(net)
        guest = stack.enter_context(guest_of(net.router))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="hdr-lite-")))
        folder.chmod(0o777)
        for host in (net.outside, net.lan, guest):
            stack.enter_context(running(host, "talk", "serve"))
        older: list[Program] = [
            stack.enter_context(running(host, "talk", "hold", names.OUTSIDE4))
            for host in (net.lan, guest)
        ]
        lan, other = stack.enter_context(_two(net, folder))
        for host in (net.lan, guest):
            for server in (names.OUTSIDE4, names.OUTSIDE6):
                talk(host, "many", server, "1", "2")
        for server in (names.LAN4, names.LAN6, names.GUEST4, names.GUEST6):
            talk(net.outside, "outside", server, names.WAN4, "-")
        talk(net.outside, "outside", names.LAN4, names.WAN4, names.WAN4)
        talk(net.lan, "many", names.GUEST4, "1", "2")
        for program in older:
            program.finish()
        assert (lan.stop(), other.stop()) == (0, 0)
        between = Told(names.LAN4, names.GUEST4, DOWNLOAD, "SF", True)
        assert lan.told() == _expected(names.LAN4, names.LAN6) | {
            between,
            Told(names.OUTSIDE4, names.LAN4, 80, "SF", True),
        }
        assert other.told() == _expected(names.GUEST4, names.GUEST6) | {between}


def _expected(inside4: str, inside6: str) -> set[Told]:
    told = {Told(inside4, names.OUTSIDE4, UPLOAD, "SF", True)}
    for inside, outside in ((inside4, names.OUTSIDE4), (inside6, names.OUTSIDE6)):
        told |= {
            Told(inside, outside, DOWNLOAD, "SF", True),
            Told(outside, inside, DOWNLOAD, "SF", True),
            Told(outside, inside, CLOSED, "REJ", False),
            Told(outside, inside, DROPPED, "S0", False),
        }
    return told
