"""Times in CSV files: counts since 1970 in any unit, or dates and times of day in known forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from tradeloom.marketdata.history.numbers import BadNumberError, decimals
from tradeloom.marketdata.limits import TIMESTAMP_NS_MAX
from tradeloom.marketdata.quotes import Int64Array
from tradeloom.marketdata.recordings.decimals import rescale

# Decimal places that turn a count in this unit into nanoseconds.
_PLACES: Final = {"ts_ns": 0, "ts_us": 3, "ts_ms": 6, "ts_s": 9}
# Whole digits of a present-day count in each unit: 1.7e9 s up to 1.7e18 ns.
_UNIT_OF_DIGITS: Final = {9: 9, 10: 9, 12: 6, 13: 6, 15: 3, 16: 3, 18: 0, 19: 0}
_COUNT: Final = r"^\d+(?:\.\d+)?$"
# Tried in order on the first value; the first that fits reads the file.
_FORMS: Final = (
    "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
    "%Y.%m.%d %H:%M:%S%.f", "%Y.%m.%d %H:%M", "%Y/%m/%d %H:%M:%S%.f", "%Y/%m/%d %H:%M",
    "%Y%m%d %H:%M:%S%.f", "%Y%m%d %H:%M", "%Y%m%d %H%M%S%.f", "%Y%m%d %H%M%S%3f", "%Y%m%d %H%M",
    "%d.%m.%Y %H:%M:%S%.f", "%d.%m.%Y %H:%M",
)  # fmt: skip
_ZONED: Final = r"(?:Z|[+-]\d{2}:?\d{2})$"
_ADVICE: Final = "a count since 1970, or 2014-05-01T00:00:00.000"


class ClockError(Exception):
    """A time that cannot be read: row (from 0), column and problem."""

    def __init__(self, row: int, column: str, problem: str) -> None:
        self.row = row
        self.column = column
        self.problem = problem
        super().__init__(problem)


class Clock:
    """Reads the time columns of one file; unit and form are those of its first row."""

    def __init__(self, columns: Sequence[str], zone: ZoneInfo | None) -> None:
        found = [name for name in (*_PLACES, "ts") if name in columns][:1]
        self.columns = found or [name for name in ("date", "clock") if name in columns]
        self._zone: tzinfo = zone or UTC
        self._places = _PLACES.get(self.columns[0]) if self.columns else None
        self._form: str | None = None

    def times(self, text: Mapping[str, pl.Series]) -> Int64Array:
        """Return UTC nanoseconds. Raises ClockError for the first time that does not fit."""
        if not self.columns:
            raise ClockError(0, "", "no column of times")
        column = self.columns[0]
        whole = text[column]
        if len(self.columns) == 2:
            whole = whole + " " + text["clock"]
        if self._places is None and self._form is None:
            self._tell(whole[0], column)
        return self._counted(whole) if self._places is not None else self._written(whole)

    def _tell(self, first: str, column: str) -> None:
        value = pl.Series([first])
        if value.str.contains(_COUNT)[0]:
            digits = len(first.split(".")[0])
            if digits not in _UNIT_OF_DIGITS:
                problem = (
                    f"unknown unit of time {first[:40]!r}; name it ts_s, ts_ms, ts_us or ts_ns"
                )
                raise ClockError(0, column, problem)
            self._places = _UNIT_OF_DIGITS[digits]
            return
        bare = value.str.replace(_ZONED, "")
        for form in _FORMS:
            if bare.str.to_datetime(form, time_unit="ns", strict=False)[0] is not None:
                self._form = form
                return
        raise ClockError(0, column, f"{first[:40]!r} is no time; expected {_ADVICE}")

    def _counted(self, text: pl.Series) -> Int64Array:
        column = self.columns[0]
        try:
            count = decimals(text)
        except BadNumberError as bad:
            raise ClockError(bad.row, column, f"time {bad.problem}") from bad
        ts_ns, exact = rescale(count, self._places or 0)
        exact &= (ts_ns > 0) & (ts_ns <= TIMESTAMP_NS_MAX)
        if not exact.all():
            row = int(exact.argmin())
            raise ClockError(row, column, f"{text[row][:40]!r} is a time no nanosecond can name")
        return ts_ns

    def _written(self, text: pl.Series) -> Int64Array:
        column = self.columns[0]
        form = self._form or ""
        zoned = text.str.contains(_ZONED) & text.str.contains(":")
        if zoned.all():
            # Zones are made alike: Z and +01:00 become +0000 and +0100.
            alike = text.str.replace("Z$", "+0000").str.replace(r"([+-]\d{2}):(\d{2})$", "$1$2")
            read = alike.str.to_datetime(f"{form}%z", time_unit="ns", strict=False)
        else:
            read = text.str.to_datetime(form, time_unit="ns", strict=False)
            name = getattr(self._zone, "key", "UTC")
            if name != "UTC":
                # The hour that comes twice in autumn is taken as the earlier; the one that does
                # not exist in spring is refused below.
                read = read.dt.replace_time_zone(name, ambiguous="earliest", non_existent="null")
        bad = read.is_null()
        if bad.any():
            row = int(bad.arg_max() or 0)
            raise ClockError(row, column, f"{text[row][:40]!r} is no time of the form {form}")
        return read.dt.epoch("ns").to_numpy().astype(np.int64)
