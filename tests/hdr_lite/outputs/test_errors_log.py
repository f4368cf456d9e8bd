"""errors.log."""

from pathlib import Path

from hdr_lite.outputs.errors_log import ErrorsLog
from tests.hdr_lite.outputs.samples import MOMENT


def test_a_line_at_once(tmp_path: Path) -> None:
    """An error is one line, with its time if there was any, and is there without a flush."""
    output = ErrorsLog(str(tmp_path))
    output.open()
    output.error(0, "arp: broken\nvery")
    output.error(MOMENT, "arp: again")
    text = (tmp_path / "errors.log").read_text()
    assert text == "- arp: broken\\nvery\n2022/06/02-16:51:57 arp: again\n"
    output.close()
