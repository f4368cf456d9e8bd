"""Records to bytes and back; nothing that was not written is taken for a record."""

import struct
import zlib
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.spool.codec import (
    ALERT,
    MOST_BODY,
    MOST_NUMBER,
    Place,
    Record,
    decode,
    encode,
    place_of,
    places_in,
)

EPOCH = "0000a1b2c3d4e5f6"
PLACE = Place(EPOCH, 1)


def record(number: int, payload: object = None) -> Record:
    return Record(number, ALERT, 800, 1_700_000_000 * 10**9, payload)


def segment(*records: Record, epoch: str = EPOCH) -> bytes:
    return b"".join(encode(epoch, one).data for one in records)


def body(data: bytes) -> bytes:
    """A record around a body, checksums and all."""
    return header(len(data), checksum(data)) + data


def header(length: int, of_body: int = 0) -> bytes:
    """What precedes a body."""
    told = struct.pack("<II", length, of_body)
    return told + struct.pack("<I", checksum(told))


def checksum(data: bytes) -> int:
    """In that epoch."""
    return zlib.crc32(EPOCH.encode() + data)


PAYLOADS = st.recursive(
    st.none() | st.integers(-(2**63), 2**63) | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.lists(PAYLOADS, max_size=5))
def test_round_trip(payloads: list[object]) -> None:
    """What is written is read, and all of it."""
    records = [record(3 * number + 1, payload) for number, payload in enumerate(payloads)]
    data = segment(*records)
    content = decode(PLACE, data)
    assert [frame.record for frame in content.frames] == records
    assert b"".join(frame.data for frame in content.frames) == data
    assert content[1:] == (len(data), False, False)


def test_text_that_is_none() -> None:
    """A lone surrogate is escaped: whoever reads it may insist on UTF-8."""
    frame = encode(EPOCH, record(1, {"reason": "a\udcffb"}))
    assert decode(PLACE, frame.data).frames[0].record.payload == {"reason": "a\\udcffb"}


def test_every_beginning_is_torn() -> None:
    """The file as a killed writer may leave it: whole records, then a part of one."""
    records = [record(1, "x"), record(2, {"y": [1, 2]}), record(3, "z" * 300)]
    whole = segment(*records)
    ends = [len(segment(*records[:count])) for count in range(4)]
    for size in range(len(whole) + 1):
        content = decode(PLACE, whole[:size])
        count = sum(end <= size for end in ends) - 1
        assert [frame.record for frame in content.frames] == records[:count]
        assert content[1:] == (ends[count], size != ends[count], False)


def test_every_changed_byte_ends_it() -> None:
    """What precedes it is read, nothing wrong is, and it looks like no torn end: what follows one
    has never been sent, what is damaged may have been."""
    records = [record(1, "x"), record(2, "y"), record(3, "z")]
    whole = segment(*records)
    one = len(whole) // 3
    for at in range(len(whole)):
        for change in (0x41, 0x01, 0x80):
            changed = bytearray(whole)
            changed[at] ^= change
            content = decode(PLACE, bytes(changed))
            assert [frame.record for frame in content.frames] == records[: at // one]
            assert content[1:] == (one * (at // one), False, True)


@pytest.mark.parametrize(
    "hostile",
    [
        segment(record(1), epoch="0000a1b2c3d4e5f7"),  # of another epoch
        segment(record(2))[:-1] + b"\x01",
        bytes(4096),  # pages that were never written
        body(b""),
        body(msgpack.packb(7)),
        body(msgpack.packb([])),
        body(msgpack.packb([1, 1, 1, 1])),
        body(msgpack.packb([1, 1, 1, 1, None, None])),
        body(msgpack.packb([True, 1, 1, 1, None])),
        body(msgpack.packb(["1", 1, 1, 1, None])),
        body(msgpack.packb([0, 1, 1, 1, None])),
        body(msgpack.packb([-1, 1, 1, 1, None])),
        body(msgpack.packb([MOST_NUMBER + 1, 1, 1, 1, None])),
        body(msgpack.packb([1, 1, 1.5, 1, None])),
        body(b"\x95\x01\x01\x01\x01" + b"\x91" * 5000 + b"\xc0"),  # nested without end
        body(b"\x95\x01\x01\x01\x01\xdd\xff\xff\xff\xff"),  # four thousand million elements
        body(b"\x95\x01\x01\x01\x01\xc0\xc0"),  # something behind it
        body(b"\x95\x01\x01\x01\x01\xa1\xff"),  # no UTF-8
        body(b"\x95\x01\x01\x01\x01\xc1"),
        header(MOST_BODY + 1) + bytes(MOST_BODY + 1),
        header(0xFFFFFFFF),
        struct.pack("<III", 7, 0, 0),
    ],
)
def test_hostile(hostile: bytes) -> None:
    """It ends the segment, and is called damaged."""
    sound = segment(record(1, "x"))
    for before in (b"", sound):
        place = Place(EPOCH, 1)
        content = decode(place, before + hostile)
        assert len(content.frames) == (1 if before else 0)
        assert (content.end, content.damaged) == (len(before), True)


def test_numbers_rise() -> None:
    """From the segment's first on."""
    assert len(decode(Place(EPOCH, 5), segment(record(5), record(9))).frames) == 2
    assert decode(Place(EPOCH, 5), segment(record(4))).damaged
    assert decode(PLACE, segment(record(2), record(2))).damaged
    assert decode(PLACE, segment(record(2), record(1))).damaged


@given(st.binary(max_size=400))
def test_anything(data: bytes) -> None:
    """Whatever a file holds, reading it ends."""
    content = decode(PLACE, data)
    assert content.end <= len(data)


def test_too_long() -> None:
    """It is refused where it is made, not where it is read."""
    with pytest.raises(ValueError, match="too long"):
        encode(EPOCH, record(1, "x" * MOST_BODY))


def test_names() -> None:
    """They sort as they were made, and only ours are ours."""
    place = Place(EPOCH, 17)
    assert place.name == "0000a1b2c3d4e5f6-0000000000000017.seg"
    assert place_of(place.name) == place
    for name in (
        ".lock",
        f"{EPOCH}-17.seg",
        place.name + ".new",
        place.name.upper(),
        f"{EPOCH}-{0:016}.seg",
        f"{EPOCH}-{MOST_NUMBER + 1:016}.seg",
    ):
        assert place_of(name) is None


def test_listing(tmp_path: Path) -> None:
    """Files of that name alone, the oldest first."""
    places = [Place(EPOCH, 1), Place(EPOCH, 12), Place("0001" + EPOCH[4:], 1)]
    for place in reversed(places):
        (tmp_path / place.name).touch()
    (tmp_path / Place(EPOCH, 3).name).mkdir()
    (tmp_path / Place(EPOCH, 4).name).symlink_to("/dev/zero")
    (tmp_path / ".lock").touch()
    assert places_in(tmp_path) == places
