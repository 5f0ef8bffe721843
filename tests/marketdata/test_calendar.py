"""Busy time and clock time are each other's inverse wherever the market is open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tradeloom.marketdata.calendar import HOUR_NS, Calendar, Opening

UNEVEN = tuple(100 + 150 * (hour % 7) for hour in range(24))
MONDAY_NS = 1_704_067_200_000_000_000  # 2024-01-01


@pytest.mark.parametrize("opening", list(Opening))
def test_there_and_back(opening: Opening) -> None:
    calendar = Calendar(opening, UNEVEN)
    start = int(calendar.to_busy(np.array([MONDAY_NS]))[0])
    busy = start + np.arange(0, 3 * 168 * HOUR_NS, HOUR_NS // 3 + 7919)
    clock = calendar.to_clock(busy)
    assert (np.diff(clock) > 0).all()
    # One nanosecond of rounding on the clock is a few of busy time in a busy hour.
    assert np.abs(calendar.to_busy(clock) - busy).max() <= 20
    for ts_ns in clock.tolist():
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts_ns // 1000)
        assert opening.is_open(when.weekday() * 24 + when.hour), when


def test_an_even_market_that_never_closes_is_the_clock_itself() -> None:
    calendar = Calendar(Opening.ALWAYS, (1_000,) * 24)
    clock = np.array([MONDAY_NS, MONDAY_NS + 12_345, MONDAY_NS + 999 * HOUR_NS])
    assert calendar.to_clock(calendar.to_busy(clock)).tolist() == clock.tolist()
    assert np.diff(calendar.to_busy(clock)).tolist() == np.diff(clock).tolist()


def test_busy_time_stands_still_at_the_weekend() -> None:
    calendar = Calendar(Opening.WEEKDAYS, UNEVEN)
    saturday, sunday = MONDAY_NS + 120 * HOUR_NS, MONDAY_NS + 160 * HOUR_NS
    first, second = calendar.to_busy(np.array([saturday, sunday])).tolist()
    assert first == second
    assert calendar.to_clock(np.array([first])).tolist() == [MONDAY_NS + 165 * HOUR_NS]
