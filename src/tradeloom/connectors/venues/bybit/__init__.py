"""Bybit v5: spot (`BybitSpot`) and linear perpetuals (`BybitLinear`)."""
