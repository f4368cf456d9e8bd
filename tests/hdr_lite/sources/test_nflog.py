"""The rules that log first packets, and the source over sockets that are no kernel's.

What it finds on a router is in tests/netns/test_nflog.py.
"""

import os
import select
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from hdr_lite.config import MeterConfig
from hdr_lite.native import Meter, Ring
from hdr_lite.ring import create_ring
from hdr_lite.sensor.meter import make_meter
from hdr_lite.sources.base import SourceError
from hdr_lite.sources.clock import TrafficClock
from hdr_lite.sources.conntrack import OLDER, dump_request
from hdr_lite.sources.nflog import (
    PRIORITY,
    FirstPackets,
    NflogSource,
    Sockets,
    log_rules,
    threshold_request,
)


def _rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("add rule inet mine ")]


def test_rules() -> None:
    """Two chains behind de-NAT; loopback and DHCP are left out, the rest is logged once."""
    text = log_rules(FirstPackets(packets=6, snap_length=256, group=9), "mine")
    assert text.startswith("table inet mine {")
    for hook in ("prerouting", "output"):
        assert f"type filter hook {hook} priority {PRIORITY};" in text
    rules = _rules(text)
    assert len(rules) == 10
    assert all(rule.endswith(" return") for rule in rules)
    assert sum("log group 9 snaplen 256" in rule for rule in rules) == 6
    assert sum("packets 1-6" in rule for rule in rules) == 4


@pytest.mark.parametrize(("ports", "packets"), [((), 64), ((22,), 6), ((22,), 5)])
def test_nothing_more_of_logins(ports: tuple[int, ...], packets: int) -> None:
    """No port, or no more packets than of others: no set, no rule."""
    plain = log_rules(FirstPackets(packets=6), "mine")
    more = FirstPackets(packets=6, login_ports=ports, login_packets=packets)
    assert log_rules(more, "mine") == plain


def test_more_of_logins() -> None:
    """The rules for them follow those for all, and begin where those end."""
    what = FirstPackets(packets=6, login_ports=(22, 2222), login_packets=40)
    text = log_rules(what, "mine")
    assert "set login { type inet_service; elements = { 22, 2222 }; }" in text
    assert sum("packets 7-40 tcp dport @login" in rule for rule in _rules(text)) == 2
    assert sum("packets 7-40 tcp sport @login" in rule for rule in _rules(text)) == 2


def test_rules_for_the_inside() -> None:
    """Where interfaces are named, only packets from or to them are logged, by their names; what
    costs a look at the routes is asked of first packets alone."""
    text = log_rules(FirstPackets(packets=6, group=9, inside=("lan0", "br-lan")), "mine")
    rules = _rules(text)
    assert [rule.partition(" log ")[0] for rule in rules if " log " in rule] == [
        'add rule inet mine prerouting_inside iifname { "lan0", "br-lan" }',
        'add rule inet mine prerouting_inside fib daddr oifname { "lan0", "br-lan" }',
        'add rule inet mine output_inside oifname { "lan0", "br-lan" }',
    ]
    assert sum(rule.endswith("goto prerouting_inside") for rule in rules) == 3
    assert sum(rule.endswith("goto output_inside") for rule in rules) == 3


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


def test_older_connections_are_asked_for_until_they_are_told(
    source: NflogSource, meter: Meter, asked: Asked
) -> None:
    """The request may have been lost on its way, or met with another dump."""
    deadline = time.monotonic() + 20
    while len(asked) < 3:
        assert time.monotonic() < deadline
        select.select([source], [], [], 1)
        source.read(meter, 100)
    assert {request for _, request in asked} == {dump_request(OLDER)}


def test_a_socket_that_breaks(source: NflogSource, meter: Meter) -> None:
    """It is told in one sentence."""
    with open(os.devnull) as null:  # noqa: PTH123 - a descriptor that is no socket
        os.dup2(null.fileno(), source._sockets.log.fileno())
        with pytest.raises(SourceError, match="nflog: broken: "):
            source.read(meter, 100)
