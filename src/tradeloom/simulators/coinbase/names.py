"""Products of Coinbase, and the names of orders and executions."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Final

from tradeloom.domain.market import InstrumentKind, VenueInstrument
from tradeloom.simulators.references import reference, split

SYMBOLS: Final = ("BTCUSD", "ETHUSD", "SOLUSD", "XRPUSD", "LTCUSD")
# Price decimals where they are not those of the references: the recording's products.
_DIGITS: Final = {
    "NMREUR": 4, "YFIBTC": 5, "NUGBP": 4, "BANDBTC": 8, "SKLGBP": 4, "SKLUSD": 4, "CRVEUR": 4,
    "BANDGBP": 4, "DASHBTC": 8, "SKLBTC": 8,
}  # fmt: skip


def listed(venue: str, symbol: str) -> VenueInstrument:
    """One of our symbols as an instrument. Raises ValueError."""
    base, quote = split(symbol)
    known = reference(base)
    return VenueInstrument(
        venue=venue,
        symbol=f"{base}{quote}",
        wire=f"{base}-{quote}",
        kind=InstrumentKind.SPOT,
        base=base,
        quote=quote,
        settle=quote,
        digits=_DIGITS.get(f"{base}{quote}", known.price_digits),
        tick=1,
        step=1,
        volume_min=10 ** (8 - known.size_digits),
        volume_max=10**9 * 10**8,
        notional_min=Decimal(1),
        contract_currency=base,
    )


def order_name(number: int) -> str:
    """An order's number as a UUID."""
    return str(uuid.UUID(int=number))


def order_number(name: str) -> int:
    """The number behind an order's name; 0, which no order has, for what is no name."""
    try:
        return uuid.UUID(name).int
    except ValueError:
        return 0


def execution_name(trade_id: int, order_id: int) -> str:
    """A name for one side of a trade."""
    return str(uuid.UUID(int=order_id << 64 | trade_id))
