"""Spot market data as JSON: the rows of REST, the WebSocket API and the streams."""

from __future__ import annotations

from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.bars import Bar
from tradeloom.simulators.binance.streams import INTERVALS, Streams, levels
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import fixed

DIGITS: Final = 8  # spot writes every price and size with eight decimals
_MS: Final = 1_000_000
DAY_NS: Final = 86_400 * 10**9


def price(at: VenueInstrument, mantissa: int) -> str:
    """A price with eight decimals."""
    return fixed(mantissa * 10 ** (DIGITS - at.digits), DIGITS)


def size(number: int) -> str:
    """A size or money with eight decimals."""
    return fixed(number, DIGITS)


def cost(at: VenueInstrument, price_times_size: int) -> str:
    """Σ mantissa × size as money with eight decimals."""
    return fixed(price_times_size // 10**at.digits, DIGITS)


def symbol_row(market: Market) -> dict[str, Any]:
    """One symbol of exchangeInfo."""
    at = market.instrument
    return {
        "symbol": at.wire,
        "status": "BREAK" if market.halted else "TRADING",
        "baseAsset": at.base,
        "baseAssetPrecision": DIGITS,
        "quoteAsset": at.quote,
        "quotePrecision": DIGITS,
        "quoteAssetPrecision": DIGITS,
        "baseCommissionPrecision": DIGITS,
        "quoteCommissionPrecision": DIGITS,
        "orderTypes": [
            "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": price(at, at.tick),
                "maxPrice": "1000000.00000000",
                "tickSize": price(at, at.tick),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": size(at.volume_min),
                "maxQty": size(at.volume_max),
                "stepSize": size(at.step),
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": f"{at.notional_min:.8f}",
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }  # fmt: skip


def depth_row(book: BookDelta, at: VenueInstrument) -> dict[str, Any]:
    """The answer of /depth, and the payload of partial books."""
    return {
        "lastUpdateId": book.seq,
        "bids": levels(at, book.bids, DIGITS, DIGITS),
        "asks": levels(at, book.asks, DIGITS, DIGITS),
    }


def trade_row(at: VenueInstrument, trade: TradeTick) -> dict[str, Any]:
    """One row of /trades."""
    return {
        "id": int(trade.trade_id),
        "price": price(at, trade.price),
        "qty": size(trade.size),
        "quoteQty": cost(at, trade.price * trade.size),
        "time": trade.venue_ns // _MS,
        "isBuyerMaker": trade.side is Side.SELL,
        "isBestMatch": True,
    }


def kline_row(at: VenueInstrument, bar: Bar, seconds: int) -> list[Any]:
    """One row of /klines."""
    return [
        bar.start_ns // _MS,
        price(at, bar.open),
        price(at, bar.high),
        price(at, bar.low),
        price(at, bar.close),
        size(bar.volume),
        (bar.start_ns // _MS) + seconds * 1_000 - 1,
        cost(at, bar.cost),
        bar.trades,
        size(bar.bought),
        cost(at, bar.bought_cost),
        "0",
    ]


def day(market: Market, now_ns: int) -> Bar:
    """The last 24 hours as one bar."""
    last = market.last
    bars = market.bars.spans(60, now_ns - DAY_NS)
    total = Bar(now_ns - DAY_NS, *((bars[0].open,) * 4 if bars else (last,) * 4))
    for each in bars:
        total.high, total.low = max(total.high, each.high), min(total.low, each.low)
        total.close = each.close
        total.volume += each.volume
        total.cost += each.cost
        total.trades += each.trades
    return total


def day_row(market: Market, now_ns: int) -> dict[str, Any]:
    """One row of /ticker/24hr."""
    at, bar = market.instrument, day(market, now_ns)
    change = bar.close - bar.open
    percent = change * 100_000 // bar.open if bar.open else 0
    quote = market.quote
    return {
        "symbol": at.wire,
        "priceChange": price(at, change),
        "priceChangePercent": fixed(percent, 3),
        "weightedAvgPrice": price(at, bar.cost // bar.volume if bar.volume else bar.close),
        "prevClosePrice": price(at, bar.open),
        "lastPrice": price(at, bar.close),
        "lastQty": size(market.trades[-1].size if market.trades else 0),
        "bidPrice": price(at, quote.bid if quote else 0),
        "bidQty": size(quote.bid_size if quote else 0),
        "askPrice": price(at, quote.ask if quote else 0),
        "askQty": size(quote.ask_size if quote else 0),
        "openPrice": price(at, bar.open),
        "highPrice": price(at, bar.high),
        "lowPrice": price(at, bar.low),
        "volume": size(bar.volume),
        "quoteVolume": cost(at, bar.cost),
        "openTime": bar.start_ns // _MS,
        "closeTime": now_ns // _MS,
        "firstId": int(market.trades[0].trade_id) if market.trades else -1,
        "lastId": int(market.trades[-1].trade_id) if market.trades else -1,
        "count": bar.trades,
    }


class SpotStreams(Streams):
    """What spot's stream payloads look like."""

    def quote(self, at: VenueInstrument, quote: BookQuote, scale: int) -> dict[str, Any]:
        """bookTicker: no event name and no time."""
        return {
            "u": quote.seq,
            "s": at.wire,
            "b": price(at, quote.bid),
            "B": size(quote.bid_size),
            "a": price(at, quote.ask),
            "A": size(quote.ask_size),
        }

    def trade(self, at: VenueInstrument, trade: TradeTick, scale: int) -> dict[str, Any]:
        """trade."""
        return {
            "e": "trade",
            "E": self.dialect.clock.now_ns() // scale,
            "s": at.wire,
            "t": int(trade.trade_id or 0),
            "p": price(at, trade.price),
            "q": size(trade.size),
            "T": trade.venue_ns // scale,
            "m": trade.side is Side.SELL,
            "M": True,
        }

    def depth(self, at: VenueInstrument, delta: BookDelta, scale: int) -> dict[str, Any]:
        """depthUpdate."""
        return {
            "e": "depthUpdate",
            "E": self.dialect.clock.now_ns() // scale,
            "s": at.wire,
            "U": delta.first_seq,
            "u": delta.seq,
            "b": levels(at, delta.bids, DIGITS, DIGITS),
            "a": levels(at, delta.asks, DIGITS, DIGITS),
        }

    def top(self, market: Market, depth: int, scale: int) -> dict[str, Any]:
        """depth5 and so on: the stream's name alone tells the symbol."""
        at = market.instrument
        return depth_row(self.dialect.exchange.snapshot(at.symbol, depth), at)

    def others(self, market: Market, kind: str, scale: int) -> dict[str, Any] | None:
        """kline, ticker, miniTicker, avgPrice."""
        now_ns = self.dialect.clock.now_ns()
        if kind.startswith("kline_"):
            return self._kline(market, kind.removeprefix("kline_"), now_ns, scale)
        if kind in ("ticker", "miniTicker"):
            return self.day_event(market, kind, now_ns, scale)
        if kind == "avgPrice":
            at = market.instrument
            return {
                "e": "avgPrice", "E": now_ns // scale, "s": at.wire, "i": "5m",
                "w": price(at, market.last), "T": now_ns // scale,
            }  # fmt: skip
        return None

    def _kline(
        self, market: Market, interval: str, now_ns: int, scale: int
    ) -> dict[str, Any] | None:
        at, seconds = market.instrument, INTERVALS.get(interval)
        bars = market.bars.spans(seconds)[-1:] if seconds else []
        if not bars or not seconds:
            return None
        row = kline_row(at, bars[0], seconds)
        end_ns = bars[0].start_ns + seconds * 10**9 - scale
        return {
            "e": "kline", "E": now_ns // scale, "s": at.wire,
            "k": {
                "t": bars[0].start_ns // scale, "T": end_ns // scale, "s": at.wire, "i": interval,
                "f": 0, "L": 0, "o": row[1], "c": row[4], "h": row[2], "l": row[3], "v": row[5],
                "n": row[8], "x": now_ns > end_ns, "q": row[7], "V": row[9], "Q": row[10],
                "B": "0",
            },
        }  # fmt: skip

    def day_event(self, market: Market, kind: str, now_ns: int, scale: int) -> dict[str, Any]:
        """24hrTicker and 24hrMiniTicker."""
        row = day_row(market, now_ns)
        short = {
            "e": "24hrTicker" if kind == "ticker" else "24hrMiniTicker",
            "E": now_ns // scale, "s": row["symbol"], "c": row["lastPrice"],
            "o": row["openPrice"], "h": row["highPrice"], "l": row["lowPrice"],
            "v": row["volume"], "q": row["quoteVolume"],
        }  # fmt: skip
        if kind != "ticker":
            return short
        return {
            **short,
            "p": row["priceChange"], "P": row["priceChangePercent"], "w": row["weightedAvgPrice"],
            "x": row["prevClosePrice"], "Q": row["lastQty"], "b": row["bidPrice"],
            "B": row["bidQty"], "a": row["askPrice"], "A": row["askQty"],
            "O": row["openTime"] * _MS // scale, "C": row["closeTime"] * _MS // scale,
            "F": row["firstId"], "L": row["lastId"], "n": row["count"],
        }  # fmt: skip

    def arrays(self) -> None:
        """!ticker@arr and !miniTicker@arr."""
        from tradeloom.simulators.dialect import encode

        now_ns = self.dialect.clock.now_ns()
        for kind in ("ticker", "miniTicker"):
            channel = f"!{kind}@arr"
            if self.dialect.wanted(channel):
                found = [
                    self.day_event(each, kind, now_ns, _MS)
                    for each in self.dialect.exchange.markets.values()
                ]
                self.dialect.publish(channel, encode(found))
