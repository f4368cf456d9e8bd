"""Locks."""

import errno
import fcntl
import os
import threading
from pathlib import Path

import pytest

from hdr_lite.config import UserError
from hdr_lite.supervisor.lock import claim


def test_second_claim_is_refused_by_name(tmp_path: Path) -> None:
    """Whoever comes second hears who holds it; when that one is gone, it is free."""
    first = claim(tmp_path / "lock", "hdr-lite", "process 17")
    with pytest.raises(UserError, match="hdr-lite is in use by process 17"):
        claim(tmp_path / "lock", "hdr-lite", "process 18")
    os.close(first)
    os.close(claim(tmp_path / "lock", "hdr-lite", "process 18"))
    assert (tmp_path / "lock").read_text() == "process 18"


def test_nobody_else_can_hold_it(tmp_path: Path) -> None:
    """A lock needs no more than a descriptor: the file is its maker's alone to open."""
    umask = os.umask(0)
    try:
        os.close(claim(tmp_path / "lock", "hdr-lite", "process 17"))
    finally:
        os.umask(umask)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_link_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link in the place of the lock is refused: it could empty any file."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(UserError, match="cannot lock"):
        claim(tmp_path / "lock", "hdr-lite", "process 17")
    assert (tmp_path / "precious").read_text() == "precious"


def test_holder_that_has_not_written_its_name_yet(tmp_path: Path) -> None:
    """Two at the same moment: the second waits for the name of the first, not for ever."""
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(UserError, match="in use by another instance"):
        claim(tmp_path / "lock", "hdr-lite", "process 18")
    late = threading.Timer(0.1, os.write, (lock, b"process 17"))
    late.start()
    with pytest.raises(UserError, match="in use by process 17"):
        claim(tmp_path / "lock", "hdr-lite", "process 18")
    late.join()
    os.close(lock)


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is had though its holder's name cannot be written."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    lock = claim(tmp_path / "lock", "hdr-lite", "process 17")
    with pytest.raises(UserError, match="in use"):
        claim(tmp_path / "lock", "hdr-lite", "process 18")
    os.close(lock)
