"""``python -m tests.netns.claims INTERFACE MAC ADDRESS TARGET``: false ARP replies, on and on.

The frames carry that MAC, whoever's it is, as ``arpspoof`` cannot; one each 300 ms.
"""

import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.netns.network import Namespace
from tests.program import ROOT


def reply(mac: str, address: str, target: str) -> bytes:
    """The frame "address is at mac", to everybody."""
    raw = bytes.fromhex(mac.replace(":", ""))
    ends = raw + socket.inet_aton(address) + bytes(6) + socket.inet_aton(target)
    return b"\xff" * 6 + raw + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 2) + ends


@contextmanager
def claiming(
    inside: Namespace, interface: str, mac: str, address: str, target: str
) -> Iterator[None]:
    """Claims go on until the end."""
    words = (sys.executable, "-m", "tests.netns.claims", interface, mac, address, target)
    process = subprocess.Popen(
        inside.words(*words), cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main(interface: str, mac: str, address: str, target: str) -> None:
    """Until killed."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((interface, 0))
        while True:
            sock.send(reply(mac, address, target))
            time.sleep(0.3)


if __name__ == "__main__":
    main(*sys.argv[1:])
