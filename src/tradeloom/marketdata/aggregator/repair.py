"""Corrections of finished bars: ticks that came very late, and minutes that were missed.

Both read the bars they change, correct them together, and hand all of them back with a higher
revision, to be saved in one transaction with the list of what is still to be repaired.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tradeloom.domain.market import HistoricBar

from ..frames import event_ns
from ..limits import HISTORY_ANSWER_S, HISTORY_BARS_MAX, HISTORY_DELAY_S
from .bar import INTERVALS_S, NS, MarketBar, made
from .book import Made, SymbolBars, Tick
from .parts import QUOTES, TRADES, VOLUME, Cell, Part, Parts
from .store import BarKey, MarketBarStore, key_of

History = Callable[[str, str, int, int, int], Awaitable[tuple[int, Sequence[HistoricBar]]]]
"""A venue's own finished bars: venue, symbol, interval in seconds, from and until in nanoseconds;
the digits of the prices, and the bars."""

Ticks = Callable[[str, str, int, int], Awaitable[Sequence[Tick]]]
"""Recorded ticks of a venue's symbol that happened in a span (UTC nanoseconds), in any order."""

MINUTE_S: Final = 60


class Repairs:
    """Bars as they will be stored: read from the store once, then corrected here."""

    def __init__(self, store: MarketBarStore, book: SymbolBars) -> None:
        self._store: Final = store
        self._book: Final = book
        self._bars: dict[BarKey, Made] = {}
        self._changed: set[BarKey] = set()
        self.late = 0
        self.late_known = 0
        self.filled = 0

    @property
    def changed(self) -> list[Made]:
        """What is to be saved."""
        return [self._bars[key] for key in sorted(self._changed)]

    # ---- late ticks --------------------------------------------------------------------------

    async def add_late(self, ticks: Sequence[Tick], source: Ticks | None) -> None:
        """Put ticks into the finished bars they belong to."""
        seconds: dict[int, list[Tick]] = {}
        for tick in ticks:
            seconds.setdefault(event_ns(tick) // NS, []).append(tick)
        for second, found in sorted(seconds.items()):
            await self._second(second, found, source)

    async def _second(self, second: int, late: list[Tick], source: Ticks | None) -> None:
        book = self._book
        starts = {i: second - second % i for i in INTERVALS_S}
        await self._look([self._key(i, start) for i, start in starts.items()])
        book.refine(max(tick.digits for tick in late))
        old = self._parts(1, second)
        new = await self._anew(second, late, old, source)
        added = _count(new) - _count(old)
        self.late += added
        self.late_known += len(late) - added
        if new == old:
            return
        minute = self._bars.get(self._key(MINUTE_S, starts[MINUTE_S]))
        own_trades = minute is None or not minute.bar.filled
        book.correct(second, new, old, trades=own_trades)
        for interval_s, start in starts.items():
            if not book.opened(interval_s, start):
                parts = self._parts(interval_s, start)
                parts.correct(new, old, trades=own_trades or interval_s < MINUTE_S)
                self._put(interval_s, start, parts)

    async def _anew(self, second: int, late: list[Tick], old: Parts, source: Ticks | None) -> Parts:
        """The second with the late ticks: from the record, where one knows what was there."""
        cell = Cell()
        if source is not None:
            stored = await source(
                self._book.venue, self._book.symbol, second * NS, (second + 1) * NS
            )
            for tick in (*stored, *late):
                cell.take(tick, self._factor(tick.digits))
            if _count(cell) >= _count(old):
                return cell
        # No record, or one that is behind: a tick this late is taken for new.
        only = Cell()
        for tick in late:
            only.take(tick, self._factor(tick.digits))
        new = old.copy()
        new.merge(only)
        return new

    # ---- missed minutes ----------------------------------------------------------------------

    async def fill(self, first_s: int, last_s: int, history: History) -> int:
        """Put the venue's own trades into the minutes of a hole; returns from where on the hole
        remains, because its minutes are too young or the page was full. Raises what the venue's
        side raises, and TimeoutError."""
        book = self._book
        until = min(last_s, first_s + HISTORY_BARS_MAX * MINUTE_S)
        until = min(until, (book.sealed_until - HISTORY_DELAY_S) // MINUTE_S * MINUTE_S)
        if until <= first_s:
            return first_s
        async with asyncio.timeout(HISTORY_ANSWER_S):
            digits, bars = await history(
                book.venue, book.symbol, MINUTE_S, first_s * NS, until * NS
            )
        wanted = {
            bar.start_ns // NS: bar
            for bar in bars
            if first_s <= bar.start_ns // NS < until and bar.volume > 0
        }
        if digits > book.digits:
            book.refine(digits)
        await self._look([self._key(MINUTE_S, start) for start in wanted])
        touched = []
        for start, bar in sorted(wanted.items()):
            parts = self._parts(MINUTE_S, start)
            trades = _trades_of(bar, self._factor(digits))
            if parts.trades is not None and _same(parts.trades, trades):
                continue
            parts.trades = trades
            self._put(MINUTE_S, start, parts, filled=True)
            self.filled += 1
            touched.append(start)
        await self._lengthen(touched)
        return until

    async def _lengthen(self, minutes: list[int]) -> None:
        """Make the trades of all longer bars again from their minutes."""
        book = self._book
        for interval_s in INTERVALS_S:
            if interval_s <= MINUTE_S:
                continue
            for start in sorted({each - each % interval_s for each in minutes}):
                await self._look_span(start, start + interval_s)
                total = Parts()
                for minute in range(start, start + interval_s, MINUTE_S):
                    if not book.opened(MINUTE_S, minute):
                        total.merge(Parts(None, self._parts(MINUTE_S, minute).trades))
                if book.opened(interval_s, start):
                    book.refill(interval_s, start, total)
                    continue
                await self._look([self._key(interval_s, start)])
                parts = self._parts(interval_s, start)
                parts.trades = total.trades
                self._put(interval_s, start, parts, filled=True)

    # ---- bars --------------------------------------------------------------------------------

    def _key(self, interval_s: int, start: int) -> BarKey:
        return self._book.venue, self._book.symbol, interval_s, start * NS

    async def _look(self, keys: Sequence[BarKey]) -> None:
        missing = [key for key in keys if key not in self._bars]
        if missing:
            self._bars |= await self._store.find(missing)

    async def _look_span(self, first: int, last: int) -> None:
        venue, symbol = self._book.venue, self._book.symbol
        for each in await self._store.span(venue, symbol, MINUTE_S, first * NS, last * NS):
            self._bars.setdefault(key_of(each.bar), each)

    def _parts(self, interval_s: int, start: int) -> Parts:
        """What a bar is made of, with the symbol's digits; to be changed at will."""
        found = self._bars.get(self._key(interval_s, start))
        if found is None:
            return Parts()
        parts = found.parts.copy()
        if found.bar.digits < self._book.digits:
            parts.scale(self._factor(found.bar.digits))
        return parts

    def _put(self, interval_s: int, start: int, parts: Parts, *, filled: bool = False) -> None:
        book, key = self._book, self._key(interval_s, start)
        before = self._bars.get(key)
        revision = 1
        if before is not None:
            # One correction of a bar is one revision, however many steps it takes here.
            revision = before.bar.revision + (key not in self._changed)
            filled = filled or before.bar.filled
        bar: MarketBar = made(
            book.venue,
            book.symbol,
            interval_s,
            start,
            book.digits,
            parts,
            revision=revision,
            finished=True,
            filled=filled,
        )
        self._bars[key] = Made(bar, parts)
        self._changed.add(key)

    def _factor(self, digits: int) -> int:
        if digits > self._book.digits:
            self._book.refine(digits)
        return int(10 ** (self._book.digits - digits))


def _count(parts: Parts) -> int:
    quotes = parts.quotes[QUOTES] if parts.quotes is not None else 0
    trades = parts.trades[TRADES] if parts.trades is not None else 0
    return int(quotes + trades)


def _trades_of(bar: HistoricBar, factor: int) -> Part:
    """The trades of a minute by the venue's word; how many there were it does not say."""
    first = (bar.start_ns, 0, "", bar.open * factor)
    last = (bar.start_ns + MINUTE_S * NS - 1, 0, "", bar.close * factor)
    return [first, last, bar.high * factor, bar.low * factor, bar.volume, 0]


def _same(ours: Part, venues: Part) -> bool:
    """Whether we had seen all of it."""
    one, other = ([part[0][3], part[1][3], *part[2 : VOLUME + 1]] for part in (ours, venues))
    return one == other


__all__ = ["History", "Repairs", "Ticks"]
