"""``python -m tests.netns.claims INTERFACE MAC ADDRESS TARGET TO``: false ARP replies, on and on.

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

EVERYBODY = "ff:ff:ff:ff:ff:ff"


def reply(mac: str, address: str, target: str, to: str) -> bytes:
    """The frame "address is at mac", to one host or to everybody."""
    raw, goal = (bytes.fromhex(text.replace(":", "")) for text in (mac, to))
    ends = raw + socket.inet_aton(address) + bytes(6) + socket.inet_aton(target)
    return goal + raw + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 2) + ends


@contextmanager
def claiming(
    inside: Namespace, interface: str, mac: str, address: str, target: str, to: str = EVERYBODY
) -> Iterator[None]:
    """Claims go on until the end."""
    words = (sys.executable, "-m", "tests.netns.claims", interface, mac, address, target, to)
    process = subprocess.Popen(
        inside.words(*words), cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main(interface: str, mac: str, address: str, target: str, to: str) -> None:
    """Until killed."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((interface, 0))
        while True:
            sock.send(reply(mac, address, target, to))
            time.sleep(0.3)


if __name__ == "__main__":
    main(*sys.argv[1:])
