"""A real ssh server in the LAN, and real clients that somebody logs in with."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.netns.bed import LAN_HOST, Bed, connects, until

#: The one who has an account, and the password.
USER, PASSWORD = "sam", "sesame"
_HASH = (
    "$6$hdrlite$Zo6IfrBCLormEueXsm4CuOXO3dfubj0D8GDcfIv6EoNGGa3PSPnDLwOugmzmO5pQA4./"
    "AYZhqU.gpXGu1xDtw0"
)
#: Says the next line of a file after a while.
_ASK = """#!/bin/sh
sleep {pause}
sed -n 1p {words}
sed -i 1d {words}
"""


class Server:
    """dropbear on port 22 of the LAN's host, which allows six tries a connection."""

    def __init__(self, bed: Bed, folder: Path) -> None:
        self._log = folder / "dropbear.log"
        for kind in ("ed25519", "rsa"):
            key = str(folder / kind)
            subprocess.run(["dropbearkey", "-t", kind, "-f", key], check=True, capture_output=True)
        keys = [word for kind in ("ed25519", "rsa") for word in ("-r", str(folder / kind))]
        command = ["dropbear", "-F", "-E", "-T", "6", "-p", "22", "-P", f"{folder}/pid", *keys]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(bed.lan.words(*command), stderr=log)
        until(lambda: connects(bed.lan, LAN_HOST, LAN_HOST, 22))

    @property
    def refused(self) -> int:
        """Passwords that it was asked for and that were wrong, by its own log."""
        return self._log.read_text().count("Bad password attempt for ")

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


@contextmanager
def serving(bed: Bed, folder: Path) -> Iterator[Server]:
    """The server; the LAN's host has one account."""
    etc = Path("/etc/netns", bed.lan.name)  # what `ip netns exec` shows as /etc
    etc.mkdir(parents=True)
    try:
        (etc / "passwd").write_text(f"{USER}:x:1000:1000::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n")
        (etc / "shadow").write_text(f"{USER}:{_HASH}:1::::::\nroot:*:1::::::\n")
        server = Server(bed, folder)
        try:
            yield server
        finally:
            server.close()
    finally:
        shutil.rmtree(etc)


def make_key(folder: Path, name: str, kind: str) -> Path:
    """A key that the server does not know."""
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", kind, "-f", str(path)], check=True)
    return path


class Client:
    """Somebody of the world's with OpenSSH's client."""

    def __init__(self, bed: Bed, address: str, folder: Path) -> None:
        self._bed, self._address, self._folder = bed, address, folder
        self._number = 0

    def log_in(self, *words: str, pause: float = 0, keys: tuple[Path, ...] = ()) -> bool:
        """One connection with those passwords in turn, each after a pause; whether one did."""
        self._number += 1
        asked = self._folder / f"{self._address}-{self._number}"
        asked.write_text("".join(f"{word}\n" for word in words))
        program = asked.with_suffix(".sh")
        program.write_text(_ASK.format(pause=pause, words=asked))
        program.chmod(0o755)
        options = {
            "UserKnownHostsFile": "/dev/null", "StrictHostKeyChecking": "no",
            "IdentitiesOnly": "yes", "BindAddress": self._address, "ConnectTimeout": "2",
            "NumberOfPasswordPrompts": str(len(words)), "ServerAliveInterval": "1",
            "ServerAliveCountMax": "2",
        }  # fmt: skip
        command = ["ssh", "-F", "none"]
        command += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        command += [word for key in keys or (Path("none"),) for word in ("-i", str(key))]
        environment = ["env", f"SSH_ASKPASS={program}", "SSH_ASKPASS_REQUIRE=force"]
        words_of_it = self._bed.world.words(*environment, *command, f"{USER}@{LAN_HOST}", "true")
        try:
            return subprocess.run(words_of_it, capture_output=True, timeout=20).returncode == 0
        except subprocess.TimeoutExpired:  # cut off in the middle
            return False
