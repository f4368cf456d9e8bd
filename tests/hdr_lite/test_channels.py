"""Channels: names, message types, and what an author is told who misspells one."""

import pytest

from hdr_lite.channels import CHANNELS, UnknownChannel, channel
from hdr_lite.records.kind import Kind
from hdr_lite.ring.codec import CLASS_OF


def test_a_channel_is_found_by_its_name() -> None:
    """The name in the table is the name of the entry."""
    assert all(channel(name).name == name for name in CHANNELS)


def test_an_unknown_channel_names_the_nearest() -> None:
    """A misspelt name is answered with the one that was meant."""
    with pytest.raises(UnknownChannel, match="unknown channel 'new_flows': .* 'new_flow'"):
        channel("new_flows")


def test_words_of_the_tutorial_are_channels() -> None:
    """Channels that the tutorial names exist."""
    words = ("new_flow", "new_ip", "tw_modified", "evidence_added", "control_module")
    assert all(word in CHANNELS for word in (*words, "finished_modules"))


def test_a_channel_with_a_kind_carries_that_kinds_records() -> None:
    """What the ring decodes for a kind is what its channel promises, each kind on one channel."""
    carried = {c.kind: c.message for c in CHANNELS.values() if c.kind is not None}
    assert len(carried) == sum(c.kind is not None for c in CHANNELS.values())
    assert all(CLASS_OF[kind] is message for kind, message in carried.items())


def test_every_kind_for_modules_has_a_channel() -> None:
    """Only what outputs and engine take for themselves has none."""
    kinds = {c.kind for c in CHANNELS.values()}
    assert set(Kind) - kinds == {Kind.FOLDED_FLOW, Kind.CLOCK, Kind.STATS}
