"""A real ssh server in the LAN or elsewhere, and real clients that somebody logs in with."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.netns.bed import LAN_HOST, Bed, connects, until
from tests.netns.network import Namespace

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
    """dropbear on port 22 of a host, which allows six tries a connection."""

    def __init__(self, inside: Namespace, address: str, folder: Path) -> None:
        self._log = folder / "dropbear.log"
        for kind in ("ed25519", "rsa"):
            key = str(folder / kind)
            subprocess.run(["dropbearkey", "-t", kind, "-f", key], check=True, capture_output=True)
        keys = [word for kind in ("ed25519", "rsa") for word in ("-r", str(folder / kind))]
        command = ["dropbear", "-F", "-E", "-T", "6", "-p", "22", "-P", f"{folder}/pid", *keys]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(inside.words(*command), stderr=log)
        until(lambda: connects(inside, address, address, 22))

    @property
    def refused(self) -> int:
        """Passwords that it was asked for and that were wrong, by its own log."""
        return self._log.read_text().count("Bad password attempt for ")

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


@contextmanager
def serving_at(inside: Namespace, address: str, folder: Path) -> Iterator[Server]:
    """The server; its host has one account."""
    etc = Path("/etc/netns", inside.name)  # what `ip netns exec` shows as /etc
    etc.mkdir(parents=True)
    try:
        (etc / "passwd").write_text(f"{USER}:x:1000:1000::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n")
        (etc / "shadow").write_text(f"{USER}:{_HASH}:1::::::\nroot:*:1::::::\n")
        server = Server(inside, address, folder)
        try:
            yield server
        finally:
            server.close()
    finally:
        shutil.rmtree(etc)


@contextmanager
def serving(bed: Bed, folder: Path) -> Iterator[Server]:
    """The server on the LAN's host."""
    with serving_at(bed.lan, LAN_HOST, folder) as server:
        yield server


def make_key(folder: Path, name: str, kind: str) -> Path:
    """A key that the server does not know."""
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", kind, "-f", str(path)], check=True)
    return path


class Client:
    """Somebody with OpenSSH's client, by default of the world's, who asks the LAN's host."""

    def __init__(
        self,
        bed: Bed,
        address: str,
        folder: Path,
        inside: Namespace | None = None,
        server: str = LAN_HOST,
    ) -> None:
        self._inside, self._server = inside or bed.world, server
        self._address, self._folder = address, folder
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
        words_of_it = self._inside.words(*environment, *command, f"{USER}@{self._server}", "true")
        try:
            return subprocess.run(words_of_it, capture_output=True, timeout=20).returncode == 0
        except subprocess.TimeoutExpired:  # cut off in the middle
            return False
