"""Kraken spot: `/kraken/0/…` (REST), `/kraken/v2` (prices), `/kraken/auth/v2` (account)."""

from __future__ import annotations

from tradeloom.simulators.kraken.spot import KrakenSpot

__all__ = ["KrakenSpot"]
