"""A person's choice of mode: it outlives an enforcer that dies, and may wait to be confirmed.

Whoever arms a device that he reaches through it may lock himself out. So he arms it for some
minutes; if he does not confirm, it goes back to observe by itself. The choice is a file beside
the state: it names the boot that it belongs to, since its end is a time of that boot's clock,
and it goes when the service ends in good order.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MODES = ("observe", "limit", "block")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Armed(NamedTuple):
    """The choice."""

    mode: str
    until: float | None  #: CLOCK_BOOTTIME at which it ends unless confirmed; None: it is


class ArmedFile:
    """Where the choice is kept."""

    def __init__(self, path: Path, boot: Path = _BOOT) -> None:
        self._path = path
        self._boot = boot

    def load(self) -> Armed | None:
        """The choice of this boot; None when there is none, or what is there is no choice."""
        try:
            kept = json.loads(self._path.read_text())
            mode, until, boot = kept["mode"], kept["until"], kept["boot"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        sound = mode in MODES and (until is None or isinstance(until, int | float))
        return Armed(mode, until) if sound and boot == self._boot_id() else None

    def save(self, armed: Armed) -> None:
        """Keep it; ``OSError``."""
        self._path.write_text(json.dumps({**armed._asdict(), "boot": self._boot_id()}))

    def forget(self) -> None:
        """There is none any more."""
        with suppress(FileNotFoundError):
            self._path.unlink()

    def _boot_id(self) -> str:
        try:
            return self._boot.read_text().strip()
        except OSError:
            return ""
