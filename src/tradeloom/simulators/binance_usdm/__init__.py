"""Binance USD-M futures."""

from __future__ import annotations

from tradeloom.simulators.binance_usdm.usdm import BinanceUsdm

__all__ = ["BinanceUsdm"]
