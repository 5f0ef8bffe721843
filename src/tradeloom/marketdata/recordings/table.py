"""Plain CSV quotes: a header `ts,bid,ask`, then one quote a line; also gzipped or zipped.

The time column is an unsigned count since 1970 in UTC: `ts_ns`, `ts_us`, `ts_ms` or `ts_s`, or
`ts` (also `time`, `timestamp`), whose unit is told from the size of the first one. The symbol is
the first word of the file's name: `EURUSD_2024.csv` holds EURUSD.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from tradeloom.marketdata.limits import TIMESTAMP_NS_MAX
from tradeloom.marketdata.recordings.decimals import BadLineError, parse_columns, rescale
from tradeloom.marketdata.recordings.errors import RecordingError
from tradeloom.marketdata.recordings.files import Block, beginning, read_blocks
from tradeloom.marketdata.recordings.formats import RawRows

_HEADER: Final = re.compile(
    r"\ufeff?\s*\"?(ts|time|timestamp|ts_ns|ts_us|ts_ms|ts_s)\"?\s*,\s*\"?bid\"?\s*,\s*\"?ask\"?\s*",
    re.IGNORECASE,
)
_SYMBOL: Final = re.compile(r"[A-Za-z0-9]+")
# Decimal places that turn a count in this unit into nanoseconds.
_PLACES: Final = {"ts_ns": 0, "ts_us": 3, "ts_ms": 6, "ts_s": 9}
# Whole digits of a present-day count in each unit: 1.7e9 s up to 1.7e18 ns.
_UNIT_OF_DIGITS: Final = {10: "ts_s", 13: "ts_ms", 16: "ts_us", 19: "ts_ns"}
_ADVICE: Final = (
    "expected ts,bid,ask with ts a whole UTC count (name it ts_ns, ts_us, ts_ms or ts_s)"
)


class QuoteTable:
    """A CSV file of quotes with a header."""

    name = "csv"
    source = "csv"

    def __init__(self, path: Path, symbol: str, time_column: str) -> None:
        self.path = path
        self.symbol = symbol
        self._time_column = time_column

    @classmethod
    def recognise(cls, path: Path) -> QuoteTable | None:
        """Return the file as this format, or None when its first line is not the header."""
        if not {".csv", ".txt"} & {suffix.lower() for suffix in path.suffixes}:
            return None
        header = _HEADER.fullmatch(beginning(path).partition(b"\n")[0].decode("utf-8", "replace"))
        symbol = _SYMBOL.match(path.name)
        if header is None or symbol is None:
            return None
        return cls(path, symbol[0].upper(), header[1].lower())

    def rows(self) -> Iterator[RawRows]:
        """Yield the file's quotes in its own order. Raises RecordingError for a damaged file."""
        blocks = read_blocks(self.path)
        first = next(blocks)
        header, _, body = first.text.partition(b"\n")
        rest = [Block(2, body)] if body else []
        places = None
        for block in chain(rest, blocks):
            if places is None:
                places = _PLACES[self._unit(block)]
            try:
                stamp, bid, ask = parse_columns(block.text, 3)
            except BadLineError as bad:
                line = block.line + bad.row
                raise RecordingError(self.path, bad.problem, _ADVICE, line) from bad
            ts_ns, exact = rescale(stamp, places)
            exact &= ts_ns <= TIMESTAMP_NS_MAX
            if not exact.all():
                line = block.line + int(exact.argmin())
                raise RecordingError(self.path, "a time no nanosecond can name", _ADVICE, line)
            yield RawRows(ts_ns, bid, ask)
        if places is None:
            advice = "record it again or leave it out"
            raise RecordingError(self.path, f"nothing after the header {header!r}", advice)

    def _unit(self, block: Block) -> str:
        if self._time_column in _PLACES:
            return self._time_column
        written = block.text.split(b",", 1)[0].split(b".", 1)[0]
        unit = _UNIT_OF_DIGITS.get(len(written))
        if unit is None:
            shown = written[:40].decode("ascii", "replace")
            raise RecordingError(self.path, f"unknown unit of time {shown!r}", _ADVICE, block.line)
        return unit
