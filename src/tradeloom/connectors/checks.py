"""What is wrong with an order before it is sent: cheaper and clearer than the venue's refusal."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from tradeloom.connectors.contract import OrderRequest
from tradeloom.connectors.scaling import price_text, size_text
from tradeloom.domain.enums import OrderType, ReturnCode, TimeInForce
from tradeloom.domain.market import SIZE_SCALE, VenueInstrument

CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_PRICED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_STOPS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


class Fault(NamedTuple):
    """A refusal of ours: which field, and what to do."""

    code: ReturnCode
    field: str
    message: str


def fault_of(request: OrderRequest, instrument: VenueInstrument) -> Fault | None:
    """The first fault of an order for this instrument."""
    if not CLIENT_ID.fullmatch(request.client_id):
        return Fault(
            ReturnCode.ERR_PARAMS, "client_id", "use 1 to 32 of the characters A-Z a-z 0-9 _ -"
        )
    if not instrument.trading:
        name = instrument.symbol
        return Fault(ReturnCode.TRADE_MARKET_CLOSED, "symbol", f"{name} does not trade now")
    return (
        volume_fault(request.volume, instrument)
        or _price_faults(request, instrument)
        or _notional_fault(request, instrument)
        or _terms_fault(request)
    )


def volume_fault(volume: Decimal, instrument: VenueInstrument) -> Fault | None:
    """What is wrong with a volume."""
    code = ReturnCode.TRADE_BAD_VOLUME
    if not volume.is_finite() or volume <= 0:
        return Fault(code, "volume", "must be more than zero")
    units = volume * SIZE_SCALE
    if instrument.step and units % instrument.step:
        step = size_text(instrument.step)
        return Fault(code, "volume", f"{volume} is not a multiple of the step {step}")
    if instrument.volume_min and units < instrument.volume_min:
        return Fault(code, "volume", f"below the minimum {size_text(instrument.volume_min)}")
    if instrument.volume_max and units > instrument.volume_max:
        return Fault(code, "volume", f"above the maximum {size_text(instrument.volume_max)}")
    return None


def price_fault(price: Decimal, field: str, instrument: VenueInstrument) -> Fault | None:
    """What is wrong with a price."""
    code = ReturnCode.TRADE_BAD_PRICES
    if not price.is_finite() or price <= 0:
        return Fault(code, field, "must be more than zero")
    if price.scaleb(instrument.digits) % max(instrument.tick, 1):
        tick = price_text(instrument.tick, instrument.digits)
        return Fault(code, field, f"{price} is not a multiple of the tick {tick}")
    return None


def _price_faults(request: OrderRequest, instrument: VenueInstrument) -> Fault | None:
    for wanted, price, field in (
        (request.type in _PRICED, request.price, "price"),
        (request.type in _STOPS, request.stop_price, "stop_price"),
    ):
        if price is None:
            if wanted:
                kind = request.type.name.lower()
                return Fault(ReturnCode.TRADE_BAD_PRICES, field, f"a {kind} order needs one")
            continue
        if not wanted:
            kind = request.type.name.lower()
            return Fault(ReturnCode.TRADE_BAD_PRICES, field, f"a {kind} order has none")
        fault = price_fault(price, field, instrument)
        if fault is not None:
            return fault
    return None


def _notional_fault(request: OrderRequest, instrument: VenueInstrument) -> Fault | None:
    if not instrument.notional_min or request.price is None or instrument.inverse:
        return None
    notional = request.price * request.volume * instrument.contract_size
    if notional >= instrument.notional_min:
        return None
    least = f"{instrument.notional_min} {instrument.quote}"
    return Fault(ReturnCode.TRADE_BAD_VOLUME, "volume", f"worth less than the least, {least}")


def _terms_fault(request: OrderRequest) -> Fault | None:
    if request.tif is TimeInForce.GTD and request.expire_ns <= 0:
        return Fault(ReturnCode.TRADE_EXPIRATION_DENIED, "expire_ns", "a GTD order needs its end")
    if request.post_only and (
        request.type not in _PRICED or request.tif in (TimeInForce.IOC, TimeInForce.FOK)
    ):
        return Fault(ReturnCode.TRADE_INCORRECT_CMD, "post_only", "only for resting limit orders")
    return None
