"""CSV of quotes, trades or one-minute bars in the many ways people write them.

Told from the first lines: delimiter, header, unit or form of the time, decimal comma. What cannot
be told is asked for. Times without a zone are UTC unless `--timezone` names another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from tradeloom.marketdata.calendar import Opening
from tradeloom.marketdata.history.formats.clock import Clock, ClockError
from tradeloom.marketdata.history.formats.format import Options, Piece, zone_of
from tradeloom.marketdata.history.formats.lines import Lines
from tradeloom.marketdata.history.kinds import Kind, Stream
from tradeloom.marketdata.history.limits import SNIFF_LINES
from tradeloom.marketdata.history.numbers import BadNumberError, decimals, mantissas, volumes
from tradeloom.marketdata.quotes import Int64Array
from tradeloom.marketdata.recordings.decimals import Decimals
from tradeloom.marketdata.recordings.errors import RecordingError
from tradeloom.marketdata.recordings.files import Block, read_blocks

# Our name of a column -> how others call it, lower case without blanks, points and brackets.
_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "ts_ns": (), "ts_us": (), "ts_ms": (), "ts_s": (),
    "ts": ("time", "timestamp", "datetime", "gmttime", "opentime", "localtime", "unixtime"),
    "date": ("day", "dtyyyymmdd"),
    "clock": ("timeofday",),
    "bid": ("bidprice", "bestbid"), "ask": ("askprice", "bestask", "offer"),
    "bid_size": ("bidvolume", "bidsize", "bidqty", "bidvol"),
    "ask_size": ("askvolume", "asksize", "askqty", "askvol"),
    "price": ("last", "tradeprice"),
    "volume": ("vol", "size", "qty", "quantity", "amount", "tickvol", "tickvolume"),
    "side": ("direction", "takerside"), "trade_id": ("id", "tid", "tradeid"),
    "open": ("o",), "high": ("h",), "low": ("l",), "close": ("c",),
}  # fmt: skip
_NAMES: Final = {
    alias: name for name, others in _ALIASES.items() for alias in (name.replace("_", ""), *others)
}
_DELIMITERS: Final = ("\t", ";", "|", ",")
_SYMBOL: Final = re.compile(r"[A-Za-z0-9]+")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
_BOM: Final = b"\xef\xbb\xbf"
_BUY: Final = ("buy", "b", "1", "bid", "true")
_SELL: Final = ("sell", "s", "-1", "ask", "false")
_BAR: Final = ("open", "high", "low", "close")
_KNOWN: Final = ", ".join(_ALIASES)


class TableSource:
    """One CSV file."""

    format = "csv"

    def __init__(self, path: Path, text: bytes, options: Options) -> None:
        """Tell the dialect. Raises RecordingError when it cannot be told."""
        self.path = path
        self.opening = options.opening or Opening.ALWAYS
        self.done = 0
        self.ignored: Counter[str] = Counter()
        lines = text.decode("utf-8-sig", "replace").splitlines()[:SNIFF_LINES]
        self._separator = _delimiter(path, lines, options.delimiter)
        first = [_plain(field) for field in lines[0].split(self._separator)]
        named = [_NAMES.get(field, "") for field in first]
        self._has_header = sum(map(bool, named)) >= 2 or not _has_number(lines[0], self._separator)
        self._columns = self._named(options, lines[0].split(self._separator), named)
        self._kind = self._told_kind()
        rows = [line.split(self._separator) for line in lines[self._has_header :] if line.strip()]
        prices = [self._columns.index(name) for name in self._prices]
        self._decimal_comma = self._separator != "," and any(
            _COMMA.fullmatch(row[at].strip().strip('"'))
            for row in rows
            for at in prices
            if at < len(row)
        )
        self._clock = Clock(self._columns, zone_of(path, options))
        symbol = options.symbol or (found[0] if (found := _SYMBOL.match(path.name)) else "")
        if not symbol:
            raise RecordingError(path, "no symbol in the file's name", "give --symbol")
        self._stream = Stream(options.venue or "csv", symbol.upper(), self._kind)
        self.identity = "|".join(
            ("csv", str(self._stream), str(options.timezone), *self._columns, self._separator)
        )

    @property
    def _prices(self) -> tuple[str, ...]:
        if self._kind is Kind.QUOTES:
            return ("bid", "ask")
        return ("price",) if self._kind is Kind.TRADES else _BAR

    def pieces(self) -> Iterator[Piece]:
        """Yield the rows. Raises RecordingError for a damaged file, with line and column."""
        blocks = read_blocks(self.path)
        first = next(blocks)
        if self._has_header:
            header, _, body = first.text.partition(b"\n")
            self.done += len(header) + 1
            first = Block(2, body)
        else:
            first = Block(1, first.text.removeprefix(_BOM))
        any_rows = False
        for block in chain([first], blocks):
            text = block.text.rstrip(b"\n \r") + b"\n"
            if text.strip():
                any_rows = True
                yield self._piece(
                    Lines(self.path, Block(block.line, text), self._columns, self._separator)
                )
            self.done += len(block.text)
        if not any_rows:
            raise RecordingError(self.path, "no rows after the header", "leave the file out")

    def _piece(self, lines: Lines) -> Piece:
        try:
            ts_ns = self._clock.times({name: lines.text(name) for name in self._clock.columns})
        except ClockError as error:
            raise lines.error(error.row, error.column, error.problem) from error
        zero = np.zeros_like(ts_ns)
        digits, prices = self._scaled(lines)
        priced = dict(zip(self._prices, prices, strict=True))
        if self._kind is Kind.QUOTES:
            sizes = {name: self._volume(lines, name) for name in ("bid_size", "ask_size")}
            frame = pl.DataFrame({"ts_ns": ts_ns, "venue_ns": zero, **priced, **sizes})
        elif self._kind is Kind.BARS_1M:
            volume = self._volume(lines, "volume")
            basis = pl.Series("basis", ["trade"]).new_from_index(0, len(ts_ns))
            frame = pl.DataFrame({"ts_ns": ts_ns, "basis": basis, **priced, "volume": volume})
        else:
            named = "trade_id" in self._columns
            ids = lines.text("trade_id") if named else pl.Series([""]).new_from_index(0, len(ts_ns))
            volume = self._volume(lines, "volume")
            traded = {"volume": volume, "side": self._sides(lines, len(ts_ns)), "trade_id": ids}
            frame = pl.DataFrame({"ts_ns": ts_ns, "venue_ns": zero, **priced, **traded})
        unnamed = self._kind is Kind.TRADES and "trade_id" not in self._columns
        return Piece(self._stream, digits, frame, lines.first_line, unnamed)

    def _scaled(self, lines: Lines) -> tuple[int, list[Int64Array]]:
        columns = [self._number(lines, name) for name in self._prices]
        try:
            return mantissas(columns)
        except BadNumberError as bad:
            raise lines.error(bad.row, self._prices[0], bad.problem) from bad

    def _number(self, lines: Lines, name: str) -> Decimals:
        text = lines.text(name)
        if self._decimal_comma:
            text = text.str.replace(",", ".", literal=True)
        try:
            return decimals(text)
        except BadNumberError as bad:
            raise lines.error(bad.row, name, bad.problem) from bad

    def _volume(self, lines: Lines, name: str) -> Int64Array:
        if name not in self._columns:
            return np.zeros(lines.frame.height, np.int64)
        try:
            return volumes(self._number(lines, name))
        except BadNumberError as bad:
            raise lines.error(bad.row, name, bad.problem) from bad

    def _sides(self, lines: Lines, rows: int) -> pl.Series:
        if "side" not in self._columns:
            return pl.Series("side", np.zeros(rows, np.int8))
        text = lines.text("side").str.to_lowercase()
        buy, sell = text.is_in(_BUY), text.is_in(_SELL)
        odd = ~(buy | sell | text.is_in(["", "0"]))
        if odd.any():
            row = int(odd.arg_max() or 0)
            raise lines.error(row, "side", f"{text[row][:40]!r} is neither buy nor sell")
        return buy.cast(pl.Int8) - sell.cast(pl.Int8)

    def _named(self, options: Options, first: list[str], named: list[str]) -> list[str]:
        if options.columns:
            if len(options.columns) != len(first):
                problem = f"{len(first)} fields, but --columns names {len(options.columns)}"
                raise RecordingError(
                    self.path, problem, "name every column, `-` to pass one over", 1
                )
            for name in options.columns:
                if name not in _ALIASES and name != "-":
                    advice = f"known: {_KNOWN}, or - to pass one over"
                    raise RecordingError(self.path, f"unknown column {name!r}", advice)
            named = ["" if name == "-" else name for name in options.columns]
        elif not self._has_header:
            problem = f"no header in line 1 ({self._separator.join(first)[:60]!r})"
            raise RecordingError(self.path, problem, f"give --columns, of {_KNOWN}", 1)
        # MetaTrader writes the date and the time of day in two columns, the latter as "time".
        if "date" in named and "ts" in named:
            named[named.index("ts")] = "clock"
        twice = [name for name, count in Counter(filter(None, named)).items() if count > 1]
        if twice:
            advice = "give --columns"
            raise RecordingError(self.path, f"two columns mean {twice[0]!r}", advice, 1)
        return [name or f"-{at}" for at, name in enumerate(named)]

    def _told_kind(self) -> Kind:
        columns = set(self._columns)
        if {"bid", "ask"} <= columns:
            return Kind.QUOTES
        if set(_BAR) <= columns:
            return Kind.BARS_1M
        if "price" in columns:
            return Kind.TRADES
        shown = ", ".join(name for name in self._columns if name[0] != "-") or "none known"
        problem = f"neither quotes (bid, ask), trades (price) nor bars (open…close): {shown}"
        raise RecordingError(self.path, problem, f"give --columns, of {_KNOWN}", 1)


def recognise(path: Path, text: bytes, options: Options) -> TableSource | None:
    """Return the file as CSV, or None when it does not look like it."""
    by_name = {".csv", ".txt", ".tsv"} & {suffix.lower() for suffix in path.suffixes}
    if options.format != "csv" and not by_name:
        return None
    return TableSource(path, text, options)


def _delimiter(path: Path, lines: list[str], given: str | None) -> str:
    if given is not None:
        given = {"\\t": "\t", "tab": "\t"}.get(given, given)
        if len(given) != 1:
            raise RecordingError(path, f"delimiter {given!r}", "give one character, or tab")
        return given
    for delimiter in _DELIMITERS:
        # A time like "2014.05.01 00:00" or a decimal comma must not be cut.
        counts = {line.count(delimiter) for line in lines if line.strip()}
        if len(counts) == 1 and min(counts) >= 1:
            return delimiter
    for delimiter in _DELIMITERS:
        if lines[0].count(delimiter) >= 1:
            # Uneven lines: the rows are read, and the first uneven one is named.
            return delimiter
    raise RecordingError(path, "one column only", "give --delimiter and --columns", 1)


def _plain(field: str) -> str:
    return re.sub(r"[^a-z0-9]", "", field.lower())


def _has_number(line: str, separator: str) -> bool:
    return any(_NUMBER.fullmatch(field.strip().strip('"')) for field in line.split(separator))
