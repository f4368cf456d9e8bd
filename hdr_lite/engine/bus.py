"""Who reads what: channels, subscriptions and the bounded queue of each module.

A message goes to the modules that subscribed to its channel and to nobody else. A module's
queue holds a few thousand messages; where it is full, its oldest message is dropped and
counted, so that a module that reads slowly loses its own messages only.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from hdr_lite.channels import CHANNELS, channel
from hdr_lite.records.kind import Kind

#: A record as the ring delivers it: number, kind, traffic time, message. What the engine or a
#: module publishes has the number of the record that led to it and is of no kind.
Delivery = tuple[int, Any, int, Any]
Handler = Callable[[Any], object]
#: A message as ``get_msg`` hands it out; all its readers share one.
Envelope = dict[str, Any]

_KIND_OF = {name: row.kind for name, row in CHANNELS.items() if row.kind is not None}


class Inbox:
    """What waits for one module. ``order`` is the module's place among all."""

    __slots__ = ("_most", "calls", "dropped", "letters", "order", "posted", "taken")

    def __init__(self, order: int, most: int) -> None:
        self.order = order
        self._most = most
        self.calls: deque[tuple[Handler, Delivery]] = deque()  #: for methods, in order
        self.letters: dict[str, deque[tuple[Envelope, Delivery]]] = {}  #: for get_msg
        self.dropped = 0
        self.posted = 0  #: letters that came
        self.taken = 0  #: letters that were taken

    def __len__(self) -> int:
        return len(self.calls) + sum(map(len, self.letters.values()))

    def call(self, handler: Handler, delivery: Delivery) -> None:
        """Have the handler called with the message in one of the module's turns."""
        calls = self.calls
        if len(calls) >= self._most:
            calls.popleft()
            self.dropped += 1
        calls.append((handler, delivery))

    def post(self, name: str, envelope: Envelope, delivery: Delivery) -> None:
        """Keep a message of a channel until it is asked for."""
        self.posted += 1
        letters = self.letters[name]
        if len(letters) >= self._most:
            letters.popleft()
            self.dropped += 1
        letters.append((envelope, delivery))

    def take(self, name: str) -> tuple[Envelope, Delivery] | None:
        """The oldest message of a channel, None where there is none."""
        letters = self.letters.get(channel(name).name)
        if not letters:
            return None
        self.taken += 1
        return letters.popleft()


class Bus:
    """All subscriptions."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[tuple[Inbox, Handler]]] = {name: [] for name in CHANNELS}
        self._readers: dict[str, list[Inbox]] = {name: [] for name in CHANNELS}
        self._routes: dict[Kind, tuple[str, list[tuple[Inbox, Handler]], list[Inbox]]] = {
            kind: (name, self._handlers[name], self._readers[name])
            for name, kind in _KIND_OF.items()
        }

    def handle(self, inbox: Inbox, name: str, handler: Handler) -> None:
        """Subscribe a method. ``UnknownChannel``."""
        self._handlers[channel(name).name].append((inbox, handler))

    def read(self, inbox: Inbox, name: str) -> None:
        """Subscribe for ``get_msg``; a second time changes nothing. ``UnknownChannel``."""
        name = channel(name).name
        if name not in inbox.letters:
            inbox.letters[name] = deque()
            self._readers[name].append(inbox)

    def remove(self, inbox: Inbox) -> None:
        """Nothing more is kept for it."""
        for handlers in self._handlers.values():
            handlers[:] = [entry for entry in handlers if entry[0] is not inbox]
        for readers in self._readers.values():
            readers[:] = [entry for entry in readers if entry is not inbox]

    def subscribed(self, name: str) -> bool:
        """Whether anybody reads a channel."""
        return bool(self._handlers[name] or self._readers[name])

    def channels_of(self, inbox: Inbox) -> list[str]:
        """What a module subscribed to, in the order of the channels' table."""
        return [
            name
            for name in CHANNELS
            if inbox in self._readers[name] or any(i is inbox for i, _ in self._handlers[name])
        ]

    def kinds(self) -> list[Kind]:
        """The kinds of record that somebody reads."""
        return [kind for kind, (name, _, _) in self._routes.items() if self.subscribed(name)]

    def deliver(self, deliveries: Iterable[Delivery]) -> None:
        """Give records to the modules that read their kind."""
        routes = self._routes
        for delivery in deliveries:
            route = routes.get(delivery[1])
            if route is None:
                continue
            name, handlers, readers = route
            for inbox, handler in handlers:
                inbox.call(handler, delivery)
            if readers:
                self._post(name, readers, delivery)

    def publish(self, name: str, delivery: Delivery) -> None:
        """Give a message to every subscriber of a channel. ``UnknownChannel``."""
        name = channel(name).name
        for inbox, handler in self._handlers[name]:
            inbox.call(handler, delivery)
        readers = self._readers[name]
        if readers:
            self._post(name, readers, delivery)

    def _post(self, name: str, readers: list[Inbox], delivery: Delivery) -> None:
        envelope = {"channel": name, "data": delivery[3]}
        for inbox in readers:
            inbox.post(name, envelope, delivery)
