"""Bars of venues' ticks: exact whatever order they come in, corrected when more becomes known."""

from __future__ import annotations

from .aggregator import AggregatorHealth, BarAggregator, bars_stream, decode_bars
from .bar import INTERVALS_S, NAMES, MarketBar, Prices
from .repair import History, Ticks
from .store import MarketBarStore, SecondAggregator

__all__ = [
    "INTERVALS_S",
    "NAMES",
    "AggregatorHealth",
    "BarAggregator",
    "History",
    "MarketBar",
    "MarketBarStore",
    "Prices",
    "SecondAggregator",
    "Ticks",
    "bars_stream",
    "decode_bars",
]
