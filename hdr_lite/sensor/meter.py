"""The meter as the configuration wants it."""

import os

from hdr_lite.config import MeterConfig
from hdr_lite.native import Meter, Ring
from hdr_lite.sources.nflog import TOTALS_WITHIN

#: What ids and estimates are made with in replay, so that the same file gives the same bytes.
REPLAY_SECRET = b"HDR-lite, replay"


def make_meter(
    ring: Ring, wanted: int, config: MeterConfig, *, wait: bool, first_packets: int = 0
) -> Meter:
    """A meter that writes the ``wanted`` kinds (a bit each) into ``ring``.

    With ``wait`` it replays: it stops where the ring is full, and its ids are always the same.
    ``first_packets``: so many of each direction are what an ``nflog`` source shows; 0: none is.
    Closed flows then wait for their totals, however soon they are wanted.
    """

    def ns(seconds: float) -> int:
        return round(seconds * 1_000_000_000)

    least_linger = TOTALS_WITHIN if first_packets else 0.0
    return Meter(
        ring,
        wanted=wanted,
        wait=wait,
        secret=REPLAY_SECRET if wait else os.urandom(16),
        flows=config.flows,
        applications=config.applications,
        sources=config.sources,
        attempt_timeout=ns(config.attempt_timeout),
        tcp_idle=ns(config.tcp_idle),
        udp_idle=ns(config.udp_idle),
        icmp_idle=ns(config.icmp_idle),
        closed_linger=ns(max(config.closed_linger, least_linger)),
        active_timeout=ns(config.active_timeout),
        fold_after=config.fold_after,
        fold_interval=ns(config.fold_interval),
        first_packets=first_packets,
    )
