"""A capture without a packet."""

from tests.traffic.dice import Dice
from tests.traffic.timeline import Trace


def capture() -> bytes:
    """The file header alone."""
    return Trace(Dice("empty", 1)).pcap()
