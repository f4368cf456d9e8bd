"""Frames in time: collected in any order, written in the order of their times."""

import struct
from collections.abc import Callable
from pathlib import Path

from tests.traffic import frames
from tests.traffic.dice import Dice
from tests.traffic.hosts import Host

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND

#: 2026-01-05 10:00:00 UTC, a Monday: every scenario starts here.
START = 1_767_607_200 * SECOND

_MAGIC_NANOSECONDS = 0xA1B23C4D
_ETHERNET = 1


class Trace:
    """The frames of one capture. Times are nanoseconds after the scenario's start."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self._frames: list[tuple[int, bytes]] = []
        self._ident = dice.below(65536)
        self._most = 65535

    def frame(self, at: int, frame: bytes) -> None:
        """Have the frame seen at that time."""
        self._frames.append((at, frame))

    def packet(self, at: int, source: Host, destination: Host, protocol: int, data: bytes) -> None:
        """An IP packet from one host to the other."""
        self._ident = (self._ident + 1) & 0xFFFF
        packet = frames.ip(
            source.ip, destination.ip, protocol, data, ident=self._ident, ttl=source.ttl
        )
        kind = frames.ethertype_of(source.ip)
        self.frame(at, frames.ethernet(source.mac, destination.mac, kind, packet))

    def fragments(
        self,
        at: int,
        source: Host,
        destination: Host,
        protocol: int,
        data: bytes,
        size: int,
    ) -> None:
        """An IPv4 packet in fragments of ``size`` bytes (a multiple of eight)."""
        self._ident = (self._ident + 1) & 0xFFFF
        for start in range(0, len(data), size):
            word = start // 8 | (0x2000 if start + size < len(data) else 0)
            packet = frames.ip(
                source.ip,
                destination.ip,
                protocol,
                data[start : start + size],
                ident=self._ident,
                ttl=source.ttl,
                fragment=word,
            )
            self.frame(at, frames.ethernet(source.mac, destination.mac, frames.IPV4, packet))

    def udp(
        self, at: int, source: Host, sport: int, destination: Host, dport: int, data: bytes
    ) -> None:
        """A UDP datagram."""
        datagram = frames.udp((source.ip, sport), (destination.ip, dport), data)
        self.packet(at, source, destination, frames.UDP, datagram)

    def arp(
        self,
        at: int,
        operation: int,
        sender: Host,
        target: Host,
        *,
        to: str = "",
    ) -> None:
        """An ARP message; a request goes to all and leaves the target's MAC open."""
        asked = frames.NO_MAC if operation == 1 else target.mac
        destination = to or (frames.BROADCAST if operation == 1 else target.mac)
        message = frames.arp(operation, sender.mac, sender.ip, asked, target.ip)
        self.frame(at, frames.ethernet(sender.mac, destination, frames.ARP, message))

    def keep(self, wanted: Callable[[bytes], bool]) -> None:
        """Forget the frames that are not wanted, as a tap that sees one direction."""
        self._frames = [entry for entry in self._frames if wanted(entry[1])]

    def cut(self, length: int) -> None:
        """Have only so many bytes of each frame captured (a snap length)."""
        self._most = length

    def frames(self) -> list[tuple[int, bytes]]:
        """(ns since 1970, frame), by time; at the same time, in the order of their making."""
        return [(START + at, frame) for at, frame in sorted(self._frames, key=lambda f: f[0])]

    def pcap(self) -> bytes:
        """The capture file: pcap with nanoseconds, little-endian on every machine."""
        parts = [struct.pack("<IHHiIII", _MAGIC_NANOSECONDS, 2, 4, 0, 0, self._most, _ETHERNET)]
        for at, frame in self.frames():
            seconds, rest = divmod(at, SECOND)
            kept = frame[: self._most]
            parts.append(struct.pack("<IIII", seconds, rest, len(kept), len(frame)) + kept)
        return b"".join(parts)

    def write(self, path: Path) -> None:
        """Write the capture file."""
        path.write_bytes(self.pcap())
