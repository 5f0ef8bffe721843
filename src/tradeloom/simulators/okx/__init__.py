"""OKX v5, simulated: spot (`OkxSpot`) and perpetual swaps (`OkxSwap`)."""

from __future__ import annotations

from tradeloom.simulators.okx.venue import OkxSpot, OkxSwap

__all__ = ["OkxSpot", "OkxSwap"]
