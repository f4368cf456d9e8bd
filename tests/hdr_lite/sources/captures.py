"""Small capture files, made byte by byte."""

import struct
from collections.abc import Iterable
from pathlib import Path

#: link-type EN10MB of classic pcap.
ETHERNET = 1


def udp_frame(number: int = 0, payload: bytes = b"hello") -> bytes:
    """An Ethernet frame with a UDP datagram from 10.0.0.1; checksums are left out (0)."""
    udp = struct.pack(">HHHH", 1000 + number % 50000, 7, 8 + len(payload), 0) + payload
    ip = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2"
    )
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + udp


def pcap(
    path: Path, packets: Iterable[tuple[int, bytes]], *, wire_extra: int = 0, nano: bool = True
) -> Path:
    """Write packets (time in ns, frame) as a classic capture file."""
    magic, unit = (0xA1B23C4D, 1) if nano else (0xA1B2C3D4, 1000)
    out = bytearray(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 65535, ETHERNET))
    for ts, frame in packets:
        seconds, rest = divmod(ts, 10**9)
        out += struct.pack("<IIII", seconds, rest // unit, len(frame), len(frame) + wire_extra)
        out += frame
    path.write_bytes(out)
    return path
