"""Coinbase's REST: the public market, and calls with a token."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import VenueInstrument
from tradeloom.simulators.bars import Bar
from tradeloom.simulators.coinbase import names, rows
from tradeloom.simulators.coinbase.errors import FORBIDDEN, UNAUTHORIZED, argument, not_found
from tradeloom.simulators.coinbase.tokens import BadToken
from tradeloom.simulators.coinbase.trading import Trading
from tradeloom.simulators.dialect import Call, Handler, Reply, Route, json_reply
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import plain
from tradeloom.simulators.orders import Order

if TYPE_CHECKING:
    from tradeloom.simulators.coinbase.spot import CoinbaseSpot

ROOT: Final = "/api/v3/brokerage"
CANDLES_MAX: Final = 350
_SECONDS: Final = {
    "ONE_MINUTE": 60, "FIVE_MINUTE": 300, "FIFTEEN_MINUTE": 900, "THIRTY_MINUTE": 1_800,
    "ONE_HOUR": 3_600, "TWO_HOUR": 7_200, "SIX_HOUR": 21_600, "ONE_DAY": 86_400,
}  # fmt: skip
Params = dict[str, str]


class RestCalls:
    """The table of calls."""

    def __init__(self, venue: CoinbaseSpot, trading: Trading) -> None:
        self._venue: Final = venue
        self._exchange: Final = venue.exchange
        self._trading: Final = trading

    def routes(self) -> list[Route]:
        """Every call. The market has a public address and a private twin."""
        market: dict[str, Callable[[Params], Any]] = {
            "/products": self.products,
            "/products/{product}": self.product,
            "/products/{product}/candles": self.candles,
            "/products/{product}/ticker": self.trades,
            "/product_book": self.book,
        }
        made = [Route("GET", f"{ROOT}/time", self._open(self.time))]
        made += [Route("GET", f"{ROOT}/market{path}", self._open(w)) for path, w in market.items()]
        made += [
            Route("GET", f"{ROOT}{path}", self._with_token(_twin(w))) for path, w in market.items()
        ]
        private: list[tuple[str, str, Callable[[str, Params], Any]]] = [
            ("GET", "/best_bid_ask", self.best),
            ("GET", "/accounts", self.accounts),
            ("GET", "/transaction_summary", self.summary),
            ("GET", "/orders/historical/batch", self.orders),
            ("GET", "/orders/historical/fills", self.fills),
            ("GET", "/orders/historical/{order}", self.order),
        ]
        made += [Route(verb, f"{ROOT}{path}", self._with_token(w)) for verb, path, w in private]
        writing: dict[str, Callable[[str, bytes], Any]] = {
            "/orders": self._trading.place,
            "/orders/edit": self._trading.edit,
            "/orders/batch_cancel": self._trading.cancel,
        }
        for path, write in writing.items():
            handler = self._writes(write)
            made.append(Route("POST", f"{ROOT}{path}", handler, places=path == "/orders"))
        return made

    def _open(self, work: Callable[[Params], Any]) -> Handler:
        async def handle(call: Call) -> Reply:
            return json_reply(work({**dict(call.query_pairs()), **call.params}))

        return handle

    def _with_token(self, work: Callable[[str, Params], Any]) -> Handler:
        async def handle(call: Call) -> Reply:
            account = self._account(call, "read")
            return json_reply(work(account, {**dict(call.query_pairs()), **call.params}))

        return handle

    def _writes(self, work: Callable[[str, bytes], Any]) -> Handler:
        async def handle(call: Call) -> Reply:
            return json_reply(work(self._account(call, "trade"), call.body))

        return handle

    def _account(self, call: Call, scope: str) -> str:
        token = call.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            credentials = self._venue.holder(token, call)
        except BadToken:
            raise UNAUTHORIZED from None
        if scope not in credentials.scopes:
            raise FORBIDDEN
        return credentials.account

    # ---- the market --------------------------------------------------------------------------

    def time(self, _: Params) -> Any:
        """The clock."""
        ns = self._venue.clock.now_ns()
        return {
            "iso": rows.time_text(ns // 10**9 * 10**9),
            "epochSeconds": str(ns // 10**9),
            "epochMillis": str(ns // 10**6),
        }

    def products(self, params: Params) -> Any:
        """Every product of spot."""
        if params.get("product_type", "SPOT") != "SPOT":
            return {"products": [], "num_products": 0}
        found = [rows.product(each) for each in self._exchange.markets.values()]
        return {"products": found, "num_products": len(found)}

    def product(self, params: Params) -> Any:
        """One product."""
        return rows.product(self._market(params.get("product", "")))

    def candles(self, params: Params) -> Any:
        """Bars, the newest first; at most 350."""
        market = self._market(params["product"])
        seconds = _SECONDS.get(params.get("granularity", ""))
        if seconds is None:
            raise argument("granularity is invalid")
        start, end = (_whole(params, name, 0) for name in ("start", "end"))
        if (end - start) / seconds > CANDLES_MAX:
            raise argument(f"number of candles requested should be less than {CANDLES_MAX}")
        found = market.bars.spans(seconds, start * 10**9, end * 10**9)
        return {"candles": [_candle(market.instrument, each) for each in reversed(found)]}

    def trades(self, params: Params) -> Any:
        """The newest trades and the best prices."""
        market = self._market(params["product"])
        limit = min(max(_whole(params, "limit", 100), 1), 1_000)
        newest = list(market.trades)[-limit:]
        quote, at = market.quote, market.instrument
        return {
            "trades": [{**rows.trade(at, t), "bid": "", "ask": ""} for t in reversed(newest)],
            "best_bid": plain(quote.bid, at.digits) if quote else "",
            "best_ask": plain(quote.ask, at.digits) if quote else "",
        }

    def book(self, params: Params) -> Any:
        """The book."""
        market = self._market(params.get("product_id", ""))
        limit = _whole(params, "limit", 0)
        return {"pricebook": self._book(market, limit or None)}

    def best(self, _: str, params: Params) -> Any:
        """Best prices of all products or one."""
        wanted = params.get("product_ids", "")
        markets = [self._market(wanted)] if wanted else list(self._exchange.markets.values())
        return {"pricebooks": [self._book(each, 1) for each in markets]}

    def _book(self, market: Market, limit: int | None) -> dict[str, Any]:
        at = market.instrument
        sides = {
            word: [
                {"price": plain(price, at.digits), "size": plain(size, 8)}
                for price, size in market.book.levels(side, limit)
            ]
            for word, side in (("bids", Side.BUY), ("asks", Side.SELL))
        }
        now = rows.time_text(self._venue.clock.now_ns())
        return {"product_id": at.wire, **sides, "time": now}

    def _market(self, product: str) -> Market:
        found = self._exchange.by_wire.get(product)
        if found is None:
            raise not_found("valid product_id is required")
        return found

    # ---- the account -------------------------------------------------------------------------

    def accounts(self, account: str, params: Params) -> Any:
        """Wallets, page by page."""
        held = sorted(self._exchange.accounts[account].balances.items())
        found = [
            {
                "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{account} {asset}")),
                "name": f"{asset} Wallet",
                "currency": asset,
                "available_balance": {"value": plain(each.free, 8), "currency": asset},
                "default": False,
                "active": True,
                "created_at": "2023-01-04T06:20:06.456Z",
                "updated_at": "2023-01-04T06:20:07.181Z",
                "deleted_at": None,
                "type": "ACCOUNT_TYPE_CRYPTO",
                "ready": True,
                "hold": {"value": plain(each.locked, 8), "currency": asset},
            }
            for asset, each in held
        ]
        page, more = _page(found, params, 49)
        return {"accounts": page, "has_next": bool(more), "cursor": more, "size": len(page)}

    def summary(self, _: str, __: Params) -> Any:
        """Fees."""
        fees = self._venue.fees
        tier = {
            "pricing_tier": "Advanced 1", "usd_from": "0", "usd_to": "1000",
            "taker_fee_rate": plain(fees.taker_ppm, 6), "maker_fee_rate": plain(fees.maker_ppm, 6),
        }  # fmt: skip
        return {"total_volume": 0, "total_fees": 0, "fee_tier": tier}

    def orders(self, account: str, params: Params) -> Any:
        """Orders, the newest first."""
        wanted = {each for each in params.get("order_status", "").split(",") if each}
        product = params.get("product_ids") or params.get("product_id", "")
        since = _time(params, "start_date")
        found = [
            each
            for each in reversed(self._exchange.orders(account))
            if (not wanted or rows.status_word(each) in wanted)
            and (not product or self._at(each).wire == product)
            and each.created_ns >= since
        ]
        page, more = _page(found, params, 100)
        told = [self._order(account, each) for each in page]
        return {"orders": told, "sequence": "0", "has_next": bool(more), "cursor": more}

    def order(self, account: str, params: Params) -> Any:
        """One order."""
        number = names.order_number(params["order"])
        found = self._exchange.books.find(account, number, "")
        if found is None:
            raise not_found("order with this orderID was not found")
        return {"order": self._order(account, found)}

    def _order(self, account: str, order: Order) -> dict[str, Any]:
        fills = sum(1 for each in self._exchange.fills(account) if each.order_id == order.id)
        return rows.rest_order(self._at(order), order, fills)

    def fills(self, account: str, params: Params) -> Any:
        """Executions, the newest first."""
        since = _time(params, "start_sequence_timestamp")
        wanted = params.get("order_ids") or params.get("order_id", "")
        number = names.order_number(wanted) if wanted else 0
        product = params.get("product_ids") or params.get("product_id", "")
        found = [
            each
            for each in reversed(self._exchange.fills(account))
            if each.ts_ns >= since
            and (not wanted or each.order_id == number)
            and (not product or self._exchange.market(each.symbol).instrument.wire == product)
        ]
        page, more = _page(found, params, 100)
        told = [rows.fill(self._exchange.market(each.symbol).instrument, each) for each in page]
        return {"fills": told, "cursor": more}

    def _at(self, order: Order) -> VenueInstrument:
        return self._exchange.market(order.symbol).instrument


def _twin(work: Callable[[Params], Any]) -> Callable[[str, Params], Any]:
    def answer(_: str, params: Params) -> Any:
        return work(params)

    return answer


def _candle(at: VenueInstrument, bar: Bar) -> dict[str, str]:
    names_of = ("low", "high", "open", "close")
    told = {name: plain(getattr(bar, name), at.digits) for name in names_of}
    return {"start": str(bar.start_ns // 10**9), **told, "volume": plain(bar.volume, 8)}


def _page(found: Sequence[Any], params: Params, default: int) -> tuple[list[Any], str]:
    limit = min(max(_whole(params, "limit", default), 1), 250)
    at = _whole(params, "cursor", 0)
    more = str(at + limit) if at + limit < len(found) else ""
    return list(found[at : at + limit]), more


def _whole(params: Params, name: str, default: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    if not text.isdigit() or len(text) > 15:
        raise argument(f"{name} is invalid")
    return int(text)


def _time(params: Params, name: str) -> int:
    text = params.get(name, "")
    if not text:
        return 0
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1e6) * 1_000
    except ValueError:
        raise argument(f"{name} is invalid") from None
