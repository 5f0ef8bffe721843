"""The venues that can be simulated, by name; each dialect is imported when it is wanted."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from tradeloom.simulators.dialect import VenueDialect

# name -> module and class. The name is the first segment of the venue's path.
DIALECTS: Final[dict[str, tuple[str, str]]] = {
    "backpack": ("tradeloom.simulators.backpack", "Backpack"),
    "binance": ("tradeloom.simulators.binance", "BinanceSpot"),
    "binance_usdm": ("tradeloom.simulators.binance_usdm", "BinanceUsdm"),
    "deribit": ("tradeloom.simulators.deribit", "Deribit"),
    "bybit": ("tradeloom.simulators.bybit", "BybitSpot"),
    "bybit_linear": ("tradeloom.simulators.bybit", "BybitLinear"),
    "kraken": ("tradeloom.simulators.kraken", "KrakenSpot"),
    "okx": ("tradeloom.simulators.okx", "OkxSpot"),
    "okx_swap": ("tradeloom.simulators.okx", "OkxSwap"),
    "coinbase": ("tradeloom.simulators.coinbase", "CoinbaseSpot"),
    "schwab": ("tradeloom.simulators.schwab", "Schwab"),
}


def dialect(name: str) -> type[VenueDialect]:
    """The dialect of a venue; `binance-usdm` is also understood. Raises ValueError."""
    found = DIALECTS.get(name.strip().lower().replace("-", "_"))
    if found is None:
        raise ValueError(f"there is no venue {name[:40]!r}; there are {', '.join(DIALECTS)}")
    loaded: type[VenueDialect] = getattr(import_module(found[0]), found[1])
    return loaded
