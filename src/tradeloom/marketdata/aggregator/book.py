"""The open bars of one symbol: seconds that still take ticks, and longer bars put together of them.

A tick goes into the cell of its second. Cells older than the lateness bound are *sealed*: merged
into the bar of every interval. So a tick costs one cell, not nine bars, and a bar at any moment is
its sealed part and the open cells within it. What comes for a sealed second is late, and put aside
for whoever can look the finished bars up.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from tradeloom.domain.market import BookQuote, TradeTick, decode, encode

from ..frames import event_ns
from ..limits import BAR_HOLES_MAX, BARS_LATE_WAITING_MAX
from .bar import INTERVALS_S, NS, MarketBar, made
from .parts import Cell, Parts

Tick = BookQuote | TradeTick


class Made(NamedTuple):
    """A bar and what it was made of."""

    bar: MarketBar
    parts: Parts


class _Open:
    """The sealed part of a bar that is not over."""

    __slots__ = ("filled", "parts", "start")

    def __init__(self, start: int, parts: Parts, *, filled: bool = False) -> None:
        self.start = start
        self.parts = parts
        self.filled = filled


class SymbolBars:
    """Bars of one symbol at one venue; times in whole seconds since 1970 where not said."""

    def __init__(self, venue: str, symbol: str, digits: int) -> None:
        self.venue: Final = venue
        self.symbol: Final = symbol
        self.digits = digits
        self.sealed_until = 0
        self.late: list[Tick] = []
        self.overflowed = 0
        self.holes: list[tuple[int, int]] = []
        self.stale_since = 0
        self.changed = False
        self._cells: dict[int, Cell] = {}
        self._open: dict[int, _Open] = {}
        self._dirty: set[int] = set()
        self._done: list[Made] = []

    # ---- ticks in ----------------------------------------------------------------------------

    def add(self, tick: Tick) -> bool:
        """Take a tick; False if it was there, or is late."""
        if tick.digits != self.digits:
            self.refine(tick.digits)
        ns = event_ns(tick)
        second = ns // NS
        self.changed = True
        if second < self.sealed_until:
            if len(self.late) < BARS_LATE_WAITING_MAX:
                self.late.append(tick)
            else:
                self.overflowed += 1
            return False
        cell = self._cells.get(second)
        if cell is None:
            cell = self._cells[second] = Cell()
        factor = 10 ** (self.digits - tick.digits)
        if isinstance(tick, BookQuote):
            new = cell.quote(tick, ns, factor)
        else:
            new = cell.trade(tick, ns, factor)
        if new:
            self._dirty.add(second)
        return new

    def hole(self, first_ns: int, last_ns: int) -> None:
        """Ticks of that time are missing: to be filled from the venue's history, by minutes."""
        first, last = first_ns // NS // 60 * 60, last_ns // NS // 60 * 60 + 60
        self.changed = True
        if self.holes and first <= self.holes[-1][1]:
            before = self.holes.pop()
            first, last = min(first, before[0]), max(last, before[1])
        self.holes.append((first, last))
        del self.holes[:-BAR_HOLES_MAX]

    def refine(self, digits: int) -> None:
        """Go on with the finer of two numbers of digits."""
        if digits <= self.digits:
            return
        factor = 10 ** (digits - self.digits)
        self.digits = digits
        for cell in self._cells.values():
            cell.scale(factor)
        for each in self._open.values():
            each.parts.scale(factor)
        self._dirty.update(self._cells)

    # ---- bars out ----------------------------------------------------------------------------

    def seal(self, until: int) -> None:
        """End the seconds before `until`."""
        if until <= self.sealed_until:
            return
        self.sealed_until = until
        for second in sorted(each for each in self._cells if each < until):
            cell = self._cells.pop(second)
            for interval_s in INTERVALS_S:
                start = second - second % interval_s
                bar = self._open.get(interval_s)
                if bar is not None and bar.start != start:
                    self._finish(interval_s, bar)
                    bar = None
                if bar is None:
                    bar = self._open[interval_s] = _Open(start, Parts())
                bar.parts.merge(cell)
        for interval_s, bar in list(self._open.items()):
            if bar.start + interval_s <= until:
                self._finish(interval_s, bar)
                del self._open[interval_s]
                self.changed = True

    def take(self) -> list[Made]:
        """Bars that changed since the last call, finished ones once and for all."""
        taken, self._done = self._done, []
        over = {(each.bar.interval_s, each.bar.start_ns // NS) for each in taken}
        keys = {(i, second - second % i) for second in self._dirty for i in INTERVALS_S}
        self._dirty.clear()
        for interval_s, start in sorted(keys - over):
            if self.opened(interval_s, start):
                parts, filled = self._now(interval_s, start)
                if parts != Parts():
                    taken.append(self._made(interval_s, start, parts, filled=filled))
        return taken

    def opened(self, interval_s: int, start: int) -> bool:
        """Whether a bar is still to be finished here."""
        return start + interval_s > self.sealed_until

    def correct(self, second: int, new: Parts, old: Parts, *, trades: bool) -> None:
        """A sealed second was `old` and is `new`: correct the bars that are still open here.

        With `trades` False, bars of a minute and longer keep the trades the venue gave.
        """
        for interval_s in INTERVALS_S:
            start = second - second % interval_s
            if self.opened(interval_s, start):
                bar = self._open.get(interval_s)
                if bar is None or bar.start != start:
                    bar = self._open[interval_s] = _Open(start, Parts())
                bar.parts.correct(new, old, trades=trades or interval_s < 60)
                self._dirty.add(start)
                self.changed = True

    def refill(self, interval_s: int, start: int, minutes: Parts) -> None:
        """Put the trades of finished minutes in the place of those of a longer, open bar."""
        bar = self._open.get(interval_s)
        if bar is None or bar.start != start:
            bar = self._open[interval_s] = _Open(start, Parts())
        trades = minutes.copy()
        running = self._open.get(60)
        if running is not None and start <= running.start < start + interval_s:
            trades.merge(Parts(None, running.parts.trades))
        bar.parts.trades = trades.trades
        bar.filled = True
        self._dirty.add(start)
        self.changed = True

    def _now(self, interval_s: int, start: int) -> tuple[Parts, bool]:
        bar = self._open.get(interval_s)
        filled = False
        parts = Parts()
        if bar is not None and bar.start == start:
            parts, filled = bar.parts.copy(), bar.filled
        for second, cell in self._cells.items():
            if start <= second < start + interval_s:
                parts.merge(cell)
        return parts, filled

    def _finish(self, interval_s: int, bar: _Open) -> None:
        self._done.append(
            self._made(interval_s, bar.start, bar.parts, filled=bar.filled, finished=True)
        )

    def _made(
        self, interval_s: int, start: int, parts: Parts, *, filled: bool, finished: bool = False
    ) -> Made:
        bar = made(
            self.venue,
            self.symbol,
            interval_s,
            start,
            self.digits,
            parts,
            filled=filled,
            finished=finished,
        )
        return Made(bar, parts)

    # ---- across restarts ---------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything that is to come back, after `take`; plain values."""
        return {
            "digits": self.digits,
            "sealed": self.sealed_until,
            "late": [encode(tick) for tick in self.late],
            "holes": self.holes,
            "stale": self.stale_since,
            "cells": {
                second: (*cell.plain(), list(cell.seen)) for second, cell in self._cells.items()
            },
            "open": {
                interval_s: (bar.start, bar.parts.plain(), bar.filled)
                for interval_s, bar in self._open.items()
            },
        }

    @classmethod
    def of(cls, venue: str, symbol: str, state: dict[str, Any]) -> SymbolBars:
        """What `state` gave, come back from wherever it was stored."""
        own = cls(venue, symbol, state["digits"])
        own.sealed_until = state["sealed"]
        own.late = [tick for tick in map(decode, state["late"]) if isinstance(tick, Tick)]
        own.holes = [(first, last) for first, last in state["holes"]]
        own.stale_since = state["stale"]
        for second, (quotes, trades, seen) in state["cells"].items():
            parts = Parts.of((quotes, trades))
            own._cells[second] = Cell(parts.quotes, parts.trades, set(seen))
        for interval_s, (start, plain, filled) in state["open"].items():
            own._open[interval_s] = _Open(start, Parts.of(plain), filled=filled)
        return own
