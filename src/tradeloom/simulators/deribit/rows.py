"""Orders, trades, positions and instruments as Deribit writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS, InstrumentKind, TradeTick, VenueInstrument
from tradeloom.simulators.accounts import Position, entry_price, margin_used, unrealised
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import scaled
from tradeloom.simulators.orders import Fill, Force, Order, OrderKind, Reason, Status
from tradeloom.simulators.references import reference, split

_STATES: Final = {
    Status.WAITING: "untriggered",
    Status.NEW: "open",
    Status.PARTIALLY_FILLED: "open",
    Status.FILLED: "filled",
    Status.CANCELED: "cancelled",
    Status.EXPIRED: "cancelled",
}
_REASONS: Final = {
    Reason.BY_CLIENT: "user_request",
    Reason.BY_VENUE: "cancel_on_disconnect",
    Reason.NOT_FILLED: "time_in_force",
    Reason.NO_LIQUIDITY: "no_liquidity",
}
_TIFS: Final = {
    Force.GTC: "good_til_cancelled",
    Force.IOC: "immediate_or_cancel",
    Force.FOK: "fill_or_kill",
}
# Trade ids are unique per settlement currency there; ours are dense per instrument.
_IDS_PER_MARKET: Final = 10**10


def figure(number: int, digits: int) -> float:
    """A number as Deribit writes it; the division is exact to the last written digit."""
    return float(number / 10**digits)


def amount(size: int) -> float:
    """A size."""
    return figure(size, SIZE_DIGITS)


def money(value: int) -> float:
    """Money."""
    return figure(value, SIZE_DIGITS)


def instrument(symbol: str) -> VenueInstrument:
    """The perpetual of one of our symbols; a pair with USD is inverse. Raises ValueError."""
    base, quote = split(symbol)
    start = reference(base)
    inverse = quote == "USD"
    digits = 1 if inverse and base == "BTC" else 2 if inverse else start.price_digits
    step = "10" if inverse and base == "BTC" else "1"
    if not inverse:
        step = "0.001" if base in ("BTC", "ETH") else "0.1"
    return VenueInstrument(
        venue="deribit",
        symbol=f"{base}{quote}-PERP",
        wire=f"{base}-PERPETUAL" if inverse else f"{base}_{quote}-PERPETUAL",
        kind=InstrumentKind.PERPETUAL,
        base=base,
        quote=quote,
        settle=base if inverse else quote,
        digits=digits,
        tick=5 if inverse else 1,
        step=scaled(step, SIZE_DIGITS),
        volume_min=scaled(step, SIZE_DIGITS),
        contract_currency="USD" if inverse else base,
        inverse=inverse,
    )


def listing(market: Market) -> dict[str, Any]:
    """One row of get_instruments."""
    at = market.instrument
    return {
        "instrument_name": at.wire,
        "kind": "future",
        "base_currency": at.base,
        "quote_currency": at.quote,
        "counter_currency": at.quote,
        "settlement_currency": at.settle,
        "settlement_period": "perpetual",
        "instrument_type": "reversed" if at.inverse else "linear",
        "future_type": "reversed" if at.inverse else "linear",
        "price_index": f"{at.base}_{at.quote}".lower(),
        "tick_size": figure(at.tick, at.digits),
        "tick_size_steps": [],
        "min_trade_amount": amount(at.volume_min),
        "contract_size": amount(at.step),
        "maker_commission": 0.0,
        "taker_commission": 0.0005,
        "max_leverage": 50,
        "is_active": not market.halted,
        "creation_timestamp": 1534242287000,
        "expiration_timestamp": 32503708800000,
        "rfq": False,
    }


def prefixed(at: VenueInstrument, number: int) -> str:
    """An id of an order or trade: those of other settlement currencies than BTC carry its name."""
    return str(number) if at.settle == "BTC" else f"{at.settle}-{number}"


def trade_id(at: VenueInstrument, index: int, number: int) -> str:
    """The venue's id of a trade that is `number` in its instrument."""
    return prefixed(at, index * _IDS_PER_MARKET + number)


def public_trade(market: Market, index: int, trade: TradeTick) -> dict[str, Any]:
    """One row of `trades.I`."""
    at = market.instrument
    number = int(trade.trade_id)
    return {
        "trade_seq": number,
        "trade_id": trade_id(at, index, number),
        "timestamp": trade.venue_ns // 1_000_000,
        "tick_direction": 0,
        "price": figure(trade.price, at.digits),
        "mark_price": figure(market.mark, at.digits),
        "index_price": figure(market.mark + market.index_offset, at.digits),
        "instrument_name": at.wire,
        "direction": "sell" if trade.side is Side.SELL else "buy",
        "amount": amount(trade.size),
        "contracts": amount(trade.size) / amount(at.step),
    }


def average_price(at: VenueInstrument, fills: Sequence[Fill]) -> float:
    """The price at which the fills together were worth what they were."""
    whole = sum(each.size for each in fills)
    if not whole:
        return 0.0
    prices = [(figure(each.price, at.digits), each.size) for each in fills]
    if at.inverse:
        return round(whole / sum(size / price for price, size in prices), 8)
    return round(sum(size * price for price, size in prices) / whole, 8)


def order_row(at: VenueInstrument, order: Order, average: float) -> dict[str, Any]:
    """An order; `average` is the price of its fills so far."""
    note = order.asked.note
    market_order = order.kind is OrderKind.MARKET
    row: dict[str, Any] = {
        "order_id": prefixed(at, order.id),
        "order_state": _STATES[order.status],
        "order_type": note.get("type", "limit"),
        "instrument_name": at.wire,
        "direction": order.side.name.lower(),
        "price": "market_price" if market_order else figure(order.price, at.digits),
        "amount": amount(order.size),
        "filled_amount": amount(order.filled),
        "average_price": average,
        "time_in_force": note.get("tif") or _TIFS[order.asked.force],
        "label": note.get("label", ""),
        "post_only": order.asked.post_only,
        "reduce_only": order.asked.reduce_only,
        "is_liquidation": False,
        "replaced": bool(order.amended),
        "api": True,
        "web": False,
        "max_show": amount(order.size),
        "commission": money(order.fees),
        "profit_loss": 0.0,
        "creation_timestamp": order.created_ns // 1_000_000,
        "last_update_timestamp": order.updated_ns // 1_000_000,
    }
    if order.stop_price:
        row["trigger_price"] = figure(order.stop_price, at.digits)
        row["trigger"] = "last_price"
        row["triggered"] = order.triggered
    if row["order_state"] == "cancelled":
        row["cancel_reason"] = _REASONS.get(order.reason, "other")
    return row


def fill_row(market: Market, index: int, fill: Fill, order: Order | None) -> dict[str, Any]:
    """One of an account's own trades."""
    at = market.instrument
    row = {
        "trade_seq": fill.trade_id,
        "trade_id": trade_id(at, index, fill.trade_id),
        "order_id": prefixed(at, fill.order_id),
        "instrument_name": at.wire,
        "timestamp": fill.ts_ns // 1_000_000,
        "direction": fill.side.name.lower(),
        "price": figure(fill.price, at.digits),
        "amount": amount(fill.size),
        "fee": money(fill.fee),
        "fee_currency": fill.fee_asset,
        "liquidity": "M" if fill.maker else "T",
        "profit_loss": money(fill.realised),
        "mark_price": figure(market.mark, at.digits),
        "index_price": figure(market.mark + market.index_offset, at.digits),
        "tick_direction": 0,
        "self_trade": False,
        "matching_id": None,
    }
    if order is not None:
        row["state"] = "filled" if not order.left else "open"
        row["order_type"] = order.asked.note.get("type", "limit")
        row["label"] = order.asked.note.get("label", "")
        row["post_only"] = order.asked.post_only
        row["reduce_only"] = order.asked.reduce_only
    return row


def position_row(market: Market, position: Position) -> dict[str, Any]:
    """A position."""
    at = market.instrument
    mark = market.mark
    size = amount(position.size)
    return {
        "instrument_name": at.wire,
        "kind": "future",
        "direction": "buy" if size > 0 else "sell" if size < 0 else "zero",
        "size": size,
        "size_currency": amount(position.size) / figure(mark, at.digits) if mark else 0.0,
        "average_price": figure(entry_price(at, position, 2), at.digits + 2),
        "mark_price": figure(mark, at.digits),
        "index_price": figure(mark + market.index_offset, at.digits),
        "floating_profit_loss": money(unrealised(at, position, mark)),
        "total_profit_loss": money(unrealised(at, position, mark)),
        "realized_profit_loss": money(position.realised),
        "initial_margin": money(margin_used(at, position, mark)),
        "maintenance_margin": money(margin_used(at, position, mark) // 2),
        "leverage": position.leverage,
        "settlement_price": figure(mark, at.digits),
    }
