"""The one thread that writes to the SQLite database: many jobs to a transaction.

A job is answered only after the commit that holds it, which is one fsync for all that had come
while the one before was on its way. Each job has its savepoint, so that one that fails takes
nothing with it.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from hdr_lite.collector.store import Unavailable

R = TypeVar("R")
Job = Callable[[sqlite3.Connection], Any]

_MOST = 256  #: jobs in a transaction


class Waiting(NamedTuple):
    """A job, and who waits for it."""

    job: Job
    future: "asyncio.Future[Any]"


class Done(NamedTuple):
    """How a job ended."""

    waiting: Waiting
    result: Any
    error: BaseException | None


def connect(path: Path, *, writes: bool) -> sqlite3.Connection:
    """A connection in WAL mode. What is committed survives a power cut (synchronous FULL)."""
    db = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -32768")
    db.execute("PRAGMA mmap_size = 268435456")
    if writes:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA journal_size_limit = 67108864")
        db.execute("PRAGMA wal_autocheckpoint = 4000")
    else:
        db.execute("PRAGMA query_only = ON")
    return db


class Writer:
    """Runs jobs on its own thread; ``forget`` is called when what a job did was undone."""

    def __init__(self, db: sqlite3.Connection, forget: Callable[[], None]) -> None:
        self._db = db
        self._forget = forget
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="collector-writer")
        self._thread.start()

    async def do(self, job: Callable[[sqlite3.Connection], R]) -> R:
        """Run a job; its result once it is committed."""
        future: asyncio.Future[R] = self._loop.create_future()
        self._queue.put(Waiting(job, future))
        return await future

    async def close(self) -> None:
        """After what was asked before."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._db.close()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            last = False
            while len(group) < _MOST and not self._queue.empty():
                waiting = self._queue.get()
                if waiting is None:
                    last = True
                    break
                group.append(waiting)
            done = self._transaction(group)
            self._loop.call_soon_threadsafe(_answer, done)
            if last:
                break

    def _transaction(self, group: list[Waiting]) -> list[Done]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            done = [self._attempt(waiting) for waiting in group]
            self._db.execute("COMMIT")
        except sqlite3.Error as error:  # the disk is full, or gone
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._forget()
            return [Done(waiting, None, Unavailable(str(error))) for waiting in group]
        return done

    def _attempt(self, waiting: Waiting) -> Done:
        self._db.execute("SAVEPOINT job")
        try:
            result = waiting.job(self._db)
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            if not self._db.in_transaction:  # SQLite has undone all of it
                raise
            self._undo()
            wrong = isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError)
            return Done(waiting, None, error if wrong else Unavailable(str(error)))
        except Exception as error:  # noqa: BLE001 - it is its caller's: see _answer
            self._undo()
            return Done(waiting, None, error)
        self._db.execute("RELEASE job")
        return Done(waiting, result, None)

    def _undo(self) -> None:
        self._db.execute("ROLLBACK TO job")
        self._db.execute("RELEASE job")
        self._forget()


def _answer(done: list[Done]) -> None:
    for waiting, result, error in done:
        if waiting.future.cancelled():
            continue
        if error is not None:
            waiting.future.set_exception(error)
        else:
            waiting.future.set_result(result)
