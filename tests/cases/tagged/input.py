"""One HTTP connection inside VLAN 7."""

import struct

from tests.traffic.activities import fetch_plain
from tests.traffic.dice import Dice
from tests.traffic.hosts import LAPTOP, web_server
from tests.traffic.timeline import START, Trace


def capture() -> bytes:
    """The frames of a connection, each with a tag of IEEE 802.1Q."""
    plain, tagged = Trace(Dice("tagged", 1)), Trace(Dice("tagged", 1))
    fetch_plain(plain, 0, LAPTOP, web_server(1), "shop.example")
    for at, frame in plain.frames():
        tagged.frame(at - START, frame[:12] + struct.pack("!HH", 0x8100, 7) + frame[12:])
    return tagged.pcap()
