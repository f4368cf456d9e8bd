"""Tally: the type around core/tally.c. What is counted is tested in tests/native/test_tally.c."""

import re
from pathlib import Path

import pytest

from hdr_lite.native import Capture, Tally

ROOT = Path(__file__).parents[3]

UDP = bytes.fromhex("4500001c0001000040110000c0000201c0000202 03e8003500080000")


def test_counts() -> None:
    """Packets that Python hands over are counted like any other."""
    tally = Tally(101)
    tally.packet(len(UDP), UDP)
    tally.packet(wire_length=100, data=memoryview(UDP)[:10])
    tally.packet(1, b"\xff")
    facts = tally.facts()
    assert (facts["frames"], facts["bytes"], facts["captured"]) == (3, 129, 39)
    assert (facts["ip4"], facts["udp"], facts["udp4"]) == (2, 1, 1)
    assert tally.events() == {"ip.bad_version": 1}


def test_known() -> None:
    """A tally knows whether its link type is decoded."""
    assert Tally(1).known
    assert not Tally(220).known


@pytest.mark.parametrize("wire_length", [-1, 2**32, 3])
def test_length_out_of_range(wire_length: int) -> None:
    """A frame is at least as long as what was captured of it, and under 4 GiB."""
    with pytest.raises(ValueError, match="wire_length"):
        Tally(1).packet(wire_length, b"four")


def test_capture_wants_a_tally(tmp_path: Path) -> None:
    """What is no Tally is refused by a capture that should count into it."""
    path = tmp_path / "empty.pcap"
    path.write_bytes(bytes.fromhex("d4c3b2a1 02000400 00000000 00000000 ffff0000 01000000"))
    capture = Capture.open_file(str(path))
    with pytest.raises(TypeError, match="Tally"):
        capture.tally(object(), 1)  # type: ignore[arg-type]
    capture.close()


def test_events_are_documented() -> None:
    """Every malformed event of the decoders is explained in docs/decode.md, and no other."""
    parsers = ("stream.", "dns.", "tls.", "http.", "ssh.")
    header = (ROOT / "hdr_lite/native/core/event.h").read_text()
    names = {
        name
        for name in re.findall(r'X\(EVENT_\w+,\s*"([a-z0-9_.]+)"\)', header)
        if not name.startswith(parsers)
    }
    section = (ROOT / "docs/decode.md").read_text().split("## Named events")[1]
    table = section.split("## Agreement")[0]
    assert set(re.findall(r"`([a-z0-9_]+\.[a-z0-9_]+)`", table)) == names
