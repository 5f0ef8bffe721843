"""Spot orders between Binance's words and the exchange's."""

from __future__ import annotations

from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import VenueInstrument
from tradeloom.simulators.binance.errors import BinanceError, illegal
from tradeloom.simulators.binance.params import Params
from tradeloom.simulators.binance.rows import price, size
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.orders import Fill, Force, NewOrder, Order, OrderKind, Reason, Status

SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
FORCES: Final = {"GTC": Force.GTC, "IOC": Force.IOC, "FOK": Force.FOK}
STOPS: Final = ("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
TYPES: Final = ("LIMIT", "MARKET", "LIMIT_MAKER", *STOPS)
CLIENT_ID_MAX: Final = 36
_ID_LETTERS: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:/"
)
_MS: Final = 1_000_000


def client_id(params: Params, name: str) -> str:
    """A client id as Binance allows them, or an empty text."""
    found = params.text(name, "")
    if len(found) > CLIENT_ID_MAX or not _ID_LETTERS.issuperset(found):
        raise illegal(name)
    return found


def new_order(params: Params, market: Market, fallback_id: str) -> NewOrder:
    """The order that `order.place` asks for; raises `BinanceError`."""
    at = market.instrument
    side = SIDES[params.one_of("side", tuple(SIDES), -1117, "side")]
    kind = params.one_of("type", TYPES, -1116, "orderType")
    limit = kind in ("LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
    force = Force.GTC
    if kind in ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"):
        force = FORCES[params.one_of("timeInForce", tuple(FORCES), -1115, "timeInForce")]
    elif "timeInForce" in params:
        raise BinanceError(-1106, "Parameter 'timeInForce' sent when not required.")
    amount = params.figure("quoteOrderQty", 8, 0) if kind == "MARKET" else 0
    if amount and "quantity" in params:
        raise BinanceError(-1106, "Parameter 'quoteOrderQty' sent when not required.")
    if not limit and "price" in params:
        raise BinanceError(-1106, "Parameter 'price' sent when not required.")
    quantity = 0 if amount else params.figure("quantity", 8)
    asked = NewOrder(
        symbol=at.symbol,
        side=side,
        kind=OrderKind.LIMIT if limit else OrderKind.MARKET,
        size=quantity,
        price=params.figure("price", at.digits) if limit else 0,
        force=force,
        post_only=kind == "LIMIT_MAKER",
        quote_amount=amount,
        client_id=client_id(params, "newClientOrderId") or fallback_id,
        note={"type": kind, "quote": amount},
    )
    if kind in STOPS:
        asked.stop_price = params.figure("stopPrice", at.digits)
        # A stop loss waits for the market to go against it, a take profit for it to go along.
        asked.stop_rising = (side is Side.BUY) == kind.startswith("STOP_LOSS")
    return asked


def status_of(order: Order) -> str:
    """Binance's word for where an order stands."""
    match order.status:
        case Status.WAITING:
            return "NEW"
        case Status.EXPIRED if order.reason is Reason.SELF_TRADE:
            return "EXPIRED_IN_MATCH"
        case _:
            return order.status.name


def force_of(order: Order) -> str:
    """timeInForce."""
    return order.asked.force.name


def _figures(at: VenueInstrument, order: Order) -> dict[str, Any]:
    return {
        "price": price(at, order.price),
        "origQty": size(order.size),
        "executedQty": size(order.filled),
        "origQuoteOrderQty": size(order.asked.note.get("quote", 0)),
        "cummulativeQuoteQty": size(order.cost),
        "status": status_of(order),
        "timeInForce": force_of(order),
        "type": order.asked.note["type"],
        "side": order.side.name,
    }


def _stop(at: VenueInstrument, order: Order) -> dict[str, Any]:
    return {"stopPrice": price(at, order.stop_price)} if order.asked.stop_price else {}


def order_row(at: VenueInstrument, order: Order) -> dict[str, Any]:
    """The answer of order.status, openOrders and allOrders."""
    return {
        "symbol": at.wire,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        **_figures(at, order),
        "stopPrice": price(at, order.stop_price),
        "icebergQty": size(0),
        "time": order.created_ns // _MS,
        "updateTime": order.updated_ns // _MS,
        "isWorking": order.status is not Status.WAITING,
        "workingTime": order.created_ns // _MS if order.status is not Status.WAITING else -1,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def placed_row(at: VenueInstrument, order: Order, fills: list[Fill], kind: str) -> dict[str, Any]:
    """The answer of order.place: ACK, RESULT or FULL."""
    row: dict[str, Any] = {
        "symbol": at.wire,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "transactTime": order.updated_ns // _MS,
    }
    if kind == "ACK":
        return row
    row |= {
        **_figures(at, order),
        **_stop(at, order),
        "workingTime": order.created_ns // _MS if order.status is not Status.WAITING else -1,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }
    if kind == "FULL":
        row["fills"] = [
            {
                "price": price(at, fill.price),
                "qty": size(fill.size),
                "commission": size(fill.fee),
                "commissionAsset": fill.fee_asset,
                "tradeId": fill.trade_id,
            }
            for fill in fills
        ]
    return row


def canceled_row(at: VenueInstrument, order: Order, cancel_id: str) -> dict[str, Any]:
    """The answer of order.cancel."""
    return {
        "symbol": at.wire,
        "origClientOrderId": order.client_id,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": cancel_id,
        "transactTime": order.updated_ns // _MS,
        **_figures(at, order),
        **_stop(at, order),
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def fill_row(at: VenueInstrument, fill: Fill) -> dict[str, Any]:
    """One row of myTrades."""
    return {
        "symbol": at.wire,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": price(at, fill.price),
        "qty": size(fill.size),
        "quoteQty": size(fill.cost),
        "commission": size(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.ts_ns // _MS,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.maker,
        "isBestMatch": True,
    }
