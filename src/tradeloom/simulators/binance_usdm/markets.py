"""What can be asked of USD-M without a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tradeloom.simulators.binance.errors import BinanceError
from tradeloom.simulators.binance.family import Caller, Operation
from tradeloom.simulators.binance.params import Params
from tradeloom.simulators.binance.streams import INTERVALS
from tradeloom.simulators.binance_usdm.rows import (
    day_row,
    depth_row,
    kline_row,
    premium_row,
    price,
    size,
    symbol_row,
    trade_row,
)
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import fixed

if TYPE_CHECKING:
    from tradeloom.simulators.binance_usdm.usdm import BinanceUsdm

DEPTHS: Final = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1_000: 20}
_MS: Final = 1_000_000


def depth_weight(params: Params) -> int:
    """The deeper, the dearer."""
    return DEPTHS.get(params.integer("limit", 500), 10)


class UsdmMarkets:
    """The public operations of USD-M."""

    def __init__(self, venue: BinanceUsdm) -> None:
        self._venue = venue
        self._exchange = venue.exchange

    def operations(self) -> list[Operation]:
        """The table."""
        v1 = "/fapi/v1"
        return [
            Operation(lambda *_: {}, "", "GET", f"{v1}/ping"),
            Operation(self.time, "", "GET", f"{v1}/time"),
            Operation(self.info, "", "GET", f"{v1}/exchangeInfo"),
            Operation(self.depth, "depth", "GET", f"{v1}/depth", weight=depth_weight),
            Operation(self.trades, "", "GET", f"{v1}/trades", weight=5),
            Operation(self.agg_trades, "", "GET", f"{v1}/aggTrades", weight=20),
            Operation(self.klines, "", "GET", f"{v1}/klines", weight=5),
            Operation(self.day, "", "GET", f"{v1}/ticker/24hr"),
            Operation(self.prices, "", "GET", f"{v1}/ticker/price"),
            Operation(self.prices, "ticker.price", "GET", "/fapi/v2/ticker/price"),
            Operation(self.best, "ticker.book", "GET", f"{v1}/ticker/bookTicker", weight=2),
            Operation(self.premium, "", "GET", f"{v1}/premiumIndex"),
            Operation(self.funding, "", "GET", f"{v1}/fundingRate"),
            Operation(self.interest, "", "GET", f"{v1}/openInterest"),
        ]

    def time(self, _params: Params, _caller: Caller) -> dict[str, Any]:
        """The venue's clock."""
        return {"serverTime": self._venue.clock.now_ms()}

    def info(self, _params: Params, _caller: Caller) -> dict[str, Any]:
        """exchangeInfo: always everything."""
        markets = self._exchange.markets.values()
        return {
            "timezone": "UTC",
            "serverTime": self._venue.clock.now_ms(),
            "futuresType": "U_MARGINED",
            "rateLimits": [each.row() for each in self._venue.limits],
            "exchangeFilters": [],
            "assets": [
                {"asset": asset, "marginAvailable": True, "autoAssetExchange": "-10000"}
                for asset in sorted({each.instrument.settle for each in markets})
            ],
            "symbols": [symbol_row(each) for each in markets],
        }

    def depth(self, params: Params, _caller: Caller) -> dict[str, Any]:
        """The book; only certain depths."""
        market = self.market(params)
        limit = params.integer("limit", 500)
        if limit not in DEPTHS:
            raise BinanceError(-4021, f"{limit} is not valid depth limit.")
        at = market.instrument
        book = self._exchange.snapshot(at.symbol, limit)
        return depth_row(book, at, self._venue.clock.now_ms())

    def trades(self, params: Params, _caller: Caller) -> list[dict[str, Any]]:
        """The newest trades."""
        market = self.market(params)
        limit = min(max(1, params.integer("limit", 500)), 1_000)
        return [trade_row(market.instrument, each) for each in list(market.trades)[-limit:]]

    def agg_trades(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """The newest trades, each one its own aggregate."""
        return [
            {
                "a": row["id"], "p": row["price"], "q": row["qty"], "f": row["id"],
                "l": row["id"], "T": row["time"], "m": row["isBuyerMaker"],
            }
            for row in self.trades(params, caller)
        ]  # fmt: skip

    def klines(self, params: Params, _caller: Caller) -> list[list[Any]]:
        """Bars."""
        market = self.market(params)
        seconds = INTERVALS.get(params.text("interval"))
        if seconds is None or seconds < 60:
            raise BinanceError(-1120, "Invalid interval.")
        limit = min(max(1, params.integer("limit", 500)), 1_500)
        start, end = params.optional("startTime"), params.optional("endTime")
        bars = market.bars.spans(
            seconds,
            None if start is None else start * _MS,
            None if end is None else end * _MS,
        )
        kept = bars[:limit] if start is not None else bars[-limit:]
        return [kline_row(market.instrument, each, seconds) for each in kept]

    def day(self, params: Params, _caller: Caller) -> Any:
        """The last 24 hours."""
        now_ns = self._venue.clock.now_ns()
        return self._each(params, lambda market: day_row(market, now_ns))

    def prices(self, params: Params, _caller: Caller) -> Any:
        """The last prices."""
        return self._each(
            params,
            lambda market: {
                "symbol": market.instrument.wire,
                "price": price(market.instrument, market.last or market.mark),
                "time": self._venue.clock.now_ms(),
            },
        )

    def best(self, params: Params, _caller: Caller) -> Any:
        """The best bids and asks."""
        return self._each(params, self._best)

    def _best(self, market: Market) -> dict[str, Any]:
        at, quote = market.instrument, market.quote
        return {
            "symbol": at.wire,
            "bidPrice": price(at, quote.bid if quote else 0),
            "bidQty": size(at, quote.bid_size if quote else 0),
            "askPrice": price(at, quote.ask if quote else 0),
            "askQty": size(at, quote.ask_size if quote else 0),
            "time": self._venue.clock.now_ms(),
            "lastUpdateId": market.seq,
        }

    def premium(self, params: Params, _caller: Caller) -> Any:
        """Mark prices and funding."""
        now_ns = self._venue.clock.now_ns()
        return self._each(params, lambda market: premium_row(market, now_ns))

    def funding(self, params: Params, _caller: Caller) -> list[dict[str, Any]]:
        """What was charged, newest last."""
        found = self._venue.funding_charged
        wanted = self.market(params).instrument.wire if "symbol" in params else None
        limit = min(max(1, params.integer("limit", 100)), 1_000)
        return [each for each in found if wanted in (None, each["symbol"])][-limit:]

    def interest(self, params: Params, _caller: Caller) -> dict[str, Any]:
        """Open interest: of our clients only."""
        market = self.market(params)
        symbol = market.instrument.symbol
        total = sum(
            abs(position.size)
            for account in self._exchange.accounts.values()
            for (held, _), position in account.positions.items()
            if held == symbol
        )
        return {
            "symbol": market.instrument.wire,
            "openInterest": fixed(total, 8),
            "time": self._venue.clock.now_ms(),
        }

    def market(self, params: Params) -> Market:
        """The market of `symbol`; raises -1121."""
        found = self._exchange.by_wire.get(params.text("symbol"))
        if found is None:
            raise BinanceError(-1121, "Invalid symbol.")
        return found

    def _each(self, params: Params, row: Callable[[Market], dict[str, Any]]) -> Any:
        if "symbol" in params:
            return row(self.market(params))
        return [row(each) for each in self._exchange.markets.values()]
