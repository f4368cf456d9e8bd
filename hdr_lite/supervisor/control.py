"""The control socket: one request, one answer, for root and one group.

A request is a line with a JSON object that has a ``verb``, an answer a JSON object in a
line; then the connection is closed. Who may ask is the kernel's word (SO_PEERCRED,
SO_PEERGROUPS), not the file's mode. Sizes, times and the number of connections are bounded,
and a slow or silent peer keeps nobody waiting.
"""

import json
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hdr_lite.config import UserError

#: Longest request and longest answer, bytes.
MOST_REQUEST = 64 * 1024
MOST_ANSWER = 4 * 1024 * 1024
#: Connections at once, and seconds that one may take.
MOST_PEERS = 8
PATIENCE = 5.0
_SO_PEERGROUPS = 59  # socket(7), Linux 4.13; Python has no name for it

#: Gives an answer; at once or later, once.
Reply = Callable[[Mapping[str, Any]], None]
#: Takes a request and sees to its answer.
Handler = Callable[[Mapping[str, Any], Reply], None]


class ControlServer:
    """The listening socket and the peers that are connected.

    ``group`` may ask, besides root and the user that this process is. ``OSError``: the
    socket cannot be made.
    """

    def __init__(
        self,
        path: Path,
        group: int | None,
        handler: Handler,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._group = group
        self._handler = handler
        self._now = now
        self._peers: dict[int, _Peer] = {}
        self._owner = os.geteuid()
        with suppress(FileNotFoundError):
            path.unlink()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._socket.bind(str(path))
        self._admit_by_mode()
        self._socket.listen(MOST_PEERS)

    def _admit_by_mode(self) -> None:
        """A first fence; where the group cannot be given to the file, the kernel's word is it."""
        mode = 0o600
        if self._group is not None:
            try:
                os.chown(self.path, -1, self._group)
                mode = 0o660
            except OSError:
                mode = 0o666
        self.path.chmod(mode)

    def filenos(self) -> Iterator[tuple[int, bool]]:
        """Descriptors to poll; true where one waits to be written."""
        yield self._socket.fileno(), False
        for descriptor, peer in self._peers.items():
            yield descriptor, bool(peer.out)

    def handle(self, descriptor: int) -> bool:
        """One of them is ready; False when it is none of ours."""
        if descriptor == self._socket.fileno():
            self._accept()
            return True
        peer = self._peers.get(descriptor)
        if peer is None:
            return False
        if not peer.step(self._handler):
            self._drop(descriptor)
        return True

    def tidy(self) -> None:
        """Let go of peers that take too long."""
        now = self._now()
        for descriptor, peer in list(self._peers.items()):
            if peer.done or now >= peer.deadline:
                self._drop(descriptor)

    def close(self) -> None:
        """Let go of everyone and take the socket away."""
        for descriptor in list(self._peers):
            self._drop(descriptor)
        self._socket.close()
        with suppress(OSError):
            self.path.unlink()

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return  # it has gone again
        connection.setblocking(False)
        if len(self._peers) >= MOST_PEERS:
            connection.close()
            return
        peer = _Peer(connection, self._now() + PATIENCE)
        self._peers[connection.fileno()] = peer
        if not self._may(connection):
            peer.answer({"error": "not permitted: that is for root and the group of hdr-lite"})

    def _may(self, connection: socket.socket) -> bool:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        _, uid, gid = struct.unpack("=iII", credentials)
        if uid in (0, self._owner):
            return True
        return self._group is not None and (
            gid == self._group or self._group in _groups_of(connection)
        )

    def _drop(self, descriptor: int) -> None:
        self._peers.pop(descriptor).close()


class _Peer:
    """One connection: reads a line, has it answered, writes the answer."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.out = b""
        self.done = False
        self.deadline = deadline
        self._connection = connection
        self._in = b""
        self._asked = False
        self._answered = False

    def step(self, handler: Handler) -> bool:
        """Do what can be done without waiting; False when it is over."""
        try:
            if self.out:
                self.out = self.out[self._connection.send(self.out) :]
                if not self.out:  # what it still says is read first, or it would lose the answer
                    self._connection.shutdown(socket.SHUT_WR)
                    self._answered = True
            else:
                self._read(handler)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return not self.done

    def answer(self, answer: Mapping[str, Any]) -> None:
        """What is to be written; a second answer is none."""
        if self.out or self.done or self._answered:
            return
        text = json.dumps(answer).encode() + b"\n"
        if len(text) > MOST_ANSWER:
            text = b'{"error": "the answer is too long"}\n'
        self._asked, self.out = True, text

    def close(self) -> None:
        self.done = True
        self._connection.close()

    def _read(self, handler: Handler) -> None:
        data = self._connection.recv(MOST_REQUEST)
        if not data:
            self.done = True
            return
        if self._asked:
            return  # one request; what follows it is thrown away
        self._in += data
        if len(self._in) > MOST_REQUEST:
            self.answer({"error": "the request is too long"})
        elif b"\n" in self._in:
            self._asked = True
            self._ask(self._in.partition(b"\n")[0], handler)

    def _ask(self, line: bytes, handler: Handler) -> None:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            request = None
        if not isinstance(request, dict) or not isinstance(request.get("verb"), str):
            self.answer({"error": "a request is a JSON object with a verb"})
        else:
            handler(request, self.answer)


def _groups_of(connection: socket.socket) -> tuple[int, ...]:
    """The supplementary groups of a peer; none where the kernel does not tell.

    Of one that has more than 256 none counts: Python's getsockopt takes no more bytes.
    """
    try:
        data = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 1024)
    except OSError:
        return ()
    return struct.unpack(f"={len(data) // 4}I", data)


def ask(path: Path, request: Mapping[str, Any], seconds: float = 10.0) -> dict[str, Any]:
    """Ask a running instance; its answer. ``UserError``: a sentence why there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(str(path))
            with suppress(BrokenPipeError):  # one that is not permitted is told so at once
                connection.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(_read_all(connection))
        except (FileNotFoundError, ConnectionRefusedError):
            raise UserError(f"nothing runs that listens at {path}") from None
        except PermissionError:
            raise UserError(f"{path}: not permitted: that is for root and its group") from None
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: no answer: {error}") from None
    if not isinstance(answer, dict):
        raise UserError(f"{path}: the answer is none")
    if "error" in answer:
        raise UserError(str(answer["error"]))
    return answer


def _read_all(connection: socket.socket) -> bytes:
    data = b""
    while len(data) <= MOST_ANSWER and (more := connection.recv(64 * 1024)):
        data += more
    return data
