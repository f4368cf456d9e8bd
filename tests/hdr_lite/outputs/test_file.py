"""What outputs that write files have in common."""

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
