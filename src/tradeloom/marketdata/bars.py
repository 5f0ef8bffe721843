"""Bars: one-minute candles built from quotes, and longer ones put together from them.

Prices are those of the bid, as on retail platforms, in integer points of the instrument; `ticks`
counts quotes. A bar is finished by the first quote of a later minute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from tradeloom.marketdata.limits import BARS_KEPT

MINUTE_NS: Final = 60_000_000_000
# Name -> minutes. Longer ones start at multiples of their length since 1970-01-05, a Monday.
PERIODS: Final[dict[str, int]] = {
    "M1": 1, "M5": 5, "M15": 15, "M30": 30, "H1": 60, "H4": 240, "D1": 1440, "W1": 10_080,
}  # fmt: skip
_MONDAY_NS: Final = 4 * 1440 * MINUTE_NS


class Bar(NamedTuple):
    """A candle; `start_ns` is UTC, prices are points."""

    start_ns: int
    open: int
    high: int
    low: int
    close: int
    ticks: int


Sink = Callable[[str, Bar], None]


class BarBuilder:
    """Builds one-minute bars of many symbols; finished ones also go to `sink`."""

    def __init__(self, sink: Sink | None = None, kept: int = BARS_KEPT) -> None:
        self._sink = sink
        self._kept = kept
        self._open: dict[str, list[int]] = {}
        self._done: dict[str, deque[Bar]] = {}

    def add(self, symbol: str, ts_ns: int, bid: int) -> None:
        """Take one quote."""
        start = ts_ns - ts_ns % MINUTE_NS
        bar = self._open.get(symbol)
        if bar is None or start > bar[0]:
            if bar is not None:
                self.load(symbol, (Bar(*bar),))
                if self._sink is not None:
                    self._sink(symbol, Bar(*bar))
            self._open[symbol] = [start, bid, bid, bid, bid, 1]
            return
        if bid > bar[2]:
            bar[2] = bid
        elif bid < bar[3]:
            bar[3] = bid
        bar[4] = bid
        bar[5] += 1

    def load(self, symbol: str, bars: Iterable[Bar]) -> None:
        """Remember finished bars, in time order."""
        self._done.setdefault(symbol, deque(maxlen=self._kept)).extend(bars)

    def minutes(self, symbol: str) -> list[Bar]:
        """The bars of a symbol in time order; the last one is still open."""
        bars = list(self._done.get(symbol, ()))
        if symbol in self._open:
            bars.append(Bar(*self._open[symbol]))
        return bars

    def symbols(self) -> list[str]:
        """Symbols that have any."""
        return list(dict.fromkeys((*self._done, *self._open)))


def longer(bars: Iterable[Bar], minutes: int) -> list[Bar]:
    """One-minute bars in time order, put together to bars of so many minutes."""
    length = minutes * MINUTE_NS
    made: list[Bar] = []
    for bar in bars:
        start = bar.start_ns - (bar.start_ns - _MONDAY_NS) % length
        if made and made[-1].start_ns == start:
            last = made[-1]
            made[-1] = Bar(
                start,
                last.open,
                max(last.high, bar.high),
                min(last.low, bar.low),
                bar.close,
                last.ticks + bar.ticks,
            )
        else:
            made.append(bar._replace(start_ns=start))
    return made
