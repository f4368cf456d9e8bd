"""Ends of a link over a real socket pair."""

from collections.abc import Iterator

import pytest

from hdr_lite.link import end
from hdr_lite.link.codec import Digest, LinkError, Notice, encode
from hdr_lite.link.end import End, LinkClosed, create_link


@pytest.fixture(name="ends")
def _ends() -> Iterator[tuple[End, End]]:
    left, right = create_link()
    yield left, right
    left.close()
    right.close()


def test_messages_pass_both_ways(ends: tuple[End, End]) -> None:
    """What one end sends the other receives, in order; nothing there is an empty list."""
    left, right = ends
    assert list(right.receive()) == []
    left.send(Notice("one"))
    left.send(Digest("ab"))
    assert list(right.receive()) == [Notice("one"), Digest("ab")]
    right.send(Notice("back"))
    assert list(left.receive()) == [Notice("back")]


def test_end_of_the_other_side(ends: tuple[End, End]) -> None:
    """Messages sent before the other side closed arrive; then the link is closed."""
    left, right = ends
    left.send(Notice("last"))
    left.close()
    assert list(right.receive()) == [Notice("last")]
    with pytest.raises(LinkClosed):
        list(right.receive())
    with pytest.raises(LinkClosed):
        right.send(Notice("nobody"))


def test_a_reader_that_is_stuck_does_not_stop_the_sender(
    ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sending gives up after the timeout rather than waiting for ever."""
    left, _right = ends
    monkeypatch.setattr(end, "SEND_TIMEOUT", 0.05)
    with pytest.raises(LinkClosed, match="does not read"):
        _send_for_ever(left)


def _send_for_ever(sender: End) -> None:
    while True:
        sender.send(Notice("x" * 60000))


def test_garbage_is_an_error(ends: tuple[End, End]) -> None:
    """Bytes that are no message end the link with an error."""
    left, right = ends
    left._socket.sendall(b"\xff\xff\xff\xff")
    with pytest.raises(LinkError):
        list(right.receive())


def test_offer_waits_for_nobody(ends: tuple[End, End]) -> None:
    """Bytes are taken as far as there is room, then none; a reader that is gone is told."""
    sender, receiver = ends
    data = encode(Notice("x" * 60_000))
    taken: list[int] = []
    while not taken or taken[-1]:
        taken.append(sender.offer(data))
    assert sum(taken) > len(data)
    receiver.close()
    with pytest.raises(LinkClosed):
        sender.offer(data)
