"""The rules that log first packets, and the source over sockets that are no kernel's.

What it finds on a router is in tests/netns/test_nflog.py.
"""

import os
import select
import socket
import struct
from collections.abc import Iterator

import pytest

from hdr_lite.config import MeterConfig
from hdr_lite.native import Meter, Ring
from hdr_lite.ring import create_ring
from hdr_lite.sensor.meter import make_meter
from hdr_lite.sources.base import SourceError
from hdr_lite.sources.clock import TrafficClock
from hdr_lite.sources.nflog import (
    PRIORITY,
    FirstPackets,
    NflogSource,
    Sockets,
    log_rules,
    threshold_request,
)


def test_rules() -> None:
    """Two chains behind de-NAT; loopback and DHCP are left out, the rest is logged once."""
    what = FirstPackets(packets=6, snap_length=256, group=9)
    commands = log_rules(what, "mine")
    chains = [command["add"]["chain"] for command in commands if "chain" in command["add"]]
    rules = [command["add"]["rule"] for command in commands if "rule" in command["add"]]
    assert [(chain["hook"], chain["prio"], chain["policy"]) for chain in chains] == [
        ("prerouting", PRIORITY, "accept"),
        ("output", PRIORITY, "accept"),
    ]
    assert {rule["table"] for rule in rules} == {"mine"}
    assert len(rules) == 10
    for rule in rules:
        assert rule["expr"][-1] == {"return": None}
    logs = [part["log"] for rule in rules for part in rule["expr"] if "log" in part]
    assert logs == [{"group": 9, "snaplen": 256}] * 6
    ranges = [
        part["match"]["right"]["range"]
        for rule in rules
        for part in rule["expr"]
        if "range" in str(part)
    ]
    assert ranges == [[1, 6]] * 4


def test_threshold_request() -> None:
    """Sizes are in network order behind their attributes; a single packet needs less room."""
    for packets, room in ((32, 32768), (1, 8192)):
        request = threshold_request(9, packets, flags=0)
        attributes = struct.pack("=HH", 8, 3) + struct.pack(">I", room)
        attributes += struct.pack("=HH", 8, 5) + struct.pack(">I", packets)
        assert request[16:] == b"\0\0\0\x09" + attributes


@pytest.fixture(name="meter")
def _meter() -> Iterator[Meter]:
    memory = create_ring(1 << 18)
    yield make_meter(Ring(memory.memory), 0, MeterConfig(), wait=False, first_packets=8)
    memory.close()


@pytest.fixture(name="pairs")
def _pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(3)]
    for ours, _ in pairs:
        ours.setblocking(False)
    yield pairs
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


Asked = list[tuple[socket.socket, bytes]]


@pytest.fixture(name="asked")
def _asked() -> Asked:
    return []


@pytest.fixture(name="source")
def _source(
    pairs: list[tuple[socket.socket, socket.socket]], asked: Asked
) -> Iterator[NflogSource]:
    sockets = Sockets(*(ours for ours, _ in pairs))
    source = NflogSource(
        FirstPackets(),
        sockets,
        TrafficClock(),
        interfaces=("lan0",),
        ask=lambda sock, request: asked.append((sock, request)),
    )
    yield source
    source.close()


def test_what_is_not_the_kernels(
    source: NflogSource, meter: Meter, pairs: list[tuple[socket.socket, socket.socket]]
) -> None:
    """Datagrams of anybody else are counted and looked at no further."""
    pairs[0][1].send(b"x" * 100)
    pairs[1][1].send(b"x" * 100)
    assert select.select([source], [], [], 1)[0]
    assert source.read(meter, 100) == 0
    counters = source.counters()
    assert (counters["foreign"], counters["conntrack.foreign"]) == (1, 1)
    assert source.stats() == (0, 0, 0)
    assert source.interfaces == ["lan0"]


def test_the_first_tick_asks_for_older_connections(
    source: NflogSource,
    meter: Meter,
    asked: Asked,
    pairs: list[tuple[socket.socket, socket.socket]],
) -> None:
    """Half a second after the start there is a dump, through whoever may ask."""
    assert select.select([source], [], [], 2)[0]
    source.read(meter, 100)
    (sock, request) = asked[0]
    assert sock is pairs[1][0]
    assert struct.unpack_from("=IHHI", request) == (20, 0x101, 0x301, 1)
    assert len(asked) == 1


def test_a_socket_that_breaks(source: NflogSource, meter: Meter) -> None:
    """It is told in one sentence."""
    with open(os.devnull) as null:  # noqa: PTH123 - a descriptor that is no socket
        os.dup2(null.fileno(), source._sockets.log.fileno())
        with pytest.raises(SourceError, match="nflog: broken: "):
            source.read(meter, 100)
