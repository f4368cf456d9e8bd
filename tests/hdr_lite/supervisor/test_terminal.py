"""What is drawn while a run goes on."""

import io
import os
from typing import Any

from hdr_lite.link.codec import Progress
from hdr_lite.supervisor.terminal import Terminal


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def _terminal(err: io.StringIO, **options: Any) -> tuple[io.StringIO, Terminal]:
    out = io.StringIO()
    times = iter((0.0, 2.0, 3.0))
    return out, Terminal(out, err, now=lambda: next(times), **options)


def test_progress_on_a_terminal() -> None:
    """Packets, rate since the last report, share of the file, drops."""
    err = _Tty()
    _, terminal = _terminal(err, size=1000)
    terminal.progress(Progress(2000, 9, 500, 0))
    terminal.progress(Progress(5000, 9, 1000, 7))
    first, second = err.getvalue().split("\r\x1b[K")[1:]
    assert first == "2,000 packets  1,000/s  50 %"
    assert second == "5,000 packets  3,000/s  100 %  7 dropped"


def test_lines_clear_the_progress() -> None:
    """An alert goes to standard output on a line of its own, a notice to standard error."""
    err = _Tty()
    out, terminal = _terminal(err, label="hdr-lite[x]")
    terminal.progress(Progress(1, 1, 0, 0))
    terminal.alert("an alert")
    terminal.notice("a notice")
    assert out.getvalue() == "an alert\n"
    assert err.getvalue().endswith("/s\r\x1b[Khdr-lite[x]: a notice\n")
    terminal.finish()
    assert err.getvalue().endswith("a notice\n")


def test_nothing_is_drawn_elsewhere() -> None:
    """In a log file there is no progress; without alerts, standard output stays the program's."""
    err = io.StringIO()
    out, terminal = _terminal(err, alerts=False)
    terminal.progress(Progress(1, 1, 0, 0))
    terminal.alert("an alert")
    assert (out.getvalue(), err.getvalue()) == ("", "")


def test_a_reader_that_left() -> None:
    """When nobody reads standard output any more the run goes on without showing alerts."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as out:  # noqa: PTH123 - a descriptor has no path
        terminal = Terminal(out, io.StringIO())
        terminal.alert("one")
        terminal.alert("two")
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)


def test_a_full_disk() -> None:
    """Alerts that cannot be shown are said to be so, once, and end nothing."""
    err = io.StringIO()
    with open("/dev/full", "w") as out:  # noqa: PTH123 - as a shell would
        terminal = Terminal(out, err)
        terminal.alert("one")
        terminal.alert("two")
        assert err.getvalue() == (
            "hdr-lite: alerts are not shown any more: No space left on device\n"
        )
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def test_standard_error_that_fails() -> None:
    """Notices and progress that nobody can read end nothing; alerts go on."""

    class Broken(_Tty):
        def flush(self) -> None:
            raise BrokenPipeError

    out, terminal = _terminal(Broken())
    terminal.progress(Progress(1, 1, 0, 0))
    terminal.notice("one")
    terminal.alert("an alert")
    terminal.finish()
    assert out.getvalue() == "an alert\n"


def test_a_notice_is_one_line() -> None:
    """Whatever a module says, the terminal is not steered by it."""
    err = io.StringIO()
    _, terminal = _terminal(err)
    terminal.notice("m: \x1b[31mred\nline")
    assert err.getvalue() == "hdr-lite: m: \\x1b[31mred\\nline\n"
