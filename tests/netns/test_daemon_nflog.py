"""The service on a router: first packets by themselves, and capture where they cannot be had."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.netns import router as names
from tests.netns.network import Network
from tests.netns.programs import running, talk
from tests.netns.router import Routed, routed
from tests.netns.service import Service
from tests.netns.talk import DOWNLOAD
from tests.netns.test_daemon import NET_RAW, of_proc

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
    pytest.mark.skipif(shutil.which("nft") is None, reason="needs nftables"),
]

TABLE = "table inet hdr_lite.log"
SETTINGS = "[output]\nflows = true\n[meter]\nclosed_linger = 0\n"
#: Tries so many ports of an address, one after the other, and is refused by each.
SCAN = """
import socket, sys
host, ports = sys.argv[1], int(sys.argv[2])
for port in range(1000, 1000 + ports):
    with socket.socket() as sock:
        sock.settimeout(1)
        assert sock.connect_ex((host, port))
"""


class RouterService(Service):
    """``hdr-lite daemon`` on the router."""

    interfaces: tuple[str, ...] = ("lan0",)

    def _words(self) -> tuple[str, ...]:
        verb, _, _, *where = super()._words()
        named = (word for name in self.interfaces for word in ("-i", name))
        return (verb, *named, *where)


class BothSides(RouterService):
    """The same for what is on the outside interface, too."""

    interfaces = ("lan0", "wan0")


def scan(net: Routed, ports: int = 100) -> None:
    """Somebody outside tries ports of the host in the LAN."""
    net.outside.run("python3", "-c", SCAN, names.LAN4, str(ports))


@contextmanager
def serving(
    *words: str, settings: str = "", kind: type[RouterService] = RouterService
) -> Iterator[tuple[Routed, Service]]:
    """The router with a service on it that is ready."""
    with TemporaryDirectory(prefix="hdr-lite-") as name, routed() as net:
        folder = Path(name)
        folder.chmod(0o777)
        with serve(net, folder, *words, settings=settings, kind=kind) as service:
            yield net, service


@contextmanager
def serve(
    net: Routed,
    folder: Path,
    *words: str,
    settings: str = "",
    kind: type[RouterService] = RouterService,
) -> Iterator[Service]:
    """A service on that router that is ready."""
    network = Network(net.outside, net.router)
    service = kind(network, folder, *words, settings=settings)
    try:
        service.until_said("hdr-lite: ready\n")
        yield service
    finally:
        service.close()


def downloads(service: Service) -> list[dict[str, Any]]:
    """The flows of :mod:`tests.netns.talk`'s downloads that were told."""
    text = (service.folder / "out/flows.jsonl").read_text()
    flows = [json.loads(line) for line in text.splitlines()]
    return [flow for flow in flows if flow["id.resp_p"] == DOWNLOAD]


def found(service: Service) -> bool:
    """Whether the scan was found."""
    return any(
        line["type"] == "VERTICAL_PORT_SCAN" and names.OUTSIDE4 in json.dumps(line["attacker"])
        for line in service.evidence()
    )


def test_a_scan_through_the_router() -> None:
    """It takes first packets by itself, its sensor has no privilege at all, a scan of the LAN
    is an alert, and nothing of it stays in the kernel when it stops."""
    with serving() as (net, service):
        status = service.status()
        assert (status["source"], status["source_why"]) == ("nflog", "the device forwards")
        said = of_proc(service.processes()["sensor"]["pid"])
        for field in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"):
            assert int(said[field], 16) == 0
        assert said["Seccomp"] == "2"
        assert TABLE in net.router.run("nft", "list", "tables")
        scan(net)
        service.until(lambda: found(service))
        alerts = service.folder / "out/alerts.json"
        service.until(lambda: names.OUTSIDE4 in alerts.read_text())
        (source,) = service.status()["sensor"]["sources"]
        assert (source["name"], source["dropped"], source["error"]) == ("nflog", 0, "")
        assert service.stop() == 0
        assert net.router.run("nft", "list", "tables") == ""


def test_what_arrives_while_the_sensor_is_dead() -> None:
    """The sensor hangs, a scan comes, the sensor is killed: its successor reads all of it."""
    with serving() as (net, service):
        sensor = service.processes()["sensor"]["pid"]
        os.kill(sensor, signal.SIGSTOP)
        scan(net)
        os.kill(sensor, signal.SIGKILL)
        service.until_said("the sensor is back")
        service.until(lambda: found(service))
        # SYN and RST of each port: all that the connections were.
        service.until(lambda: service.packets() >= 200)
        (source,) = service.status()["sensor"]["sources"]
        assert source["dropped"] == 0
        assert service.stop() == 0


@pytest.mark.parametrize(
    "words",
    [("flush", "ruleset"), ("delete", *TABLE.split())],
    ids=["all", "only that table"],
)
def test_rules_that_are_taken_out(words: tuple[str, ...]) -> None:
    """Whoever does that is told of, the rules are back within 1 s, scans found."""
    with serving() as (net, service):
        before = net.router.run("nft", "-s", "list", "ruleset")
        started = time.monotonic()
        net.router.run("nft", *words)
        service.until_said("somebody took out the rules that log first packets: they are back")
        assert time.monotonic() - started < 1
        assert net.router.run("nft", "-s", "list", "ruleset") == before
        scan(net)
        service.until(lambda: found(service))
        assert service.stop() == 0


@pytest.mark.parametrize("patient", [True, False], ids=["in time", "at the end"])
def test_totals_come_through_the_holder(patient: bool) -> None:
    """A connection's bytes beyond its first packets are in its flow, though the sensor may not
    ask the kernel: soon after it ended, whenever closed flows are to be told, and when the service
    stops before that."""
    with serving(settings=SETTINGS) as (net, service), running(net.lan, "talk", "serve"):
        talk(net.outside, "many", names.LAN4, "1", "3")
        if patient:
            service.until(lambda: downloads(service))
        assert service.stop() == 0
        (flow,) = downloads(service)
        assert (flow["conn_state"], flow["resp_bytes"]) == ("SF", 3 << 20)
        assert flow["resp_ip_bytes"] > 3 << 20


@pytest.mark.parametrize(
    ("sysctl", "words", "reason"),
    [
        ("net.netfilter.nf_conntrack_acct=0", (), "set net.netfilter.nf_conntrack_acct to 1"),
        (
            "net.ipv4.ip_forward=1",
            ("setpriv", "--reuid=nobody", "--clear-groups", "--inh-caps=-all,+net_raw")
            + ("--ambient-caps=-all,+net_raw", "--bounding-set=-all,+net_raw"),
            "not permitted: it needs root or CAP_NET_ADMIN",
        ),
    ],
    ids=["no accounting", "no permission"],
)
def test_a_piece_that_lacks(sysctl: str, words: tuple[str, ...], reason: str) -> None:
    """One line says which, so does the status, and capture finds the scan."""
    with TemporaryDirectory(prefix="hdr-lite-") as name, routed() as net:
        folder = Path(name)
        folder.chmod(0o777)
        net.router.run("sysctl", "-qw", sysctl)
        with serve(net, folder, *words) as service:
            (line,) = [line for line in service.said.splitlines() if reason in line]
            assert line.startswith("hdr-lite: capture serves, not nflog: ")
            status = service.status()
            assert status["source"] == "capture"
            assert reason in status["source_why"]
            sensor = of_proc(service.processes()["sensor"]["pid"])
            assert int(sensor["CapEff"], 16) == NET_RAW
            scan(net)
            service.until(lambda: found(service))
            assert service.stop() == 0


def test_capture_by_the_settings() -> None:
    """``capture`` is what the settings can ask for: no rule is made, no line is said."""
    with serving(settings='[capture]\nsource = "capture"\n') as (net, service):
        status = service.status()
        assert (status["source"], status["source_why"]) == ("capture", "the settings say so")
        assert "nflog" not in service.said
        assert net.router.run("nft", "list", "tables") == ""
        assert service.stop() == 0
