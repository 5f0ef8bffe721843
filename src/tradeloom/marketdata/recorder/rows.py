"""Rows of many frames as columns, and their bytes for a binary COPY.

The compiled reader takes frames apart, so no event becomes a Python object. Quotes have only
columns of fixed width, so a whole batch is laid out by numpy in PostgreSQL's own binary format: per
row the number of fields, per field its length and its big-endian bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradeloom._core import TickReader
from tradeloom.domain.enums import Side
from tradeloom.domain.market import Funding

from ..frames import BadFrame

Key = tuple[str, str, int]  # venue, symbol, digits
Ints = NDArray[np.int64]
I64: Final = range(-(2**63), 2**63)
I16: Final = range(2**15)
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
_funding: Final = msgspec.msgpack.Decoder(Funding).decode


class Head(NamedTuple):
    """Which frame it was, and how many quotes and trades there are up to its end."""

    producer: str
    seq: int
    quotes: int
    trades: int


class Rows:
    """What is recorded of frames: `quotes` and `trades` have the columns of their tables, with a
    number of `keys` in the place of the symbol's, and the ids of trades beside them."""

    def __init__(
        self,
        heads: Sequence[Head],
        keys: Sequence[Key],
        quotes: Ints,
        trades: Ints,
        trade_ids: Sequence[str],
        funding: Sequence[tuple[int, bytes]],
    ) -> None:
        self.heads: Final = heads
        self.quotes: Final = quotes
        self.trades: Final = trades
        self.trade_ids: Final = trade_ids
        self._keys: Final = keys
        self._funding: Final = funding

    @classmethod
    def taken(cls, reader: TickReader) -> Rows:
        """Everything a reader gathered."""
        heads, keys, quotes, trades, trade_ids, funding = reader.take()
        return cls(
            [Head(*each) for each in heads],
            keys,
            np.frombuffer(quotes, "<i8").reshape(-1, len(QUOTE_COLUMNS)),
            np.frombuffer(trades, "<i8").reshape(-1, len(TRADE_COLUMNS) - 1),
            trade_ids,
            funding,
        )

    def only(self, frames: Iterable[int]) -> Rows:
        """The rows of some frames, by their positions, in the same order."""
        kept = np.zeros(len(self.heads), bool)
        kept[list(frames)] = True
        quotes, trades = (np.diff(ends, prepend=0) for ends in self._ends())
        ends = zip(*(np.cumsum(each[kept]).tolist() for each in (quotes, trades)), strict=True)
        positions = np.flatnonzero(kept).tolist()
        now_at = {at: now for now, at in enumerate(positions)}
        which = np.repeat(kept, trades)
        return Rows(
            [Head(*self.heads[at][:2], *end) for at, end in zip(positions, ends, strict=True)],
            self._keys,
            self.quotes[np.repeat(kept, quotes)],
            self.trades[which],
            [self.trade_ids[at] for at in np.flatnonzero(which).tolist()],
            [(now_at[at], event) for at, event in self._funding if at in now_at],
        )

    def _ends(self) -> tuple[Ints, Ints]:
        """Where each frame's quotes and trades end."""
        quotes = np.array([head.quotes for head in self.heads], np.int64)
        return quotes, np.array([head.trades for head in self.heads], np.int64)

    def funding(self) -> list[Funding]:
        """Funding is rare, so each is an object; raises BadFrame."""
        found = []
        for at, event in self._funding:
            try:
                found.append(_funding(event))
            except msgspec.DecodeError as error:
                raise BadFrame(f"not a frame of market events: {error}", at) from error
        return found

    def keys(self) -> set[Key]:
        """Whose rows these are; raises BadFrame."""
        numbers = np.unique(np.concatenate((self.quotes[:, 0], self.trades[:, 0])))
        found = {self._keys[number] for number in numbers.tolist()}
        return found | {(each.venue, each.symbol, each.digits) for each in self.funding()}

    def days(self, day_ns: int) -> set[int]:
        """The days of their times; raises BadFrame."""
        times = np.concatenate((self.quotes[:, 1], self.trades[:, 1]))
        funding = {(each.recv_ns or each.venue_ns) // day_ns for each in self.funding()}
        return funding | set(np.unique(times // day_ns).tolist())

    def by_key(self, rows: Ints) -> Iterator[tuple[Key, NDArray[np.intp]]]:
        """Positions in `quotes` or `trades` of each key's rows, in their order."""
        if not len(rows):
            return
        numbers = rows[:, 0].astype(np.int32)
        order = np.argsort(numbers, kind="stable")
        ends = np.cumsum(np.bincount(numbers, minlength=len(self._keys)))
        for number, at in enumerate(np.split(order, ends[:-1])):
            if len(at):
                yield self._keys[number], at

    def trade_rows(self, numbers: dict[Key, int]) -> list[tuple[object, ...]]:
        """Trades as rows of `TRADE_COLUMNS`."""
        columns = [self._symbols(self.trades, numbers).tolist(), *self.trades.T[1:].tolist()]
        return list(zip(*columns, self.trade_ids, strict=True))

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
            for f in self.funding()
        ]

    def quote_bytes(self, numbers: dict[Key, int]) -> bytes:
        """Quotes as the bytes of a binary COPY of `QUOTE_COLUMNS`."""
        # Symbol by symbol: neighbours in the index and on the disk cost the server a fifth less.
        order = np.argsort(self.quotes[:, 0].astype(np.int32), kind="stable")
        quotes = self.quotes[order]
        rows = np.empty(len(quotes), _LAYOUT)
        rows["fields"] = len(QUOTE_COLUMNS)
        rows["symbol_id_length"] = 4
        rows["symbol_id"] = self._symbols(quotes, numbers)
        for at, name in enumerate(_WIDE, 1):
            rows[f"{name}_length"] = 8
            rows[name] = quotes[:, at]
        return _HEAD + rows.tobytes() + _TAIL

    def _symbols(self, rows: Ints, numbers: dict[Key, int]) -> Ints:
        # A key without a number has no rows here.
        table = np.array([numbers.get(key, 0) for key in self._keys], np.int64)
        return table[rows[:, 0]]

    def check(self) -> None:
        """Raise BadFrame for the first frame with a number or text no database can hold."""
        bad = {
            number: problem
            for number, key in enumerate(self._keys)
            if (problem := _key_problem(key))
        }
        found: list[tuple[int, str]] = []
        for rows, ends in zip((self.quotes, self.trades), self._ends(), strict=True):
            hits = np.flatnonzero(np.isin(rows[:, 0], list(bad)))[:1].tolist()
            found += [(_frame_of(at, ends), bad[int(rows[at, 0])]) for at in hits]
        for at, text in enumerate(self.trade_ids):
            if "\x00" in text:
                found.append((_frame_of(at, self._ends()[1]), "a trade's id holds a NUL character"))
                break
        for (frame, _), event in zip(self._funding, self.funding(), strict=True):
            wide = [name for name in event.__struct_fields__ if _wide(getattr(event, name))]
            key = _key_problem((event.venue, event.symbol, event.digits))
            if wide or key:
                found.append((frame, key or f"{wide[0]} of {event.symbol} is beyond 64 bits"))
                break
        if found:
            at, problem = min(found)
            raise BadFrame(problem, at)


def _frame_of(row: int, ends: Ints) -> int:
    return int(np.searchsorted(ends, row, side="right"))


def _wide(value: object) -> bool:
    return type(value) is int and value not in I64


def _key_problem(key: Key) -> str:
    venue, symbol, digits = key
    if "\x00" in venue or "\x00" in symbol:
        return "the name of a venue or symbol holds a NUL character"
    return "" if digits in I16 else f"{symbol[:40]} has {digits} price digits"
