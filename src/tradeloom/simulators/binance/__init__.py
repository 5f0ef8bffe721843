"""Binance spot, and what Binance's markets share."""

from __future__ import annotations

from tradeloom.simulators.binance.spot import BinanceSpot

__all__ = ["BinanceSpot"]
