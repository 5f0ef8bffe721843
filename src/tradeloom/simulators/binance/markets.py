"""What can be asked of spot without a key: time, symbols, books, trades, bars, tickers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tradeloom.simulators.binance.errors import BinanceError, illegal
from tradeloom.simulators.binance.family import Caller, Operation
from tradeloom.simulators.binance.params import Params
from tradeloom.simulators.binance.rows import (
    day_row,
    depth_row,
    kline_row,
    price,
    size,
    symbol_row,
    trade_row,
)
from tradeloom.simulators.binance.streams import INTERVALS
from tradeloom.simulators.exchange import Market

if TYPE_CHECKING:
    from tradeloom.simulators.binance.spot import BinanceSpot

DEPTH_MAX: Final = 5_000
KLINES_MAX: Final = 1_000
_MS: Final = 1_000_000


def depth_weight(params: Params) -> int:
    """The deeper, the dearer."""
    limit = params.integer("limit", 100)
    return 5 if limit <= 100 else 25 if limit <= 500 else 50 if limit <= 1_000 else 250


class SpotMarkets:
    """The public operations of spot."""

    def __init__(self, venue: BinanceSpot) -> None:
        self._venue = venue
        self._exchange = venue.exchange

    def operations(self) -> list[Operation]:
        """The table."""
        v3 = "/api/v3"
        return [
            Operation(lambda *_: {}, "ping", "GET", f"{v3}/ping"),
            Operation(self.time, "time", "GET", f"{v3}/time"),
            Operation(self.info, "exchangeInfo", "GET", f"{v3}/exchangeInfo", weight=20),
            Operation(self.depth, "depth", "GET", f"{v3}/depth", weight=depth_weight),
            Operation(self.trades, "trades.recent", "GET", f"{v3}/trades", weight=25),
            Operation(self.agg_trades, "trades.aggregate", "GET", f"{v3}/aggTrades", weight=4),
            Operation(self.klines, "klines", "GET", f"{v3}/klines", weight=2),
            Operation(self.day, "ticker.24hr", "GET", f"{v3}/ticker/24hr", weight=2),
            Operation(self.prices, "ticker.price", "GET", f"{v3}/ticker/price", weight=2),
            Operation(self.best, "ticker.book", "GET", f"{v3}/ticker/bookTicker", weight=2),
            Operation(self.system, "", "GET", "/sapi/v1/system/status"),
        ]

    def time(self, _params: Params, _caller: Caller) -> dict[str, Any]:
        """The venue's clock."""
        return {"serverTime": self._venue.clock.now_ms()}

    def system(self, _params: Params, _caller: Caller) -> dict[str, Any]:
        """0 is normal, 1 is maintenance."""
        halted = all(each.halted for each in self._exchange.markets.values())
        return {"status": int(halted), "msg": "system_maintenance" if halted else "normal"}

    def info(self, params: Params, _caller: Caller) -> dict[str, Any]:
        """exchangeInfo, of all symbols or some."""
        return {
            "timezone": "UTC",
            "serverTime": self._venue.clock.now_ms(),
            "rateLimits": [each.row() for each in self._venue.limits],
            "exchangeFilters": [],
            "symbols": [symbol_row(each) for each in self._wanted(params)],
        }

    def depth(self, params: Params, _caller: Caller) -> dict[str, Any]:
        """The book, 100 levels unless `limit` says otherwise."""
        market = self.market(params)
        limit = min(max(1, params.integer("limit", 100)), DEPTH_MAX)
        at = market.instrument
        return depth_row(self._exchange.snapshot(at.symbol, limit), at)

    def trades(self, params: Params, _caller: Caller) -> list[dict[str, Any]]:
        """The newest trades."""
        market = self.market(params)
        limit = min(max(1, params.integer("limit", 500)), 1_000)
        return [trade_row(market.instrument, each) for each in list(market.trades)[-limit:]]

    def agg_trades(self, params: Params, _caller: Caller) -> list[dict[str, Any]]:
        """The newest trades, each one its own aggregate."""
        found = []
        for row in self.trades(params, _caller):
            number = row["id"]
            found.append(
                {
                    "a": number, "p": row["price"], "q": row["qty"], "f": number, "l": number,
                    "T": row["time"], "m": row["isBuyerMaker"], "M": True,
                }
            )  # fmt: skip
        return found

    def klines(self, params: Params, _caller: Caller) -> list[list[Any]]:
        """Bars."""
        market = self.market(params)
        seconds = INTERVALS.get(params.text("interval"))
        if seconds is None:
            raise BinanceError(-1120, "Invalid interval.")
        limit = min(max(1, params.integer("limit", 500)), KLINES_MAX)
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
            },
        )

    def best(self, params: Params, _caller: Caller) -> Any:
        """The best bids and asks."""
        return self._each(params, self._best)

    @staticmethod
    def _best(market: Market) -> dict[str, Any]:
        at, quote = market.instrument, market.quote
        return {
            "symbol": at.wire,
            "bidPrice": price(at, quote.bid if quote else 0),
            "bidQty": size(quote.bid_size if quote else 0),
            "askPrice": price(at, quote.ask if quote else 0),
            "askQty": size(quote.ask_size if quote else 0),
        }

    # ---- finding -----------------------------------------------------------------------------

    def market(self, params: Params) -> Market:
        """The market of `symbol`; raises -1121."""
        found = self._exchange.by_wire.get(params.text("symbol"))
        if found is None:
            raise BinanceError(-1121, "Invalid symbol.")
        return found

    def _wanted(self, params: Params) -> list[Market]:
        if "symbol" in params:
            return [self.market(params)]
        if "symbols" not in params:
            return list(self._exchange.markets.values())
        try:
            names = json.loads(params.text("symbols"))
        except ValueError as error:
            raise illegal("symbols") from error
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            raise illegal("symbols")
        missing = [each for each in names if each not in self._exchange.by_wire]
        if missing:
            raise BinanceError(-1121, "Invalid symbol.")
        return [self._exchange.by_wire[each] for each in names]

    def _each(self, params: Params, row: Callable[[Market], dict[str, Any]]) -> Any:
        rows = [row(each) for each in self._wanted(params)]
        return rows[0] if "symbol" in params else rows
