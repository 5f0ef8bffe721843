"""Table of bars: what quotes did in a second, a minute, a day.

Not a projection: quotes are not events. Prices with the row's `digits`; the middle of bid and ask
is stored as their sum, so that it is exact.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, SmallInteger, String, Table

from .meta import metadata

_PRICES = tuple(
    Column(f"{side}_{word}", BigInteger, nullable=False)
    for side in ("bid", "ask", "sum")
    for word in ("open", "high", "low", "close")
)

bars = Table(
    "bars",
    metadata,
    Column("symbol", String(32), primary_key=True),
    Column("interval_s", Integer, primary_key=True, autoincrement=False),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("digits", SmallInteger, nullable=False),
    *_PRICES,
    Column("ticks", BigInteger, nullable=False),
    # Times of the first and the last quote: what late quotes and a restart are merged by.
    Column("first_ts", BigInteger, nullable=False),
    Column("last_ts", BigInteger, nullable=False),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (start)",
)
