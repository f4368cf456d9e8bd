"""More first packets of connections that somebody logs in by, in every way through a router."""

import os
import shutil
import socket
import struct
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from hdr_lite.sources.netlink import messages
from hdr_lite.sources.nflog import FirstPackets, log_rules, open_log
from tests.netns import router as names
from tests.netns.bed import listening, within
from tests.netns.network import Namespace
from tests.netns.router import routed

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
    pytest.mark.skipif(shutil.which("nft") is None, reason="needs nftables"),
]

WHAT = FirstPackets(login_ports=(22, 23), login_packets=30)
WORDS = 50
FORWARDED = f"""
table ip nat {{
    chain in {{
        type nat hook prerouting priority dstnat
        iifname "wan0" tcp dport 2022 dnat to {names.LAN4}:22
        iifname "wan0" tcp dport 23 dnat to {names.LAN4}:80
    }}
}}
"""
_PACKET, _PAYLOAD = 4 << 8, 9
_FIN, _RST = 1, 4


def _converse(client: Namespace, host: str, port: int, listener: socket.socket) -> None:
    """Words there and back, each in a packet of its own."""

    listener.settimeout(10)

    def echo() -> None:
        peer, _ = listener.accept()
        with peer:
            while word := peer.recv(1):
                peer.send(word)

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        ThreadPoolExecutor(1) as other,
        within(client, lambda: socket.socket(family, socket.SOCK_STREAM)) as sock,
    ):
        sock.settimeout(10)
        done = other.submit(echo)
        sock.connect((host, port))
        for _ in range(WORDS):
            sock.send(b"x")
            assert sock.recv(1) == b"x"
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""
        done.result()


def _shown(log: socket.socket, client: str) -> Counter[bool]:
    """How many packets were shown that end nothing: of the client, of the server."""
    shown: Counter[bool] = Counter()
    while True:
        try:
            datagram = log.recv(65536)
        except BlockingIOError:
            return shown
        for kind, _, body in messages(datagram):
            if kind == _PACKET:
                source, flags = _read(_payload(body[4:]))
                shown[source == client] += not flags & (_FIN | _RST)


def _payload(attributes: bytes) -> bytes:
    while attributes:
        length, kind = struct.unpack_from("=HH", attributes)
        if kind == _PAYLOAD:
            return attributes[4:length]
        attributes = attributes[(length + 3) & ~3 :]
    raise AssertionError("a packet without content")


def _read(packet: bytes) -> tuple[str, int]:
    """Where a TCP packet is from, and its flags."""
    if packet[0] >> 4 == 4:
        return socket.inet_ntop(socket.AF_INET, packet[12:16]), packet[(packet[0] & 15) * 4 + 13]
    return socket.inet_ntop(socket.AF_INET6, packet[8:24]), packet[40 + 13]


def test_each_way() -> None:
    """IPv4, IPv6, a forwarded port (the server's own decides), the router's own server: 30 of
    each direction of logins, 8 of all else, though more passed."""
    with routed() as net:
        net.nft(FORWARDED)
        net.nft(log_rules(WHAT, "hdr_lite"))
        with within(net.router, lambda: open_log(WHAT)) as log:
            for client, asked, port, host, own, packets in (
                (names.OUTSIDE4, names.LAN4, 22, net.lan, 22, 30),
                (names.OUTSIDE4, names.LAN4, 80, net.lan, 80, 8),
                (names.OUTSIDE6, names.LAN6, 22, net.lan, 22, 30),
                (names.OUTSIDE6, names.LAN6, 80, net.lan, 80, 8),
                (names.OUTSIDE4, names.WAN4, 2022, net.lan, 22, 30),
                (names.OUTSIDE4, names.WAN4, 23, net.lan, 80, 8),
                (names.OUTSIDE4, names.WAN4, 22, net.router, 22, 30),
                (names.OUTSIDE6, names.WAN6, 22, net.router, 22, 30),
            ):
                with listening(host, own) as listener:
                    _converse(net.outside, asked, port, listener)
                assert _shown(log, client) == {True: packets, False: packets}, (asked, port)
