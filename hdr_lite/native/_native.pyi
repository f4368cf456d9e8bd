"""The extension's types. Lengths are bytes, times integer nanoseconds."""

from typing import Self, final

@final
class Ring:
    """One end of the shared-memory queue (core/ring.h)."""

    def __new__(cls, fd: int, format: bool = False) -> Self:
        """Map the memfd; with ``format`` make it an empty ring first.

        OSError: it cannot be mapped. ValueError: it is not sealed, no ring, or corrupt.
        """
    @staticmethod
    def size_for(capacity: int, /) -> int:
        """Bytes that a memfd needs for that much data."""
    def put(self, kind: int, time: int, body: bytes, /) -> bool:
        """Append a record; False (and counted) when it does not fit now.

        ValueError: it never will, or there is no such kind.
        """
    def ready(self) -> bool:
        """Whether a burst of records would fit."""
    def read(
        self, limit: int, mask: int, most: int = 4294967295, /
    ) -> list[tuple[int, int, int, bytes]]:
        """Up to ``limit`` records (number, kind, time, body) of the kinds in ``mask``.

        It also stops as soon as ``most`` bytes are held. What was read stays in the ring
        until ``commit``. ValueError: the ring is corrupt.
        """
    def pending(self) -> bool:
        """Whether there is more to read."""
    def commit(self) -> None:
        """Give back the space of all that was read."""
    def announce_sleep(self, producer: bool, /) -> None:
        """Say that this side (the producer, or else the consumer) is about to sleep."""
    def wants_wake(self, producer: bool, /) -> bool:
        """Whether that side had announced its sleep; asked once."""
    @property
    def used(self) -> int:
        """Bytes put and not committed."""
    @property
    def held(self) -> int:
        """Bytes that this end has read and not committed."""
    @property
    def capacity(self) -> int:
        """Bytes of data."""
    @property
    def number(self) -> int:
        """Of the record that this end puts next; counted from 1."""
    @property
    def dropped(self) -> tuple[int, ...]:
        """Records that found no room, by kind; each counts modulo 2**32."""

@final
class Meter:
    """Packets to records (core/meter.h)."""

    def __new__(
        cls,
        ring: Ring,
        /,
        *,
        wanted: int,
        wait: bool,
        secret: bytes,
        flows: int,
        applications: int,
        sources: int,
        attempt_timeout: int,
        tcp_idle: int,
        udp_idle: int,
        icmp_idle: int,
        closed_linger: int,
        active_timeout: int,
        fold_after: int,
        fold_interval: int,
        first_packets: int,
    ) -> Self: ...
    def packet(self, linktype: int, interface: int, ts: int, wire_length: int, data: bytes) -> bool:
        """One packet; False when the ring has no room and the meter waits."""
    def advance(self, now: int, /) -> bool:
        """Traffic time is at least now: end what is due. False: no room in the ring; call again."""
    def flush(self) -> bool:
        """End of input: every flow ends. False: no room in the ring; call again."""
    @property
    def now(self) -> int:
        """Traffic time, ns: the latest of the packets'; it never goes back."""
    @property
    def flows(self) -> int:
        """Flows in the table."""
    @property
    def memory(self) -> int:
        """Bytes held."""
    def counters(self) -> dict[str, int]:
        """Totals, by name; per kind as ``records.KIND`` and ``dropped.KIND``."""
    def events(self) -> dict[str, int]:
        """Named malformed events that were met."""

@final
class Tally:
    """Counts of what frames hold, in tshark's meaning (core/tally.h)."""

    def __new__(cls, linktype: int) -> Self: ...
    def packet(self, wire_length: int, data: bytes) -> None: ...
    def facts(self) -> dict[str, int]:
        """Every count by name; ``uncounted``: how often memory for distinct ones had run out."""
    def events(self) -> dict[str, int]:
        """Named malformed events that were met."""
    known: bool  # whether frames of this link type are decoded

@final
class Budget:
    """A heap of its own for a module, of at most so many bytes (core/budget.h).

    While it is entered, what Python code asks for is served from it, and refused with
    ``MemoryError`` past the limit. What still lives when the Budget goes keeps the heap.
    ``RuntimeError``: there are 1024 already, or this is no main interpreter.
    """

    def __new__(cls, limit: int) -> Self: ...
    def enter(self) -> None:
        """From here on Python's requests are served from this heap. ``RuntimeError``: another's."""
    def leave(self) -> bool:
        """No longer; whether this heap was entered."""
    @property
    def used(self) -> int:
        """Bytes held."""
    @property
    def peak(self) -> int:
        """The most bytes that were held."""
    @property
    def limit(self) -> int:
        """The most bytes that may be held."""
    @property
    def refused(self) -> int:
        """Requests that were answered with ``MemoryError``."""

@final
class Capture:
    """A libpcap handle that C reads (native/capture)."""

    @classmethod
    def open_file(cls, path: str, /) -> Capture:
        """OSError with libpcap's reason."""
    @classmethod
    def open_live(
        cls, interface: str, snap_length: int, promiscuous: bool, buffer: int
    ) -> Capture: ...
    @classmethod
    def borrow(cls, handle: object, /) -> Capture:
        """Read through the pcap_t of a pypcap object, which stays its owner."""
    linktype: int
    linktype_name: str
    def set_filter(self, filter: str, /) -> None: ...
    def fileno(self) -> int: ...
    def feed(self, meter: Meter, interface: int, limit: int, shift: int = 0) -> int:
        """Up to ``limit`` packets to the meter; their number. EOFError at the end of a file.

        ``shift`` is added to each time: it takes clock steps out of live traffic.
        """
    def tally(self, tally: Tally, limit: int) -> int: ...
    def stats(self) -> tuple[int, int, int]:
        """received, dropped by the kernel, dropped by the interface."""
    def position(self) -> int:
        """Bytes of the file read so far, for progress."""
    def close(self) -> None: ...

@final
class Nflog:
    """First packets from an NFLOG group, and the narrow capture beside it (native/netlink)."""

    def __new__(cls, fd: int, group: int, narrow: int = -1) -> Self:
        """Read these sockets, which stay the caller's and are open and configured."""
    @staticmethod
    def open_narrow() -> int:
        """A descriptor for the narrow capture: ARP, neighbour discovery, DHCP. OSError."""
    def add_interface(self, name: str, /) -> bool:
        """Give the name the next number; False when there are too many."""
    def leave_others(self) -> None:
        """The narrow capture takes frames of the interfaces that have a number now, no others."""
    def read(self, meter: Meter, limit: int, shift: int) -> int:
        """About ``limit`` packets of the group to the meter, at most; their number.

        ``shift`` is added to the wall clock: it takes clock steps out. OSError: it broke.
        """
    def read_narrow(self, meter: Meter, limit: int, shift: int) -> int:
        """Up to ``limit`` frames of the narrow capture to the meter."""
    def interfaces(self) -> list[str]:
        """Names in the order of the numbers that records have of them."""
    def counters(self) -> dict[str, int]:
        """packets, lost, overflows, malformed, foreign; frames, copies of the narrow capture."""

@final
class Conntrack:
    """Conntrack's events, dumps and answers to the meter (native/netlink)."""

    def __new__(cls, fd: int, delay: int) -> Self:
        """Read this socket, which stays the caller's.

        ``delay`` ns after a connection closed a question about its totals is due.
        """
    def add_route(self, network: bytes, bits: int, watched: bool, /) -> bool:
        """One more route (IPv4 as ::ffff:a.b.c.d); False when there are too many.

        The first that fits an address tells whether its interface is watched. Of connections
        older than the reader, only those with such an end are followed, once there are routes.
        """
    def read(self, meter: Meter, limit: int, shift: int) -> int:
        """About ``limit`` messages to the meter, at most; their number. OSError: it broke."""
    def due(self, meter: Meter, shift: int, /) -> bytes:
        """Questions to send on the socket now."""
    def counters(self) -> dict[str, int]:
        """events, polled, answers, dumps, asked, refused, overflows, malformed, foreign."""
    @staticmethod
    def timer(interval: int, /) -> int:
        """A descriptor that polls readable each so many ns."""
    @staticmethod
    def settle(timer: int, /) -> None:
        """Take note that the timer's descriptor was readable."""

def die_with_parent(signal: int, /) -> None:
    """Have the kernel send this process a signal when the one that forked it ends."""

def set_title(title: str, /) -> None:
    """Name this process in ps and top; 15 bytes are kept."""

def trim_memory() -> None:
    """Give the kernel back what libc keeps of freed memory."""

def hear_everywhere(fd: int, protocol: int, /) -> None:
    """Bind a packet socket to all interfaces and that protocol."""

def is_clock_synchronised() -> bool:
    """Whether the kernel was told that something keeps its clock right."""

def keep_capabilities() -> None:
    """Let the permitted capabilities outlive the change from root to another user."""

def limit_capabilities(bounding: int, /) -> None:
    """Take all but these (a bit each) out of the bounding set.

    OSError EPERM: without CAP_SETPCAP.
    """

def set_capabilities(capabilities: int, /) -> None:
    """Have these (a bit each), permitted and effective; none is inheritable or ambient.

    OSError EPERM: one of them is not permitted.
    """

def forbid_new_privileges() -> None:
    """Set no_new_privs, which nothing takes back."""

def restrict_calls(allowed: dict[str, tuple[int, ...]], fatal: tuple[str, ...], /) -> None:
    """Let this process make the allowed system calls only.

    Where values are given, a call's first argument (its low 32 bits) must be one of them.
    A fatal call ends the process, any other is EPERM and a line in the audit log. Calls
    that this machine does not have are passed over. ValueError: no such name anywhere.
    OSError: the kernel has no seccomp, or no_new_privs is not set.
    """
