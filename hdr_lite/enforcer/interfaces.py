"""The right to block on an interface: one instance's at a time.

A lock file for each interface, opened by the supervisor and handed to each enforcer in turn: a
lock belongs to the open file, so it outlives an enforcer that dies and ends with the service.
"""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

from hdr_lite.config import UserError


def open_files(folder: Path, interfaces: tuple[str, ...]) -> dict[str, int]:
    """Interface -> descriptor of its lock file, not locked yet; ``UserError``."""
    files: dict[str, int] = {}
    for name in interfaces:
        path = folder / f"blocks-on-{name.replace('/', '_')}.lock"
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            files[name] = os.open(path, flags, 0o600)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UserError(f"cannot lock {path}: {reason}") from None
    return files


class Interfaces:
    """Takes and gives back that right for all of an instance's interfaces together."""

    def __init__(self, files: Mapping[str, int], holder: str) -> None:
        """``holder`` is what others read who find them taken."""
        self._files = files
        self._holder = holder.encode()

    def take(self) -> None:
        """From here on they are ours; ``UserError``: another instance blocks on one of them."""
        for name, descriptor in self._files.items():
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                other = os.pread(descriptor, 100, 0).decode(errors="replace")
                self.give_back()
                raise UserError(
                    f"{other or 'another instance'} blocks on {name} already: one of the two"
                    " must observe"
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, self._holder, 0)

    def give_back(self) -> None:
        """Others may block there."""
        for descriptor in self._files.values():
            fcntl.flock(descriptor, fcntl.LOCK_UN)
