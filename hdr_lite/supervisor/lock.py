"""Locks by which a second start is refused. They end with their holder, however it ends."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from hdr_lite.config import UserError

#: How often to look for the name of a lock's holder, and seconds between the looks.
_LOOKS, _PAUSE = 50, 0.01


def claim(path: Path, what: str, holder: str) -> int:
    """Take the lock in that file, made when it is not there; its descriptor, to be kept open.

    Whoever may open a file may lock it, so nobody else may: a user could keep us from starting.
    ``UserError`` says that ``what`` is in use, and by whom; or why it cannot be taken.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        lock = os.open(path, flags, 0o600)
    except OSError as error:
        raise UserError(f"cannot lock {path}: {(error.strerror or str(error)).lower()}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        other = _holder(lock)
        os.close(lock)
        raise UserError(f"{what} is in use by {other}") from None
    os.ftruncate(lock, 0)
    with suppress(OSError):  # a full disk: the lock holds without the name of its holder
        os.write(lock, holder.encode())
    return lock


def _holder(lock: int) -> str:
    """Who has it, as they wrote there; who has just taken it may not have done so yet."""
    for _ in range(_LOOKS):
        if name := os.pread(lock, 100, 0):
            return name.decode(errors="replace")
        time.sleep(_PAUSE)
    return "another instance"
