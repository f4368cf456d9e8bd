"""First packets: what a router's own nftables rules log of each connection, and conntrack's rest.

Three sockets feed one meter: an NFLOG group with the first packets of each direction and every
FIN and RST; conntrack's events, with a dump at the start and a poll now and then, for totals,
ends and outside addresses; and a packet socket for ARP, neighbour discovery and DHCP.

The rules are text here (:func:`log_rules`); whoever owns the table applies them.
"""

import contextlib
import errno
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hdr_lite.native import Conntrack, Meter, Nflog
from hdr_lite.sources import conntrack
from hdr_lite.sources.base import SourceError, SourceStats
from hdr_lite.sources.clock import TrafficClock
from hdr_lite.sources.netlink import ACK, ask, attribute, explain, message, open_socket
from hdr_lite.sources.routes import routes

#: After conntrack and de-NAT (-100), so that both directions carry inside addresses.
PRIORITY = -90
#: Packets a second above which the kernel hands packets over in batches, and below which no more.
BUSY, CALM = 2000, 1000
#: Packets in a batch when it is busy; 1 otherwise: each at once.
BATCH = 32
#: Seconds between the source's own looks at the clock.
TICK = 0.5
#: Ticks between dumps when one is wanted at once, or again.
HURRY_TICKS = 3
#: Seconds that events wait at least for each other while packets come, and how many are read.
EVENTS_INTERVAL, EVENTS = 0.02, 65536
#: Nanoseconds from the end of a connection to the question about its totals: its last packets
#: have passed, and the meter, which keeps it for seconds, still has it.
QUESTION_DELAY = 1_000_000_000
#: Seconds from the end of a connection within which its totals are known: the event of the end,
#: the question and the answer wait for a tick each.
TOTALS_WITHIN = 3.0
#: Hundredths of a second that the kernel has for its last counts.
CONCLUSION = 50

_WHAT = "first packets"
_MODULE = "nfnetlink_log (NFLOG)"
_CONFIG, _UNKNOWN = 0x401, 0x4FF
_COMMAND, _MODE, _BUFFER, _TIMEOUT, _THRESHOLD, _FLAGS = 1, 2, 3, 4, 5, 6
_BIND, _COPY_PACKET, _NUMBERED = 1, 2, 1


@dataclass(frozen=True, slots=True)
class FirstPackets:
    """What is logged of a connection, and to which NFLOG group."""

    packets: int = 8  #: of each direction
    snap_length: int = 512  #: bytes of each, from the IP header on
    group: int = 1789
    buffer: int = 2 << 20  #: bytes of the socket's buffer
    login_ports: tuple[int, ...] = ()  #: TCP ports of servers of which more packets are logged
    login_packets: int = 0  #: of each direction of their connections
    inside: tuple[str, ...] = ()  #: interfaces whose connections are logged; none: of all


# The rules


def log_rules(what: FirstPackets, table: str) -> str:
    """An ``inet`` table that is to be made, in nftables' own language; a line for each rule.

    Its chains log each packet at most once and accept all. DHCP is left to the narrow capture,
    since servers answer past netfilter.
    """
    lines = [f"table inet {table} {{"]
    if _more_of_logins(what):
        ports = ", ".join(map(str, what.login_ports))
        lines.append(f"set login {{ type inet_service; elements = {{ {ports} }}; }}")
    chains = [*_chains(what)]
    for name, hook, _ in chains:
        lines.append(f"chain {name} {{ {hook} }}")
    lines.append("}")
    for name, _, rules in chains:
        lines += [f"add rule inet {table} {name} {rule}" for rule in rules]
    return "\n".join((*lines, ""))


def _more_of_logins(what: FirstPackets) -> bool:
    return bool(what.login_ports) and what.login_packets > what.packets


def _chains(what: FirstPackets) -> Iterator[tuple[str, str, list[str]]]:
    """Name, hook and rules of each chain; those that are gone to come first.

    A packet that comes in is of the inside if it comes from there or is on its way there: that
    is asked of the routes, and of first packets only.
    """
    log = f"log group {what.group} snaplen {what.snap_length} return"
    inside = ", ".join(f'"{name}"' for name in what.inside)
    sides = {
        "prerouting": ("iifname", ("iifname", "fib daddr oifname")),
        "output": ("oifname", ("oifname",)),
    }
    for hook, (_, ways) in sides.items():
        if what.inside:
            yield f"{hook}_inside", "", [f"{way} {{ {inside} }} {log}" for way in ways]
    for hook, (interface, _) in sides.items():
        rules = [f'{interface} "lo" return', "udp dport { 67, 68, 546, 547 } return"]
        rules += _matches(what, f"goto {hook}_inside" if what.inside else log)
        yield hook, f"type filter hook {hook} priority {PRIORITY};", rules


def _matches(what: FirstPackets, log: str) -> Iterator[str]:
    """The rules that log; what most packets are not comes first in each."""
    for direction in ("original", "reply"):
        yield f"ct direction {direction} ct {direction} packets 1-{what.packets} {log}"
    if _more_of_logins(what):
        more = f"{what.packets + 1}-{what.login_packets}"
        # The server's own port: a forwarded one is translated by now, and back only later.
        for direction, port in (("original", "dport"), ("reply", "sport")):
            yield f"ct direction {direction} ct {direction} packets {more} tcp {port} @login {log}"
    yield f"ct state established tcp flags & (fin | rst) != 0 {log}"


# The sockets


class Sockets(NamedTuple):
    """What the source reads, open and configured; needs no privilege any more to be read."""

    log: socket.socket
    conntrack: socket.socket
    narrow: socket.socket

    def close(self) -> None:
        """Close all of them."""
        for sock in self:
            sock.close()


def open_sockets(what: FirstPackets) -> Sockets:
    """Open all three. ``SourceError``: one sentence about the piece that is lacking."""
    opened: list[socket.socket] = []
    try:
        opened.append(open_log(what))
        opened.append(conntrack.open_events())
        opened.append(open_narrow())
    except SourceError:
        for sock in opened:
            sock.close()
        raise
    return Sockets(*opened)


def open_log(what: FirstPackets) -> socket.socket:
    """A socket that receives what is logged to the group. ``SourceError`` in one sentence."""
    try:
        sock = open_socket(0, what.buffer)
    except OSError as error:
        raise explain(error, _WHAT, _MODULE) from None
    try:
        ask(sock, _configuration(what.group, attribute(_COMMAND, bytes([_BIND]))))
        mode = struct.pack(">IBB", what.snap_length, _COPY_PACKET, 0)
        ask(sock, _configuration(what.group, attribute(_MODE, mode)))
        for option in (
            attribute(_FLAGS, struct.pack(">H", _NUMBERED)),
            attribute(_TIMEOUT, struct.pack(">I", 0)),
        ):
            ask(sock, _configuration(what.group, option))
        ask(sock, threshold_request(what.group, 1))
    except OSError as error:
        sock.close()
        if _is_taken(error):
            raise SourceError(
                f"{_WHAT}: NFLOG group {what.group} is in use by another program"
            ) from None
        raise explain(error, _WHAT, _MODULE) from None
    sock.setblocking(False)
    return sock


def _is_taken(error: OSError) -> bool:
    """Whether binding failed because another socket has the group: EPERM, as without privilege.

    With privilege a request that no part of the kernel knows is refused for another reason.
    """
    if error.errno != errno.EPERM:
        return error.errno == errno.EBUSY
    with open_socket(0, 4096) as sock:
        try:
            ask(sock, message(_UNKNOWN, flags=ACK))
        except OSError as answer:
            return answer.errno != errno.EPERM
    return True


def _configuration(group: int, *attributes: bytes, flags: int = ACK) -> bytes:
    return message(_CONFIG, *attributes, flags=flags, resource=group)


def threshold_request(group: int, packets: int, flags: int = ACK) -> bytes:
    """Have the kernel hand over so many packets at once.

    It takes a buffer of its own for each hand-over, at first of full size: no larger than needed.
    """
    size = attribute(_BUFFER, struct.pack(">I", 32768 if packets > 1 else 8192))
    threshold = attribute(_THRESHOLD, struct.pack(">I", packets))
    return _configuration(group, size, threshold, flags=flags)


def open_narrow() -> socket.socket:
    """A socket for the ARP, neighbour discovery and DHCP of all interfaces."""
    try:
        return socket.socket(fileno=Nflog.open_narrow())
    except PermissionError:
        raise SourceError(
            "neighbours: not permitted: capturing needs root or CAP_NET_RAW"
        ) from None
    except OSError as error:
        raise SourceError(
            f"neighbours: the kernel lacks packet sockets: {error.strerror}"
        ) from None


# The source


def _send(sock: socket.socket, request: bytes) -> None:
    """Send a request ourselves; an answer, a refusal too, comes to the reader."""
    # A buffer that is full now is no harm: what was asked for is asked again.
    with contextlib.suppress(BlockingIOError, PermissionError):
        sock.send(request)


class NflogSource:
    """The three sockets as one source. See :class:`~hdr_lite.sources.base.Source`.

    ``ask`` sends a request on one of the sockets; a sensor without CAP_NET_ADMIN hands it to
    whoever has it. The meter that is read into needs ``first_packets``. ``interfaces`` get the
    first numbers, in their order; others follow as they are met. ``poll`` is seconds between
    dumps: less than the meter's shortest idle timeout. Of ``what.inside`` alone are neighbours,
    and connections that are older than the source.
    """

    name = "nflog"
    live = True
    opener = "netlink"
    linktype = "NFLOG"
    decoded = True

    def __init__(
        self,
        what: FirstPackets,
        sockets: Sockets,
        clock: TrafficClock,
        *,
        interfaces: Iterable[str] = (),
        poll: float = 50.0,
        ask: Callable[[socket.socket, bytes], None] = _send,
    ) -> None:
        self._what = what
        self._sockets = sockets
        self._clock = clock
        self._ask = ask
        self._nflog = Nflog(sockets.log.fileno(), what.group, sockets.narrow.fileno())
        self._conntrack = Conntrack(sockets.conntrack.fileno(), QUESTION_DELAY)
        for name in what.inside or interfaces:
            self._nflog.add_interface(name)
        if what.inside:
            self._nflog.leave_others()
            for route in routes():
                self._conntrack.add_route(route.network, route.bits, route.interface in what.inside)
        self._timer = Conntrack.timer(round(TICK * 1_000_000_000))
        self._ready = select.epoll()
        # Conntrack's events do not wake anybody: they are read with packets, and at each tick.
        for descriptor in (sockets.log.fileno(), sockets.narrow.fileno(), self._timer):
            self._ready.register(descriptor, select.EPOLLIN)
        self._events_read = 0.0
        self._poll_ticks = max(1, round(poll / TICK))
        self._ticks = 0
        self._older = 0  # dumps of older connections that were not for us
        self._next_poll = self._poll_ticks
        self._packets = 0  # at the last tick
        self._reasons = (0, 0)  # to hurry that a dump has answered
        self._threshold = 1

    @property
    def interfaces(self) -> list[str]:
        """Names of the interfaces, in the order of the numbers that records have of them."""
        return self._nflog.interfaces()

    def read(self, meter: Meter, limit: int) -> int:
        """Feed about ``limit`` packets at most, and what conntrack told meanwhile."""
        shift = self._clock.shift()
        ready = {descriptor for descriptor, _ in self._ready.poll(0)}
        try:
            taken = self._nflog.read(meter, limit, shift)
            if self._sockets.narrow.fileno() in ready:
                taken += self._nflog.read_narrow(meter, limit, shift)
            # Before anything is asked: a reader before us may have left a dump that is under way.
            self._read_events(meter, shift, at_once=self._timer in ready)
            if self._timer in ready:
                Conntrack.settle(self._timer)
                self._tick(meter, shift)
        except OSError as error:
            raise SourceError(f"{self.name}: broken: {error.strerror}") from None
        return min(taken, limit)

    def conclude(self, meter: Meter) -> None:
        """Have the kernel's last counts of all connections, before the meter's flows end."""
        self._ask(self._sockets.conntrack, conntrack.dump_request(conntrack.POLL))
        before = self._conntrack.counters()
        for _ in range(CONCLUSION):
            select.select([self._sockets.conntrack], [], [], 0.01)
            with contextlib.suppress(OSError):
                self._conntrack.read(meter, EVENTS, self._clock.shift())
            counts = self._conntrack.counters()
            told = counts["dumps"] + counts["refused"] > before["dumps"] + before["refused"]
            if told:
                return

    def fileno(self) -> int:
        """A descriptor that polls readable when there is anything to do."""
        return self._ready.fileno()

    def position(self) -> int:
        """Nothing: it is no file."""
        return 0

    def stats(self) -> SourceStats:
        """Counters so far; dropped is what the kernel had no room for."""
        counts = self._nflog.counters()
        return SourceStats(counts["packets"] + counts["frames"], counts["lost"], 0)

    def counters(self) -> dict[str, int]:
        """All that is counted of the sockets, ``conntrack.`` before what is of that one."""
        return self._nflog.counters() | {
            f"conntrack.{name}": count for name, count in self._conntrack.counters().items()
        }

    def close(self) -> None:
        """Close the sockets."""
        self._ready.close()
        os.close(self._timer)
        self._sockets.close()

    def _read_events(self, meter: Meter, shift: int, *, at_once: bool) -> None:
        """Read what conntrack told, many events at a time: none of them is urgent."""
        now = time.monotonic()
        if at_once or now - self._events_read >= EVENTS_INTERVAL:
            self._events_read = now
            self._conntrack.read(meter, EVENTS, shift)

    def _tick(self, meter: Meter, shift: int) -> None:
        self._switch_threshold()
        while questions := self._conntrack.due(meter, shift):
            self._ask(self._sockets.conntrack, questions)
        if self._lacks_older():
            self._ask(self._sockets.conntrack, conntrack.dump_request(conntrack.OLDER))
        elif self._ticks >= self._next_poll or self._should_hurry(meter):
            self._next_poll = self._ticks + self._poll_ticks
            self._ask(self._sockets.conntrack, conntrack.dump_request(conntrack.POLL))
        self._ticks += 1

    def _lacks_older(self) -> bool:
        """Whether to ask (again) for the connections that were there before us."""
        older = self._conntrack.counters()["older"]
        if self._ticks == 0:
            self._older = older
        return older == self._older and self._ticks % HURRY_TICKS == 0

    def _should_hurry(self, meter: Meter) -> bool:
        """Whether a dump is due at once: events were lost, or never sent, about what ended."""
        if self._ticks % HURRY_TICKS:
            return False
        reasons = (self._conntrack.counters()["overflows"], meter.counters()["older_ended"])
        before, self._reasons = self._reasons, reasons
        return reasons != before

    def _switch_threshold(self) -> None:
        """Hand-over packet by packet while there are few, in batches while there are many."""
        packets = self._nflog.counters()["packets"]
        rate = (packets - self._packets) / TICK
        self._packets = packets
        wanted = BATCH if rate > BUSY else 1 if rate < CALM else self._threshold
        if wanted != self._threshold:
            self._threshold = wanted
            request = threshold_request(self._what.group, wanted, flags=0)
            self._ask(self._sockets.log, request)
