"""Bars in the database, saved together with where the aggregator stands: all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import asyncpg

from tradeloom.domain import numbers
from tradeloom.domain.market import SIZE_DIGITS
from tradeloom.store import Database, StoreError
from tradeloom.store import market_bars as t
from tradeloom.store.limits import BARS_MAX

from ..frames import Marks
from ..limits import MARKET_BARS_KEPT_S
from .bar import NS, MarketBar, Prices
from .book import Made, SymbolBars
from .parts import (
    ASK_HIGH,
    ASK_LOW,
    BID_HIGH,
    BID_LOW,
    FIRST,
    HIGH,
    LAST,
    LOW,
    SUM_HIGH,
    SUM_LOW,
    VOLUME,
    Parts,
)

BarKey = tuple[str, str, int, int]  # venue, symbol, interval_s, start_ns
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder().decode
_decode_bars: Final = msgspec.msgpack.Decoder(list[MarketBar]).decode
_SIDES: Final = ("bid", "ask", "both", "trade")
_WORDS: Final = ("open", "high", "low", "close")


class SecondAggregator(StoreError):  # noqa: N818 - the name says what it is
    """Another process moved the bars of this stream; start again from what it saved."""


class Standing(NamedTuple):
    """Where the aggregator of a stream stands: `version` counts saves, `outbox` are finished bars
    of the last one, which may not have been published."""

    version: int
    marks: Marks
    symbols: dict[tuple[str, str], SymbolBars]
    outbox: list[MarketBar]


class MarketBarStore:
    """Bars of `database`; every method raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._exact: Callable[[int], object] = Decimal
        postgres: Any = asyncpg.dialect  # carries no types
        dialect: Any = postgres()
        upsert: Any = postgresql.insert
        if database.address.dialect == "sqlite":
            self._exact, dialect, upsert = str, sqlite.dialect(), sqlite.insert
        # Text and tuples, past SQLAlchemy's own handling of parameters: that takes longer than
        # the database, and there are nine bars to a tick in the worst case.
        self._upserts = {
            table: _text(upsert(table), table, dialect)
            for table in (t.market_bars, t.market_bar_states)
        }

    async def open(self) -> None:
        """Make the tables that are missing."""
        async with self._database.write() as connection:
            await connection.run_sync(t.create)

    async def load(self, stream: str) -> Standing:
        """Where the last save left a stream."""
        streams, states = t.market_bar_streams, t.market_bar_states
        async with self._database.write() as connection:
            row = (
                await connection.execute(select(streams).where(streams.c.stream == stream))
            ).first()
            if row is None:
                first = {"stream": stream, "version": 0, "marks": _encode({}), "outbox": b"\x90"}
                await connection.execute(insert(streams), first)
                return Standing(0, Marks(), {}, [])
            found = await connection.execute(select(states).where(states.c.stream == stream))
            symbols = {
                (each.venue, each.symbol): SymbolBars.of(
                    each.venue, each.symbol, _decode_state(each.state)
                )
                for each in found
            }
        return Standing(row.version, Marks(_decode(row.marks)), symbols, _decode_bars(row.outbox))

    async def save(
        self,
        stream: str,
        version: int,
        marks: Marks,
        symbols: Iterable[SymbolBars],
        bars: Sequence[Made],
        outbox: Sequence[MarketBar] = (),
    ) -> None:
        """Store bars and the new standing in one transaction, and which bars are to be published
        yet; raises SecondAggregator when the stored standing is not at `version`."""
        streams = t.market_bar_streams
        moved = (
            update(streams)
            .where(streams.c.stream == stream, streams.c.version == version)
            .values(version=version + 1, marks=_encode(marks.ranges()), outbox=_encode(outbox))
        )
        states = [(stream, each.venue, each.symbol, _encode(each.state())) for each in symbols]
        async with self._database.write() as connection:
            if (await connection.execute(moved)).rowcount != 1:
                raise SecondAggregator(
                    f"the bars of {stream} no longer stand at save {version}: "
                    "another aggregator works on them"
                )
            if bars:
                await connection.exec_driver_sql(
                    self._upserts[t.market_bars], [_row(each, self._exact) for each in bars]
                )
            if states:
                await connection.exec_driver_sql(self._upserts[t.market_bar_states], states)

    async def find(self, keys: Sequence[BarKey]) -> dict[BarKey, Made]:
        """Stored bars with what they were made of."""
        b = t.market_bars
        columns = tuple_(b.c.venue, b.c.symbol, b.c.interval_s, b.c.start_ns)
        async with self._database.read() as connection:
            rows = await connection.execute(select(b).where(columns.in_(keys)))
            found = [_made(row) for row in rows]
        return {key_of(each.bar): each for each in found}

    async def span(
        self, venue: str, symbol: str, interval_s: int, since_ns: int, until_ns: int
    ) -> list[Made]:
        """All bars that start in a span, in order, with what they were made of."""
        b = t.market_bars
        query = (
            select(b)
            .where(b.c.venue == venue, b.c.symbol == symbol, b.c.interval_s == interval_s)
            .where(b.c.start_ns >= since_ns, b.c.start_ns < until_ns)
            .order_by(b.c.start_ns)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(query)
            return [_made(row) for row in rows]

    async def read(
        self,
        venue: str,
        symbol: str,
        interval_s: int,
        *,
        since_ns: int | None = None,
        until_ns: int | None = None,
        limit: int = BARS_MAX,
    ) -> list[MarketBar]:
        """The newest `limit` bars that start in a span (its end excluded), oldest first."""
        b = t.market_bars
        query = (
            select(b)
            .where(b.c.venue == venue, b.c.symbol == symbol, b.c.interval_s == interval_s)
            .order_by(b.c.start_ns.desc())
            .limit(max(1, min(limit, BARS_MAX)))
        )
        if since_ns is not None:
            query = query.where(b.c.start_ns >= since_ns)
        if until_ns is not None:
            query = query.where(b.c.start_ns < until_ns)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [_made(row).bar for row in reversed(rows)]

    async def maintain(self, now_ns: int) -> int:
        """The daily job: old bars of short intervals go; how many."""
        async with self._database.write() as connection:
            return await connection.run_sync(t.forget, MARKET_BARS_KEPT_S, now_ns)


def key_of(bar: MarketBar) -> BarKey:
    """What a bar is stored under."""
    return bar.venue, bar.symbol, bar.interval_s, bar.start_ns


def _decode_state(data: bytes) -> dict[str, Any]:
    return dict(_decode(data))


def _text(insert_: Any, table: Any, dialect: Any) -> str:
    """An upsert as the driver's own SQL, with a place for each column in the table's order."""
    statement = insert_.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={c.name: insert_.excluded[c.name] for c in table.c if not c.primary_key},
    )
    compiled = statement.compile(dialect=dialect)
    if list(compiled.positiontup) != [c.name for c in table.c]:
        raise AssertionError("SQLAlchemy has put the columns in another order")
    return str(compiled)


def _row(each: Made, exact: Callable[[int], object]) -> tuple[object, ...]:
    """A bar in the order of the table's columns."""
    bar = each.bar
    prices: list[int | None] = []
    for side in (bar.bid, bar.ask, bar.both, bar.trade):
        prices += (
            (None, None, None, None)
            if side is None
            else (side.open, side.high, side.low, side.close)
        )
    quotes, trades = each.parts.quotes, each.parts.trades
    edges = (
        None if quotes is None else (*quotes[FIRST][:2], *quotes[LAST][:2]),
        None
        if trades is None
        else (trades[FIRST][0], trades[FIRST][2], trades[LAST][0], trades[LAST][2]),
    )
    return (
        bar.venue,
        bar.symbol,
        bar.interval_s,
        bar.start_ns,
        bar.digits,
        *prices,
        exact(0 if trades is None else trades[VOLUME]),
        bar.quotes,
        bar.trades,
        bar.revision,
        bar.finished,
        bar.filled,
        _encode(edges),
    )


def _made(row: Any) -> Made:
    columns = dict(row._mapping)
    return Made(_bar(columns), _parts(columns))


def _bar(row: Mapping[str, Any]) -> MarketBar:
    sides: dict[str, Any] = {
        side: None
        if row[f"{side}_open"] is None
        else Prices(*(row[f"{side}_{word}"] for word in _WORDS))
        for side in _SIDES
    }
    plain = {name: row[name] for name in MarketBar.__struct_fields__ if name not in _SIDES}
    plain["volume"] = numbers.decimal(row["volume"], SIZE_DIGITS, keep=0)
    return MarketBar(**plain, **sides)


def _parts(row: Mapping[str, Any]) -> Parts:
    quotes, trades = _decode(row["edges"])
    parts = Parts()
    if quotes is not None:
        first_ns, first_seq, last_ns, last_seq = quotes
        part: list[Any] = [None] * 9
        part[FIRST] = (first_ns, first_seq, row["bid_open"], row["ask_open"])
        part[LAST] = (last_ns, last_seq, row["bid_close"], row["ask_close"])
        part[BID_HIGH], part[BID_LOW] = row["bid_high"], row["bid_low"]
        part[ASK_HIGH], part[ASK_LOW] = row["ask_high"], row["ask_low"]
        part[SUM_HIGH], part[SUM_LOW] = row["both_high"], row["both_low"]
        part[-1] = row["quotes"]
        parts.quotes = part
    if trades is not None:
        first_ns, first_id, last_ns, last_id = trades
        part = [None] * 6
        part[FIRST] = (first_ns, len(first_id), first_id, row["trade_open"])
        part[LAST] = (last_ns, len(last_id), last_id, row["trade_close"])
        part[HIGH], part[LOW] = row["trade_high"], row["trade_low"]
        part[-2], part[-1] = row["volume"], row["trades"]
        parts.trades = part
    return parts


__all__ = ["NS", "BarKey", "MarketBarStore", "SecondAggregator", "Standing", "key_of"]
