"""The storage as ingest processes of a fleet see it: batches go to the bus, the rest to PostgreSQL.

They keep nothing that another could not find again. What they remember, of devices that they have
heard of, lets these report on while PostgreSQL is away.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

from hdr_lite.collector.jetstream import Bus
from hdr_lite.collector.postgres import PostgresStore
from hdr_lite.collector.store import Batch, Gap, Keys, Unavailable

V = TypeVar("V")

_FRESH = 30.0  #: s that keys are believed while PostgreSQL could be asked
_MOST = 100_000  #: devices that are remembered, and as many cursors


class Recent(Generic[V]):
    """The values of the keys used last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, V] = OrderedDict()

    def get(self, key: str) -> V | None:
        """What is remembered."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: str, value: V) -> None:
        """Remember, and forget what was not used for longest."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)

    def drop(self, key: str) -> None:
        """Forget."""
        self._values.pop(key, None)


class _Known(NamedTuple):
    keys: Keys
    asked: float


class FleetStore(PostgresStore):
    """Implements ``Store``: ``ingest`` publishes."""

    def __init__(self, url: str, bus: Bus) -> None:
        super().__init__(url)
        self._bus = bus
        self._known: Recent[_Known] = Recent(_MOST)
        #: All numbers below are in PostgreSQL or in the stream: they may be behind, not ahead.
        self._cursors: Recent[int] = Recent(_MOST)

    async def open(self) -> None:
        """Connect to both."""
        await super().open()
        await self._bus.open()
        await self._bus.on_forget(self._known.drop)

    async def close(self) -> None:
        """Disconnect from both."""
        await self._bus.close()
        await super().close()

    async def ingest(self, batch: Batch) -> int | Gap:
        """Publish a batch unless it begins past what is kept."""
        if batch.new_secret:
            await self._confirm(batch.device)
            batch = replace(batch, new_secret=False)
        name = f"{batch.device}/{batch.epoch}"
        cursor = self._cursors.get(name)
        if cursor is None or batch.first > cursor:
            # The stream first: what leaves it meanwhile is in PostgreSQL by then.
            published = await self._bus.published(batch.device, batch.epoch)
            cursor = max(published, await self.cursor(batch.device, batch.epoch))
            self._cursors.put(name, cursor)
        if batch.first > cursor:
            return Gap(cursor)
        await self._bus.publish(batch)
        after = max(batch.next, cursor, self._cursors.get(name) or 1)
        self._cursors.put(name, after)
        return after

    async def keys(self, device: str) -> Keys | None:
        """Remembered for a little while, and for as long as PostgreSQL cannot be asked."""
        known = self._known.get(device)
        if known and time.monotonic() - known.asked < _FRESH:
            return known.keys
        try:
            keys = await super().keys(device)
        except Unavailable:
            if known is None:
                raise
            keys = known.keys
        if keys is not None:
            self._known.put(device, _Known(keys, time.monotonic()))
        return keys

    async def set_pending(self, device: str, secret: bytes, *, promote: bool = False) -> None:
        """Begin a rotation, and tell the other processes."""
        await super().set_pending(device, secret, promote=promote)
        await self._changed(device)

    async def revoke(self, device: str) -> bool:
        """Nothing more is taken from it, by any process."""
        revoked = await super().revoke(device)
        await self._changed(device)
        return revoked

    async def _confirm(self, device: str) -> None:
        """The pending secret was used: told at once, as the queue may be behind the next one."""
        keys = await self.keys(device)
        if keys is not None:
            query = (
                "UPDATE device SET secret = pending, pending = NULL WHERE id = $1 AND pending = $2"
            )
            await self.change(query, device, keys.pending)
            await self._changed(device)

    async def _changed(self, device: str) -> None:
        self._known.drop(device)
        await self._bus.forget(device)


async def consume(store: PostgresStore, bus: Bus) -> None:
    """Write what the bus holds to PostgreSQL, until cancelled."""

    async def keep(batches: Sequence[Batch]) -> Sequence[bool]:
        # A gap: another consumer holds the batch before it. It comes again when that is kept.
        return [not isinstance(answer, Gap) for answer in await store.ingest_all(batches)]

    await bus.consume(keep)
