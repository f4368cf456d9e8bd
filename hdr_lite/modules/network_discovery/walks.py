"""The walks under way, in bounded memory."""

from hdr_lite.module import BoundedTable
from hdr_lite.modules.network_discovery.walk import Walk

#: Direction of the walk, source, port or host, protocol.
Key = tuple[str, str, str, str]


class Walks:
    """Walks that failed once only wait apart, so that forged sources cannot displace others."""

    def __init__(self) -> None:
        self._fresh: BoundedTable[Key, Walk] = BoundedTable(400, Walk)
        self._grown: BoundedTable[Key, Walk] = BoundedTable(544, Walk)

    def __contains__(self, key: Key) -> bool:
        return key in self._grown or key in self._fresh

    def get(self, key: Key) -> Walk | None:
        """The walk of a key, if it was begun; the order of use stays."""
        return self._grown.get(key) or self._fresh.get(key)

    def use(self, key: Key) -> Walk:
        """The walk of a key, begun if need be."""
        return (self._grown if key in self._grown else self._fresh).use(key)

    def known(self, key: Key) -> Walk | None:
        """The walk of a key, if it was begun: a success begins none."""
        return self.use(key) if key in self else None

    def grow(self, key: Key, walk: Walk) -> None:
        """At its second failure a walk moves to where single failures cannot displace it."""
        if walk.failures > 1 and self._fresh.pop(key) is not None:
            self._grown.put(key, walk)
