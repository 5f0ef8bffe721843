"""Bars in the database: upserted while they grow, read by charts.

Prices are integers with `digits` decimals; the middle of bid and ask is kept as their sum, which is
exact, and shown with one decimal more.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tradeloom.domain import numbers

from . import tables as t
from .database import Database
from .limits import BAR_LATE_S, BARS_MAX
from .partitions import maintain

NS: Final = 10**9
INTERVALS_S: Final = (1, 60, 300, 900, 1_800, 3_600, 14_400, 86_400)
"""What bars are made of: one second to one day, aligned to 1970-01-01 UTC."""


class Bar(NamedTuple):
    """A bar as it is kept; the fields are the columns of the table."""

    symbol: str
    interval_s: int
    start: int
    digits: int
    bid_open: int
    bid_high: int
    bid_low: int
    bid_close: int
    ask_open: int
    ask_high: int
    ask_low: int
    ask_close: int
    sum_open: int
    sum_high: int
    sum_low: int
    sum_close: int
    ticks: int
    first_ts: int
    last_ts: int


class Ohlc(msgspec.Struct, frozen=True):
    """Four prices of a bar."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class BarRow(msgspec.Struct, frozen=True, kw_only=True):
    """A bar as people read it; `start` in UTC nanoseconds, `ticks` counts quotes."""

    start: int
    bid: Ohlc
    ask: Ohlc
    mid: Ohlc
    ticks: int


def shown(bar: Bar) -> BarRow:
    """The bar with decimals."""
    digits = bar.digits

    def prices(at: int, scale: int = 1, more: int = 0) -> Ohlc:
        four: tuple[int, ...] = tuple(bar[4:16])[at : at + 4]
        return Ohlc(*(numbers.decimal(price * scale, digits + more) for price in four))

    # sum / 2 = sum × 5 / 10: exact with one decimal more.
    return BarRow(
        start=bar.start, bid=prices(0), ask=prices(4), mid=prices(8, 5, 1), ticks=bar.ticks
    )


class BarStore:
    """Bars of `database`; every method raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = (sqlite if database.address.dialect == "sqlite" else postgresql).insert(t.bars)
        self._upsert = insert.on_conflict_do_update(
            index_elements=list(t.bars.primary_key),
            set_={c.name: insert.excluded[c.name] for c in t.bars.c if not c.primary_key},
        )

    async def write(self, bars: Iterable[Bar]) -> None:
        """Store bars in the place of what is there of them."""
        values = [bar._asdict() for bar in bars]
        if values:
            async with self._database.write() as connection:
                await connection.execute(self._upsert, values)

    async def read(
        self,
        symbol: str,
        interval_s: int,
        *,
        since: int | None = None,
        until: int | None = None,
        limit: int = BARS_MAX,
    ) -> list[Bar]:
        """The newest `limit` bars that start in `since` (included) to `until`, oldest first."""
        b = t.bars
        query = (
            select(b)
            .where(b.c.symbol == symbol, b.c.interval_s == interval_s)
            .order_by(b.c.start.desc())
            .limit(max(1, min(limit, BARS_MAX)))
        )
        if since is not None:
            query = query.where(b.c.start >= since)
        if until is not None:
            query = query.where(b.c.start < until)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Bar(*row) for row in reversed(rows)]

    async def oldest(self, symbol: str, interval_s: int) -> Bar | None:
        """The oldest bar of a symbol, if there is one."""
        b = t.bars
        query = (
            select(b)
            .where(b.c.symbol == symbol, b.c.interval_s == interval_s)
            .order_by(b.c.start)
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else Bar(*row)

    async def newest(
        self, symbols: Iterable[str], interval_s: int, limit: int
    ) -> dict[str, list[Bar]]:
        """The newest `limit` bars of each symbol that has any, oldest first."""
        b = t.bars
        found: dict[str, list[Bar]] = {}
        async with self._database.read() as connection:
            if (await connection.execute(select(b.c.start).limit(1))).first() is None:
                return found  # a new installation, which should start at once
            for symbol in symbols:
                query = (
                    select(b)
                    .where(b.c.symbol == symbol, b.c.interval_s == interval_s)
                    .order_by(b.c.start.desc())
                    .limit(limit)
                )
                rows = (await connection.execute(query)).all()
                if rows:
                    found[symbol] = [Bar(*row) for row in reversed(rows)]
        return found

    async def unfinished(self, symbols: Iterable[str], now: int) -> list[Bar]:
        """Bars that quotes of `now` may still change: what a builder goes on from at start."""
        b = t.bars
        young = or_(
            *(
                (b.c.interval_s == interval_s) & (b.c.start > now - (interval_s + BAR_LATE_S) * NS)
                for interval_s in INTERVALS_S
            )
        )
        found: list[Bar] = []
        async with self._database.read() as connection:
            for symbol in symbols:
                query = select(b).where(b.c.symbol == symbol, young)
                found += [Bar(*row) for row in (await connection.execute(query)).all()]
        return found

    async def maintain(self, now: int) -> int:
        """The daily job (see `partitions`); returns how many old bars were removed."""
        async with self._database.write() as connection:
            return await _maintain(connection, now)


async def _maintain(connection: AsyncConnection, now: int) -> int:
    def work(plain: Any) -> int:
        return maintain(plain, now)

    return await connection.run_sync(work)
