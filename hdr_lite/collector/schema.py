"""The tables of the SQLite storage, as migrations: ``PRAGMA user_version`` counts those done."""

import sqlite3

from hdr_lite.config import UserError

#: Each is done once, in order, in a transaction of its own. What was released is never changed.
MIGRATIONS = (
    """
    CREATE TABLE device (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        model TEXT NOT NULL,
        version TEXT NOT NULL,
        enrolled INTEGER NOT NULL,
        last_seen INTEGER NOT NULL DEFAULT 0,
        revoked INTEGER NOT NULL DEFAULT 0,
        secret BLOB NOT NULL,
        pending BLOB,
        clock TEXT NOT NULL DEFAULT '',
        clock_offset INTEGER NOT NULL DEFAULT 0,
        alerts INTEGER NOT NULL DEFAULT 0,
        dropped INTEGER NOT NULL DEFAULT 0,
        refused INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        health BLOB,
        health_at INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE cursor (
        device INTEGER NOT NULL,
        epoch TEXT NOT NULL,
        next INTEGER NOT NULL,
        used INTEGER NOT NULL,
        PRIMARY KEY (device, epoch)
    ) STRICT, WITHOUT ROWID;

    -- What lists show. The payload is elsewhere, so that a page of a list is few pages of the file;
    -- an index on a column also holds the number, so it gives alerts by it in order of arrival.
    CREATE TABLE alert (
        number INTEGER PRIMARY KEY,
        device INTEGER NOT NULL,
        attacker INTEGER NOT NULL,
        id TEXT NOT NULL,
        time INTEGER NOT NULL,
        told INTEGER NOT NULL,
        clock TEXT NOT NULL,
        mac TEXT NOT NULL,
        victim TEXT NOT NULL,
        port INTEGER NOT NULL,
        profile TEXT NOT NULL,
        types TEXT NOT NULL,
        families TEXT NOT NULL,
        level INTEGER NOT NULL,
        score REAL NOT NULL,
        confidence REAL NOT NULL,
        verb TEXT NOT NULL,
        count INTEGER NOT NULL,
        description TEXT NOT NULL,
        size INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX alert_device ON alert (device);
    CREATE INDEX alert_attacker ON alert (attacker);
    CREATE TABLE payload (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;

    -- Types, families and levels of alerts: 'type:X', 'family:X', 'level:X'.
    CREATE TABLE word (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE tag (
        word INTEGER NOT NULL,
        alert INTEGER NOT NULL,
        PRIMARY KEY (word, alert)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE attacker (
        number INTEGER PRIMARY KEY,
        address TEXT NOT NULL UNIQUE,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        alerts INTEGER NOT NULL,
        devices INTEGER NOT NULL,
        level INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX attacker_last ON attacker (last);
    CREATE TABLE attacker_device (
        attacker INTEGER NOT NULL,
        device INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        alerts INTEGER NOT NULL,
        PRIMARY KEY (attacker, device)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE bucket (
        start INTEGER NOT NULL,
        family INTEGER NOT NULL,
        level INTEGER NOT NULL,
        alerts INTEGER NOT NULL,
        PRIMARY KEY (start, family, level)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE device_hour (
        hour INTEGER NOT NULL,
        device INTEGER NOT NULL,
        alerts INTEGER NOT NULL,
        PRIMARY KEY (hour, device)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE block (
        number INTEGER PRIMARY KEY,
        device INTEGER NOT NULL,
        address TEXT NOT NULL,
        kind TEXT NOT NULL,
        reason TEXT NOT NULL,
        until INTEGER NOT NULL,
        reported INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX block_device ON block (device);
    CREATE INDEX block_address ON block (address);

    CREATE TABLE invitation (
        id TEXT PRIMARY KEY,
        digest BLOB NOT NULL,
        note TEXT NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        by TEXT NOT NULL,
        used INTEGER NOT NULL DEFAULT 0,
        device TEXT NOT NULL DEFAULT '',
        withdrawn INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE user (
        name TEXT PRIMARY KEY,
        role INTEGER NOT NULL,
        created INTEGER NOT NULL,
        password TEXT NOT NULL
    ) STRICT;
    CREATE TABLE session (
        digest BLOB PRIMARY KEY,
        user TEXT NOT NULL,
        csrf TEXT NOT NULL,
        expires INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE machine_key (
        id TEXT PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        name TEXT NOT NULL,
        role INTEGER NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        by TEXT NOT NULL
    ) STRICT;
    CREATE TABLE event (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        time INTEGER NOT NULL,
        who TEXT NOT NULL,
        action TEXT NOT NULL,
        about TEXT NOT NULL,
        address TEXT NOT NULL
    ) STRICT;
    """,
)


def migrate(db: sqlite3.Connection) -> None:
    """Do what has not been done; UserError if the file is of a newer program."""
    (done,) = db.execute("PRAGMA user_version").fetchone()
    if done > len(MIGRATIONS):
        raise UserError(f"the collector's database is of a newer version (schema {done})")
    for number, script in enumerate(MIGRATIONS[done:], done + 1):
        db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
