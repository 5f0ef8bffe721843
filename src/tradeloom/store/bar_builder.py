"""Builds bars of every interval from arrays of quotes.

Quotes are first reduced to cells of one second with numpy, then each cell is merged into the open
bars it belongs to. A bar remembers the times of its first and last quote, so quotes may come late
and in any order and the bar is the same. Equal times keep the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from .bars import INTERVALS_S, NS, Bar
from .limits import BAR_LATE_S

Ints = npt.NDArray[np.int64]
Key = tuple[int, int, int]  # interval, instrument, start
_BID, _ASK, _SUM, _TICKS, _FIRST, _LAST = 0, 4, 8, 12, 13, 14


class BarBuilder:
    """Open bars of many instruments; `late_s` is how long a bar stays open behind its end."""

    def __init__(
        self, intervals_s: tuple[int, ...] = INTERVALS_S, late_s: int = BAR_LATE_S
    ) -> None:
        self.too_late = 0
        self._intervals: Final = intervals_s
        self._late: Final = late_s * NS
        self._names: dict[int, tuple[str, int]] = {}
        self._open: dict[Key, list[int]] = {}
        self._changed: set[Key] = set()
        self._newest = 0
        self._released = 0  # bars that ended this long ago were handed out for good

    def define(self, instrument: int, symbol: str, digits: int) -> None:
        """Name an instrument; when its digits change, its open bars end."""
        known = self._names.get(instrument)
        if known is not None and known[1] != digits:
            for key in [key for key in self._open if key[1] == instrument]:
                del self._open[key]
                self._changed.discard(key)
        self._names[instrument] = (symbol, digits)

    def resume(self, bars: Iterable[Bar]) -> None:
        """Go on with bars that were open when the process ended; define instruments first."""
        numbers = {symbol: (number, digits) for number, (symbol, digits) in self._names.items()}
        for bar in bars:
            number, digits = numbers.get(bar.symbol, (None, None))
            if number is not None and digits == bar.digits:
                self._open[bar.interval_s, number, bar.start] = list(bar[4:])

    def add(self, instrument: npt.ArrayLike, ts: Ints, bid: Ints, ask: Ints) -> None:
        """Take quotes; arrays of one length, or one number for the instrument of all."""
        if not len(ts):
            return
        numbers = np.broadcast_to(np.asarray(instrument, np.int64), ts.shape)
        seconds = ts // NS
        order = np.lexsort((ts, seconds, numbers))
        numbers, seconds, ts = numbers[order], seconds[order], ts[order]
        bid, ask = bid[order].astype(np.int64), ask[order].astype(np.int64)
        new = np.flatnonzero((np.diff(numbers) != 0) | (np.diff(seconds) != 0)) + 1
        first = np.concatenate(([0], new))
        last = np.concatenate((new, [len(ts)])) - 1
        columns = [numbers[first], seconds[first] * NS]
        for prices in (bid, ask, bid + ask):
            columns += [
                prices[first],
                np.maximum.reduceat(prices, first),
                np.minimum.reduceat(prices, first),
                prices[last],
            ]
        columns += [last - first + 1, ts[first], ts[last]]
        self._newest = max(self._newest, int(ts.max()))
        for number, start, *cell in np.stack(columns, axis=1).tolist():
            for interval_s in self._intervals:
                length = interval_s * NS
                self._merge((interval_s, number, start - start % length), cell)

    def _merge(self, key: Key, cell: list[int]) -> None:
        bar = self._open.get(key)
        if bar is None:
            if self._finished(key):
                # Its bar is stored and forgotten; a longer one may still take it.
                self.too_late += cell[_TICKS]
                return
            self._open[key] = list(cell)
        else:
            opens, closes = cell[_FIRST] < bar[_FIRST], cell[_LAST] >= bar[_LAST]
            for at in (_BID, _ASK, _SUM):
                if opens:
                    bar[at] = cell[at]
                if cell[at + 1] > bar[at + 1]:
                    bar[at + 1] = cell[at + 1]
                if cell[at + 2] < bar[at + 2]:
                    bar[at + 2] = cell[at + 2]
                if closes:
                    bar[at + 3] = cell[at + 3]
            bar[_TICKS] += cell[_TICKS]
            if opens:
                bar[_FIRST] = cell[_FIRST]
            if closes:
                bar[_LAST] = cell[_LAST]
        self._changed.add(key)

    def take(self) -> list[Bar]:
        """Bars that changed since the last call, to be stored; finished ones are forgotten."""
        taken = [self._bar(key) for key in sorted(self._changed)]
        self._changed.clear()
        self._released = self._newest
        for key in [key for key in self._open if self._finished(key)]:
            del self._open[key]
        return taken

    def current(self, instrument: int, interval_s: int) -> Bar | None:
        """The newest bar of an instrument that is still open."""
        keys = [key for key in self._open if key[:2] == (interval_s, instrument)]
        return self._bar(max(keys)) if keys else None

    def _finished(self, key: Key) -> bool:
        return key[2] + key[0] * NS + self._late <= self._released

    def _bar(self, key: Key) -> Bar:
        interval_s, number, start = key
        symbol, digits = self._names[number]
        return Bar(symbol, interval_s, start, digits, *self._open[key])
