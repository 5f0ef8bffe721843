"""Frames sorted into rows by kind, and quotes as bytes of a binary COPY.

A Python tuple per row is what makes COPY slow on the client's side. Quotes have only columns of
fixed width, so a whole batch is laid out by numpy in PostgreSQL's own binary format: per row the
number of fields, per field its length and its big-endian bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookQuote, Funding, TradeTick

from ..frames import BadFrame, Frame

Key = tuple[str, str, int]  # venue, symbol, digits
I64: Final = range(-(2**63), 2**63)
# How the side of a trade is stored: the taker's, 0 where the venue does not tell.
SIDES: Final = {None: 0, Side.BUY: 1, Side.SELL: -1}
SIDE_OF: Final = {number: side for side, number in SIDES.items()}
QUOTE_COLUMNS: Final = (
    "symbol_id",
    "ts_ns",
    "venue_ns",
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "seq",
)
TRADE_COLUMNS: Final = ("symbol_id", "ts_ns", "venue_ns", "price", "size", "side", "trade_id")
FUNDING_COLUMNS: Final = (
    "symbol_id",
    "ts_ns",
    "venue_ns",
    "rate",
    "mark",
    "index_price",
    "next_ns",
)
_WIDE: Final = QUOTE_COLUMNS[1:]
_LAYOUT: Final = np.dtype(
    [("fields", ">i2"), ("symbol_id_length", ">i4"), ("symbol_id", ">i4")]
    + [part for name in _WIDE for part in ((f"{name}_length", ">i4"), (name, ">i8"))]
)
_HEAD: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TAIL: Final = b"\xff\xff"


class Rows:
    """The events of frames that are recorded, by kind; books and feed states are not."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self.quotes: list[BookQuote] = []
        self.trades: list[TradeTick] = []
        self.funding: list[Funding] = []
        quote, trade, funding = self.quotes.append, self.trades.append, self.funding.append
        for frame in frames:
            for event in frame.events:
                kind = type(event)
                if kind is BookQuote:
                    quote(event)  # type: ignore[arg-type]
                elif kind is TradeTick:
                    trade(event)  # type: ignore[arg-type]
                elif kind is Funding:
                    funding(event)  # type: ignore[arg-type]

    def keys(self) -> set[Key]:
        """Whose rows these are."""
        return {(each.venue, each.symbol, each.digits) for each in self._every()}

    def days(self, day_ns: int) -> set[int]:
        """The days of their times."""
        return {(each.recv_ns or each.venue_ns) // day_ns for each in self._every()}

    def _every(self) -> Iterator[BookQuote | TradeTick | Funding]:
        yield from self.quotes
        yield from self.trades
        yield from self.funding

    def trade_rows(self, numbers: dict[Key, int]) -> list[tuple[object, ...]]:
        """Trades as rows of `TRADE_COLUMNS`."""
        return [
            (
                numbers[t.venue, t.symbol, t.digits],
                t.recv_ns or t.venue_ns,
                t.venue_ns,
                t.price,
                t.size,
                SIDES[t.side],
                t.trade_id,
            )
            for t in self.trades
        ]

    def funding_rows(self, numbers: dict[Key, int]) -> list[tuple[object, ...]]:
        """Funding as rows of `FUNDING_COLUMNS`."""
        return [
            (
                numbers[f.venue, f.symbol, f.digits],
                f.recv_ns or f.venue_ns,
                f.venue_ns,
                f.rate,
                f.mark,
                f.index,
                f.next_ns,
            )
            for f in self.funding
        ]

    def quote_bytes(self, numbers: dict[Key, int]) -> bytes:
        """Quotes as the bytes of a binary COPY of `QUOTE_COLUMNS`."""
        quotes = self.quotes
        rows = np.empty(len(quotes), _LAYOUT)
        rows["fields"] = len(QUOTE_COLUMNS)
        rows["symbol_id_length"] = 4
        rows["symbol_id"] = [numbers[q.venue, q.symbol, q.digits] for q in quotes]
        columns = {
            "ts_ns": [q.recv_ns or q.venue_ns for q in quotes],
            "venue_ns": [q.venue_ns for q in quotes],
            "bid": [q.bid for q in quotes],
            "ask": [q.ask for q in quotes],
            "bid_size": [q.bid_size for q in quotes],
            "ask_size": [q.ask_size for q in quotes],
            "seq": [q.seq for q in quotes],
        }
        for name in _WIDE:
            rows[f"{name}_length"] = 8
            rows[name] = columns[name]
        return _HEAD + rows.tobytes() + _TAIL


def check(frames: Sequence[Frame]) -> None:
    """Raise BadFrame for the first one with a number or text no store can hold."""
    for frame in frames:
        for event in frame.events:
            for name in event.__struct_fields__:
                value = getattr(event, name)
                if type(value) is int and value not in I64:
                    raise BadFrame(f"{name} of {event.symbol} is {value}, beyond 64 bits", frame)
                if type(value) is str and "\x00" in value:
                    raise BadFrame(f"{name} holds a NUL character", frame)
