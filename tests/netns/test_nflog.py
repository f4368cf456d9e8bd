"""First packets and conntrack tell the same flows as a plain capture of the same traffic."""

import json
import os
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hdr_lite.config import MeterConfig
from hdr_lite.native import Conntrack, die_with_parent
from hdr_lite.ring import RingReader, create_ring
from hdr_lite.sensor.meter import make_meter
from hdr_lite.sources.base import SourceError
from hdr_lite.sources.clock import TrafficClock
from hdr_lite.sources.conntrack import POLL, dump_request, open_events
from hdr_lite.sources.nflog import (
    TICK,
    FirstPackets,
    NflogSource,
    open_log,
    open_narrow,
    open_sockets,
)
from tests.netns import router as names
from tests.netns.network import Namespace
from tests.netns.programs import log_first_packets, running, talk, translate
from tests.netns.router import Routed, routed
from tests.program import ROOT

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
    pytest.mark.skipif(shutil.which("nft") is None, reason="needs nftables"),
]

#: Seconds from the last packet until every closed flow was told.
SETTLE = 5.0
MILLISECOND = 1_000_000


@pytest.fixture(name="net")
def _net() -> Iterator[Routed]:
    """The router with its NAT, a filter, and the rules that log first packets."""
    with routed() as net:
        translate(net)
        log_first_packets(net)
        yield net


def _flows(path: Path) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Ended flows by key, in the order of their start; without the kernels' own on a link."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line in path.read_text().splitlines():
        flow = json.loads(line)
        key = tuple(flow.get(field) for field in ("proto", "saddr", "sport", "daddr", "dport"))
        if (
            flow["kind"] != "ARP"
            and flow["end"] != "active"
            and not flow["saddr"].startswith("fe80:")
        ):
            found.setdefault(key, []).append(flow)
    return found


def _meter(
    net: Routed, folder: Path, talks: list[tuple[Namespace, tuple[str, ...]]]
) -> dict[str, Any]:
    """Run the talks under the three sensors; what the nflog one counted."""
    sensors = ("nflog", "lan0", "wan0")
    with (
        running(net.outside, "talk", "serve"),
        running(net.lan, "talk", "serve"),
        running(net.router, "metering", "nflog", str(folder / "nflog")) as first,
        running(net.router, "metering", "lan0", str(folder / "lan0")) as second,
        running(net.router, "metering", "wan0", str(folder / "wan0")) as third,
    ):
        assert len(sensors) == 3
        for namespace, words in talks:
            talk(namespace, *words)
        time.sleep(SETTLE)
        said = [json.loads(program.finish()) for program in (first, second, third)]
    assert [facts["dropped"] for facts in said] == [0, 0, 0]
    counted: dict[str, Any] = said[0]
    return counted


def _outside(folder: Path) -> set[str]:
    """Outside addresses of flows between the LAN and the outside, IPv4 TCP and UDP."""
    return {
        flow["outside"]
        for (proto, source, *_), flows in _flows(folder / "nflog").items()
        if proto in {"tcp", "udp"} and source == names.LAN4
        for flow in flows
        if flow["state"] != "S0"
    }


def _compare(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """How two records of one flow differ.

    The payload of TCP that ended by RST is exact unless the kernel had to send again or to tell
    what it missed, which a busy machine makes it do.
    """
    fields = ("spkts", "dpkts", "sipbytes", "dipbytes", "state")
    differing = [f"{f}: {found[f]} != {expected[f]}" for f in fields if found[f] != expected[f]]
    exact = found["proto"] != "tcp" or found["state"] == "SF"
    for side in "sd":
        field, payload = f"{side}bytes", expected[f"{side}bytes"]
        again = max(0, expected[f"{side}ipbytes"] - 52 * expected[f"{side}pkts"] - payload)
        room = 0 if exact else again + max(256, payload // 100)
        if abs(found[field] - expected[field]) > room:
            differing.append(f"{field}: {found[field]} != {expected[field]}")
    if abs(found["ts"] - expected["ts"]) > MILLISECOND:
        differing.append(f"ts: {(found['ts'] - expected['ts']) / MILLISECOND} ms apart")
    return differing


def _differences(folder: Path) -> list[str]:
    """Where nflog's flows are not those of the captures, a line each."""
    first, lan, wan = (_flows(folder / name) for name in ("nflog", "lan0", "wan0"))
    lines = [f"only nflog: {key}" for key in first if key not in lan and key not in wan]
    lines += [f"only lan0: {key}" for key in lan if key not in first]
    for key, found in first.items():
        expected = lan.get(key) or wan.get(key) or found
        if len(found) != len(expected):
            lines.append(f"{key}: {len(found)} flows, not {len(expected)}")
        for one, other in zip(found, expected, strict=False):
            lines += [
                f"{key} {one['history']} {other['history']}: {d}" for d in _compare(one, other)
            ]
    return lines


def test_the_same_flows(net: Routed, tmp_path: Path) -> None:
    """Key, packets, bytes, first time and state agree with those of a capture, NAT and all."""
    counted = _meter(
        net,
        tmp_path,
        [
            (net.lan, ("lan", names.OUTSIDE4)),
            (net.lan, ("lan", names.OUTSIDE6)),
            (net.outside, ("outside", names.LAN4, names.WAN4, names.WAN4)),
            (net.outside, ("outside", names.LAN6, names.WAN6, "-")),
        ],
    )
    print(counted)
    assert _differences(tmp_path) == []
    assert _outside(tmp_path) == {names.WAN4}
    states = {flow["state"] for flows in _flows(tmp_path / "nflog").values() for flow in flows}
    assert states >= {"S0", "REJ", "SF", "RSTO", "RSTR"}


def _only(folder: Path, port: int) -> dict[str, Any]:
    """The one flow to that port."""
    (flows,) = [f for key, f in _flows(folder / "nflog").items() if key[4] == port]
    (flow,) = flows
    return flow


def test_without_privilege(net: Routed, tmp_path: Path) -> None:
    """A reader without any capability has it all, if somebody else may ask for it."""
    out = tmp_path / "nflog"
    out.touch(mode=0o666)
    out.chmod(0o666)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    with (
        running(net.outside, "talk", "serve"),
        running(net.router, "metering", "nflog", str(out), NOBODY="1") as sensor,
    ):
        talk(net.lan, "many", names.OUTSIDE4, "1", "3")
        time.sleep(SETTLE)
        facts = json.loads(sensor.finish())
    assert facts["conntrack.answers"] == 1
    assert facts["conntrack.refused"] == 0
    flow = _only(tmp_path, 80)
    assert (flow["state"], flow["dbytes"], flow["history"][-1]) == ("SF", 3 << 20, "~")


def test_older_connections(net: Routed, tmp_path: Path) -> None:
    """A connection that was there before the sensor is told with its totals when it ends."""
    with (
        running(net.outside, "talk", "serve"),
        running(net.lan, "talk", "hold", names.OUTSIDE4) as holder,
        running(net.router, "metering", "nflog", str(tmp_path / "nflog")) as sensor,
    ):
        time.sleep(1.5)
        holder.finish()
        time.sleep(SETTLE)
        print(sensor.finish())
    flow = _only(tmp_path, 81)
    assert flow["saddr"] == names.LAN4
    assert flow["sbytes"] >= (2 << 20) * 0.99
    assert flow["sipbytes"] > 2 << 20
    assert flow["history"].endswith("~")
    assert flow["outside"] == names.WAN4
    assert flow["duration"] > 10**9


LEFT_OFF = """
from tests.netns import test_nflog
test_nflog.begin_where_another_left_off()
"""


def begin_where_another_left_off() -> None:
    """Runs in the router: a reader was killed amidst a dump, another begins on its sockets."""
    what = FirstPackets()
    sockets = open_sockets(what)
    sockets.conntrack.send(dump_request(POLL))
    source = NflogSource(what, sockets, TrafficClock())
    memory = create_ring(1 << 18)
    meter = make_meter(RingReader(memory).ring, 0, MeterConfig(), wait=False, first_packets=8)
    time.sleep(2 * TICK)  # so that it asks before anything else makes it read
    until_told = time.monotonic() + 20
    while source.counters()["conntrack.older"] == 0 and time.monotonic() < until_told:
        select.select([source], [], [], 1)
        source.read(meter, 100)
    print(source.counters()["conntrack.older"])


def test_what_a_reader_left_behind(net: Routed) -> None:
    """Its dump, which the kernel has not ended, keeps the next one from no older connection."""
    with running(net.outside, "talk", "serve"):
        talk(net.lan, "many", names.OUTSIDE4, "120", "0")
    out = net.router.run("env", f"PYTHONPATH={ROOT}", sys.executable, "-c", LEFT_OFF)
    assert out == "1\n"


def test_long_flows_are_kept_by_the_poll(net: Routed, tmp_path: Path) -> None:
    """Datagrams beyond the first are counted, once, whatever the meter's idle time."""
    with (
        running(net.outside, "talk", "serve"),
        running(
            net.router, "metering", "nflog", str(tmp_path / "nflog"), POLL="1", UDP_IDLE="3"
        ) as sensor,
    ):
        for _ in range(2):
            talk(net.lan, "datagrams", names.OUTSIDE4, "20")
        time.sleep(5)
        facts = json.loads(sensor.finish())
    assert facts["conntrack.dumps"] >= 4
    flows = [f for key, found in _flows(tmp_path / "nflog").items() if key[4] == 53 for f in found]
    assert [(f["spkts"], f["dpkts"]) for f in flows] == [(20, 20), (20, 20)]


def test_drops_are_counted(net: Routed, tmp_path: Path) -> None:
    """What the socket had no room for is told, packet by packet."""
    with (
        running(net.outside, "talk", "serve"),
        running(net.router, "metering", "nflog", str(tmp_path / "nflog"), BUFFER="4096") as sensor,
    ):
        sensor.pause()
        talk(net.lan, "many", names.OUTSIDE4, "40", "0")
        sensor.resume()
        time.sleep(1)
        talk(net.lan, "datagrams", names.OUTSIDE4, "1")
        facts = json.loads(sensor.finish())
    assert facts["dropped"] > 100
    assert facts["overflows"] >= 1
    assert facts["packets"] + facts["dropped"] >= 40 * 8


def test_a_pause_is_survived(net: Routed, tmp_path: Path) -> None:
    """A reader that stands still for a moment loses nothing of a thousand packets."""
    with (
        running(net.outside, "talk", "serve"),
        running(net.router, "metering", "nflog", str(tmp_path / "nflog")) as sensor,
    ):
        sensor.pause()
        talk(net.lan, "many", names.OUTSIDE4, "120", "0")
        sensor.resume()
        time.sleep(1)
        facts = json.loads(sensor.finish())
    assert facts["packets"] > 900
    assert facts["dropped"] == 0


def test_an_interface_that_comes_back(net: Routed, tmp_path: Path) -> None:
    """Made anew under its name it has another index, and the same number."""
    with (
        running(net.outside, "talk", "serve"),
        running(net.router, "metering", "nflog", str(tmp_path / "nflog")) as sensor,
    ):
        talk(net.lan, "datagrams", names.OUTSIDE4, "1")
        net.router.run("ip", "link", "del", "lan0")
        net.join_lan()
        talk(net.lan, "datagrams", names.OUTSIDE4, "1")
        facts = json.loads(sensor.finish())
    assert facts["interfaces"] == ["lan0", "wan0"]
    flows = [f for key, found in _flows(tmp_path / "nflog").items() if key[4] == 53 for f in found]
    assert [f["interface"] for f in flows] == [0, 0]


def test_neighbours(net: Routed, tmp_path: Path) -> None:
    """ARP of every interface is told, with the interface and both MAC addresses."""
    with (
        running(net.outside, "talk", "serve"),
        running(net.router, "metering", "nflog", str(tmp_path / "nflog")) as sensor,
    ):
        for namespace in (net.router, net.lan, net.outside):
            namespace.run("ip", "neigh", "flush", "all")
        talk(net.lan, "datagrams", names.OUTSIDE4, "1")
        sensor.finish()
    lines = [json.loads(line) for line in (tmp_path / "nflog").read_text().splitlines()]
    arps = [line for line in lines if line["kind"] == "ARP"]
    assert {arp["interface"] for arp in arps} == {0, 1}
    assert {arp["operation"] for arp in arps} == {"request", "reply"}
    assert all(arp["smac"] for arp in arps)


OFFLOAD = """
table inet speedy {
    flowtable fast {
        hook ingress priority 0
        devices = { lan0, wan0 }
        counter
    }
    chain passing {
        type filter hook forward priority 0
        ct state established flow add @fast
    }
}
"""


def test_offloaded_flows(net: Routed, tmp_path: Path) -> None:
    """Where a flow table takes connections away from the rules, their totals still are whole."""
    if not net.has_flowtables():
        pytest.skip("the kernel has no flow tables")
    net.nft(OFFLOAD)
    with (
        running(net.outside, "talk", "serve"),
        running(net.router, "metering", "nflog", str(tmp_path / "nflog"), SURE="1") as sensor,
        running(net.router, "metering", "lan0", str(tmp_path / "lan0")) as capture,
    ):
        talk(net.lan, "many", names.OUTSIDE4, "1", "3")
        talk(net.lan, "datagrams", names.OUTSIDE4, "20")
        time.sleep(SETTLE)
        facts = json.loads(sensor.finish())
        capture.finish()
    assert facts["packets"] < 25
    (tmp_path / "wan0").touch()
    assert _differences(tmp_path) == []


SENTENCES = """
from tests.netns import test_nflog
test_nflog.print_sentences()
"""


def _sentence(opening: Callable[[], socket.socket]) -> str:
    try:
        opening().close()
    except SourceError as error:
        return str(error)
    return "opened"


def print_sentences() -> None:
    """Runs in the router: why first packets cannot be had."""
    first = open_log(FirstPackets())
    for user in (0, 65534):
        os.setuid(user)
        print(_sentence(lambda: open_log(FirstPackets())))
        print(_sentence(open_events))
        print(_sentence(open_narrow))
    first.close()


def test_what_is_lacking_is_said(net: Routed) -> None:
    """A group that is taken, and each socket without permission, are a sentence each."""
    out = net.router.run("env", f"PYTHONPATH={ROOT}", sys.executable, "-c", SENTENCES)
    assert out.splitlines() == [
        "first packets: NFLOG group 1789 is in use by another program",
        "opened",
        "opened",
        "first packets: not permitted: it needs root or CAP_NET_ADMIN",
        "connections: not permitted: it needs root or CAP_NET_ADMIN",
        "neighbours: not permitted: capturing needs root or CAP_NET_RAW",
    ]


DUMPS = """
from tests.netns import test_nflog
test_nflog.read_while_another_asks()
"""
#: So many that each collision of the two (one in fifty dumps here) is met.
MANY_DUMPS = 400


def read_while_another_asks() -> None:
    """Runs in the router: dumps are asked for by another process, on its copy of the socket."""
    events = open_events()
    table = Conntrack(events.fileno(), 0)
    memory = create_ring(1 << 18)
    meter = make_meter(RingReader(memory).ring, 0, MeterConfig(), wait=False, first_packets=8)
    asking = os.fork()
    if asking == 0:
        die_with_parent(signal.SIGKILL)
        while True:
            with suppress(OSError):  # one is under way
                events.send(dump_request(POLL))
    try:
        while table.counters()["dumps"] < MANY_DUMPS:
            select.select([events], [], [], 1)
            table.read(meter, 64, 0)
    finally:
        os.kill(asking, signal.SIGKILL)
        os.waitpid(asking, 0)
    print("read")


def test_who_asks_does_not_disturb_who_reads(net: Routed) -> None:
    """A dump that ends in the one's call is no error of the other's."""
    out = net.router.run("env", f"PYTHONPATH={ROOT}", sys.executable, "-c", DUMPS)
    assert out == "read\n"
