"""TCP conversations: handshake, data with acknowledgements, and every way to end or fail."""

import struct

from tests.traffic import frames
from tests.traffic.frames import ACK, FIN, PSH, RST, SYN
from tests.traffic.hosts import Host
from tests.traffic.timeline import MICROSECOND, MILLISECOND, SECOND, Trace

SEGMENT = 1460
SYN_OPTIONS = struct.pack("!BBH", 2, 4, SEGMENT) + b"\x04\x02\x01\x03\x03\x07"


class Session:
    """One connection. ``now`` moves on with what is said; ``rtt`` is the time to the other end."""

    def __init__(
        self,
        trace: Trace,
        client: Host,
        server: Host,
        dport: int,
        start: int,
        *,
        rtt: int = 20 * MILLISECOND,
        sport: int = 0,
    ) -> None:
        self.trace, self.now, self.rtt = trace, start, rtt
        self._hosts = (client, server)
        self._ports = (sport or trace.dice.port(), dport)
        self._seq = [trace.dice.below(1 << 32), trace.dice.below(1 << 32)]

    def _segment(
        self,
        side: int,
        flags: int,
        payload: bytes = b"",
        options: bytes = b"",
        ack: int | None = None,
    ) -> None:
        other = 1 - side
        acknowledged = self._seq[other] if ack is None else ack
        data = frames.tcp(
            (self._hosts[side].ip, self._ports[side]),
            (self._hosts[other].ip, self._ports[other]),
            flags,
            seq=self._seq[side],
            ack=acknowledged if flags & ACK else 0,
            options=options,
            payload=payload,
        )
        self.trace.packet(self.now, self._hosts[side], self._hosts[other], frames.TCP, data)
        self._seq[side] = (self._seq[side] + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF

    def _travel(self) -> None:
        self.now += self.rtt // 2 + self.trace.dice.below(self.rtt // 10 + 1)

    def open(self) -> "Session":
        """The three-way handshake."""
        self._segment(0, SYN, options=SYN_OPTIONS)
        self._travel()
        self._segment(1, SYN | ACK, options=SYN_OPTIONS)
        self._travel()
        self._segment(0, ACK)
        self.now += 200 * MICROSECOND
        return self

    def refused(self) -> "Session":
        """A SYN answered by a reset."""
        self._segment(0, SYN, options=SYN_OPTIONS)
        self._travel()
        self._segment(1, RST | ACK)
        return self

    def unanswered(self, tries: int = 1) -> "Session":
        """A SYN that nobody answers, sent again after 1, 2, 4 ... seconds."""
        for number in range(tries):
            self._segment(0, SYN, options=SYN_OPTIONS)
            self._seq[0] -= 1
            self.now += (1 << number) * SECOND
        return self

    def client(self, data: bytes) -> "Session":
        """The client says something."""
        return self._say(0, data)

    def server(self, data: bytes) -> "Session":
        """The server says something."""
        return self._say(1, data)

    def _say(self, side: int, data: bytes) -> "Session":
        pieces = [data[at : at + SEGMENT] for at in range(0, len(data), SEGMENT)]
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            self._segment(side, ACK | (PSH if last else 0), piece)
            self.now += 60 * MICROSECOND
            if number % 2 or last:
                self._acknowledge(side)
        self._travel()
        return self

    def _acknowledge(self, side: int) -> None:
        self.now += 40 * MICROSECOND
        self._segment(1 - side, ACK)

    def wait(self, time: int) -> "Session":
        """Silence."""
        self.now += time
        return self

    def close(self, first: int = 0) -> "Session":
        """FIN from the client (0) or the server (1), and from the other side."""
        self._segment(first, FIN | ACK)
        self._travel()
        self._segment(1 - first, FIN | ACK)
        self._travel()
        self._segment(first, ACK)
        return self

    def reset(self, side: int = 0) -> "Session":
        """RST from the client (0) or the server (1)."""
        self._segment(side, RST | ACK)
        return self


def probe(
    trace: Trace,
    at: int,
    source: Host,
    sport: int,
    target: Host,
    dport: int,
    flags: int,
    answer: int | None = None,
) -> None:
    """A single crafted segment, and the flags of the target's answer 0.4 ms later.

    A scanner that gets a SYN-ACK for its SYN resets the connection, as nmap's kernel does.
    """
    seq = trace.dice.below(1 << 32)
    here, there = (source.ip, sport), (target.ip, dport)
    ack = trace.dice.below(1 << 32) if flags & ACK else 0
    segment = frames.tcp(here, there, flags, seq=seq, ack=ack, window=1024, options=b"")
    trace.packet(at, source, target, frames.TCP, segment)
    if answer is None:
        return
    at += 400 * MICROSECOND
    reply_seq = trace.dice.below(1 << 32) if answer & SYN else ack
    advance = 1 if flags & (SYN | FIN) else 0
    reply = frames.tcp(there, here, answer, seq=reply_seq, ack=seq + advance, window=0)
    trace.packet(at, target, source, frames.TCP, reply)
    if answer == SYN | ACK:
        reset = frames.tcp(here, there, RST, seq=seq + 1, window=0)
        trace.packet(at + 30 * MICROSECOND, source, target, frames.TCP, reset)
