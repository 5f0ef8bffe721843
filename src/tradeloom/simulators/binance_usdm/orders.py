"""USD-M orders between Binance's words and the exchange's."""

from __future__ import annotations

from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import VenueInstrument
from tradeloom.simulators.accounts import Account
from tradeloom.simulators.binance.errors import BinanceError
from tradeloom.simulators.binance.orders import SIDES, client_id
from tradeloom.simulators.binance.params import Params
from tradeloom.simulators.binance_usdm.rows import price, size, size_digits
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import fixed
from tradeloom.simulators.orders import Fill, Force, NewOrder, Order, OrderKind, Reason, Status

FORCES: Final = {
    "GTC": Force.GTC, "IOC": Force.IOC, "FOK": Force.FOK, "GTX": Force.GTC, "GTD": Force.GTC,
}  # fmt: skip
CONDITIONAL: Final = (
    "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET",
)  # fmt: skip
_MS: Final = 1_000_000


def new_order(params: Params, market: Market, account: Account, fallback_id: str) -> NewOrder:
    """The order of `POST /fapi/v1/order`; raises `BinanceError`."""
    kind = params.text("type")
    if kind in CONDITIONAL:
        raise BinanceError(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints "
            "instead.",
        )
    if kind not in ("LIMIT", "MARKET"):
        raise BinanceError(-1116, "Invalid orderType.")
    return _asked(params, market, account, kind, fallback_id, "newClientOrderId")


def new_algo(params: Params, market: Market, account: Account, fallback_id: str) -> NewOrder:
    """The conditional order of `POST /fapi/v1/algoOrder`; raises `BinanceError`."""
    params.one_of("algoType", ("CONDITIONAL",), -1102, "algoType")
    kind = params.one_of("type", CONDITIONAL, -1116, "orderType")
    asked = _asked(params, market, account, kind, fallback_id, "clientAlgoId")
    digits = market.instrument.digits
    if kind == "TRAILING_STOP_MARKET":
        # callbackRate is a percentage: one percent is 10,000 millionths.
        asked.trail_ppm = params.figure("callbackRate", 4)
        if not 1_000 <= asked.trail_ppm <= 100_000:
            raise BinanceError(-2007, "Invalid callBack rate.")
        asked.stop_price = params.figure("activatePrice", digits, market.last or market.mark)
        asked.stop_rising = asked.side is Side.BUY
    else:
        asked.stop_price = params.figure("triggerPrice", digits)
        asked.stop_rising = (asked.side is Side.BUY) == kind.startswith("STOP")
    asked.note["algo"] = True
    return asked


def _asked(
    params: Params, market: Market, account: Account, kind: str, fallback_id: str, id_name: str
) -> NewOrder:
    at = market.instrument
    side = SIDES[params.one_of("side", tuple(SIDES), -1117, "side")]
    limit = kind in ("LIMIT", "STOP", "TAKE_PROFIT")
    word = "GTC"
    if kind == "LIMIT" or "timeInForce" in params:
        word = params.one_of("timeInForce", tuple(FORCES), -1115, "timeInForce")
    position = position_side(params, account)
    closing = position == ("LONG" if side is Side.SELL else "SHORT")
    reduce_only = params.flag("reduceOnly")
    if position and "reduceOnly" in params:
        raise BinanceError(-1106, "Parameter 'reduceonly' sent when not required.")
    whole = params.flag("closePosition")
    quantity = 0
    if whole:
        quantity = abs(account.position(at.symbol, position).size)
        if not quantity:
            raise BinanceError(-2022, "ReduceOnly Order is rejected.")
    else:
        quantity = params.figure("quantity", size_digits(at)) * at_unit(at)
    if closing and quantity > abs(account.position(at.symbol, position).size):
        raise BinanceError(-2022, "ReduceOnly Order is rejected.")
    expires_ms = params.integer("goodTillDate", 0) if word == "GTD" else 0
    return NewOrder(
        symbol=at.symbol,
        side=side,
        kind=OrderKind.LIMIT if limit else OrderKind.MARKET,
        size=quantity,
        price=params.figure("price", at.digits) if limit else 0,
        force=FORCES[word],
        post_only=word == "GTX",
        reduce_only=reduce_only or closing or whole,
        expires_ns=expires_ms * _MS,
        client_id=client_id(params, id_name) or fallback_id,
        position=position,
        note={
            "type": kind, "force": word, "reduce": reduce_only, "close": whole,
            "gtd": expires_ms, "working": params.text("workingType", "CONTRACT_PRICE"),
        },
    )  # fmt: skip


def at_unit(at: VenueInstrument) -> int:
    """Sizes (1e-8) per unit of the last decimal of a quantity."""
    unit: int = 10 ** (8 - size_digits(at))
    return unit


def position_side(params: Params, account: Account) -> str:
    """ "" in one-way mode, LONG or SHORT in hedge mode; raises -4061 when it does not fit."""
    word = params.text("positionSide", "BOTH")
    if word not in ("BOTH", "LONG", "SHORT"):
        raise BinanceError(-1116, "Invalid positionSide.")
    if account.hedged == (word == "BOTH"):
        raise BinanceError(-4061, "Order's position side does not match user's setting.")
    return "" if word == "BOTH" else word


def average(at: VenueInstrument, order: Order) -> str:
    """The average price so far."""
    if not order.filled:
        return fixed(0, at.digits)
    return price(at, order.cost * 10**at.digits // order.filled)


def status_of(order: Order) -> str:
    """Binance's word."""
    if order.status is Status.WAITING:
        return "NEW"
    if order.reason is Reason.SELF_TRADE and order.status is Status.EXPIRED:
        return "EXPIRED_IN_MATCH"
    return order.status.name


def order_row(at: VenueInstrument, order: Order, acknowledged: bool = False) -> dict[str, Any]:
    """An order as every call answers it; `acknowledged` is the ACK form, before any fill."""
    note = order.asked.note
    return {
        "orderId": order.id,
        "symbol": at.wire,
        "status": "NEW" if acknowledged else status_of(order),
        "clientOrderId": order.client_id,
        "price": price(at, order.price),
        "avgPrice": fixed(0, at.digits) if acknowledged else average(at, order),
        "origQty": size(at, order.size),
        "executedQty": size(at, 0 if acknowledged else order.filled),
        "cumQty": size(at, 0 if acknowledged else order.filled),
        "cumQuote": fixed(0 if acknowledged else order.cost, 8),
        "timeInForce": note["force"],
        "type": _working_type(note["type"]),
        "reduceOnly": note["reduce"] or note["close"],
        "closePosition": note["close"],
        "side": order.side.name,
        "positionSide": order.asked.position or "BOTH",
        "stopPrice": price(at, 0),
        "workingType": note["working"],
        "priceProtect": False,
        "origType": _working_type(note["type"]),
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": note["gtd"],
        "time": order.created_ns // _MS,
        "updateTime": order.updated_ns // _MS,
    }


def _working_type(kind: str) -> str:
    """What a conditional order is once it works."""
    return {"STOP": "LIMIT", "TAKE_PROFIT": "LIMIT"}.get(
        kind, "LIMIT" if kind == "LIMIT" else "MARKET"
    )


def algo_status(order: Order) -> str:
    """NEW, TRIGGERED, FINISHED, CANCELED, EXPIRED."""
    if order.status is Status.WAITING:
        return "NEW"
    if not order.triggered:
        return "CANCELED" if order.status is Status.CANCELED else "EXPIRED"
    return "TRIGGERED" if order.status.open else "FINISHED"


def algo_row(at: VenueInstrument, order: Order) -> dict[str, Any]:
    """A conditional order as its calls answer it."""
    note = order.asked.note
    return {
        "algoId": order.id,
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": note["type"],
        "symbol": at.wire,
        "side": order.side.name,
        "positionSide": order.asked.position or "BOTH",
        "timeInForce": note["force"],
        "quantity": size(at, order.size),
        "algoStatus": algo_status(order),
        "actualOrderId": str(order.id) if order.triggered else "",
        "triggerPrice": price(at, order.stop_price),
        "price": price(at, order.price),
        "icebergQuantity": None,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": note["working"],
        "priceMatch": "NONE",
        "closePosition": note["close"],
        "priceProtect": False,
        "reduceOnly": note["reduce"] or note["close"],
        "activatePrice": "",
        "callbackRate": fixed(order.asked.trail_ppm // 1_000, 1) if order.asked.trail_ppm else "",
        "createTime": order.created_ns // _MS,
        "updateTime": order.updated_ns // _MS,
        "triggerTime": order.updated_ns // _MS if order.triggered else 0,
        "goodTillDate": note["gtd"],
    }


def fill_row(at: VenueInstrument, fill: Fill) -> dict[str, Any]:
    """One row of userTrades."""
    return {
        "symbol": at.wire,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side.name,
        "price": price(at, fill.price),
        "qty": size(at, fill.size),
        "realizedPnl": fixed(fill.realised, 8),
        "quoteQty": fixed(fill.cost, 8),
        "commission": fixed(fill.fee, 8),
        "commissionAsset": fill.fee_asset,
        "time": fill.ts_ns // _MS,
        "positionSide": fill.position or "BOTH",
        "buyer": fill.side is Side.BUY,
        "maker": fill.maker,
    }
