"""What the service manager is told: ready, reloading, stopping, alive (sd_notify(3)).

A datagram to the socket that systemd names in the environment. Without that socket nothing
is told to anybody. The variables are taken out of the environment, so that no child speaks
in our name.
"""

import os
import socket
import time
from collections.abc import MutableMapping


class Readiness:
    """The way to the service manager, if there is one."""

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        self._address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        ours = environment.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
        #: Seconds between signs of life, half of what it allows; 0: it wants none.
        self.interval = int(microseconds) / 2e6 if ours and microseconds.isdigit() else 0.0
        self._socket: socket.socket | None = None
        if self._address[:1] in ("/", "@"):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    def ready(self, status: str) -> None:
        """The start, or a reload, is done."""
        self._tell(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """A reload begins."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={now}")

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def status(self, text: str) -> None:
        """A line for ``systemctl status``."""
        self._tell(f"STATUS={text}")

    def alive(self) -> None:
        """A sign of life."""
        self._tell("WATCHDOG=1")

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, text: str) -> None:
        if self._socket is None:
            return
        address = self._address
        if address.startswith("@"):  # of the abstract namespace
            address = "\0" + address[1:]
        try:
            self._socket.sendto(text.encode(), address)
        except OSError:
            return  # a manager that does not listen is no reason to stop watching the network
