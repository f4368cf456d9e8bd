"""The storage of one machine: a SQLite file. ``store.py`` says what each method promises."""

import hmac
import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from hdr_lite.collector.keeping import HOUR, NUMBER_BITS, OTHER, Keeper, tags
from hdr_lite.collector.sqlite_accounts import SqliteAccounts
from hdr_lite.collector.sqlite_reports import SqliteReports
from hdr_lite.collector.store import Batch, Device, Gap, Keys, Newcomer, Page
from hdr_lite.records.batch import Health

_DEVICE = (
    "SELECT number, id, name, model, version, enrolled, last_seen, revoked, clock, clock_offset,"
    " alerts, dropped, refused, bytes, health, health_at FROM device"
)
_REMOVED = "SELECT number, device, size, types, families, level FROM alert"
_DAY = 24 * HOUR
_AT_ONCE = 2_000  #: alerts removed in one job, so that ingest does not wait


class SqliteStore(SqliteReports, SqliteAccounts):
    """Implements ``Store``."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._keeper = Keeper()

    def forget(self) -> None:
        """What was written was undone."""
        self._keeper.forget()

    async def ingest(self, batch: Batch) -> int | Gap:
        """Keep a batch."""
        return await self.write(lambda db: self._keeper.keep(db, batch))

    async def keys(self, device: str) -> Keys | None:
        """What its signature is checked with."""
        query = "SELECT secret, pending, revoked FROM device WHERE id = ?"
        row = await self.read(lambda db: db.execute(query, (device,)).fetchone())
        return Keys(row[0], row[1], bool(row[2])) if row else None

    async def enrol(self, token: str, digest: bytes, newcomer: Newcomer, now: int) -> str:
        """Use a token; "" or why not."""
        return await self.write(lambda db: _enrol(db, token, digest, newcomer, now))

    async def set_pending(self, device: str, secret: bytes, *, promote: bool = False) -> None:
        """Begin a rotation."""
        query = (
            "UPDATE device SET pending = ?2,"
            " secret = CASE WHEN ?3 THEN coalesce(pending, secret) ELSE secret END"
            " WHERE id = ?1 AND NOT revoked"
        )
        await self.write(lambda db: db.execute(query, (device, secret, promote)) and None)

    async def devices(self, *, limit: int = 100, before: int = 0) -> Page[Device]:
        """Newest first."""
        query = f"{_DEVICE} WHERE number < ? ORDER BY number DESC LIMIT ?"
        values = (before or 1 << 62, limit + 1)
        rows = await self.read(lambda db: db.execute(query, values).fetchall())
        items = [_device(row) for row in rows[:limit]]
        return Page(items, rows[limit - 1][0] if len(rows) > limit else 0)

    async def device(self, device: str) -> Device | None:
        """One."""
        query = f"{_DEVICE} WHERE id = ?"
        row = await self.read(lambda db: db.execute(query, (device,)).fetchone())
        return _device(row) if row else None

    async def rename(self, device: str, name: str) -> bool:
        """False: there is no such device."""
        query = "UPDATE device SET name = ? WHERE id = ?"
        return await self.write(lambda db: db.execute(query, (name, device)).rowcount == 1)

    async def revoke(self, device: str) -> bool:
        """Its secrets are forgotten, so it is for good."""
        query = "UPDATE device SET revoked = 1, secret = x'', pending = NULL WHERE id = ?"
        return await self.write(lambda db: db.execute(query, (device,)).rowcount == 1)

    async def retain(self, days: int, size: int, now: int) -> int:
        """Remove what is too old or too much, a little at a time."""
        removed = 0
        oldest = now - days * _DAY
        while n := await self.write(lambda db: _remove_old(db, oldest)):
            removed += n
        while n := await self.write(lambda db: _remove_surplus(db, size)):
            removed += n
        await self.write(lambda db: self._remove_traces(db, oldest, now))
        return removed

    def _remove_traces(self, db: sqlite3.Connection, oldest: int, now: int) -> None:
        """Attackers may be gone, so what is remembered of them is."""
        _remove_traces(db, oldest, now)
        self._keeper.forget()


def _enrol(db: sqlite3.Connection, token: str, digest: bytes, newcomer: Newcomer, now: int) -> str:
    query = "SELECT digest, note, expires, used, withdrawn FROM invitation WHERE id = ?"
    row = db.execute(query, (token,)).fetchone()
    if row is None or not hmac.compare_digest(row[0], digest):
        return "this token is unknown"
    _, note, expires, used, withdrawn = row
    if withdrawn:
        return "this token was withdrawn"
    if used:
        return "this token was used"
    if expires <= now:
        return "this token has expired"
    db.execute("UPDATE invitation SET used = ?, device = ? WHERE id = ?", (now, newcomer.id, token))
    db.execute(
        "INSERT INTO device (id, name, model, version, enrolled, secret) VALUES (?, ?, ?, ?, ?, ?)",
        (
            newcomer.id,
            newcomer.name or note or newcomer.id[:8],
            newcomer.model,
            newcomer.version,
            now,
            newcomer.secret,
        ),
    )
    return ""


def _remove_old(db: sqlite3.Connection, oldest: int) -> int:
    query = f"{_REMOVED} WHERE number < ? ORDER BY number LIMIT ?"
    return _remove(db, db.execute(query, (oldest << NUMBER_BITS, _AT_ONCE)).fetchall())


def _remove_surplus(db: sqlite3.Connection, size: int) -> int:
    """The oldest of the device that holds most: who floods displaces nobody else's."""
    if _used(db) <= size:
        return 0
    query = "SELECT number FROM device ORDER BY bytes DESC LIMIT 1"
    row = db.execute(query).fetchone()
    if row is None:
        return 0
    query = f"{_REMOVED} WHERE device = ? ORDER BY number LIMIT ?"
    return _remove(db, db.execute(query, (row[0], _AT_ONCE)).fetchall())


def _used(db: sqlite3.Connection) -> int:
    """Bytes of the file that hold something; what was freed is used again before it grows."""
    (size,) = db.execute("PRAGMA page_size").fetchone()
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (free,) = db.execute("PRAGMA freelist_count").fetchone()
    return int(size * (pages - free))


def _remove(db: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> int:
    numbers = [(row[0],) for row in rows]
    words: dict[str, int] = dict(db.execute("SELECT text, number FROM word"))
    db.executemany(
        "DELETE FROM tag WHERE word = ? AND alert = ?",
        [
            (words.get(word) or words[f"{word.partition(':')[0]}:{OTHER}"], number)
            for number, _, _, types, families, level in rows
            for word in tags(types.split(), families.split(), level)
        ],
    )
    db.executemany("DELETE FROM payload WHERE number = ?", numbers)
    db.executemany("DELETE FROM alert WHERE number = ?", numbers)
    db.executemany(
        "UPDATE device SET bytes = bytes - ? WHERE number = ?", [(row[2], row[1]) for row in rows]
    )
    return len(rows)


def _remove_traces(db: sqlite3.Connection, oldest: int, now: int) -> None:
    """Sums and attackers of which no alert is left, and what has elapsed."""
    db.execute(
        "DELETE FROM attacker_device WHERE attacker IN"
        " (SELECT number FROM attacker WHERE last < ?)",
        (oldest,),
    )
    for query, limit in (
        ("DELETE FROM attacker WHERE last < ?", oldest),
        ("DELETE FROM bucket WHERE start < ?", oldest),
        ("DELETE FROM device_hour WHERE hour < ?", oldest),
        ("DELETE FROM event WHERE time < ?", oldest),
        ("DELETE FROM block WHERE until < ?", now),
        ("DELETE FROM session WHERE expires < ?", now),
        ("DELETE FROM invitation WHERE expires < ?", now - 7 * _DAY),
    ):
        db.execute(query, (limit,))


def _device(row: tuple[Any, ...]) -> Device:
    values = list(row[1:])
    values[6] = bool(values[6])
    values[13] = msgspec.json.decode(values[13], type=Health) if values[13] else None
    return Device(*values)
