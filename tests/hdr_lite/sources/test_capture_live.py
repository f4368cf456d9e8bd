"""Interfaces, for real: a veth pair in a network namespace of the test's own.

Each test is a function that runs in a process of its own under ``unshare --net``; the
namespace and all in it go when that process ends.
"""

import os
import select
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hdr_lite.config import CaptureConfig
from hdr_lite.native import Meter, Ring
from hdr_lite.ring import create_ring
from hdr_lite.sources.base import SourceError
from hdr_lite.sources.capture import CaptureSource, open_interface
from hdr_lite.sources.clock import TrafficClock
from tests.hdr_lite.sources.captures import udp_frame

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.getuid() != 0, reason="makes a network namespace: needs root"),
    pytest.mark.skipif(not shutil.which("unshare"), reason="util-linux is not installed"),
    pytest.mark.skipif(not shutil.which("ip"), reason="iproute2 is not installed"),
]

ROOT = Path(__file__).parents[3]


def _in_namespace(function: str, *, pypcap: bool) -> str:
    """Run a function of this file in a new network namespace; what it printed."""
    hide = "" if pypcap else "import sys; sys.modules['pcap'] = None; "
    code = f"{hide}from tests.hdr_lite.sources import test_capture_live as t; t.{function}()"
    command = ["unshare", "--net", sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True)


def _make_veth() -> None:
    _ip("link add veth0 type veth peer name veth1")
    _ip("link set veth0 up")
    _ip("link set veth1 up")


def _meter() -> Meter:
    memory = create_ring(1 << 18)
    zero = dict.fromkeys(("tcp_idle", "udp_idle", "icmp_idle", "closed_linger"), 10**9)
    return Meter(
        Ring(memory.memory),
        wanted=0,
        wait=False,
        secret=bytes(16),
        flows=64,
        applications=16,
        sources=16,
        attempt_timeout=10**9,
        active_timeout=10**9,
        fold_after=1 << 20,
        fold_interval=10**9,
        first_packets=0,
        **zero,
    )


def _read_until(source: CaptureSource, meter: Meter, packets: int) -> None:
    """Read until so many packets are metered; 10 seconds at most."""
    deadline = time.monotonic() + 10
    while meter.counters()["packets"] < packets:
        assert select.select([source], [], [], deadline - time.monotonic())[0]
        source.read(meter, 100)


def _sentence(name: str) -> str:
    try:
        open_interface(name, CaptureConfig(), 0, TrafficClock())
    except SourceError as error:
        return str(error)
    return "opened"


@pytest.mark.parametrize("pypcap", [True, False])
def test_errors(pypcap: bool) -> None:
    """Absent, down and forbidden interfaces are a sentence each."""
    lines = _in_namespace("errors", pypcap=pypcap).splitlines()
    assert lines == [
        "nosuch0: no such interface; there are lo, veth0, veth1",
        "veth0: the interface is down",
        "veth0: not permitted: capturing needs root or CAP_NET_RAW",
    ]


def errors() -> None:
    """Runs in the namespace."""
    _ip("link add veth0 type veth peer name veth1")
    print(_sentence("nosuch0"))
    print(_sentence("veth0"))
    _ip("link set veth0 up")
    os.setuid(65534)
    print(_sentence("veth0"))


@pytest.mark.parametrize("pypcap", [True, False])
def test_packets(pypcap: bool) -> None:
    """What passes the wire is metered, at the wall clock's time, through the filter, on time."""
    assert _in_namespace("packets", pypcap=pypcap).split() == [
        "pypcap" if pypcap and "pcap" in _installed() else "libpcap",
        "EN10MB",
        "200",
    ]


def _installed() -> set[str]:
    from importlib.util import find_spec

    return {"pcap"} if find_spec("pcap") else set()


def packets() -> None:
    """Runs in the namespace."""
    _make_veth()
    config = CaptureConfig(filter="udp dst port 7", snap_length=96, buffer=1 << 20)
    source, meter = open_interface("veth0", config, 3, TrafficClock()), _meter()
    print(source.opener, source.linktype)
    assert source.live
    assert source.read(meter, 10) == 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind(("veth1", 0))
        before = time.time_ns()
        for number in range(200):
            sender.send(udp_frame(number, b"x" * 100))
        _read_until(source, meter, 200)
    assert before - 10**6 <= meter.now <= time.time_ns() + 10**6
    assert meter.counters()["bytes"] == 200 * len(udp_frame(0, b"x" * 100))
    stats = source.stats()
    assert (stats.dropped, stats.interface_dropped) == (0, 0)
    print(stats.packets)
    source.close()


@pytest.mark.parametrize("pypcap", [True, False])
def test_drops_are_counted(pypcap: bool) -> None:
    """What the kernel had no room for is told."""
    _in_namespace("drops", pypcap=pypcap)


def drops() -> None:
    """Runs in the namespace."""
    _make_veth()
    config = CaptureConfig(buffer=65536 * 4)
    source, meter = open_interface("veth0", config, 0, TrafficClock()), _meter()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind(("veth1", 0))
        for number in range(5000):
            sender.send(udp_frame(number, b"x" * 1000))
    time.sleep(0.1)
    while source.read(meter, 1000):
        pass
    stats = source.stats()
    assert 0 < stats.packets < 5000
    assert stats.packets + stats.dropped >= 5000


@pytest.mark.parametrize("pypcap", [True, False])
def test_long_packets(pypcap: bool) -> None:
    """Of a packet the kernel's buffer holds no more than the snap length."""
    assert _in_namespace("long", pypcap=pypcap).split() == ["40", "0"]


def long() -> None:
    """Runs in the namespace: 2.4 MB pass before 1 MB of buffer is looked at."""
    _ip("link set lo up")
    config = CaptureConfig(buffer=1 << 20)
    source, meter = open_interface("lo", config, 0, TrafficClock()), _meter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))  # so that nobody answers that there is none
        for _ in range(40):
            peer.sendto(bytes(60000), peer.getsockname())
    while meter.counters()["packets"] < 40 and select.select([source], [], [], 0.5)[0]:
        source.read(meter, 1000)
    print(meter.counters()["packets"], source.stats().dropped)


@pytest.mark.parametrize("pypcap", [True, False])
def test_an_interface_that_goes_away(pypcap: bool) -> None:
    """A source whose interface is removed breaks with a sentence."""
    out = _in_namespace("removed", pypcap=pypcap)
    assert out.startswith("veth0: broken after 0 packets: ")


def removed() -> None:
    """Runs in the namespace."""
    _make_veth()
    source, meter = (
        open_interface("veth0", CaptureConfig(filter="port 1"), 0, TrafficClock()),
        _meter(),
    )
    _ip("link del veth0")
    for _ in range(100):
        try:
            select.select([source], [], [], 0.1)
            source.read(meter, 10)
        except SourceError as error:
            print(error)
            return
