"""Coinbase's JSON: numbers are texts."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, TradeTick, VenueInstrument
from tradeloom.simulators.coinbase import names
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import fixed, plain
from tradeloom.simulators.orders import Fill, Force, Order, OrderKind, Reason, Status

_STATUS: Final = {
    Status.WAITING: "OPEN",
    Status.NEW: "OPEN",
    Status.PARTIALLY_FILLED: "OPEN",
    Status.FILLED: "FILLED",
    Status.CANCELED: "CANCELLED",
    Status.EXPIRED: "EXPIRED",
}
_TIFS: Final = {
    Force.GTC: "GOOD_UNTIL_CANCELLED",
    Force.IOC: "IMMEDIATE_OR_CANCEL",
    Force.FOK: "FILL_OR_KILL",
}
_WHY: Final = {
    Reason.BY_CLIENT: "User requested cancel",
    Reason.BY_VENUE: "Cancelled by Coinbase",
    Reason.NOT_FILLED: "The rest could not be filled",
    Reason.NO_LIQUIDITY: "No liquidity",
}


def time_text(ns: int) -> str:
    """RFC 3339; trailing zeros of the fraction are left out, as Coinbase does."""
    whole = datetime.fromtimestamp(ns // 10**9, UTC)
    fraction = f"{ns % 10**9:09d}".rstrip("0")
    return f"{whole:%Y-%m-%dT%H:%M:%S}{'.' if fraction else ''}{fraction}Z"


def side_word(side: Side) -> str:
    """BUY or SELL."""
    return "BUY" if side is Side.BUY else "SELL"


def status_word(order: Order) -> str:
    """OPEN, FILLED, CANCELLED or EXPIRED: only orders with an end expire."""
    if order.status is Status.EXPIRED and not order.asked.expires_ns:
        return "CANCELLED"
    return _STATUS[order.status]


def product(market: Market) -> dict[str, Any]:
    """A product."""
    at = market.instrument
    return {
        "product_id": at.wire,
        "price": plain(market.last or market.mark, at.digits),
        "price_percentage_change_24h": "0",
        "volume_24h": "0",
        "volume_percentage_change_24h": "0",
        "base_increment": plain(at.step, 8),
        "quote_increment": plain(at.tick, at.digits),
        "price_increment": plain(at.tick, at.digits),
        "quote_min_size": f"{at.notional_min:f}",
        "quote_max_size": "150000000",
        "base_min_size": plain(at.volume_min, 8),
        "base_max_size": plain(at.volume_max, 8),
        "base_name": at.base,
        "quote_name": at.quote,
        "watched": False,
        "is_disabled": False,
        "new": False,
        "status": "online",
        "cancel_only": market.halted,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": market.halted,
        "auction_mode": False,
        "product_type": "SPOT",
        "quote_currency_id": at.quote,
        "base_currency_id": at.base,
        "fcm_trading_session_details": None,
        "mid_market_price": "",
        "alias": "",
        "alias_to": [],
        "base_display_symbol": at.base,
        "quote_display_symbol": at.quote,
        "view_only": False,
        "display_name": at.wire,
        "product_venue": "CBE",
    }


def updates(at: VenueInstrument, delta: BookDelta, event_ns: int) -> list[dict[str, str]]:
    """Levels of a book event."""
    when = time_text(event_ns) if event_ns else "1970-01-01T00:00:00Z"
    return [
        {
            "side": word,
            "event_time": when,
            "price_level": plain(price, at.digits),
            "new_quantity": plain(size, 8),
        }
        for word, levels in (("bid", delta.bids), ("offer", delta.asks))
        for price, size in levels
    ]


def trade(at: VenueInstrument, each: TradeTick) -> dict[str, str]:
    """A public trade."""
    return {
        "trade_id": each.trade_id,
        "product_id": at.wire,
        "price": plain(each.price, at.digits),
        "size": plain(each.size, 8),
        "time": time_text(each.venue_ns),
        "side": side_word(each.side or Side.BUY),
    }


def average(at: VenueInstrument, order: Order) -> str:
    """The average price of what filled."""
    if not order.filled:
        return "0"
    return f"{Decimal(order.cost) / Decimal(order.filled):.{at.digits + 4}f}"


def user_order(at: VenueInstrument, order: Order, status: str = "") -> dict[str, Any]:
    """An order on the user channel."""
    kind = order.asked.note.get("order_type", order.kind.name)
    limited = order.kind is OrderKind.LIMIT
    return {
        "avg_price": average(at, order),
        "cancel_reason": _WHY.get(order.reason, "") if not order.status.open else "",
        "client_order_id": order.client_id,
        "completion_percentage": str(100 * order.filled // order.size) if order.size else "0",
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "cumulative_quantity": plain(order.filled, 8),
        "filled_value": plain(order.cost, 8),
        "leaves_quantity": plain(order.left if order.status.open else 0, 8),
        "limit_price": fixed(order.price, at.digits) if limited else "0",
        "number_of_fills": "0",
        "order_id": names.order_name(order.id),
        "order_side": side_word(order.side),
        "order_type": str(kind).replace("_", " ").title(),
        "outstanding_hold_amount": plain(order.locked, 8),
        "post_only": str(order.asked.post_only).lower(),
        "product_id": at.wire,
        "product_type": "SPOT",
        "reject_Reason": "",
        "retail_portfolio_id": "",
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "status": status or status_word(order),
        "stop_price": plain(order.stop_price, at.digits) if order.stop_price else "",
        "time_in_force": tif(order),
        "total_fees": plain(order.fees, 8),
        "total_value_after_fees": plain(order.cost + order.fees, 8),
        "trigger_status": "INVALID_ORDER_TYPE",
        "creation_time": time_text(order.created_ns),
        "end_time": "0001-01-01T00:00:00Z",
        "start_time": "0001-01-01T00:00:00Z",
    }


def tif(order: Order) -> str:
    """How long it lives."""
    return "GOOD_UNTIL_DATE_TIME" if order.asked.expires_ns else _TIFS[order.asked.force]


def rest_order(at: VenueInstrument, order: Order, fills: int) -> dict[str, Any]:
    """An order by REST."""
    configuration = order.asked.note.get("configuration", {})
    if order.amended:
        ((kind, terms),) = configuration.items()
        changed = {
            "limit_price": fixed(order.price, at.digits),
            "base_size": plain(order.size, 8),
        }
        configuration = {kind: {**terms, **changed}}
    ended = "" if order.status.open else _WHY.get(order.reason, "")
    return {
        "order_id": names.order_name(order.id),
        "product_id": at.wire,
        "user_id": str(uuid.UUID(int=1)),
        "order_configuration": configuration,
        "side": side_word(order.side),
        "client_order_id": order.client_id,
        "status": status_word(order),
        "time_in_force": tif(order),
        "created_time": time_text(order.created_ns),
        "completion_percentage": str(100 * order.filled // order.size) if order.size else "0",
        "filled_size": plain(order.filled, 8),
        "average_filled_price": average(at, order),
        "fee": "",
        "number_of_fills": str(fills),
        "filled_value": plain(order.cost, 8),
        "pending_cancel": False,
        "size_in_quote": bool(order.asked.quote_amount),
        "total_fees": plain(order.fees, 8),
        "size_inclusive_of_fees": False,
        "total_value_after_fees": plain(order.cost + order.fees, 8),
        "trigger_status": "INVALID_ORDER_TYPE",
        "order_type": str(order.asked.note.get("order_type", order.kind.name)),
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": order.status is Status.FILLED,
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": ended,
        "last_fill_time": time_text(order.updated_ns) if order.filled else None,
    }


def fill(at: VenueInstrument, each: Fill) -> dict[str, Any]:
    """An execution."""
    name = names.execution_name(each.trade_id, each.order_id)
    return {
        "entry_id": name.replace("-", "") * 2,
        "trade_id": name,
        "order_id": names.order_name(each.order_id),
        "trade_time": time_text(each.ts_ns),
        "trade_type": "FILL",
        "price": plain(each.price, at.digits),
        "size": plain(each.size, 8),
        "commission": plain(each.fee, 8),
        "product_id": at.wire,
        "sequence_timestamp": time_text(each.ts_ns),
        "liquidity_indicator": "MAKER" if each.maker else "TAKER",
        "size_in_quote": False,
        "user_id": str(uuid.UUID(int=1)),
        "side": side_word(each.side),
    }
