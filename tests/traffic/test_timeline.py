"""The order of frames and the capture file."""

import struct

from tests.traffic.dice import Dice
from tests.traffic.timeline import SECOND, START, Trace


def test_frames_come_in_the_order_of_their_times() -> None:
    """Frames made later but seen earlier come first; equals keep the order of their making."""
    trace = Trace(Dice("order", 1))
    for at, frame in ((5, b"c"), (1, b"a"), (5, b"d"), (1, b"b")):
        trace.frame(at, frame)
    assert trace.frames() == [
        (START + 1, b"a"),
        (START + 1, b"b"),
        (START + 5, b"c"),
        (START + 5, b"d"),
    ]


def test_pcap_is_little_endian_with_nanoseconds() -> None:
    """Header and first record, field by field."""
    trace = Trace(Dice("pcap", 1))
    trace.frame(3 * SECOND + 7, b"x" * 60)
    data = trace.pcap()
    assert struct.unpack("<IHHiIII", data[:24]) == (0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    assert struct.unpack("<IIII", data[24:40]) == (START // SECOND + 3, 7, 60, 60)
    assert data[40:] == b"x" * 60
