"""/public/instruments as instruments."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tradeloom.connectors.scaling import digits_of, exact_points, exact_sizes
from tradeloom.connectors.venues.okx import frames
from tradeloom.domain.market import InstrumentKind, VenueInstrument

# Larger sizes than this do not fit 1e-8 units, and nobody trades them.
_SIZE_MAX: Final = Decimal(10**10)


def instrument_of(venue: str, row: frames.Instrument) -> VenueInstrument | None:
    """A spot pair or a swap; None for one that is announced, with no steps yet."""
    if not row.tick_sz or not row.lot_sz:
        return None
    swap = bool(row.ct_val)
    base, quote = row.base_ccy, row.quote_ccy
    if swap:
        base, _, quote = (
            row.uly or row.inst_family or row.inst_id.removesuffix("-SWAP")
        ).partition("-")
    digits = digits_of(row.tick_sz)
    most = Decimal(row.max_lmt_sz or 0)
    name = f"{base}{quote}"
    return VenueInstrument(
        venue=venue,
        symbol=f"{name}-PERP" if swap else name,
        wire=row.inst_id,
        kind=InstrumentKind.PERPETUAL if swap else InstrumentKind.SPOT,
        base=base,
        quote=quote,
        settle=row.settle_ccy or quote,
        digits=digits,
        tick=exact_points(row.tick_sz, digits),
        step=exact_sizes(row.lot_sz),
        volume_min=exact_sizes(row.min_sz or "0"),
        volume_max=exact_sizes(most) if most < _SIZE_MAX else 0,
        contract_size=Decimal(row.ct_val) * Decimal(row.ct_mult or 1) if swap else Decimal(1),
        contract_currency=row.ct_val_ccy or base,
        inverse=row.ct_type == "inverse",
        trading=row.state == "live",
        wire_code=row.inst_id_code,
    )
