"""A recording: the quotes of one symbol from one source, checked when opened, then streamed.

Opening reads every file once: damage shows before a replay begins, the number of price digits is
the one that holds every price exactly, and rows no engine would take are counted. Streaming reads
again and leaves those rows out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from tradeloom.marketdata.limits import CHUNK_ROWS, PRICE_DIGITS_MAX
from tradeloom.marketdata.quotes import Int64Array, QuoteRows, quote_rows
from tradeloom.marketdata.recordings.decimals import places_needed, rescale
from tradeloom.marketdata.recordings.errors import RecordingError
from tradeloom.marketdata.recordings.formats import Format, RawRows

_BEFORE_ALL_TIME: Final = -1


@dataclass(frozen=True, slots=True)
class Faults:
    """Rows left out of the stream, by reason; each row counts once, for the first that holds."""

    zero: int = 0  # a bid or ask of 0
    crossed: int = 0  # bid above ask; bid = ask is a locked market and stays
    backwards: int = 0  # earlier than a usable row before it

    @property
    def total(self) -> int:
        """Return the number of rows left out."""
        return self.zero + self.crossed + self.backwards

    def __add__(self, other: Faults) -> Faults:
        return Faults(
            self.zero + other.zero,
            self.crossed + other.crossed,
            self.backwards + other.backwards,
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """The quotes of one symbol from one source, in one file or several that follow each other.

    `rows` counts usable quotes, `faults` the others. `first_ns` and `last_ns` are UTC nanoseconds
    of the first and last usable quote; prices are integers with `price_digits` decimals.
    """

    source: str
    symbol: str
    price_digits: int
    rows: int
    faults: Faults
    first_ns: int
    last_ns: int
    files: tuple[Format, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return the files in the order they are streamed."""
        return tuple(file.path for file in self.files)

    def chunks(self, rows_max: int = CHUNK_ROWS) -> Iterator[QuoteRows]:
        """Yield the usable quotes in time order as arrays of dtype `QUOTE`, none empty.

        Raises RecordingError when a file was damaged since it was opened.
        """
        for file in self.files:
            sieve = _Sieve()
            for raw in file.rows():
                kept = sieve.usable(raw)
                bid, bid_exact = rescale(raw.bid, self.price_digits)
                ask, ask_exact = rescale(raw.ask, self.price_digits)
                if not (bid_exact & ask_exact).all():
                    problem = f"a price does not fit {self.price_digits} digits in 62 bits"
                    raise RecordingError(file.path, problem, "open the recording again")
                rows = quote_rows(raw.ts_ns[kept], bid[kept], ask[kept])
                for start in range(0, len(rows), rows_max):
                    yield rows[start : start + rows_max]


def survey(file: Format) -> Recording:
    """Read one file through and describe it.

    Raises RecordingError when it is damaged, finer than 12 digits, or has no usable quote.
    """
    sieve = _Sieve()
    digits = rows = 0
    first_ns = last_ns = _BEFORE_ALL_TIME
    for raw in file.rows():
        digits = places_needed(raw.ask, places_needed(raw.bid, digits))
        kept = sieve.usable(raw)
        if len(kept):
            first_ns = int(raw.ts_ns[kept[0]]) if first_ns == _BEFORE_ALL_TIME else first_ns
            last_ns = int(raw.ts_ns[kept[-1]])
            rows += len(kept)
    if digits > PRICE_DIGITS_MAX:
        problem = f"prices with {digits} decimals, more than {PRICE_DIGITS_MAX}"
        raise RecordingError(file.path, problem, "round them to the instrument's tick first")
    if not rows:
        problem = f"no usable quote ({sieve.faults})"
        raise RecordingError(file.path, problem, "check that the columns are time, bid, ask")
    return Recording(
        file.source, file.symbol, digits, rows, sieve.faults, first_ns, last_ns, (file,)
    )


def join(parts: Sequence[Recording]) -> Recording:
    """Join recordings of one symbol and source into one, in time order.

    Raises RecordingError when two of them overlap in time.
    """
    ordered = sorted(parts, key=lambda part: (part.first_ns, part.last_ns))
    for before, after in pairwise(ordered):
        if after.first_ns < before.last_ns:
            problem = f"starts before {before.paths[-1]} ends, for the same symbol and source"
            raise RecordingError(after.paths[0], problem, "leave one of the two out")
    return Recording(
        source=ordered[0].source,
        symbol=ordered[0].symbol,
        price_digits=max(part.price_digits for part in ordered),
        rows=sum(part.rows for part in ordered),
        faults=sum((part.faults for part in ordered), Faults()),
        first_ns=ordered[0].first_ns,
        last_ns=ordered[-1].last_ns,
        files=tuple(file for part in ordered for file in part.files),
    )


class _Sieve:
    """Tells usable rows from faulty ones and counts the latter, block after block of one file."""

    def __init__(self) -> None:
        self.faults = Faults()
        self._latest_ns = _BEFORE_ALL_TIME

    def usable(self, raw: RawRows) -> Int64Array:
        """Return the indices of usable rows."""
        zero = (raw.bid.value == 0) | (raw.ask.value == 0)
        crossed = _crossed(raw) & ~zero
        good = np.flatnonzero(~(zero | crossed))
        ts_ns = raw.ts_ns[good]
        latest = np.maximum.accumulate(np.concatenate(([self._latest_ns], ts_ns)))
        forward = ts_ns >= latest[:-1]
        self._latest_ns = int(latest[-1])
        backwards = len(good) - int(forward.sum())
        self.faults += Faults(int(zero.sum()), int(crossed.sum()), backwards)
        return good[forward].astype(np.int64, copy=False)


def _crossed(raw: RawRows) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Say where bid > ask, comparing exactly at the finer number of decimals of the block."""
    places = int(max(raw.bid.places.max(initial=0), raw.ask.places.max(initial=0)))
    bid, _ = rescale(raw.bid, places)
    ask, _ = rescale(raw.ask, places)
    return np.asarray(bid > ask, np.bool_)
