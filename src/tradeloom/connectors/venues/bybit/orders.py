"""Orders, fills, money and positions of Bybit in the words of the contract."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tradeloom.connectors.contract import (
    OrderRequest,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenuePosition,
)
from tradeloom.connectors.dialect import OddFrame, Refusal
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.venues.bybit import frames
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce
from tradeloom.domain.market import InstrumentKind

MS: Final = 1_000_000
_NONE: Final = Decimal(0)
_STATES: Final = {
    "Created": OrderState.ROUTED,
    "New": OrderState.WORKING,
    "PartiallyFilled": OrderState.PARTIAL,
    "Filled": OrderState.FILLED,
    "Cancelled": OrderState.CANCELLED,
    "PartiallyFilledCanceled": OrderState.CANCELLED,
    "PendingCancel": OrderState.CANCEL_PENDING,
    "Rejected": OrderState.REJECTED,
    "Untriggered": OrderState.WORKING,
    "Triggered": OrderState.TRIGGERED,
    "Deactivated": OrderState.CANCELLED,
}
_TIFS: Final = {"IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
_FILLING: Final = frozenset({"Trade", "AdlTrade", "BustTrade", "BlockTrade"})
# Words that say nothing about why an order ended.
_NO_REASON: Final = frozenset({"", "UNKNOWN", "EC_NoError", "CancelByUser"})


def number(text: str) -> Decimal | None:
    """A number, or None where Bybit writes nothing."""
    return Decimal(text) if text else None


def side_of(word: str) -> Side:
    """Buy or Sell; raises OddFrame."""
    if word == "Buy":
        return Side.BUY
    if word == "Sell":
        return Side.SELL
    raise OddFrame(f"side {word[:16]}")


def terms(
    request: OrderRequest, listing: Listing, wire_id: str, category: str
) -> dict[str, object]:
    """The parameters of a new order; raises Refusal for what Bybit does not offer."""
    tif = request.tif
    if tif not in (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK):
        text = f"Bybit has no {tif.name} orders: use GTC, IOC or FOK"
        raise Refusal("", text, ReturnCode.TRADE_EXPIRATION_DENIED, "tif")
    made: dict[str, object] = {
        "category": category,
        "symbol": listing.wire,
        "side": "Buy" if request.side is Side.BUY else "Sell",
        "orderType": "Limit" if request.price is not None else "Market",
        "qty": format(request.volume, "f"),
        "orderLinkId": wire_id,
    }
    if request.price is not None:
        made["price"] = format(request.price, "f")
        made["timeInForce"] = "PostOnly" if request.post_only else tif.name
    elif category == "spot":
        made["marketUnit"] = "baseCoin"  # a market buy would otherwise count in quote money
    if request.stop_price is not None:
        made["triggerPrice"] = format(request.stop_price, "f")
        if category == "spot":
            made["orderFilter"] = "StopOrder"
        else:
            made["triggerDirection"] = 1 if request.side is Side.BUY else 2
    if request.reduce_only and category != "spot":
        made["reduceOnly"] = True
    return made


def order_of(venue: str, account: str, listing: Listing, row: frames.Order) -> VenueOrder:
    """An order as Bybit tells it; its `client_id` is the venue's form. Raises OddFrame."""
    state = _STATES.get(row.order_status)
    if state is None:
        raise OddFrame(f"order status {row.order_status[:24]}")
    filled = number(row.cum_exec_qty) or _NONE
    cost = number(row.cum_exec_value) or _NONE
    volume = number(row.qty) or _NONE
    market = row.order_type == "Market"
    if market and row.market_unit == "quoteCoin":
        volume = filled  # `qty` is money here, and what it buys is known when it is spent
    reasons = [each for each in (row.reject_reason, row.cancel_type) if each not in _NO_REASON]
    return VenueOrder(
        venue=venue,
        account=account,
        client_id=row.order_link_id,
        venue_order_id=row.order_id,
        symbol=listing.symbol,
        side=side_of(row.side),
        type=_type(market, row.stop_order_type == "Stop"),
        tif=_TIFS.get(row.time_in_force, TimeInForce.GTC),
        volume=volume,
        filled=filled,
        price=None if market else number(row.price),
        average=number(row.avg_price) or (cost / filled if filled else None),
        state=state,
        reason=", ".join(reasons),
        venue_ns=int(row.updated_time or 0) * MS,
    )


def _type(market: bool, stop: bool) -> OrderType:
    if stop:
        return OrderType.STOP if market else OrderType.STOP_LIMIT
    return OrderType.MARKET if market else OrderType.LIMIT


def fill_of(
    venue: str, account: str, listing: Listing, row: frames.Execution, recv_ns: int
) -> VenueFill | None:
    """An execution as a fill; None for what is no trade (funding, settlement)."""
    if row.exec_type not in _FILLING:
        return None
    side = side_of(row.side)
    currency = row.fee_currency or row.fee_coin
    if not currency:
        instrument = listing.instrument
        spot = instrument.kind is InstrumentKind.SPOT
        received = instrument.base if side is Side.BUY else instrument.quote
        currency = received if spot else instrument.settle
    return VenueFill(
        venue=venue,
        account=account,
        trade_id=row.exec_id,
        venue_order_id=row.order_id,
        client_id=row.order_link_id,
        symbol=listing.symbol,
        side=side,
        price=row.exec_price,
        volume=row.exec_qty,
        fee=number(row.exec_fee) or _NONE,
        fee_currency=currency,
        maker=row.is_maker,
        venue_ns=int(row.exec_time) * MS,
        recv_ns=recv_ns,
    )


def balance_of(venue: str, account: str, row: frames.Coin, now_ns: int) -> VenueBalance:
    """Money of one currency."""
    total = number(row.wallet_balance) or _NONE
    bound = sum(
        (
            number(each) or _NONE
            for each in (row.locked, row.total_order_i_m, row.total_position_i_m)
        ),
        _NONE,
    )
    return VenueBalance(
        venue=venue,
        account=account,
        currency=row.coin,
        total=total,
        free=max(total - bound, _NONE),
        venue_ns=now_ns,
    )


def position_of(venue: str, account: str, listing: Listing, row: frames.Position) -> VenuePosition:
    """A position; flat ones have an empty side and volume 0."""
    size = number(row.size) or _NONE
    return VenuePosition(
        venue=venue,
        account=account,
        symbol=listing.symbol,
        volume=-size if row.side == "Sell" else size,
        entry_price=(number(row.avg_price or row.entry_price) or None) if size else None,
        unrealised=number(row.unrealised_pnl),
        venue_ns=int(row.updated_time or 0) * MS,
    )
