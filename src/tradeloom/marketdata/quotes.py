"""The two shapes in which quotes travel as arrays: rows of one instrument, and chunks of many.

Prices are integer mantissas (value = mantissa / 10**price_digits of the instrument), times are UTC
nanoseconds. Both shapes are sorted by time; equal times keep the order in which they were given.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]
UInt32Array = npt.NDArray[np.uint32]
QuoteRows = npt.NDArray[np.void]

# One quote of one instrument.
QUOTE: Final[np.dtype[Any]] = np.dtype([("ts_ns", "<i8"), ("bid", "<i8"), ("ask", "<i8")])


class Chunk(NamedTuple):
    """Quotes of many instruments in time order: four arrays of the same length."""

    ts_ns: Int64Array
    instrument: UInt32Array
    bid: Int64Array
    ask: Int64Array


def quote_rows(ts_ns: Int64Array, bid: Int64Array, ask: Int64Array) -> QuoteRows:
    """Pack three columns of equal length into one array of dtype `QUOTE`."""
    rows = np.empty(len(ts_ns), QUOTE)
    rows["ts_ns"] = ts_ns
    rows["bid"] = bid
    rows["ask"] = ask
    return rows
