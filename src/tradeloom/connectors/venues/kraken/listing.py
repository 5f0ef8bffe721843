"""Pairs of Kraken: three names each (`XXBTZUSD`, `XBTUSD`, `BTC/USD`), and their digits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from tradeloom.connectors.scaling import exact_points, exact_sizes
from tradeloom.connectors.venues.kraken import frames
from tradeloom.domain.market import SIZE_DIGITS, InstrumentKind, VenueInstrument

_RENAMED: Final = {"XBT": "BTC", "XDG": "DOGE"}
_TRADING: Final = frozenset({"online", "limit_only", "post_only"})


class PairNames:
    """The names of pairs and assets, as the last AssetPairs told them."""

    def __init__(self) -> None:
        self.wire: Final[dict[str, str]] = {}  # any REST name -> `BTC/USD`
        self.rest: Final[dict[str, str]] = {}  # `BTC/USD` -> `XBTUSD`
        self.assets: Final[dict[str, str]] = {}  # `XXBT` -> `BTC`
        self.lots: Final[dict[str, int]] = {}  # our symbol -> 1e-8 in the last written decimal

    def load(self, venue: str, pairs: Mapping[str, frames.Pair]) -> list[VenueInstrument]:
        """Take a list; the dark pool is left out, as sockets do not know it."""
        made = []
        for name, pair in pairs.items():
            if not pair.wsname or pair.lot_decimals > SIZE_DIGITS:
                continue
            base, quote = (_RENAMED.get(each, each) for each in pair.wsname.split("/"))
            wire = f"{base}/{quote}"
            self.wire[name] = self.wire[pair.altname] = self.wire[pair.wsname] = wire
            self.rest[wire] = pair.altname
            self.assets[pair.base], self.assets[pair.quote] = base, quote
            instrument = _instrument(venue, wire, base, quote, pair)
            self.lots[instrument.symbol] = instrument.step
            made.append(instrument)
        return made

    def asset(self, name: str) -> str:
        """`ZUSD` is USD; what no pair has keeps its name."""
        return self.assets.get(name) or _RENAMED.get(name, name)


def _instrument(venue: str, wire: str, base: str, quote: str, pair: frames.Pair) -> VenueInstrument:
    digits = pair.pair_decimals
    return VenueInstrument(
        venue=venue,
        symbol=f"{base}{quote}",
        wire=wire,
        kind=InstrumentKind.SPOT,
        base=base,
        quote=quote,
        settle=quote,
        digits=digits,
        tick=exact_points(pair.tick_size, digits) if pair.tick_size else 1,
        step=10 ** (SIZE_DIGITS - pair.lot_decimals),
        volume_min=exact_sizes(pair.ordermin),
        notional_min=Decimal(pair.costmin),
        contract_currency=base,
        trading=pair.status in _TRADING,
    )
