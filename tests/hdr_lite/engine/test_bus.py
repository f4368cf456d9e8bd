"""Subscriptions and bounded queues."""

from typing import Any

import pytest

from hdr_lite.channels import UnknownChannel
from hdr_lite.engine.bus import Bus, Inbox
from hdr_lite.records.kind import Kind


def nothing(message: Any) -> None:
    """A handler."""


def test_only_subscribers_are_given_a_message() -> None:
    """A record goes to who reads its channel and to nobody else."""
    bus, reads, other = Bus(), Inbox(0, 16), Inbox(1, 16)
    bus.handle(reads, "new_flow", nothing)
    bus.handle(other, "new_dns", nothing)
    bus.deliver([(1, Kind.FLOW, 5, "flow"), (2, Kind.CLOCK, 6, "clock")])
    assert list(reads.calls) == [(nothing, (1, Kind.FLOW, 5, "flow"))]
    assert len(other) == 0


def test_kinds_are_those_that_are_read() -> None:
    """What nobody reads is not asked for; channels without a kind ask for nothing."""
    bus, inbox = Bus(), Inbox(0, 16)
    assert bus.kinds() == []
    bus.handle(inbox, "new_flow", nothing)
    bus.read(inbox, "new_arp")
    bus.read(inbox, "tw_closed")
    assert bus.kinds() == [Kind.FLOW, Kind.ARP]
    assert bus.channels_of(inbox) == ["new_flow", "new_arp", "tw_closed"]


def test_unknown_channel_names_the_nearest() -> None:
    """A misspelt channel is an error that helps, wherever it is used."""
    bus, inbox = Bus(), Inbox(0, 16)
    for use in (
        lambda: bus.read(inbox, "new_flwo"),
        lambda: bus.handle(inbox, "new_flwo", nothing),
        lambda: bus.publish("new_flwo", (0, None, 0, "")),
        lambda: inbox.take("new_flwo"),
    ):
        with pytest.raises(UnknownChannel, match="the nearest is 'new_flow'"):
            use()


def test_letters_wait_per_channel() -> None:
    """get_msg takes the oldest of the channel asked for; the other channels' wait."""
    bus, inbox = Bus(), Inbox(0, 16)
    bus.read(inbox, "new_flow")
    bus.read(inbox, "new_dns")
    bus.read(inbox, "new_flow")  # again: changes nothing
    bus.deliver([(1, Kind.DNS, 0, "d"), (2, Kind.FLOW, 0, "f1"), (3, Kind.FLOW, 0, "f2")])
    taken = [inbox.take(name) for name in ("new_flow", "new_flow", "new_flow", "new_dns")]
    assert [t and t[0]["data"] for t in taken] == ["f1", "f2", None, "d"]
    assert inbox.taken == inbox.posted == 3


def test_readers_share_one_envelope() -> None:
    """All that read a channel are given the same dict, so that a translation is made once."""
    bus, one, two = Bus(), Inbox(0, 16), Inbox(1, 16)
    bus.read(one, "new_flow")
    bus.read(two, "new_flow")
    bus.deliver([(1, Kind.FLOW, 0, "f")])
    first, second = one.take("new_flow"), two.take("new_flow")
    assert first is not None
    assert second is not None
    assert first[0] is second[0]


def test_full_queue_drops_the_oldest() -> None:
    """A queue keeps the newest messages up to its bound and counts what it lost."""
    bus, inbox = Bus(), Inbox(0, 3)
    bus.handle(inbox, "new_flow", nothing)
    bus.read(inbox, "new_flow")
    bus.deliver([(n, Kind.FLOW, 0, n) for n in range(5)])
    assert [delivery[0] for _, delivery in inbox.calls] == [2, 3, 4]
    taken = inbox.take("new_flow")
    assert taken is not None
    assert taken[1][0] == 2
    assert inbox.dropped == 4


def test_who_left_gets_nothing() -> None:
    """After its removal nothing is kept for a module."""
    bus, inbox = Bus(), Inbox(0, 16)
    bus.handle(inbox, "new_flow", nothing)
    bus.read(inbox, "new_alert")
    bus.remove(inbox)
    bus.deliver([(1, Kind.FLOW, 0, "f")])
    bus.publish("new_alert", (1, None, 0, "a"))
    assert len(inbox) == 0
    assert not bus.subscribed("new_flow")
