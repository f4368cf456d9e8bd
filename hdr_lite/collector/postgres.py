"""The storage of a fleet: PostgreSQL. ``store.py`` says what each method promises."""

import asyncio
import hmac
import logging
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from hdr_lite.collector.keeping import HOUR
from hdr_lite.collector.postgres_accounts import PostgresAccounts
from hdr_lite.collector.postgres_keeping import Keeper, without_alerts
from hdr_lite.collector.postgres_reports import PostgresReports
from hdr_lite.collector.postgres_schema import Connection, drop_days
from hdr_lite.collector.store import Batch, Device, Gap, Keys, Newcomer, Page
from hdr_lite.records.batch import Health

_log = logging.getLogger(__name__)

_DEVICE = (
    "SELECT number, id, name, model, version, enrolled, last_seen, revoked, clock, clock_offset,"
    " alerts, dropped, refused, bytes, health, health_at FROM device"
)
_LARGEST = (1 << 63) - 1
_DAY = 24 * HOUR
_AT_ONCE = 2_000  #: alerts removed in one transaction, so that ingest does not wait
_MOST = 256  #: batches in a transaction
_MOST_ALERTS = 10_000  #: in a transaction, after which no further batch is added to it

_Waiting = tuple[Batch, "asyncio.Future[int | Gap]"]


class PostgresStore(PostgresReports, PostgresAccounts):
    """Implements ``Store``."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._keeper = Keeper()
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def open(self) -> None:
        """Connect, bring the tables up to date, and wait for batches."""
        await super().open()
        self._writer = asyncio.create_task(self._write())

    async def close(self) -> None:
        """What was asked before is still done."""
        await self._queue.join()
        self._writer.cancel()
        await super().close()

    async def ingest(self, batch: Batch) -> int | Gap:
        """Keep a batch, in one transaction with those that came meanwhile."""
        future: asyncio.Future[int | Gap] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((batch, future))
        return await future

    async def ingest_all(self, batches: Sequence[Batch]) -> list[int | Gap]:
        """Keep batches in one transaction; one that PostgreSQL refuses is kept without alerts."""
        try:
            return await self._keep(batches)
        except asyncpg.PostgresError as error:
            if len(batches) > 1:
                return [(await self.ingest_all([batch]))[0] for batch in batches]
            _log.error("a batch of %s cannot be kept: %s", batches[0].device, error)
            if not batches[0].alerts:
                raise
            return await self._keep([without_alerts(batches[0])])

    async def cursor(self, device: str, epoch: str) -> int:
        """The number that is wanted next."""
        row = await self.fetchrow(
            "SELECT next FROM cursor JOIN device ON device.number = cursor.device"
            " WHERE id = $1 AND epoch = $2",
            device,
            epoch,
        )
        return row[0] if row else 1

    async def keys(self, device: str) -> Keys | None:
        """What its signature is checked with."""
        query = "SELECT secret, pending, revoked FROM device WHERE id = $1"
        row = await self.fetchrow(query, device)
        return Keys(*row) if row else None

    async def enrol(self, token: str, digest: bytes, newcomer: Newcomer, now: int) -> str:
        """Use a token; "" or why not."""
        async with self.connection() as db, db.transaction():
            return await _enrol(db, token, digest, newcomer, now)

    async def set_pending(self, device: str, secret: bytes, *, promote: bool = False) -> None:
        """Begin a rotation."""
        query = (
            "UPDATE device SET pending = $1,"
            " secret = CASE WHEN $3::boolean THEN coalesce(pending, secret) ELSE secret END"
            " WHERE id = $2 AND NOT revoked"
        )
        await self.change(query, secret, device, promote)

    async def devices(self, *, limit: int = 100, before: int = 0) -> Page[Device]:
        """Newest first."""
        query = f"{_DEVICE} WHERE number < $1::bigint ORDER BY number DESC LIMIT $2"
        rows = await self.fetch(query, before or _LARGEST, limit + 1)
        items = [_device(row) for row in rows[:limit]]
        return Page(items, rows[limit - 1][0] if len(rows) > limit else 0)

    async def device(self, device: str) -> Device | None:
        """One."""
        row = await self.fetchrow(f"{_DEVICE} WHERE id = $1", device)
        return _device(row) if row else None

    async def rename(self, device: str, name: str) -> bool:
        """False: there is no such device."""
        return await self.change("UPDATE device SET name = $1 WHERE id = $2", name, device) == 1

    async def revoke(self, device: str) -> bool:
        """Its secrets are forgotten, so it is for good."""
        query = "UPDATE device SET revoked = true, secret = '', pending = NULL WHERE id = $1"
        return await self.change(query, device) == 1

    async def retain(self, days: int, size: int, now: int) -> int:
        """Drop the days that are too old, then remove what is too much, a little at a time."""
        oldest = now - days * _DAY
        async with self.connection() as db:
            removed = await drop_days(db, oldest)
            while n := await _remove_surplus(db, size):
                removed += n
            await _remove_traces(db, oldest, now)
        return removed

    async def _write(self) -> None:
        """Keep what ``ingest`` was given, as many at a time as came."""
        while True:
            group = [await self._queue.get()]
            alerts = len(group[0][0].alerts)
            while len(group) < _MOST and alerts < _MOST_ALERTS and not self._queue.empty():
                group.append(self._queue.get_nowait())
                alerts += len(group[-1][0].alerts)
            try:
                _answer(group, await self.ingest_all([batch for batch, _ in group]))
            except Exception as error:  # noqa: BLE001 - it is its callers'
                _fail(group, error)
            for _ in group:
                self._queue.task_done()

    async def _keep(self, batches: Sequence[Batch]) -> list[int | Gap]:
        try:
            async with self.connection() as db, db.transaction():
                return await self._keeper.keep(db, batches)
        except BaseException:
            self._keeper.forget()
            raise


def _answer(group: list[_Waiting], answers: list[int | Gap]) -> None:
    for (_, future), answer in zip(group, answers, strict=True):
        if not future.done():  # its caller may be gone
            future.set_result(answer)


def _fail(group: list[_Waiting], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)


async def _enrol(db: Connection, token: str, digest: bytes, newcomer: Newcomer, now: int) -> str:
    query = "SELECT digest, note, expires, used, withdrawn FROM invitation WHERE id = $1 FOR UPDATE"
    row = await db.fetchrow(query, token)
    if row is None or not hmac.compare_digest(row[0], digest):
        return "this token is unknown"
    _, note, expires, used, withdrawn = row
    if withdrawn:
        return "this token was withdrawn"
    if used:
        return "this token was used"
    if expires <= now:
        return "this token has expired"
    query = "UPDATE invitation SET used = $1, device = $2 WHERE id = $3"
    await db.execute(query, now, newcomer.id, token)
    await db.execute(
        "INSERT INTO device (id, name, model, version, enrolled, secret)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        newcomer.id,
        newcomer.name or note or newcomer.id[:8],
        newcomer.model,
        newcomer.version,
        now,
        newcomer.secret,
    )
    return ""


async def _remove_surplus(db: Connection, size: int) -> int:
    """The oldest of the device that holds most: who floods displaces nobody else's.

    Each is removed with its partition's room for others of that day; the room of days that are
    over is given back with the day. So ``size`` is of what is kept, not of the disk.
    """
    async with db.transaction():
        await db.execute("SELECT FROM arrival FOR UPDATE")
        if await db.fetchval("SELECT coalesce(sum(bytes), 0) FROM device") <= size:
            return 0
        device = await db.fetchval("SELECT number FROM device ORDER BY bytes DESC LIMIT 1")
        sizes = await db.fetch(
            "DELETE FROM alert WHERE number IN"
            " (SELECT number FROM alert WHERE device = $1 ORDER BY number LIMIT $2)"
            " RETURNING length(payload)",
            device,
            _AT_ONCE,
        )
        query = "UPDATE device SET bytes = bytes - $1 WHERE number = $2"
        await db.execute(query, sum(size for (size,) in sizes), device)
        return len(sizes)


async def _remove_traces(db: Connection, oldest: int, now: int) -> None:
    """Sums and attackers of which no alert is left, and what has elapsed."""
    async with db.transaction():
        await db.execute("SELECT FROM arrival FOR UPDATE")
        await db.execute(
            "DELETE FROM attacker_device WHERE address IN"
            " (SELECT address FROM attacker WHERE last < $1)",
            oldest,
        )
        for query, limit in (
            ("DELETE FROM attacker WHERE last < $1", oldest),
            ("DELETE FROM bucket WHERE start < $1", oldest),
            ("DELETE FROM device_hour WHERE hour < $1", oldest),
            ("DELETE FROM event WHERE time < $1", oldest),
            ("DELETE FROM block WHERE until < $1", now),
            ("DELETE FROM session WHERE expires < $1", now),
            ("DELETE FROM invitation WHERE expires < $1", now - 7 * _DAY),
        ):
            await db.execute(query, limit)


def _device(row: Sequence[Any]) -> Device:
    values = list(row[1:])
    values[13] = msgspec.json.decode(values[13], type=Health) if values[13] else None
    return Device(*values)
