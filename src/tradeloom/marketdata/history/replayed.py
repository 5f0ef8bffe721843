"""A catalog's quotes as recordings, so that they replay like any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tradeloom.marketdata.history.catalog import Catalog
from tradeloom.marketdata.history.errors import CatalogError
from tradeloom.marketdata.history.kinds import DIGITS, Kind, Stream
from tradeloom.marketdata.limits import CHUNK_ROWS
from tradeloom.marketdata.quotes import QuoteRows, quote_rows
from tradeloom.marketdata.recordings.decimals import Decimals
from tradeloom.marketdata.recordings.errors import RecordingError
from tradeloom.marketdata.recordings.formats import RawRows


class CatalogQuotes:
    """The quotes of one stream of a catalog, as a recorded format."""

    name = "catalog"

    def __init__(self, root: Path, stream: Stream) -> None:
        self.path = root
        self.source = stream.venue
        self.symbol = stream.symbol

    def rows(self) -> Iterator[RawRows]:
        """Yield the quotes in time order. Raises RecordingError for a damaged catalog."""
        try:
            for rows in Catalog(self.path).read(self.source, self.symbol, Kind.QUOTES):
                places = rows[DIGITS].to_numpy().astype(np.int64)
                bid, ask = (Decimals(rows[name].to_numpy(), places) for name in ("bid", "ask"))
                yield RawRows(rows["ts_ns"].to_numpy(), bid, ask)
        except CatalogError as error:
            raise RecordingError(self.path, error.problem, error.advice) from error


def recorded_quotes(root: Path) -> list[CatalogQuotes]:
    """Return the streams of quotes of a catalog. Raises RecordingError for a damaged log."""
    try:
        streams = [each.stream for each in Catalog(root).coverage()]
    except CatalogError as error:
        raise RecordingError(root, error.problem, error.advice) from error
    return [CatalogQuotes(root, stream) for stream in streams if stream.kind is Kind.QUOTES]


def quote_chunks(
    catalog: Catalog,
    venue: str,
    symbol: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
    rows_max: int = CHUNK_ROWS,
) -> Iterator[QuoteRows]:
    """Yield the quotes of a stream as arrays of dtype `QUOTE`, none empty, for `merge_streams`."""
    for frame in catalog.read(venue, symbol, Kind.QUOTES, start_ns, end_ns):
        rows = quote_rows(*(frame[name].to_numpy() for name in ("ts_ns", "bid", "ask")))
        for start in range(0, len(rows), rows_max):
            yield rows[start : start + rows_max]
