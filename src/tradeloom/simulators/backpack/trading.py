"""Signed calls: orders, history, positions and money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS
from tradeloom.simulators.backpack.errors import BackpackError, error_of, invalid
from tradeloom.simulators.backpack.rows import amount, fill_row, order_row, position_row
from tradeloom.simulators.backpack.signing import Unsigned, verify
from tradeloom.simulators.dialect import Call, Handler, Reply, Route, json_reply
from tradeloom.simulators.figures import BadFigure, scaled
from tradeloom.simulators.keys import Credentials
from tradeloom.simulators.orders import Force, NewOrder, Order, OrderKind, Refused

if TYPE_CHECKING:
    from tradeloom.simulators.backpack import Backpack

Params = Mapping[str, Any]
_Answer = Callable[[Credentials, Params], Any]
_FORCES: Final = {"GTC": Force.GTC, "IOC": Force.IOC, "FOK": Force.FOK}
_SIDES: Final = {"Bid": Side.BUY, "Ask": Side.SELL}


class Trading:
    """The signed half of one dialect."""

    def __init__(self, dialect: Backpack) -> None:
        self._dialect: Final = dialect
        self._exchange: Final = dialect.exchange

    def routes(self) -> list[Route]:
        """Every signed call with its instruction."""
        orders, history = "/api/v1/orders", "/wapi/v1/history"
        rows: list[tuple[str, str, str, _Answer]] = [
            ("POST", "/api/v1/order", "orderExecute", self._place),
            ("GET", "/api/v1/order", "orderQuery", self._query),
            ("DELETE", "/api/v1/order", "orderCancel", self._cancel),
            ("GET", orders, "orderQueryAll", self._open),
            ("DELETE", orders, "orderCancelAll", self._cancel_all),
            ("GET", f"{history}/orders", "orderHistoryQueryAll", self._order_history),
            ("GET", f"{history}/fills", "fillHistoryQueryAll", self._fill_history),
            ("GET", "/api/v1/capital", "balanceQuery", self._capital),
            ("GET", "/api/v1/position", "positionQuery", self._positions),
        ]
        made = [
            Route(method, path, self._signed(instruction, answer), method == "POST")
            for method, path, instruction, answer in rows
        ]
        return [*made, Route("POST", orders, self._batch, True)]

    def _signed(self, instruction: str, answer: _Answer) -> Handler:
        async def handle(call: Call) -> Reply:
            params = _params(call)
            who = self._who(call, instruction, list(params.items()))
            if instruction in ("orderExecute", "orderCancel", "orderCancelAll"):
                _may_trade(who)
            return json_reply(_answered(answer, who, params))

        return handle

    async def _batch(self, call: Call) -> Reply:
        try:
            rows = msgspec.json.decode(call.body, type=list[dict[str, Any]])
        except msgspec.DecodeError:
            raise invalid("the body is not a list of orders") from None
        # The signed text of a batch repeats the instruction before each order's parameters.
        text = "&".join(
            "&".join(
                ["instruction=orderExecute"]
                + [f"{name}={_plain(value)}" for name, value in sorted(row.items())]
            )
            for row in rows
        )
        who = self._who(call, text.removeprefix("instruction="), [])
        _may_trade(who)
        answers = []
        for row in rows:
            try:
                answers.append(_answered(self._place, who, row))
            except BackpackError as error:
                answers.append(msgspec.json.decode(error.reply.body))
        return json_reply(answers)

    def _who(self, call: Call, instruction: str, pairs: list[tuple[str, Any]]) -> Credentials:
        given = [
            call.headers.get(name, "")
            for name in ("X-API-Key", "X-Signature", "X-Timestamp", "X-Window")
        ]
        given[3] = given[3] or "5000"
        try:
            return verify(
                self._dialect.keys, self._dialect.clock.now_ms(), given[0], given[1], given[2],
                given[3], instruction, pairs,
            )  # fmt: skip
        except Unsigned as unsigned:
            raise BackpackError(unsigned.status, unsigned.code, unsigned.message) from None

    # ---- orders ------------------------------------------------------------------------------

    def row(self, order: Order) -> dict[str, Any]:
        """An order as it is now."""
        return order_row(self._exchange.markets[order.symbol].instrument, order)

    def _place(self, who: Credentials, given: Params) -> dict[str, Any]:
        at = self._exchange.market(_text(given, "symbol")).instrument
        side = _SIDES.get(_text(given, "side"))
        kind = _text(given, "orderType")
        if side is None or kind not in ("Limit", "Market"):
            raise invalid("failed to parse side or orderType")
        client_id = given.get("clientId")
        if client_id is not None and not (isinstance(client_id, int) and 0 <= client_id < 2**32):
            raise invalid("clientId must be an unsigned 32-bit number")
        force = _FORCES.get(str(given.get("timeInForce", "GTC")))
        if force is None:
            raise invalid("failed to parse timeInForce")
        stop = given.get("triggerPrice")
        if (stop is None) != (given.get("triggerQuantity") is None):
            raise invalid("Must specify both `triggerPrice` and `triggerQuantity` or neither")
        size = given.get("triggerQuantity") if stop is not None else given.get("quantity")
        money = given.get("quoteQuantity") if kind == "Market" else None
        if size is None and money is None:
            raise invalid("Must specify `quantity` or `quoteQuantity`")
        asked = NewOrder(
            symbol=at.symbol,
            side=side,
            kind=OrderKind.LIMIT if kind == "Limit" else OrderKind.MARKET,
            size=_figure(size, SIZE_DIGITS, "INVALID_QUANTITY") if size is not None else 0,
            quote_amount=_figure(money, SIZE_DIGITS, "INVALID_QUANTITY") if money else 0,
            price=_figure(given.get("price"), at.digits, "INVALID_PRICE") if kind == "Limit" else 0,
            stop_price=_figure(stop, at.digits, "INVALID_PRICE") if stop is not None else 0,
            stop_rising=side is Side.BUY,
            force=force,
            post_only=bool(given.get("postOnly")),
            reduce_only=bool(given.get("reduceOnly")),
            client_id="" if client_id is None else str(client_id),
        )
        return self.row(self._exchange.place(who.account, asked))

    def _find(self, who: Credentials, given: Params) -> Order:
        order_id, client_id = given.get("orderId"), given.get("clientId")
        if order_id is None and client_id is None:
            raise invalid("Must specify `orderId` or `clientId`")
        digits = str(order_id or "")
        number = int(digits) if digits.isdigit() else None
        if order_id is not None and number is None:
            raise BackpackError(404, "RESOURCE_NOT_FOUND", "Order not found")
        name = "" if client_id is None else str(client_id)
        order = self._exchange.order(who.account, order_id=number, client_id=name)
        wire = self._exchange.markets[order.symbol].instrument.wire
        if not order.status.open or given.get("symbol", wire) != wire:
            raise BackpackError(404, "RESOURCE_NOT_FOUND", "Order not found")
        return order

    def _query(self, who: Credentials, given: Params) -> dict[str, Any]:
        return self.row(self._find(who, given))

    def _cancel(self, who: Credentials, given: Params) -> dict[str, Any]:
        return self.row(self._exchange.cancel(self._find(who, given)))

    def _open(self, who: Credentials, given: Params) -> list[dict[str, Any]]:
        rows = self._exchange.open_orders(who.account, given.get("symbol"))
        return [self.row(each) for each in rows]

    def _cancel_all(self, who: Credentials, given: Params) -> list[dict[str, Any]]:
        cancelled = self._exchange.cancel_all(who.account, _text(given, "symbol"))
        return [self.row(each) for each in cancelled]

    # ---- history and means -------------------------------------------------------------------

    def _order_history(self, who: Credentials, given: Params) -> list[dict[str, Any]]:
        wanted = given.get("orderId")
        kept = list(self._exchange.orders(who.account, given.get("symbol")))
        rows = [self.row(each) for each in reversed(kept) if wanted in (None, str(each.id))]
        return _page(rows, given)

    def _fill_history(self, who: Credentials, given: Params) -> list[dict[str, Any]]:
        first, last = int(given.get("from", 0)), int(given.get("to", 2**62))
        wanted = given.get("orderId")
        rows = [
            fill_row(self._exchange.markets[each.symbol].instrument, each)
            for each in reversed(self._exchange.fills(who.account, given.get("symbol")))
            if first <= each.ts_ns // 10**6 <= last and wanted in (None, str(each.order_id))
        ]
        return _page(rows, given)

    def _capital(self, who: Credentials, given: Params) -> dict[str, Any]:
        account = self._exchange.accounts[who.account]
        return {
            asset: {
                "available": amount(held.free), "locked": amount(held.locked), "staked": "0"
            }
            for asset, held in sorted(account.balances.items())
        }  # fmt: skip

    def _positions(self, who: Credentials, given: Params) -> list[dict[str, Any]]:
        account = self._exchange.accounts[who.account]
        return [
            position_row(self._exchange.markets[symbol], held)
            for (symbol, _), held in account.positions.items()
            if held.size
        ]


def _answered(answer: _Answer, who: Credentials, params: Params) -> Any:
    try:
        return answer(who, params)
    except Refused as refused:
        raise error_of(refused) from None
    except BadFigure as error:
        raise invalid(str(error)) from None


def _may_trade(who: Credentials) -> None:
    if "trade" not in who.scopes:
        raise BackpackError(403, "FORBIDDEN", "Forbidden")


def _params(call: Call) -> dict[str, Any]:
    if call.method == "GET":
        return dict(call.query_pairs())
    try:
        return msgspec.json.decode(call.body or b"{}", type=dict[str, Any])
    except msgspec.DecodeError:
        raise invalid("parse request payload error") from None


def _page(rows: list[dict[str, Any]], given: Params) -> list[dict[str, Any]]:
    offset, limit = int(given.get("offset", 0)), int(given.get("limit", 100))
    return rows[offset : offset + min(limit, 1_000)]


def _text(given: Params, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"missing field `{name}`")
    return value


def _figure(value: Any, digits: int, code: str) -> int:
    try:
        return scaled(str(value), digits)
    except BadFigure:
        raise BackpackError(400, code, f"{str(value)[:40]} has too many decimals") from None


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
