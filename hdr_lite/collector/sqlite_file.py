"""The database file of the SQLite storage: one thread writes, a few read."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from hdr_lite.collector.schema import migrate
from hdr_lite.collector.store import Unavailable
from hdr_lite.collector.writer import Writer, connect
from hdr_lite.config import UserError

R = TypeVar("R")

_READERS = 2
_MOST_SECONDS = 5.0  #: that a question may take; none of ours comes near
_STEPS = 100_000  #: of SQLite's machine between looks at the clock


class SqliteFile:
    """Opening, closing, and the two ways to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._of_thread = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def open(self) -> None:
        """Open the file, making it if there is none, and bring its tables up to date."""
        self._path.touch(mode=0o600, exist_ok=True)
        try:
            db = await asyncio.to_thread(self._open)
        except sqlite3.Error as error:
            raise UserError(f"cannot open the database {self._path}: {error}") from error
        self._writer = Writer(db, self.forget)
        self._readers = ThreadPoolExecutor(_READERS, "collector-reader")

    async def close(self) -> None:
        """What was asked before is still done."""
        await asyncio.to_thread(self._readers.shutdown)
        for db in self._connections:
            db.close()
        await self._writer.close()

    def forget(self) -> None:
        """What was written was undone: what is remembered of the tables may be wrong."""

    async def write(self, job: Callable[[sqlite3.Connection], R]) -> R:
        """Run a job on the writer's thread; its result once it is committed."""
        return await self._writer.do(job)

    async def read(self, question: Callable[[sqlite3.Connection], R]) -> R:
        """Ask on a reader's thread; Unavailable if it takes too long."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._ask, question)

    def _open(self) -> sqlite3.Connection:
        db = connect(self._path, writes=True)
        try:
            migrate(db)
        except BaseException:
            db.close()
            raise
        return db

    def _ask(self, question: Callable[[sqlite3.Connection], R]) -> R:
        db: sqlite3.Connection | None = getattr(self._of_thread, "db", None)
        if db is None:
            db = self._of_thread.db = connect(self._path, writes=False)
            self._connections.append(db)
        end = time.monotonic() + _MOST_SECONDS
        db.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        try:
            return question(db)
        except sqlite3.OperationalError as error:
            raise Unavailable(str(error)) from error
