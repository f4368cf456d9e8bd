"""One process of the daemon over all its lives: what waits for it, what it said last."""

import json
from collections import OrderedDict, deque
from typing import Any

from hdr_lite.link.codec import Message, encode
from hdr_lite.link.end import LinkClosed
from hdr_lite.supervisor.child import Child
from hdr_lite.supervisor.restart import BackOff
from hdr_lite.supervisor.role import Role

#: Messages that wait for a process that is busy or dead; the oldest make room.
MOST_WAITING = 1024


class Member:
    """A role, its present process if there is one, and what outlives that."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.child: Child | None = None
        self.back_off = BackOff()
        self.due: float | None = None  #: when it is to be started again
        self.ready = False
        self.was_ready = False  #: in any of its lives
        self.starts = 0
        self.expected = False  #: its end was asked for
        self.gone = False  #: it is not to be started again, ever
        self.heard = 0.0  #: when it said something last
        self.last_end = ""  #: how its last process ended
        self.figures: dict[str, Any] = {}  #: its last answer to ``figures``
        self.dropped = 0  #: messages that it never read
        self._waiting: deque[bytes] = deque()
        self._sent = 0  #: bytes of the first one that are under way
        self._orders: OrderedDict[str, bytes] = OrderedDict()  #: that were not answered

    @property
    def name(self) -> str:
        """As in the table."""
        return self.role.name

    @property
    def wants_to_write(self) -> bool:
        """Whether messages wait for room."""
        return bool(self._waiting)

    def adopt(self, child: Child, now: float) -> None:
        """A new process of it lives; what waits is said to that one from its beginning."""
        self.child = child
        self.starts += 1
        self.due, self.ready, self.expected = None, False, False
        self.heard = now
        self.back_off.started(now)
        self._sent = 0
        orders = list(self._orders.values())
        self._waiting = deque([*orders, *(m for m in self._waiting if m not in orders)])

    def lose(self) -> None:
        """Its process has ended and was waited for."""
        if self.child is not None:
            self.child.close()
        self.child = None
        self.ready = False

    def send(self, message: Message) -> None:
        """Say it, without waiting; it stays in line when there is no room or no process."""
        if len(self._waiting) >= MOST_WAITING:
            # The first may be half sent: what follows it is the oldest that can be left out.
            del self._waiting[1]
            self.dropped += 1
        self._waiting.append(encode(message))
        self.flush()

    def order(self, message: Message) -> None:
        """Say it, and to each successor again until it was answered (``Role.order``)."""
        if self.role.order is not None:
            self._orders[self.role.order(message)] = encode(message)
            if len(self._orders) > MOST_WAITING:
                self._orders.popitem(last=False)
        self.send(message)

    def answered(self, message: Message) -> None:
        """It answered an order."""
        if self.role.order is not None:
            self._orders.pop(self.role.order(message), None)

    def flush(self) -> None:
        """Say what waits, as far as there is room."""
        if self.child is None:
            return
        try:
            while self._waiting:
                first = self._waiting[0]
                taken = self.child.end.offer(memoryview(first)[self._sent :])
                self._sent += taken
                if self._sent < len(first):
                    return
                self._waiting.popleft()
                self._sent = 0
        except LinkClosed:
            return  # its end is told by the pidfd

    def take_figures(self, text: str) -> None:
        """Its answer to ``figures``; what is no object is none."""
        try:
            figures = json.loads(text)
        except ValueError:
            return
        if isinstance(figures, dict):
            self.figures = figures
