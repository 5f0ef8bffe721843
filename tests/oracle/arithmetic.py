"""Whole-number arithmetic of the rules: half-even division, posting, calendar numbers."""

from __future__ import annotations

DAY_S = 86_400
WEEK_S = 7 * DAY_S
SECOND = 1_000_000_000
LOT = 10**8
PPM = 10**6


def he(numerator: int, denominator: int) -> int:
    """The quotient rounded half to even; the denominator is positive."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient


def post(amount: int, digits: int) -> int:
    """Money of 8 decimals rounded half-even to the minor unit of a currency."""
    unit = int(10 ** (8 - digits))
    return he(amount, unit) * unit


def ceil_div(numerator: int, denominator: int) -> int:
    """The quotient rounded up."""
    return -((-numerator) // denominator)


def next_day_end(ts: int, day_end_s: int) -> int:
    """The first end of a trading day after `ts`, in ns."""
    day = DAY_S * SECOND
    end = day_end_s * SECOND
    return (ts - end) // day * day + end + day


def trading_day(ts: int, day_end_s: int) -> int:
    """Number of the trading day `ts` belongs to."""
    return (ts // SECOND - day_end_s) // DAY_S + (1 if day_end_s > 0 else 0)


def second_of_week(ts: int) -> int:
    """Seconds since Monday 00:00 UTC (1970-01-01 was a Thursday)."""
    return (ts // SECOND + 3 * DAY_S) % WEEK_S
