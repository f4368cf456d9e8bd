"""Names that stand in for addresses on the allow list or among the servers, resolved by us.

Never from packets: whoever answers a client's question could name any address. A thread asks
the system's resolver, which may take seconds; blocking waits for nothing here.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Mapping

from hdr_lite.enforcer.never_block import MOST_OF_DOMAIN

#: Seconds between two rounds; a round in which a name failed is repeated sooner.
INTERVAL, AGAIN = 600.0, 30.0
#: Names that are resolved.
MOST = 64

Lookup = Callable[[str], Iterable[str]]


class Names:
    """Keeps the last good answer for each name."""

    def __init__(self, lookup: Lookup | None = None) -> None:
        self._lookup = lookup or _system
        self._known: dict[str, tuple[str, ...]] = {}
        self._thread: threading.Thread | None = None
        self._due = float("-inf")

    def known(self) -> Mapping[str, tuple[str, ...]]:
        """Name -> addresses."""
        return dict(self._known)

    def ask(self, names: Iterable[str], now: float) -> None:
        """Begin a round if one is due and none is under way."""
        wanted = tuple(names)[:MOST]
        if wanted and now >= self._due and (self._thread is None or not self._thread.is_alive()):
            self._due = now + INTERVAL
            self._thread = threading.Thread(target=self._round, args=(wanted, now), daemon=True)
            self._thread.start()

    def wait(self, seconds: float) -> None:
        """Give a round under way some time to end."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _round(self, names: tuple[str, ...], now: float) -> None:
        for name in names:
            try:
                found = tuple(sorted(set(self._lookup(name)))[:MOST_OF_DOMAIN])
            except (OSError, UnicodeError):
                self._due = now + AGAIN
                continue
            self._known[name] = found


def _system(name: str) -> Iterable[str]:
    # As bytes: for text Python loads the tables of international names, 1.5 MB.
    host = name.encode() if name.isascii() else name
    for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM):
        yield str(address[0]).partition("%")[0]
