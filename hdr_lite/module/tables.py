"""Bounded tables and counts: the only state that a module keeps.

Tables are sized in entries, so that limits bite alike on 32 and 64 bit. Order of use is
kept; a full table forgets the entry that was used longest ago.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar
from zlib import crc32

K = TypeVar("K")
V = TypeVar("V")

_BITS = 1024
_FULL = 12  #: bits that stay clear: past it the estimate would be noise


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

    def put(self, key: K, value: V) -> None:
        """Set the value of key, which becomes the most recently used."""
        if key not in self._entries and len(self._entries) >= self.most:
            self._entries.popitem(last=False)
            self.evicted += 1
        self._entries[key] = value
        self._entries.move_to_end(key)

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


def _hash(value: str) -> int:
    """Ten bits that are the same on every machine. CRC-32 alone spreads numbered values more
    evenly than chance would, so it is multiplied by Knuth's constant and its top is taken."""
    return (crc32(value.encode()) * 2654435761 & 0xFFFFFFFF) >> 22


class Distinct:
    """Counts distinct texts in 250 bytes: linear counting in a bitmap (Whang et al. 1990).

    Every new bit stands for the number of values that it may be expected to stand for, so
    the count is exact for a handful, good within an eighth up to 3,000, and stops near 4,500.
    Two values may share a bit, and the second is then not new: that happens to one in twenty
    sets of ten values.
    """

    __slots__ = ("_bits", "_thousandths")

    def __init__(self) -> None:
        self._bits = 0
        self._thousandths = 0

    def add(self, value: str) -> bool:
        """Whether the value is new (as far as the bitmap tells)."""
        bit = 1 << _hash(value)
        clear = _BITS - self._bits.bit_count()
        if self._bits & bit or clear <= _FULL:
            return False
        self._bits |= bit
        self._thousandths += _BITS * 1000 // clear
        return True

    def __len__(self) -> int:
        """The estimate."""
        return self._thousandths // 1000
