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
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from ..frames import BadFrame
from ..history.catalog import Catalog
from ..history.catalog import Rows as CatalogRows
from ..history.errors import CatalogError
from ..history.kinds import Kind, Stream
from ..limits import PARQUET_EVERY_S, PARQUET_ROWS
from .contract import Stored, StoreDown
from .rows import Rows

log = logging.getLogger(__name__)
_DAY_NS: Final = 86_400 * 10**9
_QUOTE: Final = ("ts_ns", "venue_ns", "bid", "ask", "bid_size", "ask_size")
_TRADE: Final = ("ts_ns", "venue_ns", "price", "volume", "side")


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

    async def store(self, stream: str, rows: Rows) -> Stored:
        """See RecordStore."""
        if self._catalog is None:
            raise StoreDown("the catalog is not open")
        try:
            return await asyncio.to_thread(self._commit, self._catalog, rows)
        except OSError as error:
            raise StoreDown(f"{self._folder}: {error.strerror or error}") from error
        except CatalogError as error:
            await asyncio.to_thread(_blame, rows)
            raise StoreDown(str(error)) from error

    def _commit(self, catalog: Catalog, rows: Rows) -> Stored:
        times = [int(each[:, 1].max()) for each in (rows.quotes, rows.trades) if len(each)]
        with catalog.writing() as state:
            for batch in _batches(rows):
                catalog.commit(state, batch, f"live-{state.number + 1:010d}")
        day = max(times, default=0) // _DAY_NS
        if self._day and day > self._day:
            # Only a service for readers: what fails here is tried again tomorrow.
            try:
                catalog.compact()
            except (CatalogError, OSError) as error:
                log.warning("the catalog is not compacted: %s", error)
        self._day = max(self._day, day)
        return Stored(len(rows.quotes), len(rows.trades))

    async def close(self) -> None:
        """See RecordStore."""
        self._catalog = None


def _batches(rows: Rows) -> Iterator[list[CatalogRows]]:
    """The rows as tables, in batches that have every stream once: a commit takes no more."""
    batches: list[dict[Stream, CatalogRows]] = []
    for table in (*_quotes(rows), *_trades(rows)):
        for batch in batches:
            if table.stream not in batch:
                batch[table.stream] = table
                break
        else:
            # The same symbol with other digits.
            batches.append({table.stream: table})
    for batch in batches:
        yield list(batch.values())


def _quotes(rows: Rows) -> Iterator[CatalogRows]:
    for (venue, symbol, digits), at in rows.by_key(rows.quotes):
        columns = dict(zip(_QUOTE, np.ascontiguousarray(rows.quotes[at, 1:7].T), strict=True))
        yield CatalogRows(Stream(venue, symbol, Kind.QUOTES), pl.DataFrame(columns), digits)


def _trades(rows: Rows) -> Iterator[CatalogRows]:
    for (venue, symbol, digits), at in rows.by_key(rows.trades):
        columns = dict(zip(_TRADE, np.ascontiguousarray(rows.trades[at, 1:].T), strict=True))
        ids = pl.Series("trade_id", [rows.trade_ids[number] for number in at.tolist()], pl.String)
        table = pl.DataFrame(columns).with_columns(ids)
        yield CatalogRows(Stream(venue, symbol, Kind.TRADES), table, digits)


def _blame(rows: Rows) -> None:
    """Raise BadFrame for the first frame that no catalog will ever take, found by trying."""
    with tempfile.TemporaryDirectory(prefix="tradeloom-") as folder:
        trial = Catalog(Path(folder), create=True)
        for frame in range(len(rows.heads)):
            try:
                for batch in _batches(rows.only((frame,))):
                    for table in batch:
                        trial.append(*table.stream, table.frame, table.digits)
            except CatalogError as error:
                problem = str(error).splitlines()[0]
                raise BadFrame(f"the catalog cannot hold it: {problem}", frame) from error
