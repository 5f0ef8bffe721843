"""The trader product: accounts and orders."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS
from tradeloom.simulators.dialect import Call, Reply, Route, json_reply
from tradeloom.simulators.figures import BadFigure, scaled
from tradeloom.simulators.keys import Credentials
from tradeloom.simulators.orders import Fill, Force, NewOrder, Order, OrderKind, Refused
from tradeloom.simulators.schwab.errors import TraderError, error_of
from tradeloom.simulators.schwab.rows import (
    DIGITS,
    account_row,
    internal_id,
    order_id,
    order_row,
)

if TYPE_CHECKING:
    from tradeloom.simulators.schwab import Schwab

_FORCES: Final = {
    "DAY": Force.GTC,
    "GOOD_TILL_CANCEL": Force.GTC,
    "FILL_OR_KILL": Force.FOK,
    "IMMEDIATE_OR_CANCEL": Force.IOC,
}
_SIDES: Final = {
    "BUY": Side.BUY,
    "BUY_TO_COVER": Side.BUY,
    "SELL": Side.SELL,
    "SELL_SHORT": Side.SELL,
}
_KINDS: Final = {
    "LIMIT": OrderKind.LIMIT,
    "MARKET": OrderKind.MARKET,
    "STOP": OrderKind.MARKET,
    "STOP_LIMIT": OrderKind.LIMIT,
}


def account_hash(number: str) -> str:
    """What stands for an account number in addresses."""
    return hashlib.sha256(f"schwab/{number}".encode()).hexdigest().upper()


class Trader:
    """The trader calls of one dialect."""

    def __init__(self, dialect: Schwab) -> None:
        self._dialect: Final = dialect
        self._exchange: Final = dialect.exchange

    def routes(self) -> list[Route]:
        """Every call."""
        base = "/trader/v1/accounts"
        one = f"{base}/{{hash}}"
        return [
            Route("GET", "/trader/v1/userPreference", self._preferences),
            Route("GET", f"{base}/accountNumbers", self._numbers),
            Route("GET", base, self._accounts),
            Route("GET", one, self._account),
            Route("GET", f"{one}/orders", self._list),
            Route("POST", f"{one}/orders", self._place, True),
            Route("GET", f"{one}/orders/{{id}}", self._one),
            Route("DELETE", f"{one}/orders/{{id}}", self._cancel),
            Route("PUT", f"{one}/orders/{{id}}", self._replace, True),
            Route("POST", f"{one}/previewOrder", self._preview),
        ]

    def number_of(self, who: Credentials) -> str:
        """An account's number: eight digits that its name fixes."""
        return str(10_000_000 + int(hashlib.sha256(who.account.encode()).hexdigest(), 16) % 10**7)

    async def _preferences(self, call: Call) -> Reply:
        who = self._dialect.access.who(call)
        host = call.headers.get("Host", "")
        return json_reply(
            {
                "accounts": [
                    {
                        "accountNumber": self.number_of(who),
                        "primaryAccount": True,
                        "type": "BROKERAGE",
                        "displayAcctId": f"...{self.number_of(who)[-3:]}",
                    }
                ],
                "streamerInfo": [
                    {
                        "streamerSocketUrl": f"ws://{host}/{self._dialect.name}/ws",
                        "schwabClientCustomerId": f"customer-{who.account}",
                        "schwabClientCorrelId": f"correl-{who.account}",
                        "schwabClientChannel": "A0",
                        "schwabClientFunctionId": "APIAPP",
                    }
                ],
                "offers": [{"level2Permissions": True, "mktDataPermission": "NP"}],
            }
        )

    async def _numbers(self, call: Call) -> Reply:
        number = self.number_of(self._dialect.access.who(call))
        return json_reply([{"accountNumber": number, "hashValue": account_hash(number)}])

    async def _accounts(self, call: Call) -> Reply:
        who = self._dialect.access.who(call)
        return json_reply([self._account_row(who)])

    async def _account(self, call: Call) -> Reply:
        return json_reply(self._account_row(self._holder(call)))

    def _account_row(self, who: Credentials) -> dict[str, Any]:
        account = self._exchange.accounts[who.account]
        return account_row(self._exchange, account, self.number_of(who))

    # ---- orders ------------------------------------------------------------------------------

    def row(self, who: Credentials, order: Order) -> dict[str, Any]:
        """An order as it is now."""
        return order_row(order, self._fills_of(order), self.number_of(who))

    async def _list(self, call: Call) -> Reply:
        who, given = self._holder(call), dict(call.query_pairs())
        try:
            first, last = utc_ns(given["fromEnteredTime"]), utc_ns(given["toEnteredTime"])
        except (KeyError, ValueError):
            raise TraderError(400, "fromEnteredTime and toEnteredTime are required") from None
        wanted = given.get("status")
        rows = [
            self.row(who, each)
            for each in reversed(list(self._exchange.orders(who.account)))
            if first <= each.created_ns // 10**9 * 10**9 <= last
        ]
        found = [row for row in rows if wanted in (None, row["status"])]
        return json_reply(found[: int(given.get("maxResults", "3000"))])

    async def _one(self, call: Call) -> Reply:
        who = self._holder(call)
        return json_reply(self.row(who, self._find(call, who)))

    async def _place(self, call: Call) -> Reply:
        who = self._holder(call)
        try:
            order = self._exchange.place(who.account, self._asked(_body(call)))
        except Refused as refused:
            raise error_of(refused) from None
        return self._created(call, order)

    async def _preview(self, call: Call) -> Reply:
        who = self._holder(call)
        try:
            self._exchange.check(who.account, self._asked(_body(call)))
        except Refused as refused:
            raise error_of(refused) from None
        return json_reply({"orderStrategy": _body(call), "orderValidationResult": {}})

    async def _cancel(self, call: Call) -> Reply:
        order = self._find(call, self._holder(call))
        try:
            self._exchange.cancel(order)
        except Refused as refused:
            raise error_of(refused) from None
        return Reply(b"")

    async def _replace(self, call: Call) -> Reply:
        who = self._holder(call)
        before, asked = self._find(call, who), self._asked(_body(call))
        if not before.status.open:
            raise TraderError(400, "Order is not editable")
        before.asked.note["replaced"] = True
        self._exchange.cancel(before)
        try:
            order = self._exchange.place(who.account, asked)
        except Refused as refused:
            raise error_of(refused) from None
        return self._created(call, order)

    def _created(self, call: Call, order: Order) -> Reply:
        place = f"https://api.schwabapi.com/trader/v1/accounts/{call.params['hash']}/orders"
        instant = not order.status.open and self._dialect.forgets_instant_fills
        headers = {} if instant else {"Location": f"{place}/{order_id(order)}"}
        return Reply(b"", 201, headers)

    def _holder(self, call: Call) -> Credentials:
        who = self._dialect.access.who(call)
        if call.params.get("hash") != account_hash(self.number_of(who)):
            raise TraderError(400, "Invalid account number")
        return who

    def _find(self, call: Call, who: Credentials) -> Order:
        number = internal_id(call.params["id"])
        try:
            return self._exchange.order(who.account, order_id=-1 if number is None else number)
        except Refused as refused:
            raise error_of(refused) from None

    def _fills_of(self, order: Order) -> list[Fill]:
        if not order.filled:
            return []
        kept = self._exchange.fills(order.account, order.symbol)
        return [each for each in kept if each.order_id == order.id]

    def _asked(self, body: Mapping[str, Any]) -> NewOrder:
        legs = body.get("orderLegCollection")
        if not isinstance(legs, list) or len(legs) != 1 or not isinstance(legs[0], dict):
            raise TraderError(400, "Exactly one order leg is supported")
        leg = legs[0]
        kind, duration = str(body.get("orderType")), str(body.get("duration"))
        instruction = str(leg.get("instruction"))
        if kind not in _KINDS or duration not in _FORCES or instruction not in _SIDES:
            raise TraderError(400, "Invalid orderType, duration or instruction")
        if body.get("session") not in ("NORMAL", "AM", "PM", "SEAMLESS"):
            raise TraderError(400, "Invalid session")
        if kind == "MARKET" and duration != "DAY":
            raise TraderError(400, "Market orders must have the duration DAY")
        market = self._exchange.market(str(leg.get("instrument", {}).get("symbol")))
        side = _SIDES[instruction]
        return NewOrder(
            symbol=market.instrument.symbol,
            side=side,
            kind=_KINDS[kind],
            size=_figure(leg.get("quantity"), SIZE_DIGITS, "quantity"),
            price=_figure(body.get("price"), DIGITS, "price") if "LIMIT" in kind else 0,
            stop_price=_figure(body.get("stopPrice"), DIGITS, "stop price")
            if "STOP" in kind
            else 0,
            stop_rising=side is Side.BUY,
            force=_FORCES[duration],
            note={"type": kind, "duration": duration, "instruction": instruction},
        )


def utc_ns(text: str) -> int:
    """`2026-11-20T00:00:00.000Z` as nanoseconds. Raises ValueError."""
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * 10**9


def _body(call: Call) -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.body, type=dict[str, Any])
    except msgspec.DecodeError:
        raise TraderError(400, "The request body cannot be parsed") from None


def _figure(value: Any, digits: int, name: str) -> int:
    try:
        text = f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)
        return scaled(text, digits)
    except BadFigure:
        raise TraderError(400, f"Invalid {name}") from None
