"""Maps busy time, in which a market always ticks at one pace, to the clock, where nights are slow.

Busy time runs at each hour's own rate and stands still while the market is closed, so one formula
makes both the hour-of-day pattern and the weekend. Everything is integer nanoseconds.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import numpy as np

from tradeloom.marketdata.quotes import Int64Array

HOUR_NS: Final = 3_600_000_000_000
_WEEK_HOURS: Final = 168
_WEEK_NS: Final = _WEEK_HOURS * HOUR_NS
# 1970-01-05 was the first Monday of the epoch.
_FIRST_MONDAY_NS: Final = 96 * HOUR_NS
# Rates are in thousandths of the average rate.
_AVERAGE: Final = 1_000


class Opening(Enum):
    """When a market is open, in UTC; hours of the week count from Monday 00:00."""

    ALWAYS = "always"
    WEEKDAYS = "Sunday 21:00 to Friday 21:00"
    EXCHANGE = "Monday to Friday, 14:00 to 21:00"

    def is_open(self, hour_of_week: int) -> bool:
        """Say whether the market is open in that hour."""
        day, hour = divmod(hour_of_week, 24)
        if self is Opening.ALWAYS:
            return True
        if self is Opening.WEEKDAYS:
            return day < 4 or (day == 4 and hour < 21) or (day == 6 and hour >= 21)
        return day < 5 and 14 <= hour < 21


class Calendar:
    """Busy time and clock time of one market; the average open hour has one hour of busy time."""

    def __init__(self, opening: Opening, hours: tuple[int, ...]) -> None:
        rates = [hours[h % 24] if opening.is_open(h) else 0 for h in range(_WEEK_HOURS)]
        open_hours = sum(rate > 0 for rate in rates)
        scaled = [rate * _AVERAGE * open_hours // sum(rates) for rate in rates]
        # An open hour always moves on, however quiet it was when measured.
        self._rates = np.array(
            [max(new, 1) if old else 0 for new, old in zip(scaled, rates, strict=True)], np.int64
        )
        self._busy_at = np.concatenate(([0], np.cumsum(self._rates * (HOUR_NS // _AVERAGE))))
        self._week_busy_ns = int(self._busy_at[-1])

    def to_clock(self, busy_ns: Int64Array) -> Int64Array:
        """Return UTC nanoseconds of busy times since the first Monday of 1970."""
        week, inside = np.divmod(busy_ns, self._week_busy_ns)
        hour = np.searchsorted(self._busy_at, inside, side="right") - 1
        into_hour = (inside - self._busy_at[hour]) * _AVERAGE // self._rates[hour]
        return np.asarray(_FIRST_MONDAY_NS + week * _WEEK_NS + hour * HOUR_NS + into_hour)

    def to_busy(self, utc_ns: Int64Array) -> Int64Array:
        """Return busy times since the first Monday of 1970 of UTC nanoseconds."""
        week, inside = np.divmod(utc_ns - _FIRST_MONDAY_NS, _WEEK_NS)
        hour, into_hour = np.divmod(inside, HOUR_NS)
        busy = self._busy_at[hour] + into_hour * self._rates[hour] // _AVERAGE
        return np.asarray(week * self._week_busy_ns + busy)
