"""Tables of recorded ticks on PostgreSQL, made by the recorder the first time it starts.

They are not in the migrations: a service that records into files, or not at all, has none of them.
With TimescaleDB they are hypertables with chunks of a day; without it native partitions of a day,
and a default partition for the days that only a broken clock can mean.

Rows name their symbol by a number of `market_symbols`, where its digits stand too: a symbol whose
digits change gets another number, so every row stays exact.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]

log = logging.getLogger(__name__)

DAY_NS: Final = 86_400 * 10**9
TICKS: Final = ("market_quotes", "market_trades", "market_funding")
"""The tables with one row per tick; `ts_ns` is when we received it, UTC nanoseconds."""

# Any number: two recorders that start at once must not make tables at once.
_LOCK: Final = 7_302_012
_DATABASE_TABLES: Final = """
CREATE TABLE IF NOT EXISTS market_symbols (
    symbol_id SERIAL PRIMARY KEY, venue TEXT NOT NULL, symbol TEXT NOT NULL,
    digits SMALLINT NOT NULL, UNIQUE (venue, symbol, digits));
CREATE TABLE IF NOT EXISTS market_marks (
    keeper TEXT NOT NULL, stream TEXT NOT NULL, state BYTEA NOT NULL,
    PRIMARY KEY (keeper, stream));
"""
_COLUMNS: Final = {
    "market_quotes": """symbol_id INTEGER NOT NULL, ts_ns BIGINT NOT NULL,
        venue_ns BIGINT NOT NULL,
        bid BIGINT NOT NULL, ask BIGINT NOT NULL, bid_size BIGINT NOT NULL,
        ask_size BIGINT NOT NULL, seq BIGINT NOT NULL""",
    "market_trades": """symbol_id INTEGER NOT NULL, ts_ns BIGINT NOT NULL,
        venue_ns BIGINT NOT NULL,
        price BIGINT NOT NULL, size BIGINT NOT NULL, side SMALLINT NOT NULL,
        trade_id TEXT NOT NULL""",
    "market_funding": """symbol_id INTEGER NOT NULL, ts_ns BIGINT NOT NULL,
        venue_ns BIGINT NOT NULL,
        rate NUMERIC NOT NULL, mark BIGINT NOT NULL, index_price BIGINT NOT NULL,
        next_ns BIGINT NOT NULL""",
}


async def create(connection: Any) -> bool:
    """Make what is missing; True when TimescaleDB keeps the ticks. `connection` is asyncpg's."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        timescale = await _timescale(connection)
        await connection.execute(_DATABASE_TABLES)
        for table, columns in _COLUMNS.items():
            if await connection.fetchval("SELECT to_regclass($1)", table) is not None:
                continue
            how = "" if timescale else "PARTITION BY RANGE (ts_ns)"
            await connection.execute(f"CREATE TABLE {table} ({columns}) {how}")
            if timescale:
                await connection.execute(
                    f"SELECT create_hypertable('{table}', 'ts_ns', "
                    f"chunk_time_interval => {DAY_NS}, create_default_indexes => false)"
                )
            else:
                await connection.execute(
                    f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT"
                )
            await connection.execute(f"CREATE INDEX ON {table} (symbol_id, ts_ns)")
    return timescale


async def add_days(connection: Any, days: Iterable[int]) -> None:
    """Make the partitions of these days (numbers since 1970-01-01) where there are none."""
    for day in sorted(days):
        date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
        for table in TICKS:
            name = f"{table}_{date:%Y_%m_%d}"
            bounds = f"FROM ({day * DAY_NS}) TO ({(day + 1) * DAY_NS})"
            try:
                await connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES {bounds}"
                )
            except asyncpg.CheckViolationError:
                log.warning("%s: rows of that day are in the default partition already", name)
            except (asyncpg.DuplicateTableError, asyncpg.UniqueViolationError):
                continue  # another recorder was faster


async def _timescale(connection: Any) -> bool:
    offered = "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"
    if await connection.fetchval(offered) is None:
        return False
    try:
        async with connection.transaction():
            await connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    except asyncpg.PostgresError as error:
        log.warning("TimescaleDB is offered but cannot be used: %s", error)
    active = "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"
    return await connection.fetchval(active) is not None
