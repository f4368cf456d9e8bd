"""Bounded tables: the only state that a module keeps.

Sized in entries, so that limits bite alike on 32 and 64 bit. Order of use is kept;
a full table forgets the entry that was used longest ago.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedTable(Generic[K, V]):
    """A mapping of at most ``most`` entries. O(1) for every operation."""

    __slots__ = ("_entries", "_make", "evicted", "most")

    def __init__(self, most: int, make: Callable[[], V]) -> None:
        """``make()`` is the value of a key that is asked for the first time."""
        if most < 1:
            raise ValueError(f"a table needs room for one entry at least, not {most}")
        self.most = most
        self.evicted = 0  #: entries forgotten because the table was full
        self._make = make
        self._entries: OrderedDict[K, V] = OrderedDict()

    def use(self, key: K) -> V:
        """The value of key, made if it is new; the key becomes the most recently used."""
        entries = self._entries
        try:
            value = entries[key]
            entries.move_to_end(key)
        except KeyError:
            if len(entries) >= self.most:
                entries.popitem(last=False)
                self.evicted += 1
            value = entries[key] = self._make()
        return value

    def get(self, key: K) -> V | None:
        """The value of key, or None; the order of use stays."""
        return self._entries.get(key)

    def pop(self, key: K) -> V | None:
        """Forget key."""
        return self._entries.pop(key, None)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[K]:
        """Keys, longest unused first."""
        return iter(self._entries)
