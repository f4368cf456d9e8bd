"""Files that are whole after a loss of power, or a kill at any instruction."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    """What is written takes the place of a file: all of it, or nothing when anything is raised.

    It is on storage before it bears the name; that it bears it may not be, until
    ``sync_directory``. Written beside, as ``NAME.new``, of which what is there is removed.
    """
    new = path.with_name(f"{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(new, flags, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def sync_directory(path: Path) -> None:
    """See that the names of its files are on storage. ``OSError``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
