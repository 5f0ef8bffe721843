"""Kraken's REST: public queries, and private ones that are signed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.simulators.dialect import Call, Handler, Reply, Route, json_reply
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import fixed
from tradeloom.simulators.kraken import names, rows
from tradeloom.simulators.kraken.errors import KrakenError, error_reply
from tradeloom.simulators.kraken.trading import Amending, of_form, placed
from tradeloom.simulators.orders import Fill, Order

if TYPE_CHECKING:
    from tradeloom.simulators.kraken.spot import KrakenSpot

PAGE: Final = 50
BARS_MAX: Final = 720
_MINUTES: Final = (1, 5, 15, 30, 60, 240, 1_440, 10_080, 21_600)
_DEAR: Final = frozenset({"TradesHistory", "QueryTrades", "ClosedOrders", "Ledgers"})
_ORDERS: Final = frozenset(
    {"AddOrder", "AmendOrder", "CancelOrder", "CancelAll", "CancelAllOrdersAfter"}
)
Params = dict[str, str]


class RestCalls:
    """The table of calls."""

    def __init__(self, venue: KrakenSpot) -> None:
        self._venue: Final = venue
        self._exchange: Final = venue.exchange

    def routes(self) -> list[Route]:
        """Every call."""
        public: dict[str, Callable[[Params], Any]] = {
            "Time": self.time,
            "SystemStatus": self.status,
            "Assets": self.assets,
            "AssetPairs": self.pairs,
            "Ticker": self.ticker,
            "Depth": self.depth,
            "OHLC": self.bars,
            "Trades": self.trades,
        }
        private: dict[str, Callable[[str, Params], Any]] = {
            "Balance": self.balance,
            "BalanceEx": self.balance_ex,
            "OpenOrders": self.open_orders,
            "ClosedOrders": self.closed_orders,
            "QueryOrders": self.query_orders,
            "TradesHistory": self.history,
            "QueryTrades": self.query_trades,
            "OpenPositions": lambda *_: {},
            "AddOrder": self.add_order,
            "AmendOrder": self.amend_order,
            "CancelOrder": self.cancel_order,
            "CancelAll": self.cancel_all,
            "CancelAllOrdersAfter": self.cancel_after,
        }
        made = [Route("GET", f"/0/public/{n}", self._open(work)) for n, work in public.items()]
        made += [
            Route("POST", f"/0/private/{n}", self._signed(n, work), places=n == "AddOrder")
            for n, work in private.items()
        ]
        token = Route("POST", "/0/private/GetWebSocketsToken", self._token)
        return [*made, token]

    def _open(self, work: Callable[[Params], Any]) -> Handler:
        async def handle(call: Call) -> Reply:
            return self._answer(lambda: work(dict(call.query_pairs())))

        return handle

    def _signed(self, name: str, work: Callable[[str, Params], Any]) -> Handler:
        cost = 0.0 if name in _ORDERS else 2.0 if name in _DEAR else 1.0

        async def handle(call: Call) -> Reply:
            def answer() -> Any:
                params = dict(call.form_pairs())
                caller = self._venue.access.caller(call, params, cost)
                if name in _ORDERS and "trade" not in caller.scopes:
                    raise KrakenError("EGeneral:Permission denied")
                return work(caller.account, params)

            return self._answer(answer)

        return handle

    async def _token(self, call: Call) -> Reply:
        def answer() -> Any:
            caller = self._venue.access.caller(call, dict(call.form_pairs()), 1.0)
            return {"token": self._venue.access.new_token(caller), "expires": 900}

        return self._answer(answer)

    @staticmethod
    def _answer(work: Callable[[], Any]) -> Reply:
        try:
            return json_reply({"error": [], "result": work()})
        except KrakenError as error:
            return error_reply(error.text)

    # ---- public ------------------------------------------------------------------------------

    def time(self, _: Params) -> Any:
        """The clock, in whole seconds."""
        now = self._venue.clock.now_ns() // 10**9
        return {"unixtime": now, "rfc1123": rows.time_text(now * 10**9)}

    def status(self, _: Params) -> Any:
        """SystemStatus."""
        status = self._venue.system
        return {"status": status, "timestamp": rows.time_text(self._venue.clock.now_ns())}

    def assets(self, _: Params) -> Any:
        """Every asset."""
        return {
            names.asset_name(asset): {
                "aclass": "currency",
                "altname": names.alt_asset(asset),
                "decimals": 10,
                "display_decimals": 5,
                "status": "enabled",
            }
            for asset in sorted(self._exchange.spot_assets())
        }

    def pairs(self, params: Params) -> Any:
        """AssetPairs, all or some."""
        wanted = params.get("pair", "")
        markets = list(self._exchange.markets.values())
        if wanted:
            markets = [self._market(name) for name in wanted.split(",")]
        return {names.pair_name(each.instrument): self._pair(each) for each in markets}

    def _pair(self, market: Market) -> dict[str, Any]:
        at, fees = market.instrument, self._venue.fees
        return {
            "altname": names.alt_name(at),
            "wsname": names.ws_name(at),
            "aclass_base": "currency",
            "base": names.asset_name(at.base),
            "aclass_quote": "currency",
            "quote": names.asset_name(at.quote),
            "lot": "unit",
            "cost_decimals": 5,
            "pair_decimals": at.digits,
            "lot_decimals": 8,
            "lot_multiplier": 1,
            "leverage_buy": [],
            "leverage_sell": [],
            "fees": [[0, fees.taker_ppm / 10_000]],
            "fees_maker": [[0, fees.maker_ppm / 10_000]],
            "fee_volume_currency": "ZUSD",
            "margin_call": 80,
            "margin_stop": 40,
            "ordermin": fixed(at.volume_min, 8).rstrip("0").rstrip("."),
            "costmin": f"{at.notional_min:f}",
            "tick_size": fixed(at.tick, at.digits),
            "status": "cancel_only" if market.halted else "online",
        }

    def ticker(self, params: Params) -> Any:
        """Best prices, the short way."""
        found = {}
        for name in params.get("pair", "").split(","):
            market = self._market(name)
            at, quote = market.instrument, market.quote
            bid, ask = (quote.bid, quote.ask) if quote else (0, 0)
            last = fixed(market.last, at.digits)
            day = [last, last]
            found[names.pair_name(at)] = {
                "a": [fixed(ask, at.digits), "1", fixed(quote.ask_size if quote else 0, 3)],
                "b": [fixed(bid, at.digits), "1", fixed(quote.bid_size if quote else 0, 3)],
                "c": [last, "0.00000000"],
                "v": ["0.00000000", "0.00000000"],
                "p": day, "t": [0, 0], "l": day, "h": day, "o": last,
            }  # fmt: skip
        return found

    def depth(self, params: Params) -> Any:
        """Depth, up to 500 levels a side."""
        market = self._market(params.get("pair", ""))
        at, now = market.instrument, self._venue.clock.now_ns() // 10**9
        count = min(max(_whole(params, "count", 100), 1), 500)
        sides = {
            word: [
                [fixed(price, at.digits), fixed(size, 8), now]
                for price, size in market.book.levels(side, count)
            ]
            for word, side in (("asks", Side.SELL), ("bids", Side.BUY))
        }
        return {names.pair_name(at): sides}

    def bars(self, params: Params) -> Any:
        """OHLC: the newest 720, the running one last."""
        market = self._market(params.get("pair", ""))
        minutes = _whole(params, "interval", 1)
        if minutes not in _MINUTES:
            raise KrakenError("EGeneral:Invalid arguments:interval")
        at, since = market.instrument, _whole(params, "since", 0)
        found = market.bars.spans(minutes * 60, (since + 1) * 10**9 if since else None)
        made = []
        for bar in found[-BARS_MAX:]:
            vwap = bar.cost // bar.volume if bar.volume else bar.close
            prices = (bar.open, bar.high, bar.low, bar.close, vwap)
            texts = [fixed(price, at.digits) for price in prices]
            made.append([bar.start_ns // 10**9, *texts, fixed(bar.volume, 8), bar.trades])
        last = made[-2][0] if len(made) > 1 else since
        return {names.pair_name(at): made, "last": last}

    def trades(self, params: Params) -> Any:
        """Recent trades."""
        market = self._market(params.get("pair", ""))
        at = market.instrument
        made = [
            [
                fixed(each.price, at.digits), fixed(each.size, 8), rows.seconds(each.venue_ns),
                "b" if each.side is Side.BUY else "s", "m", "", int(each.trade_id),
            ]
            for each in market.trades
        ]  # fmt: skip
        last = str(market.trades[-1].venue_ns) if market.trades else "0"
        return {names.pair_name(at): made, "last": last}

    def _market(self, name: str) -> Market:
        found = self._venue.by_rest_name.get(name)
        if found is None:
            raise KrakenError("EQuery:Unknown asset pair")
        return found

    # ---- private queries ---------------------------------------------------------------------

    def balance(self, account: str, _: Params) -> Any:
        """Totals."""
        held = self._exchange.accounts[account].balances
        return {names.asset_name(n): fixed(b.free + b.locked, 8) for n, b in held.items()}

    def balance_ex(self, account: str, _: Params) -> Any:
        """Totals and what orders hold."""
        held = self._exchange.accounts[account].balances
        return {
            names.asset_name(name): {
                "balance": fixed(each.free + each.locked, 8),
                "hold_trade": fixed(each.locked, 8),
            }
            for name, each in held.items()
        }

    def open_orders(self, account: str, params: Params) -> Any:
        """What works now."""
        return {"open": self._named(account, params, self._exchange.open_orders(account))}

    def closed_orders(self, account: str, params: Params) -> Any:
        """What is over, the newest first."""
        over = [each for each in self._exchange.orders(account) if not each.status.open]
        over.sort(key=lambda each: each.updated_ns, reverse=True)
        at = _whole(params, "ofs", 0)
        wanted = params.get("cl_ord_id")
        if wanted:
            over = [each for each in over if each.client_id == wanted]
        found = self._named(account, params, over[at : at + PAGE])
        return {"closed": found, "count": len(over)}

    def query_orders(self, account: str, params: Params) -> Any:
        """Orders by name."""
        ids = params.get("txid", "").split(",")
        found = [self._venue.trading.find(account, each, "") for each in ids]
        return self._named(account, params, found)

    def _named(self, account: str, params: Params, orders: Sequence[Order]) -> dict[str, Any]:
        wanted = params.get("cl_ord_id")
        with_trades = params.get("trades") == "true"
        fills = self._exchange.fills(account) if with_trades else []
        made = {}
        for order in orders:
            if wanted and order.client_id != wanted:
                continue
            trades = [_exec(fill) for fill in fills if fill.order_id == order.id]
            at = self._exchange.market(order.symbol).instrument
            made[names.order_name(order.id)] = rows.rest_order(
                at, order, trades if with_trades else None
            )
        return made

    def history(self, account: str, params: Params) -> Any:
        """Executions, the newest first, fifty a page."""
        start = params.get("start", "0")
        since_ns = int(float(start) * 1e9) if start.replace(".", "", 1).isdigit() else 0
        fills = [each for each in self._exchange.fills(account) if each.ts_ns > since_ns]
        fills.reverse()
        at = _whole(params, "ofs", 0)
        return {"trades": self._fills(account, fills[at : at + PAGE]), "count": len(fills)}

    def query_trades(self, account: str, params: Params) -> Any:
        """Executions by name."""
        ids = set(params.get("txid", "").split(","))
        found = [each for each in self._exchange.fills(account) if _exec(each) in ids]
        if len(found) < len(ids):
            raise KrakenError("EQuery:Invalid trade")
        return self._fills(account, found)

    def _fills(self, account: str, fills: Sequence[Fill]) -> dict[str, Any]:
        made = {}
        for fill in fills:
            at = self._exchange.market(fill.symbol).instrument
            order = self._exchange.books.find(account, fill.order_id, "")
            made[_exec(fill)] = rows.rest_fill(at, fill, order)
        return made

    # ---- orders ------------------------------------------------------------------------------

    def add_order(self, account: str, params: Params) -> Any:
        """AddOrder."""
        at = self._market(params.get("pair", "")).instrument
        order = self._venue.trading.place(account, of_form(params, at))
        if order is None:
            return {"descr": {"order": "checked"}}
        return {
            "descr": {"order": rows.describe(at, order)},
            "txid": [names.order_name(order.id)],
        }

    def amend_order(self, account: str, params: Params) -> Any:
        """AmendOrder."""
        given = {
            "order_id": params.get("txid", ""),
            "cl_ord_id": params.get("cl_ord_id", ""),
            "order_qty": params.get("order_qty") or None,
            "limit_price": params.get("limit_price") or None,
        }
        try:
            terms = msgspec.convert(given, Amending, strict=False)
        except msgspec.ValidationError:
            raise KrakenError("EGeneral:Invalid arguments") from None
        order = self._venue.trading.amend(account, terms)
        return {"amend_id": placed(order)["order_id"].replace("O", "T", 1)}

    def cancel_order(self, account: str, params: Params) -> Any:
        """CancelOrder."""
        name, client_id = params.get("txid", ""), params.get("cl_ord_id", "")
        self._venue.trading.cancel(account, name, client_id)
        return {"count": 1, "pending": False}

    def cancel_all(self, account: str, _: Params) -> Any:
        """CancelAll."""
        return {"count": self._venue.trading.cancel_all(account)}

    def cancel_after(self, account: str, params: Params) -> Any:
        """CancelAllOrdersAfter."""
        now, then = self._venue.trading.cancel_after(account, _whole(params, "timeout", 0))
        return dead_man(now, then)


def dead_man(now_ns: int, then_ns: int) -> dict[str, str]:
    """The answer of the dead-man switch."""
    then = rows.time_text(then_ns) if then_ns else "0"
    return {"currentTime": rows.time_text(now_ns), "triggerTime": then}


def _exec(fill: Fill) -> str:
    return names.execution_name(fill.trade_id, fill.order_id)


def _whole(params: Params, name: str, default: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    try:
        return max(int(float(text)), 0)
    except (ValueError, OverflowError):
        raise KrakenError(f"EGeneral:Invalid arguments:{name}") from None
