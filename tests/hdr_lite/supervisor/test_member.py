"""What waits for a process over its lives."""

import os
import socket
from collections.abc import Iterator

import pytest

from hdr_lite.link.codec import Decoder, Message, Notice, Opened
from hdr_lite.link.end import End
from hdr_lite.supervisor.child import Child
from hdr_lite.supervisor.member import MOST_WAITING, Member
from hdr_lite.supervisor.role import Role


def _never(_end: End, _stop: object) -> int:
    raise AssertionError


@pytest.fixture
def member() -> Iterator[Member]:
    """One without a process."""
    made = Member(Role("engine", _never, Opened))
    yield made
    made.lose()


def give_life(member: Member, room: int = 0) -> socket.socket:
    """A process that is this one, by a socket whose other end is returned."""
    ours, theirs = socket.socketpair()
    if room:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
    member.adopt(Child("engine", os.getpid(), End(ours)), 0.0)
    theirs.setblocking(False)
    return theirs


def read(theirs: socket.socket, member: Member) -> list[Message]:
    """All that comes as the member writes on."""
    decoder = Decoder()
    messages: list[Message] = []
    while True:
        member.flush()
        try:
            decoder.feed(theirs.recv(1 << 16))
        except BlockingIOError:
            return messages
        while (message := decoder.next()) is not None:
            messages.append(message)


def test_messages_wait_for_a_process(member: Member) -> None:
    """What is said to a dead one is heard by its successor, in order."""
    for number in range(3):
        member.send(Notice(str(number)))
    theirs = give_life(member)
    assert read(theirs, member) == [Notice("0"), Notice("1"), Notice("2")]
    assert not member.wants_to_write
    theirs.close()


def test_full_socket_keeps_nobody_waiting(member: Member) -> None:
    """What finds no room waits; a message that was half said to one is said whole to the next."""
    theirs = give_life(member, room=4096)
    sent = [Notice(f"{number}" * 2000) for number in range(10)]
    for message in sent:
        member.send(message)
    assert member.wants_to_write
    theirs.close()
    member.lose()
    theirs = give_life(member)
    heard = read(theirs, member)
    assert heard == sent[-len(heard) :]
    assert len(heard) >= 5
    theirs.close()


def test_waiting_is_bounded(member: Member) -> None:
    """Of very many the oldest are left out and counted."""
    for number in range(MOST_WAITING + 10):
        member.send(Notice(str(number)))
    assert member.dropped == 10
    theirs = give_life(member)
    heard = read(theirs, member)
    assert len(heard) == MOST_WAITING
    assert heard[-1] == Notice(str(MOST_WAITING + 9))
    theirs.close()


def test_figures(member: Member) -> None:
    """Figures are taken as they are told; nonsense leaves the old ones."""
    member.take_figures('{"alerts": 1}')
    member.take_figures("[")
    member.take_figures("[1]")
    assert member.figures == {"alerts": 1}
