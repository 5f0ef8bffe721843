"""Columns of text as exact integers, with polars; signs and exponents are understood, floats not
used.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

import numpy as np
import polars as pl

from tradeloom.marketdata.history.kinds import VOLUME_DIGITS
from tradeloom.marketdata.limits import MANTISSA_MAX, PRICE_DIGITS_MAX
from tradeloom.marketdata.quotes import Int64Array
from tradeloom.marketdata.recordings.decimals import Decimals, places_needed, rescale

_PLAIN: Final = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$"


class BadNumberError(Exception):
    """A text that is no number; `row` counts from 0."""

    def __init__(self, row: int, problem: str) -> None:
        self.row = row
        self.problem = problem
        super().__init__(problem)


def decimals(text: pl.Series) -> Decimals:
    """Parse a column. Raises BadNumberError for what is no number or needs more than 62 bits."""
    odd = (~text.str.contains(_PLAIN)).fill_null(value=True)
    if odd.any():
        text = _written_out(text, odd)
    parsed = pl.select(
        value=text.str.replace(".", "", literal=True).cast(pl.Int64, strict=False),
        places=(text.str.len_bytes() - 1 - text.str.find(".", literal=True)).fill_null(0),
    )
    unfit = parsed["value"].is_null() | (parsed["value"].abs() > MANTISSA_MAX)
    if unfit.any():
        row = int(unfit.arg_max() or 0)
        raise BadNumberError(row, f"{text[row][:40]!r} has more digits than fit 62 bits")
    return Decimals(
        parsed["value"].to_numpy().astype(np.int64), parsed["places"].to_numpy().astype(np.int64)
    )


def mantissas(columns: Sequence[Decimals], at_least: int = 0) -> tuple[int, list[Int64Array]]:
    """Express columns of prices as integers with as few common digits as hold all exactly.

    Raises BadNumberError when that takes more than 12 digits or 62 bits.
    """
    digits = at_least
    for column in columns:
        digits = places_needed(column, digits)
    if digits > PRICE_DIGITS_MAX:
        problem = f"prices with {digits} decimals, more than {PRICE_DIGITS_MAX}"
        raise BadNumberError(0, problem)
    found = []
    for column in columns:
        # The size limits are those of positive numbers.
        sign = np.sign(column.value)
        value, exact = rescale(Decimals(np.abs(column.value), column.places), digits)
        if not exact.all():
            row = int(exact.argmin())
            raise BadNumberError(row, f"a price does not fit {digits} digits in 62 bits")
        found.append(value * sign)
    return digits, found


def volumes(column: Decimals) -> Int64Array:
    """Express volumes with 8 decimals; what is finer is rounded half up.

    Raises BadNumberError when one does not fit 62 bits.
    """
    excess = np.maximum(column.places - VOLUME_DIGITS, 0)
    power = np.power(10, np.minimum(excess, 18), dtype=np.int64)
    rounded = (np.abs(column.value) + power // 2) // power * np.sign(column.value)
    at_most = Decimals(np.abs(rounded), column.places - excess)
    value, exact = rescale(at_most, VOLUME_DIGITS)
    if not exact.all():
        row = int(exact.argmin())
        raise BadNumberError(row, f"a volume does not fit {VOLUME_DIGITS} decimals in 62 bits")
    return np.asarray(value * np.sign(rounded), np.int64)


def _written_out(text: pl.Series, odd: pl.Series) -> pl.Series:
    """Write numbers like 1e-05 out in full."""
    rows = odd.arg_true().to_list()
    plain = []
    for row in rows:
        shown = text[row]
        try:
            number = Decimal(shown if shown is not None else "")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number.adjusted()) > 40:
            what = "empty" if not shown else f"{shown[:40]!r}, no number"
            raise BadNumberError(row, what)
        plain.append(f"{number:f}")
    return text.scatter(rows, plain)
