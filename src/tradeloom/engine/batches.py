"""Whole batches of inputs from numpy arrays, for feeding the core thousands of records at once.

Every function takes columns of equal length (or one number for all rows) in the core's integers:
prices in points of the instrument, volumes in 1e-8 lot, times in UTC ns. Floats are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tradeloom.domain.enums import OrderType, ReturnCode, TimeInForce
from tradeloom.domain.errors import BadNumber, explain
from tradeloom.engine.records import INPUTS, input_dtype

Batch = NDArray[np.void]
NO_DEVIATION: Final = -1


@cache
def _dtype(name: str) -> np.dtype[np.void]:
    return input_dtype(name)


def rows(name: str, count: int) -> Batch:
    """`count` input records `name` (as in `core/src/wire.rs`), zero but for length and kind.

    Fill the columns by name (`batch["volume"][:] = …`; an i128 has `_lo` and `_hi`), then pass
    `batch.tobytes()` to the core.
    """
    dtype = _dtype(name)
    batch: Batch = np.zeros(count, dtype)
    batch["len"] = dtype.itemsize
    batch["kind"] = INPUTS[name].kind
    return batch


def fill(name: str, columns: Mapping[str, ArrayLike]) -> Batch:
    """Input records of `name` with the given columns; raises `BadNumber` for what is no integer."""
    arrays: dict[str, NDArray[Any]] = {
        column: _integers(column, value) for column, value in columns.items()
    }
    batch = rows(name, max((array.size for array in arrays.values()), default=0))
    for column, array in arrays.items():
        batch[column] = array
    return batch


def quotes_batch(ts: ArrayLike, instrument: ArrayLike, bid: ArrayLike, ask: ArrayLike) -> bytes:
    """QUOTE records; `instrument` is the index or indices of the symbols."""
    return fill("Quote", {"ts": ts, "instrument": instrument, "bid": bid, "ask": ask}).tobytes()


def orders_batch(
    ts: ArrayLike,
    account: ArrayLike,
    instrument: ArrayLike,
    side: ArrayLike,
    volume: ArrayLike,
    **columns: ArrayLike,
) -> bytes:
    """PLACE_ORDER records: market orders unless `type_`, `price`, … are among `columns`."""
    given: dict[str, ArrayLike] = {
        "ts": ts,
        "account": account,
        "instrument": instrument,
        "side": side,
        "volume": volume,
        "type_": int(OrderType.MARKET),
        "tif": int(TimeInForce.GTC),
        "max_deviation": NO_DEVIATION,
    }
    return fill("PlaceOrder", given | columns).tobytes()


def closes_batch(
    ts: ArrayLike, account: ArrayLike, position: ArrayLike, volume: ArrayLike = 0
) -> bytes:
    """CLOSE_POSITION records; volume 0 closes all of a position."""
    return fill(
        "ClosePosition",
        {
            "ts": ts,
            "account": account,
            "position": position,
            "volume": volume,
            "max_deviation": NO_DEVIATION,
        },
    ).tobytes()


def _integers(column: str, value: ArrayLike) -> NDArray[Any]:
    array = np.asarray(value)
    if array.dtype.kind in "iuS":
        return array
    code = ReturnCode.ERR_PARAMS
    raise BadNumber(
        code, column, explain(code, column, f"{array.dtype} values are not exact; pass integers")
    )
