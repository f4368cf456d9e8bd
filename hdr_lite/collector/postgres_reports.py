"""What the PostgreSQL storage answers about alerts, attackers and blocks."""

from collections.abc import Sequence
from typing import Any

from hdr_lite.collector import clock
from hdr_lite.collector.keeping import BUCKET, HOUR, NUMBER_BITS
from hdr_lite.collector.postgres_pool import PostgresPool
from hdr_lite.collector.postgres_schema import RUN, Connection
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

_COLUMNS = (
    "alert.number, device.id, alert.id, alert.number >> 12, time, told, alert.clock, attacker,"
    " mac, victim, port, profile, types, families, level, score, confidence, verb, count,"
    " description"
)
_ALERT = f"SELECT {_COLUMNS} FROM alert JOIN device ON device.number = alert.device"  # noqa: S608
_BLOCK = (
    "SELECT block.number, id, address, kind, greatest(0, until - $1) / 1000, reason, reported"
    " FROM block JOIN device ON device.number = block.device"
    " WHERE until > $1 AND block.number < $2 AND NOT revoked"
)
_ATTACKER = "SELECT address, first, last, alerts, devices, level FROM attacker"


class PostgresReports(PostgresPool):
    """Questions only."""

    async def alerts(self, which: AlertFilter, *, limit: int = 50, before: int = 0) -> Page[Alert]:
        """Newest arrival first."""
        if which.level and which.level not in LEVELS:
            return Page([], 0)
        newest = min(before or _LARGEST, which.until << NUMBER_BITS if which.until else _LARGEST)
        oldest = which.since << NUMBER_BITS
        words = _words(which)
        async with self.connection() as db:
            if words and not which.device and not which.attacker:
                return await _find_in_runs(db, which, words, limit, (oldest, newest))
            return await _find(db, which, limit, (oldest, newest))

    async def alerts_after(self, number: int, *, limit: int = 200) -> list[Alert]:
        """What arrived after that one, oldest first."""
        query = f"{_ALERT} WHERE alert.number > $1 ORDER BY alert.number LIMIT $2"
        return [_alert(row) for row in await self.fetch(query, number, limit)]

    async def last_number(self) -> int:
        """Of the newest alert."""
        return int((await self.fetchrow("SELECT last FROM arrival"))[0])

    async def alert(self, number: int) -> Payload | None:
        """One, with its evidence."""
        async with self.connection() as db:
            row = await db.fetchrow(f"{_ALERT} WHERE alert.number = $1", number)
            if row is None:
                return None
            own = await db.fetchval("SELECT payload FROM alert WHERE number = $1", number)
            earlier = await db.fetch(
                "SELECT b.payload FROM alert AS a JOIN alert AS b"
                " ON b.attacker = a.attacker AND b.device = a.device AND b.number < a.number"
                " WHERE a.number = $1 ORDER BY b.number DESC LIMIT $2",
                number,
                _EARLIER,
            )
        return Payload(_alert(row), own, _within([body for (body,) in earlier], _EARLIER_BYTES))

    async def attackers(
        self, *, since: int = 0, limit: int = 50, before: int = 0
    ) -> Page[Attacker]:
        """Last seen first."""
        query = f"{_ATTACKER} WHERE last >= $1 AND last < $2 ORDER BY last DESC LIMIT $3"
        rows = await self.fetch(query, since, before or _LARGEST, limit + 1)
        if len(rows) <= limit:
            return Page([_attacker(row) for row in rows], 0)
        last = rows[limit - 1][2]
        if last != rows[limit][2]:
            return Page([_attacker(row) for row in rows[:limit]], last)
        # Those of one moment stay together: a page may be longer for it.
        same = await self.fetch(f"{_ATTACKER} WHERE last = $1 LIMIT 10000", last)
        return Page([_attacker(row) for row in [*(r for r in rows if r[2] > last), *same]], last)

    async def attacker(self, address: str) -> tuple[Attacker, list[AttackerAt]] | None:
        """One, and where."""
        row = await self.fetchrow(f"{_ATTACKER} WHERE address = $1", address)
        if row is None:
            return None
        where = await self.fetch(
            "SELECT id, first, last, d.alerts FROM attacker_device AS d"
            " JOIN device ON device.number = d.device"
            " WHERE address = $1 ORDER BY last DESC LIMIT 1000",
            address,
        )
        return _attacker(row), [AttackerAt(*at) for at in where]

    async def blocks(
        self, *, device: str = "", address: str = "", limit: int = 100, before: int = 0
    ) -> Page[BlockAt]:
        """Whom the devices hold; elapsed ones are left out."""
        rows = await self.fetch(
            f"{_BLOCK} AND ($3 = '' OR id = $3) AND ($4 = '' OR address = $4)"
            " ORDER BY block.number DESC LIMIT $5",
            clock.now(),
            before or _LARGEST,
            device,
            "" if device else address,
            limit + 1,
        )
        items = [BlockAt(row[1], Held(*row[2:6]), row[6]) for row in rows[:limit]]
        return Page(items, rows[limit - 1][0] if len(rows) > limit else 0)

    async def overview(self, since: int, until: int, step: int) -> Overview:
        """Buckets of ``step`` ms, a multiple of five minutes."""
        if step % BUCKET or step <= 0:
            raise ValueError("a step is a multiple of five minutes")
        async with self.connection() as db:
            return await _overview(db, since, until, step)


def _words(which: AlertFilter) -> list[str]:
    kinds = (("type", which.type), ("family", which.family), ("level", which.level))
    return [f"{kind}:{name}" for kind, name in kinds if name]


def _conditions(which: AlertFilter, values: list[Any]) -> str:
    """What an alert has to be, as SQL; its values are appended."""
    found = []
    for condition, value in (
        ("device = (SELECT number FROM device WHERE id = {})", which.device),
        ("attacker = {}", which.attacker),
        ("{} = ANY (types)", which.type),
        ("{} = ANY (families)", which.family),
        ("level = {}", LEVELS.index(which.level) if which.level else ""),
    ):
        if value != "":
            values.append(value)
            found.append(f" AND {condition.format(f'${len(values)}')}")
    return "".join(found)


async def _find(
    db: Connection, which: AlertFilter, limit: int, span: tuple[int, int]
) -> Page[Alert]:
    """By the index of device or attacker, or by number alone; words are looked at in the rows."""
    oldest, newest = span
    values: list[Any] = [oldest, newest, limit + 1, _MOST_LOOKED_AT]
    driver = _conditions(AlertFilter(device=which.device, attacker=which.attacker), values)
    rest = _conditions(AlertFilter(type=which.type, family=which.family, level=which.level), values)
    looked_at = (
        "SELECT * FROM alert WHERE number >= $1 AND number < $2"  # noqa: S608 - our words
        f"{driver} ORDER BY number DESC LIMIT $4"
    )
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM ({looked_at}) AS alert"  # noqa: S608
        f" JOIN device ON device.number = alert.device WHERE true{rest}"
        " ORDER BY alert.number DESC LIMIT $3",
        *values,
    )
    found = [_alert(row) for row in rows]
    if len(found) > limit:
        return Page(found[:limit], found[limit - 1].number)
    if not rest:
        return Page(found, 0)
    end = await db.fetchval(
        "SELECT number FROM alert WHERE number >= $1 AND number < $2 AND $3 > 0"  # noqa: S608
        f"{driver} ORDER BY number DESC OFFSET $4 - 1 LIMIT 1",
        *values[: 4 + bool(which.device) + bool(which.attacker)],
    )
    return Page(found, end or 0)


async def _find_in_runs(
    db: Connection, which: AlertFilter, words: Sequence[str], limit: int, span: tuple[int, int]
) -> Page[Alert]:
    """Look at the runs that have all the words, and at the alerts of these."""
    oldest, newest = span
    values: list[Any] = []
    where = _conditions(which, values)
    at = len(values)
    query = (
        f"SELECT {_COLUMNS} FROM unnest(${at + 1}::bigint[], ${at + 2}::bigint[]) AS run (a, z)"  # noqa: S608
        " JOIN alert ON alert.number BETWEEN a AND z JOIN device ON device.number = alert.device"
        f" WHERE alert.number >= ${at + 3} AND alert.number < ${at + 4}{where}"
        f" ORDER BY alert.number DESC LIMIT ${at + 5}"
    )
    found: list[Alert] = []
    chunk, looked_at = 8, 0
    while looked_at < _MOST_LOOKED_AT:
        runs = await _runs(db, words, oldest, newest, chunk)
        starts, ends = [run[0] for run in runs], [run[1] for run in runs]
        rows = await db.fetch(query, *values, starts, ends, oldest, newest, limit + 1 - len(found))
        found += [_alert(row) for row in rows]
        if len(found) > limit:
            return Page(found[:limit], found[limit - 1].number)
        if len(runs) < chunk:
            return Page(found, 0)
        newest = starts[-1]
        looked_at += sum(end - start + 1 for start, end in runs)
        chunk = min(chunk * 8, 512)
    return Page(found, newest)


async def _runs(
    db: Connection, words: Sequence[str], oldest: int, before: int, most: int
) -> list[tuple[int, int]]:
    """The newest runs that begin before a number and have all the words."""
    values: list[Any] = [oldest, before, most, words[0]]
    others = ""
    for word in words[1:]:
        values.append(word)
        others += (
            " AND EXISTS (SELECT 1 FROM tag AS other"  # noqa: S608 - numbers of values
            f" WHERE other.word = ${len(values)} AND other.run = tag.run)"
        )
    # A run that begins before the span may end within it: no transaction gave a run more numbers
    # than RUN, so it begins at most so many before.
    rows = await db.fetch(
        f"SELECT run, last FROM tag WHERE word = $4 AND run > $1::bigint - {RUN} AND last >= $1"  # noqa: S608
        f" AND run < $2{others} ORDER BY run DESC LIMIT $3",
        *values,
    )
    return [(run, last) for run, last in rows]


def _within(bodies: Sequence[bytes], size: int) -> list[bytes]:
    """The first that are together no larger than that."""
    kept = []
    for body in bodies:
        size -= len(body)
        if size < 0:
            break
        kept.append(body)
    return kept


async def _overview(db: Connection, since: int, until: int, step: int) -> Overview:
    buckets = await db.fetch(
        "SELECT start / $3 * $3 AS begin, family, level, sum(alerts)::bigint FROM bucket"
        " WHERE start >= $1 AND start < $2 GROUP BY 1, 2, 3"
        ' ORDER BY 1, family COLLATE "C", 3',
        since // step * step,
        until,
        step,
    )
    devices = await db.fetch(
        "SELECT id, sum(d.alerts)::bigint AS alerts FROM device_hour AS d"
        " JOIN device ON device.number = d.device WHERE hour >= $1 AND hour < $2"
        ' GROUP BY id ORDER BY 2 DESC, id COLLATE "C" LIMIT 20',
        since // HOUR * HOUR,
        until,
    )
    attackers = await db.fetch(
        f"SELECT * FROM ({_ATTACKER} WHERE last >= $1 AND last < $2"  # noqa: S608
        " ORDER BY last DESC LIMIT 5000) AS newest"
        ' ORDER BY devices DESC, alerts DESC, address COLLATE "C" LIMIT 20',
        since,
        until,
    )
    now = clock.now()
    ((enrolled, seen),) = await db.fetch(
        "SELECT count(*), count(*) FILTER (WHERE last_seen > $1) FROM device WHERE NOT revoked",
        now - _SEEN,
    )
    blocks = await db.fetchval("SELECT count(*) FROM block WHERE until > $1", now)
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


def _alert(row: Any) -> Alert:
    values = list(row)
    values[14] = LEVELS[row[14]]
    return Alert(*values)


def _attacker(row: Any) -> Attacker:
    values = list(row)
    values[5] = LEVELS[row[5]]
    return Attacker(*values)
