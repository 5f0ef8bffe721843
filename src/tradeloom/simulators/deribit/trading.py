"""Private calls: orders, executions, positions and money."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS
from tradeloom.simulators.deribit.errors import RpcFailure
from tradeloom.simulators.deribit.params import Params
from tradeloom.simulators.deribit.rows import (
    average_price,
    fill_row,
    money,
    order_row,
    position_row,
)
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.keys import Credentials
from tradeloom.simulators.orders import (
    Fill,
    Force,
    NewOrder,
    Order,
    OrderKind,
    Reason,
    Refused,
    Status,
)
from tradeloom.simulators.sessions import Session

if TYPE_CHECKING:
    from tradeloom.simulators.deribit import Deribit

Method = Callable[[Params, Credentials, "Session | None"], Any]
PLACING: Final = frozenset({"private/buy", "private/sell", "private/edit", "private/edit_by_label"})
_FORCES: Final = {
    "good_til_cancelled": Force.GTC,
    "good_til_day": Force.GTC,
    "immediate_or_cancel": Force.IOC,
    "fill_or_kill": Force.FOK,
}
_KINDS: Final = {
    "limit": OrderKind.LIMIT,
    "market": OrderKind.MARKET,
    "stop_limit": OrderKind.LIMIT,
    "stop_market": OrderKind.MARKET,
}
_DAY_NS: Final = 86_400 * 10**9


class Trading:
    """The private half of one dialect."""

    def __init__(self, dialect: Deribit) -> None:
        self._dialect: Final = dialect
        self._exchange: Final = dialect.exchange

    def methods(self) -> dict[str, Method]:
        """By name."""
        return {
            "buy": lambda p, who, at: self._place(Side.BUY, p, who, at),
            "sell": lambda p, who, at: self._place(Side.SELL, p, who, at),
            "edit": lambda p, who, at: self._edit(self._by_id(p, who), p),
            "edit_by_label": lambda p, who, at: self._edit(self._by_label(p, who), p),
            "cancel": lambda p, who, at: self._cancel(p, who),
            "cancel_by_label": lambda p, who, at: self._cancel_many(self._labelled(p, who)),
            "cancel_all": lambda p, who, at: self._cancel_many(self._open(who)),
            "cancel_all_by_instrument": lambda p, who, at: self._cancel_many(
                self._open(who, self._market(p))
            ),
            "cancel_all_by_currency": lambda p, who, at: self._cancel_many(
                self._in_currency(self._open(who), p)
            ),
            "get_open_orders": lambda p, who, at: self._rows(self._open(who)),
            "get_open_orders_by_currency": lambda p, who, at: self._rows(
                self._in_currency(self._open(who), p)
            ),
            "get_open_orders_by_instrument": lambda p, who, at: self._rows(
                self._open(who, self._market(p))
            ),
            "get_order_state": lambda p, who, at: self.row(self._by_id(p, who)),
            "get_order_state_by_label": lambda p, who, at: self._rows(self._labelled(p, who)),
            "get_order_history_by_currency": lambda p, who, at: self._rows(
                self._in_currency(self._finished(who), p)
            ),
            "get_order_history_by_instrument": lambda p, who, at: self._rows(
                self._finished(who, self._market(p))
            ),
            "get_user_trades_by_order": lambda p, who, at: self._order_trades(p, who),
            "get_user_trades_by_currency": lambda p, who, at: self._trades(p, who, None),
            "get_user_trades_by_currency_and_time": lambda p, who, at: self._trades(p, who, None),
            "get_user_trades_by_instrument": lambda p, who, at: self._trades(
                p, who, self._market(p)
            ),
            "get_user_trades_by_instrument_and_time": lambda p, who, at: self._trades(
                p, who, self._market(p)
            ),
            "get_positions": lambda p, who, at: self._positions(p, who),
            "get_position": lambda p, who, at: self.position(who.account, self._market(p)),
            "get_account_summary": lambda p, who, at: self._summary(p, who),
            "get_account_summaries": lambda p, who, at: self._summaries(who),
            "enable_cancel_on_disconnect": lambda p, who, at: self._dead_man(p, at, True),
            "disable_cancel_on_disconnect": lambda p, who, at: self._dead_man(p, at, False),
            "get_cancel_on_disconnect": lambda p, who, at: {
                "scope": "connection", "enabled": bool(at and at.state.get("dead_man"))
            },
        }  # fmt: skip

    # ---- rows --------------------------------------------------------------------------------

    def row(self, order: Order) -> dict[str, Any]:
        """An order as it is now."""
        at = self._exchange.markets[order.symbol].instrument
        fills = self._fills_of(order) if order.filled else []
        return order_row(at, order, average_price(at, fills))

    def trade_row(self, fill: Fill, order: Order | None) -> dict[str, Any]:
        """An execution."""
        market = self._exchange.markets[fill.symbol]
        return fill_row(market, self._dialect.index_of(fill.symbol), fill, order)

    def position(self, account: str, market: Market) -> dict[str, Any]:
        """The position of one instrument."""
        held = self._exchange.accounts[account].position(market.instrument.symbol)
        return position_row(market, held)

    def portfolio(self, account: str, asset: str) -> dict[str, Any]:
        """Money of one currency."""
        held = self._exchange.accounts[account].balance(asset)
        free = self._exchange.available(account, asset)
        whole = held.free + held.locked
        return {
            "currency": asset,
            "balance": money(whole),
            "equity": money(whole),
            "available_funds": money(max(free, 0)),
            "available_withdrawal_funds": money(max(free, 0)),
            "margin_balance": money(whole),
            "initial_margin": money(max(whole - free, 0)),
            "maintenance_margin": 0.0,
            "session_upl": 0.0,
            "total_pl": 0.0,
        }

    # ---- orders ------------------------------------------------------------------------------

    def _place(
        self, side: Side, given: Params, who: Credentials, session: Session | None
    ) -> dict[str, Any]:
        if "trade" not in who.scopes:
            raise RpcFailure(13021)
        market = self._market(given)
        at = market.instrument
        kind = given.text("type", "limit")
        if kind not in _KINDS:
            raise RpcFailure(-32602, "invalid order type", "type")
        tif = given.text("time_in_force", "good_til_cancelled")
        if tif not in _FORCES:
            raise RpcFailure(-32602, "invalid time in force", "time_in_force")
        label = given.text("label", "")
        if len(label) > 64:
            raise RpcFailure(-32602, "must be at most 64 characters", "label")
        limit = _KINDS[kind] is OrderKind.LIMIT
        price = given.mantissa("price", at.digits, 10043) if limit else 0
        stop = given.mantissa("trigger_price", at.digits, 10043) if "stop" in kind else 0
        post_only = given.flag("post_only") and limit
        if post_only and not stop and market.book.crosses(side, price):
            if given.flag("reject_post_only"):
                raise RpcFailure(11054)
            price = self._beside(market, side)
        now_ns = self._dialect.clock.now_ns()
        day_end = (now_ns // _DAY_NS + 1) * _DAY_NS
        asked = NewOrder(
            symbol=at.symbol,
            side=side,
            kind=_KINDS[kind],
            size=given.mantissa("amount", SIZE_DIGITS, 10021),
            price=price,
            force=_FORCES[tif],
            post_only=post_only,
            reduce_only=given.flag("reduce_only"),
            stop_price=stop,
            stop_rising=side is Side.BUY,
            expires_ns=day_end if tif == "good_til_day" else 0,
            note={
                "label": label,
                "type": kind,
                "tif": tif,
                "session": session.id if session is not None else 0,
            },
        )
        order = self._exchange.place(who.account, asked)
        return self._outcome(order, 0)

    def _beside(self, market: Market, side: Side) -> int:
        """The best price that does not trade."""
        best = market.book.best(Side.SELL if side is Side.BUY else Side.BUY)
        tick = max(1, market.instrument.tick)
        price = best[0] if best else market.mark
        return price - tick if side is Side.BUY else price + tick

    def _edit(self, order: Order, given: Params) -> dict[str, Any]:
        at = self._exchange.markets[order.symbol].instrument
        price = given.mantissa("price", at.digits, 10043) if "price" in given else None
        size = given.mantissa("amount", SIZE_DIGITS, 10021) if "amount" in given else None
        before = order.filled
        self._exchange.amend(order, price=price, size=size)
        return self._outcome(order, before)

    def _outcome(self, order: Order, filled_before: int) -> dict[str, Any]:
        fresh: list[Fill] = []
        traded = order.filled - filled_before
        for fill in reversed(self._fills_of(order)):
            if traded <= 0:
                break
            traded -= fill.size
            fresh.append(fill)
        return {
            "order": self.row(order),
            "trades": [self.trade_row(fill, order) for fill in reversed(fresh)],
        }

    def _cancel(self, given: Params, who: Credentials) -> dict[str, Any]:
        order = self._by_id(given, who)
        if order.status is Status.FILLED:
            raise RpcFailure(11008)
        return self.row(self._exchange.cancel(order))

    def _cancel_many(self, orders: Iterable[Order]) -> int:
        held = [order for order in orders if order.status.open]
        for order in held:
            self._exchange.cancel(order)
        return len(held)

    def cancel_of(self, session: Session) -> None:
        """Cancel what a connection placed (cancel-on-disconnect)."""
        who = session.state.get("dead_man")
        if not who:
            return
        for order in self._exchange.open_orders(str(who)):
            if order.asked.note.get("session") == session.id:
                self._exchange.cancel(order, Reason.BY_VENUE)

    def _dead_man(self, given: Params, session: Session | None, on: bool) -> str:
        if session is None or session.credentials is None:
            raise RpcFailure(-32602, "only over a signed-in connection", "scope")
        if given.text("scope", "connection") not in ("connection", "account"):
            raise RpcFailure(-32602, "invalid scope", "scope")
        session.state["dead_man"] = session.credentials.account if on else ""
        return "ok"

    # ---- finding -----------------------------------------------------------------------------

    def _market(self, given: Params) -> Market:
        found = self._exchange.by_wire.get(given.text("instrument_name"))
        if found is None:
            raise RpcFailure(13020, "", "instrument_name")
        return found

    def _by_id(self, given: Params, who: Credentials) -> Order:
        text = given.text("order_id")
        number = text.rpartition("-")[2]
        try:
            order = self._exchange.order(who.account, order_id=int(number))
        except (ValueError, Refused):
            raise RpcFailure(10004) from None
        if self.row(order)["order_id"] != text:
            raise RpcFailure(10004)
        return order

    def _labelled(self, given: Params, who: Credentials) -> list[Order]:
        label = given.text("label")
        found = [
            each
            for each in self._exchange.orders(who.account)
            if each.asked.note.get("label") == label
        ]
        return self._in_currency(found, given) if "currency" in given else found

    def _by_label(self, given: Params, who: Credentials) -> Order:
        found = [each for each in self._labelled(given, who) if each.status.open]
        if not found:
            raise RpcFailure(10004)
        return found[-1]

    def _open(self, who: Credentials, market: Market | None = None) -> list[Order]:
        return self._exchange.open_orders(
            who.account, market.instrument.symbol if market is not None else None
        )

    def _finished(self, who: Credentials, market: Market | None = None) -> list[Order]:
        symbol = market.instrument.symbol if market is not None else None
        kept = self._exchange.orders(who.account, symbol)
        return [each for each in reversed(kept) if not each.status.open]

    def _in_currency(self, orders: Iterable[Order], given: Params) -> list[Order]:
        coin = given.text("currency").upper()
        return [
            each
            for each in orders
            if coin == "ANY" or self._exchange.markets[each.symbol].instrument.settle == coin
        ]

    def _rows(self, orders: Iterable[Order]) -> list[dict[str, Any]]:
        return [self.row(each) for each in orders]

    def _fills_of(self, order: Order) -> list[Fill]:
        kept = self._exchange.fills(order.account, order.symbol)
        return [each for each in kept if each.order_id == order.id]

    # ---- executions and means ----------------------------------------------------------------

    def _order_trades(self, given: Params, who: Credentials) -> list[dict[str, Any]]:
        order = self._by_id(given, who)
        return [self.trade_row(fill, order) for fill in self._fills_of(order)]

    def _trades(self, given: Params, who: Credentials, market: Market | None) -> dict[str, Any]:
        symbol = market.instrument.symbol if market is not None else None
        start = given.number("start_timestamp", 0)
        end = given.number("end_timestamp", 2**62)
        count = min(max(given.number("count", 10), 1), 1_000)
        found = [
            each
            for each in self._exchange.fills(who.account, symbol)
            if start <= each.ts_ns // 1_000_000 <= end
        ]
        if market is None:
            coin = given.text("currency").upper()
            found = [each for each in found if coin in ("ANY", each.fee_asset)]
        if given.text("sorting", "desc") != "asc":
            found.reverse()
        orders = {each.id: each for each in self._exchange.orders(who.account)}
        return {
            "trades": [self.trade_row(each, orders.get(each.order_id)) for each in found[:count]],
            "has_more": len(found) > count,
        }

    def _positions(self, given: Params, who: Credentials) -> list[dict[str, Any]]:
        coin = given.text("currency", "any").upper()
        account = self._exchange.accounts[who.account]
        return [
            self.position(who.account, self._exchange.markets[symbol])
            for symbol, _ in list(account.positions)
            if coin in ("ANY", self._exchange.markets[symbol].instrument.settle)
        ]

    def _summary(self, given: Params, who: Credentials) -> dict[str, Any]:
        coin = given.text("currency").upper()
        if coin not in self._exchange.spot_assets():
            raise RpcFailure(-32602, "invalid currency", "currency")
        return self.portfolio(who.account, coin)

    def _summaries(self, who: Credentials) -> dict[str, Any]:
        coins = sorted(self._exchange.spot_assets())
        return {
            "id": 10,
            "type": "main",
            "username": who.account,
            "summaries": [self.portfolio(who.account, coin) for coin in coins],
        }
