"""What the service manager hears."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hdr_lite.supervisor.readiness import Readiness


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The manager's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


def test_words(manager: socket.socket) -> None:
    """Each word arrives as one datagram in systemd's spelling, and no child can use the way."""
    environment = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "3000000"}
    readiness = Readiness(environment)
    readiness.ready("watching")
    readiness.reloading()
    readiness.alive()
    readiness.status("without sensor")
    readiness.stopping()
    readiness.close()
    heard = [manager.recv(1000).decode() for _ in range(5)]
    assert heard[0] == "READY=1\nSTATUS=watching"
    assert heard[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert heard[2:] == ["WATCHDOG=1", "STATUS=without sensor", "STOPPING=1"]
    assert environment == {}
    assert readiness.interval == 1.5


def test_abstract_address() -> None:
    """An address that starts with @ is of the abstract namespace."""
    name = f"hdr-lite-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        listening.settimeout(5)
        readiness = Readiness({"NOTIFY_SOCKET": "@" + name})
        readiness.alive()
        readiness.close()
        assert listening.recv(100) == b"WATCHDOG=1"


def test_nobody_to_tell() -> None:
    """Without a manager, or with one that is gone, nothing happens."""
    Readiness({}).ready("watching")
    gone = Readiness({"NOTIFY_SOCKET": "/nonexistent/notify"})
    gone.ready("watching")
    gone.close()
    assert Readiness({"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}).interval == 0
