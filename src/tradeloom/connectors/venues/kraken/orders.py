"""Orders, fills and money of Kraken in the words of the contract."""

from __future__ import annotations

import uuid
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from tradeloom.connectors.contract import OrderRequest, Unsupported, VenueFill, VenueOrder
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.stamps import rfc3339_ns, rfc3339_text
from tradeloom.connectors.venues.kraken import frames
from tradeloom.domain.enums import OrderState, OrderType, Side, TimeInForce

_SPACE: Final = uuid.UUID("6f1b2c1e-6c3f-5f0a-9a55-0d2f2b8a7c11")
_TYPES: Final = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop-loss",
    OrderType.STOP_LIMIT: "stop-loss-limit",
}
_OURS: Final = {name: kind for kind, name in _TYPES.items()} | {
    "take-profit": OrderType.STOP,
    "trailing-stop": OrderType.STOP,
    "take-profit-limit": OrderType.STOP_LIMIT,
    "trailing-stop-limit": OrderType.STOP_LIMIT,
    "iceberg": OrderType.LIMIT,
    "settle-position": OrderType.MARKET,
}
_TIFS: Final = {
    TimeInForce.GTC: "gtc",
    TimeInForce.GTD: "gtd",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
}
_TIFS_BACK: Final = {name: tif for tif, name in _TIFS.items()}
STATES: Final = {
    "pending_new": OrderState.ROUTED,
    "new": OrderState.WORKING,
    "partially_filled": OrderState.PARTIAL,
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "triggered": OrderState.TRIGGERED,
    "rejected": OrderState.REJECTED,
}
_REST_STATES: Final = {
    "pending": OrderState.ROUTED,
    "open": OrderState.WORKING,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
}
_PRICED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})


def wire_id(client_id: str, text_max: int) -> str:
    """`cl_ord_id` takes up to 18 characters, or a UUID: longer ids become one, always the same."""
    return client_id if len(client_id) <= text_max else str(uuid.uuid5(_SPACE, client_id))


def number(value: Decimal) -> msgspec.Raw:
    """A JSON number as it is written, without exponent."""
    return msgspec.Raw(format(value, "f").encode())


def terms(request: OrderRequest, listing: Listing, wire: str) -> dict[str, Any]:
    """The parameters of add_order. Raises Unsupported."""
    if request.tif not in _TIFS:
        raise Unsupported("Kraken has no DAY orders: use GTD with the end of your day")
    if request.reduce_only:
        raise Unsupported("reduce-only is for margin positions, and this account trades spot")
    params: dict[str, Any] = {
        "order_type": _TYPES[request.type],
        "side": request.side.name.lower(),
        "symbol": listing.wire,
        "order_qty": number(request.volume),
        "cl_ord_id": wire,
    }
    if request.price is not None:
        params["limit_price"] = number(request.price)
        params["time_in_force"] = _TIFS[request.tif]
    if request.stop_price is not None:
        params["triggers"] = {"reference": "last", "price": number(request.stop_price)}
    if request.tif is TimeInForce.GTD:
        params["expire_time"] = rfc3339_text(request.expire_ns)
    if request.post_only:
        params["post_only"] = True
    return params


def from_execution(
    known: VenueOrder | None, venue: str, account: str, listing: Listing, row: frames.Execution
) -> VenueOrder:
    """An execution on top of what was known: fields that did not change are not sent again."""
    price = row.limit_price or (known.price if known else None)
    return VenueOrder(
        venue=venue,
        account=account,
        client_id=row.cl_ord_id or (known.client_id if known else ""),
        venue_order_id=row.order_id,
        symbol=listing.symbol,
        side=_side(row.side) if row.side or known is None else known.side,
        type=_OURS.get(row.order_type, known.type if known else OrderType.LIMIT),
        tif=_TIFS_BACK.get(row.time_in_force.lower(), known.tif if known else TimeInForce.GTC),
        volume=row.order_qty or (known.volume if known else Decimal(0)),
        filled=_or(row.cum_qty, known.filled if known else Decimal(0)),
        price=price,
        average=row.avg_price or (known.average if known else None),
        state=_state(row, known),
        reason=row.reason or "",
        venue_ns=rfc3339_ns(row.timestamp),
    )


def fill_of(order: VenueOrder, row: frames.Execution, recv_ns: int) -> VenueFill | None:
    """The execution of a trade; None when it lacks what a fill must have."""
    if not row.exec_id or row.last_qty is None or row.last_price is None:
        return None
    return VenueFill(
        venue=order.venue,
        account=order.account,
        trade_id=row.exec_id,
        venue_order_id=row.order_id,
        client_id=order.client_id,
        symbol=order.symbol,
        side=order.side,
        price=row.last_price,
        volume=row.last_qty,
        fee=sum((fee.qty for fee in row.fees), Decimal(0)),
        fee_currency=row.fees[0].asset if row.fees else "",
        maker={"m": True, "t": False}.get(row.liquidity_ind),
        venue_ns=rfc3339_ns(row.timestamp),
        recv_ns=recv_ns,
    )


def from_rest(
    venue: str, account: str, order_id: str, listing: Listing, row: frames.Order
) -> VenueOrder:
    """An order of OpenOrders, ClosedOrders or QueryOrders."""
    kind = _OURS.get(row.descr.ordertype, OrderType.LIMIT)
    state = _REST_STATES.get(row.status, OrderState.WORKING)
    if state is OrderState.WORKING and row.vol_exec:
        state = OrderState.PARTIAL
    elif state is OrderState.FILLED and row.vol_exec < row.vol:
        state = OrderState.CANCELLED
    limit = row.descr.price2 if kind is OrderType.STOP_LIMIT else row.descr.price
    return VenueOrder(
        venue=venue,
        account=account,
        client_id=row.cl_ord_id or "",
        venue_order_id=order_id,
        symbol=listing.symbol,
        side=_side(row.descr.type),
        type=kind,
        tif=TimeInForce.GTD if row.expiretm else TimeInForce.GTC,
        volume=row.vol,
        filled=row.vol_exec,
        price=_price(limit) if kind in _PRICED else None,
        average=row.price or None,
        state=state,
        reason=row.reason or "",
        venue_ns=seconds_ns(row.closetm or row.opentm),
    )


def fill_of_history(
    venue: str, account: str, trade_id: str, listing: Listing, row: frames.MyTrade, recv_ns: int
) -> VenueFill:
    """An execution of TradesHistory or QueryTrades."""
    return VenueFill(
        venue=venue,
        account=account,
        trade_id=trade_id,
        venue_order_id=row.ordertxid,
        client_id="",
        symbol=listing.symbol,
        side=_side(row.type),
        price=row.price,
        volume=row.vol,
        fee=row.fee,
        fee_currency=listing.instrument.quote,
        maker=row.maker,
        venue_ns=seconds_ns(row.time),
        recv_ns=recv_ns,
    )


def seconds_ns(seconds: float) -> int:
    """Unix seconds with decimals, as Kraken writes them by REST."""
    return int(Decimal(repr(seconds)).scaleb(9))


def _side(word: str) -> Side:
    return {"buy": Side.BUY, "sell": Side.SELL}[word]


def _or(value: Decimal | None, other: Decimal) -> Decimal:
    return other if value is None else value


def _state(row: frames.Execution, known: VenueOrder | None) -> OrderState:
    if row.order_status:
        return STATES[row.order_status]
    if row.exec_type in STATES:
        return STATES[row.exec_type]
    return known.state if known else OrderState.WORKING


def _price(text: str) -> Decimal | None:
    """A price; None for an offset such as `+50.0000%`."""
    if text.startswith(("+", "-", "#")) or text.endswith("%"):
        return None
    try:
        return Decimal(text) or None
    except InvalidOperation:
        return None
