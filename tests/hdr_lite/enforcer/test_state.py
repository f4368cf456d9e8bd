"""The state file: what is written is read, and nothing else is."""

from pathlib import Path

import msgpack
import pytest

from hdr_lite.enforcer.state import KeptHold, KeptOffender, State, StateError, load, save

HOLD = KeptHold("block4", "203.0.113.5", 600, "e1", "VERTICAL_PORT_SCAN", False, 2)
OFFENDER = KeptOffender("203.0.113.5", 3, -600)


def test_round_trip(tmp_path: Path) -> None:
    """Holds and offenders come back; nothing else is left in the folder."""
    path = tmp_path / "state"
    assert load(path) == State()
    assert save(path, [HOLD], [OFFENDER]) == path.stat().st_size
    assert load(path) == State((HOLD,), (OFFENDER,))
    assert [p.name for p in tmp_path.iterdir()] == ["state"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_cut_and_every_flipped_byte(tmp_path: Path) -> None:
    """A file that is not whole gives an error, never a wrong block."""
    path = tmp_path / "state"
    save(path, [HOLD], [OFFENDER])
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(StateError):
            load(path)
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x41]) + good[place + 1 :])
        with pytest.raises(StateError):
            load(path)


@pytest.mark.parametrize(
    "content",
    [
        [],
        [[], [], []],
        [[["block4", "x", "600", "e", "c", False, 0]], []],
        [[["block4"]], []],
        [[], [[1, 2, 3]]],
        [5, []],
        {},
    ],
)
def test_wrong_content(tmp_path: Path, content: object) -> None:
    """Even a file with a right sum must hold the right types."""
    import struct
    import zlib

    body = msgpack.packb(content)
    path = tmp_path / "state"
    path.write_bytes(struct.pack(">4sHIQ", b"HDRE", 1, zlib.crc32(body), len(body)) + body)
    with pytest.raises(StateError, match="makes no sense"):
        load(path)


def test_failed_write_leaves_the_old_one(tmp_path: Path) -> None:
    """What cannot be written whole does not replace what was there."""
    path = tmp_path / "state"
    save(path, [HOLD], [])
    (tmp_path / "state.new").mkdir()
    with pytest.raises(OSError, match="state.new"):
        save(path, [], [])
    assert load(path).holds == (HOLD,)
