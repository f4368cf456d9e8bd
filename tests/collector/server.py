"""``hdr-lite collector serve`` on loopback, a person at its API, and a device."""

import http.client
import json
import os
import queue
import re
import ssl
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import msgpack

from hdr_lite.records import batch as words

_START = 60.0  #: s, on a machine that is busy


class Answer(NamedTuple):
    """Of a request."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    def msgpack(self) -> Any:
        """The body."""
        return msgpack.unpackb(self.body)


class Server:
    """A collector's process; starts with ``with``, ends by SIGTERM."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.port = 0
        self.password = ""
        self._options = options

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when it is ready."""
        command = [sys.executable, "-W", "error", "-m", "hdr_lite", "collector", "serve"]
        where = ["--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        self._process = subprocess.Popen(
            [*command, *where, *self._options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.said: list[str] = []
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()
        while True:
            line = lines.get(timeout=_START)
            assert line is not None, "".join(self.said)
            if match := re.search(r"has the password (\S+)", line):
                self.password = match[1]
            if match := re.search(r"ready on port (\d+)", line):
                self.port = int(match[1])
                return

    def _read(self, lines: "queue.SimpleQueue[str | None]") -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self.said.append(line)
                lines.put(line)
        lines.put(None)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM; it has to end well."""
        self._process.terminate()
        assert self._process.wait(_START) in (0, -9, -15), "".join(self.said)

    def connect(self) -> http.client.HTTPSConnection:
        """Checked against the collector's CA."""
        context = ssl.create_default_context(cafile=str(self.data / "ca.pem"))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        connection: http.client.HTTPSConnection | None = None,
    ) -> Answer:
        """One request, on a connection of its own unless there is one."""
        used = connection or self.connect()
        try:
            used.request(method, path, body, headers or {})
            answer = used.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            if connection is None:
                used.close()


class Person:
    """Somebody who has logged in."""

    def __init__(self, server: Server, user: str = "admin", password: str = "") -> None:
        self.server = server
        login = {"user": user, "password": password or server.password}
        answer = server.request(
            "POST", "/api/login", json.dumps(login).encode(), {"Content-Type": "application/json"}
        )
        assert answer.status == 200, answer
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        self.csrf = answer.json()["csrf"]

    def get(self, path: str) -> Answer:
        """Ask."""
        return self.server.request("GET", path, None, {"Cookie": self.cookie})

    def send(self, method: str, path: str, content: object = None) -> Answer:
        """Change."""
        headers = {"Cookie": self.cookie, "X-CSRF-Token": self.csrf}
        body = None
        if content is not None:
            body, headers["Content-Type"] = json.dumps(content).encode(), "application/json"
        return self.server.request(method, path, body, headers)

    def token(self, note: str = "") -> words.Token:
        """A new enrolment token."""
        answer = self.send("POST", "/api/tokens", {"note": note})
        assert answer.status == 201, answer
        return words.read_token(answer.json()["token"])


class Device:
    """A device that was enrolled: what it signs, and what it sends."""

    def __init__(self, server: Server, token: words.Token, name: str = "router") -> None:
        self.server = server
        body = {
            "token": token.id,
            "secret": token.secret,
            "name": name,
            "version": "0.1.0",
            "model": "test",
        }
        answer = server.request("POST", words.ENROL_PATH, msgpack.packb(body))
        assert answer.status == 200, answer
        self.id: str = answer.msgpack()["device"]
        self.secret: bytes = answer.msgpack()["secret"]
        self.epoch = "0123456789abcdef"

    def headers(self, first: int, body: bytes) -> dict[str, str]:
        """With its signature."""
        return {
            words.DEVICE_HEADER: self.id,
            words.EPOCH_HEADER: self.epoch,
            words.FIRST_HEADER: str(first),
            words.SIGNATURE_HEADER: words.signature(self.secret, self.id, self.epoch, first, body),
            "Content-Type": words.MEDIA_TYPE,
        }

    def batch(
        self,
        first: int,
        alerts: Iterable[tuple[int, Any]],
        after: int,
        connection: http.client.HTTPSConnection | None = None,
        **more: Any,
    ) -> Answer:
        """Send [first, after)."""
        content = {"next": after, "alerts": [list(pair) for pair in alerts], **more}
        return self.raw(first, zlib.compress(msgpack.packb(content)), connection)

    def raw(
        self, first: int, body: bytes, connection: http.client.HTTPSConnection | None = None
    ) -> Answer:
        """A body as it is, well signed."""
        return self.server.request(
            "POST", words.BATCH_PATH, body, self.headers(first, body), connection
        )

    def rotate(self) -> bytes:
        """A new secret, not used yet."""
        epoch, self.epoch = self.epoch, words.NO_EPOCH
        answer = self.server.request("POST", words.ROTATE_PATH, b"", self.headers(0, b""))
        self.epoch = epoch
        assert answer.status == 200, answer
        secret: bytes = answer.msgpack()["secret"]
        return secret
