"""The process's own parts; the whole is tested in tests/netns."""

import pytest

from hdr_lite.enforcer.process import OUTBOX, Outbox
from hdr_lite.link.codec import Message, Notice
from hdr_lite.link.end import End, LinkClosed, create_link


def _read(end: End) -> list[Message]:
    return list(end.receive())


def test_outbox_never_waits() -> None:
    """With nobody reading it keeps the newest, and sends them once somebody does."""
    ours, theirs = create_link()
    outbox = Outbox(ours)
    for number in range(3 * OUTBOX):
        outbox.put(Notice(str(number)))
        outbox.pump()
    assert outbox
    read: list[Message] = []
    while outbox:
        read += _read(theirs)
        outbox.pump()
    read += _read(theirs)
    texts = [int(message.text) for message in read if isinstance(message, Notice)]
    assert texts == sorted(texts)
    assert texts[0] == 0
    assert texts[-OUTBOX:] == list(range(2 * OUTBOX, 3 * OUTBOX))
    ours.close()
    theirs.close()


def test_outbox_of_a_closed_link() -> None:
    """When the other end is gone, that is told."""
    ours, theirs = create_link()
    outbox = Outbox(ours)
    theirs.close()
    outbox.put(Notice("x"))
    with pytest.raises(LinkClosed):
        outbox.pump()
    ours.close()
