"""What a sensor sees of ssh."""

import struct

from tests.traffic.dice import Dice
from tests.traffic.hosts import LAPTOP, SERVER
from tests.traffic.ssh import Login, plain, sealed
from tests.traffic.tcp import Session
from tests.traffic.timeline import Trace


def test_plain_packets_keep_rfc_4253() -> None:
    """Length and padding: whole blocks of eight, at least four bytes of padding."""
    for size in range(40):
        packet = plain(bytes(size))
        length, padding = struct.unpack("!IB", packet[:5])
        assert len(packet) == length + 4
        assert len(packet) % 8 == 0
        assert padding >= 4
        assert length == size + padding + 1


def test_lengths_of_openssh() -> None:
    """Sizes that OpenSSH with chacha20-poly1305 sends: service 44, refusal 52, success 28."""
    dice = Dice("ssh", 1)
    assert [len(sealed(dice, size)) for size in (17, 24, 1)] == [44, 52, 28]


def test_login_begins_with_the_identifications() -> None:
    """Client and server name their software in clear before anything else."""
    trace = Trace(Dice("ssh", 2))
    Login(Session(trace, LAPTOP, SERVER, 22, 0), client="libssh_0.10.4").end()
    said = [frame[54:] for _, frame in trace.frames() if frame[54:].startswith(b"SSH-2.0-")]
    assert said[0] == b"SSH-2.0-libssh_0.10.4\r\n"
    assert said[1].startswith(b"SSH-2.0-OpenSSH_")
