"""Which record the collector wants next: the file ``cursor`` of the one who sends.

The engine reads it and removes what lies before. It is not forced to storage: where a loss of
power brings an older one back, what was sent is sent again, which the collector notices.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from hdr_lite.spool.codec import MOST_NUMBER

#: The file, in the directory of who sends.
CURSOR = "cursor"

_FORM = re.compile(rb"([0-9a-f]{16}) ([0-9]{1,16})\n")


class Cursor(NamedTuple):
    """All before it is acknowledged."""

    epoch: str
    next: int


def load_cursor(path: Path) -> Cursor | None:
    """What the file says; None where there is none that can be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        match = _FORM.fullmatch(os.read(descriptor, 64))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if match is None or not 0 < int(match[2]) <= MOST_NUMBER:
        return None
    return Cursor(match[1].decode(), int(match[2]))


def save_cursor(path: Path, cursor: Cursor) -> None:
    """Replace the file; ``OSError`` leaves the old one. It is for the group to read."""
    new = path.with_name(path.name + ".new")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(new, flags, 0o640), "wb") as file:
            file.write(f"{cursor.epoch} {cursor.next}\n".encode())
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise
