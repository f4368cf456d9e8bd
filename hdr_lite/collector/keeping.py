"""How the SQLite storage keeps a batch: exactly once, whatever is sent again."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from hdr_lite.collector import clock
from hdr_lite.collector.store import LEVELS, Batch, Gap, Reported
from hdr_lite.records.batch import Health

BUCKET = 300_000  #: ms
HOUR = 3_600_000
OTHER = "OTHER"  #: type or family of what has no entry of its own
NUMBER_BITS = 12  #: of an alert's number below the ms of its arrival

_MOST_EPOCHS = 64  #: of a device; the one not used for longest goes
#: An engine that died at the wrong moment tells some alerts again in a new epoch (docs/sync.md): at
#: its beginning, those of the device's latest are known.
BEGINNING = 1000
LATEST = 2000
_MOST_REMEMBERED = 100_000  #: attackers
_MOST_WORDS = 4096  #: types and families that have an entry of their own


class _Known(NamedTuple):
    """What is remembered of a device between batches."""

    number: int
    cursors: dict[str, int]
    holds: bool  #: there are blocks of it


class Keeper:
    """Runs on the writer's thread. What it remembers is what the tables say."""

    def __init__(self) -> None:
        self._devices: dict[str, _Known] = {}
        self._words: dict[str, int] = {}
        self._numbers: dict[str, int] = {}  # of attackers
        self._met: set[tuple[int, int]] = set()  # attacker, device
        self._last = 0

    def forget(self) -> None:
        """The tables are not what was written: remember nothing."""
        self._devices.clear()
        self._words.clear()
        self._numbers.clear()
        self._met.clear()
        self._last = 0

    def keep(self, db: sqlite3.Connection, batch: Batch) -> int | Gap:
        """Keep what is new of a batch; the cursor after it."""
        known = self._device(db, batch.device)
        cursor = known.cursors.get(batch.epoch, 1)
        if batch.first > cursor:
            return Gap(cursor)
        new = [alert for alert in batch.alerts if alert.sequence >= cursor]
        after = max(batch.next, cursor)
        lost = after - cursor - len(new)
        if new and cursor <= BEGINNING and known.cursors.keys() - {batch.epoch}:
            seen = _latest(db, known.number)
            new = [alert for alert in new if alert.id not in seen]
        # What was malformed counts once only: as the numbers of a batch, with the cursor.
        fresh = batch.first == cursor
        refused = batch.refused if fresh else 0
        if new:
            self._alerts(db, batch, known.number, new)
        self._told(db, batch, known.number, len(new), lost - refused, refused)
        if after > cursor:
            self._advance(db, known, batch.epoch, after, batch.received)
        if batch.health is not None:
            self._health(db, known, batch.device, batch.health, batch.received)
        return after

    def _device(self, db: sqlite3.Connection, device: str) -> _Known:
        known = self._devices.get(device)
        if known is None:
            row = db.execute("SELECT number FROM device WHERE id = ?", (device,)).fetchone()
            number = row[0]
            query = "SELECT epoch, next FROM cursor WHERE device = ?"
            cursors = dict(db.execute(query, (number,)).fetchall())
            query = "SELECT EXISTS (SELECT 1 FROM block WHERE device = ?)"
            holds = bool(db.execute(query, (number,)).fetchone()[0])
            known = self._devices[device] = _Known(number, cursors, holds)
        return known

    def _advance(
        self, db: sqlite3.Connection, known: _Known, epoch: str, after: int, now: int
    ) -> None:
        if epoch not in known.cursors and len(known.cursors) >= _MOST_EPOCHS:
            query = "SELECT epoch FROM cursor WHERE device = ? ORDER BY used LIMIT 1"
            (oldest,) = db.execute(query, (known.number,)).fetchone()
            db.execute("DELETE FROM cursor WHERE device = ? AND epoch = ?", (known.number, oldest))
            del known.cursors[oldest]
        db.execute(
            "INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?)", (known.number, epoch, after, now)
        )
        known.cursors[epoch] = after

    def _told(
        self,
        db: sqlite3.Connection,
        batch: Batch,
        device: int,
        new: int,
        dropped: int,
        refused: int,
    ) -> None:
        db.execute(
            "UPDATE device SET last_seen = ?, clock = ?, clock_offset = ?, alerts = alerts + ?,"
            " dropped = dropped + ?, refused = refused + ? WHERE number = ?",
            (
                batch.received,
                batch.clock_quality,
                batch.clock_offset,
                new,
                max(dropped, 0),
                refused,
                device,
            ),
        )
        if batch.new_secret:
            db.execute(
                "UPDATE device SET secret = pending, pending = NULL"
                " WHERE number = ? AND pending IS NOT NULL",
                (device,),
            )

    def _alerts(
        self, db: sqlite3.Connection, batch: Batch, device: int, new: Sequence[Reported]
    ) -> None:
        attackers = self._attackers(db, device, new, batch.received)
        if not self._last:
            self._last = db.execute("SELECT coalesce(max(number), 0) FROM alert").fetchone()[0]
        # By the clock of this machine, read here: numbers rise in the order of the commits.
        start = max(self._last + 1, clock.now() << NUMBER_BITS)
        self._last = start + len(new) - 1
        db.executemany(
            "INSERT INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    number, device, attackers[a.attacker], a.id, a.time, a.told,
                    batch.clock_quality, a.mac, a.victim, a.port, a.profile, " ".join(a.types),
                    " ".join(a.families), a.level, a.score, a.confidence, a.verb, a.count,
                    a.description, len(a.payload),
                )
                for number, a in enumerate(new, start)
            ],
        )  # fmt: skip
        db.executemany(
            "INSERT INTO payload VALUES (?, ?)",
            [(number, a.payload) for number, a in enumerate(new, start)],
        )
        tagged = [
            (self._word(db, word), number)
            for number, a in enumerate(new, start)
            for word in tags(a.types, a.families, a.level)
        ]
        tagged.sort()
        db.executemany("INSERT OR IGNORE INTO tag VALUES (?, ?)", tagged)
        self._sums(db, device, new)

    def _attackers(
        self, db: sqlite3.Connection, device: int, new: Iterable[Reported], now: int
    ) -> dict[str, int]:
        """Count them; address -> number. A statement for each costs more than all else does, so
        who is known already is counted by one for all."""
        counts = Counter(alert.attacker for alert in new)
        levels: dict[str, int] = {}
        for alert in new:
            levels[alert.attacker] = max(levels.get(alert.attacker, 0), alert.level)
        numbers = {address: self._attacker(db, address, now) for address in sorted(counts)}
        for number in numbers.values():
            self._meet(db, number, device, now)
        db.executemany(
            "UPDATE attacker SET last = ?, alerts = alerts + ?, level = max(level, ?)"
            " WHERE number = ?",
            [(now, n, levels[address], numbers[address]) for address, n in counts.items()],
        )
        db.executemany(
            "UPDATE attacker_device SET last = ?, alerts = alerts + ?"
            " WHERE attacker = ? AND device = ?",
            [(now, n, numbers[address], device) for address, n in counts.items()],
        )
        return numbers

    def _attacker(self, db: sqlite3.Connection, address: str, now: int) -> int:
        """The number of an attacker, new or known."""
        number = self._numbers.get(address)
        if number is None:
            query = "SELECT number FROM attacker WHERE address = ?"
            row = db.execute(query, (address,)).fetchone()
            if row is None:
                query = (
                    "INSERT INTO attacker (address, first, last, alerts, devices, level)"
                    " VALUES (?1, ?2, ?2, 0, 0, 0) RETURNING number"
                )
                row = db.execute(query, (address, now)).fetchone()
            if len(self._numbers) >= _MOST_REMEMBERED:
                self._numbers.clear()
            number = self._numbers[address] = row[0]
        return number

    def _meet(self, db: sqlite3.Connection, attacker: int, device: int, now: int) -> None:
        """Where it is new to a device, count the device."""
        if (attacker, device) in self._met:
            return
        query = "INSERT OR IGNORE INTO attacker_device VALUES (?1, ?2, ?3, ?3, 0)"
        if db.execute(query, (attacker, device, now)).rowcount:
            query = "UPDATE attacker SET devices = devices + 1 WHERE number = ?"
            db.execute(query, (attacker,))
        if len(self._met) >= _MOST_REMEMBERED:
            self._met.clear()
        self._met.add((attacker, device))

    def _sums(self, db: sqlite3.Connection, device: int, new: Iterable[Reported]) -> None:
        buckets = Counter(
            (a.time // BUCKET * BUCKET, self._word(db, f"family:{a.families[0]}"), a.level)
            for a in new
        )
        db.executemany(
            "INSERT INTO bucket VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET alerts = alerts + excluded.alerts",
            [(*key, alerts) for key, alerts in buckets.items()],
        )
        hours = Counter(a.time // HOUR * HOUR for a in new)
        db.executemany(
            "INSERT INTO device_hour VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET alerts = alerts + excluded.alerts",
            [(hour, device, alerts) for hour, alerts in hours.items()],
        )
        size = sum(len(a.payload) for a in new)
        db.execute("UPDATE device SET bytes = bytes + ? WHERE number = ?", (size, device))

    def _word(self, db: sqlite3.Connection, text: str) -> int:
        """The number of a word; a made-up one too many becomes another."""
        number = self._words.get(text)
        if number is None:
            row = db.execute("SELECT number FROM word WHERE text = ?", (text,)).fetchone()
            if row is None:
                (count,) = db.execute("SELECT count(*) FROM word").fetchone()
                kind, _, name = text.partition(":")
                if count >= _MOST_WORDS and name != OTHER:
                    return self._word(db, f"{kind}:{OTHER}")
                query = "INSERT INTO word (text) VALUES (?) RETURNING number"
                row = db.execute(query, (text,)).fetchone()
            number = self._words[text] = row[0]
        return number

    def _health(
        self, db: sqlite3.Connection, known: _Known, device: str, health: Health, now: int
    ) -> None:
        number = known.number
        db.execute(
            "UPDATE device SET health = ?, health_at = ?, version = ? WHERE number = ?",
            (msgspec.json.encode(health), now, health.version, number),
        )
        if known.holds:
            db.execute("DELETE FROM block WHERE device = ?", (number,))
        db.executemany(
            "INSERT INTO block (device, address, kind, reason, until, reported)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (number, held.address, held.kind, held.reason, _until(held.seconds, now), now)
                for held in health.blocks
            ],
        )
        self._devices[device] = known._replace(holds=bool(health.blocks))


def _latest(db: sqlite3.Connection, device: int) -> set[str]:
    """Ids of the latest alerts of a device."""
    query = "SELECT id FROM alert WHERE device = ? ORDER BY number DESC LIMIT ?"
    return {row[0] for row in db.execute(query, (device, LATEST))}


def tags(types: Iterable[str], families: Iterable[str], level: int) -> list[str]:
    """What an alert is found by."""
    return [
        *(f"type:{name}" for name in types),
        *(f"family:{name}" for name in families),
        f"level:{LEVELS[level]}",
    ]


def _until(seconds: int, now: int) -> int:
    """When a block elapses; 30 days are the most that any lasts."""
    return now + min(seconds, 30 * 86_400) * 1000
