"""Bars of one instrument, built from its trades: what a venue's history calls answer with."""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from tradeloom.domain.market import TradeTick
from tradeloom.simulators.limits import BARS_KEPT

MINUTE_NS: Final = 60 * 10**9


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
    """Minute bars; longer spans are put together when asked for."""

    def __init__(self) -> None:
        self._minutes: deque[Bar] = deque(maxlen=BARS_KEPT)

    def add(self, trade: TradeTick) -> None:
        """A trade; one that is older than the newest minute counts into that minute."""
        start = trade.venue_ns // MINUTE_NS * MINUTE_NS
        if not self._minutes or self._minutes[-1].start_ns < start:
            price = trade.price
            self._minutes.append(Bar(start, price, price, price, price))
        bar = self._minutes[-1]
        bar.high, bar.low = max(bar.high, trade.price), min(bar.low, trade.price)
        bar.close = trade.price
        bar.volume += trade.size
        bar.cost += trade.price * trade.size
        bar.trades += 1
        if not trade.side:
            bar.bought += trade.size
            bar.bought_cost += trade.price * trade.size

    def spans(self, minutes: int, start_ns: int | None, end_ns: int | None) -> list[Bar]:
        """Bars of `minutes` each that start inside the bounds, oldest first."""
        found: list[Bar] = []
        for each in self._minutes:
            start = each.start_ns // (minutes * MINUTE_NS) * minutes * MINUTE_NS
            if (start_ns is not None and start < start_ns) or (
                end_ns is not None and start > end_ns
            ):
                continue
            if not found or found[-1].start_ns != start:
                found.append(Bar(start, each.open, each.high, each.low, each.close))
            bar = found[-1]
            bar.high, bar.low = max(bar.high, each.high), min(bar.low, each.low)
            bar.close = each.close
            bar.volume += each.volume
            bar.cost += each.cost
            bar.trades += each.trades
            bar.bought += each.bought
            bar.bought_cost += each.bought_cost
        return found
