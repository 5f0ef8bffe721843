"""Orders of USD-M accounts: placing, modifying, cancelling, conditional orders, looking."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tradeloom.simulators.binance.budgets import OverLimit
from tradeloom.simulators.binance.errors import BinanceError, illegal
from tradeloom.simulators.binance.family import Caller, Operation, Work
from tradeloom.simulators.binance.params import Params
from tradeloom.simulators.binance_usdm.orders import (
    algo_row,
    at_unit,
    fill_row,
    new_algo,
    new_order,
    order_row,
)
from tradeloom.simulators.binance_usdm.rows import size_digits
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.orders import Force, NewOrder, Order, OrderKind, Refused, Status

if TYPE_CHECKING:
    from tradeloom.simulators.binance_usdm.usdm import BinanceUsdm

ROWS: Final = 500
ROWS_MAX: Final = 1_000
BATCH_MAX: Final = 5
_MS: Final = 1_000_000


class UsdmTrading:
    """The signed operations on orders."""

    def __init__(self, venue: BinanceUsdm) -> None:
        self._venue = venue
        self._exchange = venue.exchange

    def operations(self) -> list[Operation]:
        """The table."""
        trade: dict[str, Any] = {"security": "signed", "scope": "trade"}
        look: dict[str, Any] = {"security": "signed"}
        v1 = "/fapi/v1"
        order, algo = f"{v1}/order", f"{v1}/algoOrder"
        return [
            Operation(self.place, "order.place", "POST", order, orders=1, **trade),
            Operation(self.test, "", "POST", f"{order}/test", **trade),
            Operation(self.modify, "order.modify", "PUT", order, orders=1, **trade),
            Operation(self.cancel, "order.cancel", "DELETE", order, **trade),
            Operation(self.status, "order.status", "GET", order, **look),
            Operation(self.batch, "", "POST", f"{v1}/batchOrders", weight=5, orders=1, **trade),
            Operation(self.cancel_batch, "", "DELETE", f"{v1}/batchOrders", **trade),
            Operation(self.cancel_all, "", "DELETE", f"{v1}/allOpenOrders", **trade),
            Operation(self.open_order, "", "GET", f"{v1}/openOrder", **look),
            Operation(
                self.open_orders, "", "GET", f"{v1}/openOrders",
                weight=lambda params: 1 if "symbol" in params else 40, **look,
            ),
            Operation(self.all_orders, "", "GET", f"{v1}/allOrders", weight=5, **look),
            Operation(self.trades, "", "GET", f"{v1}/userTrades", weight=5, **look),
            Operation(self.countdown, "", "POST", f"{v1}/countdownCancelAll", weight=10, **trade),
            Operation(self.place_algo, "algoOrder.place", "POST", algo, orders=1, **trade),
            Operation(self.cancel_algo, "algoOrder.cancel", "DELETE", algo, **trade),
            Operation(self.algo_status, "", "GET", algo, **look),
            Operation(self.open_algos, "", "GET", f"{v1}/openAlgoOrders", **look),
            Operation(self.all_algos, "", "GET", f"{v1}/allAlgoOrders", weight=5, **look),
            Operation(self.cancel_algos, "", "DELETE", f"{v1}/algoOpenOrders", **trade),
        ]  # fmt: skip

    # ---- plain orders ------------------------------------------------------------------------

    def place(self, params: Params, caller: Caller) -> dict[str, Any]:
        """order.place."""
        market = self.market(params)
        account = self._exchange.accounts[caller.account]
        asked = new_order(params, market, account, self._venue.new_client_id())
        kind = params.text("newOrderRespType", "ACK")
        if kind not in ("ACK", "RESULT"):
            raise BinanceError(-1102, "Invalid newOrderRespType.")
        self._no_dead_fok(market, asked)
        order = self._exchange.place(caller.account, asked)
        return order_row(market.instrument, order, kind == "ACK")

    def _no_dead_fok(self, market: Market, asked: NewOrder) -> None:
        if asked.force is not Force.FOK:
            return
        limit = asked.price if asked.kind is OrderKind.LIMIT else None
        if market.book.available(asked.side, limit) < asked.size:
            raise BinanceError(
                -5021,
                "Due to the order could not be filled immediately, the FOK order has been "
                "rejected. The order will not be recorded in the order history",
            )

    def test(self, params: Params, caller: Caller) -> dict[str, Any]:
        """Checked, never placed."""
        market = self.market(params)
        account = self._exchange.accounts[caller.account]
        self._exchange.check(caller.account, new_order(params, market, account, ""))
        return {}

    def modify(self, params: Params, caller: Caller) -> dict[str, Any]:
        """order.modify: LIMIT only, price and quantity both sent."""
        market = self.market(params)
        order = self.found(params, caller, market)
        at = market.instrument
        if params.text("side") != order.side.name:
            raise BinanceError(-1117, "Invalid side.")
        if order.kind is not OrderKind.LIMIT:
            raise BinanceError(-4114, "Only limit order is supported.")
        quantity = params.figure("quantity", size_digits(at)) * at_unit(at)
        new_price = params.figure("price", at.digits)
        if (quantity, new_price) == (order.size, order.price):
            raise BinanceError(-5027, "No need to modify the order.")
        if order.status.open and quantity <= order.filled:
            # Less than what was traded already: the rest is cancelled.
            self._exchange.cancel(order)
        else:
            self._exchange.amend(order, price=new_price, size=quantity)
        return order_row(at, order)

    def cancel(self, params: Params, caller: Caller) -> dict[str, Any]:
        """order.cancel."""
        market = self.market(params)
        order = self.found(params, caller, market, -2011, "Unknown order sent.")
        self._exchange.cancel(order)
        return order_row(market.instrument, order)

    def status(self, params: Params, caller: Caller) -> dict[str, Any]:
        """order.status."""
        market = self.market(params)
        return order_row(market.instrument, self.found(params, caller, market))

    def batch(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """Up to five placements, each with its own outcome."""
        orders = self._list(params, "batchOrders")
        if not 1 <= len(orders) <= BATCH_MAX:
            raise BinanceError(-4082, "Invalid number of batch place orders.")
        return [self._each(self.place, _params_of(each), caller) for each in orders]

    def cancel_batch(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """Up to ten cancellations, each with its own outcome."""
        symbol = params.text("symbol")
        if "orderIdList" in params:
            rows = [{"orderId": each} for each in self._list(params, "orderIdList")]
        else:
            names = self._list(params, "origClientOrderIdList")
            rows = [{"origClientOrderId": each} for each in names]
        wanted = [_params_of({"symbol": symbol, **each}) for each in rows[:10]]
        return [self._each(self.cancel, each, caller) for each in wanted]

    def _each(self, work: Work, params: Params, caller: Caller) -> Any:
        try:
            return work(params, caller)
        except BinanceError as error:
            return error.body()
        except Refused as refused:
            return self._venue.refusal(refused).body()
        except OverLimit:
            return BinanceError(-1015, "Too many new orders.").body()

    @staticmethod
    def _list(params: Params, name: str) -> list[Any]:
        try:
            found = json.loads(params.text(name), parse_float=str)
        except ValueError as error:
            raise illegal(name) from error
        if not isinstance(found, list):
            raise illegal(name)
        return found

    def cancel_all(self, params: Params, caller: Caller) -> dict[str, Any]:
        """Every open order of a symbol; conditional ones stay."""
        symbol = self.market(params).instrument.symbol
        for order in self._exchange.open_orders(caller.account, symbol):
            if order.status is not Status.WAITING:
                self._exchange.cancel(order)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def open_order(self, params: Params, caller: Caller) -> dict[str, Any]:
        """One open order."""
        market = self.market(params)
        order = self.found(params, caller, market)
        if not order.status.open:
            raise BinanceError(-2013, "Order does not exist.")
        return order_row(market.instrument, order)

    def open_orders(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """Open orders of a symbol, or all."""
        symbol = self.market(params).instrument.symbol if "symbol" in params else None
        found = self._exchange.open_orders(caller.account, symbol)
        return [self._row(each) for each in found if each.status is not Status.WAITING]

    def all_orders(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """Every order of a symbol."""
        symbol = self.market(params).instrument.symbol
        first, limit = params.integer("orderId", 0), self._limit(params)
        found = [
            each
            for each in self._exchange.orders(caller.account, symbol)
            if each.id >= first and self._within(params, each.created_ns) and _is_plain(each)
        ]
        return [self._row(each) for each in (found[:limit] if first else found[-limit:])]

    def trades(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """Fills."""
        market = self.market(params)
        order_id, first = params.optional("orderId"), params.integer("fromId", 0)
        limit = self._limit(params)
        found = [
            each
            for each in self._exchange.fills(caller.account, market.instrument.symbol)
            if (order_id is None or each.order_id == order_id)
            and each.trade_id >= first
            and self._within(params, each.ts_ns)
        ]
        rows = found[:limit] if first else found[-limit:]
        return [fill_row(market.instrument, each) for each in rows]

    def countdown(self, params: Params, caller: Caller) -> dict[str, Any]:
        """The dead-man switch of a symbol: cancels everything unless it is set anew in time."""
        market = self.market(params)
        wait_ms = params.integer("countdownTime")
        key = (caller.account, market.instrument.symbol)
        if wait_ms:
            self._venue.countdowns[key] = self._venue.clock.now_ns() + wait_ms * _MS
        else:
            self._venue.countdowns.pop(key, None)
        return {"symbol": market.instrument.wire, "countdownTime": str(wait_ms)}

    # ---- conditional orders ------------------------------------------------------------------

    def place_algo(self, params: Params, caller: Caller) -> dict[str, Any]:
        """algoOrder.place."""
        market = self.market(params)
        account = self._exchange.accounts[caller.account]
        asked = new_algo(params, market, account, self._venue.new_client_id())
        order = self._exchange.place(caller.account, asked)
        return algo_row(market.instrument, order)

    def cancel_algo(self, params: Params, caller: Caller) -> dict[str, Any]:
        """algoOrder.cancel."""
        order = self._algo(params, caller)
        if order.status is not Status.WAITING:
            raise BinanceError(-2011, "Unknown order sent.")
        self._exchange.cancel(order)
        return {
            "algoId": order.id, "clientAlgoId": order.client_id, "code": "200", "msg": "success",
        }  # fmt: skip

    def algo_status(self, params: Params, caller: Caller) -> dict[str, Any]:
        """One conditional order."""
        order = self._algo(params, caller)
        return algo_row(self._exchange.markets[order.symbol].instrument, order)

    def open_algos(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """Conditional orders that wait."""
        symbol = self.market(params).instrument.symbol if "symbol" in params else None
        found = self._exchange.open_orders(caller.account, symbol)
        return [self._algo_row(each) for each in found if each.status is Status.WAITING]

    def all_algos(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """Every conditional order of a symbol."""
        symbol = self.market(params).instrument.symbol
        found = self._exchange.orders(caller.account, symbol)
        kept = [each for each in found if each.asked.note.get("algo")]
        return [self._algo_row(each) for each in kept[-self._limit(params) :]]

    def cancel_algos(self, params: Params, caller: Caller) -> dict[str, Any]:
        """Every conditional order of a symbol that waits."""
        symbol = self.market(params).instrument.symbol
        for order in self._exchange.open_orders(caller.account, symbol):
            if order.status is Status.WAITING:
                self._exchange.cancel(order)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    # ---- finding -----------------------------------------------------------------------------

    def market(self, params: Params) -> Market:
        """The market of `symbol`; raises -1121."""
        found = self._exchange.by_wire.get(params.text("symbol"))
        if found is None:
            raise BinanceError(-1121, "Invalid symbol.")
        return found

    def found(
        self, params: Params, caller: Caller, market: Market,
        code: int = -2013, text: str = "Order does not exist.",
    ) -> Order:  # fmt: skip
        """The order of `orderId` or `origClientOrderId`; one that waits is none yet."""
        order_id, name = params.optional("orderId"), params.text("origClientOrderId", "")
        if order_id is None and not name:
            raise BinanceError(-1102, "Either orderId or origClientOrderId must be sent.")
        found = self._exchange.books.find(caller.account, order_id, name)
        if found is None or found.symbol != market.instrument.symbol or not _is_plain(found):
            raise BinanceError(code, text)
        return found

    def _algo(self, params: Params, caller: Caller) -> Order:
        algo_id, name = params.optional("algoId"), params.text("clientAlgoId", "")
        if algo_id is None and not name:
            raise BinanceError(-1102, "Either algoId or clientAlgoId must be sent.")
        found = self._exchange.books.find(caller.account, algo_id, name)
        if found is None or not found.asked.note.get("algo"):
            raise BinanceError(-2013, "Order does not exist.")
        return found

    def _row(self, order: Order) -> dict[str, Any]:
        return order_row(self._exchange.markets[order.symbol].instrument, order)

    def _algo_row(self, order: Order) -> dict[str, Any]:
        return algo_row(self._exchange.markets[order.symbol].instrument, order)

    @staticmethod
    def _limit(params: Params) -> int:
        return max(1, min(params.integer("limit", ROWS), ROWS_MAX))

    @staticmethod
    def _within(params: Params, ts_ns: int) -> bool:
        start, end = params.integer("startTime", 0), params.optional("endTime")
        return ts_ns // _MS >= start and (end is None or ts_ns // _MS <= end)


def _is_plain(order: Order) -> bool:
    """Whether it is an order of its own: a conditional one is, once it was triggered."""
    return not order.asked.note.get("algo") or order.triggered


def _params_of(row: Any) -> Params:
    if not isinstance(row, dict):
        raise illegal("batchOrders")
    return Params({name: _word(value) for name, value in row.items()})


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
