"""What the exchange knows, as OKX writes it."""

from __future__ import annotations

from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS, InstrumentKind, VenueInstrument
from tradeloom.simulators.accounts import Account, Position, entry_price, unrealised
from tradeloom.simulators.bars import Bar
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import divided, plain
from tradeloom.simulators.orders import Fill, Order, OrderKind, Reason, Status

MS: Final = 1_000_000
HOUR_MS: Final = 3_600_000
_STATE: Final = {
    Status.WAITING: "live",
    Status.NEW: "live",
    Status.PARTIALLY_FILLED: "partially_filled",
    Status.FILLED: "filled",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "canceled",
}
_SOURCE: Final = {
    Reason.BY_CLIENT: "1",
    Reason.NO_LIQUIDITY: "14",
    Reason.NOT_FILLED: "14",
    Reason.BY_VENUE: "20",
    Reason.WOULD_TAKE: "31",
    Reason.SELF_TRADE: "32",
    Reason.LIQUIDATION: "3",
}


def is_swap(at: VenueInstrument) -> bool:
    """Whether it is a perpetual (else spot)."""
    return at.kind is InstrumentKind.PERPETUAL


def kind(at: VenueInstrument) -> str:
    """instType."""
    return "SWAP" if is_swap(at) else "SPOT"


def side(which: Side) -> str:
    """buy or sell."""
    return "buy" if which is Side.BUY else "sell"


def size(number: int) -> str:
    """A size or money."""
    return plain(number, SIZE_DIGITS)


def instrument_row(market: Market) -> dict[str, Any]:
    """/public/instruments."""
    at = market.instrument
    swap = is_swap(at)
    family = f"{at.base}-{at.quote}"
    most = size(at.volume_max or 10**14)
    return {
        "instType": kind(at),
        "instId": at.wire,
        "instIdCode": at.wire_code,
        "uly": family if swap else "",
        "instFamily": family if swap else "",
        "category": "1",
        "baseCcy": "" if swap else at.base,
        "quoteCcy": "" if swap else at.quote,
        "settleCcy": at.settle if swap else "",
        "ctVal": f"{at.contract_size:f}" if swap else "",
        "ctMult": "1" if swap else "",
        "ctValCcy": at.contract_currency if swap else "",
        "ctType": ("inverse" if at.inverse else "linear") if swap else "",
        "optType": "",
        "stk": "",
        "alias": "",
        "listTime": "1548133413000",
        "expTime": "",
        "lever": "100" if swap else "10",
        "tickSz": plain(at.tick, at.digits),
        "lotSz": size(at.step),
        "minSz": size(at.volume_min or at.step),
        "maxLmtSz": most,
        "maxMktSz": most,
        "maxLmtAmt": "20000000",
        "maxMktAmt": "1000000",
        "state": "suspend" if market.halted else "live",
        "ruleType": "normal",
    }


def average(at: VenueInstrument, order: Order) -> str:
    """The average price of what filled; empty when nothing did."""
    if not order.filled or not order.cost:
        return ""
    scale = 10 ** (at.digits + 4)
    top, bottom = at.contract_size.as_integer_ratio()
    if at.inverse:
        made = divided(order.filled * top * scale, order.cost * bottom)
    else:
        made = divided(order.cost * scale * bottom, order.filled * top)
    return plain(made, at.digits + 4)


def order_row(at: VenueInstrument, order: Order, fill: Fill | None = None) -> dict[str, Any]:
    """An order; by socket with the fill that changed it."""
    note = order.asked.note
    by_money = note.get("tgtCcy") == "quote_ccy"
    state = _STATE[order.status]
    row: dict[str, Any] = {
        "instType": kind(at),
        "instId": at.wire,
        "ccy": "",
        "ordId": str(order.id),
        "clOrdId": order.client_id,
        "tag": note.get("tag", ""),
        "px": plain(order.price, at.digits) if order.kind is OrderKind.LIMIT else "",
        "sz": note.get("sz", "") if by_money else size(order.size),
        "ordType": note.get("ordType", "limit"),
        "side": side(order.side),
        "posSide": note.get("posSide") or ("net" if is_swap(at) else ""),
        "tdMode": note.get("tdMode", "cash"),
        "tgtCcy": note.get("tgtCcy", ""),
        "accFillSz": size(order.filled),
        "avgPx": average(at, order),
        "state": state,
        "lever": "20" if is_swap(at) else "",
        "fee": size(-order.fees),
        "feeCcy": order.fee_asset or (at.base if order.side is Side.BUY else at.quote),
        "rebate": "0",
        "rebateCcy": "",
        "pnl": "0",
        "category": "normal",
        "reduceOnly": "true" if order.asked.reduce_only else "false",
        "cancelSource": _SOURCE.get(order.reason, "0") if state == "canceled" else "",
        "cancelSourceReason": "",
        "fillPx": "",
        "fillSz": "0",
        "tradeId": "",
        "fillTime": "",
        "cTime": str(order.created_ns // MS),
        "uTime": str(order.updated_ns // MS),
    }
    if fill is not None:
        row |= fill_part(at, fill)
    return row


def fill_part(at: VenueInstrument, fill: Fill) -> dict[str, Any]:
    """What an order's news says of its newest fill."""
    return {
        "fillPx": plain(fill.price, at.digits),
        "fillSz": size(fill.size),
        "tradeId": str(fill.trade_id),
        "fillTime": str(fill.ts_ns // MS),
        "fillFee": size(-fill.fee),
        "fillFeeCcy": fill.fee_asset,
        "fillPnl": size(fill.realised),
        "execType": "M" if fill.maker else "T",
    }


def fill_row(at: VenueInstrument, fill: Fill) -> dict[str, Any]:
    """An execution by REST."""
    return {
        "instType": kind(at),
        "instId": at.wire,
        "tradeId": str(fill.trade_id),
        "ordId": str(fill.order_id),
        "clOrdId": fill.client_id,
        "billId": str(fill.trade_id * 10 + int(fill.side)),
        "tag": "",
        "fillPx": plain(fill.price, at.digits),
        "fillSz": size(fill.size),
        "side": side(fill.side),
        "posSide": "net" if is_swap(at) else "",
        "execType": "M" if fill.maker else "T",
        "feeCcy": fill.fee_asset,
        "fee": size(-fill.fee),
        "fillPnl": size(fill.realised),
        "ts": str(fill.ts_ns // MS),
        "fillTime": str(fill.ts_ns // MS),
    }


def money_row(account: Account, asset: str, bound: int, now_ms: int) -> dict[str, Any]:
    """Money of one currency."""
    held = account.balance(asset)
    total, frozen = held.free + held.locked, held.locked + bound
    return {
        "ccy": asset,
        "eq": size(total),
        "cashBal": size(total),
        "availBal": size(total - frozen),
        "availEq": size(total - frozen),
        "frozenBal": size(frozen),
        "ordFrozen": size(held.locked),
        "liab": "0",
        "upl": "0",
        "uTime": str(now_ms),
    }


def position_row(market: Market, held: Position) -> dict[str, Any]:
    """A position in contracts; hedged shorts are positive."""
    at = market.instrument
    hedged = held.side != ""
    return {
        "instType": "SWAP",
        "instId": at.wire,
        "mgnMode": "cross",
        "posId": "1",
        "posSide": held.side.lower() if hedged else "net",
        "pos": size(abs(held.size) if hedged else held.size),
        "avgPx": plain(entry_price(at, held, 4), at.digits + 4) if held.size else "",
        "upl": size(unrealised(at, held, market.mark)),
        "realizedPnl": size(held.realised),
        "lever": str(held.leverage),
        "markPx": plain(market.mark, at.digits),
        "ccy": at.settle,
        "cTime": str(held.updated_ns // MS),
        "uTime": str(held.updated_ns // MS),
    }


def candle_row(at: VenueInstrument, bar: Bar, finished: bool) -> list[str]:
    """ts, open, high, low, close, volume twice, turnover, confirm."""
    prices = (plain(each, at.digits) for each in (bar.open, bar.high, bar.low, bar.close))
    turnover = size(divided(bar.cost, 10**at.digits))
    volume = size(bar.volume)
    start = str(bar.start_ns // MS)
    return [start, *prices, volume, volume, turnover, "1" if finished else "0"]


def ticker_row(market: Market, now_ms: int) -> dict[str, Any]:
    """tickers."""
    at, quote = market.instrument, market.quote
    last = plain(market.last or market.mark, at.digits)
    newest = market.trades[-1].size if market.trades else 0
    return {
        "instType": kind(at),
        "instId": at.wire,
        "last": last,
        "lastSz": size(newest),
        "askPx": plain(quote.ask, at.digits) if quote and quote.ask else "",
        "askSz": size(quote.ask_size) if quote else "0",
        "bidPx": plain(quote.bid, at.digits) if quote and quote.bid else "",
        "bidSz": size(quote.bid_size) if quote else "0",
        "open24h": last,
        "high24h": last,
        "low24h": last,
        "sodUtc0": last,
        "sodUtc8": last,
        "volCcy24h": "0",
        "vol24h": size(sum(each.size for each in market.trades)),
        "ts": str(now_ms),
    }


def funding_row(market: Market, now_ms: int) -> dict[str, Any]:
    """funding-rate."""
    span = 8 * HOUR_MS
    at = (now_ms // span + 1) * span
    return {
        "instType": "SWAP",
        "instId": market.instrument.wire,
        "method": "current_period",
        "fundingRate": plain(market.funding_ppm, 6),
        "nextFundingRate": "",
        "fundingTime": str(at),
        "nextFundingTime": str(at + span),
        "minFundingRate": "-0.00375",
        "maxFundingRate": "0.00375",
        "settState": "settled",
        "settFundingRate": plain(market.funding_ppm, 6),
        "premium": "0",
        "ts": str(now_ms),
    }


def mark_row(market: Market, now_ms: int) -> dict[str, Any]:
    """mark-price."""
    at = market.instrument
    price = plain(market.mark, at.digits)
    return {"instType": "SWAP", "instId": at.wire, "markPx": price, "ts": str(now_ms)}


def index_row(market: Market, now_ms: int) -> dict[str, Any]:
    """index-tickers."""
    at = market.instrument
    price = plain(market.mark + market.index_offset, at.digits)
    name = f"{at.base}-{at.quote}"
    day = {"high24h": price, "low24h": price, "open24h": price, "sodUtc0": price, "sodUtc8": price}
    return {"instId": name, "idxPx": price, **day, "ts": str(now_ms)}
