"""Public calls: time, instruments, books, trades, bars."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tradeloom.simulators.bars import Bar
from tradeloom.simulators.deribit.errors import RpcFailure
from tradeloom.simulators.deribit.params import Params
from tradeloom.simulators.deribit.rows import amount, figure, listing, public_trade
from tradeloom.simulators.deribit.streams import change_id, ticker
from tradeloom.simulators.exchange import Market

if TYPE_CHECKING:
    from tradeloom.simulators.deribit import Deribit

_DEPTHS: Final = (1, 5, 10, 20, 50, 100, 1_000, 10_000)
_MINUTES: Final = {
    "1": 1, "3": 3, "5": 5, "10": 10, "15": 15, "30": 30, "60": 60, "120": 120, "180": 180,
    "360": 360, "720": 720, "1D": 1_440,
}  # fmt: skip


class Queries:
    """The public half of one dialect."""

    def __init__(self, dialect: Deribit) -> None:
        self._dialect: Final = dialect
        self._exchange: Final = dialect.exchange

    def methods(self) -> dict[str, Callable[[Params], Any]]:
        """By name."""
        return {
            "get_time": lambda given: self._dialect.clock.now_ms(),
            "test": lambda given: {"version": "1.2.26"},
            "hello": lambda given: {"version": "1.2.26"},
            "status": self._status,
            "get_currencies": self._currencies,
            "get_instruments": self._instruments,
            "get_instrument": lambda given: listing(self._market(given)),
            "get_order_book": self._order_book,
            "ticker": lambda given: ticker(self._market(given), self._dialect.clock.now_ms()),
            "get_last_trades_by_instrument": self._trades,
            "get_last_trades_by_instrument_and_time": self._trades,
            "get_tradingview_chart_data": self._chart,
            "get_funding_rate_value": lambda given: self._market(given).funding_ppm / 10**6,
        }

    def _market(self, given: Params) -> Market:
        found = self._exchange.by_wire.get(given.text("instrument_name"))
        if found is None:
            raise RpcFailure(13020, "", "instrument_name")
        return found

    def _status(self, given: Params) -> dict[str, Any]:
        halted = [each for each in self._exchange.markets.values() if each.halted]
        if not halted:
            return {"locked": "false", "locked_indices": []}
        names = [f"{m.instrument.base}_{m.instrument.quote}".lower() for m in halted]
        word = "true" if len(halted) == len(self._exchange.markets) else "partial"
        return {"locked": word, "locked_indices": names}

    def _currencies(self, given: Params) -> list[dict[str, Any]]:
        return [
            {
                "currency": coin,
                "currency_long": coin,
                "coin_type": coin,
                "fee_precision": 8,
                "min_confirmations": 1,
                "min_withdrawal_fee": 0.0,
                "withdrawal_fee": 0.0,
                "withdrawal_priorities": [],
                "in_cross_collateral_pool": False,
            }
            for coin in sorted(self._exchange.spot_assets())
        ]

    def _instruments(self, given: Params) -> list[dict[str, Any]]:
        coin = given.text("currency", "any").upper()
        kind = given.text("kind", "future")
        return [
            listing(each)
            for each in self._exchange.markets.values()
            if kind in ("future", "any") and coin in ("ANY", each.instrument.settle)
        ]

    def _order_book(self, given: Params) -> dict[str, Any]:
        market = self._market(given)
        depth = given.number("depth", 5)
        if depth not in _DEPTHS:
            raise RpcFailure(-32602, f"must be one of {list(_DEPTHS)}", "depth")
        at = market.instrument
        book = self._exchange.snapshot(at.symbol, depth)
        return {
            **ticker(market, self._dialect.clock.now_ms()),
            "change_id": change_id(book.seq),
            "bids": [[figure(price, at.digits), amount(size)] for price, size in book.bids],
            "asks": [[figure(price, at.digits), amount(size)] for price, size in book.asks],
        }

    def _trades(self, given: Params) -> dict[str, Any]:
        market = self._market(given)
        start = given.number("start_timestamp", 0)
        end = given.number("end_timestamp", 2**62)
        count = min(max(given.number("count", 10), 1), 1_000)
        index = self._dialect.index_of(market.instrument.symbol)
        found = [
            public_trade(market, index, each)
            for each in market.trades
            if start <= each.venue_ns // 1_000_000 <= end
        ]
        if given.text("sorting", "default") != "asc":
            found.reverse()
        return {"trades": found[:count], "has_more": len(found) > count}

    def _chart(self, given: Params) -> dict[str, Any]:
        market = self._market(given)
        minutes = _MINUTES.get(given.text("resolution"))
        if minutes is None:
            raise RpcFailure(-32602, "invalid resolution", "resolution")
        start = given.number("start_timestamp") * 10**6
        end = given.number("end_timestamp") * 10**6
        bars = market.bars.spans(
            minutes, start // (minutes * 60 * 10**9) * minutes * 60 * 10**9, end
        )
        digits, inverse = market.instrument.digits, market.instrument.inverse
        columns: dict[str, Any] = {"status": "ok" if bars else "no_data"}
        columns["ticks"] = [each.start_ns // 10**6 for each in bars]
        for name in ("open", "high", "low", "close"):
            columns[name] = [figure(getattr(each, name), digits) for each in bars]
        worth = [_worth(each, digits, inverse) for each in bars]
        size = [amount(each.volume) for each in bars]
        # The volume is base currency and the cost quote currency, whichever amounts are in.
        columns["volume"], columns["cost"] = (worth, size) if inverse else (size, worth)
        return columns


def _worth(bar: Bar, digits: int, inverse: bool) -> float:
    if inverse:
        price = figure(bar.close, digits)
        return round(amount(bar.volume) / price, 8) if price else 0.0
    return float(bar.cost / 10 ** (digits + 8))
