"""Kraken's JSON: numbers on sockets, texts by REST."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from zlib import crc32

from msgspec import Raw

from tradeloom.domain.enums import Side
from tradeloom.domain.market import Level, TradeTick, VenueInstrument
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import fixed
from tradeloom.simulators.kraken import names
from tradeloom.simulators.orders import (
    Change,
    Fill,
    Force,
    Order,
    OrderEvent,
    OrderKind,
    Reason,
    Status,
)

STATUS: Final = {
    Status.WAITING: "new",
    Status.NEW: "new",
    Status.PARTIALLY_FILLED: "partially_filled",
    Status.FILLED: "filled",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "expired",
}
_REST_STATUS: Final = {
    Status.WAITING: "open",
    Status.NEW: "open",
    Status.PARTIALLY_FILLED: "open",
    Status.FILLED: "closed",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "expired",
}
_WHY: Final = {
    Reason.BY_CLIENT: "User requested",
    Reason.BY_VENUE: "Cancelled by the venue",
    Reason.NOT_FILLED: "Unfillable",
    Reason.NO_LIQUIDITY: "Out of funds or liquidity",
    Reason.SELF_TRADE: "Self trade prevention",
    Reason.WOULD_TAKE: "Post only order",
}


def number(mantissa: int, digits: int) -> Raw:
    """A JSON number with all its decimals."""
    return Raw(fixed(mantissa, digits).encode())


def time_text(ns: int) -> str:
    """RFC 3339 with microseconds."""
    whole = datetime.fromtimestamp(ns // 10**9, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{ns % 10**9 // 1_000:06d}Z"


def seconds(ns: int) -> Raw:
    """Unix seconds with decimals."""
    return Raw(fixed(ns // 10**5, 4).encode())


def side_word(side: Side) -> str:
    """buy or sell."""
    return "buy" if side is Side.BUY else "sell"


def checksum(bids: Sequence[Level], asks: Sequence[Level]) -> int:
    """CRC32 of the ten best asks, then bids."""
    text = "".join(f"{price}{size}" for side in (asks, bids) for price, size in side[:10])
    return crc32(text.encode())


def levels(at: VenueInstrument, rows: Sequence[Level]) -> list[dict[str, Raw]]:
    """Levels of a book frame."""
    return [{"price": number(p, at.digits), "qty": number(s, 8)} for p, s in rows]


def trade_row(at: VenueInstrument, trade: TradeTick) -> dict[str, Any]:
    """A public trade."""
    return {
        "symbol": at.wire,
        "side": side_word(trade.side or Side.BUY),
        "price": number(trade.price, at.digits),
        "qty": number(trade.size, 8),
        "ord_type": "market",
        "trade_id": int(trade.trade_id),
        "timestamp": time_text(trade.venue_ns),
    }


def instrument_row(market: Market) -> dict[str, Any]:
    """A pair of the instrument channel."""
    at = market.instrument
    return {
        "symbol": at.wire,
        "base": at.base,
        "quote": at.quote,
        "status": "cancel_only" if market.halted else "online",
        "qty_precision": 8,
        "qty_increment": number(at.step, 8),
        "price_precision": at.digits,
        "price_increment": number(at.tick, at.digits),
        "cost_precision": 5,
        "cost_min": f"{at.notional_min:f}",
        "qty_min": number(at.volume_min, 8),
        "marginable": False,
        "has_index": False,
    }


def kind_word(order: Order) -> str:
    """The order type, as it was asked."""
    return str(order.asked.note.get("ordertype", order.kind.name.lower()))


def whole_order(at: VenueInstrument, order: Order, change: str) -> dict[str, Any]:
    """An order with every field, as a snapshot or a first event tells it."""
    row: dict[str, Any] = {
        "order_id": names.order_name(order.id),
        "symbol": at.wire,
        "side": side_word(order.side),
        "order_type": kind_word(order),
        "order_qty": number(order.size, 8),
        "cum_qty": number(order.filled, 8),
        "cum_cost": number(order.cost, 8),
        "avg_price": average(at, order),
        "time_in_force": "GTD" if order.asked.expires_ns else order.asked.force.name,
        "exec_type": change,
        "order_status": "pending_new" if change == "pending_new" else STATUS[order.status],
        "order_userref": 0,
        "timestamp": time_text(order.updated_ns),
    }
    if order.client_id:
        row["cl_ord_id"] = order.client_id
    if order.kind is OrderKind.LIMIT:
        row["limit_price"] = number(order.price, at.digits)
        row["limit_price_type"] = "static"
    return row


def executions(at: VenueInstrument, event: OrderEvent) -> list[dict[str, Any]]:
    """What an event is on the channel; fields that did not change are left out."""
    order = event.order
    brief = {"order_id": names.order_name(order.id), "timestamp": time_text(event.ts_ns)}
    state = {"order_status": STATUS[order.status], "order_userref": 0}
    sums = {
        "cum_qty": number(order.filled, 8),
        "cum_cost": number(order.cost, 8),
        "avg_price": average(at, order),
    }
    match event.change:
        case Change.NEW:
            return [
                whole_order(at, order, "pending_new"),
                {**brief, "exec_type": "new", "order_status": "new", "order_userref": 0},
            ]
        case Change.TRADE if event.fill is not None:
            rows = [{**brief, **_trade(at, order, event.fill), **state}]
            if order.status is Status.FILLED:
                rows.append({**brief, "exec_type": "filled", **state, **sums})
            return rows
        case Change.AMENDED:
            row = {**brief, "exec_type": "amended", **state, **sums}
            row["order_qty"] = number(order.size, 8)
            if order.kind is OrderKind.LIMIT:
                row["limit_price"] = number(order.price, at.digits)
            return [row]
        case Change.TRIGGERED:
            return [{**brief, "exec_type": "restated", "reason": "Triggered", **state}]
        case _:
            word = STATUS[order.status]
            why = _WHY.get(order.reason, order.reason.name.replace("_", " ").capitalize())
            return [{**brief, "exec_type": word, "reason": why, **state, **sums}]


def _trade(at: VenueInstrument, order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "exec_id": names.execution_name(fill.trade_id, fill.order_id),
        "exec_type": "trade",
        "trade_id": fill.trade_id,
        "symbol": at.wire,
        "side": side_word(fill.side),
        "last_qty": number(fill.size, 8),
        "last_price": number(fill.price, at.digits),
        "liquidity_ind": "m" if fill.maker else "t",
        "cost": number(fill.cost, 8),
        "order_type": kind_word(order),
        "fees": [{"asset": fill.fee_asset, "qty": number(fill.fee, 8)}],
    }


def average(at: VenueInstrument, order: Order) -> Raw:
    """The average price of what filled."""
    return Raw(average_text(at, order).encode())


def average_text(at: VenueInstrument, order: Order) -> str:
    """The same as text, with four decimals more than the price."""
    if not order.filled:
        return fixed(0, at.digits)
    value = Decimal(order.cost) / Decimal(order.filled)
    return f"{value:.{at.digits + 4}f}"


def rest_order(at: VenueInstrument, order: Order, trades: Sequence[str] | None) -> dict[str, Any]:
    """An order by REST."""
    digits, kind = at.digits, kind_word(order)
    limit = fixed(order.price, digits)
    stop = fixed(order.stop_price, digits)
    waits = bool(order.stop_price)
    row: dict[str, Any] = {
        "refid": None,
        "userref": 0,
        "cl_ord_id": order.client_id or None,
        "status": _REST_STATUS[order.status],
        "reason": _WHY.get(order.reason),
        "opentm": seconds(order.created_ns),
        "starttm": 0,
        "expiretm": order.asked.expires_ns // 10**9,
        "descr": {
            "pair": names.alt_name(at),
            "type": side_word(order.side),
            "ordertype": kind,
            "price": stop if waits else limit,
            "price2": limit if waits and order.kind is OrderKind.LIMIT else "0",
            "leverage": "none",
            "order": describe(at, order),
            "close": "",
        },
        "vol": fixed(order.size, 8),
        "vol_exec": fixed(order.filled, 8),
        "cost": fixed(order.cost, 8),
        "fee": fixed(order.fees, 8),
        "price": average_text(at, order),
        "stopprice": stop,
        "limitprice": fixed(0, digits),
        "misc": "",
        "oflags": "fciq,post" if order.asked.post_only else "fciq",
        "timeinforce": "GTD" if order.asked.expires_ns else order.asked.force.name,
    }
    if not order.status.open:
        row["closetm"] = seconds(order.updated_ns)
    if trades is not None:
        row["trades"] = list(trades)
    return row


def describe(at: VenueInstrument, order: Order) -> str:
    """An order in one line, as AddOrder answers."""
    price = f" @ limit {fixed(order.price, at.digits)}" if order.kind is OrderKind.LIMIT else ""
    price = price or " @ market"
    return f"{side_word(order.side)} {fixed(order.size, 8)} {names.alt_name(at)}{price}"


def rest_fill(at: VenueInstrument, fill: Fill, order: Order | None) -> dict[str, Any]:
    """An execution by REST."""
    return {
        "ordertxid": names.order_name(fill.order_id),
        "postxid": names.execution_name(fill.trade_id, fill.order_id + 1),
        "pair": names.pair_name(at),
        "time": seconds(fill.ts_ns),
        "type": side_word(fill.side),
        "ordertype": kind_word(order) if order else "limit",
        "price": fixed(fill.price, at.digits),
        "cost": fixed(fill.cost, 8),
        "fee": fixed(fill.fee, 8),
        "vol": fixed(fill.size, 8),
        "margin": fixed(0, 8),
        "misc": "",
        "trade_id": fill.trade_id,
        "maker": fill.maker,
    }


FORCES: Final = {"gtc": Force.GTC, "gtd": Force.GTC, "ioc": Force.IOC, "fok": Force.FOK}
