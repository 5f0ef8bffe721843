"""Coinbase spot: `/coinbase/api/v3/brokerage/…`, `/coinbase/ws` (prices), `/coinbase/ws-user`."""

from __future__ import annotations

from tradeloom.simulators.coinbase.spot import CoinbaseSpot

__all__ = ["CoinbaseSpot"]
