"""Orders, fills and positions of Binance in the words of the contract."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tradeloom.connectors.contract import OrderRequest, VenueFill, VenueOrder
from tradeloom.connectors.dialect import Refusal
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.venues.binance import frames
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce

_MS: Final = 1_000_000
_STATES: Final = {
    "NEW": OrderState.WORKING,
    "PENDING_NEW": OrderState.ROUTED,
    "PARTIALLY_FILLED": OrderState.PARTIAL,
    "FILLED": OrderState.FILLED,
    "CANCELED": OrderState.CANCELLED,
    "PENDING_CANCEL": OrderState.CANCEL_PENDING,
    "REJECTED": OrderState.REJECTED,
    "EXPIRED": OrderState.EXPIRED,
    "EXPIRED_IN_MATCH": OrderState.EXPIRED,
}
_TYPES: Final = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "LIMIT_MAKER": OrderType.LIMIT,
    "STOP_LOSS": OrderType.STOP,
    "STOP_MARKET": OrderType.STOP,
    "TAKE_PROFIT": OrderType.STOP,
    "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
    "STOP": OrderType.STOP_LIMIT,
    "TAKE_PROFIT_LIMIT": OrderType.STOP_LIMIT,
}
_TIFS: Final = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "GTD": TimeInForce.GTD,
    "GTX": TimeInForce.GTC,
}
SPOT_TYPES: Final = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
}


def text(value: Decimal) -> str:
    """A decimal without exponent."""
    return format(value, "f")


def side_of(word: str) -> Side:
    """BUY or SELL."""
    return Side.BUY if word == "BUY" else Side.SELL


def tif_text(request: OrderRequest, offered: frozenset[TimeInForce]) -> str:
    """The time in force; raises Refusal for one that is not offered."""
    if request.tif not in offered:
        have = ", ".join(sorted(each.name for each in offered))
        raise Refusal("", f"Binance offers {have} here", ReturnCode.TRADE_EXPIRATION_DENIED, "tif")
    return request.tif.name


def from_reply(venue: str, account: str, listing: Listing, reply: frames.OrderReply) -> VenueOrder:
    """An answer or query as an order; its `client_id` is the venue's form."""
    average = reply.avg_price
    if not average and reply.executed_qty:
        average = reply.cummulative_quote_qty / reply.executed_qty
    when = reply.update_time or reply.transact_time or reply.time
    return VenueOrder(
        venue=venue,
        account=account,
        client_id=reply.orig_client_order_id or reply.client_order_id,
        venue_order_id=str(reply.order_id),
        symbol=listing.symbol,
        side=side_of(reply.side),
        type=_TYPES.get(reply.type, OrderType.LIMIT),
        tif=_TIFS.get(reply.time_in_force, TimeInForce.GTC),
        volume=reply.orig_qty,
        filled=reply.executed_qty,
        price=reply.price or None,
        average=average or None,
        state=_STATES.get(reply.status, OrderState.WORKING),
        venue_ns=when * _MS,
    )


def from_report(
    venue: str, account: str, listing: Listing, report: frames.ExecutionReport
) -> VenueOrder:
    """An execution report as an order. On a cancel `C` is the order's id, `c` the cancel's."""
    average = report.ap
    if not average and report.z:
        average = report.Z / report.z
    reason = report.r if report.r not in ("", "NONE") else ""
    return VenueOrder(
        venue=venue,
        account=account,
        client_id=report.C or report.c,
        venue_order_id=str(report.i),
        symbol=listing.symbol,
        side=side_of(report.S),
        type=_TYPES.get(report.o, OrderType.LIMIT),
        tif=_TIFS.get(report.f, TimeInForce.GTC),
        volume=report.q,
        filled=report.z,
        price=report.p or None,
        average=average or None,
        state=_STATES.get(report.X, OrderState.WORKING),
        reason=reason,
        venue_ns=report.T * _MS,
    )


def fill_of_report(
    venue: str, account: str, listing: Listing, report: frames.ExecutionReport, recv_ns: int
) -> VenueFill:
    """The execution inside a TRADE report."""
    return VenueFill(
        venue=venue,
        account=account,
        trade_id=str(report.t),
        venue_order_id=str(report.i),
        client_id=report.C or report.c,
        symbol=listing.symbol,
        side=side_of(report.S),
        price=report.L,
        volume=report.l,
        fee=report.n or Decimal(0),
        fee_currency=report.N or "",
        maker=report.m,
        venue_ns=report.T * _MS,
        recv_ns=recv_ns,
    )


def fill_of_trade(
    venue: str, account: str, listing: Listing, trade: frames.MyTrade, recv_ns: int
) -> VenueFill:
    """An execution from a query."""
    bought = trade.is_buyer if trade.is_buyer is not None else trade.buyer
    maker = trade.is_maker if trade.is_maker is not None else trade.maker
    return VenueFill(
        venue=venue,
        account=account,
        trade_id=str(trade.id),
        venue_order_id=str(trade.order_id),
        client_id="",
        symbol=listing.symbol,
        side=Side.BUY if bought else Side.SELL,
        price=trade.price,
        volume=trade.qty,
        fee=trade.commission,
        fee_currency=trade.commission_asset,
        maker=maker,
        venue_ns=trade.time * _MS,
        recv_ns=recv_ns,
    )
