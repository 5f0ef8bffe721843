"""Orders, executions, positions and money: Deribit's form into ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from tradeloom.connectors.contract import (
    OrderRequest,
    Unsupported,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenuePosition,
)
from tradeloom.connectors.dialect import OddFrame
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.scaling import digits_of, exact_points, exact_sizes
from tradeloom.connectors.venues.deribit import frames as f
from tradeloom.connectors.venues.deribit.profile import VENUE
from tradeloom.domain.enums import OrderState, OrderType, Side, TimeInForce
from tradeloom.domain.market import InstrumentKind, VenueInstrument

_MS: Final = 1_000_000
_TYPES: Final = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop_market",
    OrderType.STOP_LIMIT: "stop_limit",
}
_TYPES_BACK: Final = {
    "market": OrderType.MARKET,
    "market_limit": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop_market": OrderType.STOP,
    "take_market": OrderType.STOP,
    "trailing_stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "take_limit": OrderType.STOP_LIMIT,
}
_TIFS: Final = {
    TimeInForce.GTC: "good_til_cancelled",
    TimeInForce.DAY: "good_til_day",
    TimeInForce.IOC: "immediate_or_cancel",
    TimeInForce.FOK: "fill_or_kill",
}
_TIFS_BACK: Final = {word: tif for tif, word in _TIFS.items()}
_STATES: Final = {
    "open": OrderState.WORKING,
    "untriggered": OrderState.WORKING,
    "triggered": OrderState.TRIGGERED,
    "filled": OrderState.FILLED,
    "cancelled": OrderState.CANCELLED,
    "rejected": OrderState.REJECTED,
}


def instrument_of(row: f.Instrument) -> VenueInstrument | None:
    """A perpetual as ours; None for anything else."""
    if row.settlement_period != "perpetual":
        return None
    inverse = "_" not in row.instrument_name
    base = row.base_currency
    quote = row.counter_currency or row.quote_currency
    if inverse:
        quote = "USD"
    digits = digits_of(row.tick_size)
    return VenueInstrument(
        venue=VENUE,
        symbol=f"{base}{quote}-PERP",
        wire=row.instrument_name,
        kind=InstrumentKind.PERPETUAL,
        base=base,
        quote=quote,
        settle=row.settlement_currency or (base if inverse else quote),
        digits=digits,
        tick=exact_points(row.tick_size, digits),
        step=exact_sizes(row.contract_size),
        volume_min=exact_sizes(row.min_trade_amount),
        contract_currency="USD" if inverse else base,
        inverse=inverse,
        trading=row.is_active,
    )


def terms(request: OrderRequest, listing: Listing, wire_id: str) -> dict[str, Any]:
    """The parameters of buy and sell. Raises Unsupported."""
    if request.tif not in _TIFS:
        raise Unsupported("Deribit has no orders good till a date: use GTC or DAY")
    params: dict[str, Any] = {
        "instrument_name": listing.wire,
        "amount": request.volume,
        "type": _TYPES[request.type],
        "label": wire_id,
    }
    if request.type in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        params["time_in_force"] = _TIFS[request.tif]
    if request.price is not None:
        params["price"] = request.price
    if request.stop_price is not None:
        params["trigger_price"] = request.stop_price
        params["trigger"] = "last_price"
    if request.post_only:
        params["post_only"] = True
        params["reject_post_only"] = True
    if request.reduce_only:
        params["reduce_only"] = True
    return params


def order_of(account: str, listing: Listing, row: f.Order) -> VenueOrder:
    """An order as it is now; its client id is the label. Raises OddFrame."""
    state = _STATES.get(row.order_state)
    if state is None:
        raise OddFrame(f"order state {row.order_state[:24]}")
    filled = row.filled_amount or Decimal(0)
    if state is OrderState.WORKING and filled:
        state = OrderState.PARTIAL
    price = bytes(row.price)
    named = price in (b"null", b"") or price.startswith(b'"')
    return VenueOrder(
        venue=VENUE,
        account=account,
        client_id=row.label,
        venue_order_id=row.order_id,
        symbol=listing.symbol,
        side=_side(row.direction),
        type=_TYPES_BACK.get(row.order_type, OrderType.LIMIT),
        tif=_TIFS_BACK.get(row.time_in_force, TimeInForce.GTC),
        volume=row.amount or Decimal(0),
        filled=filled,
        price=None if named else Decimal(price.decode()),
        average=row.average_price if filled and row.average_price else None,
        state=state,
        reason=row.reject_reason or row.cancel_reason,
        venue_ns=row.last_update_timestamp * _MS,
    )


def fill_of(account: str, listing: Listing, row: f.UserTrade, recv_ns: int) -> VenueFill:
    """One of our executions; a negative fee is a rebate."""
    return VenueFill(
        venue=VENUE,
        account=account,
        trade_id=row.trade_id,
        venue_order_id=row.order_id,
        client_id=row.label,
        symbol=listing.symbol,
        side=_side(row.direction),
        price=row.price,
        volume=row.amount,
        fee=row.fee,
        fee_currency=row.fee_currency,
        maker={"M": True, "T": False}.get(row.liquidity),
        venue_ns=row.timestamp * _MS,
        recv_ns=recv_ns,
    )


def position_of(account: str, listing: Listing, row: f.Position, now_ns: int) -> VenuePosition:
    """A position; the size carries its sign already."""
    return VenuePosition(
        venue=VENUE,
        account=account,
        symbol=listing.symbol,
        volume=row.size,
        entry_price=row.average_price or None,
        unrealised=row.floating_profit_loss,
        venue_ns=now_ns,
    )


def balance_of(account: str, row: f.Portfolio, now_ns: int) -> VenueBalance:
    """Money of one currency, without what open positions would realise."""
    return VenueBalance(
        venue=VENUE,
        account=account,
        currency=row.currency.upper(),
        total=row.balance,
        free=row.available_funds,
        venue_ns=now_ns,
    )


def _side(direction: str) -> Side:
    if direction not in ("buy", "sell"):
        raise OddFrame(f"direction {direction[:24]}")
    return Side.BUY if direction == "buy" else Side.SELL
