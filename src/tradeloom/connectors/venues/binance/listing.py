"""exchangeInfo as instruments."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tradeloom.connectors.profile import Window
from tradeloom.connectors.scaling import digits_of, exact_points, exact_sizes
from tradeloom.connectors.venues.binance import frames
from tradeloom.domain.market import InstrumentKind, VenueInstrument

_SECONDS: Final = {"SECOND": 1.0, "MINUTE": 60.0, "HOUR": 3_600.0, "DAY": 86_400.0}


def instruments_of(venue: str, info: frames.ExchangeInfo) -> list[VenueInstrument]:
    """What trades or may trade again; delivery futures are left out."""
    made = []
    for symbol in info.symbols:
        if symbol.contract_type not in ("", "PERPETUAL"):
            continue
        made.append(_instrument(venue, symbol))
    return made


def _instrument(venue: str, symbol: frames.Symbol) -> VenueInstrument:
    filters = {each.filter_type: each for each in symbol.filters}
    none = frames.Filter("")
    price, lot = filters.get("PRICE_FILTER", none), filters.get("LOT_SIZE", none)
    least = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or none
    tick = price.tick_size if Decimal(price.tick_size) else "0.00000001"
    digits = digits_of(tick)
    perpetual = bool(symbol.contract_type)
    return VenueInstrument(
        venue=venue,
        symbol=f"{symbol.symbol}-PERP" if perpetual else symbol.symbol,
        wire=symbol.symbol,
        kind=InstrumentKind.PERPETUAL if perpetual else InstrumentKind.SPOT,
        base=symbol.base_asset,
        quote=symbol.quote_asset,
        settle=symbol.margin_asset or symbol.quote_asset,
        digits=digits,
        tick=exact_points(tick, digits),
        step=exact_sizes(lot.step_size),
        volume_min=exact_sizes(lot.min_qty),
        volume_max=exact_sizes(lot.max_qty),
        notional_min=Decimal(least.min_notional or least.notional or 0),
        contract_currency=symbol.base_asset,
        trading=symbol.status == "TRADING",
    )


def windows_of(info: frames.ExchangeInfo, names: dict[str, str]) -> list[Window]:
    """The published limits under our names: `names` maps `TYPE seconds` to them."""
    made = []
    for limit in info.rate_limits:
        seconds = _SECONDS.get(limit.interval, 0.0) * limit.interval_num
        name = names.get(f"{limit.rate_limit_type} {seconds:g}")
        if name is not None:
            made.append(Window(name, limit.limit, seconds, fixed=True))
    return made
