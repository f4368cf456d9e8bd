"""The meter from Python: what it refuses, and that its records are those of hdr_lite/records."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hdr_lite.config import MeterConfig
from hdr_lite.native import Meter
from hdr_lite.records.flow import Attempts, Clock, Conn, Fate, Flow
from hdr_lite.records.kind import Kind
from hdr_lite.ring import Delivery, RingMemory, RingReader, create_ring
from hdr_lite.sensor.meter import REPLAY_SECRET, make_meter
from hdr_lite.sources.nflog import TOTALS_WITHIN
from tests.traffic import frames

ETHERNET = 1
SECOND = 10**9
START = 1_700_000_000 * SECOND
ALL = 0xFFFFFFFF
INSIDE, OUTSIDE = "10.0.0.1", "198.51.100.1"


@pytest.fixture(name="memory")
def _memory() -> Iterator[RingMemory]:
    memory = create_ring(1 << 20)
    yield memory
    memory.close()


def _frame(source: str, destination: str, segment: bytes, protocol: int) -> bytes:
    packet = frames.ip(source, destination, protocol, segment)
    return frames.ethernet("02:00:00:00:00:01", "02:00:00:00:00:02", frames.IPV4, packet)


def _syn(port: int) -> bytes:
    segment = frames.tcp((INSIDE, 40000), (OUTSIDE, port), frames.SYN, seq=100)
    return _frame(INSIDE, OUTSIDE, segment, frames.TCP)


def _reset(port: int) -> bytes:
    segment = frames.tcp((OUTSIDE, port), (INSIDE, 40000), frames.RST | frames.ACK, ack=101)
    return _frame(OUTSIDE, INSIDE, segment, frames.TCP)


def _drain(memory: RingMemory) -> list[Delivery]:
    reader = RingReader(memory)
    records: list[Delivery] = []
    while more := reader.read(1000):
        records += more
        reader.commit()
    assert reader.malformed == {}
    return records


def test_records_are_those_of_their_classes(memory: RingMemory) -> None:
    """Every field that C writes is one of the record's class, with its type and its place."""
    config = replace(MeterConfig(), fold_after=2)
    ring = RingReader(memory).ring
    meter = make_meter(ring, ALL, config, wait=True)
    for port in range(1, 9):
        assert meter.packet(ETHERNET, 0, START + port, 60, _syn(port))
        assert meter.packet(ETHERNET, 0, START + port, 60, _reset(port))
    assert meter.advance(START + 30 * SECOND)
    assert meter.advance(START + 60 * SECOND)
    assert meter.flush()
    records = _drain(memory)
    by_kind = {kind: r for _, kind, _, r in records if getattr(r, "dport", 2) in (0, 2)}
    uid = by_kind[Kind.CONN].uid
    assert by_kind[Kind.CONN] == Conn(
        START + 2, uid, INSIDE, 40000, OUTSIDE, 2, "tcp", 2,
        "02:00:00:00:00:01", "02:00:00:00:00:02", 0, 0,
    )  # fmt: skip
    assert by_kind[Kind.FATE] == Fate(
        START + 2, uid, INSIDE, 40000, OUTSIDE, 2, "tcp", 2, "refused", 20,
        "02:00:00:00:00:01", 0, 0,
    )  # fmt: skip
    assert by_kind[Kind.FLOW] == Flow(
        START + 2, uid, INSIDE, 40000, OUTSIDE, 2, "tcp", "", 0, 0, 0, "REJ", "Sr", 1, 1, 40, 40,
        "02:00:00:00:00:01", "02:00:00:00:00:01", 0, 0, "end", False,
    )  # fmt: skip
    assert by_kind[Kind.ATTEMPTS] == Attempts(
        START + 3, START + 8, "source", INSIDE, OUTSIDE, 0, "tcp", 2, 6, 6, 0, 1, 6,
        "02:00:00:00:00:01", 0,
    )  # fmt: skip
    assert by_kind[Kind.CLOCK] == Clock(START + 60 * SECOND)
    assert [kind for _, kind, _, _ in records].count(Kind.FOLDED_FLOW) == 6


def test_time_of_records_never_goes_back(memory: RingMemory) -> None:
    """The time beside a record is the clock's, whatever order packets come in."""
    meter = make_meter(RingReader(memory).ring, ALL, MeterConfig(), wait=True)
    for port in range(1, 50):
        meter.packet(ETHERNET, 0, START + (port * 7919 % 50) * SECOND, 60, _syn(port))
    meter.flush()
    times = [time for _, _, time, _ in _drain(memory)]
    assert times == sorted(times)
    assert meter.now == START + 49 * SECOND


def test_a_waiting_meter_loses_nothing(memory: RingMemory) -> None:
    """When the ring is full it says so; what is fed again after a drain is told in full."""
    config = replace(MeterConfig(), flows=64)
    meter = make_meter(RingReader(memory).ring, ALL, config, wait=True)
    records: list[Delivery] = []
    refused = 0
    for number in range(20000):
        frame = _frame(
            f"10.1.{number >> 8}.{number & 255}", OUTSIDE,
            frames.udp((f"10.1.{number >> 8}.{number & 255}", 5000), (OUTSIDE, 9999), b"x"),
            frames.UDP,
        )  # fmt: skip
        while not meter.packet(ETHERNET, 0, START + number, 60, frame):
            refused += 1
            records += _drain(memory)
    while not meter.flush():
        records += _drain(memory)
    records += _drain(memory)
    assert refused > 0
    flows = [r for _, kind, _, r in records if kind in (Kind.FLOW, Kind.FOLDED_FLOW)]
    assert len(flows) == meter.counters()["flows"] == 20000
    assert meter.counters()["dropped.FLOW"] == 0


def test_a_live_meter_drops_and_counts(memory: RingMemory) -> None:
    """Live, a full ring costs records, which are counted by kind; packets are never refused."""
    ring = RingReader(memory).ring
    meter = make_meter(ring, ALL, replace(MeterConfig(), flows=64), wait=False)
    for number in range(20000):
        source = f"10.1.{number >> 8}.{number & 255}"
        datagram = frames.udp((source, 5000), (OUTSIDE, 9999), b"x")
        assert meter.packet(
            ETHERNET, 0, START + number, 60, _frame(source, OUTSIDE, datagram, frames.UDP)
        )
    counters = meter.counters()
    assert counters["dropped.FOLDED_FLOW"] > 0
    assert ring.dropped[Kind.FOLDED_FLOW] == counters["dropped.FOLDED_FLOW"]
    assert counters["evicted_flows"] == 20000 - 64
    assert meter.flows == 64


def test_memory_is_as_configured(memory: RingMemory) -> None:
    """The defaults leave most of the 48 MB to others, and more flows cost more."""
    ring = RingReader(memory).ring
    small = make_meter(ring, ALL, MeterConfig(), wait=True)
    large = make_meter(ring, ALL, replace(MeterConfig(), flows=65536), wait=True)
    assert small.memory < 14 * 1024 * 1024
    assert large.memory > small.memory + 3 * 16384 * 256


def test_replay_has_one_secret(memory: RingMemory) -> None:
    """The same packets have the same ids in every replay, and others live."""

    def uid(wait: bool) -> str:
        meter = make_meter(RingReader(memory).ring, ALL, MeterConfig(), wait=wait)
        meter.packet(ETHERNET, 0, START, 60, _syn(80))
        (record,) = (r for _, kind, _, r in _drain(memory) if kind == Kind.CONN)
        return str(record.uid)

    assert uid(wait=True) == uid(wait=True)
    assert uid(wait=True) != uid(wait=False)
    assert len(REPLAY_SECRET) == 16


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"secret": b"short"}, "16 bytes"),
        ({"flows": 0}, "between 1 and"),
        ({"flows": 2**40}, "between 1 and"),
        ({"tcp_idle": 2**63}, "nanoseconds"),
    ],
)
def test_settings_are_checked(memory: RingMemory, changed: dict[str, object], message: str) -> None:
    """A size or time that makes no sense is a ValueError, not a crash."""
    settings: dict[str, object] = {
        "wanted": ALL, "wait": True, "secret": bytes(16), "flows": 64, "applications": 16,
        "sources": 64, "attempt_timeout": 1, "tcp_idle": 1, "udp_idle": 1, "icmp_idle": 1,
        "closed_linger": 1, "active_timeout": 1, "fold_after": 1, "fold_interval": 1,
        "first_packets": 0,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        Meter(RingReader(memory).ring, **{**settings, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(("first_packets", "seconds"), [(0, 0.5), (8, TOTALS_WITHIN)])
def test_closed_flows_wait_for_their_totals(
    memory: RingMemory, first_packets: int, seconds: float
) -> None:
    """Of first packets alone they are not told, however short the setting is."""
    config = replace(MeterConfig(), closed_linger=0.5)
    ring = RingReader(memory).ring
    meter = make_meter(ring, ALL, config, wait=False, first_packets=first_packets)
    for frame in (_syn(80), _reset(80)):
        assert meter.packet(ETHERNET, 0, START, 60, frame)
    for part, flows in ((0.95, 1), (1.1, 0)):
        assert meter.advance(START + round(part * seconds * SECOND))
        assert meter.flows == flows


def test_a_ring_is_needed() -> None:
    """What is no Ring is refused by its type."""
    with pytest.raises(TypeError, match="a Ring is needed"):
        make_meter("ring", ALL, MeterConfig(), wait=True)  # type: ignore[arg-type]


def test_packets_are_checked(memory: RingMemory) -> None:
    """Numbers that do not fit are errors; a frame of any bytes is not."""
    meter = make_meter(RingReader(memory).ring, ALL, MeterConfig(), wait=True)
    with pytest.raises(ValueError, match="interface"):
        meter.packet(ETHERNET, 70000, START, 60, b"")
    with pytest.raises(OverflowError):
        meter.packet(ETHERNET, 0, -1, 60, b"")
    assert meter.packet(ETHERNET, 0, START, 60, b"")
    assert meter.packet(ETHERNET, 0, START, 60, _syn(80)[:30])
    assert meter.counters()["other_packets"] == 2
    assert set(meter.events().values()) <= {1}
