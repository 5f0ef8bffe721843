"""Orders, fills and money of Coinbase in the words of the contract."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any, Final

from tradeloom.connectors.contract import OrderRequest, Unsupported, VenueFill, VenueOrder
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.stamps import rfc3339_ns, rfc3339_text
from tradeloom.connectors.venues.coinbase import frames
from tradeloom.domain.enums import OrderState, OrderType, Side, TimeInForce

_SPACE: Final = uuid.UUID("0f8a9c1e-3b52-5d1f-8c77-61e2a4f5d920")
STATES: Final = {
    "PENDING": OrderState.ROUTED,
    "QUEUED": OrderState.ROUTED,
    "OPEN": OrderState.WORKING,
    "EDIT_QUEUED": OrderState.WORKING,
    "CANCEL_QUEUED": OrderState.CANCEL_PENDING,
    "FILLED": OrderState.FILLED,
    "CANCELLED": OrderState.CANCELLED,
    "EXPIRED": OrderState.EXPIRED,
    "FAILED": OrderState.REJECTED,
}
_ENDED: Final = frozenset({OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED})
_TIFS: Final = {
    "GOOD_UNTIL_CANCELLED": TimeInForce.GTC,
    "GOOD_UNTIL_DATE_TIME": TimeInForce.GTD,
    "IMMEDIATE_OR_CANCEL": TimeInForce.IOC,
    "FILL_OR_KILL": TimeInForce.FOK,
}


def wire_id(client_id: str) -> str:
    """Coinbase wants a UUID: one is made from ours, always the same."""
    return str(uuid.uuid5(_SPACE, client_id))


def configuration(request: OrderRequest) -> dict[str, dict[str, Any]]:
    """The kind of order and its figures. Raises Unsupported."""
    if request.reduce_only:
        raise Unsupported("reduce-only is for futures, and this account trades spot")
    if request.type is OrderType.STOP:
        raise Unsupported("Coinbase has no stop market orders: use a stop limit order")
    figures: dict[str, Any] = {"base_size": text(request.volume)}
    if request.type is OrderType.MARKET:
        return {"market_market_ioc": figures}
    if request.price is not None:
        figures["limit_price"] = text(request.price)
    if request.tif is TimeInForce.GTD:
        figures["end_time"] = rfc3339_text(request.expire_ns)
    if request.type is OrderType.STOP_LIMIT and request.stop_price is not None:
        up = request.side is Side.BUY
        figures["stop_price"] = text(request.stop_price)
        figures["stop_direction"] = f"STOP_DIRECTION_STOP_{'UP' if up else 'DOWN'}"
        return {f"stop_limit_stop_limit_{_suffix(request.tif, ('GTC', 'GTD'))}": figures}
    suffix = _suffix(request.tif, ("GTC", "GTD", "IOC", "FOK"))
    if suffix == "ioc":
        return {"sor_limit_ioc": figures}
    if suffix != "fok":
        figures["post_only"] = request.post_only
    return {f"limit_limit_{suffix}": figures}


def _suffix(tif: TimeInForce, offered: tuple[str, ...]) -> str:
    if tif.name not in offered:
        raise Unsupported(f"Coinbase offers {', '.join(offered)} here")
    return tif.name.lower()


def text(value: Decimal) -> str:
    """A decimal without exponent."""
    return format(value, "f")


def from_user(
    venue: str, account: str, listing: Listing, row: frames.UserOrder, venue_ns: int
) -> VenueOrder:
    """News of an order: cumulative figures."""
    filled, left = Decimal(row.cumulative_quantity or 0), Decimal(row.leaves_quantity or 0)
    state = STATES[row.status]
    if state is OrderState.WORKING and filled:
        state = OrderState.PARTIAL
    # What is left of an ended order may be told as 0: its volume is not the sum then.
    volume = Decimal(0) if state in _ENDED and not left else filled + left
    kind = row.order_type.replace(" ", "_").upper()
    return VenueOrder(
        venue=venue,
        account=account,
        client_id=row.client_order_id,
        venue_order_id=row.order_id,
        symbol=listing.symbol,
        side=side(row.order_side),
        type=_kind(kind),
        tif=_TIFS.get(row.time_in_force, TimeInForce.GTC),
        volume=volume,
        filled=filled,
        price=Decimal(row.limit_price) if row.limit_price else None,
        average=Decimal(row.avg_price or 0) or None,
        state=state,
        reason=row.cancel_reason or row.reject_reason,
        venue_ns=venue_ns,
    )


def from_rest(venue: str, account: str, listing: Listing, row: frames.Order) -> VenueOrder:
    """An order of a query."""
    terms = next(iter((row.order_configuration or {}).values()), frames.Terms())
    filled = Decimal(row.filled_size or 0)
    state = STATES.get(row.status, OrderState.WORKING)
    if state is OrderState.WORKING and filled:
        state = OrderState.PARTIAL
    volume = Decimal(terms.base_size or 0)
    if not volume and state is OrderState.FILLED:
        volume = filled  # ordered for an amount of money
    return VenueOrder(
        venue=venue,
        account=account,
        client_id=row.client_order_id,
        venue_order_id=row.order_id,
        symbol=listing.symbol,
        side=side(row.side),
        type=_kind(row.order_type),
        tif=_TIFS.get(row.time_in_force, TimeInForce.GTC),
        volume=volume,
        filled=filled,
        price=Decimal(terms.limit_price) if terms.limit_price else None,
        average=Decimal(row.average_filled_price or 0) or None,
        state=state,
        reason=row.reject_message or row.cancel_message,
        venue_ns=rfc3339_ns(row.last_fill_time or row.created_time),
    )


def fill_of(
    venue: str, account: str, listing: Listing, row: frames.Fill, recv_ns: int
) -> VenueFill:
    """An execution."""
    volume = row.size / row.price if row.size_in_quote and row.price else row.size
    return VenueFill(
        venue=venue,
        account=account,
        trade_id=row.trade_id,
        venue_order_id=row.order_id,
        client_id="",
        symbol=listing.symbol,
        side=side(row.side),
        price=row.price,
        volume=volume.quantize(Decimal("1e-8")) if row.size_in_quote else volume,
        fee=row.commission,
        fee_currency=listing.instrument.quote,
        maker={"MAKER": True, "TAKER": False}.get(row.liquidity_indicator),
        venue_ns=rfc3339_ns(row.trade_time),
        recv_ns=recv_ns,
    )


def side(word: str) -> Side:
    """BUY or SELL."""
    return {"BUY": Side.BUY, "SELL": Side.SELL}[word]


def _kind(word: str) -> OrderType:
    if word == "STOP_LIMIT":
        return OrderType.STOP_LIMIT
    return OrderType.MARKET if word == "MARKET" else OrderType.LIMIT
