"""What the SQLite storage answers about alerts, attackers and blocks."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from hdr_lite.collector import clock
from hdr_lite.collector.keeping import BUCKET, HOUR, NUMBER_BITS
from hdr_lite.collector.sqlite_file import SqliteFile
from hdr_lite.collector.store import (
    LEVELS,
    Alert,
    AlertFilter,
    Attacker,
    AttackerAt,
    BlockAt,
    Bucket,
    DeviceCount,
    Overview,
    Page,
    Payload,
)
from hdr_lite.records.batch import Held

_MOST_LOOKED_AT = 20_000  #: alerts that a page is made from
_LARGEST = (1 << 63) - 1
_EARLIER = 50  #: alerts in which evidence that was sent before is looked for
_EARLIER_BYTES = 4 << 20
_SEEN = 2 * HOUR

_ALERT = (
    "SELECT alert.number, device.id, alert.id, alert.number >> 12, time, told, alert.clock,"
    " attacker.address, mac, victim, port, profile, types, families, alert.level, score,"
    " confidence, verb, count, description FROM alert"
    " JOIN device ON device.number = alert.device"
    " JOIN attacker ON attacker.number = alert.attacker"
)
_BLOCK = (
    "SELECT block.number, id, address, kind, max(0, until - ?1) / 1000, reason, reported"
    " FROM block JOIN device ON device.number = block.device"
    " WHERE until > ?1 AND block.number < ?2 AND NOT revoked"
)
_ATTACKER = "SELECT address, first, last, alerts, devices, level FROM attacker"


class SqliteReports(SqliteFile):
    """Questions only."""

    async def alerts(self, which: AlertFilter, *, limit: int = 50, before: int = 0) -> Page[Alert]:
        """Newest arrival first."""
        return await self.read(lambda db: _find(db, which, limit, before))

    async def alerts_after(self, number: int, *, limit: int = 200) -> list[Alert]:
        """What arrived after that one, oldest first."""
        query = f"{_ALERT} WHERE alert.number > ? ORDER BY alert.number LIMIT ?"
        return await self.read(lambda db: [_alert(r) for r in db.execute(query, (number, limit))])

    async def last_number(self) -> int:
        """Of the newest alert."""
        query = "SELECT coalesce(max(number), 0) FROM alert"
        return await self.read(lambda db: int(db.execute(query).fetchone()[0]))

    async def alert(self, number: int) -> Payload | None:
        """One, with its evidence."""
        return await self.read(lambda db: _payload(db, number))

    async def attackers(
        self, *, since: int = 0, limit: int = 50, before: int = 0
    ) -> Page[Attacker]:
        """Last seen first."""
        query = f"{_ATTACKER} WHERE last >= ? AND last < ? ORDER BY last DESC LIMIT ?"

        def ask(db: sqlite3.Connection) -> Page[Attacker]:
            rows = db.execute(query, (since, before or _LARGEST, limit + 1)).fetchall()
            if len(rows) <= limit:
                return Page([_attacker(row) for row in rows], 0)
            last = rows[limit - 1][2]
            if last != rows[limit][2]:
                return Page([_attacker(row) for row in rows[:limit]], last)
            # Those of one moment stay together: a page may be longer for it.
            same = f"{_ATTACKER} WHERE last = ? LIMIT 10000"
            earlier = [row for row in rows if row[2] > last]
            return Page([_attacker(r) for r in [*earlier, *db.execute(same, (last,))]], last)

        return await self.read(ask)

    async def attacker(self, address: str) -> tuple[Attacker, list[AttackerAt]] | None:
        """One, and where."""
        query = (
            "SELECT device.id, d.first, d.last, d.alerts FROM attacker_device AS d"
            " JOIN attacker ON attacker.number = d.attacker JOIN device ON device.number = d.device"
            " WHERE address = ? ORDER BY d.last DESC LIMIT 1000"
        )

        def ask(db: sqlite3.Connection) -> tuple[Attacker, list[AttackerAt]] | None:
            row = db.execute(f"{_ATTACKER} WHERE address = ?", (address,)).fetchone()
            if row is None:
                return None
            return _attacker(row), [AttackerAt(*at) for at in db.execute(query, (address,))]

        return await self.read(ask)

    async def blocks(
        self, *, device: str = "", address: str = "", limit: int = 100, before: int = 0
    ) -> Page[BlockAt]:
        """Whom the devices hold; elapsed ones are left out."""
        which = "AND id = ?3" if device else "AND address = ?4" if address else ""
        query = f"{_BLOCK} {which} ORDER BY block.number DESC LIMIT ?5"

        def ask(db: sqlite3.Connection) -> Page[BlockAt]:
            values = (clock.now(), before or _LARGEST, device, address, limit + 1)
            rows = db.execute(query, values).fetchall()
            items = [BlockAt(r[1], Held(*r[2:6]), r[6]) for r in rows[:limit]]
            return Page(items, rows[limit - 1][0] if len(rows) > limit else 0)

        return await self.read(ask)

    async def overview(self, since: int, until: int, step: int) -> Overview:
        """Buckets of ``step`` ms, a multiple of five minutes."""
        if step % BUCKET or step <= 0:
            raise ValueError("a step is a multiple of five minutes")
        return await self.read(lambda db: _overview(db, since, until, step))


def _find(db: sqlite3.Connection, which: AlertFilter, limit: int, before: int) -> Page[Alert]:
    """Look at numbers by the filter that leaves fewest, and at the alerts by the others."""
    if which.level and which.level not in LEVELS:
        return Page([], 0)
    conditions = _conditions(db, which)
    if conditions is None:
        return Page([], 0)
    driver, others, values = conditions
    newest = min(before or _LARGEST, which.until << NUMBER_BITS if which.until else _LARGEST)
    found: list[Alert] = []
    chunk, looked_at = limit + 1, 0
    while looked_at < _MOST_LOOKED_AT:
        numbers = _numbers(db, driver, which.since << NUMBER_BITS, newest, chunk)
        rows = db.execute(
            f"{_ALERT} WHERE alert.number IN (SELECT value FROM json_each(?)) {others}"  # noqa: S608
            " ORDER BY alert.number DESC",
            (json.dumps(numbers), *values),
        )
        found += [_alert(row) for row in rows]
        if len(found) > limit:
            return Page(found[:limit], found[limit - 1].number)
        if len(numbers) < chunk:
            return Page(found, 0)
        newest = numbers[-1]
        looked_at += chunk
        chunk = min(chunk * 8, _MOST_LOOKED_AT)
    return Page(found, newest)


def _numbers(
    db: sqlite3.Connection, driver: tuple[str, str, int | None], oldest: int, before: int, most: int
) -> list[int]:
    """Of the newest alerts by one filter."""
    column, where, value = driver
    query = (
        f"SELECT {column} FROM {where} {column} >= ? AND {column} < ?"  # noqa: S608 - our words
        f" ORDER BY {column} DESC LIMIT ?"
    )
    values = [] if value is None else [value]
    return [row[0] for row in db.execute(query, (*values, oldest, before, most))]


def _conditions(
    db: sqlite3.Connection, which: AlertFilter
) -> tuple[tuple[str, str, int | None], str, list[int]] | None:
    """What drives the search, further conditions and their values; None: nothing can match."""
    filters: list[tuple[tuple[str, str, int | None], str, int]] = []
    for column, table, text in (
        ("attacker", "SELECT number FROM attacker WHERE address = ?", which.attacker),
        ("device", "SELECT number FROM device WHERE id = ?", which.device),
    ):
        if text:
            row = db.execute(table, (text,)).fetchone()
            if row is None:
                return None
            driver = ("number", f"alert INDEXED BY alert_{column} WHERE {column} = ? AND", row[0])
            filters.append((driver, f"AND alert.{column} = ?", row[0]))
    for kind, name in (("type", which.type), ("family", which.family), ("level", which.level)):
        if name:
            row = db.execute(
                "SELECT number FROM word WHERE text = ?", (f"{kind}:{name}",)
            ).fetchone()
            if row is None:
                return None
            exists = "AND EXISTS (SELECT 1 FROM tag WHERE word = ? AND tag.alert = alert.number)"
            filters.append((("alert", "tag WHERE word = ? AND", row[0]), exists, row[0]))
    if not filters:
        return ("number", "alert WHERE", None), "", []
    (driver, _, _), *rest = filters
    return driver, " ".join(sql for _, sql, _ in rest), [value for _, _, value in rest]


def _payload(db: sqlite3.Connection, number: int) -> Payload | None:
    row = db.execute(f"{_ALERT} WHERE alert.number = ?", (number,)).fetchone()
    if row is None:
        return None
    (own,) = db.execute("SELECT body FROM payload WHERE number = ?", (number,)).fetchone()
    query = (
        "SELECT body FROM alert AS a JOIN alert AS b INDEXED BY alert_attacker"
        " ON b.attacker = a.attacker AND b.device = a.device AND b.number < a.number"
        " JOIN payload ON payload.number = b.number"
        " WHERE a.number = ? ORDER BY b.number DESC LIMIT ?"
    )
    earlier = _within(db.execute(query, (number, _EARLIER)), _EARLIER_BYTES)
    return Payload(_alert(row), own, list(earlier))


def _within(rows: sqlite3.Cursor, size: int) -> Iterator[bytes]:
    """Bodies until they are so large together."""
    for (body,) in rows:
        size -= len(body)
        if size < 0:
            return
        yield body


def _overview(db: sqlite3.Connection, since: int, until: int, step: int) -> Overview:
    buckets = db.execute(
        "SELECT start / ?3 * ?3 AS start, substr(text, 8), level, sum(alerts) FROM bucket"
        " JOIN word ON word.number = bucket.family WHERE start >= ?1 AND start < ?2"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        (since // step * step, until, step),
    )
    devices = db.execute(
        "SELECT id, sum(d.alerts) AS alerts FROM device_hour AS d"
        " JOIN device ON device.number = d.device WHERE hour >= ? AND hour < ?"
        " GROUP BY d.device ORDER BY alerts DESC, id LIMIT 20",
        (since // HOUR * HOUR, until),
    )
    attackers = db.execute(
        f"SELECT * FROM ({_ATTACKER} WHERE last >= ? AND last < ? ORDER BY last DESC LIMIT 5000)"  # noqa: S608
        " ORDER BY devices DESC, alerts DESC, address LIMIT 20",
        (since, until),
    )
    now = clock.now()
    enrolled, seen = db.execute(
        "SELECT count(*), count(*) FILTER (WHERE last_seen > ?) FROM device WHERE NOT revoked",
        (now - _SEEN,),
    ).fetchone()
    (blocks,) = db.execute("SELECT count(*) FROM block WHERE until > ?", (now,)).fetchone()
    return Overview(
        since,
        until,
        step,
        [Bucket(start, family, LEVELS[level], n) for start, family, level, n in buckets],
        [DeviceCount(*row) for row in devices],
        [_attacker(row) for row in attackers],
        enrolled,
        seen,
        blocks,
    )


def _alert(row: tuple[Any, ...]) -> Alert:
    values = list(row)
    values[12], values[13] = row[12].split(), row[13].split()
    values[14] = LEVELS[row[14]]
    return Alert(*values)


def _attacker(row: tuple[Any, ...]) -> Attacker:
    values = list(row)
    values[5] = LEVELS[row[5]]
    return Attacker(*values)
