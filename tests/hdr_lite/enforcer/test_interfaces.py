"""Who may block on an interface."""

import os
from pathlib import Path

import pytest

from hdr_lite.config import UserError
from hdr_lite.enforcer.interfaces import Interfaces, open_files


def test_one_at_a_time(tmp_path: Path) -> None:
    """The second is refused, by name, and keeps nothing; what is given back can be had."""
    first = Interfaces(open_files(tmp_path, ("br-lan",)), "hdr-lite[a] (process 1)")
    second = Interfaces(open_files(tmp_path, ("wan", "br-lan")), "hdr-lite[b] (process 2)")
    third = Interfaces(open_files(tmp_path, ("wan",)), "hdr-lite[c] (process 3)")
    first.take()
    first.take()
    with pytest.raises(UserError, match=r"hdr-lite\[a\] \(process 1\) blocks on br-lan already"):
        second.take()
    third.take()
    third.give_back()
    first.give_back()
    second.take()
    with pytest.raises(UserError, match=r"hdr-lite\[b\]"):
        third.take()


def test_it_outlives_who_was_handed_it(tmp_path: Path) -> None:
    """The right is the file's: a process that dies does not lose it for the service."""
    files = open_files(tmp_path, ("lan0",))
    if (child := os.fork()) == 0:
        Interfaces(files, "the first").take()
        os._exit(0)
    os.waitpid(child, 0)
    other = Interfaces(open_files(tmp_path, ("lan0",)), "the second")
    with pytest.raises(UserError, match="the first blocks on lan0"):
        other.take()
    for descriptor in files.values():
        os.close(descriptor)
    other.take()


def test_no_folder(tmp_path: Path) -> None:
    """Where locks cannot be made that is told."""
    with pytest.raises(UserError, match="cannot lock .*: no such file or directory"):
        open_files(tmp_path / "absent", ("lan0",))
