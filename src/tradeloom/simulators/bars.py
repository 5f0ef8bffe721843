"""Bars of one instrument, built from its trades: what a venue's history calls answer with."""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import TradeTick
from tradeloom.simulators.limits import BARS_KEPT

SECOND_NS: Final = 10**9
MINUTE_NS: Final = 60 * SECOND_NS


class Bar(msgspec.Struct):
    """Trades of one span: mantissas, sizes (1e-8), `cost` is Σ price × size (unscaled)."""

    start_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    cost: int = 0
    trades: int = 0
    bought: int = 0  # volume and cost where the buyer was the taker
    bought_cost: int = 0


class Bars:
    """Second and minute bars; longer spans are put together when asked for."""

    def __init__(self) -> None:
        self._seconds: deque[Bar] = deque(maxlen=BARS_KEPT)
        self._minutes: deque[Bar] = deque(maxlen=BARS_KEPT)

    def add(self, trade: TradeTick) -> None:
        """A trade; one that is older than the newest bar counts into that bar."""
        for kept, span_ns in ((self._seconds, SECOND_NS), (self._minutes, MINUTE_NS)):
            start = trade.venue_ns // span_ns * span_ns
            if not kept or kept[-1].start_ns < start:
                price = trade.price
                kept.append(Bar(start, price, price, price, price))
            _count(kept[-1], trade)

    def spans(
        self, seconds: int, start_ns: int | None = None, end_ns: int | None = None
    ) -> list[Bar]:
        """Bars of `seconds` each that start inside the bounds, oldest first. Spans below a minute
        reach back 25 minutes only.
        """
        found: list[Bar] = []
        span_ns = seconds * SECOND_NS
        for each in self._minutes if seconds % 60 == 0 else self._seconds:
            start = each.start_ns // span_ns * span_ns
            if (start_ns is not None and start < start_ns) or (
                end_ns is not None and start > end_ns
            ):
                continue
            if not found or found[-1].start_ns != start:
                found.append(Bar(start, each.open, each.high, each.low, each.close))
            _merge(found[-1], each)
        return found


def _count(bar: Bar, trade: TradeTick) -> None:
    bar.high, bar.low = max(bar.high, trade.price), min(bar.low, trade.price)
    bar.close = trade.price
    bar.volume += trade.size
    bar.cost += trade.price * trade.size
    bar.trades += 1
    if trade.side is Side.BUY:
        bar.bought += trade.size
        bar.bought_cost += trade.price * trade.size


def _merge(bar: Bar, other: Bar) -> None:
    bar.high, bar.low = max(bar.high, other.high), min(bar.low, other.low)
    bar.close = other.close
    bar.volume += other.volume
    bar.cost += other.cost
    bar.trades += other.trades
    bar.bought += other.bought
    bar.bought_cost += other.bought_cost
