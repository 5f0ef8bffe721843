"""Quotes from one-sided updates: each line moves the best bid or the best ask of the whole market.

The recording names the exchange that set the new best; a line replaces its side whoever set it
last. Measured on a recorded day: read so, 89 of 109,066 quotes are crossed; kept
per exchange, nearly all are, because nobody says when an exchange is no longer the best.
"""

from __future__ import annotations

from typing import Final

import polars as pl

_SIDES: Final = ("bid", "ask")


class NationalBest:
    """Remembers the last bid and ask from block to block."""

    def __init__(self) -> None:
        self._last: pl.DataFrame | None = None

    def quotes(self, updates: pl.DataFrame) -> pl.DataFrame:
        """Take updates (a side of 0 is not told) in the file's order, return a quote for each.

        Nothing comes before both sides are known.
        """
        carried = 0
        if self._last is not None:
            updates = pl.concat([self._last, updates])
            carried = 1
        filled = updates.with_columns(
            pl.when(pl.col(side) != 0).then(pl.col(name)).forward_fill().alias(name)
            for side in _SIDES
            for name in (side, f"{side}_size")
        )
        self._last = filled.tail(1).with_columns(
            pl.col(name).fill_null(0) for side in _SIDES for name in (side, f"{side}_size")
        )
        quotes = (
            filled.slice(carried).drop_nulls().filter((pl.col("bid") != 0) & (pl.col("ask") != 0))
        )
        return quotes.select("ts_ns", pl.lit(0, pl.Int64).alias("venue_ns"), *_columns())


def _columns() -> tuple[str, ...]:
    return (*_SIDES, *(f"{side}_size" for side in _SIDES))
