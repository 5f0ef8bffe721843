"""Orders and executions: Schwab's form into ours, and which of its orders is which of ours."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any, Final

import msgspec

from tradeloom.connectors.contract import (
    OrderRequest,
    Unsupported,
    VenueFill,
    VenueOrder,
)
from tradeloom.connectors.dialect import OddFrame
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.stamps import rfc3339_ns
from tradeloom.connectors.venues.schwab import frames as f
from tradeloom.connectors.venues.schwab.profile import MATCH_AFTER_S, MATCH_BEFORE_S, VENUE
from tradeloom.domain.enums import OrderState, OrderType, Side, TimeInForce

_TYPES: Final = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP",
    OrderType.STOP_LIMIT: "STOP_LIMIT",
}
_TYPES_BACK: Final = {word: kind for kind, word in _TYPES.items()}
_TIFS: Final = {
    TimeInForce.DAY: "DAY",
    TimeInForce.GTC: "GOOD_TILL_CANCEL",
    TimeInForce.FOK: "FILL_OR_KILL",
    TimeInForce.IOC: "IMMEDIATE_OR_CANCEL",
}
_TIFS_BACK: Final = {word: tif for tif, word in _TIFS.items()}
_SIDES: Final = {
    "BUY": Side.BUY,
    "BUY_TO_COVER": Side.BUY,
    "SELL": Side.SELL,
    "SELL_SHORT": Side.SELL,
}
_STATES: Final = {
    "ACCEPTED": OrderState.WORKING,
    "PENDING_ACTIVATION": OrderState.WORKING,
    "PENDING_ACKNOWLEDGEMENT": OrderState.WORKING,
    "QUEUED": OrderState.WORKING,
    "NEW": OrderState.WORKING,
    "WORKING": OrderState.WORKING,
    "PENDING_REPLACE": OrderState.WORKING,
    "PENDING_CANCEL": OrderState.CANCEL_PENDING,
    "PENDING_RECALL": OrderState.CANCEL_PENDING,
    "REJECTED": OrderState.REJECTED,
    "CANCELED": OrderState.CANCELLED,
    "FILLED": OrderState.FILLED,
    "EXPIRED": OrderState.EXPIRED,
    "REPLACED": OrderState.CANCELLED,  # by somebody else: ours are followed to their new id
}
REPLACED: Final = "REPLACED"
_IDS_KEPT: Final = 20_000


def body_of(
    request: OrderRequest, listing: Listing, held: Decimal, *, short: bool
) -> dict[str, Any]:
    """The order as Schwab takes it; `held` decides between selling and selling short."""
    if request.tif not in _TIFS:
        raise Unsupported("Schwab has no orders good till a date here: use DAY or GTC")
    if request.post_only or request.reduce_only:
        raise Unsupported("Schwab has neither post-only nor reduce-only orders")
    instruction = request.side.name
    if request.side is Side.SELL and held <= 0 and short:
        instruction = "SELL_SHORT"
    elif request.side is Side.BUY and held < 0:
        instruction = "BUY_TO_COVER"
    market = request.type is OrderType.MARKET
    body: dict[str, Any] = {
        "orderType": _TYPES[request.type],
        "session": "NORMAL",
        "duration": "DAY" if market else _TIFS[request.tif],
        "orderStrategyType": "SINGLE",
        "orderLegCollection": [
            {
                "instruction": instruction,
                "quantity": int(request.volume),
                "instrument": {"symbol": listing.wire, "assetType": "EQUITY"},
            }
        ],
    }
    if request.price is not None:
        body["price"] = price_text(request.price)
    if request.stop_price is not None:
        body["stopPrice"] = price_text(request.stop_price)
    return body


def price_text(price: Decimal) -> str:
    """A price with the cents it has, or more below a dollar."""
    return f"{price:.2f}" if price == round(price, 2) else f"{price:.4f}"


class Names:
    """Which order of the venue is which of ours. The venue keeps no client id: an order is known
    by its id from the answer of its placement, or found by symbol, side, size, price and time.
    """

    def __init__(self) -> None:
        self._wire: dict[str, str] = {}  # venue order id -> our id
        self._whole: dict[str, Decimal] = {}  # venue order id -> whole volume over replacements
        # our id -> what was sent without an id yet, and the whole volume it belongs to
        self._sought: dict[str, tuple[VenueOrder, Decimal]] = {}

    def sent(self, wire_id: str, order: VenueOrder, whole: Decimal | None = None) -> None:
        """An order left, and its id is not known. A replacement is a part of the `whole`."""
        self._sought[wire_id] = order, order.volume if whole is None else whole

    @property
    def sought(self) -> bool:
        """Whether the id of some order is not known yet."""
        return bool(self._sought)

    def unsent(self, wire_id: str) -> None:
        """It was refused: nothing of it is at the venue."""
        self._sought.pop(wire_id, None)

    def got(self, wire_id: str, venue_order_id: str, whole: Decimal) -> None:
        """Its id is known; `whole` counts what earlier ids of it filled."""
        self._sought.pop(wire_id, None)
        self._wire[venue_order_id] = wire_id
        self._whole[venue_order_id] = whole
        if len(self._wire) > _IDS_KEPT:
            oldest = next(iter(self._wire))
            self._wire.pop(oldest)
            self._whole.pop(oldest, None)

    def of(self, row: f.Order, listing: Listing) -> str:
        """Our id of an order; empty for one that is not ours."""
        known = self._wire.get(str(row.order_id))
        if known is not None:
            return known
        entered = rfc3339_ns(row.entered_time)
        for wire_id, (order, whole) in self._sought.items():
            if _same(order, row, listing, entered):
                self.got(wire_id, str(row.order_id), whole)
                return wire_id
        return ""

    def id_of(self, wire_id: str) -> str:
        """The newest venue id of ours; empty while it is not known."""
        return next((each for each, name in reversed(self._wire.items()) if name == wire_id), "")

    def earlier(self, row: f.Order) -> Decimal:
        """What earlier ids of a replaced order filled."""
        whole = self._whole.get(str(row.order_id))
        return max(whole - row.quantity, Decimal(0)) if whole is not None else Decimal(0)


def _same(order: VenueOrder, row: f.Order, listing: Listing, entered_ns: int) -> bool:
    leg = row.order_leg_collection[0] if row.order_leg_collection else f.Leg()
    age_s = (entered_ns - order.venue_ns) / 1e9
    return (
        order.symbol == listing.symbol
        and _SIDES.get(leg.instruction) is order.side
        and row.quantity == order.volume
        and _TYPES_BACK.get(row.order_type) is order.type
        and (order.price is None or row.price == order.price)
        and -MATCH_BEFORE_S <= age_s <= MATCH_AFTER_S
    )


def symbol_of(row: f.Order) -> str:
    """The ticker of an order; empty for orders of several legs or other assets."""
    legs = row.order_leg_collection
    return legs[0].instrument.symbol if len(legs) == 1 else ""


def order_of(account: str, listing: Listing, row: f.Order, names: Names) -> VenueOrder:
    """An order as it is now. Raises OddFrame."""
    state = _STATES.get(row.status)
    if state is None and row.status.startswith(("AWAITING", "PENDING")):
        state = OrderState.WORKING
    leg = row.order_leg_collection[0] if row.order_leg_collection else f.Leg()
    side = _SIDES.get(leg.instruction)
    if state is None or side is None:
        raise OddFrame(f"order {row.status[:24]} {leg.instruction[:24]}")
    wire_id, earlier = names.of(row, listing), names.earlier(row)
    filled = row.filled_quantity + earlier
    if state is OrderState.WORKING and filled:
        state = OrderState.PARTIAL
    return VenueOrder(
        venue=VENUE,
        account=account,
        client_id=wire_id,
        venue_order_id=str(row.order_id),
        symbol=listing.symbol,
        side=side,
        type=_TYPES_BACK.get(row.order_type, OrderType.LIMIT),
        tif=_TIFS_BACK.get(row.duration, TimeInForce.DAY),
        volume=row.quantity + earlier,
        filled=filled,
        price=row.price,
        average=_average(row) if not earlier else None,
        state=state,
        reason="replaced elsewhere" if row.status == REPLACED else row.status_description,
        venue_ns=rfc3339_ns(row.close_time or row.entered_time),
    )


def fills_of(account: str, listing: Listing, row: f.Order, names: Names) -> list[VenueFill]:
    """The executions of an order."""
    leg = row.order_leg_collection[0] if row.order_leg_collection else f.Leg()
    side = _SIDES.get(leg.instruction)
    if side is None:
        raise OddFrame(f"order leg {leg.instruction[:24]}")
    wire_id, now = names.of(row, listing), time.time_ns()
    return [
        VenueFill(
            venue=VENUE,
            account=account,
            trade_id=f"{row.order_id}-{activity.activity_id}-{index}",
            venue_order_id=str(row.order_id),
            client_id=wire_id,
            symbol=listing.symbol,
            side=side,
            price=each.price,
            volume=each.quantity,
            fee_currency="USD",
            venue_ns=rfc3339_ns(each.time),
            recv_ns=now,
        )
        for activity in row.order_activity_collection
        if _filled(activity)
        for index, each in enumerate(activity.execution_legs)
    ]


def _filled(activity: f.OrderActivity) -> bool:
    return activity.activity_type == "EXECUTION" and activity.execution_type == "FILL"


def _average(row: f.Order) -> Decimal | None:
    legs = [
        leg
        for activity in row.order_activity_collection
        if _filled(activity)
        for leg in activity.execution_legs
    ]
    whole = sum((leg.quantity for leg in legs), Decimal(0))
    return sum((leg.price * leg.quantity for leg in legs), Decimal(0)) / whole if whole else None


def decimal_of(text: msgspec.Raw) -> Decimal:
    """A number of an account activity: `lo` / 10^(signScale >> 1), negative if it is odd."""
    row = msgspec.json.decode(text, type=_Scaled)
    value = Decimal(row.lo or "0").scaleb(-(row.sign_scale >> 1))
    return -value if row.sign_scale & 1 else value


class _Scaled(msgspec.Struct, rename="camel"):
    lo: str | None = None
    sign_scale: int = 0
