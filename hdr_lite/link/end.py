"""One end of a link: a socket, the codec, and nothing more."""

import socket
from collections.abc import Iterator

from hdr_lite.link.codec import Decoder, LinkError, Message, encode

_CHUNK = 64 * 1024
#: Seconds that a message may wait for a reader that is stuck.
SEND_TIMEOUT = 5.0


class LinkClosed(Exception):
    """The other end is gone."""


class End:
    """Sends and receives messages over one socket of a pair.

    Sending waits for room; receiving never waits: poll :meth:`fileno` first.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._decoder = Decoder()

    def fileno(self) -> int:
        """A descriptor that polls readable when messages, or the end of the link, are there."""
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """``LinkClosed`` when nobody is there to read it; ``LinkError`` when it is too long."""
        data = encode(message)
        self._socket.settimeout(SEND_TIMEOUT)
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise LinkClosed("the other end does not read") from None
        except OSError as error:
            raise LinkClosed(str(error)) from None
        finally:
            self._socket.setblocking(False)

    def offer(self, data: bytes | memoryview) -> int:
        """Give it bytes of an encoded message without waiting; how many it took, 0 when full.

        For one that may not wait for its reader. The rest must follow before anything else.
        ``LinkClosed`` when nobody is there.
        """
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise LinkClosed(str(error)) from None

    def receive(self) -> Iterator[Message]:
        """The messages that have arrived; ``LinkClosed`` at the end, ``LinkError`` for garbage."""
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            raise LinkClosed(str(error)) from None
        if not data:
            raise LinkClosed("the other end is gone")
        self._decoder.feed(data)
        while (message := self._decoder.next()) is not None:
            yield message

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


def create_link() -> tuple[End, End]:
    """The two ends of a new link."""
    left, right = socket.socketpair()
    return End(left), End(right)


__all__ = ["End", "LinkClosed", "LinkError", "create_link"]
