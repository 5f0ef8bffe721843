"""Writes projections to PostgreSQL through asyncpg, driven by a loop of the writer's own thread.

New rows go by COPY, changes as one pipelined statement for all of them; both are several times
faster than a row at a time, and SQLAlchemy would add its own cost per row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

import asyncpg  # type: ignore[import-untyped]

from .. import tables as t
from ..errors import SecondWriter, Unavailable
from ..gone import GONE
from ..limits import POSTGRES_CONNECT_S, POSTGRES_STATEMENT_S
from ..writes import Write, Writes

T = TypeVar("T")

# COPY costs a round trip more than a statement that is prepared already.
_MANY: Final = 16


class _Connection(Protocol):
    """The part of an asyncpg connection that is used here; asyncpg itself has no types."""

    def transaction(self) -> Any:
        """A transaction as a context."""

    async def execute(self, sql: str, *values: object) -> str:
        """Run a statement; its status, such as `UPDATE 1`."""

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement for many rows."""

    async def copy_records_to_table(
        self, table: str, *, records: Sequence[Sequence[object]], columns: Sequence[str]
    ) -> str:
        """Add rows by COPY."""

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        """Rows of a query."""

    async def close(self, *, timeout: float) -> None:
        """Say goodbye to the server."""

    def terminate(self) -> None:
        """Close at once."""


class PostgresSink:
    """The write connection of one shard; `dsn` is a plain postgresql:// address."""

    def __init__(self, dsn: str, shard: int, name: str) -> None:
        self._dsn: Final = dsn
        self._shard: Final = shard
        self._name: Final = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: _Connection | None = None

    def open(self) -> None:
        """See Sink."""
        self.close()
        self._loop = asyncio.new_event_loop()
        self._connection = self._run(
            asyncpg.connect(
                self._dsn, timeout=POSTGRES_CONNECT_S, command_timeout=POSTGRES_STATEMENT_S
            )
        )
        self._run(
            self._db.execute(
                "INSERT INTO projection_state (name, shard, last_seq) VALUES ($1, $2, 0) "
                "ON CONFLICT DO NOTHING",
                self._name,
                self._shard,
            )
        )

    @property
    def _db(self) -> _Connection:
        if self._connection is None:
            raise Unavailable("the database is not open")
        return self._connection

    def last_seq(self) -> int:
        """See Sink."""
        found = self._run(
            self._db.fetch(
                "SELECT last_seq FROM projection_state WHERE name = $1 AND shard = $2",
                self._name,
                self._shard,
            )
        )
        return int(found[0][0])

    def digits(self) -> dict[int, int]:
        """See Sink."""
        sql = "SELECT number, digits FROM instruments WHERE shard = $1"
        return dict(tuple(row) for row in self._run(self._db.fetch(sql, self._shard)))

    def write(self, rows: Writes, before: int, last_seq: int) -> None:
        """See Sink."""
        self._run(self._write(rows, before, last_seq))

    async def _write(self, rows: Writes, before: int, last_seq: int) -> None:
        async with self._db.transaction():
            moved = await self._db.execute(
                "UPDATE projection_state SET last_seq = $1 "
                "WHERE name = $2 AND shard = $3 AND last_seq = $4",
                last_seq,
                self._name,
                self._shard,
                before,
            )
            if moved != "UPDATE 1":
                raise SecondWriter(self._name, self._shard, before)
            for statement, values in rows:
                if isinstance(statement, Write) and not statement.keys and len(values) >= _MANY:
                    await self._db.copy_records_to_table(
                        statement.table.name, records=values, columns=statement.columns
                    )
                else:
                    await self._db.executemany(statement.sql("postgresql"), values)

    def clear(self) -> None:
        """See Sink."""
        self._run(self._clear())

    async def _clear(self) -> None:
        async with self._db.transaction():
            for table in t.PROJECTED:
                sql = f"DELETE FROM {table.name} WHERE shard = $1"  # noqa: S608
                await self._db.execute(sql, self._shard)
            await self._db.execute(
                "UPDATE projection_state SET last_seq = 0 WHERE name = $1 AND shard = $2",
                self._name,
                self._shard,
            )

    def close(self) -> None:
        """See Sink."""
        loop, connection = self._loop, self._connection
        self._loop = self._connection = None
        if loop is None:
            return
        try:
            if connection is not None:
                loop.run_until_complete(connection.close(timeout=POSTGRES_CONNECT_S))
        except GONE:
            if connection is not None:
                connection.terminate()
        finally:
            loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the sink's own loop; a server that does not answer is `Unavailable`."""
        if self._loop is None:
            work.close()
            raise Unavailable("the database is not open")
        try:
            return self._loop.run_until_complete(work)
        except GONE as error:
            raise Unavailable(f"PostgreSQL: {error or type(error).__name__}") from error
