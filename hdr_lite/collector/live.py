"""New alerts as they come: one question a second to the storage, however many listen."""

import asyncio
from collections.abc import AsyncIterator

from hdr_lite.collector.store import Alert, Store, Unavailable

_PAUSE = 1.0
_MOST_LISTENERS = 100
_MOST_WAITING = 1000  #: alerts that a slow listener may be behind


class Live:
    """Asks only while somebody listens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: set[asyncio.Queue[Alert]] = set()
        self._task: asyncio.Task[None] | None = None

    def is_full(self) -> bool:
        """So many listen that no more may."""
        return len(self._listeners) >= _MOST_LISTENERS

    async def listen(self) -> AsyncIterator[Alert | None]:
        """Alerts that arrive from now on; None each second in which there is none."""
        waiting: asyncio.Queue[Alert] = asyncio.Queue(_MOST_WAITING)
        self._listeners.add(waiting)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._ask(await self._store.last_number()))
        try:
            while True:
                try:
                    yield await asyncio.wait_for(waiting.get(), _PAUSE)
                except TimeoutError:
                    yield None
        finally:
            self._listeners.discard(waiting)

    async def _ask(self, last: int) -> None:
        while self._listeners:
            await asyncio.sleep(_PAUSE)
            try:
                alerts = await self._store.alerts_after(last)
            except Unavailable:
                continue
            for alert in alerts:
                last = alert.number
                for listener in self._listeners:
                    if not listener.full():
                        listener.put_nowait(alert)
