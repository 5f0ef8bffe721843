"""Lean files: `<market>/<broker>/<tick|minute>/<symbol>/<yyyymmdd>_<quote|trade>.zip`.

Lines start with milliseconds since midnight of the file's date, in the clock of the source: OANDA
and the coin venues UTC, FXCM Eastern Standard Time all year (UTC-5, found by the lag at which both
brokers' prices agree), US equity New York time. Equity prices are ten-thousandths of a dollar.

Ticks: `ms,bid,ask` (forex, cfd); `ms,price,volume,exchange,condition,suspicious` and
`ms,bid,size,ask,size,exchange,condition,suspicious` (equity; one side of one exchange a line).
Minutes: `ms,o,h,l,c,volume`; quotes `ms,o,h,l,c,size` of the bid, then the same of the ask.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from tradeloom.marketdata.calendar import Opening
from tradeloom.marketdata.history.formats.format import Options, Piece, zone_of
from tradeloom.marketdata.history.formats.lines import Lines
from tradeloom.marketdata.history.formats.national import NationalBest
from tradeloom.marketdata.history.kinds import DIGITS, Kind, Stream
from tradeloom.marketdata.history.numbers import BadNumberError, mantissas, volumes
from tradeloom.marketdata.history.parts import rescaled
from tradeloom.marketdata.quotes import Int64Array
from tradeloom.marketdata.recordings.decimals import Decimals, rescale
from tradeloom.marketdata.recordings.errors import RecordingError
from tradeloom.marketdata.recordings.files import read_blocks

_FILE: Final = re.compile(
    r"(?P<market>forex|cfd|equity|crypto|cryptofuture)/(?P<broker>[a-z]+)/(?P<step>[a-z]+)"
    r"/(?P<symbol>[a-z0-9]+)/(?P<date>\d{8})_(?P<what>quote|trade)\.zip$"
)
_EST: Final = timezone(timedelta(hours=-5))
_ZONES: Final[dict[tuple[str, str], tzinfo]] = {
    ("forex", "fxcm"): _EST,
    ("cfd", "fxcm"): _EST,
    ("forex", "oanda"): UTC,
    ("cfd", "oanda"): UTC,
    ("equity", "usa"): ZoneInfo("America/New_York"),
}
_OPENING: Final = {
    "forex": Opening.WEEKDAYS,
    "cfd": Opening.WEEKDAYS,
    "equity": Opening.EXCHANGE,
    "crypto": Opening.ALWAYS,
    "cryptofuture": Opening.ALWAYS,
}
_BAR: Final = ("open", "high", "low", "close")
_QUOTE_BAR: Final = (
    "ms", *(f"bid_{each}" for each in (*_BAR, "size")), *(f"ask_{each}" for each in (*_BAR, "size"))
)  # fmt: skip
_COLUMNS: Final = {
    ("fx", "tick", "quote"): ("ms", "bid", "ask"),
    ("equity", "tick", "quote"): (
        "ms", "bid", "bid_size", "ask", "ask_size", "exchange", "condition", "suspicious",
    ),
    ("equity", "tick", "trade"): ("ms", "price", "volume", "exchange", "condition", "suspicious"),
    ("", "minute", "quote"): _QUOTE_BAR,
    ("", "minute", "trade"): ("ms", *_BAR, "volume"),
}  # fmt: skip
_EQUITY_DIGITS: Final = 4
_MS_PLACES: Final = 6


class LeanSource:
    """One Lean file."""

    format = "lean"

    def __init__(
        self,
        path: Path,
        midnight_ns: int,
        columns: tuple[str, ...],
        *,
        market: str,
        venue: str,
        symbol: str,
        opening: Opening,
    ) -> None:
        self.path = path
        self.opening = opening
        self.identity = f"lean|{market}|{venue}|{symbol}|{midnight_ns}|{columns}"
        self.done = 0
        self.ignored: Counter[str] = Counter()
        self._midnight_ns = midnight_ns
        self._columns = columns
        self._equity = market == "equity"
        self._venue = venue
        self._symbol = symbol
        self._best = NationalBest()

    def pieces(self) -> Iterator[Piece]:
        """Yield the rows. Raises RecordingError for a damaged file, with the line."""
        for block in read_blocks(self.path):
            lines = Lines(self.path, block, self._columns)
            try:
                yield from self._pieces(lines)
            except BadNumberError as bad:
                raise lines.error(bad.row, self._columns[1], bad.problem) from bad
            self.done += len(block.text)

    def _pieces(self, lines: Lines) -> Iterator[Piece]:
        ts_ns = self._times(lines)
        if self._columns == _COLUMNS["", "minute", "quote"]:
            sides = [
                piece
                for basis in ("bid", "ask")
                for piece in self._bars(lines, ts_ns, basis, f"{basis}_", "size")
            ]
            yield from _side_by_side(sides)
        elif self._columns == _COLUMNS["", "minute", "trade"]:
            yield from self._bars(lines, ts_ns, "trade", "", "volume")
        elif self._columns == _COLUMNS["fx", "tick", "quote"]:
            digits, (bid, ask) = mantissas([lines.number("bid"), lines.number("ask")])
            zero = np.zeros_like(ts_ns)
            columns = {"ts_ns": ts_ns, "venue_ns": zero, "bid": bid, "ask": ask}
            frame = pl.DataFrame({**columns, "bid_size": zero, "ask_size": zero})
            yield Piece(self._stream(Kind.QUOTES), digits, frame, lines.first_line)
        else:
            sound = lines.text("suspicious") != "1"
            self.ignored["suspicious"] += int((~sound).sum())
            if "price" in self._columns:
                yield self._trades(lines, ts_ns, sound)
            else:
                yield self._national(lines, ts_ns, sound)

    def _trades(self, lines: Lines, ts_ns: Int64Array, sound: pl.Series) -> Piece:
        digits, (price,) = self._prices([lines.number("price")])
        frame = pl.DataFrame(
            {
                "ts_ns": ts_ns,
                "venue_ns": np.zeros_like(ts_ns),
                "price": price,
                "volume": volumes(lines.number("volume")),
                "side": np.zeros(len(ts_ns), np.int8),
                "trade_id": lines.text("exchange"),
            }
        )
        return Piece(self._stream(Kind.TRADES), digits, frame.filter(sound), unnamed=True)

    def _national(self, lines: Lines, ts_ns: Int64Array, sound: pl.Series) -> Piece:
        digits, (bid, ask) = self._prices([lines.number("bid"), lines.number("ask")])
        sizes = volumes(lines.number("bid_size")), volumes(lines.number("ask_size"))
        updates = pl.DataFrame(
            {
                "ts_ns": ts_ns,
                "bid": bid,
                "bid_size": sizes[0],
                "ask": ask,
                "ask_size": sizes[1],
            }
        )
        frame = self._best.quotes(updates.filter(sound))
        return Piece(self._stream(Kind.QUOTES), digits, frame)

    def _bars(
        self, lines: Lines, ts_ns: Int64Array, basis: str, prefix: str, volume: str
    ) -> Iterator[Piece]:
        # A side that had no quotes in that minute is written as nothing at all.
        there = lines.text(f"{prefix}open") != ""
        if not there.any():
            return
        if not there.all():
            lines = lines.only(there)
            ts_ns = ts_ns[there.to_numpy()]
        digits, prices = self._prices([lines.number(f"{prefix}{each}") for each in _BAR])
        frame = pl.DataFrame(
            {
                "ts_ns": ts_ns,
                "basis": [basis] * len(ts_ns),
                **dict(zip(_BAR, prices, strict=True)),
                "volume": volumes(lines.number(f"{prefix}{volume}")),
            }
        )
        yield Piece(self._stream(Kind.BARS_1M), digits, frame, lines.first_line)

    def _prices(self, columns: list[Decimals]) -> tuple[int, list[Int64Array]]:
        if self._equity:
            # All of a file the same digits: exchanges' prices are compared across blocks.
            columns = [Decimals(each.value, each.places + _EQUITY_DIGITS) for each in columns]
        return mantissas(columns, _EQUITY_DIGITS if self._equity else 0)

    def _times(self, lines: Lines) -> Int64Array:
        since_midnight, exact = rescale(lines.number("ms"), _MS_PLACES)
        inside = exact & (since_midnight >= 0) & (since_midnight < 86_400_000_000_000)
        if not inside.all():
            problem = "the time of day is finer than a nanosecond or not within a day"
            raise lines.error(int(inside.argmin()), "ms", problem)
        return since_midnight + self._midnight_ns

    def _stream(self, kind: Kind) -> Stream:
        return Stream(self._venue, self._symbol, kind)


def _side_by_side(sides: list[Piece]) -> list[Piece]:
    """Join the bars of both sides of a block in time order."""
    if len(sides) < 2:
        return sides
    stream, digits = sides[0].stream, max(piece.digits for piece in sides)
    scaled = [
        rescaled(
            stream.kind,
            piece.frame.with_columns(pl.lit(piece.digits, pl.UInt8).alias(DIGITS)),
            digits,
        ).drop(DIGITS)
        for piece in sides
    ]
    return [Piece(stream, digits, pl.concat(scaled).sort("ts_ns", maintain_order=True))]


def recognise(path: Path, _text: bytes, options: Options) -> LeanSource | None:
    """Return the file as Lean's, or None. Raises RecordingError for what cannot be read right."""
    found = _FILE.search(path.as_posix().lower())
    if found is None:
        return None
    market, broker, step, symbol, day, what = found.groups()
    family = {"forex": "fx", "cfd": "fx", "equity": "equity"}.get(market, "")
    columns = _COLUMNS.get(("" if step == "minute" else family, step, what))
    if columns is None:
        problem = f"Lean {market} files of {step} {what}s cannot be imported"
        raise RecordingError(path, problem, "give tick or minute files")
    zone = _ZONES.get((market, broker)) if family else UTC
    zone = zone_of(path, options) or zone
    if zone is None:
        problem = f"the clock zone of broker {broker!r} is not known"
        raise RecordingError(path, problem, "give --timezone")
    try:
        # Lean counts from midnight by the wall clock; no market here is open while clocks change.
        midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=zone)
    except ValueError as error:
        problem = f"{day} in the file's name is not a date"
        raise RecordingError(path, problem, "name it <yyyymmdd>_quote.zip") from error
    venue = {"cryptofuture": f"{broker}-futures"}.get(market, broker)
    return LeanSource(
        path,
        int(midnight.timestamp()) * 1_000_000_000,
        columns,
        market=market,
        venue=options.venue or venue,
        symbol=options.symbol or symbol.upper(),
        opening=options.opening or _OPENING[market],
    )
