"""hdr-lite.log."""

from pathlib import Path

from hdr_lite.outputs.main_log import MainLog
from tests.hdr_lite.outputs.samples import MOMENT


def test_lines(tmp_path: Path) -> None:
    """Each line of a text is a line with time and name; errors are there, too."""
    output = MainLog(str(tmp_path))
    output.open()
    output.log(MOMENT, "arp", "one\ntwo\x1b[2J")
    output.log(0, "engine", "")
    output.error(MOMENT, "arp: gone")
    output.close()
    assert (tmp_path / "hdr-lite.log").read_text().splitlines() == [
        "2022/06/02-16:51:57 [arp] one",
        "2022/06/02-16:51:57 [arp] two\\x1b[2J",
        "- [engine] ",
        "2022/06/02-16:51:57 [error] arp: gone",
    ]
