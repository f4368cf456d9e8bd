"""Kinds of record, as they are numbered in the ring (native/core/record.h)."""

from enum import IntEnum


class Kind(IntEnum):
    """One per record class; the number travels in the ring's record header."""

    CONN = 1
    FATE = 2
    FLOW = 3
    FOLDED_FLOW = 4
    ATTEMPTS = 5
    DNS = 6
    HTTP = 7
    TLS = 8
    SSH = 9
    SSH_LOGIN = 10
    ARP = 11
    CLOCK = 12
    PROBES = 13
    STATS = 14
