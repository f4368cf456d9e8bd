"""A PostgreSQL server of a test's own: Debian's, by initdb in a new directory, on a Unix socket."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

USER = "postgres"  # who owns Debian's; the server does not run as root


def binaries() -> Path | None:
    """Where Debian keeps the newest version's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    return found[-1].parent if found else None


class Postgresql:
    """May be killed and started again; its data stay until ``remove``."""

    def __init__(self) -> None:
        where = binaries()
        assert where is not None, "Debian's postgresql is missing: scripts/bootstrap check"
        self._bin = where
        self.directory = Path(tempfile.mkdtemp(prefix="hdr-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            account = pwd.getpwnam(USER)
            os.chown(self.directory, account.pw_uid, account.pw_gid)
        self.run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync",
                 "--username", USER, "--pgdata", str(self.directory / "data"))  # fmt: skip

    def url(self, database: str = "postgres") -> str:
        """What a client connects to."""
        return f"postgresql://{USER}@/{database}?host={self.directory}"

    def start(self) -> None:
        """Returns once it answers."""
        command = [
            str(self._bin / "postgres"), "-D", str(self.directory / "data"), "-h", "",
            "-k", str(self.directory), "-c", "shared_buffers=128MB", "-c", "max_wal_size=1GB",
        ]  # fmt: skip
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _as_owner(command), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        end = time.monotonic() + 60
        while True:
            try:
                self.run("psql", "-c", "SELECT 1", self.url())
                return
            except subprocess.CalledProcessError:
                assert self._process.poll() is None, (self.directory / "log").read_text()
                assert time.monotonic() < end, (self.directory / "log").read_text()
                time.sleep(0.05)

    def kill(self) -> None:
        """As a crash: the server with all its children, by SIGKILL."""
        assert self._process is not None
        pid = int((self.directory / "data/postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (pid, *map(int, children)):
            os.kill(each, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def run(self, program: str, *arguments: str) -> str:
        """One of PostgreSQL's own programs; what it printed."""
        done = subprocess.run(
            _as_owner([str(self._bin / program), *arguments]),
            check=True, capture_output=True, text=True, cwd="/",
        )  # fmt: skip
        return done.stdout

    def remove(self) -> None:
        """Stop it, and its data with it."""
        if self._process is not None:
            pid = int((self.directory / "data/postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGQUIT)  # at once: what is not on disk is not wanted
            self._process.wait(30)
        shutil.rmtree(self.directory)


def _as_owner(command: list[str]) -> list[str]:
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--", *command]
