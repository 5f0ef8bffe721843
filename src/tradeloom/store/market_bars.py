"""Tables of bars made of venues' ticks, and of where the aggregator stands.

Made by the aggregator the first time it starts, on SQLite or PostgreSQL; not projections, so a
rebuild leaves them alone. `edges` are the times and numbers of a bar's first and last ticks: with
them a stored bar can be merged with ticks that come late.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    delete,
    text,
)

from .tables.columns import Wide

metadata: Final = MetaData()
_LOCK: Final = 7_302_013
NS: Final = 10**9

market_bars: Final = Table(
    "market_bars",
    metadata,
    Column("venue", String(64), primary_key=True),
    Column("symbol", String(64), primary_key=True),
    Column("interval_s", Integer, primary_key=True, autoincrement=False),
    Column("start_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("digits", SmallInteger, nullable=False),
    *(
        Column(f"{side}_{word}", BigInteger)
        for side in ("bid", "ask", "both", "trade")
        for word in ("open", "high", "low", "close")
    ),
    # Sizes have 8 decimals, and a day of a coin that costs nothing does not fit 64 bits.
    Column("volume", Wide, nullable=False),
    Column("quotes", BigInteger, nullable=False),
    Column("trades", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("filled", Boolean, nullable=False),
    Column("edges", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
market_bar_streams: Final = Table(
    "market_bar_streams",
    metadata,
    Column("stream", String(128), primary_key=True),
    # Moves with every save: a second aggregator that saves in between is found out.
    Column("version", BigInteger, nullable=False),
    Column("marks", LargeBinary, nullable=False),
    # Finished bars that may not have been published yet.
    Column("outbox", LargeBinary, nullable=False),
)
market_bar_states: Final = Table(
    "market_bar_states",
    metadata,
    Column("stream", String(128), primary_key=True),
    Column("venue", String(64), primary_key=True),
    Column("symbol", String(64), primary_key=True),
    Column("state", LargeBinary, nullable=False),
)


def create(connection: Connection) -> None:
    """Make the tables that are missing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    metadata.create_all(connection)


def forget(connection: Connection, kept_s: dict[int, int], now_ns: int) -> int:
    """Remove bars that are older than their interval is kept; how many."""
    removed = 0
    for interval_s, seconds in kept_s.items():
        old = delete(market_bars).where(
            market_bars.c.interval_s == interval_s,
            market_bars.c.start_ns < now_ns - seconds * NS,
        )
        removed += connection.execute(old).rowcount
    return removed
