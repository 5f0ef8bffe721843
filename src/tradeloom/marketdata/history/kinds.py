"""What a catalog holds: four kinds of rows, their columns, and the stream a row belongs to.

Prices are integer mantissas (value = mantissa / 10**digits, `digits` is a column of its own),
volumes have 8 decimals, times are UTC nanoseconds. `ts_ns` is when the row was received (or the
only time known), `venue_ns` the venue's own time, 0 when it gave none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

import polars as pl

VOLUME_DIGITS: Final = 8
DIGITS: Final = "digits"


class Kind(StrEnum):
    """A kind of history."""

    QUOTES = "quotes"
    TRADES = "trades"
    BARS_1M = "bars_1m"
    BOOK = "book"


class Stream(NamedTuple):
    """One kind of rows of one symbol at one venue."""

    venue: str
    symbol: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.venue}/{self.symbol}/{self.kind.value}"


_INT: Final = pl.Int64()
_SIDE: Final = pl.Int8()
# `side`: 1 the taker bought (book: a bid), -1 the taker sold (book: an ask), 0 not told.
# Bars: `basis` names the prices they are made of: bid, ask or trade; `ts_ns` is their start.
# Book: one row a level, size 0 removes it; the rows of a frame share `ts_ns` and `last_seq`.
COLUMNS: Final[dict[Kind, dict[str, pl.DataType]]] = {
    Kind.QUOTES: {
        "ts_ns": _INT, "venue_ns": _INT, "bid": _INT, "ask": _INT, "bid_size": _INT,
        "ask_size": _INT,
    },
    Kind.TRADES: {
        "ts_ns": _INT, "venue_ns": _INT, "price": _INT, "volume": _INT, "side": _SIDE,
        "trade_id": pl.String(),
    },
    Kind.BARS_1M: {
        "ts_ns": _INT, "basis": pl.String(), "open": _INT, "high": _INT, "low": _INT,
        "close": _INT, "volume": _INT,
    },
    Kind.BOOK: {
        "ts_ns": _INT, "venue_ns": _INT, "first_seq": _INT, "last_seq": _INT,
        "snapshot": pl.Boolean(), "side": _SIDE, "price": _INT, "size": _INT,
    },
}  # fmt: skip
PRICES: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.QUOTES: ("bid", "ask"),
    Kind.TRADES: ("price",),
    Kind.BARS_1M: ("open", "high", "low", "close"),
    Kind.BOOK: ("price",),
}
