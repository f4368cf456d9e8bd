"""What was acknowledged, in a file that another process reads."""

import os
from pathlib import Path

import pytest

from hdr_lite.spool.cursor import Cursor, load_cursor, save_cursor

EPOCH = "0000a1b2c3d4e5f6"


def test_round_trip(tmp_path: Path) -> None:
    """The last one saved, readable for the group and nobody else."""
    path = tmp_path / "cursor"
    for cursor in (Cursor(EPOCH, 1), Cursor(EPOCH, (1 << 53) - 1)):
        save_cursor(path, cursor)
        assert load_cursor(path) == cursor
    assert path.stat().st_mode & 0o037 == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["cursor"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"0000a1b2c3d4e5f6 5",  # half written
        b"0000a1b2c3d4e5f6 0\n",
        b"0000A1B2C3D4E5F6 5\n",
        b"0000a1b2c3d4e5f6 9007199254740992\n",
        b"0000a1b2c3d4e5f6 -5\n",
        b"0000a1b2c3d4e5f6 5\n\n",
        "0000a1b2c3d4e5f6 ٥\n".encode(),
        bytes(100_000),
    ],
)
def test_hostile(tmp_path: Path, text: bytes) -> None:
    """What makes no sense is none."""
    path = tmp_path / "cursor"
    path.write_bytes(text)
    assert load_cursor(path) is None


def test_no_file(tmp_path: Path) -> None:
    """Neither a link, nor a directory, nor a pipe that nobody writes to."""
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    for name in ("absent", "link", ".", "pipe"):
        assert load_cursor(tmp_path / name) is None


def test_that_cannot_be_saved(tmp_path: Path) -> None:
    """The old one stays."""
    path = tmp_path / "cursor"
    save_cursor(path, Cursor(EPOCH, 7))
    (tmp_path / "cursor.new").mkdir()
    with pytest.raises(OSError, match="directory"):
        save_cursor(path, Cursor(EPOCH, 8))
    assert load_cursor(path) == Cursor(EPOCH, 7)
