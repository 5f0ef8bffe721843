"""Bybit v5, simulated: spot (`BybitSpot`) and linear perpetuals (`BybitLinear`)."""

from __future__ import annotations

from tradeloom.simulators.bybit.venue import BybitLinear, BybitSpot

__all__ = ["BybitLinear", "BybitSpot"]
