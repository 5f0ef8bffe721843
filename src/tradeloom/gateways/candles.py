"""Candles of any period and age: the newest from memory, older ones from the store."""

from __future__ import annotations

import asyncio
from typing import Final

from tradeloom.marketdata.bars import PERIODS, Bar, BarBuilder, longer
from tradeloom.marketdata.past import Joint, Past
from tradeloom.store.bars import Bar as StoredBar
from tradeloom.store.bars import BarStore

# Which stored bars a period is put together from, in seconds; weeks from days.
SOURCES: Final = {"W1": 86_400} | {
    name: minutes * 60 for name, minutes in PERIODS.items() if name != "W1"
}


async def candles(
    builder: BarBuilder,
    store: BarStore,
    symbol: str,
    digits: int,
    period: str,
    limit: int,
    before: int | None = None,
) -> list[Bar]:
    """The newest `limit` candles that start before `before` (UTC ns), oldest first.

    The last one is still open when `before` is None. Raises Unavailable when older ones are needed.
    """
    minutes = builder.minutes(symbol)
    made = longer(minutes, PERIODS[period])
    # The first candle in memory may have begun before memory does.
    cut = bool(made) and minutes[0].start_ns != made[0].start_ns
    if before is not None:
        made = [bar for bar in made if bar.start_ns < before]
    if len(made) > limit or (len(made) == limit and not cut):
        return made[-limit:]
    first, rest = (made[:1], made[1:]) if cut else ([], made)
    until = rest[0].start_ns if rest else before
    wanted = (limit - len(rest)) * (7 if period == "W1" else 1) + 1
    rows = await store.read(symbol, SOURCES[period], until=until, limit=wanted)
    older = longer((_plain(row) for row in rows if row.digits == digits), PERIODS[period])
    if period == "W1" and len(rows) == wanted:
        older = older[1:]  # its first days may be missing
    return [*_joined(older, first), *rest][-limit:]


async def with_past(
    past: Past,
    builder: BarBuilder,
    store: BarStore,
    symbol: str,
    period: str,
    limit: int,
    before: int | None,
    made: list[Bar],
) -> list[Bar]:
    """Candles of a made-up market, filled up with those of its made-up past."""
    if len(made) >= limit:
        return made
    minutes = builder.minutes(symbol)
    row = await store.oldest(symbol, PERIODS["M1"] * 60)
    first = _plain(row) if row is not None else (minutes[0] if minutes else None)
    if first is None:
        return made
    until = made[0].start_ns if made else (before or first.start_ns)
    joint = Joint(first.start_ns, first.open)
    wanted = limit - len(made)
    # A page takes tens of milliseconds to make: not in the loop that orders go through.
    older = await asyncio.to_thread(past.before, symbol, joint, PERIODS[period], until, wanted)
    return [*older, *made]


def _plain(row: StoredBar) -> Bar:
    return Bar(row.start, row.bid_open, row.bid_high, row.bid_low, row.bid_close, row.ticks)


def _joined(older: list[Bar], first: list[Bar]) -> list[Bar]:
    """Stored candles, the last of which may be the cut one of memory as it was a moment ago."""
    if not first:
        return older
    now = first[0]
    older = [bar for bar in older if bar.start_ns <= now.start_ns]
    if not older or older[-1].start_ns != now.start_ns:
        return [*older, now]
    was = older[-1]
    high, low = max(was.high, now.high), min(was.low, now.low)
    ticks = max(was.ticks, now.ticks)
    return [*older[:-1], Bar(now.start_ns, was.open, high, low, now.close, ticks)]
