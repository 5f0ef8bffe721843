"""Ticks into PostgreSQL by COPY: rows and marks in one transaction.

The row of marks is locked for the length of the transaction, so two recorders that were handed the
same frames, one of them believed dead, store them once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]
import msgspec
import polars as pl

from tradeloom.domain.market import BookQuote, TradeTick
from tradeloom.store import Address, ticks
from tradeloom.store.gone import GONE
from tradeloom.store.limits import POSTGRES_CONNECT_S

from ..frames import Marks, event_ns
from ..limits import (
    CLOCKS_APART_MAX_NS,
    COPY_EVERY_S,
    COPY_ROWS,
    PARTITION_DAYS_AHEAD,
    PARTITION_DAYS_BACK,
    READ_ROWS,
    STORE_ANSWER_S,
)
from .contract import Stored, StoreDown
from .rows import FUNDING_COLUMNS, QUOTE_COLUMNS, SIDE_OF, TRADE_COLUMNS, Key, Rows

log = logging.getLogger(__name__)
KEEPER: Final = "recorder"
_QUOTES: Final = """
SELECT digits, bid, ask, bid_size, ask_size, venue_ns, ts_ns, seq
FROM market_quotes JOIN market_symbols USING (symbol_id)
WHERE venue = $1 AND symbol = $2 AND ts_ns >= $3 AND ts_ns < $4"""
_TRADES: Final = """
SELECT digits, price, size, side, trade_id, venue_ns, ts_ns
FROM market_trades JOIN market_symbols USING (symbol_id)
WHERE venue = $1 AND symbol = $2 AND ts_ns >= $3 AND ts_ns < $4"""

_INT: Final[pl.DataType] = pl.Int64()
_CLOCKS: Final = {"digits": _INT, "ts_ns": _INT, "venue_ns": _INT}
_READ: Final[dict[str, tuple[str, dict[str, pl.DataType]]]] = {
    "quotes": (
        """
SELECT digits, ts_ns, venue_ns, bid, ask, bid_size, ask_size
FROM market_quotes JOIN market_symbols USING (symbol_id)
WHERE venue = $1 AND symbol = $2 AND ts_ns >= $3 AND ts_ns < $4 ORDER BY ts_ns, seq""",
        _CLOCKS | {"bid": _INT, "ask": _INT, "bid_size": _INT, "ask_size": _INT},
    ),
    "trades": (
        """
SELECT digits, ts_ns, venue_ns, price, size, side, trade_id
FROM market_trades JOIN market_symbols USING (symbol_id)
WHERE venue = $1 AND symbol = $2 AND ts_ns >= $3 AND ts_ns < $4 ORDER BY ts_ns""",
        _CLOCKS | {"price": _INT, "volume": _INT, "side": pl.Int8(), "trade_id": pl.String()},
    ),
}


class PostgresRecords:
    """A `RecordStore`; `address` is postgresql://… . Streams store side by side."""

    rows: int = COPY_ROWS
    every_s: float = COPY_EVERY_S

    def __init__(self, address: str, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self.timescale = False
        self._dsn: Final = Address.parse(address).dsn
        self._clock_ns: Final = clock_ns
        self._pool: Any = None
        self._numbers: dict[Key, int] = {}
        self._days: set[int] = set()
        self._streams: set[str] = set()

    async def open(self) -> None:
        """See RecordStore; makes the tables that are missing."""
        if self._pool is not None:
            return
        with _Translated():
            pool = await asyncpg.create_pool(
                self._dsn,
                min_size=0,
                max_size=8,
                timeout=POSTGRES_CONNECT_S,
                command_timeout=STORE_ANSWER_S,
            )
            try:
                async with pool.acquire(timeout=POSTGRES_CONNECT_S) as connection:
                    self.timescale = await ticks.create(connection)
            except BaseException:
                pool.terminate()
                raise
        self._pool = pool

    async def store(self, stream: str, rows: Rows) -> Stored:
        """See RecordStore."""
        try:
            with _Translated():
                async with self._connection() as connection:
                    await self._prepare(connection, stream, rows)
                    async with connection.transaction():
                        return await self._write(connection, stream, rows)
        except (OverflowError, asyncpg.DataError):
            rows.check()  # names the frame, if it was one
            raise

    async def _write(self, connection: Any, stream: str, rows: Rows) -> Stored:
        state = await connection.fetchval(
            "SELECT state FROM market_marks WHERE keeper = $1 AND stream = $2 FOR UPDATE",
            KEEPER,
            stream,
        )
        marks = Marks(msgspec.msgpack.decode(state))
        new = [at for at, head in enumerate(rows.heads) if marks.add(head.producer, head.seq)]
        known = len(rows.heads) - len(new)
        if not new:
            return Stored(known=known)
        if known:
            rows = rows.only(new)
        if len(rows.quotes):
            await connection.copy_to_table(
                "market_quotes",
                source=_whole(rows.quote_bytes(self._numbers)),
                columns=QUOTE_COLUMNS,
                format="binary",
            )
        funding = rows.funding_rows(self._numbers)
        for table, columns, made in (
            ("market_trades", TRADE_COLUMNS, rows.trade_rows(self._numbers)),
            ("market_funding", FUNDING_COLUMNS, funding),
        ):
            if made:
                await connection.copy_records_to_table(table, records=made, columns=columns)
        await connection.execute(
            "UPDATE market_marks SET state = $3 WHERE keeper = $1 AND stream = $2",
            KEEPER,
            stream,
            msgspec.msgpack.encode(marks.ranges()),
        )
        return Stored(len(rows.quotes), len(rows.trades), len(funding), known)

    async def _prepare(self, connection: Any, stream: str, rows: Rows) -> None:
        """Numbers for new symbols, partitions for new days, a row for the marks of a new stream."""
        if stream not in self._streams:
            await connection.execute(
                "INSERT INTO market_marks VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                KEEPER,
                stream,
                msgspec.msgpack.encode({}),
            )
            self._streams.add(stream)
        for key in rows.keys() - self._numbers.keys():
            await connection.execute(
                "INSERT INTO market_symbols (venue, symbol, digits) VALUES ($1, $2, $3) "
                "ON CONFLICT DO NOTHING",
                *key,
            )
            self._numbers[key] = await connection.fetchval(
                "SELECT symbol_id FROM market_symbols "
                "WHERE venue = $1 AND symbol = $2 AND digits = $3",
                *key,
            )
        if self.timescale:
            return
        today = self._clock_ns() // ticks.DAY_NS
        known = range(today - PARTITION_DAYS_BACK, today + PARTITION_DAYS_AHEAD + 1)
        # Tomorrow's too, so that midnight finds it made.
        wanted = {day for day in rows.days(ticks.DAY_NS) if day in known} | {today, today + 1}
        missing = wanted - self._days
        if missing:
            await ticks.add_days(connection, missing)
            self._days |= missing

    async def ticks(
        self, venue: str, symbol: str, since_ns: int, until_ns: int
    ) -> list[BookQuote | TradeTick]:
        """What is recorded of a symbol and happened in a span, in any order; raises StoreDown."""
        span = (since_ns - CLOCKS_APART_MAX_NS, until_ns + CLOCKS_APART_MAX_NS)
        found: list[BookQuote | TradeTick] = []
        with _Translated():
            async with self._connection() as connection:
                quotes = await connection.fetch(_QUOTES, venue, symbol, *span)
                trades = await connection.fetch(_TRADES, venue, symbol, *span)
        found += [BookQuote(venue, symbol, *row) for row in quotes]
        for digits, price, size, side, *rest in trades:
            found += [TradeTick(venue, symbol, digits, price, size, SIDE_OF[side], *rest)]
        return [tick for tick in found if since_ns <= event_ns(tick) < until_ns]

    async def read(
        self, venue: str, symbol: str, kind: str, since_ns: int | None, until_ns: int | None
    ) -> AsyncIterator[pl.DataFrame]:
        """What is recorded of a symbol, in order of receiving, in frames with the columns of the
        history catalog; `kind` is quotes or trades. Raises StoreDown."""
        span = (since_ns or 0, 2**63 - 1 if until_ns is None else until_ns)
        query, schema = _READ[kind]
        with _Translated():
            async with self._connection() as connection, connection.transaction():
                cursor = await connection.cursor(query, venue, symbol, *span)
                while rows := await cursor.fetch(READ_ROWS):
                    yield pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        if self._pool is None:
            raise StoreDown("PostgreSQL is not open")
        async with self._pool.acquire(timeout=POSTGRES_CONNECT_S) as connection:
            yield connection

    async def close(self) -> None:
        """See RecordStore."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), POSTGRES_CONNECT_S)
        except (TimeoutError, *GONE):
            pool.terminate()


class _Translated:
    """Turns what a driver raises when its server is away or full into StoreDown."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, GONE):
            raise StoreDown(f"PostgreSQL: {error or type(error).__name__}") from error


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data
