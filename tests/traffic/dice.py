"""Chance that every Python version gives alike: whole numbers from ``getrandbits`` alone."""

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A seeded source of whole numbers, bytes and choices."""

    def __init__(self, name: str, seed: int) -> None:
        digest = hashlib.sha256(f"{name}:{seed}".encode()).digest()
        self._bits = random.Random(int.from_bytes(digest[:8], "big")).getrandbits

    def below(self, end: int) -> int:
        """A number from 0 to ``end - 1``."""
        return (self._bits(52) * end) >> 52

    def between(self, first: int, last: int) -> int:
        """A number from ``first`` to ``last``, both included."""
        return first + self.below(last - first + 1)

    def chance(self, percent: int) -> bool:
        """True that often of a hundred."""
        return self.below(100) < percent

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in another order (Fisher and Yates)."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.below(last + 1)
            result[last], result[other] = result[other], result[last]
        return result

    def bytes(self, count: int) -> bytes:
        """That many bytes, as of encrypted data."""
        return self._bits(8 * count).to_bytes(count, "big") if count else b""

    def port(self) -> int:
        """An ephemeral port as Linux takes them."""
        return self.between(32768, 60999)
