"""Run a command and tell what it cost: CPU seconds and peak memory of its whole process tree."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SAMPLE_SECONDS = 0.02  #: between two looks at the memory of the tree


class Cost(NamedTuple):
    """Of one run. ``peak`` is the largest sum of proportional set sizes, in MiB."""

    cpu: float
    wall: float
    peak: float
    status: int


def session_members(session: int) -> list[int]:
    """Processes of a session, from field 6 of /proc/PID/stat (proc(5))."""
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_bytes().rsplit(b")", 1)[1].split()
        except (OSError, IndexError):
            continue  # it ended between the two looks
        if int(fields[3]) == session:
            members.append(int(entry.name))
    return members


def proportional_kib(pid: int) -> int:
    """Pss of a process in KiB (smaps_rollup), 0 when it has gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(x.split()[1]) for x in text.splitlines() if x.startswith("Pss:")), 0)


def run(command: Sequence[str], *, memory: bool = True) -> Cost:
    """Run the command with its output thrown away. ``memory`` False skips the sampling.

    Reading smaps_rollup makes the kernel walk the page tables of the sampled process, which is
    not charged to it but slows it; so time and memory are better taken from different runs.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    peak = 0
    if memory:
        done = threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(SAMPLE_SECONDS):
                peak = max(peak, sum(map(proportional_kib, session_members(process.pid))))

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status = os.waitpid(process.pid, 0)
        done.set()
        watcher.join()
    else:
        _, status = os.waitpid(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Cost(cpu, wall, peak / 1024, process.returncode)
