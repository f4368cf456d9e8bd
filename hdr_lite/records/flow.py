"""Connections and flows, as the meter reports them.

A record is the msgpack array of its fields in order, written by
``native/core/record.c`` and its callers. Times and durations are integer
nanoseconds of traffic time; addresses are text; ``proto`` is ``tcp``, ``udp``,
``icmp``, ``icmp6`` or the protocol number as text. For ICMP ``sport`` is the
type and ``dport`` the code of the first packet, as in Zeek.
"""

from typing import NamedTuple


class Conn(NamedTuple):
    """A connection at its start (channel ``new_conn``)."""

    ts: int
    uid: str
    saddr: str
    sport: int
    daddr: str
    dport: int
    proto: str
    flags: int  #: TCP flags of the first packet, 0 otherwise
    smac: str  #: "" when the link has none
    dmac: str
    vlan: int
    interface: int  #: index in the list of sources


class Fate(NamedTuple):
    """What became of a connection (channel ``conn_fate``): known once, told once.

    ``fate`` is ``answered`` (SYN-ACK, or any reply for other protocols),
    ``refused`` (RST, or an ICMP unreachable about it), ``unanswered`` (nothing
    within the attempt timeout) or ``unseen`` (the same, though the originator went on
    as if a reply had come: it may be that replies are not captured). An answered one may
    be told once more, when its originator gave it up within three seconds, having said nothing:
    as ``abandoned`` (reset, and nothing was said on either side) or else as ``left`` (ended after
    a whole handshake).
    """

    ts: int  #: start of the connection
    uid: str
    saddr: str
    sport: int
    daddr: str
    dport: int
    proto: str
    flags: int  #: TCP flags of the first packet
    fate: str
    reply: int  #: TCP flags of the reply, 0 when there was none
    smac: str
    vlan: int
    interface: int
    handshake: bool = False  #: as in ``Flow``, so far


class Flow(NamedTuple):
    """A finished flow, or the checkpoint of a long one (channel ``new_flow``).

    Counts are totals since the start. ``state`` and ``history`` have Zeek's
    meaning (conn.log); ``end`` is IPFIX's flowEndReason in words: ``idle``,
    ``active`` (a checkpoint: the flow goes on), ``end``, ``forced``, ``resources``.
    """

    ts: int  #: time of the first packet
    uid: str
    saddr: str
    sport: int
    daddr: str
    dport: int
    proto: str
    service: str  #: Zeek's name, "" when unknown
    duration: int
    sbytes: int  #: payload bytes of the originator, by the headers
    dbytes: int
    state: str
    history: str
    spkts: int
    dpkts: int
    sipbytes: int  #: IP bytes of the originator
    dipbytes: int
    smac: str
    dmac: str
    vlan: int
    interface: int
    end: str
    handshake: bool  #: the originator acknowledged the responder's sequence number
    outside: str = ""  #: address that the translated end has for the other; "" when not known
    outside_port: int = 0


class Attempts(NamedTuple):
    """Failed attempts told as a sum (channel ``attempts``).

    Beyond the first few a minute, failed connections of one source, or to one
    target, are summed by the meter. ``role`` says whose sum it is: ``source``
    (``saddr`` is set) or ``target`` (``daddr`` and ``dport`` are). Fields that
    differed between the attempts are "" or 0; the distinct counts are estimates.
    """

    first: int
    last: int
    role: str
    saddr: str
    daddr: str
    dport: int
    proto: str
    flags: int  #: TCP flags of the first packets (ICMP: their type), 0 when they differed
    attempts: int
    refused: int
    unanswered: int
    addresses: int  #: distinct addresses on the other side
    ports: int  #: distinct destination ports
    smac: str
    interface: int


class Probes(NamedTuple):
    """Much that a source tried and nothing has answered yet (channel ``probes``).

    Told at ten, twenty and forty distinct ports of one host, or hosts of one port, in one
    interval of the meter and without waiting for their fates, which follow. What was refused
    counts as not answered. Address, ports and flags are the latest attempt's.
    """

    ts: int  #: of the first
    saddr: str
    sport: int
    daddr: str
    dport: int
    proto: str
    flags: int  #: TCP flags of the first packet
    hosts: int  #: distinct ones that were tried; 1 when only ports differ
    ports: int  #: the same of ports, 1 when only hosts differ
    answered: int  #: of those
    smac: str
    interface: int


class Clock(NamedTuple):
    """Traffic time moved on, though nothing else was to be told."""

    ts: int


class Stats(NamedTuple):
    """Counters of the sensor since its start; the one with ``final`` ends the input."""

    final: bool
    counters: dict[str, int]  #: packets, bytes, flows, ... as ``Meter.counters()`` names them
    events: dict[str, int]  #: named malformed events
    sources: list[dict[str, object]]  #: per source: name, packets, received, dropped, error
