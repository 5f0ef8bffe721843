"""What can be asked of a Bybit account: placing, amending, cancelling, looking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS
from tradeloom.simulators.accounts import margin_used
from tradeloom.simulators.bybit import rows
from tradeloom.simulators.bybit.errors import BybitError, bad_param, refusal
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import BadFigure, scaled
from tradeloom.simulators.orders import Force, NewOrder, Order, OrderKind, Reason, Refused

if TYPE_CHECKING:
    from tradeloom.simulators.bybit.family import BybitFamily

Params = Mapping[str, Any]

_FORCES: Final = {"GTC": Force.GTC, "IOC": Force.IOC, "FOK": Force.FOK, "PostOnly": Force.GTC}
_HEDGE: Final = {0: "", 1: "LONG", 2: "SHORT"}
_LINK_MAX: Final = 36


class Trading:
    """The signed operations; each takes parameters and the account, and returns `result`."""

    def __init__(self, venue: BybitFamily) -> None:
        self._venue = venue
        self._exchange = venue.exchange
        # Post-only orders that would have taken: accepted, and cancelled in the same breath.
        self.stillborn: Final[dict[str, dict[str, dict[str, Any]]]] = {}

    # ---- changing ----------------------------------------------------------------------------

    def create(self, params: Params, account: str) -> dict[str, Any]:
        """order/create."""
        market = self.market(params)
        asked = self._new_order(params, market)
        try:
            order = self._exchange.place(account, asked)
        except Refused as refused:
            if refused.reason is Reason.WOULD_TAKE and self._venue.category == "linear":
                return self._cancelled_at_once(account, market, asked)
            raise refusal(refused, self._venue.category) from refused
        return {
            "orderId": rows.id_text(market.instrument, order.id),
            "orderLinkId": order.client_id,
        }

    def _cancelled_at_once(self, account: str, market: Market, asked: NewOrder) -> dict[str, Any]:
        now = self._exchange.clock.now_ns()
        order = Order(
            id=self._exchange.books.next_id(), account=account, asked=asked,
            client_id=asked.client_id, symbol=market.instrument.symbol, side=asked.side,
            kind=asked.kind, price=asked.price, size=asked.size, created_ns=now, updated_ns=now,
        )  # fmt: skip
        row = rows.order_row(market.instrument, order) | {
            "orderStatus": "Cancelled",
            "rejectReason": "EC_PostOnlyWillTakeLiquidity",
            "leavesQty": "0",
        }
        self.stillborn.setdefault(account, {})[row["orderId"]] = row
        self._venue.later.append((account, row))
        return {"orderId": row["orderId"], "orderLinkId": order.client_id}

    def _new_order(self, params: Params, market: Market) -> NewOrder:
        at = market.instrument
        side = {"Buy": Side.BUY, "Sell": Side.SELL}.get(params.get("side", ""))
        if side is None:
            raise bad_param("side")
        kind = params.get("orderType")
        if kind not in ("Limit", "Market"):
            raise bad_param("orderType")
        force = params.get("timeInForce") or ("GTC" if kind == "Limit" else "IOC")
        if force not in _FORCES:
            raise bad_param("timeInForce")
        link = str(params.get("orderLinkId") or "")
        if len(link) > _LINK_MAX:
            raise bad_param("orderLinkId")
        limit = kind == "Limit"
        note: dict[str, Any] = {"timeInForce": force, "positionIdx": params.get("positionIdx", 0)}
        size, money = figure(params, "qty", SIZE_DIGITS), 0
        if not limit and side is Side.BUY and not rows.is_linear(at):
            note["marketUnit"] = params.get("marketUnit") or "quoteCoin"
            if note["marketUnit"] != "baseCoin":
                size, money, note["qty"] = 0, size, str(params["qty"])
        trigger = figure(params, "triggerPrice", at.digits) if params.get("triggerPrice") else 0
        rising = trigger > market.last
        if rows.is_linear(at):
            note["triggerDirection"] = params.get("triggerDirection", 0)
            rising = note["triggerDirection"] == 1
        return NewOrder(
            symbol=at.symbol,
            side=side,
            kind=OrderKind.LIMIT if limit else OrderKind.MARKET,
            size=size,
            price=figure(params, "price", at.digits) if limit else 0,
            force=_FORCES[force] if limit else Force.IOC,
            post_only=force == "PostOnly",
            reduce_only=bool(params.get("reduceOnly")),
            quote_amount=money,
            stop_price=trigger,
            stop_rising=rising,
            client_id=link,
            position=_HEDGE.get(note["positionIdx"], ""),
            note=note,
        )

    def amend(self, params: Params, account: str) -> dict[str, Any]:
        """order/amend."""
        market = self.market(params)
        at, order = market.instrument, self._open(params, account)
        price = figure(params, "price", at.digits) if params.get("price") else None
        size = figure(params, "qty", SIZE_DIGITS) if params.get("qty") else None
        try:
            self._exchange.amend(order, price=price, size=size)
        except Refused as refused:
            raise refusal(refused, self._venue.category) from refused
        return {"orderId": rows.id_text(at, order.id), "orderLinkId": order.client_id}

    def cancel(self, params: Params, account: str) -> dict[str, Any]:
        """order/cancel."""
        market = self.market(params)
        order = self._open(params, account)
        self._exchange.cancel(order)
        return {
            "orderId": rows.id_text(market.instrument, order.id),
            "orderLinkId": order.client_id,
        }

    def cancel_all(self, params: Params, account: str) -> dict[str, Any]:
        """order/cancel-all."""
        symbol = str(params.get("symbol") or "")
        if symbol:
            self.market(params)
        gone = self._exchange.cancel_all(account, symbol or None)
        named = (
            (rows.id_text(self._exchange.markets[each.symbol].instrument, each.id), each)
            for each in gone
        )
        listed = [{"orderId": text, "orderLinkId": each.client_id} for text, each in named]
        return {"list": listed, "success": "1"}

    def protect(self, params: Params, account: str) -> dict[str, Any]:
        """order/disconnected-cancel-all."""
        window = params.get("timeWindow")
        if not isinstance(window, int) or not 3 <= window <= 300:
            raise bad_param("timeWindow")
        if params.get("product", "OPTIONS") == self._venue.dead_man_product:
            self._venue.dead_man_s[account] = window
        return {}

    # ---- looking -----------------------------------------------------------------------------

    def realtime(self, params: Params, account: str) -> dict[str, Any]:
        """order/realtime: open ones, or the closed ones; by id, whatever they are."""
        by_id = params.get("orderId") or params.get("orderLinkId")
        closed = str(params.get("openOnly") or "0") != "0"
        found = self._rows(params, account)
        if by_id:
            return self._page(found, params)
        working = ("New", "PartiallyFilled", "Untriggered")
        return self._page([r for r in found if (r["orderStatus"] in working) != closed], params)

    def history(self, params: Params, account: str) -> dict[str, Any]:
        """order/history."""
        return self._page(self._rows(params, account), params)

    def _rows(self, params: Params, account: str) -> list[dict[str, Any]]:
        symbol = str(params.get("symbol") or "")
        if symbol:
            self.market(params)
        made = [
            rows.order_row(self._exchange.markets[each.symbol].instrument, each)
            for each in self._exchange.orders(account, symbol or None)
        ]
        made += self.stillborn.get(account, {}).values()
        for name in ("orderId", "orderLinkId"):
            if params.get(name):
                made = [row for row in made if row[name] == params[name]]
        return made[::-1]

    def executions(self, params: Params, account: str) -> dict[str, Any]:
        """execution/list, newest first."""
        symbol = str(params.get("symbol") or "")
        start, end = int(params.get("startTime") or 0), int(params.get("endTime") or 2**62)
        found = []
        for fill in reversed(self._exchange.fills(account, symbol or None)):
            at = self._exchange.markets[fill.symbol].instrument
            order = self._exchange.books.find(account, fill.order_id, "")
            row = rows.execution_row(at, fill, order)
            if start <= int(row["execTime"]) <= end and all(
                not params.get(name) or row[name] == params[name]
                for name in ("orderId", "orderLinkId")
            ):
                found.append(row)
        return self._page(found, params)

    def wallet(self, params: Params, account: str) -> dict[str, Any]:
        """account/wallet-balance."""
        if params.get("accountType") != "UNIFIED":
            raise bad_param("accountType")
        held = self._exchange.accounts[account]
        return {"list": [self.wallet_row(account, held.balances)]}

    def wallet_row(self, account: str, assets: Iterable[str]) -> dict[str, Any]:
        """A unified account with these coins."""
        held = self._exchange.accounts[account]
        coins = []
        for asset in assets:
            bound = 0
            for (symbol, _), position in held.positions.items():
                market = self._exchange.markets[symbol]
                if market.instrument.settle == asset:
                    bound += margin_used(market.instrument, position, market.mark)
            balance = held.balance(asset)
            linear = self._venue.category == "linear"
            coins.append(rows.coin_row(asset, balance, balance.locked if linear else 0, bound))
        return {"accountType": "UNIFIED", "totalEquity": "", "accountLTV": "0", "coin": coins}

    def positions(self, params: Params, account: str) -> dict[str, Any]:
        """position/list."""
        if not (params.get("symbol") or params.get("settleCoin")):
            raise BybitError(10001, "params error: symbol or settleCoin is required")
        held = self._exchange.accounts[account]
        found = [
            rows.position_row(self._exchange.markets[symbol], held, position)
            for (symbol, _), position in held.positions.items()
            if position.size
        ]
        return self._page([r for r in found if params.get("symbol") in (None, r["symbol"])], params)

    def account_info(self, params: Params, account: str) -> dict[str, Any]:
        """account/info."""
        return {
            "marginMode": "REGULAR_MARGIN",
            "unifiedMarginStatus": 6,
            "dcpStatus": "ON" if account in self._venue.dead_man_s else "OFF",
            "timeWindow": self._venue.dead_man_s.get(account, 10),
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
            "updatedTime": "1697078946000",
        }

    # ---- inside ------------------------------------------------------------------------------

    def _page(self, found: list[dict[str, Any]], params: Params) -> dict[str, Any]:
        limit = int(params.get("limit") or 20)
        if not 1 <= limit <= 200:
            raise bad_param("limit")
        at = int(params.get("cursor") or 0)
        more = str(at + limit) if len(found) > at + limit else ""
        listed = found[at : at + limit]
        return {"category": self._venue.category, "list": listed, "nextPageCursor": more}

    def market(self, params: Params) -> Market:
        """The market that is asked for; raises 10001, 170121."""
        if params.get("category") != self._venue.category:
            raise bad_param("category")
        try:
            return self._exchange.market(str(params.get("symbol") or ""))
        except Refused as refused:
            raise refusal(refused, self._venue.category) from refused

    def _open(self, params: Params, account: str) -> Order:
        number = rows.id_number(str(params["orderId"])) if params.get("orderId") else None
        try:
            order = self._exchange.order(
                account, order_id=number, client_id=str(params.get("orderLinkId") or "")
            )
            if not order.status.open:
                raise Refused(Reason.NOT_OPEN, "the order is finished", order)
        except Refused as refused:
            raise refusal(refused, self._venue.category) from refused
        return order


def figure(params: Params, name: str, digits: int) -> int:
    """A decimal text of the parameters; raises 10001."""
    try:
        return scaled(str(params.get(name) or ""), digits)
    except BadFigure as error:
        if "more than" in str(error):
            code = 170134 if name == "price" else 170137
            raise BybitError(code, f"{name} has too many decimals.") from error
        raise bad_param(name) from error
