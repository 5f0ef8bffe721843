"""Markets, orders, fills and positions as Backpack writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS, BookQuote, InstrumentKind, VenueInstrument
from tradeloom.simulators.accounts import Position, entry_price, unrealised
from tradeloom.simulators.bars import Bar
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import fixed, plain, scaled
from tradeloom.simulators.orders import Fill, Force, Order, OrderKind, Reason, Status
from tradeloom.simulators.references import reference, split

STATES: Final = {
    Status.WAITING: "TriggerPending",
    Status.NEW: "New",
    Status.PARTIALLY_FILLED: "PartiallyFilled",
    Status.FILLED: "Filled",
    Status.CANCELED: "Cancelled",
    Status.EXPIRED: "Expired",
}
REASONS: Final = {
    Reason.NOT_FILLED: "ImmediateOrCancel",
    Reason.NO_LIQUIDITY: "InsufficientLiquidity",
    Reason.SELF_TRADE: "SelfTradePrevention",
    Reason.WOULD_TAKE: "PostOnlyTaker",
    Reason.REDUCE_ONLY: "ReduceOnlyNotReduced",
}
_FORCES: Final = {Force.GTC: "GTC", Force.IOC: "IOC", Force.FOK: "FOK"}


def instrument(symbol: str) -> VenueInstrument:
    """The market of one of our symbols: `BTCUSDC`, `BTCUSDC-PERP`. Raises ValueError."""
    base, quote = split(symbol)
    start = reference(base)
    perpetual = symbol.upper().endswith("-PERP")
    size = scaled("1", SIZE_DIGITS) // 10**start.size_digits
    return VenueInstrument(
        venue="backpack",
        symbol=f"{base}{quote}-PERP" if perpetual else f"{base}{quote}",
        wire=f"{base}_{quote}_PERP" if perpetual else f"{base}_{quote}",
        kind=InstrumentKind.PERPETUAL if perpetual else InstrumentKind.SPOT,
        base=base,
        quote=quote,
        settle=quote,
        digits=start.price_digits,
        tick=1,
        step=size,
        volume_min=size,
        contract_currency=base,
    )


def price(at: VenueInstrument, mantissa: int) -> str:
    """A price."""
    return fixed(mantissa, at.digits)


def amount(units: int) -> str:
    """A size or money."""
    return plain(units, SIZE_DIGITS)


def side(word: Side) -> str:
    """Bid or Ask."""
    return "Bid" if word is Side.BUY else "Ask"


def listing(market: Market) -> dict[str, Any]:
    """One row of /api/v1/markets."""
    at = market.instrument
    perpetual = at.kind is InstrumentKind.PERPETUAL
    return {
        "symbol": at.wire,
        "baseSymbol": at.base,
        "quoteSymbol": at.quote,
        "marketType": "PERP" if perpetual else "SPOT",
        "orderBookState": "Closed" if market.halted else "Open",
        "createdAt": "2025-01-21T06:34:54.691858",
        "fundingInterval": 28_800_000 if perpetual else None,
        "fundingRateLowerBound": "-100" if perpetual else None,
        "fundingRateUpperBound": "100" if perpetual else None,
        "openInterestLimit": "0",
        "imfFunction": None,
        "mmfFunction": None,
        "filters": {
            "price": {"minPrice": price(at, 1), "maxPrice": None, "tickSize": price(at, at.tick)},
            "quantity": {
                "minQuantity": amount(at.volume_min),
                "maxQuantity": None,
                "stepSize": amount(at.step),
            },
        },
    }


def book_ticker(at: VenueInstrument, quote: BookQuote) -> dict[str, Any]:
    """`bookTicker.S`."""
    now_us = quote.recv_ns // 1_000
    return {
        "e": "bookTicker",
        "E": now_us,
        "s": at.wire,
        "a": price(at, quote.ask),
        "A": amount(quote.ask_size),
        "b": price(at, quote.bid),
        "B": amount(quote.bid_size),
        "u": quote.seq,
        "T": quote.venue_ns // 1_000,
    }


def order_row(at: VenueInstrument, order: Order) -> dict[str, Any]:
    """An order of a REST answer."""
    market = order.kind is OrderKind.MARKET
    waiting = bool(order.stop_price)
    return {
        "id": str(order.id),
        "clientId": int(order.client_id) if order.client_id else None,
        "createdAt": order.created_ns // 1_000_000,
        "symbol": at.wire,
        "side": side(order.side),
        "orderType": "Market" if market else "Limit",
        "price": None if market else price(at, order.price),
        "quantity": None if waiting else amount(order.size),
        "quoteQuantity": None,
        "executedQuantity": amount(order.filled),
        "executedQuoteQuantity": amount(order.cost),
        "status": STATES[order.status],
        "timeInForce": _FORCES[order.asked.force],
        "postOnly": order.asked.post_only,
        "reduceOnly": order.asked.reduce_only or None,
        "selfTradePrevention": "RejectTaker",
        "triggerPrice": price(at, order.stop_price) if waiting else None,
        "triggerQuantity": amount(order.size) if waiting else None,
        "triggerBy": "LastPrice" if waiting else None,
        "triggeredAt": None,
        "expiryReason": REASONS.get(order.reason) if order.status is Status.EXPIRED else None,
        "relatedOrderId": None,
        "strategyId": None,
        "systemOrderType": None,
    }


def order_event(
    at: VenueInstrument, order: Order, kind: str, fill: Fill | None, now_us: int
) -> dict[str, Any]:
    """`account.orderUpdate`."""
    market = order.kind is OrderKind.MARKET
    row: dict[str, Any] = {
        "e": kind,
        "E": now_us,
        "s": at.wire,
        "i": str(order.id),
        "S": side(order.side),
        "o": "MARKET" if market else "LIMIT",
        "f": _FORCES[order.asked.force],
        "q": amount(order.size),
        "X": STATES[order.status],
        "r": order.asked.reduce_only,
        "O": "USER",
        "V": "RejectTaker",
        "z": amount(order.filled),
        "Z": amount(order.cost),
        "T": order.updated_ns // 1_000,
    }
    if order.client_id:
        row["c"] = int(order.client_id)
    if not market:
        row["p"] = price(at, order.price)
    if order.stop_price:
        row["P"] = price(at, order.stop_price)
    if order.status is Status.EXPIRED:
        row["R"] = REASONS.get(order.reason, "Unknown")
    if fill is not None:
        row |= {
            "t": fill.trade_id,
            "l": amount(fill.size),
            "L": price(at, fill.price),
            "m": fill.maker,
            "n": amount(fill.fee),
            "N": fill.fee_asset,
        }
    return row


def fill_row(at: VenueInstrument, fill: Fill) -> dict[str, Any]:
    """One row of the history of fills."""
    return {
        "tradeId": fill.trade_id,
        "orderId": str(fill.order_id),
        "clientId": fill.client_id or None,
        "symbol": at.wire,
        "side": side(fill.side),
        "price": price(at, fill.price),
        "quantity": amount(fill.size),
        "fee": amount(fill.fee),
        "feeSymbol": fill.fee_asset,
        "isMaker": fill.maker,
        "timestamp": utc(fill.ts_ns, "T"),
        "systemOrderType": None,
    }


def position_row(market: Market, position: Position) -> dict[str, Any]:
    """One row of /api/v1/position."""
    at = market.instrument
    return {
        "symbol": at.wire,
        "netQuantity": amount(position.size),
        "netExposureQuantity": amount(abs(position.size)),
        "netExposureNotional": amount(position.value),
        "netCost": amount(position.value if position.size > 0 else -position.value),
        "entryPrice": plain(entry_price(at, position, 4), at.digits + 4),
        "breakEvenPrice": plain(entry_price(at, position, 4), at.digits + 4),
        "markPrice": price(at, market.mark),
        "pnlUnrealized": amount(unrealised(at, position, market.mark)),
        "pnlRealized": amount(position.realised),
        "cumulativeFundingPayment": "0",
        "cumulativeInterest": "0",
        "estLiquidationPrice": "0",
        "imf": "0.05",
        "mmf": "0.0125",
        "positionId": f"1{market.trade_id}",
        "subaccountId": None,
        "userId": 1,
    }


def position_event(market: Market, position: Position, kind: str, now_us: int) -> dict[str, Any]:
    """`account.positionUpdate`; a snapshot has no kind."""
    row = position_row(market, position)
    event = {
        "E": now_us,
        "T": now_us,
        "s": row["symbol"],
        "q": row["netQuantity"],
        "Q": row["netExposureQuantity"],
        "n": row["netExposureNotional"],
        "B": row["entryPrice"],
        "b": row["breakEvenPrice"],
        "M": row["markPrice"],
        "P": row["pnlUnrealized"],
        "p": row["pnlRealized"],
        "l": "0",
        "f": "0.05",
        "m": "0.0125",
        "i": int(row["positionId"]),
    }
    return {"e": kind, **event} if kind else event


def kline_row(at: VenueInstrument, bar: Bar, seconds: int) -> dict[str, Any]:
    """One bar."""
    return {
        "start": utc(bar.start_ns, " ", whole=True),
        "end": utc(bar.start_ns + seconds * 10**9, " ", whole=True),
        "open": price(at, bar.open),
        "high": price(at, bar.high),
        "low": price(at, bar.low),
        "close": price(at, bar.close),
        "volume": amount(bar.volume),
        "quoteVolume": plain(bar.cost, at.digits + SIZE_DIGITS),
        "trades": str(bar.trades),
    }


def utc(ns: int, between: str, *, whole: bool = False) -> str:
    """A time of the history: UTC without saying so."""
    moment = datetime.fromtimestamp(ns // 10**9, UTC)
    text = f"{moment:%Y-%m-%d}{between}{moment:%H:%M:%S}"
    return text if whole else f"{text}.{ns // 10**6 % 1000:03d}"
