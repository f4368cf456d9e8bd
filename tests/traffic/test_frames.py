"""Frames against examples worked out elsewhere."""

import struct

from tests.traffic import frames


def test_checksum_of_rfc_1071() -> None:
    """The RFC's example: the sum ddf2, complemented."""
    assert frames.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF ^ 0xDDF2
    assert frames.checksum(b"\x01") == 0xFEFF


def test_header_sums_to_nothing() -> None:
    """An IPv4 header together with its checksum sums to zero; its lengths are right."""
    packet = frames.ip("192.168.7.20", "198.51.100.1", frames.UDP, b"abc", ident=7)
    assert frames.checksum(packet[:20]) == 0
    assert struct.unpack("!H", packet[2:4]) == (23,)
    assert packet[8] == 64


def test_transport_sums_over_the_pseudo_header() -> None:
    """TCP, UDP over both versions of IP: sum of pseudo header and segment is zero."""
    for here, there in (("192.168.7.1", "192.168.7.2"), ("fd00::1", "2001:db8::2")):
        segment = frames.tcp((here, 1), (there, 2), frames.SYN, options=b"\x02\x04\x05\xb4\x01")
        datagram = frames.udp((here, 1), (there, 2), b"odd")
        for protocol, data in ((frames.TCP, segment), (frames.UDP, datagram)):
            packet = frames.ip(here, there, protocol, data)
            addresses = packet[8:40] if ":" in here else packet[12:20]
            pseudo = addresses + struct.pack("!II", len(data), protocol)
            assert frames.checksum(pseudo + data) == 0
        assert segment[12] >> 4 == 7


def test_arp_and_padding() -> None:
    """An ARP request as RFC 826 lays it out, padded to the least frame."""
    message = frames.arp(1, "02:00:00:00:00:01", "192.168.7.1", frames.NO_MAC, "192.168.7.2")
    assert message.hex() == "0001080006040001020000000001c0a80701000000000000c0a80702"
    frame = frames.ethernet("02:00:00:00:00:01", frames.BROADCAST, frames.ARP, message)
    assert len(frame) == 60
    assert frame.startswith(b"\xff" * 6 + bytes.fromhex("0200000000010806"))


def test_icmp_of_both_versions() -> None:
    """ICMP sums over itself alone, ICMPv6 over the pseudo header too."""
    assert frames.checksum(frames.echo(8, 1, 2, b"ping")) == 0
    message = frames.icmp6("fe80::1", "fe80::2", 128, 0, b"\0\1\0\1")
    packet = frames.ip("fe80::1", "fe80::2", frames.ICMP6, message)
    pseudo = packet[8:40] + struct.pack("!II", len(message), frames.ICMP6)
    assert frames.checksum(pseudo + message) == 0
