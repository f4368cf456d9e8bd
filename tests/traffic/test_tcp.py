"""TCP conversations add up."""

from ipaddress import IPv4Address

from tests.traffic.dice import Dice
from tests.traffic.frames import ACK, FIN, RST, SYN
from tests.traffic.hosts import LAPTOP, SERVER
from tests.traffic.tcp import Session, probe
from tests.traffic.timeline import SECOND, Trace


def segments(trace: Trace) -> list[tuple[bool, int, int, int, int]]:
    """(from the client, flags, seq, ack, payload length) of each frame."""
    found = []
    for _, frame in trace.frames():
        length = int.from_bytes(frame[16:18], "big")
        tcp = frame[34 : 14 + length]
        seq, ack = (int.from_bytes(tcp[at : at + 4], "big") for at in (4, 8))
        mine = IPv4Address(frame[26:30]) == IPv4Address(LAPTOP.ip)
        found.append((mine, tcp[13], seq, ack, len(tcp) - (tcp[12] >> 4) * 4))
    return found


def test_every_byte_is_acknowledged() -> None:
    """Sequence numbers follow the bytes, and the last acknowledgement covers all of them."""
    trace = Trace(Dice("tcp", 1))
    Session(trace, LAPTOP, SERVER, 80, 0).open().client(b"q" * 100).server(b"a" * 5000).close()
    seen = segments(trace)
    assert [flags for _, flags, *_ in seen[:3]] == [SYN, SYN | ACK, ACK]
    for mine, size in ((True, 100), (False, 5000)):
        first = next(s[2] for s in seen if s[0] is mine)
        assert sum(s[4] for s in seen if s[0] is mine) == size
        last = [s[3] for s in seen if s[0] is not mine and s[1] & ACK][-1]
        assert (last - first) % (1 << 32) == size + 2  # SYN and FIN count
    assert [s[0] for s in seen if s[1] & FIN] == [True, False]


def test_ways_to_fail() -> None:
    """A refused SYN, and one repeated with the same number at doubled intervals."""
    trace = Trace(Dice("tcp", 2))
    Session(trace, LAPTOP, SERVER, 80, 0).refused()
    assert [flags for _, flags, *_ in segments(trace)] == [SYN, RST | ACK]
    trace = Trace(Dice("tcp", 3))
    Session(trace, LAPTOP, SERVER, 80, 0).unanswered(3)
    times = [at - trace.frames()[0][0] for at, _ in trace.frames()]
    assert times == [0, SECOND, 3 * SECOND]
    assert len({seq for _, _, seq, *_ in segments(trace)}) == 1


def test_probe_is_answered_about_its_own_number() -> None:
    """The answer acknowledges the probe; a scanner resets what it does not want."""
    trace = Trace(Dice("tcp", 4))
    probe(trace, 0, LAPTOP, 40000, SERVER, 22, SYN, SYN | ACK)
    first, answer, reset = segments(trace)
    assert answer[3] == (first[2] + 1) % (1 << 32)
    assert (reset[0], reset[1], reset[2]) == (True, RST, answer[3])
