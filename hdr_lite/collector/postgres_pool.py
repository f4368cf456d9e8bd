"""The connections of the PostgreSQL storage, and how their failures are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from hdr_lite.collector.postgres_schema import Connection, migrate
from hdr_lite.collector.store import Unavailable
from hdr_lite.config import UserError

_MOST = 8  #: connections of a process
_SECONDS = 30.0  #: that a statement may take

#: What says that the server is gone, starting, stopping or full, and not that we asked wrongly.
#: RuntimeError is uvloop's for a transport that was closed under a statement.
_AWAY = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
)


class PostgresPool:
    """Opening, closing, and the way to it."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def open(self) -> None:
        """Connect and bring the tables up to date."""
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=_MOST,
                command_timeout=_SECONDS,
                server_settings={"application_name": "hdr-lite-collector", "jit": "off"},
            )
            async with self._pool.acquire() as db:
                await migrate(db)
        except (ValueError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise UserError(f"cannot use the PostgreSQL database: {error}") from error

    async def close(self) -> None:
        """What was asked before is still done."""
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One of the pool; Unavailable where the server can do nothing now."""
        try:
            async with self._pool.acquire(timeout=_SECONDS) as db:
                yield db
        except _AWAY as error:
            raise Unavailable(f"PostgreSQL: {error or type(error).__name__}") from error

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        """All rows."""
        async with self.connection() as db:
            return await db.fetch(query, *values)

    async def fetchrow(self, query: str, *values: Any) -> Any:
        """The first row, or None."""
        async with self.connection() as db:
            return await db.fetchrow(query, *values)

    async def change(self, query: str, *values: Any) -> int:
        """How many rows it concerned."""
        async with self.connection() as db:
            return int((await db.execute(query, *values)).rpartition(" ")[2])
