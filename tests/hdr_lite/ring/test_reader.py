"""The reading end: batches, their borders, sleep, and distrust."""

import os
import select
import threading

import msgpack
import pytest

from hdr_lite.records.application import Dns
from hdr_lite.records.flow import Clock, Flow, Stats
from hdr_lite.records.kind import Kind
from hdr_lite.ring import RingReader, RingWriter, create_ring

FINAL = Stats(True, {"packets": 9}, {}, [])
MIB = 1 << 20


@pytest.fixture
def memory():
    """A ring of the least size."""
    ring = create_ring(1 << 18)
    yield ring
    ring.close()


@pytest.fixture
def writer(memory):
    """Its writing end."""
    return RingWriter(memory)


def put(writer, ts, kind=Kind.CLOCK):
    """A clock record, or a DNS record of some kB."""
    if kind is Kind.CLOCK:
        return writer.put_record(kind, ts, Clock(ts))
    answers = ("a" * 100,) * (ts % 40)
    record = Dns(ts, "u", "", 0, "", 0, "udp", 0, "", "", "", 0, answers, (), *[False] * 4)
    return writer.put_record(kind, ts, record)


def numbers(batch):
    """The numbers of what was read."""
    return [number for number, *_ in batch]


def test_records_come_with_number_kind_and_time(memory, writer):
    """A delivery is number, kind, traffic time and the typed record."""
    put(writer, 5)
    put(writer, 6, Kind.DNS)
    first, second = RingReader(memory).read(10)
    assert first == (1, Kind.CLOCK, 5, Clock(5))
    assert second[:3] == (2, Kind.DNS, 6)
    assert (type(second[1]), type(second[3]), second[3].ts) == (Kind, Dns, 6)


def test_unwanted_kinds_are_passed_over_but_clock_and_stats_come(memory, writer):
    """The engine always learns of time and of the end; else what it asked for."""
    put(writer, 1)
    put(writer, 2, Kind.DNS)
    writer.put_record(Kind.STATS, 3, FINAL)
    assert numbers(RingReader(memory, [Kind.FLOW]).read(10)) == [1, 3]
    assert numbers(RingReader(memory, [Kind.DNS]).read(10)) == [1, 2, 3]


def test_what_was_not_committed_comes_again(memory, writer):
    """The next reader starts after the last commit, under the same numbers."""
    for ts in range(9):
        put(writer, ts)
    reader = RingReader(memory)
    assert numbers(reader.read(3)) == [1, 2, 3]
    reader.commit()
    assert numbers(reader.read(3)) == [4, 5, 6]
    assert numbers(RingReader(memory).read(2)) == [4, 5]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.FLOW, msgpack.packb([1, 2, 3])),
        (Kind.FLOW, b"\xc1"),
        (Kind.DNS, msgpack.packb([None] * len(Dns._fields))),
        (Kind.STATS, msgpack.packb([True, {}, {}, [], 0])),
    ],
)
def test_what_is_no_record_is_counted_and_skipped(memory, writer, kind, body):
    """A broken record harms no other; its kind is named."""
    put(writer, 1)
    writer.put(kind, 2, body)
    put(writer, 3)
    reader = RingReader(memory)
    assert numbers(reader.read(10)) == [1, 3]
    assert reader.malformed == {kind.name: 1}
    assert not reader.ended


def test_kinds_that_nobody_knows_are_passed_over(memory, writer):
    """A newer sensor may tell more than this reader knows."""
    writer.ring.put(31, 0, b"\x90")
    put(writer, 1)
    assert numbers(RingReader(memory).read(10)) == [2]


def test_nonsense_does_not_fill_the_ring(memory, writer):
    """What holds nothing for the engine is given back without a commit of its own."""
    reader = RingReader(memory, [Kind.FLOW])
    for kind in (31, Kind.DNS, Kind.FLOW):
        for _ in range(3):
            writer.ring.put(kind, 0, bytes(8192))
        while reader.ring.pending():
            assert reader.read(2) == []
    assert (reader.ring.used, reader.malformed) == (0, {"FLOW": 3})
    put(writer, 1)
    assert len(reader.read(1)) == 1
    assert reader.read(1) == []
    assert reader.ring.used > 0  # what was delivered is the caller's to commit


def test_the_final_stats_end_the_input(memory, writer):
    """Only STATS with ``final`` ends it."""
    reader = RingReader(memory)
    writer.put_record(Kind.STATS, 1, FINAL._replace(final=False))
    reader.read(1)
    assert not reader.ended
    writer.put_record(Kind.STATS, 1, FINAL)
    assert reader.read(1)[0][3] == FINAL
    assert reader.ended
    assert reader.read_exact(5) == []


def test_a_corrupt_ring_is_an_error(memory, writer):
    """What lies before the damage is delivered, then reading fails for good."""
    reader = RingReader(memory)
    put(writer, 1)
    put(writer, 2)
    os.pwrite(memory.memory, b"\xff", 4096 + 32 + 8)  # the second record's number
    assert numbers(reader.read(10)) == [1]
    for _ in range(2):
        with pytest.raises(ValueError, match="corrupt"):
            reader.read(10)
    with pytest.raises(ValueError, match="corrupt"):
        RingReader(memory)


def test_an_armed_reader_is_woken(memory, writer):
    """arm() asks for the wake-up, unless there is something to read; fileno() polls."""
    reader = RingReader(memory)
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    assert reader.arm()
    assert not poll.poll(0)
    put(writer, 1)
    writer.notify()
    assert poll.poll(0)
    assert not reader.arm()
    assert not poll.poll(0)
    reader.read(1)
    assert reader.arm()


def test_a_new_reader_wakes_the_writer(memory):
    """The one before may have died between its commit and the wake-up."""
    RingReader(memory)
    assert os.eventfd_read(memory.room) == 1


def test_commit_wakes_a_waiting_writer_when_a_burst_fits(memory, writer):
    """Not sooner: it would look, and sleep again."""
    reader = RingReader(memory)
    os.eventfd_read(memory.room)
    while writer.put(Kind.FLOW, 0, bytes(8192)):
        pass
    writer.ring.announce_sleep(True)
    while not writer.ready:
        with pytest.raises(BlockingIOError):
            os.eventfd_read(memory.room)
        assert len(reader.ring.read(1, 1 << Kind.FLOW)) == 1
        reader.commit()
    assert os.eventfd_read(memory.room) == 1


def test_one_read_holds_an_eighth_of_the_ring(memory, writer):
    """However long the records are, the writer is left room to go on."""
    for ts in range(39, 39 + 400, 40):
        assert put(writer, ts, Kind.DNS)
    reader = RingReader(memory)
    eighth = reader.ring.capacity // 8
    assert numbers(reader.read(1000)) == list(range(1, 10))
    assert eighth <= reader.ring.held < eighth + 8192
    assert reader.read(1000) == []  # until it commits
    reader.commit()
    assert numbers(reader.read(1000)) == [10]


def replay(capacity, wanted, pauses, limit):
    """Batches of a replay through a ring, whose writer pauses now and then."""
    memory = create_ring(capacity)
    writer, reader = RingWriter(memory), RingReader(memory, wanted)

    def write():
        for ts in range(3000):
            while not writer.ready:
                writer.wait_for_room()
            put(writer, ts, Kind.DNS if ts % 3 else Kind.CLOCK)
            if ts % 100 in pauses:
                writer.notify()
        writer.put_record(Kind.STATS, 0, FINAL)
        writer.notify()

    thread = threading.Thread(target=write)
    thread.start()
    batches = []
    while not reader.ended:
        batches.append(numbers(reader.read_exact(limit)))
        reader.commit()
    thread.join()
    assert sum(writer.ring.dropped) == 0
    memory.close()
    return batches


@pytest.mark.parametrize("wanted", [[Kind.DNS], []])
def test_replay_has_the_same_borders_every_time(wanted):
    """Batches depend on what is written, not on when it comes or who is faster."""
    runs = [replay(1 << 18, wanted, pauses, 100) for pauses in ({0}, range(100), {7, 50, 51})]
    assert runs[0] == runs[1] == runs[2]
    assert sum(runs[0], []) == [n for n in range(1, 3002) if wanted or n % 3 == 1]
    assert max(map(len, runs[0])) <= 100
    assert len(runs[0]) > 30


def test_full_batches_have_the_limit():
    """Where records are short enough, a batch is as long as was asked for."""
    assert set(map(len, replay(8 * MIB, [], {0}, 100)[:-1])) == {100}


def test_a_replay_that_loses_its_writer_ends(memory, writer):
    """``gone`` is asked when ``watch`` tells; what the writer left is still delivered."""
    reader = RingReader(memory)
    watch = os.eventfd(0, os.EFD_NONBLOCK)
    told = []

    def gone():
        told.append(os.eventfd_read(watch))
        put(writer, 2)  # its last words, between our look and its end
        return told[-1] == 2

    put(writer, 1)
    os.eventfd_write(watch, 2)
    assert numbers(reader.read_exact(10, watch, gone)) == [1, 2]
    assert told == [2]
    assert not reader.ended
    os.close(watch)


def test_a_word_that_is_not_the_end_keeps_it_waiting(memory, writer):
    """The descriptor may tell other things: the batch is still filled."""
    reader = RingReader(memory)
    watch = os.eventfd(0, os.EFD_NONBLOCK)
    os.eventfd_write(watch, 1)

    def gone():
        os.eventfd_read(watch)
        for ts in (1, 2):
            put(writer, ts)
        writer.notify()
        return False

    assert numbers(reader.read_exact(2, watch, gone)) == [1, 2]
    os.close(watch)


def test_flows_come_as_flows(memory, writer):
    """Folded flows are flows too."""
    flow = Flow(
        *(1, "u", "10.0.0.1", 1, "10.0.0.2", 2, "tcp", "", 0, 0, 0, "S0", "S", 1, 0, 40, 0),
        *("", "", 0, 0, "idle", False),
    )
    for kind in (Kind.FLOW, Kind.FOLDED_FLOW):
        writer.put_record(kind, 1, flow)
    assert [record for *_, record in RingReader(memory).read(2)] == [flow, flow]
