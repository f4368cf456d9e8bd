"""The program on interfaces, steered by what it shows on its terminal."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.netns.network import Namespace
from tests.program import ROOT, Done

PACKETS = re.compile(r"([\d,]+) packets")


class Watch:
    """``hdr-lite run -i ...`` in a namespace, its standard error a terminal."""

    def __init__(self, inside: Namespace, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self._text = ""
        self._terminal, theirs = pty.openpty()
        program = [sys.executable, "-m", "hdr_lite", "run", "-o", str(folder), *arguments]
        self._process = subprocess.Popen(
            inside.words(*program),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
            start_new_session=True,
        )
        os.close(theirs)

    def packets(self) -> int:
        """The number of packets that the progress line showed last, -1 before the first."""
        shown = PACKETS.findall(self._text)
        return int(shown[-1].replace(",", "")) if shown else -1

    def until(self, packets: int, seconds: float = 20) -> None:
        """Return once the progress line shows at least so many packets; 0: it has begun."""
        deadline = time.monotonic() + seconds
        while self.packets() < packets:
            left = deadline - time.monotonic()
            assert left > 0, f"{packets} packets were not reached: {self._text!r}"
            assert self._read(left), f"the program ended: {self._text!r}"

    def child(self, name: str) -> int:
        """The process id of its child whose title ends in that word."""
        for pid in self._descendants(self._process.pid):
            if Path(f"/proc/{pid}/comm").read_text().strip().endswith(name):
                return pid
        raise LookupError(name)

    def interrupt(self) -> Done:
        """Ctrl-C, and what was left."""
        self._process.send_signal(signal.SIGINT)
        return self.end()

    def end(self, seconds: float = 20) -> Done:
        """Wait until the program has ended by itself."""
        stdout, _ = self._process.communicate(timeout=seconds)
        while self._read(0):
            pass
        return Done(self._process.returncode, stdout, self._text, self.folder)

    def close(self) -> None:
        """End what still runs."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
        os.close(self._terminal)

    def _read(self, seconds: float) -> bool:
        """More of what it shows; False at the end or when nothing comes in the time."""
        ready, _, _ = select.select([self._terminal], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._terminal, 4096)
        except OSError:  # EIO: nobody holds the other side any more
            return False
        self._text += data.decode(errors="replace")
        return bool(data)

    def _descendants(self, pid: int) -> Iterator[int]:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in map(int, children):
            yield child
            yield from self._descendants(child)


@contextmanager
def watching(inside: Namespace, folder: Path, *arguments: str) -> Iterator[Watch]:
    """A watch that has begun; killed at the end when it still runs."""
    watch = Watch(inside, folder, *arguments)
    try:
        watch.until(0)
        yield watch
    finally:
        watch.close()
