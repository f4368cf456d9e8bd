"""What a device sends is read, or refused; nothing else is raised."""

import random
import zlib

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdr_lite.collector.reading import (
    Malformed,
    TooLarge,
    clock_offset,
    expand,
    read_alert,
    read_envelope,
    read_health,
    read_report,
)
from hdr_lite.records.batch import MAX_EXPANDED, Clock
from tests.collector.payloads import START, payload

NOW = START // 1_000_000
PACKED = msgpack.packb(payload(1))


def test_alert_is_read():
    """All that is filtered by comes from the alert and its first evidence."""
    alert = read_alert(7, PACKED, 0, NOW + 5)
    assert (alert.sequence, alert.id, alert.told, alert.time) == (7, "a00000001", NOW, NOW)
    assert (alert.attacker, alert.victim, alert.port) == ("203.0.113.7", "192.0.2.5", 22)
    assert (alert.types, alert.families, alert.level) == (("VERTICAL_PORT_SCAN",), ("scan",), 3)
    assert (alert.verb, alert.score, alert.payload) == ("limit", 15.2, PACKED)


@pytest.mark.parametrize(
    ("told", "offset", "expected"),
    [
        (0, 0, 0),  # a clock that is right
        (-1000, 0, -1000),
        (50_000, 0, 0),  # not in the future
        (-30 * 86_400_000, -30 * 86_400_000, 0),  # a clock a month behind, corrected
        (-400 * 86_400_000, 0, 0),  # before it had a clock
        (3_600_000, 7_200_000, -3_600_000),
    ],
)
def test_time_by_our_clock(told: int, offset: int, expected: int):
    """A device's clock is allowed for; what cannot be is dated when it was received."""
    packed = msgpack.packb(payload(1, ts=START + told * 1_000_000))
    alert = read_alert(1, packed, offset, NOW)
    assert alert.time == NOW + expected
    assert alert.told == NOW + told


def test_clock_offset():
    """A second is nothing, an hour is."""
    assert clock_offset(None, NOW) == 0
    assert clock_offset(Clock(START + 10**9, "unknown"), NOW) == 0
    assert clock_offset(Clock(START + 3600 * 10**9, "unknown"), NOW) == 3_600_000
    assert clock_offset(Clock(0, "unknown"), NOW) == -NOW


def change(path: list[object], value: object) -> bytes:
    """The payload with one thing replaced."""
    whole = payload(1)
    at = whole
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return msgpack.packb(whole)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["alert"], None),
        (["alert", "ID"], "x\n"),
        (["alert", "ID"], ""),
        (["alert", "ID"], "x" * 65),
        (["alert", "CreateTime"], "2026-01-01T00:00:00"),
        (["alert", "CreateTime"], 5),
        (["alert", "Source"], []),
        (["alert", "Source"], [{}]),
        (["alert", "Source"], [{"IP": "<b>"}]),
        (["alert", "Source"], [{"IP": "1.2.3.4\n"}]),
        (["alert", "Confidence"], float("nan")),
        (["alert", "hdr_lite", "score"], float("inf")),
        (["alert", "hdr_lite", "type"], []),
        (["alert", "hdr_lite", "type"], ["A B"]),
        (["alert", "hdr_lite", "type"], ["A"] * 17),
        (["alert", "hdr_lite", "family"], "scan"),
        (["alert", "hdr_lite", "threat_level"], "awful"),
        (["alert", "hdr_lite", "profile"], "'"),
        (["alert", "hdr_lite", "verb"], "destroy"),
        (["alert", "hdr_lite", "count"], -1),
        (["alert", "hdr_lite", "count"], 1 << 60),
        (["evidence"], {}),
        (["evidence", 0, "Target"], [{"Port": [70000]}]),
    ],
)
def test_alert_that_is_none(path: list[object], value: object):
    """Refused with a reason."""
    with pytest.raises(Malformed):
        read_alert(1, change(path, value), 0, NOW)


def test_control_characters_go():
    """Text that people see holds none."""
    alert = read_alert(1, change(["alert", "Description"], "a\x00b\nc" + "d" * 5000), 0, NOW)
    assert alert.description.startswith("a b cddd")
    assert len(alert.description) == 2000


def test_expansion_is_bounded():
    """A bomb, a body cut short, a body with something behind it."""
    assert expand(zlib.compress(b"x" * MAX_EXPANDED)) == b"x" * MAX_EXPANDED
    with pytest.raises(TooLarge):
        expand(zlib.compress(b"x" * (MAX_EXPANDED + 1)))
    for body in (b"", b"x", zlib.compress(b"x")[:-1], zlib.compress(b"x") + b"x"):
        with pytest.raises(Malformed):
            expand(body)


def test_health_is_cut():
    """Long texts, long lists and absurd numbers become what is kept; nonsense is nothing."""
    health = {
        "version": "v" * 500,
        "uptime": 1 << 63,
        "memory": -5,
        "blind": ["b" * 1000] * 40,
        "blocks": [["a", "block", 1, "r"]] * 300,
    }
    read = read_health(msgpack.packb(health))
    assert (len(read.version), read.uptime, read.memory) == (40, (1 << 63) - 1, 0)
    assert (len(read.blind), len(read.blind[0]), len(read.blocks)) == (32, 300, 256)
    for nonsense in (b"", b"\xc0", b"\x91" * 70_000, msgpack.packb({"version": 1})):
        assert read_health(nonsense) is None


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats() | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.binary() | ANY.map(msgpack.packb))
def test_random_bodies_are_refused_or_read(data: bytes):
    """Random bytes and random msgpack: an answer, or Malformed or TooLarge."""
    for read in (lambda: read_envelope(data, 1), lambda: read_alert(1, data, 0, NOW)):
        try:
            read()
        except (Malformed, TooLarge):
            continue
    read_health(data)


def test_mutated_alerts_are_refused_or_read():
    """A good alert with bytes changed, cut and put in: an alert, or Malformed."""
    rng = random.Random(5)
    read = 0
    for _ in range(20_000):
        data = bytearray(PACKED)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(data))
            match rng.randrange(3):
                case 0:
                    data[at] = rng.randrange(256)
                case 1:
                    del data[at : at + rng.randrange(9)]
                case 2:
                    data[at:at] = rng.randbytes(rng.randrange(9))
        try:
            alert = read_alert(1, bytes(data), 0, NOW)
        except Malformed:
            continue
        read += 1
        assert read_report(alert.payload)
        msgpack.packb([getattr(alert, name) for name in alert.__struct_fields__])
    assert read > 100
