"""How a child starts."""

import os
import signal

from hdr_lite.link.codec import Failed, Notice
from hdr_lite.link.end import End
from hdr_lite.link.stop import StopSignal
from hdr_lite.supervisor.child import Child, end_with_parent, fork_child, how_it_ended, title


def _words(child: Child) -> list[object]:
    end = child.end
    words: list[object] = []
    end._socket.settimeout(10)
    end._decoder.feed(end._socket.recv(65536))
    while (message := end._decoder.next()) is not None:
        words.append(message)
    return words


def test_confined_before_anything_else() -> None:
    """What a child gives up is given up before its work begins; its status is its work's."""
    order: list[str] = []

    def main(end: End, _stop: StopSignal) -> int:
        end.send(Notice(" ".join([*order, "main"])))
        return 7

    child = fork_child("sensor", "t:sensor", main, lambda _end: order.append("confined"))
    assert _words(child) == [Notice("confined main")]
    assert child.wait() == 7
    child.close()


def test_one_that_cannot_be_confined_does_nothing() -> None:
    """When giving up fails the work is not begun, and the reason is told."""

    def confine(_end: End) -> None:
        raise PermissionError(1, "not permitted")

    child = fork_child("sensor", "t:sensor", lambda _end, _stop: 0, confine)
    (words,) = _words(child)
    assert isinstance(words, Failed)
    assert words.text.startswith("t:sensor: PermissionError")
    assert child.wait() == 1
    child.close()


def test_signal_before_the_handlers_is_not_lost() -> None:
    """A SIGTERM that comes while a child still gives up stops its work at once."""

    def main(_end: End, stop: StopSignal) -> int:
        return 5 if stop else 6

    child = fork_child("x", "x", main, lambda _end: os.kill(os.getpid(), signal.SIGTERM))
    assert child.wait() == 5
    child.close()


def test_orphan_ends_itself() -> None:
    """A child whose parent died before it asked to be told ends at once."""
    child = fork_child("x", "x", lambda _end, _stop: 0, lambda _end: end_with_parent(1))
    assert child.wait() == 1
    child.close()


def test_words() -> None:
    """Ends and titles as a person reads them."""
    assert how_it_ended(-9) == "was ended by SIGKILL"
    assert how_it_ended(3) == "ended with status 3"
    assert title("sensor", "") == "hdr-sensor"
    assert title("supervisor", "a-long-name") == "a-lo:supervisor"
