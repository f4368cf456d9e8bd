"""The writing end: puts, wakes, waits for room."""

import os
import threading
import time

import pytest

from hdr_lite.native import Ring
from hdr_lite.records.flow import Clock
from hdr_lite.records.kind import Kind
from hdr_lite.ring import RingReader, RingWriter, create_ring
from hdr_lite.ring.codec import encode

LONG = bytes(8192)


@pytest.fixture
def memory():
    """A ring of the least size."""
    ring = create_ring(1 << 18)
    yield ring
    ring.close()


@pytest.fixture
def writer(memory):
    """Its writing end, the wake-up of its start taken."""
    end = RingWriter(memory)
    assert os.eventfd_read(memory.data) == 1
    return end


def woken(eventfd):
    """Whether a wake-up lies there; takes it."""
    try:
        return os.eventfd_read(eventfd) > 0
    except BlockingIOError:
        return False


def fill(writer):
    """Put until no burst fits."""
    while writer.ready:
        assert writer.put(Kind.FLOW, 0, LONG)


def test_a_new_writer_wakes_the_reader(memory):
    """The one before may have died between its record and the wake-up."""
    RingWriter(memory)
    assert woken(memory.data)


def test_records_are_put_packed_or_not(memory, writer):
    """Both forms come out as the same record, under numbers that go on."""
    assert writer.put(Kind.CLOCK, 7, encode(Clock(7)))
    assert writer.put_record(Kind.CLOCK, 8, Clock(8))
    expected = [(1, Kind.CLOCK, 7, Clock(7)), (2, Kind.CLOCK, 8, Clock(8))]
    assert RingReader(memory).read(9) == expected
    assert RingWriter(memory).ring.number == 3


def test_the_longest_record_is_kept_and_a_longer_one_refused(writer):
    """A record that never fits is the caller's error, not a drop."""
    assert writer.put(Kind.FLOW, 0, LONG)
    for kind, time_, body, error in (
        (Kind.FLOW, 0, LONG + b"x", ValueError),
        (0, 0, b"", ValueError),
        (32, 0, b"", ValueError),
        (1, -1, b"", OverflowError),
        (1, 2**64, b"", OverflowError),
        (1, 0, "text", TypeError),
    ):
        with pytest.raises(error):
            writer.put(kind, time_, body)
    assert sum(writer.ring.dropped) == 0
    with pytest.raises(TypeError, match="kind, time and body"):
        writer.ring.put(1, 2)
    assert writer.ring.number == 2


def test_what_finds_no_room_is_counted_by_kind(writer):
    """A full ring drops the newest, and says how many of which kind."""
    while writer.put(Kind.FLOW, 0, LONG):
        assert writer.ring.number < 100
    assert not writer.put(Kind.FLOW, 0, LONG)
    assert not writer.put(Kind.DNS, 0, LONG)
    assert (writer.ring.dropped[Kind.FLOW], writer.ring.dropped[Kind.DNS]) == (2, 1)
    assert not writer.ready


def test_only_a_sleeping_reader_is_woken_and_once(memory, writer):
    """A wake-up costs a system call: none is made for a reader that is awake."""
    reader = RingReader(memory)
    writer.put_record(Kind.CLOCK, 1, Clock(1))
    writer.notify()
    assert not woken(memory.data)
    reader.read(1)
    assert reader.arm()
    writer.put_record(Kind.CLOCK, 1, Clock(1))
    writer.notify()
    writer.notify()
    assert os.eventfd_read(memory.data) == 1


def test_waiting_ends_when_a_burst_fits(memory, writer):
    """A writer that waits wakes the reader first, and is woken by its commit."""
    reader = RingReader(memory)
    fill(writer)
    assert reader.ring.pending()
    reader.ring.announce_sleep(False)
    done = []
    thread = threading.Thread(target=lambda: done.append(writer.wait_for_room(30)))
    thread.start()
    deadline = time.monotonic() + 30
    while not woken(memory.data):
        assert time.monotonic() < deadline
    while reader.ring.read(8, 1 << Kind.FLOW):
        assert not done or writer.ready
        reader.commit()
    thread.join(30)
    assert done == [True]


def test_waiting_ends_in_time_or_at_once(writer):
    """No room: False after the timeout. Room: True without any sleep."""
    began = time.monotonic()
    assert writer.wait_for_room(30)
    fill(writer)
    assert not writer.wait_for_room(0.05)
    assert 0.05 <= time.monotonic() - began < 30


def test_old_wake_ups_do_not_end_a_wait(memory, writer):
    """A wake-up that is not for room, as a new reader gives, does not end the wait."""
    fill(writer)
    os.eventfd_write(memory.room, 1)
    threading.Timer(0.01, RingReader, [memory]).start()
    began = time.monotonic()
    assert not writer.wait_for_room(0.05)
    assert time.monotonic() - began >= 0.05


def test_a_corrupt_ring_is_refused(memory, writer):
    """The next writer does not go on from nonsense."""
    writer.put(Kind.FLOW, 0, LONG)
    os.pwrite(memory.memory, b"\xff\xff\xff\xff", 4096)
    with pytest.raises(ValueError, match="corrupt"):
        RingWriter(memory)
    Ring(memory.memory, format=True)
    RingWriter(memory)
