"""What outputs that write files have in common."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hdr_lite.outputs.file import FileOutput, SilentOutput
from tests.hdr_lite.outputs.samples import ALERT, EVIDENCE


class Lines(FileOutput):
    """A file of its own."""

    file_name = "lines.txt"


def test_written_when_flushed(tmp_path: Path) -> None:
    """Text is in the file after a flush; a second flush writes nothing."""
    lines = Lines(str(tmp_path))
    lines.open()
    lines.write("a\n")
    lines.flush()
    lines.flush()
    assert (tmp_path / "lines.txt").read_text() == "a\n"
    lines.write("b\n")
    lines.close()
    assert (tmp_path / "lines.txt").read_text() == "a\nb\n"


def test_a_run_starts_its_files_anew(tmp_path: Path) -> None:
    """What an earlier run left is gone once the file is opened."""
    (tmp_path / "lines.txt").write_text("old")
    lines = Lines(str(tmp_path))
    lines.open()
    lines.close()
    assert (tmp_path / "lines.txt").read_bytes() == b""


def test_unwritable_directory(tmp_path: Path) -> None:
    """A directory that is not there is an OSError that names the file."""
    lines = Lines(str(tmp_path / "absent"))
    with pytest.raises(OSError, match=r"lines\.txt"):
        lines.open()
    lines.write("nowhere")
    lines.flush()
    lines.close()


@pytest.fixture(name="small")
def _small(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Leaves so many bytes of the disk free."""
    room, write = 0, os.write

    def limited(descriptor: int, data: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(descriptor, data[:room])
        room -= done
        return done

    def leave(size: int) -> None:
        nonlocal room
        room = size

    monkeypatch.setattr(os, "write", limited)
    return leave


@pytest.mark.parametrize("append", [False, True])
def test_disk_that_becomes_full(tmp_path: Path, small: Callable[[int], None], append: bool) -> None:
    """No half line is left; what waited is written once there is room, in order, none twice."""
    lines = Lines(str(tmp_path), append=append)
    lines.open()
    lines.write("first\nsecond\n")
    small(9)
    with pytest.raises(OSError, match="No space left"):
        lines.flush()
    assert lines.path.read_text() == "first\n"
    lines.write("third\n")
    with pytest.raises(OSError, match="No space left"):
        lines.flush()
    small(100)
    lines.flush()
    assert lines.path.read_text() == "first\nsecond\nthird\n"
    assert lines.lost == 0
    lines.close()


def test_what_waits_is_bounded(tmp_path: Path, small: Callable[[int], None]) -> None:
    """Past a limit lines are counted and lost; the ones before are written."""
    lines = Lines(str(tmp_path))
    lines.open()
    line = "x" * 99 + "\n"
    for _ in range(1000):
        lines.write(line)
        with pytest.raises(OSError, match="No space left"):
            lines.flush()
    small(100_000)
    lines.close()
    written = lines.path.read_text().count("\n")
    assert 300 < written < 340
    assert lines.lost == 1000 - written


@pytest.mark.parametrize("left", ["a\nb\n", "a\nb\nhalf", "a\nb\n" + "x" * 100_000])
def test_half_a_line(tmp_path: Path, left: str) -> None:
    """What a process that was killed left of a line is gone, and only that."""
    path = tmp_path / "lines.txt"
    path.write_text(left)
    lines = Lines(str(tmp_path), append=True)
    lines.open()
    lines.write("c\n")
    lines.close()
    assert path.read_text() == "a\nb\nc\n"
    path.write_text("half")
    lines.open()
    lines.close()
    assert path.read_text() == ""


class KeptLines(Lines):
    """Its lines outlive a kill."""

    kept = True


@pytest.mark.parametrize("there", ["", "b", "b\nc", "b\nc\n"])
def test_redone(tmp_path: Path, there: str) -> None:
    """Of what was about to be written, what is missing is; whatever had been."""
    assert Lines(str(tmp_path)).intent() == (0, b"")
    lines = KeptLines(str(tmp_path), append=True)
    lines.open()
    lines.write("a\n")
    lines.flush()
    assert lines.intent() == (0, b"")
    lines.write("b\nc\n")
    position, data = lines.intent()
    assert (position, data) == (2, b"b\nc\n")
    lines.path.write_text("a\n" + there)
    after = KeptLines(str(tmp_path), append=True)
    after.open()
    after.redo(position, data)
    after.close()
    assert lines.path.read_text() == "a\nb\nc\n"


def test_rotated_meanwhile(tmp_path: Path) -> None:
    """A file that is shorter than it was has been rotated: all is written."""
    lines = KeptLines(str(tmp_path), append=True)
    lines.open()
    lines.redo(100, b"b\n")
    lines.close()
    assert lines.path.read_text() == "b\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk(tmp_path: Path) -> None:
    """A full disk is an OSError at the flush."""
    (tmp_path / "lines.txt").symlink_to("/dev/full")
    lines = Lines(str(tmp_path))
    lines.open()
    lines.write("a")
    with pytest.raises(OSError, match="No space left"):
        lines.flush()
    with pytest.raises(OSError, match="No space left"):
        lines.close()


def test_no_unicode(tmp_path: Path) -> None:
    """Text that cannot be encoded appears as an escape."""
    lines = Lines(str(tmp_path))
    lines.open()
    lines.write("\ud800\n")
    lines.close()
    assert (tmp_path / "lines.txt").read_text() == "\\ud800\n"


def test_silent_output_takes_everything() -> None:
    """An output that overrides nothing can be told everything."""
    silent = SilentOutput()
    silent.open()
    silent.evidence(EVIDENCE)
    silent.evidence_final(EVIDENCE)
    silent.alert(ALERT)
    silent.error(0, "x")
    silent.log(0, "m", "x")
    silent.summary({})
    silent.flush()
    silent.close()
    assert not silent.wants_flows


def test_a_service_goes_on_with_its_files(tmp_path: Path) -> None:
    """What a process that died had written stays; the next one writes behind it."""
    for text in ("first\n", "second\n"):
        output = Lines(str(tmp_path), append=True)
        output.open()
        output.write(text)
        output.close()
    assert output.path.read_text() == "first\nsecond\n"
