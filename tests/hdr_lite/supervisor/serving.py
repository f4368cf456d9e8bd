"""A control socket that is answered, for the tests of both its ends."""

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hdr_lite.supervisor.control import ControlServer, Handler


@contextmanager
def serving(path: Path, handler: Handler, group: int | None = None) -> Iterator[ControlServer]:
    """A server whose loop runs in a thread."""
    server = ControlServer(path, group, handler)
    over = threading.Event()

    def loop() -> None:
        while not over.is_set():
            poll = select.poll()
            for descriptor, writes in server.filenos():
                poll.register(descriptor, select.POLLIN | (select.POLLOUT if writes else 0))
            for descriptor, _ in poll.poll(20):
                server.handle(descriptor)
            server.tidy()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield server
    finally:
        over.set()
        thread.join()
        server.close()
