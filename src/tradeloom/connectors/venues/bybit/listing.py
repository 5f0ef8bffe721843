"""instruments-info as instruments."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tradeloom.connectors.scaling import digits_of, exact_points, exact_sizes
from tradeloom.connectors.venues.bybit import frames
from tradeloom.domain.market import InstrumentKind, VenueInstrument

# Larger sizes than this do not fit 1e-8 units, and nobody trades them.
_SIZE_MAX: Final = Decimal(10**10)


def instrument_of(venue: str, row: frames.Instrument) -> VenueInstrument | None:
    """A spot pair or a linear perpetual; None for other contracts."""
    perpetual = row.contract_type == "LinearPerpetual"
    if row.contract_type and not perpetual:
        return None
    lot, tick = row.lot_size_filter, row.price_filter.tick_size
    digits = digits_of(tick)
    most = Decimal(lot.max_limit_order_qty or lot.max_order_qty or 0)
    name = f"{row.base_coin}{row.quote_coin}"
    return VenueInstrument(
        venue=venue,
        symbol=f"{name}-PERP" if perpetual else name,
        wire=row.symbol,
        kind=InstrumentKind.PERPETUAL if perpetual else InstrumentKind.SPOT,
        base=row.base_coin,
        quote=row.quote_coin,
        settle=row.settle_coin or row.quote_coin,
        digits=digits,
        tick=exact_points(tick, digits),
        step=exact_sizes(lot.qty_step or lot.base_precision or "0"),
        volume_min=exact_sizes(lot.min_order_qty),
        volume_max=exact_sizes(most) if most < _SIZE_MAX else 0,
        notional_min=Decimal(lot.min_order_amt or lot.min_notional_value or 0),
        contract_currency=row.base_coin,
        trading=row.status == "Trading",
    )
