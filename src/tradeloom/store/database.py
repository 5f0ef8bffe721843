"""The asynchronous side of the database: connections for reads and for small writes.

Projections do not come through here (see `writer`). On SQLite, writes take the file's write lock at
their start, so that none fails half-way because it read first; there is one such connection, and
`synchronous=FULL`, because what it writes (users, sessions, audit) stands in no journal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from .address import Address
from .errors import Unavailable
from .gone import is_gone
from .limits import (
    POSTGRES_CONNECT_S,
    POSTGRES_CONNECTIONS,
    POSTGRES_STATEMENT_S,
    SQLITE_BUSY_MS,
    SQLITE_CACHE_KIB,
    SQLITE_CHECKPOINT_PAGES,
    SQLITE_READERS,
)
from .migrate import migrate


class Database:
    """An open database at the newest version of the tables."""

    def __init__(self, address: Address, readers: AsyncEngine, writers: AsyncEngine) -> None:
        self.address = address
        self._readers = readers
        self._writers = writers

    @classmethod
    async def open(cls, address: Address | str) -> Self:
        """Connect, create the file if there is none, and bring the tables up to date.

        Raises BadAddress and Unavailable.
        """
        where = Address.parse(address) if isinstance(address, str) else address
        if where.path is not None:
            where.path.parent.mkdir(parents=True, exist_ok=True)
            writers = _sqlite(where, "BEGIN IMMEDIATE", "FULL", 1)
            readers = _sqlite(where, "BEGIN", "NORMAL", SQLITE_READERS)
        else:
            readers = writers = create_async_engine(
                where.url,
                pool_size=POSTGRES_CONNECTIONS,
                max_overflow=0,
                pool_pre_ping=True,
                connect_args={
                    "timeout": POSTGRES_CONNECT_S,
                    "command_timeout": POSTGRES_STATEMENT_S,
                },
            )
        database = cls(where, readers, writers)
        try:
            async with database.write() as connection:
                await connection.run_sync(migrate)
        except BaseException:
            await database.close()
            raise
        return database

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one state of the database; raises Unavailable."""
        with _Translated():
            async with self._readers.begin() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose work is kept when the block ends well; raises Unavailable."""
        with _Translated():
            async with self._writers.begin() as connection:
                yield connection

    async def ping(self) -> None:
        """Return when the database answers; raises Unavailable."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection; may be called twice."""
        await self._readers.dispose()
        await self._writers.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exit_: object) -> None:
        await self.close()


class _Translated:
    """Turns what drivers raise when a database is gone, locked or full into Unavailable."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and (is_gone(error) or isinstance(error, PoolTimeout)):
            origin = error.orig if isinstance(error, DBAPIError) else error
            raise Unavailable(f"the database does not answer: {origin}") from error


def _sqlite(address: Address, begin: str, synchronous: str, size: int) -> AsyncEngine:
    engine = create_async_engine(address.url, pool_size=size, max_overflow=0)

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        # The driver must not begin transactions on its own; the event below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {SQLITE_BUSY_MS}",
            "journal_mode = WAL",
            f"synchronous = {synchronous}",
            f"wal_autocheckpoint = {SQLITE_CHECKPOINT_PAGES}",
            f"cache_size = -{SQLITE_CACHE_KIB}",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
