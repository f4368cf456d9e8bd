"""What the engine wants of the two ends that it is given, where it runs."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from hdr_lite.engine.bus import Delivery
from hdr_lite.link.codec import Message


class Reader(Protocol):
    """The ring's reading end (``hdr_lite.ring.RingReader``)."""

    ended: bool
    malformed: dict[str, int]

    @property
    def used(self) -> int: ...

    @property
    def capacity(self) -> int: ...

    def read(self, limit: int) -> Sequence[Delivery]: ...

    def read_exact(
        self, limit: int, watch: int = -1, gone: Callable[[], bool] = ...
    ) -> Sequence[Delivery]: ...

    def commit(self) -> None: ...

    def fileno(self) -> int: ...

    def arm(self) -> bool: ...


class Link(Protocol):
    """The end of the link to the parent (``hdr_lite.link.end.End``)."""

    def fileno(self) -> int: ...

    def send(self, message: Message) -> None: ...

    def receive(self) -> Iterable[Message]: ...
