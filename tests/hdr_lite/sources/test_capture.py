"""Capture files and interfaces: the same packets whoever opens them, every error a sentence."""

import os
import struct
import sys
from pathlib import Path

import pytest

from hdr_lite.config import CaptureConfig
from hdr_lite.native import Capture, Meter, Ring
from hdr_lite.ring import create_ring
from hdr_lite.sources import capture
from hdr_lite.sources.base import SourceError, SourceStats
from hdr_lite.sources.capture import CaptureSource, open_file, open_interface
from hdr_lite.sources.clock import TrafficClock
from tests.hdr_lite.sources.captures import pcap, udp_frame

SECOND = 10**9
START = 1_600_000_000 * SECOND


def _ring(capacity: int = 1 << 18) -> Ring:
    memory = create_ring(capacity)
    ring = Ring(memory.memory)
    memory.close()
    return ring


def _meter(ring: Ring, wanted: int = 0, wait: bool = True) -> Meter:
    return Meter(
        ring,
        wanted=wanted,
        wait=wait,
        secret=bytes(16),
        flows=64,
        applications=16,
        sources=16,
        attempt_timeout=5 * SECOND,
        tcp_idle=300 * SECOND,
        udp_idle=60 * SECOND,
        icmp_idle=60 * SECOND,
        closed_linger=5 * SECOND,
        active_timeout=300 * SECOND,
        fold_after=1 << 20,
        fold_interval=10 * SECOND,
        first_packets=0,
    )


def _read_all(source: CaptureSource, meter: Meter, batch: int = 7) -> int:
    total = 0
    while True:
        try:
            total += source.read(meter, batch)
        except EOFError:
            return total


@pytest.fixture(name="frames")
def _frames(tmp_path: Path) -> Path:
    packets = [(START + n * SECOND + n, udp_frame(n)) for n in range(100)]
    return pcap(tmp_path / "a.pcap", packets, wire_extra=10)


@pytest.fixture(params=["pypcap", "libpcap"], name="opener")
def _opener(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test runs with pypcap, where there is one, and without."""
    if request.param == "pypcap":
        pytest.importorskip("pcap", reason="pypcap is not installed")
    else:
        monkeypatch.setitem(sys.modules, "pcap", None)
    return request.param


def test_reads_a_file_whole(frames: Path, opener: str) -> None:
    """Every packet reaches the meter, with its length on the wire, whoever opened the file."""
    source, meter = open_file(str(frames), CaptureConfig()), _meter(_ring())
    assert (source.opener, source.linktype, source.live) == (opener, "EN10MB", False)
    assert _read_all(source, meter) == 100
    counters = meter.counters()
    assert counters["packets"] == 100
    assert counters["bytes"] == sum(len(udp_frame(n)) + 10 for n in range(100))
    assert source.position() == frames.stat().st_size
    assert source.stats() == SourceStats(100, 0, 0)
    assert meter.now == START + 99 * SECOND + 99
    source.close()


@pytest.mark.parametrize("nano", [True, False])
def test_times_are_whole_nanoseconds(tmp_path: Path, opener: str, nano: bool) -> None:
    """Nanosecond and microsecond files give the exact time."""
    time = START + 123_456_789
    path = pcap(tmp_path / "t.pcap", [(time, udp_frame())], nano=nano)
    source, meter = open_file(str(path), CaptureConfig()), _meter(_ring())
    _read_all(source, meter)
    assert meter.now == (time if nano else time // 1000 * 1000)


def test_times_after_2038(tmp_path: Path, opener: str) -> None:
    """Classic files count unsigned seconds, and so do we."""
    time = 0xF0000000 * SECOND
    path = pcap(tmp_path / "t.pcap", [(time, udp_frame())])
    source, meter = open_file(str(path), CaptureConfig()), _meter(_ring())
    _read_all(source, meter)
    assert meter.now == time


def test_a_filter(frames: Path, opener: str) -> None:
    """Only what matches is read."""
    source = open_file(str(frames), CaptureConfig(filter="udp src port 1003"))
    assert _read_all(source, _meter(_ring())) == 1


def test_no_packet_is_lost_where_the_ring_is_full(tmp_path: Path, opener: str) -> None:
    """A packet that the meter has no room for is the first of the next read."""
    packets = [(START + n * 1000, udp_frame(n)) for n in range(20000)]
    path = pcap(tmp_path / "many.pcap", packets)
    capacity = 1 << 18
    ring = _ring(capacity)
    source, meter = open_file(str(path), CaptureConfig()), _meter(ring, wanted=0xFFFFFFFF)
    total = waits = 0
    while True:
        try:
            taken = source.read(meter, 1000)
        except EOFError:
            break
        total += taken
        if taken == 0:
            waits += 1
            while ring.read(1000, 0xFFFFFFFF, capacity):
                ring.commit()
    assert (total, meter.counters()["packets"]) == (20000, 20000)
    assert waits > 3
    assert sum(ring.dropped) == 0


def test_truncated_in_the_middle(frames: Path, opener: str) -> None:
    """What was read counts; then one sentence says how the file broke."""
    frames.write_bytes(frames.read_bytes()[:-5])
    source, meter = open_file(str(frames), CaptureConfig()), _meter(_ring())
    with pytest.raises(SourceError, match=r"a\.pcap: broken after 99 packets: truncated"):
        _read_all(source, meter)
    assert meter.counters()["packets"] == 99
    assert source.stats().packets == 99


def _make_directory(path: Path) -> None:
    path.mkdir()


def _make_text(path: Path) -> None:
    path.write_text("this is no capture file, though it is long enough for its header")


def _make_empty(path: Path) -> None:
    path.touch()


def _make_short(path: Path) -> None:
    path.write_bytes(struct.pack("<IHH", 0xA1B2C3D4, 2, 4))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (None, ": no such file"),
        (_make_directory, ": is a directory, not a capture file"),
        (_make_text, ": not a capture file: unknown file format"),
        (_make_empty, ": is empty, not a capture file"),
        (_make_short, ": not a capture file: truncated dump file"),
    ],
)
def test_files_that_cannot_be_opened(
    tmp_path: Path, opener: str, make: object, sentence: str
) -> None:
    """Each is one sentence that starts with the file's name."""
    path = tmp_path / "x.pcap"
    if callable(make):
        make(path)
    with pytest.raises(SourceError) as caught:
        open_file(str(path), CaptureConfig())
    assert str(caught.value).startswith(f"{path}{sentence}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("folder", [False, True])
def test_forbidden(frames: Path, folder: bool) -> None:
    """A file that may not be read, or lies where one may not look, is said to be so."""
    (frames.parent if folder else frames).chmod(0)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # root may read everything
        if os.getuid() == 0:
            os.setuid(65534)
        try:
            open_file(str(frames), CaptureConfig())
        except SourceError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    assert os.read(reader, 1000).decode() == f"{frames}: permission denied"
    os.close(reader)
    frames.parent.chmod(0o700)


def test_bad_filter(frames: Path, opener: str) -> None:
    """libpcap's reason, with the filter as it was given."""
    with pytest.raises(SourceError, match=r"^filter 'tcp prot 80': can't parse filter"):
        open_file(str(frames), CaptureConfig(filter="tcp prot 80"))


def test_absent_interface(opener: str) -> None:
    """The sentence names the interfaces that there are."""
    with pytest.raises(SourceError, match=r"^nosuch0: no such interface; there are .*lo"):
        open_interface("nosuch0", CaptureConfig(), 0, TrafficClock())


@pytest.mark.parametrize("name", ["", "a" * 300, "../x", "a b"])
def test_names_that_no_interface_has(name: str, opener: str) -> None:
    """Whatever is given as a name is looked for, and not found, in one sentence."""
    with pytest.raises(SourceError) as caught:
        open_interface(name, CaptureConfig(), 0, TrafficClock())
    assert str(caught.value).startswith(f"{name}: ")


def test_an_interface_is_not_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: Path
) -> None:
    """A capture file that bears an interface's name is not read in its place."""
    monkeypatch.chdir(tmp_path)
    frames.rename(tmp_path / "nosuch0")
    with pytest.raises(SourceError, match="no such interface"):
        open_interface("nosuch0", CaptureConfig(), 0, TrafficClock())


def test_borrowing_what_is_no_pypcap_object() -> None:
    """The pointer is followed in nothing that merely calls itself pcap."""
    fake = type("pcap", (), {"__module__": "pcap"})()
    for thing in (None, 5, fake, object()):
        with pytest.raises(ValueError, match="not a pcap object of pypcap"):
            Capture.borrow(thing)


def test_another_version_of_pypcap(frames: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version whose layout is not known is left aside, and libpcap serves."""
    pypcap = pytest.importorskip("pcap", reason="pypcap is not installed")
    monkeypatch.setattr(pypcap, "__version__", "1.4.0")
    source = open_file(str(frames), CaptureConfig())
    assert source.opener == "libpcap"
    assert _read_all(source, _meter(_ring())) == 100


def test_a_borrowed_handle_that_its_owner_closed(frames: Path) -> None:
    """The pointer is looked up again before each use."""
    pypcap = pytest.importorskip("pcap", reason="pypcap is not installed")
    handle = pypcap.pcap(str(frames))
    borrowed = Capture.borrow(handle)
    handle.close()
    with pytest.raises(ValueError, match="closed"):
        borrowed.feed(_meter(_ring()), 0, 10)
    with pytest.raises(ValueError, match="closed"):
        _ = borrowed.linktype


def test_a_closed_capture(frames: Path) -> None:
    """Whatever is asked of a closed capture is a ValueError; closing twice is fine."""
    opened = Capture.open_file(str(frames))
    opened.close()
    opened.close()
    for call in (opened.fileno, opened.position, opened.stats):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_feed_refuses_what_is_out_of_range(frames: Path) -> None:
    """Numbers are checked before they are narrowed, objects before they are used."""
    opened, meter = Capture.open_file(str(frames)), _meter(_ring())
    for interface, limit in ((-1, 1), (65536, 1), (0, -1)):
        with pytest.raises(ValueError, match="out of range"):
            opened.feed(meter, interface, limit)
    with pytest.raises(TypeError):
        opened.feed(object(), 0, 1)
    with pytest.raises(OverflowError):
        opened.feed(meter, 0, 1, 1 << 64)


def test_the_block_timeout_is_the_same_in_both(frames: Path) -> None:
    """pypcap is asked for the timeout that our C uses."""
    header = Path(__file__).parents[3] / "hdr_lite/native/capture/capture.h"
    assert f"CAPTURE_TIMEOUT_MS {capture.TIMEOUT_MS}\n" in header.read_text()
