"""The tables of the PostgreSQL storage: migrations, and the partitions of alerts by day.

An alert's number holds the time of its arrival, so a day is a range of numbers: the number is key
of the table and of its partitions at once, and a page of a list touches the newest days only.

A *run* is a range of at most 256 numbers that one transaction gave to neighbours. ``tag`` says
which types, families and levels are within a run: a row for each alert and word would be three
quarters of all rows, and a run is read as quickly as an alert.
"""

from typing import TypeAlias

import asyncpg

from hdr_lite.collector.keeping import HOUR, NUMBER_BITS
from hdr_lite.config import UserError

#: A name for the type checker only: the class takes no parameter where it runs.
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

DAY = 24 * HOUR
RUN = 256  #: most alerts in a run

_MIGRATING = 0x6864_7231  #: advisory lock: one process migrates at a time

#: Each is done once, in order, in a transaction of its own. What was released is never changed.
MIGRATIONS = (
    """
    CREATE TABLE device (
        number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id text NOT NULL UNIQUE,
        name text NOT NULL,
        model text NOT NULL,
        version text NOT NULL,
        enrolled bigint NOT NULL,
        last_seen bigint NOT NULL DEFAULT 0,
        revoked boolean NOT NULL DEFAULT false,
        secret bytea NOT NULL,
        pending bytea,
        clock text NOT NULL DEFAULT '',
        clock_offset bigint NOT NULL DEFAULT 0,
        alerts bigint NOT NULL DEFAULT 0,
        dropped bigint NOT NULL DEFAULT 0,
        refused bigint NOT NULL DEFAULT 0,
        bytes bigint NOT NULL DEFAULT 0,
        health bytea,
        health_at bigint NOT NULL DEFAULT 0
    ) WITH (fillfactor = 50);
    CREATE TABLE cursor (
        device integer NOT NULL,
        epoch text NOT NULL,
        next bigint NOT NULL,
        used bigint NOT NULL,
        PRIMARY KEY (device, epoch)
    ) WITH (fillfactor = 50);

    -- One row: who holds it writes batches, so numbers rise in the order of the commits.
    CREATE TABLE arrival (last bigint NOT NULL) WITH (fillfactor = 10);
    INSERT INTO arrival VALUES (0);

    CREATE TABLE alert (
        number bigint PRIMARY KEY,
        device integer NOT NULL,
        attacker text NOT NULL,
        id text NOT NULL,
        time bigint NOT NULL,
        told bigint NOT NULL,
        clock text NOT NULL,
        mac text NOT NULL,
        victim text NOT NULL,
        port integer NOT NULL,
        profile text NOT NULL,
        types text[] NOT NULL,
        families text[] NOT NULL,
        level smallint NOT NULL,
        score double precision NOT NULL,
        confidence double precision NOT NULL,
        verb text NOT NULL,
        count bigint NOT NULL,
        description text NOT NULL,
        payload bytea COMPRESSION lz4 NOT NULL
    ) PARTITION BY RANGE (number);
    CREATE INDEX alert_device ON alert (device, number);
    CREATE INDEX alert_attacker ON alert (attacker, number);
    CREATE TABLE tag (
        word text NOT NULL,
        run bigint NOT NULL,
        last bigint NOT NULL,
        PRIMARY KEY (word, run)
    ) PARTITION BY RANGE (run);

    CREATE TABLE attacker (
        address text PRIMARY KEY,
        first bigint NOT NULL,
        last bigint NOT NULL,
        alerts bigint NOT NULL,
        devices integer NOT NULL,
        level smallint NOT NULL
    );
    CREATE INDEX attacker_last ON attacker (last);
    CREATE TABLE attacker_device (
        address text NOT NULL,
        device integer NOT NULL,
        first bigint NOT NULL,
        last bigint NOT NULL,
        alerts bigint NOT NULL,
        PRIMARY KEY (address, device)
    ) WITH (fillfactor = 70);
    CREATE TABLE bucket (
        start bigint NOT NULL,
        family text NOT NULL,
        level smallint NOT NULL,
        alerts bigint NOT NULL,
        PRIMARY KEY (start, family, level)
    ) WITH (fillfactor = 50);
    CREATE TABLE family (name text PRIMARY KEY);  -- those that have buckets of their own
    CREATE TABLE device_hour (
        hour bigint NOT NULL,
        device integer NOT NULL,
        alerts bigint NOT NULL,
        PRIMARY KEY (hour, device)
    ) WITH (fillfactor = 50);
    CREATE TABLE block (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        device integer NOT NULL,
        address text NOT NULL,
        kind text NOT NULL,
        reason text NOT NULL,
        until bigint NOT NULL,
        reported bigint NOT NULL
    );
    CREATE INDEX block_device ON block (device);
    CREATE INDEX block_address ON block (address);

    CREATE TABLE invitation (
        id text PRIMARY KEY,
        digest bytea NOT NULL,
        note text NOT NULL,
        created bigint NOT NULL,
        expires bigint NOT NULL,
        by text NOT NULL,
        used bigint NOT NULL DEFAULT 0,
        device text NOT NULL DEFAULT '',
        withdrawn boolean NOT NULL DEFAULT false
    );
    CREATE TABLE account (
        name text PRIMARY KEY,
        role smallint NOT NULL,
        created bigint NOT NULL,
        password text NOT NULL
    );
    CREATE TABLE session (
        digest bytea PRIMARY KEY,
        account text NOT NULL,
        csrf text NOT NULL,
        expires bigint NOT NULL
    );
    CREATE TABLE machine_key (
        id text PRIMARY KEY,
        digest bytea NOT NULL UNIQUE,
        name text NOT NULL,
        role smallint NOT NULL,
        created bigint NOT NULL,
        expires bigint NOT NULL,
        by text NOT NULL
    );
    CREATE TABLE event (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        time bigint NOT NULL,
        who text NOT NULL,
        action text NOT NULL,
        about text NOT NULL,
        address text NOT NULL
    );
    """,
)


async def migrate(db: Connection) -> None:
    """Do what has not been done; UserError if the database is of a newer program."""
    async with db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATING)
        await db.execute("CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY)")
        done = await db.fetchval("SELECT coalesce(max(number), 0) FROM migration")
        if done > len(MIGRATIONS):
            raise UserError(f"the collector's database is of a newer version (schema {done})")
        for number, script in enumerate(MIGRATIONS[done:], done + 1):
            await db.execute(script)
            await db.execute("INSERT INTO migration VALUES ($1)", number)


async def make_days(db: Connection, number: int) -> int:
    """See to the partitions for the day of a number and the next; the first number past it."""
    today = (number >> NUMBER_BITS) // DAY
    for day in (today, today + 1):
        for table in ("alert", "tag"):
            name = f"{table}_{day}"
            if await db.fetchval("SELECT to_regclass($1)", name) is None:
                await db.execute(
                    f"CREATE TABLE {name} PARTITION OF {table}"
                    f" FOR VALUES FROM ({_first(day)}) TO ({_first(day + 1)})"
                )
    return _first(today + 1)


async def drop_days(db: Connection, oldest: int) -> int:
    """Drop the partitions of days that ended before a time (ms); how many alerts went."""
    removed = 0
    for day in await days(db):
        if (day + 1) * DAY > oldest:
            break
        async with db.transaction():
            await db.execute("SELECT FROM arrival FOR UPDATE")  # before rows that a writer takes
            removed += await db.fetchval(f"SELECT count(*) FROM alert_{day}")  # noqa: S608
            await db.execute(
                "UPDATE device SET bytes = bytes - size FROM"  # noqa: S608 - a number of ours
                f" (SELECT device, sum(length(payload)) AS size FROM alert_{day} GROUP BY device)"
                " AS gone WHERE number = gone.device"
            )
            await db.execute(f"DROP TABLE alert_{day}, tag_{day}")
    return removed


async def days(db: Connection) -> list[int]:
    """Days since 1970 that have partitions, in order."""
    rows = await db.fetch(
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
        " WHERE inhparent = 'alert'::regclass"
    )
    return sorted(int(row[0].removeprefix("alert_")) for row in rows)


def _first(day: int) -> int:
    return day * DAY << NUMBER_BITS
