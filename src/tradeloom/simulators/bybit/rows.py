"""What the exchange knows, as Bybit writes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS, InstrumentKind, VenueInstrument
from tradeloom.simulators.accounts import Account, Balance, Position, entry_price, unrealised
from tradeloom.simulators.bars import Bar
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import divided, fixed, plain
from tradeloom.simulators.orders import Fill, Order, OrderKind, Reason, Status

MS: Final = 1_000_000
HOUR_MS: Final = 3_600_000
_STATUS: Final = {
    Status.WAITING: "Untriggered",
    Status.NEW: "New",
    Status.PARTIALLY_FILLED: "PartiallyFilled",
    Status.FILLED: "Filled",
    Status.CANCELED: "Cancelled",
    Status.EXPIRED: "Cancelled",
}
_REJECTS: Final = {
    Reason.NO_LIQUIDITY: "EC_NoImmediateQtyToFill",
    Reason.NOT_FILLED: "EC_NoImmediateQtyToFill",
    Reason.WOULD_TAKE: "EC_PostOnlyWillTakeLiquidity",
}
_CANCELS: Final = {
    Reason.BY_CLIENT: "CancelByUser",
    Reason.BY_VENUE: "CancelByDCP",
    Reason.REDUCE_ONLY: "CancelByReduceOnly",
    Reason.LIQUIDATION: "CancelByPrepareLiq",
}


def is_linear(at: VenueInstrument) -> bool:
    """Whether it is a perpetual (else spot)."""
    return at.kind is InstrumentKind.PERPETUAL


def id_text(at: VenueInstrument, number: int) -> str:
    """An order's id: a long number on spot, a UUID on perpetuals."""
    return str(UUID(int=number)) if is_linear(at) else str(number)


def id_number(text: str) -> int:
    """The number in an id; -1 for what is none."""
    if text.isascii() and text.isdigit() and len(text) < 20:
        return int(text)
    try:
        return UUID(text).int
    except ValueError:
        return -1


def side(which: Side) -> str:
    """Buy or Sell."""
    return "Buy" if which is Side.BUY else "Sell"


def size(number: int) -> str:
    """A size."""
    return plain(number, SIZE_DIGITS)


def instrument_row(market: Market) -> dict[str, Any]:
    """instruments-info."""
    at = market.instrument
    row: dict[str, Any] = {
        "symbol": at.wire,
        "baseCoin": at.base,
        "quoteCoin": at.quote,
        "status": "Trading" if not market.halted else "PreLaunch",
        "priceFilter": {
            "minPrice": fixed(at.tick, at.digits),
            "maxPrice": "1999999.98",
            "tickSize": fixed(at.tick, at.digits),
        },
    }
    most = size(at.volume_max or 10**12)
    if is_linear(at):
        return row | {
            "contractType": "LinearPerpetual",
            "settleCoin": at.settle,
            "priceScale": str(at.digits),
            "launchTime": "1585526400000",
            "deliveryTime": "0",
            "fundingInterval": 480,
            "leverageFilter": {"minLeverage": "1", "maxLeverage": "100", "leverageStep": "0.01"},
            "lotSizeFilter": {
                "minOrderQty": size(at.volume_min or at.step),
                "maxOrderQty": most,
                "maxMktOrderQty": most,
                "qtyStep": size(at.step),
                "minNotionalValue": f"{at.notional_min:f}",
            },
        }
    return row | {
        "innovation": "0",
        "marginTrading": "utaOnly",
        "lotSizeFilter": {
            "basePrecision": size(at.step),
            "quotePrecision": "0.00000001",
            "minOrderQty": size(at.volume_min or at.step),
            "maxOrderQty": most,
            "maxLimitOrderQty": most,
            "maxMarketOrderQty": most,
            "minOrderAmt": f"{at.notional_min:f}",
            "maxOrderAmt": "4000000",
        },
        "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.15"},
    }


def average(at: VenueInstrument, order: Order) -> str:
    """The average price of what filled; empty when nothing did."""
    if not order.filled:
        return ""
    scale = 10 ** (at.digits + 4)
    top, bottom = at.contract_size.as_integer_ratio()
    return plain(divided(order.cost * scale * bottom, order.filled * top), at.digits + 4)


def order_row(at: VenueInstrument, order: Order) -> dict[str, Any]:
    """An order, by REST and by socket."""
    note = order.asked.note
    status = _STATUS[order.status]
    spot = not is_linear(at)
    if spot and status == "Cancelled" and order.filled:
        status = "PartiallyFilledCanceled"
    cancelled = order.status in (Status.CANCELED, Status.EXPIRED)
    left = 0 if cancelled else order.left
    # Fields that only contracts have; clients tell the markets apart by them.
    contract = {} if spot else {"tpslMode": "UNKNOWN", "closedPnl": "0", "placeType": ""}
    return contract | {
        "category": "spot" if spot else "linear",
        "symbol": at.wire,
        "orderId": id_text(at, order.id),
        "orderLinkId": order.client_id,
        "blockTradeId": "",
        "side": side(order.side),
        "positionIdx": note.get("positionIdx", 0),
        "orderStatus": status,
        "createType": "CreateByUser",
        "cancelType": _CANCELS.get(order.reason, "UNKNOWN") if cancelled else "UNKNOWN",
        "rejectReason": _REJECTS.get(order.reason, "EC_NoError"),
        "timeInForce": note.get("timeInForce", "GTC"),
        "isLeverage": "0" if spot else "",
        "price": fixed(order.price, at.digits) if order.kind is OrderKind.LIMIT else "0",
        "qty": note.get("qty", "") if note.get("marketUnit") == "quoteCoin" else size(order.size),
        "avgPrice": average(at, order),
        "leavesQty": size(left),
        "leavesValue": size(divided(order.price * left, 10**at.digits)),
        "cumExecQty": size(order.filled),
        "cumExecValue": size(order.cost),
        "cumExecFee": size(order.fees),
        "orderType": "Limit" if order.kind is OrderKind.LIMIT else "Market",
        "stopOrderType": "Stop" if order.asked.stop_price else "",
        "orderIv": "",
        "triggerPrice": fixed(order.stop_price, at.digits) if order.stop_price else "",
        "takeProfit": "",
        "stopLoss": "",
        "triggerBy": "LastPrice" if order.asked.stop_price else "",
        "triggerDirection": note.get("triggerDirection", 0),
        "closeOnTrigger": False,
        "reduceOnly": order.asked.reduce_only,
        "smpGroup": 0,
        "smpType": "None",
        "smpOrderId": "",
        "marketUnit": note.get("marketUnit", ""),
        "createdTime": str(order.created_ns // MS),
        "updatedTime": str(order.updated_ns // MS),
    }


def execution_row(at: VenueInstrument, fill: Fill, order: Order | None) -> dict[str, Any]:
    """An execution, by REST and by socket."""
    limit = order is not None and order.kind is OrderKind.LIMIT
    rate = Decimal(fill.fee) / fill.cost if fill.cost else Decimal(0)
    return {
        "category": "linear" if is_linear(at) else "spot",
        "symbol": at.wire,
        "orderId": id_text(at, fill.order_id),
        "orderLinkId": fill.client_id,
        "side": side(fill.side),
        "orderPrice": fixed(order.price, at.digits) if order else "0",
        "orderQty": size(order.size) if order else "0",
        "leavesQty": size(order.left) if order else "0",
        "createType": "CreateByUser",
        "orderType": "Limit" if limit else "Market",
        "stopOrderType": "",
        "execFee": size(fill.fee),
        "feeCurrency": fill.fee_asset,
        "execId": str(fill.trade_id),
        "execPrice": fixed(fill.price, at.digits),
        "execQty": size(fill.size),
        "execType": "Trade",
        "execValue": size(fill.cost),
        "execTime": str(fill.ts_ns // MS),
        "isMaker": fill.maker,
        "feeRate": f"{rate:.6f}",
        "tradeIv": "",
        "markIv": "",
        "markPrice": "",
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "",
        "seq": fill.trade_id,
        "execPnl": size(fill.realised),
    }


def coin_row(asset: str, held: Balance, order_margin: int, position_margin: int) -> dict[str, Any]:
    """Money of one currency."""
    total = held.free + held.locked
    margined = bool(order_margin or position_margin)
    return {
        "coin": asset,
        "equity": size(total),
        "usdValue": "",
        "walletBalance": size(total),
        "locked": "0" if margined else size(held.locked),
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "totalOrderIM": size(order_margin),
        "totalPositionIM": size(position_margin),
        "totalPositionMM": "0",
        "unrealisedPnl": "0",
        "cumRealisedPnl": "0",
        "bonus": "0",
        "collateralSwitch": True,
        "marginCollateral": True,
        "availableToWithdraw": "",
    }


def position_row(market: Market, account: Account, held: Position) -> dict[str, Any]:
    """A position; the average price is `avgPrice` by REST and `entryPrice` by socket."""
    at = market.instrument
    price = plain(entry_price(at, held, 4), at.digits + 4)
    return {
        "category": "linear",
        "symbol": at.wire,
        "side": "" if not held.size else "Buy" if held.size > 0 else "Sell",
        "size": size(abs(held.size)),
        "positionIdx": {"": 0, "LONG": 1, "SHORT": 2}[held.side],
        "avgPrice": price,
        "entryPrice": price,
        "positionValue": size(held.value),
        "leverage": str(held.leverage),
        "markPrice": fixed(market.mark, at.digits),
        "unrealisedPnl": size(unrealised(at, held, market.mark)),
        "cumRealisedPnl": size(held.realised),
        "positionStatus": "Normal",
        "tradeMode": 0,
        "liqPrice": "",
        "seq": market.seq,
        "createdTime": str(held.updated_ns // MS),
        "updatedTime": str(held.updated_ns // MS),
    }


def kline_row(at: VenueInstrument, bar: Bar) -> list[str]:
    """start, open, high, low, close, volume, turnover."""
    prices = (fixed(each, at.digits) for each in (bar.open, bar.high, bar.low, bar.close))
    turnover = size(divided(bar.cost, 10**at.digits))
    return [str(bar.start_ns // MS), *prices, size(bar.volume), turnover]


def ticker_row(market: Market, now_ms: int) -> dict[str, Any]:
    """tickers: on spot without bid and ask, as Bybit's socket sends it."""
    at, last = market.instrument, market.last or market.mark
    row: dict[str, Any] = {
        "symbol": at.wire,
        "lastPrice": fixed(last, at.digits),
        "highPrice24h": fixed(last, at.digits),
        "lowPrice24h": fixed(last, at.digits),
        "prevPrice24h": fixed(last, at.digits),
        "volume24h": size(sum(each.size for each in market.trades)),
        "turnover24h": "0",
        "price24hPcnt": "0",
    }
    if not is_linear(at):
        return row
    span = 8 * HOUR_MS
    quote = market.quote
    return row | {
        "markPrice": fixed(market.mark, at.digits),
        "indexPrice": fixed(market.mark + market.index_offset, at.digits),
        "fundingRate": plain(market.funding_ppm, 6),
        "nextFundingTime": str((now_ms // span + 1) * span),
        "bid1Price": fixed(quote.bid, at.digits) if quote else "",
        "bid1Size": size(quote.bid_size) if quote else "",
        "ask1Price": fixed(quote.ask, at.digits) if quote else "",
        "ask1Size": size(quote.ask_size) if quote else "",
    }
