"""How the PostgreSQL storage keeps batches: many in a transaction, each exactly once.

The row of ``arrival`` is locked for the transaction. So transactions follow each other, whoever
writes them: a cursor that was read holds until the commit, numbers rise in the order of commits
(what follows the newest alert misses none), and two writers cannot wait for each other. The
price is that further writers add no speed to PostgreSQL's own; they take over where one dies.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from hdr_lite.collector import clock
from hdr_lite.collector.keeping import (
    BEGINNING,
    BUCKET,
    HOUR,
    LATEST,
    NUMBER_BITS,
    OTHER,
    tags,
)
from hdr_lite.collector.postgres_schema import RUN, Connection, make_days
from hdr_lite.collector.store import Batch, Gap, Reported
from hdr_lite.records.batch import Health

_log = logging.getLogger(__name__)

_MOST_EPOCHS = 64  #: of a device; the one not used for longest goes
_MOST_FAMILIES = 256  #: that have sums of their own
_LONGEST = 30 * 86_400  #: seconds that a block may be told to last

_COLUMNS = (
    "number", "device", "attacker", "id", "time", "told", "clock", "mac", "victim", "port",
    "profile", "types", "families", "level", "score", "confidence", "verb", "count",
    "description", "payload",
)  # fmt: skip


@dataclass(slots=True)
class _Told:
    """What is to be written of a device at the end of a transaction."""

    number: int
    cursors: dict[str, tuple[int, int]]  #: epoch -> next, when it was used
    seen: int = 0
    clock: str = ""
    offset: int = 0
    alerts: int = 0
    dropped: int = 0
    refused: int = 0
    size: int = 0
    new_secret: bool = False
    health: Health | None = None
    health_at: int = 0
    latest: set[str] = field(default_factory=set)  #: ids, where an epoch of it begins
    moved: set[str] = field(default_factory=set)  #: epochs whose cursor rose
    gone: set[str] = field(default_factory=set)  #: epochs that made room


class _Arrived(NamedTuple):
    device: int
    clock: str
    received: int
    alert: Reported


class Keeper:
    """Of one process. What it remembers is only what never changes back."""

    def __init__(self) -> None:
        self._made = 0  #: the first number for which there may be no partition
        self._families: set[str] = set()

    async def keep(self, db: Connection, batches: Sequence[Batch]) -> list[int | Gap]:
        """Keep what is new of each, in order; the cursors after them. Within a transaction."""
        last = await db.fetchval("SELECT last FROM arrival FOR UPDATE")
        devices = await _devices(db, {batch.device for batch in batches})
        await _read_latest(db, devices, batches)
        arrived: list[_Arrived] = []
        answers = [_take(devices.get(batch.device), batch, arrived) for batch in batches]
        if arrived:
            await self._alerts(db, last, arrived)
        told = sorted((t for t in devices.values() if t.seen), key=lambda t: t.number)
        await _write_devices(db, told)
        await _write_cursors(db, told)
        await _write_health(db, [t for t in told if t.health is not None])
        return answers

    def forget(self) -> None:
        """A transaction was undone, and what it made with it."""
        self._made = 0
        self._families.clear()

    async def _alerts(self, db: Connection, last: int, arrived: list[_Arrived]) -> None:
        # By the clock of this machine, read here: numbers rise in the order of the commits.
        start = max(last + 1, clock.now() << NUMBER_BITS)
        end = start + len(arrived) - 1
        if end >= self._made:
            self._made = await make_days(db, start)
        await db.execute("UPDATE arrival SET last = $1", end)
        await db.copy_records_to_table(
            "alert",
            columns=_COLUMNS,
            records=[_row(number, one) for number, one in enumerate(arrived, start)],
        )
        await db.copy_records_to_table("tag", records=list(_tags(start, arrived)))
        await _write_attackers(db, arrived)
        await self._sums(db, arrived)

    async def _sums(self, db: Connection, arrived: list[_Arrived]) -> None:
        families = await self._known(db, {one.alert.families[0] for one in arrived})
        buckets = Counter(
            (
                a.time // BUCKET * BUCKET,
                a.families[0] if a.families[0] in families else OTHER,
                a.level,
            )
            for *_, a in arrived
        )
        await db.executemany(
            "INSERT INTO bucket VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (start, family, level) DO UPDATE SET alerts = bucket.alerts + $4",
            [(*key, alerts) for key, alerts in buckets.items()],
        )
        hours = Counter((one.alert.time // HOUR * HOUR, one.device) for one in arrived)
        await db.executemany(
            "INSERT INTO device_hour VALUES ($1, $2, $3)"
            " ON CONFLICT (hour, device) DO UPDATE SET alerts = device_hour.alerts + $3",
            [(*key, alerts) for key, alerts in hours.items()],
        )

    async def _known(self, db: Connection, families: set[str]) -> set[str]:
        """Families that have sums of their own; a made-up one too many gets none."""
        if not families <= self._families:
            self._families = {row[0] for row in await db.fetch("SELECT name FROM family")}
            room = _MOST_FAMILIES - len(self._families)
            fresh = sorted(families - self._families)[:room]
            await db.executemany("INSERT INTO family VALUES ($1)", [(name,) for name in fresh])
            self._families.update(fresh)
        return self._families


def without_alerts(batch: Batch) -> Batch:
    """The batch with all its alerts counted as malformed: what else of it holds is kept."""
    return replace(batch, alerts=(), refused=batch.refused + len(batch.alerts))


async def _devices(db: Connection, ids: set[str]) -> dict[str, _Told]:
    rows = await db.fetch(
        "SELECT id, number, epoch, next, used FROM device"
        " LEFT JOIN cursor ON cursor.device = device.number WHERE id = ANY($1)",
        list(ids),
    )
    devices: dict[str, _Told] = {}
    for device, number, epoch, next_, used in rows:
        told = devices.setdefault(device, _Told(number, {}))
        if epoch is not None:
            told.cursors[epoch] = (next_, used)
    return devices


async def _read_latest(db: Connection, devices: dict[str, _Told], batches: Sequence[Batch]) -> None:
    """The latest ids of devices that begin an epoch after another: they may tell some again."""
    beginning = {
        devices[batch.device].number: devices[batch.device]
        for batch in batches
        if batch.device in devices and _begins(devices[batch.device], batch)
    }
    if beginning:
        rows = await db.fetch(
            "SELECT told.number, known.id FROM unnest($1::integer[]) AS told (number)"
            " CROSS JOIN LATERAL (SELECT id FROM alert WHERE device = told.number"
            " ORDER BY number DESC LIMIT $2) AS known",
            list(beginning),
            LATEST,
        )
        for number, id_ in rows:
            beginning[number].latest.add(id_)


def _begins(told: _Told, batch: Batch) -> bool:
    """There may be another epoch before it in the tables or in the same transaction."""
    return bool(batch.alerts) and told.cursors.get(batch.epoch, (1, 0))[0] <= BEGINNING


def _take(told: _Told | None, batch: Batch, arrived: list[_Arrived]) -> int | Gap:
    """Add what is new of a batch; the cursor after it."""
    if told is None:  # enrolled after the backup that was restored: it has to enrol anew
        _log.warning("a batch of the unknown device %s was thrown away", batch.device)
        return batch.next
    cursor, _ = told.cursors.get(batch.epoch, (1, 0))
    if batch.first > cursor:
        return Gap(cursor)
    new = [alert for alert in batch.alerts if alert.sequence >= cursor]
    after = max(batch.next, cursor)
    lost = after - cursor - len(new)
    if cursor <= BEGINNING and told.cursors.keys() - {batch.epoch}:
        new = [alert for alert in new if alert.id not in told.latest]
    told.latest.update(alert.id for alert in new)
    # What was malformed counts once only: as the numbers of a batch, with the cursor.
    refused = batch.refused if batch.first == cursor else 0
    arrived += (_Arrived(told.number, batch.clock_quality, batch.received, a) for a in new)
    told.seen = max(told.seen, batch.received)
    told.clock, told.offset = batch.clock_quality, batch.clock_offset
    told.alerts += len(new)
    told.dropped += max(lost - refused, 0)
    told.refused += refused
    told.size += sum(len(alert.payload) for alert in new)
    told.new_secret |= batch.new_secret
    if after > cursor:
        _advance(told, batch.epoch, after, batch.received)
    if batch.health is not None:
        told.health, told.health_at = batch.health, batch.received
    return after


def _advance(told: _Told, epoch: str, after: int, now: int) -> None:
    if epoch not in told.cursors and len(told.cursors) >= _MOST_EPOCHS:
        oldest = min(told.cursors, key=lambda e: told.cursors[e][1])
        del told.cursors[oldest]
        told.moved.discard(oldest)
        told.gone.add(oldest)
    told.cursors[epoch] = (after, now)
    told.moved.add(epoch)


def _row(number: int, one: _Arrived) -> tuple[Any, ...]:
    a = one.alert
    return (
        number, one.device, a.attacker, a.id, a.time, a.told, one.clock, a.mac, a.victim, a.port,
        a.profile, a.types, a.families, a.level, a.score, a.confidence, a.verb, a.count,
        a.description, a.payload,
    )  # fmt: skip


def _tags(start: int, arrived: Iterable[_Arrived]) -> Iterator[tuple[str, int, int]]:
    """What is within each run."""
    rest = iter(arrived)
    while run := list(islice(rest, RUN)):
        words = {word for *_, a in run for word in tags(a.types, a.families, a.level)}
        yield from ((word, start, start + len(run) - 1) for word in sorted(words))
        start += len(run)


async def _write_attackers(db: Connection, arrived: list[_Arrived]) -> None:
    counts = Counter((one.alert.attacker, one.device) for one in arrived)
    times = {one.alert.attacker: one.received for one in arrived}
    levels: dict[str, int] = {}
    for *_, a in arrived:
        levels[a.attacker] = max(levels.get(a.attacker, 0), a.level)
    fresh = await db.fetch(
        "INSERT INTO attacker_device"
        " SELECT address, device, at, at, alerts"
        " FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[])"
        " AS told (address, device, at, alerts)"
        " ON CONFLICT (address, device) DO UPDATE SET alerts = attacker_device.alerts"
        " + excluded.alerts, last = greatest(attacker_device.last, excluded.last)"
        " RETURNING address, device, alerts",
        [address for address, _ in counts],
        [device for _, device in counts],
        [times[address] for address, _ in counts],
        list(counts.values()),
    )
    devices = Counter(address for address, device, n in fresh if n == counts[address, device])
    alerts = Counter(one.alert.attacker for one in arrived)
    await db.execute(
        "INSERT INTO attacker SELECT address, at, at, alerts, devices, level"
        " FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::integer[], $5::smallint[])"
        " AS told (address, at, alerts, devices, level)"
        " ON CONFLICT (address) DO UPDATE SET last = greatest(attacker.last, excluded.last),"
        " alerts = attacker.alerts + excluded.alerts,"
        " devices = attacker.devices + excluded.devices,"
        " level = greatest(attacker.level, excluded.level)",
        list(alerts),
        [times[address] for address in alerts],
        list(alerts.values()),
        [devices[address] for address in alerts],
        [levels[address] for address in alerts],
    )


async def _write_devices(db: Connection, told: list[_Told]) -> None:
    await db.execute(
        "UPDATE device SET last_seen = greatest(last_seen, told.seen), clock = told.clock,"
        " clock_offset = told.clock_offset, alerts = device.alerts + told.alerts,"
        " dropped = device.dropped + told.dropped, refused = device.refused + told.refused,"
        " bytes = device.bytes + told.size,"
        " secret = CASE WHEN new_secret AND pending IS NOT NULL THEN pending ELSE secret END,"
        " pending = CASE WHEN new_secret THEN NULL ELSE pending END"
        " FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[],"
        " $6::bigint[], $7::bigint[], $8::bigint[], $9::boolean[])"
        " AS told (number, seen, clock, clock_offset, alerts, dropped, refused, size, new_secret)"
        " WHERE device.number = told.number",
        [t.number for t in told],
        [t.seen for t in told],
        [t.clock for t in told],
        [t.offset for t in told],
        [t.alerts for t in told],
        [t.dropped for t in told],
        [t.refused for t in told],
        [t.size for t in told],
        [t.new_secret for t in told],
    )


async def _write_cursors(db: Connection, told: list[_Told]) -> None:
    gone = [(t.number, epoch) for t in told for epoch in t.gone]
    if gone:
        await db.executemany("DELETE FROM cursor WHERE device = $1 AND epoch = $2", gone)
    moved = [(t.number, epoch, *t.cursors[epoch]) for t in told for epoch in t.moved]
    await db.execute(
        "INSERT INTO cursor SELECT * FROM"
        " unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[])"
        " ON CONFLICT (device, epoch) DO UPDATE SET next = excluded.next, used = excluded.used",
        *([row[column] for row in moved] for column in range(4)),
    )


async def _write_health(db: Connection, told: list[_Told]) -> None:
    if not told:
        return
    await db.executemany(
        "UPDATE device SET health = $2, health_at = $3, version = $4 WHERE number = $1",
        [
            (t.number, msgspec.json.encode(t.health), t.health_at, t.health.version)
            for t in told
            if t.health is not None
        ],
    )
    await db.execute("DELETE FROM block WHERE device = ANY($1)", [t.number for t in told])
    blocks = [
        (
            t.number,
            held.address,
            held.kind,
            held.reason,
            _until(held.seconds, t.health_at),
            t.health_at,
        )
        for t in told
        if t.health is not None
        for held in t.health.blocks
    ]
    columns = ["device", "address", "kind", "reason", "until", "reported"]
    await db.copy_records_to_table("block", columns=columns, records=blocks)


def _until(seconds: int, now: int) -> int:
    """When a block elapses."""
    return now + min(seconds, _LONGEST) * 1000
