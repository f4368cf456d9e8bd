"""The sensor on files: all that is in them goes into the ring, and one final Stats ends it."""

import os
import select
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hdr_lite.config import CaptureConfig, Config, MeterConfig
from hdr_lite.link.codec import Ask, Message, Notice, Opened, Progress
from hdr_lite.link.end import End, create_link
from hdr_lite.link.stop import StopSignal
from hdr_lite.records.flow import Stats
from hdr_lite.records.kind import Kind
from hdr_lite.ring import Delivery, RingMemory, RingReader, create_ring
from hdr_lite.sensor.process import Inputs, Opening, run_sensor
from hdr_lite.sources.base import SourceError
from hdr_lite.sources.clock import TrafficClock
from hdr_lite.sources.conntrack import OLDER, POLL, dump_request
from hdr_lite.sources.nflog import FirstPackets, Sockets
from tests.hdr_lite.sources.captures import pcap, udp_frame

START = 1_600_000_000 * 10**9
ALL = 0xFFFFFFFF


class _Run:
    """A sensor run in this process, with a reader that keeps the ring from filling up."""

    def __init__(self, memory: RingMemory) -> None:
        self.memory = memory
        self.records: list[Delivery] = []
        self.messages: list[Message] = []
        self.status = -1

    def __call__(self, inputs: Inputs, config: Config, stop: object) -> None:
        ours, theirs = create_link()
        reader = threading.Thread(target=self._read)
        reader.start()
        try:
            self.status = run_sensor(inputs, config, self.memory, ALL, theirs, stop)
        finally:
            self._take(ours)
            reader.join(10)
            ours.close()
            theirs.close()

    def _read(self) -> None:
        reader = RingReader(self.memory)
        while not reader.ended:
            if records := reader.read_exact(256):
                self.records += records
                reader.commit()

    def _take(self, end: End) -> None:
        while more := list(end.receive()):
            self.messages += more

    def final(self) -> Stats:
        record = self.records[-1][3]
        assert isinstance(record, Stats)
        return record


@pytest.fixture(name="memory")
def _memory() -> Iterator[RingMemory]:
    memory = create_ring(1 << 18)
    yield memory
    memory.close()


@pytest.fixture(name="run")
def _run(memory: RingMemory) -> _Run:
    return _Run(memory)


def _config(**capture: object) -> Config:
    return Config(capture=CaptureConfig(**capture), meter=MeterConfig(flows=64))


def test_a_file(tmp_path: Path, run: _Run) -> None:
    """Every packet is metered, nothing is dropped, and Stats tells counters and source."""
    path = pcap(tmp_path / "a.pcap", [(START + n * 10**6, udp_frame(n)) for n in range(3000)])
    run(Inputs(str(path)), _config(), ())
    assert run.status == 0
    stats = run.final()
    assert stats.final
    assert stats.counters["packets"] == 3000
    ends = [kind for _, kind, _, _ in run.records if kind in (Kind.FLOW, Kind.FOLDED_FLOW)]
    assert len(ends) == 3000
    (source,) = stats.sources
    assert source.pop("opener") in ("pypcap", "libpcap")
    assert source == {
        "name": str(path),
        "linktype": "EN10MB",
        "packets": 3000,
        "dropped": 0,
        "interface_dropped": 0,
        "error": "",
    }
    assert isinstance(run.messages[0], Opened)
    assert "(EN10MB, " in run.messages[0].sources
    last = run.messages[-1]
    assert isinstance(last, Progress)
    assert (last.packets, last.position) == (3000, path.stat().st_size)


def test_the_same_file_gives_the_same_records(tmp_path: Path) -> None:
    """Numbers, times, ids and order are the same in every run."""
    path = pcap(tmp_path / "a.pcap", [(START + n * 10**6, udp_frame(n % 50)) for n in range(3000)])
    seen = []
    for _ in range(2):
        memory = create_ring(1 << 18)
        run = _Run(memory)
        run(Inputs(str(path)), _config(), ())
        seen.append(run.records)
        memory.close()
    assert seen[0] == seen[1]


def test_a_file_that_breaks(tmp_path: Path, run: _Run) -> None:
    """What came before the break counts; the break is told once and noted in Stats."""
    path = pcap(tmp_path / "a.pcap", [(START + n, udp_frame(n)) for n in range(10)])
    path.write_bytes(path.read_bytes()[:-3])
    run(Inputs(str(path)), _config(), ())
    assert run.status == 0
    stats = run.final()
    assert stats.counters["packets"] == 9
    assert "broken after 9 packets" in str(stats.sources[0]["error"])
    notices = [m.text for m in run.messages if isinstance(m, Notice)]
    assert len(notices) == 1
    assert "broken after 9 packets" in notices[0]


def test_a_filter(tmp_path: Path, run: _Run) -> None:
    """Packets that do not match are not there."""
    path = pcap(tmp_path / "a.pcap", [(START + n, udp_frame(n)) for n in range(10)])
    run(Inputs(str(path)), _config(filter="src port 1004"), ())
    assert run.final().counters["packets"] == 1


def test_a_link_type_that_is_not_decoded(tmp_path: Path, run: _Run) -> None:
    """Packets are counted, and that nothing is seen in them is told."""
    path = pcap(tmp_path / "a.pcap", [(START, b"x" * 50)])
    usb = (220).to_bytes(4, "little")
    path.write_bytes(path.read_bytes()[:20] + usb + path.read_bytes()[24:])
    run(Inputs(str(path)), _config(), ())
    assert run.final().counters["packets"] == 1
    notices = [m.text for m in run.messages if isinstance(m, Notice)]
    assert notices == [f"{path}: link type USB_LINUX_MMAPPED is not decoded"]


def test_an_absent_file(run: _Run) -> None:
    """A source that cannot be opened is the user's mistake, before anything is said."""
    ours, theirs = create_link()
    with pytest.raises(SourceError, match="no such file"):
        run_sensor(Inputs("/nonexistent"), _config(), run.memory, ALL, theirs, ())
    assert list(ours.receive()) == []
    ours.close()
    theirs.close()


def test_a_stop_signal(tmp_path: Path, run: _Run) -> None:
    """A replay that is asked to stop ends its flows and tells its final counters."""
    path = pcap(tmp_path / "a.pcap", [(START + n, udp_frame(n)) for n in range(5000)])
    with StopSignal((signal.SIGTERM,)) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        run(Inputs(str(path)), _config(), stop)
    assert run.status == 0
    assert run.final().counters["packets"] < 5000


def test_first_packets(memory: RingMemory) -> None:
    """They are read from copies of the sockets; what needs a privilege is asked of the parent,
    older connections at the start and the last counts at the end."""
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in Sockets._fields]
    what = FirstPackets()
    opening = Opening(what, Sockets(*(ours for ours, _ in pairs)), what.packets)
    ours, theirs = create_link()
    messages: list[Message] = []

    def parent() -> None:
        while not any(isinstance(message, Ask) for message in messages):
            select.select([ours], [], [], 10)
            messages.extend(ours.receive())
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=parent)
    with StopSignal((signal.SIGTERM,)) as stop:
        thread.start()
        inputs = Inputs(interfaces=("lan0",), first_packets=opening)
        assert run_sensor(inputs, _config(), memory, ALL, theirs, stop, TrafficClock()) == 0
    thread.join(10)
    messages.extend(ours.receive())
    assert messages[0] == Opened("nflog (NFLOG, netlink)")
    asked = [message for message in messages if isinstance(message, Ask)]
    dumps = [Ask("conntrack", dump_request(purpose)) for purpose in (OLDER, POLL)]
    assert asked == dumps
    for pair in pairs:
        for end in pair:
            assert end.fileno() >= 0
            end.close()
    ours.close()
    theirs.close()
