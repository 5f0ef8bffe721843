"""Made-up market events for tests of streams, records and bars: the same ones every time."""

from __future__ import annotations

import random

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookQuote, MarketEvent, TradeTick

NS = 10**9
START = 1_780_000_000 * NS
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


def quote(number: int, symbol: str = "BTCUSDT", venue: str = "binance", **fields: int) -> BookQuote:
    """Quote `number` of a walk; one every 20 ms."""
    bid = fields.get("bid", 6_500_000 + number * 7 % 1_000)
    ts = fields.get("ts", START + number * NS // 50)
    return BookQuote(
        venue, symbol, 2, bid, bid + 5, 10**8, 2 * 10**8, ts - 2_000_000, ts, 1 + number
    )


def trade(number: int, symbol: str = "BTCUSDT", venue: str = "binance", **fields: int) -> TradeTick:
    """Trade `number`."""
    ts = fields.get("ts", START + number * NS // 50)
    side = (Side.BUY, Side.SELL, None)[number % 3]
    price = fields.get("price", 6_500_000 + number * 11 % 1_000)
    size = fields.get("size", 10**6 * (1 + number % 9))
    return TradeTick(venue, symbol, 2, price, size, side, str(1_000 + number), ts - 1_000_000, ts)


def mixed(count: int, seed: int = 1) -> list[MarketEvent]:
    """Quotes and trades of three symbols."""
    dice = random.Random(seed)
    return [
        (quote if dice.random() < 0.8 else trade)(number, dice.choice(SYMBOLS))
        for number in range(count)
    ]
