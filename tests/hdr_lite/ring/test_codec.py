"""Records to bytes and back; what is no record is refused."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.channels import CHANNELS
from hdr_lite.records.application import Arp, Dns, Http, Ssh, SshLogin, Tls
from hdr_lite.records.flow import Attempts, Clock, Conn, Fate, Flow, Probes, Stats
from hdr_lite.records.kind import Kind
from hdr_lite.ring.codec import CLASS_OF, MalformedRecord, decode, encode

CLASSES = (Conn, Fate, Flow, Attempts, Dns, Http, Tls, Ssh, SshLogin, Arp, Clock, Probes, Stats)
STATS = Stats(True, {"packets": 3}, {"ip4_short": 1}, [{"name": "lo", "packets": 3, "error": ""}])
CLOCK = Clock(1_700_000_000_000_000_000)


def records(kind: Kind) -> st.SearchStrategy:
    """Records of a kind with any field of the declared type."""
    if kind is Kind.STATS:
        counts = st.dictionaries(st.text(max_size=9), st.integers(0, 2**64 - 1))
        sources = st.lists(st.dictionaries(st.text(max_size=9), st.text() | st.none()))
        return st.builds(Stats, st.booleans(), counts, counts, sources)
    return st.builds(CLASS_OF[kind])


def has_wire_integers(record) -> bool:
    """Whether msgpack can hold every integer of the record."""

    def fits(value) -> bool:
        if isinstance(value, int):
            return -(2**63) <= value < 2**64
        return all(map(fits, value)) if isinstance(value, tuple) else True

    return all(map(fits, record))


@pytest.mark.parametrize("kind", Kind)
@given(data=st.data())
def test_what_is_encoded_comes_back(kind, data):
    """Every record that its class allows survives the ring, with its class."""
    record = data.draw(records(kind).filter(has_wire_integers))
    body = encode(record)
    again = decode(kind, body)
    assert type(again) is type(record)
    assert again == record


def test_every_kind_has_its_class():
    """Channels that carry a kind promise the class that the codec makes of it."""
    assert set(CLASS_OF) == set(Kind)
    assert set(CLASS_OF.values()) == set(CLASSES)
    for channel in CHANNELS.values():
        assert channel.kind is None or CLASS_OF[channel.kind] is channel.message


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.CLOCK, b""),
        (Kind.CLOCK, b"\xc1"),
        (Kind.CLOCK, b"\x05"),
        (Kind.CLOCK, b"\x90"),
        (Kind.CLOCK, b"\x92\x01\x02"),
        (Kind.CLOCK, b"\x91\x01\x01"),
        (Kind.CLOCK, b"\x91\xc0"),
        (Kind.CLOCK, b"\x91\xc3"),
        (Kind.CLOCK, b"\x91\xa11"),
        (Kind.CLOCK, b"\x91\xcb" + bytes(8)),
        (Kind.CLOCK, b"\x91\x91\x01"),
        (Kind.CLOCK, b"\x81\x01\x01"),
        (Kind.CLOCK, b"\xdd\xff\xff\xff\xff\x01"),
        (Kind.CLOCK, b"\x91" * 8000),
        (Kind.CLOCK, b"\x91\xd6\xff\x00\x00\x00\x00"),
        (Kind.CLOCK, b"\x91\xa2\xff\xfe"),
        (Kind.STATS, b"\x94\xc3\x81\x01\x02\x80\x90"),
        (Kind.STATS, b"\x94\xc3\x81\xa1a\xa1b\x80\x90"),
        (Kind.STATS, b"\x94\xc3\x80\x80\x91\x01"),
        (0, b"\x91\x01"),
        (31, b"\x91\x01"),
    ],
)
def test_what_is_no_record_is_refused(kind, body):
    """Wrong bytes, counts, types, nesting or kinds raise one error that names the kind."""
    name = kind.name if isinstance(kind, Kind) else f"kind {kind}"
    with pytest.raises(MalformedRecord, match=name):
        decode(kind, body)


@pytest.mark.parametrize("field", range(len(Dns._fields)))
def test_every_field_has_its_type(field):
    """A field of another type than declared, or with other elements, is refused."""
    good = Dns(1, "u", "a", 2, "b", 3, "udp", 4, "q", "A", "", 0, ("x",), (9,), *[False] * 4)
    assert decode(Kind.DNS, encode(good)) == good
    for wrong in (None, b"x", 0.5, {}, [None], 7 if good[field] != 7 and field != 0 else ""):
        if type(wrong) is type(good[field]):
            continue
        fields = list(good)
        fields[field] = wrong
        with pytest.raises(MalformedRecord, match="DNS"):
            decode(Kind.DNS, msgpack.packb(fields))


@pytest.mark.parametrize("success", [True, False, None])
def test_an_open_guess_is_a_value(success):
    """``bool | None`` accepts all three."""
    ssh = Ssh(1, "u", "a", 2, "b", 3, "tcp", 2, "", "", success, 0, 0, 0, 0, 0, 0, True)
    assert decode(Kind.SSH, encode(ssh)) == ssh


@given(st.sampled_from(Kind), st.binary(max_size=200))
def test_any_bytes_give_a_record_or_one_error(kind, body):
    """Nothing but a record of the kind or ``MalformedRecord`` comes of random bytes."""
    try:
        assert type(decode(kind, body)) is CLASS_OF[kind]
    except MalformedRecord:
        return


@pytest.mark.parametrize(("kind", "record"), [(Kind.STATS, STATS), (Kind.CLOCK, CLOCK)])
def test_records_written_in_python(kind, record):
    """What the sensor's Python writes is read as what it was."""
    assert decode(kind, encode(record)) == record
