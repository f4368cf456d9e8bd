"""Whether alerts are kept for a collector, and where: a device without one pays nothing."""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from hdr_lite.config import Config
from hdr_lite.engine.output import Output
from hdr_lite.supervisor.blind import is_volatile
from hdr_lite.supervisor.privileges import Account

#: Of a device that is enrolled, unless the settings name another directory.
DIRECTORY = "/var/lib/hdr-lite/spool"
#: In [sync] state: that it is there says that the device is enrolled.
ENROLMENT = "enrolment"


class Spooling(NamedTuple):
    """The spool of a service."""

    directory: Path
    state: Path  #: of the process that sends from it
    output: Output  #: of the engine, which opens it

    def prepare(self, engine: Account | None, sender: Account | None) -> None:
        """Make both directories: each writes its own, and reads the other's as its group."""
        make_directory(self.directory, engine, sender, 0o2750)
        make_directory(self.state, sender, engine, 0o2751)  # that the enrolment is there all see

    def blind(self) -> Iterator[str]:
        """What does not outlive a reboot."""
        if is_volatile(self.directory):
            what = "alerts that wait for the collector do not survive a reboot"
            yield f"{what}: {self.directory} is memory"


def spooling(config: Config, news: int | None = None) -> Spooling | None:
    """What the settings and the enrolment ask for; None without a collector.

    ``news`` is an eventfd that is to count what is written.
    """
    sync = config.sync
    if not sync.spool and not is_enrolled(sync.state):
        return None
    # Here, before the fork: what is loaded now is shared by all.
    from hdr_lite.outputs.spool import Spool
    from hdr_lite.spool.cursor import CURSOR

    directory, state = Path(sync.spool or DIRECTORY).absolute(), Path(sync.state).absolute()
    spool = Spool(directory, sync.spool_size, state / CURSOR, told=partial(_wake, news))
    return Spooling(directory, state, spool)


def _wake(news: int | None) -> None:
    if news is not None:
        os.eventfd_write(news, 1)


def make_directory(path: Path, owner: Account | None, group: Account | None, mode: int) -> None:
    """For an account and another one's group (None: ours); what is there stays as it is."""
    with suppress(OSError):
        path.mkdir(mode=0o700, parents=True)
        os.chown(path, owner.uid if owner else -1, group.gid if group else -1)
        path.chmod(mode)


def is_enrolled(state: str) -> bool:
    """Whether this device reports to a collector."""
    try:
        return Path(state, ENROLMENT).exists()
    except OSError:
        return False
