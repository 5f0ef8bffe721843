"""What can be asked of spot's accounts: placing, cancelling, amending, looking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tradeloom.simulators.binance.errors import BinanceError
from tradeloom.simulators.binance.family import Caller, Operation
from tradeloom.simulators.binance.orders import (
    canceled_row,
    client_id,
    fill_row,
    new_order,
    order_row,
    placed_row,
)
from tradeloom.simulators.binance.params import Params
from tradeloom.simulators.binance.rows import size
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.orders import Order, Refused

if TYPE_CHECKING:
    from tradeloom.simulators.binance.spot import BinanceSpot

ROWS: Final = 500
ROWS_MAX: Final = 1_000
_MS: Final = 1_000_000


class SpotTrading:
    """The signed operations of spot."""

    def __init__(self, venue: BinanceSpot) -> None:
        self._venue = venue
        self._exchange = venue.exchange

    def operations(self) -> list[Operation]:
        """The table; weights are those of the published list."""
        trade: dict[str, Any] = {"security": "signed", "scope": "trade"}
        look: dict[str, Any] = {"security": "signed"}
        order, orders = "/api/v3/order", "/api/v3/openOrders"
        return [
            Operation(self.place, "order.place", "POST", order, orders=1, **trade),
            Operation(self.test, "order.test", "POST", f"{order}/test", **trade),
            Operation(self.cancel, "order.cancel", "DELETE", order, **trade),
            Operation(
                self.replace, "order.cancelReplace", "POST", f"{order}/cancelReplace",
                orders=1, **trade,
            ),
            Operation(
                self.amend, "order.amend.keepPriority", "PUT", f"{order}/amend/keepPriority",
                weight=4, **trade,
            ),
            Operation(self.cancel_all, "openOrders.cancelAll", "DELETE", orders, **trade),
            Operation(self.status, "order.status", "GET", order, weight=4, **look),
            Operation(
                self.open_orders, "openOrders.status", "GET", orders,
                weight=lambda params: 6 if "symbol" in params else 80, **look,
            ),
            Operation(self.all_orders, "allOrders", "GET", "/api/v3/allOrders", weight=20, **look),
            Operation(self.trades, "myTrades", "GET", "/api/v3/myTrades", weight=20, **look),
            Operation(self.account, "account.status", "GET", "/api/v3/account", weight=20, **look),
            Operation(
                self.order_limits, "account.rateLimits.orders", "GET", "/api/v3/rateLimit/order",
                weight=40, **look,
            ),
            Operation(
                self.commission, "account.commission", "GET", "/api/v3/account/commission",
                weight=20, **look,
            ),
        ]  # fmt: skip

    # ---- changing ----------------------------------------------------------------------------

    def place(self, params: Params, caller: Caller) -> dict[str, Any]:
        """order.place."""
        market = self._market(params)
        asked = new_order(params, market, self._venue.new_client_id())
        default = "FULL" if asked.note["type"] in ("LIMIT", "MARKET") else "ACK"
        kind = params.text("newOrderRespType", default)
        if kind not in ("ACK", "RESULT", "FULL"):
            raise BinanceError(-1102, "Invalid newOrderRespType.")
        order = self._exchange.place(caller.account, asked)
        return placed_row(market.instrument, order, self._fills(order), kind)

    def test(self, params: Params, caller: Caller) -> dict[str, Any]:
        """order.test: checked like a real one, never placed."""
        market = self._market(params)
        self._exchange.check(caller.account, new_order(params, market, ""))
        return {}

    def cancel(self, params: Params, caller: Caller) -> dict[str, Any]:
        """order.cancel."""
        market = self._market(params)
        order = self._found(params, caller, market, -2011, "Unknown order sent.")
        only = params.text("cancelRestrictions", "")
        if only == "ONLY_NEW" and order.filled:
            raise BinanceError(-2011, "Order was not canceled due to cancel restrictions.")
        return self._cancel(market, order, client_id(params, "newClientOrderId"))

    def _cancel(self, market: Market, order: Order, cancel_id: str) -> dict[str, Any]:
        cancel_id = cancel_id or self._venue.new_client_id()
        # The order's own note goes out with the event, which must show the cancel's id.
        order.asked.note["cancel_id"] = cancel_id
        self._exchange.cancel(order)
        return canceled_row(market.instrument, order, cancel_id)

    def cancel_all(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """openOrders.cancelAll."""
        market = self._market(params)
        orders = self._exchange.open_orders(caller.account, market.instrument.symbol)
        if not orders:
            raise BinanceError(-2011, "Unknown order sent.")
        return [self._cancel(market, order, "") for order in orders]

    def replace(self, params: Params, caller: Caller) -> dict[str, Any]:
        """order.cancelReplace: one cancelled, then one placed; what failed is told with both."""
        market = self._market(params)
        mode = params.text("cancelReplaceMode")
        if mode not in ("STOP_ON_FAILURE", "ALLOW_FAILURE"):
            raise BinanceError(-1102, "Invalid cancelReplaceMode.")
        asked = new_order(params, market, self._venue.new_client_id())
        data: dict[str, Any] = {"cancelResult": "SUCCESS", "newOrderResult": "SUCCESS"}
        try:
            order = self._named(
                caller, market, params.optional("cancelOrderId"),
                params.text("cancelOrigClientOrderId", ""), -2011, "Unknown order sent.",
            )  # fmt: skip
            data["cancelResponse"] = self._cancel(
                market, order, client_id(params, "cancelNewClientOrderId")
            )
        except (BinanceError, Refused) as error:
            data["cancelResult"] = "FAILURE"
            data["cancelResponse"] = self._said(error)
        if data["cancelResult"] == "FAILURE" and mode == "STOP_ON_FAILURE":
            data |= {"newOrderResult": "NOT_ATTEMPTED", "newOrderResponse": None}
        else:
            try:
                placed = self._exchange.place(caller.account, asked)
                data["newOrderResponse"] = placed_row(
                    market.instrument, placed, self._fills(placed), "FULL"
                )
            except Refused as error:
                data |= {"newOrderResult": "FAILURE", "newOrderResponse": self._said(error)}
        failed = {data["cancelResult"], data["newOrderResult"]} - {"SUCCESS"}
        if not failed:
            return data
        partly = "SUCCESS" in (data["cancelResult"], data["newOrderResult"])
        raise ReplaceFailed(data, partly)

    def _said(self, error: BinanceError | Refused) -> dict[str, Any]:
        known = self._venue.refusal(error) if isinstance(error, Refused) else error
        return {"code": known.code, "msg": known.text}

    def amend(self, params: Params, caller: Caller) -> dict[str, Any]:
        """order.amend.keepPriority: only the size, only to less."""
        market = self._market(params)
        order = self._found(params, caller, market, -2013, "Order does not exist.")
        before = order.client_id
        new_id = client_id(params, "newClientOrderId") or self._venue.new_client_id()
        order.asked.note["before_amend"] = before
        self._exchange.amend(
            order, size=params.figure("newQty", 8), client_id=new_id, must_reduce=True
        )
        at = market.instrument
        return {
            "transactTime": order.updated_ns // _MS,
            "executionId": order.seq,
            "amendedOrder": {
                "symbol": at.wire,
                "orderId": order.id,
                "orderListId": -1,
                "origClientOrderId": before,
                "clientOrderId": order.client_id,
                "price": order_row(at, order)["price"],
                "qty": size(order.size),
                "executedQty": size(order.filled),
                "preventedQty": size(0),
                "quoteOrderQty": size(0),
                "cumulativeQuoteQty": size(order.cost),
                "status": order_row(at, order)["status"],
                "timeInForce": order.asked.force.name,
                "type": order.asked.note["type"],
                "side": order.side.name,
                "workingTime": order.created_ns // _MS,
                "selfTradePreventionMode": "EXPIRE_MAKER",
            },
        }

    # ---- looking -----------------------------------------------------------------------------

    def status(self, params: Params, caller: Caller) -> dict[str, Any]:
        """order.status."""
        market = self._market(params)
        order = self._found(params, caller, market, -2013, "Order does not exist.")
        return order_row(market.instrument, order)

    def open_orders(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """openOrders.status."""
        symbol = self._market(params).instrument.symbol if "symbol" in params else None
        return [self._row(each) for each in self._exchange.open_orders(caller.account, symbol)]

    def all_orders(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """allOrders."""
        market = self._market(params)
        first, limit = params.integer("orderId", 0), self._limit(params)
        found = [
            each
            for each in self._exchange.orders(caller.account, market.instrument.symbol)
            if each.id >= first and self._within(params, each.created_ns)
        ]
        return [self._row(each) for each in (found[:limit] if first else found[-limit:])]

    def trades(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """myTrades."""
        market = self._market(params)
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

    def account(self, params: Params, caller: Caller) -> dict[str, Any]:
        """account.status."""
        account = self._exchange.accounts[caller.account]
        zero = params.flag("omitZeroBalances")
        fees = account.fees
        maker, taker = (f"{ppm / 1_000_000:.8f}" for ppm in (fees.maker_ppm, fees.taker_ppm))
        return {
            "makerCommission": fees.maker_ppm // 100,
            "takerCommission": fees.taker_ppm // 100,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {
                "maker": maker, "taker": taker, "buyer": "0.00000000", "seller": "0.00000000",
            },
            "canTrade": "trade" in (caller.credentials.scopes if caller.credentials else ()),
            "canWithdraw": False,
            "canDeposit": False,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": self._venue.clock.now_ms(),
            "accountType": "SPOT",
            "balances": [
                {"asset": asset, "free": size(each.free), "locked": size(each.locked)}
                for asset, each in sorted(account.balances.items())
                if not zero or each.free or each.locked
            ],
            "permissions": ["SPOT"],
            "uid": 1,
        }  # fmt: skip

    def order_limits(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """account.rateLimits.orders."""
        rows = self._venue.budgets.rows(caller.ip, caller.account)
        return [each for each in rows if each["rateLimitType"] == "ORDERS"]

    def commission(self, params: Params, caller: Caller) -> dict[str, Any]:
        """account.commission."""
        market = self._market(params)
        fees = self._exchange.accounts[caller.account].fees
        maker, taker = (f"{ppm / 1_000_000:.8f}" for ppm in (fees.maker_ppm, fees.taker_ppm))
        zero = "0.00000000"
        none = {"maker": zero, "taker": zero, "buyer": zero, "seller": zero}
        return {
            "symbol": market.instrument.wire,
            "standardCommission": {"maker": maker, "taker": taker, "buyer": zero, "seller": zero},
            "taxCommission": none,
            "discount": {
                "enabledForAccount": False, "enabledForSymbol": False, "discountAsset": "BNB",
                "discount": "0.75000000",
            },
        }  # fmt: skip

    # ---- finding -----------------------------------------------------------------------------

    def _market(self, params: Params) -> Market:
        wire = params.text("symbol")
        market = self._exchange.by_wire.get(wire)
        if market is None:
            raise BinanceError(-1121, "Invalid symbol.")
        return market

    def _found(self, params: Params, caller: Caller, market: Market, code: int, text: str) -> Order:
        return self._named(
            caller, market, params.optional("orderId"), params.text("origClientOrderId", ""),
            code, text,
        )  # fmt: skip

    def _named(
        self, caller: Caller, market: Market, order_id: int | None, name: str, code: int, text: str
    ) -> Order:
        if order_id is None and not name:
            raise BinanceError(
                -1102,
                "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
            )
        found = self._exchange.books.find(caller.account, order_id, name)
        if found is None or found.symbol != market.instrument.symbol:
            raise BinanceError(code, text)
        return found

    def _row(self, order: Order) -> dict[str, Any]:
        return order_row(self._exchange.markets[order.symbol].instrument, order)

    def _fills(self, order: Order) -> list[Any]:
        if not order.filled:
            return []
        found = self._exchange.fills(order.account, order.symbol)
        return [each for each in found if each.order_id == order.id]

    @staticmethod
    def _limit(params: Params) -> int:
        return max(1, min(params.integer("limit", ROWS), ROWS_MAX))

    @staticmethod
    def _within(params: Params, ts_ns: int) -> bool:
        start, end = params.integer("startTime", 0), params.optional("endTime")
        return ts_ns // _MS >= start and (end is None or ts_ns // _MS <= end)


class ReplaceFailed(BinanceError):  # noqa: N818 - what happened, not what is wrong
    """cancelReplace did not do both; the answer carries what happened to each."""

    def __init__(self, data: dict[str, Any], partly: bool) -> None:
        if partly:
            super().__init__(-2021, "Order cancel-replace partially failed.", 409)
        else:
            super().__init__(-2022, "Order cancel-replace failed.", 400)
        self.data = data
