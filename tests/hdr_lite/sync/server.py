"""A server over TLS that gives answers from a script, and keeps what it was asked."""

import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int  #: over which it came, counted from 1


@dataclass(frozen=True)
class Told:
    """An answer; ``cut`` ends the connection after so many bytes of it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    close: bool = False  #: end the connection after it without saying so in a header

    @property
    def bytes(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} x", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


Answer = Callable[[Asked], Told | None]


class Server:
    """Listens on loopback; ``answer`` decides, or the script, one answer after the other.

    None for an answer: none is given, and the connection stays.
    """

    def __init__(self, identity: Path, client_ca: Path | None = None, host: str = "") -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(identity)
        if client_ca is not None:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(client_ca)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host or "127.0.0.1", 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self.script: deque[Told | None] = deque()
        self.answer: Answer = lambda _asked: self.script.popleft()
        self.asked: list[Asked] = []
        self.connections = 0
        self.plain = b""  #: what came on a connection instead of TLS
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def _spawn(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._spawn(self._serve, connection, self.connections)

    def _serve(self, plain: socket.socket, number: int) -> None:
        plain.settimeout(20)
        with plain, suppress(OSError):
            if plain.recv(1, socket.MSG_PEEK)[:1] != b"\x16":
                self.plain = plain.recv(100)
                return
            with self._context.wrap_socket(plain, server_side=True) as tls:
                self._open.append(tls)
                self._talk(tls, number)

    def _talk(self, connection: socket.socket, number: int) -> None:
        while (asked := _read(connection, number)) is not None:
            self.asked.append(asked)
            told = self.answer(asked)
            if told is None:
                self._over.wait(20)
                return
            connection.sendall(told.bytes if told.cut is None else told.bytes[: told.cut])
            if told.cut is not None or told.close:
                return


def _read(connection: socket.socket, number: int) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    method, path, _ = first.split(" ")
    return Asked(method, path, headers, body, number)
