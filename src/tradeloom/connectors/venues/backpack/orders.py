"""Orders, executions, positions and money: Backpack's form into ours."""

from __future__ import annotations

import zlib
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
from tradeloom.connectors.stamps import rfc3339_ns
from tradeloom.connectors.venues.backpack import frames as f
from tradeloom.connectors.venues.backpack.profile import VENUE
from tradeloom.domain.enums import OrderState, OrderType, Side, TimeInForce
from tradeloom.domain.market import InstrumentKind, VenueInstrument

_SIDES: Final = {"Bid": Side.BUY, "Ask": Side.SELL}
_SIDE_NAMES: Final = {Side.BUY: "Bid", Side.SELL: "Ask"}
_TIFS: Final = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
_TIFS_BACK: Final = {word: tif for tif, word in _TIFS.items()}
_STATES: Final = {
    "New": OrderState.WORKING,
    "PartiallyFilled": OrderState.PARTIAL,
    "Filled": OrderState.FILLED,
    "Cancelled": OrderState.CANCELLED,
    "Expired": OrderState.EXPIRED,
    "TriggerPending": OrderState.WORKING,
    "TriggerFailed": OrderState.REJECTED,
}


def instrument_of(row: f.Market) -> VenueInstrument | None:
    """A spot market or perpetual as ours; None for anything else."""
    if row.market_type not in ("SPOT", "PERP"):
        return None
    perpetual = row.market_type == "PERP"
    price, quantity = row.filters.price, row.filters.quantity
    digits = digits_of(price.tick_size)
    name = f"{row.base_symbol}{row.quote_symbol}"
    return VenueInstrument(
        venue=VENUE,
        symbol=f"{name}-PERP" if perpetual else name,
        wire=row.symbol,
        kind=InstrumentKind.PERPETUAL if perpetual else InstrumentKind.SPOT,
        base=row.base_symbol,
        quote=row.quote_symbol,
        settle=row.quote_symbol,
        digits=digits,
        tick=exact_points(price.tick_size, digits),
        step=exact_sizes(quantity.step_size),
        volume_min=exact_sizes(quantity.min_quantity or "0"),
        volume_max=exact_sizes(quantity.max_quantity or "0"),
        contract_currency=row.base_symbol,
        trading=row.order_book_state == "Open",
    )


def wire_id(client_id: str) -> str:
    """Our id as one of the venue's 32-bit numbers; never 0."""
    return str(zlib.crc32(client_id.encode()) or 1)


def terms(request: OrderRequest, listing: Listing, wire_id: str) -> dict[str, Any]:
    """The parameters of a new order. Raises Unsupported."""
    if request.tif not in _TIFS:
        raise Unsupported("Backpack has GTC, IOC and FOK orders only")
    market = request.type in (OrderType.MARKET, OrderType.STOP)
    params: dict[str, Any] = {
        "clientId": int(wire_id),
        "orderType": "Market" if market else "Limit",
        "side": _SIDE_NAMES[request.side],
        "symbol": listing.wire,
    }
    if request.stop_price is not None:
        params["triggerPrice"] = f"{request.stop_price:f}"
        params["triggerQuantity"] = f"{request.volume:f}"
        params["triggerBy"] = "LastPrice"
    else:
        params["quantity"] = f"{request.volume:f}"
    if request.price is not None:
        params["price"] = f"{request.price:f}"
        params["timeInForce"] = _TIFS[request.tif]
    if request.post_only:
        params["postOnly"] = True
    if request.reduce_only:
        params["reduceOnly"] = True
    return params


def from_reply(account: str, listing: Listing, row: f.Order) -> VenueOrder:
    """An order of a REST answer."""
    filled = row.executed_quantity or Decimal(0)
    worth = row.executed_quote_quantity or Decimal(0)
    stop = row.trigger_price is not None
    return VenueOrder(
        venue=VENUE,
        account=account,
        client_id=str(row.client_id) if row.client_id is not None else "",
        venue_order_id=row.id,
        symbol=listing.symbol,
        side=_side(row.side),
        type=_type(row.order_type, stop),
        tif=_TIFS_BACK.get(row.time_in_force, TimeInForce.GTC),
        volume=row.quantity or row.trigger_quantity or Decimal(0),
        filled=filled,
        price=row.price,
        average=worth / filled if filled and worth else None,
        state=_state(row.status, filled),
        reason=row.expiry_reason or "",
        venue_ns=_created_ns(row.created_at),
    )


def from_update(account: str, listing: Listing, row: f.OrderUpdate) -> VenueOrder:
    """An order of the account's stream."""
    filled = row.z or Decimal(0)
    worth = row.Z or Decimal(0)
    return VenueOrder(
        venue=VENUE,
        account=account,
        client_id=str(row.c) if row.c is not None else "",
        venue_order_id=str(row.i),
        symbol=listing.symbol,
        side=_side(row.S),
        type=_type(row.o, row.P is not None),
        tif=_TIFS_BACK.get(row.f, TimeInForce.GTC),
        volume=row.q or Decimal(0),
        filled=filled,
        price=row.p,
        average=worth / filled if filled and worth else None,
        state=_state(row.X, filled),
        reason=row.R or "",
        venue_ns=(row.T or row.E) * 1_000,
    )


def fill_of_update(account: str, listing: Listing, row: f.OrderUpdate, recv_ns: int) -> VenueFill:
    """The execution in an orderFill. Raises OddFrame when it lacks one."""
    if row.t is None or row.l is None or row.L is None:
        raise OddFrame("orderFill without an execution")
    return VenueFill(
        venue=VENUE,
        account=account,
        trade_id=str(row.t),
        venue_order_id=str(row.i),
        client_id=str(row.c) if row.c is not None else "",
        symbol=listing.symbol,
        side=_side(row.S),
        price=row.L,
        volume=row.l,
        fee=row.n or Decimal(0),
        fee_currency=row.N or "",
        maker=row.m,
        venue_ns=(row.T or row.E) * 1_000,
        recv_ns=recv_ns,
    )


def fill_of(account: str, listing: Listing, row: f.Fill, recv_ns: int) -> VenueFill:
    """An execution of the history."""
    return VenueFill(
        venue=VENUE,
        account=account,
        trade_id=str(row.trade_id),
        venue_order_id=row.order_id,
        client_id=str(row.client_id) if row.client_id is not None else "",
        symbol=listing.symbol,
        side=_side(row.side),
        price=row.price,
        volume=row.quantity,
        fee=row.fee,
        fee_currency=row.fee_symbol,
        maker=row.is_maker,
        venue_ns=utc_ns(row.timestamp),
        recv_ns=recv_ns,
    )


def balance_of(account: str, currency: str, row: f.Capital, now_ns: int) -> VenueBalance:
    """Money of one asset; what is staked cannot be spent."""
    return VenueBalance(
        venue=VENUE,
        account=account,
        currency=currency,
        total=row.available + row.locked + row.staked,
        free=row.available,
        venue_ns=now_ns,
    )


def position_of(
    account: str,
    listing: Listing,
    volume: Decimal,
    entry: Decimal | None,
    gain: Decimal | None,
    now_ns: int,
) -> VenuePosition:
    """A position; the quantity carries its sign."""
    return VenuePosition(
        venue=VENUE,
        account=account,
        symbol=listing.symbol,
        volume=volume,
        entry_price=entry if volume else None,
        unrealised=gain,
        venue_ns=now_ns,
    )


def utc_ns(text: str) -> int:
    """`2025-07-27T17:39:00.092` or `2025-07-19 13:09:00`, which are UTC, as nanoseconds."""
    plain = text.replace(" ", "T")
    return rfc3339_ns(plain if plain.endswith("Z") else f"{plain}Z")


def _created_ns(value: int | str) -> int:
    return value * 1_000_000 if isinstance(value, int) else utc_ns(value)


def _side(word: str) -> Side:
    side = _SIDES.get(word)
    if side is None:
        raise OddFrame(f"side {word[:24]}")
    return side


def _state(word: str, filled: Decimal) -> OrderState:
    state = _STATES.get(word)
    if state is None:
        raise OddFrame(f"order status {word[:24]}")
    return OrderState.PARTIAL if state is OrderState.WORKING and filled else state


def _type(word: str, stop: bool) -> OrderType:
    market = word.upper() == "MARKET"
    if stop:
        return OrderType.STOP if market else OrderType.STOP_LIMIT
    return OrderType.MARKET if market else OrderType.LIMIT
