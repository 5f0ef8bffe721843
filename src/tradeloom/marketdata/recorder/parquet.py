"""Ticks into the history catalog: Parquet files by venue, symbol, kind and day.

The catalog's commit is the moment of storing: files are written and synced under names nobody
reads, then one entry of its log makes all of them count. What a crash left half done is rubbish
that the next compaction sweeps. A frame that comes again brings rows the catalog has, which it
leaves out, so no marks are needed here. Files join once a day, when the day is over.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from tradeloom.domain.market import BookQuote, TradeTick

from ..frames import BadFrame, Frame
from ..history.catalog import Catalog
from ..history.catalog import Rows as CatalogRows
from ..history.errors import CatalogError
from ..history.kinds import Kind, Stream
from ..limits import PARQUET_EVERY_S, PARQUET_ROWS
from .contract import Stored, StoreDown
from .rows import SIDES, Rows

log = logging.getLogger(__name__)
_DAY_NS: Final = 86_400 * 10**9


class ParquetRecords:
    """A `RecordStore` in the catalog of a folder, made if there is none. Quotes and trades are
    kept, funding is not."""

    rows: int = PARQUET_ROWS
    every_s: float = PARQUET_EVERY_S

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder
        self._catalog: Catalog | None = None
        self._day = 0

    async def open(self) -> None:
        """See RecordStore."""
        try:
            self._catalog = await asyncio.to_thread(Catalog, self._folder, create=True)
        except (CatalogError, OSError) as error:
            raise StoreDown(str(error)) from error

    async def store(self, stream: str, frames: Sequence[Frame]) -> Stored:
        """See RecordStore."""
        if self._catalog is None:
            raise StoreDown("the catalog is not open")
        rows = Rows(frames)
        try:
            tables = _tables(rows)
        except (OverflowError, TypeError, pl.exceptions.PolarsError):
            _blame(frames)
            raise
        if not tables:
            return Stored()
        newest: list[Any] = [table.frame["ts_ns"].max() for table in tables]
        day = max(newest) // _DAY_NS
        try:
            return await asyncio.to_thread(self._commit, self._catalog, tables, day)
        except OSError as error:
            raise StoreDown(f"{self._folder}: {error.strerror or error}") from error
        except CatalogError as error:
            _blame(frames)
            raise StoreDown(str(error)) from error

    def _commit(self, catalog: Catalog, tables: list[CatalogRows], day: int) -> Stored:
        counts = {Kind.QUOTES: 0, Kind.TRADES: 0}
        for table in tables:
            counts[table.stream.kind] += table.frame.height
        with catalog.writing() as state:
            catalog.commit(state, tables, f"live-{state.number + 1:010d}")
        if self._day and day > self._day:
            # Only a service for readers: what fails here is tried again tomorrow.
            try:
                catalog.compact()
            except (CatalogError, OSError) as error:
                log.warning("the catalog is not compacted: %s", error)
        self._day = max(self._day, day)
        return Stored(counts[Kind.QUOTES], counts[Kind.TRADES])

    async def close(self) -> None:
        """See RecordStore."""
        self._catalog = None


def _tables(rows: Rows) -> list[CatalogRows]:
    """One table per stream and number of digits."""
    quotes: dict[tuple[str, str, int], list[BookQuote]] = {}
    for quote in rows.quotes:
        quotes.setdefault((quote.venue, quote.symbol, quote.digits), []).append(quote)
    trades: dict[tuple[str, str, int], list[TradeTick]] = {}
    for trade in rows.trades:
        trades.setdefault((trade.venue, trade.symbol, trade.digits), []).append(trade)
    tables = [
        CatalogRows(Stream(venue, symbol, Kind.QUOTES), _quotes(found), digits)
        for (venue, symbol, digits), found in quotes.items()
    ]
    tables += [
        CatalogRows(Stream(venue, symbol, Kind.TRADES), _trades(found), digits)
        for (venue, symbol, digits), found in trades.items()
    ]
    return tables


def _quotes(quotes: list[BookQuote]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "ts_ns": _ints([q.recv_ns or q.venue_ns for q in quotes]),
            "venue_ns": _ints([q.venue_ns for q in quotes]),
            "bid": _ints([q.bid for q in quotes]),
            "ask": _ints([q.ask for q in quotes]),
            "bid_size": _ints([q.bid_size for q in quotes]),
            "ask_size": _ints([q.ask_size for q in quotes]),
        }
    )


def _trades(trades: list[TradeTick]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "ts_ns": _ints([t.recv_ns or t.venue_ns for t in trades]),
            "venue_ns": _ints([t.venue_ns for t in trades]),
            "price": _ints([t.price for t in trades]),
            "volume": _ints([t.size for t in trades]),
            "side": pl.Series([SIDES[t.side] for t in trades], dtype=pl.Int8),
            "trade_id": pl.Series([t.trade_id for t in trades], dtype=pl.String),
        }
    )


def _ints(values: list[int]) -> pl.Series:
    # By way of numpy, which reads a list of integers several times faster.
    return pl.Series(np.array(values, np.int64))


def _blame(frames: Sequence[Frame]) -> None:
    """Raise BadFrame for the first frame that no catalog will ever take, found by trying."""
    with tempfile.TemporaryDirectory(prefix="tradeloom-") as folder:
        trial = Catalog(Path(folder), create=True)
        for frame in frames:
            try:
                for table in _tables(Rows((frame,))):
                    trial.append(*table.stream, table.frame, table.digits)
            except (OverflowError, TypeError, pl.exceptions.PolarsError, CatalogError) as error:
                problem = str(error).splitlines()[0]
                raise BadFrame(f"the catalog cannot hold it: {problem}", frame) from error
