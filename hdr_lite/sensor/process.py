"""The sensor process: opens the sources, feeds the meter, moves traffic time.

From a file it reads until the end, and waits wherever the ring is full, so that nothing is
lost. From interfaces it takes what the kernel has, never waits for the engine, and moves
traffic time on when no packets do. Either way the last record is the final ``Stats``,
unless another sensor is about to take its place.
"""

import json
import select
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from hdr_lite.config import LEAST_BUFFER, Config
from hdr_lite.link.codec import Answer, Ask, Failed, Finish, Notice, Opened, Progress, Request
from hdr_lite.link.end import End
from hdr_lite.link.figures import own_memory
from hdr_lite.link.stop import StopSignal
from hdr_lite.native import Meter
from hdr_lite.records.flow import Stats
from hdr_lite.records.kind import Kind
from hdr_lite.ring import RingMemory, RingWriter
from hdr_lite.sensor.meter import make_meter
from hdr_lite.sources.base import Source, SourceError
from hdr_lite.sources.capture import TIMEOUT_MS, open_file, open_interface
from hdr_lite.sources.clock import TrafficClock
from hdr_lite.sources.nflog import FirstPackets, NflogSource, Sockets

#: Packets that are read before anything else is looked at.
BATCH = 1024
#: Seconds between reports of progress.
REPORT_INTERVAL = 0.25
#: Milliseconds that an idle interface is slept on; then traffic time moves.
TICK_MS = 1000
#: Packets younger than this may still lie in the kernel's block: time stays behind them. ns.
LAG = 2 * TIMEOUT_MS * 1_000_000


class Opening(NamedTuple):
    """First packets: what is logged, its sockets, and how many of each side surely are."""

    what: FirstPackets
    sockets: Sockets
    sure: int


class Inputs(NamedTuple):
    """What is to be read: one file, or interfaces, or the first packets that pass them."""

    file: str = ""
    interfaces: tuple[str, ...] = ()
    first_packets: Opening | None = None  #: over ``interfaces``


def run_sensor(
    inputs: Inputs,
    config: Config,
    memory: RingMemory,
    wanted: int,
    end: End,
    stop: StopSignal,
    clock: TrafficClock | None = None,
) -> int:
    """The sensor process from start to end; its exit status.

    ``wanted`` has a bit for each kind of record that somebody reads. ``SourceError`` when
    a source cannot be opened. A service gives its ``clock``, which outlives a sensor; an
    interface that goes away is then waited for.
    """
    lasting = clock is not None
    if inputs.interfaces:
        clock = clock or TrafficClock()
    sources = _open(inputs, config, clock, end)
    ring = RingWriter(memory)
    sure = inputs.first_packets.sure if inputs.first_packets else 0
    meter = make_meter(ring.ring, wanted, config.meter, wait=clock is None, first_packets=sure)
    end.send(Opened(", ".join(f"{s.name} ({s.linktype}, {s.opener})" for s in sources)))
    for source in sources:
        if not source.decoded:
            end.send(Notice(f"{source.name}: link type {source.linktype} is not decoded"))
    sensor = Sensor(sources, meter, ring, end, stop)
    if lasting and clock is not None:
        sensor.reopen = partial(_open_again, inputs, config, clock, end)
    sensor.report()
    if clock is None:
        sensor.replay()
    else:
        sensor.watch(clock)
    return sensor.finish()


def _open(inputs: Inputs, config: Config, clock: TrafficClock | None, end: End) -> list[Source]:
    if clock is None:
        return [open_file(inputs.file, config.capture)]
    if inputs.first_packets:
        return [_open_first_packets(inputs.first_packets, inputs.interfaces, config, clock, end)]
    return [_open_interface(inputs, config, clock, name) for name in inputs.interfaces]


def _open_again(inputs: Inputs, config: Config, clock: TrafficClock, end: End, name: str) -> Source:
    """A source that broke, or whose interface had gone away, as what it was."""
    if inputs.first_packets:
        return _open_first_packets(inputs.first_packets, inputs.interfaces, config, clock, end)
    return _open_interface(inputs, config, clock, name)


def _open_interface(inputs: Inputs, config: Config, clock: TrafficClock, name: str) -> Source:
    """One interface, with its share of the capture buffer."""
    share = max(LEAST_BUFFER, config.capture.buffer // len(inputs.interfaces))
    index = inputs.interfaces.index(name)
    return open_interface(name, replace(config.capture, buffer=share), index, clock)


def _open_first_packets(
    opening: Opening,
    interfaces: tuple[str, ...],
    config: Config,
    clock: TrafficClock,
    end: End,
) -> NflogSource:
    """The source on copies of the sockets, which it may close; it asks through its parent."""
    sockets = Sockets(*(sock.dup() for sock in opening.sockets))
    names = {sock.fileno(): name for name, sock in zip(Sockets._fields, sockets, strict=True)}
    meter = config.meter
    shortest = min(meter.tcp_idle, meter.udp_idle, meter.icmp_idle)

    def ask(sock: socket.socket, request: bytes) -> None:
        end.send(Ask(names[sock.fileno()], request))

    poll = min(50.0, shortest * 0.8)
    return NflogSource(opening.what, sockets, clock, interfaces=interfaces, poll=poll, ask=ask)


class Sensor:
    """The loops over open sources."""

    #: Opens an interface again; None: one that is lost stays lost. ``SourceError``.
    reopen: Callable[[str], Source] | None = None

    def __init__(
        self, sources: list[Source], meter: Meter, ring: RingWriter, end: End, stop: StopSignal
    ) -> None:
        self._sources = sources
        self._meter = meter
        self._ring = ring
        self._end = end
        self._stop = stop
        self._errors: dict[str, str] = {}  # source -> how it broke
        self._reported = time.monotonic()
        self._retired = False  # another sensor takes over: the engine reads on

    def replay(self) -> None:
        """Read the file until its end, a break in it, or a signal."""
        (source,) = self._sources
        while not self._stop:
            try:
                taken = source.read(self._meter, BATCH)
            except EOFError:
                return
            except SourceError as error:
                if not self._stop:  # a signal interrupts a read from a pipe
                    self._broke(source, error)
                return
            if taken < BATCH:
                self._ring.wait_for_room()
            self._ring.notify()
            self._report_sometimes()

    def watch(self, clock: TrafficClock) -> None:
        """Take packets from the interfaces until a signal, or until none of them is left."""
        ready = select.poll()
        ready.register(self._stop, select.POLLIN)
        ready.register(self._end, select.POLLIN)
        live = {source.fileno(): source for source in self._sources}
        for descriptor in live:
            ready.register(descriptor, select.POLLIN)
        ticked = clock.now()
        while (live or self.reopen) and not self._stop and not self._retired:
            woken = [descriptor for descriptor, _ in ready.poll(TICK_MS)]
            if self._end.fileno() in woken:
                self._hear()
            now = clock.now()
            tick = now - ticked >= TICK_MS * 1_000_000
            # An interface that is down wakes nobody when it is removed: at a tick each is read.
            for descriptor in tuple(live) if tick else woken:
                if descriptor in live and not self._take(live[descriptor]):
                    ready.unregister(descriptor)
                    del live[descriptor]
            if tick:
                ticked = now
                self._meter.advance(now - LAG)  # it tells the time, too
                for source in self._returned(live):
                    ready.register(source.fileno(), select.POLLIN)
                    live[source.fileno()] = source
            self._ring.notify()
            self._report_sometimes()

    def _returned(self, live: dict[int, Source]) -> list[Source]:
        """Interfaces that are back, opened again."""
        back: list[Source] = []
        if self.reopen is None or len(live) == len(self._sources):
            return back
        for place, old in enumerate(self._sources):
            if old in live.values():
                continue
            try:
                new = self.reopen(old.name)
            except SourceError as error:
                self._errors[old.name] = str(error)
                continue
            old.close()
            self._sources[place] = new
            self._errors.pop(old.name, None)
            self._end.send(Notice(f"{old.name}: watched again"))
            back.append(new)
        return back

    def _hear(self) -> None:
        """Take what the parent sent."""
        for message in self._end.receive():
            match message:
                case Request():
                    self._end.send(Answer(message.number, json.dumps(self._figures(message))))
                case Finish():
                    self._retired = True

    def _figures(self, request: Request) -> dict[str, object]:
        """What ``hdr-lite status`` shows of the sensor."""
        ring = self._ring.ring
        return {
            "sources": self._facts(),
            "flows": self._meter.flows,
            "counters": self._meter.counters(),
            "malformed": self._meter.events(),
            "ring": {
                "used": ring.used,
                "capacity": ring.capacity,
                "dropped": {kind.name: n for kind in Kind if (n := ring.dropped[kind])},
            },
            "memory": own_memory() if json.loads(request.text).get("memory") else 0,
        }

    def finish(self) -> int:
        """End every flow, tell the final counters; the exit status."""
        for source in self._sources:
            if isinstance(source, NflogSource):
                source.conclude(self._meter)
        while not self._meter.flush():
            self._ring.wait_for_room()
        stats = Stats(
            not self._retired, self._meter.counters(), self._meter.events(), self._facts()
        )
        while not self._ring.ready:
            self._ring.wait_for_room()
        self._ring.put_record(Kind.STATS, self._meter.now, stats)
        self._ring.notify()
        self.report()
        lost = len(self._errors) == len(self._sources) and self._sources[0].live
        for source in self._sources:
            source.close()
        if lost:
            self._end.send(Failed("there is no interface left to watch", 1))
        return 1 if lost else 0

    def _take(self, source: Source) -> bool:
        """What an interface has now; False when it broke."""
        try:
            while source.read(self._meter, BATCH) == BATCH and not self._stop:
                self._ring.notify()
                self._report_sometimes()
        except SourceError as error:
            self._broke(source, error)
            return False
        return True

    def _broke(self, source: Source, error: SourceError) -> None:
        self._errors[source.name] = str(error)
        some = source.stats().packets > 0
        self._end.send(Notice(f"{error}; what came before it counts" if some else str(error)))

    def _facts(self) -> list[dict[str, object]]:
        """What the final counters say about each source."""
        return [
            {
                "name": source.name,
                "linktype": source.linktype,
                "opener": source.opener,
                **source.stats()._asdict(),
                "error": self._errors.get(source.name, ""),
            }
            for source in self._sources
        ]

    def _report_sometimes(self) -> None:
        """Tell how far it is, if that was not told just now."""
        if time.monotonic() - self._reported >= REPORT_INTERVAL:
            self.report()

    def report(self) -> None:
        """Tell the supervisor how far it is."""
        self._reported = time.monotonic()
        counters = self._meter.counters()
        stats = [source.stats() for source in self._sources]
        self._end.send(
            Progress(
                packets=counters["packets"],
                bytes=counters["bytes"],
                position=sum(source.position() for source in self._sources),
                dropped=sum(s.dropped + s.interface_dropped for s in stats),
            )
        )
