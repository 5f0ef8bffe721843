"""The venues: one folder each with a dated profile and a dialect."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from tradeloom.connectors.dialect import Dialect

VENUES: Final[dict[str, str]] = {
    "backpack": "tradeloom.connectors.venues.backpack.dialect:Backpack",
    "binance": "tradeloom.connectors.venues.binance.dialect:BinanceSpot",
    "binance_usdm": "tradeloom.connectors.venues.binance.usdm:BinanceUsdm",
    "bybit": "tradeloom.connectors.venues.bybit.dialect:BybitSpot",
    "bybit_linear": "tradeloom.connectors.venues.bybit.dialect:BybitLinear",
    "coinbase": "tradeloom.connectors.venues.coinbase.dialect:Coinbase",
    "deribit": "tradeloom.connectors.venues.deribit.dialect:Deribit",
    "kraken": "tradeloom.connectors.venues.kraken.dialect:Kraken",
    "okx": "tradeloom.connectors.venues.okx.dialect:OkxSpot",
    "okx_swap": "tradeloom.connectors.venues.okx.dialect:OkxSwap",
    "schwab": "tradeloom.connectors.venues.schwab.dialect:Schwab",
}
"""Name -> where its dialect is; imported when it is first wanted."""


def dialect_of(venue: str) -> type[Dialect]:
    """The dialect class of a venue, or of one of ccxt's as `ccxt:NAME`; raises ValueError for a
    name nobody knows.
    """
    if venue.startswith(("ccxt:", "ccxt-")):
        from tradeloom.connectors.ccxt_venue import ccxt_dialect

        return ccxt_dialect(venue[len("ccxt:") :])
    place = VENUES.get(venue)
    if place is None:
        raise ValueError(f"no venue {venue!r} (there are: {', '.join(sorted(VENUES))})")
    module, _, name = place.partition(":")
    found: type[Dialect] = getattr(import_module(module), name)
    return found
