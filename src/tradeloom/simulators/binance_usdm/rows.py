"""USD-M market data as JSON; figures carry the symbol's own decimals."""

from __future__ import annotations

from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.bars import Bar
from tradeloom.simulators.binance.rows import day
from tradeloom.simulators.binance.streams import INTERVALS, Streams, levels
from tradeloom.simulators.dialect import encode
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import fixed, rescaled

_MS: Final = 1_000_000
FUNDING_NS: Final = 8 * 3_600 * 10**9


def size_digits(at: VenueInstrument) -> int:
    """Decimals of a quantity."""
    return 8 - (len(str(max(1, at.step))) - 1)


def price(at: VenueInstrument, mantissa: int) -> str:
    """A price."""
    return fixed(mantissa, at.digits)


def size(at: VenueInstrument, number: int) -> str:
    """A quantity."""
    digits = size_digits(at)
    return fixed(rescaled(number, 8, digits), digits)


def cost(at: VenueInstrument, price_times_size: int) -> str:
    """Σ mantissa × size as money."""
    return fixed(price_times_size // 10**at.digits, 8)


def funding_time_ms(now_ns: int) -> int:
    """When funding is charged next."""
    return (now_ns // FUNDING_NS + 1) * FUNDING_NS // _MS


def symbol_row(market: Market) -> dict[str, Any]:
    """One symbol of exchangeInfo."""
    at = market.instrument
    lot = {
        "minQty": size(at, at.volume_min),
        "maxQty": size(at, at.volume_max),
        "stepSize": size(at, at.step),
    }
    return {
        "symbol": at.wire,
        "pair": at.wire,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_569_398_400_000,
        "status": "BREAK" if market.halted else "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": at.base,
        "quoteAsset": at.quote,
        "marginAsset": at.settle,
        "pricePrecision": at.digits,
        "quantityPrecision": size_digits(at),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": price(at, at.tick),
                "maxPrice": "4529764",
                "tickSize": price(at, at.tick),
            },
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "MARKET_LOT_SIZE", **lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": f"{at.notional_min:f}"},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": [
            "LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }  # fmt: skip


def depth_row(book: BookDelta, at: VenueInstrument, now_ms: int) -> dict[str, Any]:
    """The answer of /fapi/v1/depth."""
    return {
        "lastUpdateId": book.seq,
        "E": now_ms,
        "T": now_ms,
        "bids": levels(at, book.bids, at.digits, size_digits(at)),
        "asks": levels(at, book.asks, at.digits, size_digits(at)),
    }


def trade_row(at: VenueInstrument, trade: TradeTick) -> dict[str, Any]:
    """One row of /fapi/v1/trades."""
    return {
        "id": int(trade.trade_id),
        "price": price(at, trade.price),
        "qty": size(at, trade.size),
        "quoteQty": cost(at, trade.price * trade.size),
        "time": trade.venue_ns // _MS,
        "isBuyerMaker": trade.side is Side.SELL,
    }


def kline_row(at: VenueInstrument, bar: Bar, seconds: int) -> list[Any]:
    """One row of /fapi/v1/klines."""
    return [
        bar.start_ns // _MS,
        price(at, bar.open),
        price(at, bar.high),
        price(at, bar.low),
        price(at, bar.close),
        size(at, bar.volume),
        bar.start_ns // _MS + seconds * 1_000 - 1,
        cost(at, bar.cost),
        bar.trades,
        size(at, bar.bought),
        cost(at, bar.bought_cost),
        "0",
    ]


def day_row(market: Market, now_ns: int) -> dict[str, Any]:
    """One row of /fapi/v1/ticker/24hr."""
    at, bar = market.instrument, day(market, now_ns)
    change = bar.close - bar.open
    return {
        "symbol": at.wire,
        "priceChange": price(at, change),
        "priceChangePercent": fixed(change * 100_000 // bar.open if bar.open else 0, 3),
        "weightedAvgPrice": price(at, bar.cost // bar.volume if bar.volume else bar.close),
        "lastPrice": price(at, bar.close),
        "lastQty": size(at, market.trades[-1].size if market.trades else 0),
        "openPrice": price(at, bar.open),
        "highPrice": price(at, bar.high),
        "lowPrice": price(at, bar.low),
        "volume": size(at, bar.volume),
        "quoteVolume": cost(at, bar.cost),
        "openTime": bar.start_ns // _MS,
        "closeTime": now_ns // _MS,
        "firstId": int(market.trades[0].trade_id) if market.trades else -1,
        "lastId": int(market.trades[-1].trade_id) if market.trades else -1,
        "count": bar.trades,
    }


def premium_row(market: Market, now_ns: int) -> dict[str, Any]:
    """One row of /fapi/v1/premiumIndex."""
    at = market.instrument
    mark = price(at, market.mark)
    return {
        "symbol": at.wire,
        "markPrice": mark,
        "indexPrice": price(at, market.mark + market.index_offset),
        "estimatedSettlePrice": mark,
        "lastFundingRate": fixed(market.funding_ppm * 100, 8),
        "interestRate": "0.00010000",
        "nextFundingTime": funding_time_ms(now_ns),
        "time": now_ns // _MS,
    }


class UsdmStreams(Streams):
    """What USD-M's stream payloads look like."""

    fast_depths = ("@0ms", "@100ms")
    slow_depth = "@500ms"

    def quote(self, at: VenueInstrument, quote: BookQuote, scale: int) -> dict[str, Any]:
        """bookTicker, with its times."""
        return {
            "e": "bookTicker",
            "u": quote.seq,
            "s": at.wire,
            "b": price(at, quote.bid),
            "B": size(at, quote.bid_size),
            "a": price(at, quote.ask),
            "A": size(at, quote.ask_size),
            "T": quote.venue_ns // _MS,
            "E": self.dialect.clock.now_ms(),
        }

    def trade(self, at: VenueInstrument, trade: TradeTick, scale: int) -> dict[str, Any]:
        """trade."""
        return {
            "e": "trade",
            "E": self.dialect.clock.now_ms(),
            "T": trade.venue_ns // _MS,
            "s": at.wire,
            "t": int(trade.trade_id or 0),
            "p": price(at, trade.price),
            "q": size(at, trade.size),
            "X": "MARKET",
            "m": trade.side is Side.SELL,
        }

    def depth(self, at: VenueInstrument, delta: BookDelta, scale: int) -> dict[str, Any]:
        """depthUpdate, with `pu`."""
        return {
            "e": "depthUpdate",
            "E": self.dialect.clock.now_ms(),
            "T": delta.venue_ns // _MS,
            "s": at.wire,
            "U": delta.first_seq,
            "u": delta.seq,
            "pu": delta.previous,
            "b": levels(at, delta.bids, at.digits, size_digits(at)),
            "a": levels(at, delta.asks, at.digits, size_digits(at)),
        }

    def top(self, market: Market, depth: int, scale: int) -> dict[str, Any]:
        """depth5 and so on: an update that holds the whole top."""
        at = market.instrument
        book = self.dialect.exchange.snapshot(at.symbol, depth)
        return self.depth(at, book, scale)

    def others(self, market: Market, kind: str, scale: int) -> dict[str, Any] | None:
        """markPrice, kline, ticker, miniTicker."""
        now_ns = self.dialect.clock.now_ns()
        if kind in ("markPrice", "markPrice@1s"):
            return self._mark(market, now_ns)
        if kind.startswith("kline_"):
            return self._kline(market, kind.removeprefix("kline_"), now_ns)
        if kind in ("ticker", "miniTicker"):
            return self._day(market, kind, now_ns)
        return None

    def _mark(self, market: Market, now_ns: int) -> dict[str, Any]:
        row = premium_row(market, now_ns)
        return {
            "e": "markPriceUpdate", "E": now_ns // _MS, "s": row["symbol"], "p": row["markPrice"],
            "i": row["indexPrice"], "P": row["estimatedSettlePrice"], "r": row["lastFundingRate"],
            "T": row["nextFundingTime"],
        }  # fmt: skip

    def _kline(self, market: Market, interval: str, now_ns: int) -> dict[str, Any] | None:
        at, seconds = market.instrument, INTERVALS.get(interval)
        bars = market.bars.spans(seconds)[-1:] if seconds else []
        if not bars or not seconds:
            return None
        row = kline_row(at, bars[0], seconds)
        return {
            "e": "kline", "E": now_ns // _MS, "s": at.wire,
            "k": {
                "t": row[0], "T": row[6], "s": at.wire, "i": interval, "f": 0, "L": 0,
                "o": row[1], "c": row[4], "h": row[2], "l": row[3], "v": row[5], "n": row[8],
                "x": now_ns // _MS > row[6], "q": row[7], "V": row[9], "Q": row[10], "B": "0",
            },
        }  # fmt: skip

    def _day(self, market: Market, kind: str, now_ns: int) -> dict[str, Any]:
        row = day_row(market, now_ns)
        short = {
            "e": "24hrTicker" if kind == "ticker" else "24hrMiniTicker",
            "E": now_ns // _MS, "s": row["symbol"], "c": row["lastPrice"], "o": row["openPrice"],
            "h": row["highPrice"], "l": row["lowPrice"], "v": row["volume"],
            "q": row["quoteVolume"],
        }  # fmt: skip
        if kind != "ticker":
            return short
        return {
            **short,
            "p": row["priceChange"], "P": row["priceChangePercent"], "w": row["weightedAvgPrice"],
            "Q": row["lastQty"], "O": row["openTime"], "C": row["closeTime"],
            "F": row["firstId"], "L": row["lastId"], "n": row["count"],
        }  # fmt: skip

    def arrays(self) -> None:
        """!ticker@arr, !miniTicker@arr, !markPrice@arr."""
        now_ns = self.dialect.clock.now_ns()
        for kind in ("ticker", "miniTicker", "markPrice", "markPrice@1s"):
            name, _, pace = kind.partition("@")
            channel = f"!{name}@arr" + (f"@{pace}" if pace else "")
            if not self.dialect.wanted(channel):
                continue
            markets = self.dialect.exchange.markets.values()
            if name == "markPrice":
                rows = [self._mark(each, now_ns) for each in markets]
            else:
                rows = [self._day(each, name, now_ns) for each in markets]
            self.dialect.publish(channel, encode(rows))
