"""One thread writes: an answer means that it is on the disk."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from hdr_lite.collector.store import Unavailable
from hdr_lite.collector.writer import Writer, connect


def test_full_disk_is_unavailable_and_nothing_is_kept(tmp_path: Path):
    """SQLite's own limit stands for a full disk; when there is room again it goes on."""
    forgotten = []

    async def main() -> int:
        db = connect(tmp_path / "db", writes=True)
        db.execute("CREATE TABLE t (x BLOB)")
        db.execute("PRAGMA max_page_count = 10")
        writer = Writer(db, lambda: forgotten.append(1))
        small = writer.do(lambda db: db.execute("INSERT INTO t VALUES (x'00')").rowcount)
        large = writer.do(lambda db: db.execute("INSERT INTO t VALUES (zeroblob(100000))").rowcount)
        results = await asyncio.gather(small, large, return_exceptions=True)
        assert isinstance(results[1], Unavailable)
        kept = 0 if isinstance(results[0], Unavailable) else 1
        assert (
            await writer.do(lambda db: db.execute("SELECT count(*) FROM t").fetchone()[0]) == kept
        )
        await writer.do(lambda db: db.execute("PRAGMA max_page_count = 1000") and None)
        assert await writer.do(lambda db: db.execute("INSERT INTO t VALUES (1)").rowcount) == 1
        await writer.close()
        return kept

    kept = asyncio.run(main())
    assert forgotten
    with sqlite3.connect(tmp_path / "db") as db:
        assert db.execute("SELECT count(*) FROM t").fetchone() == (kept + 1,)
    db.close()


def test_wrong_statement_is_an_error_of_its_job(tmp_path: Path):
    """Not of the disk."""

    async def main() -> None:
        db = connect(tmp_path / "db", writes=True)
        db.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)")
        writer = Writer(db, lambda: None)
        insert = "INSERT INTO t VALUES (1)"
        assert await writer.do(lambda db: db.execute(insert).rowcount) == 1
        with pytest.raises(sqlite3.IntegrityError):
            await writer.do(lambda db: db.execute(insert))
        await writer.close()

    asyncio.run(main())


def test_commits_wait_for_the_disk(tmp_path: Path):
    """Write-ahead log, synchronous FULL (2): an answer outlives a power cut."""
    db = connect(tmp_path / "db", writes=True)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    db.close()
