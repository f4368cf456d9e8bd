"""Asks over ARP: the packet socket of the trials, their frames and their ends.

The socket is opened before CAP_NET_RAW is given up. It hears nothing while nobody is accused; then
a filter in the kernel lets ARP of the accused MACs pass and nothing else.
"""

import fcntl
import socket
import struct
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress

from hdr_lite.enforcer.trial import Heard, Suspect, Trial
from hdr_lite.native import hear_everywhere
from hdr_lite.records.verb import Quarantine

#: Accused that are asked at the same time.
MOST = 8
_ARP, _ALL = 0x0806, 0x0003
_NOBODYS = 0x88B5  # for experiments (IEEE 802, clause 9): nobody speaks it
_ATTACH_FILTER = 26
_OUTGOING = 4
_SIOCGIFHWADDR = 0x8927
_FRAME = struct.Struct("!6s6sHHHBBH6s4s6s4s")
_REQUEST, _REPLY = 1, 2


def open_socket() -> socket.socket:
    """It hears nothing yet. Needs CAP_NET_RAW."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    sock.setblocking(False)
    return sock


class Prober:
    """The trials under way. ``now`` is any clock that runs on."""

    def __init__(self, sock: socket.socket | None, now: Callable[[], float]) -> None:
        """Without a socket nobody can be asked."""
        self._socket = sock
        self._now = now
        self._trials: dict[str, tuple[Quarantine, Trial]] = {}  # by MAC
        self._ports: frozenset[str] = frozenset()

    @property
    def able(self) -> bool:
        """Whether somebody can be asked at all."""
        return self._socket is not None

    def fileno(self) -> int:
        """Polls readable when an accused has spoken; -1, which poll passes over: never."""
        return -1 if self._socket is None else self._socket.fileno()

    def begin(self, order: Quarantine, suspect: Suspect, ports: frozenset[str]) -> str:
        """Try a suspect; why that cannot be, "" when it can. ``ports``: those of bridges."""
        if suspect.mac in self._trials:
            return "it is being asked already"
        if self._socket is None:
            return "it cannot be asked over ARP: that needs CAP_NET_RAW at the start"
        if len(self._trials) >= MOST:
            return f"{MOST} others are being asked"
        self._ports = ports
        self._trials[suspect.mac] = (order, Trial(suspect, self._now()))
        self._listen(self._socket)
        return ""

    def work(self) -> Iterator[tuple[Quarantine, str]]:
        """Read, ask, and the orders whose verdict is known: "" where the accused is it."""
        if self._socket is None or not self._trials:
            return
        for heard, mac in self._read(self._socket):
            if mac in self._trials and self._trials[mac][1].hear(heard, self._now()):
                self._ask(self._socket, self._trials[mac][1].suspect)
        for order, trial in list(self._trials.values()):
            if trial.tick(self._now()):
                self._ask(self._socket, trial.suspect)
            if trial.verdict is not None:
                del self._trials[trial.suspect.mac]
                self._listen(self._socket)
                yield order, trial.verdict

    def due(self) -> float | None:
        """When there is something to do at the latest."""
        return min((trial.due() for _, trial in self._trials.values()), default=None)

    def _listen(self, sock: socket.socket) -> None:
        """To the accused, or to nobody."""
        steps = array("Q", arp_filter([bytes.fromhex(m.replace(":", "")) for m in self._trials]))
        address, count = steps.buffer_info()
        sock.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("@HP", count, address))
        hear_everywhere(sock.fileno(), _ALL if self._trials else _NOBODYS)

    def _read(self, sock: socket.socket) -> Iterator[tuple[Heard, str]]:
        while True:
            try:
                frame, (name, _protocol, kind, *_) = sock.recvfrom(_FRAME.size)
            except BlockingIOError:
                return
            except OSError:
                continue  # ENETDOWN: an interface went away
            if len(frame) == _FRAME.size and kind != _OUTGOING:
                _, source, *_, operation, mac, ip, _target_mac, target = _FRAME.unpack(frame)
                port = name if name in self._ports else ""
                ends = (mac.hex(":"), socket.inet_ntoa(ip), socket.inet_ntoa(target))
                yield Heard(port, operation == _REPLY, *ends), source.hex(":")

    def _ask(self, sock: socket.socket, suspect: Suspect) -> None:
        """Who has its own address? To its MAC alone."""
        with suppress(OSError):  # no such interface now, or no room: it counts as not answered
            ours = _mac_of(sock, suspect.interface)
            sock.sendto(question(suspect, ours), (suspect.interface, _ARP))


def question(suspect: Suspect, ours: bytes) -> bytes:
    """The frame."""
    mac = bytes.fromhex(suspect.mac.replace(":", ""))
    source, own = socket.inet_aton(suspect.source), socket.inet_aton(suspect.own)
    head = (mac, ours, _ARP, 1, 0x0800, 6, 4, _REQUEST)
    return _FRAME.pack(*head, ours, source, bytes(6), own)


def _mac_of(sock: socket.socket, interface: str) -> bytes:
    answer = fcntl.ioctl(sock, _SIOCGIFHWADDR, struct.pack("16s24x", interface.encode()))
    return answer[18:24]


def arp_filter(macs: list[bytes]) -> list[int]:
    """Classic BPF that passes ARP whose Ethernet source is one of these; a step is 64 bits."""
    load_half, load_word, equal, give = 0x28, 0x20, 0x15, 0x06
    steps = [(load_half, 0, 0, 12), (equal, 1, 0, _ARP), (give, 0, 0, 0)]
    for mac in macs:
        high, low = struct.unpack("!IH", mac)
        steps += [(load_word, 0, 0, 6), (equal, 0, 3, high)]
        steps += [(load_half, 0, 0, 10), (equal, 0, 1, low), (give, 0, 0, _FRAME.size)]
    steps.append((give, 0, 0, 0))
    return [int(struct.unpack("=Q", struct.pack("=HBBI", *step))[0]) for step in steps]
