"""The instruments of the generated market: five that were recorded, and others scaled from them.

A scaled instrument borrows a recorded market's habits: `pace`, `move` and `spread` are percentages
of that market's tick rate, move size and spread, in points of the new instrument. A cross is
priced from its two legs, so that the market allows no riskless round trip beyond the spreads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from tradeloom.marketdata.calendar import Opening


class CrossRule(Enum):
    """How two legs make a cross."""

    TIMES = "times"  # EURUSD x USDJPY = EURJPY
    OVER = "over"  # EURUSD / GBPUSD = EURGBP


@dataclass(frozen=True, slots=True)
class Cross:
    """The legs of a cross rate and how they combine."""

    first: str
    rule: CrossRule
    second: str


@dataclass(frozen=True, slots=True)
class MarketInstrument:
    """One generated instrument; `start` is its first bid as an integer of `price_digits` decimals.

    `profile` names the recorded market it behaves like. Percentages as told above.
    """

    symbol: str
    base: str
    quote: str
    price_digits: int
    start: int
    profile: str
    opening: Opening
    pace: int = 100
    move: int = 100
    spread: int = 100
    cross: Cross | None = None


_FX: Final = Opening.WEEKDAYS
_COIN: Final = Opening.ALWAYS
_STOCK: Final = Opening.EXCHANGE
_TIMES: Final = CrossRule.TIMES
_OVER: Final = CrossRule.OVER
_I = MarketInstrument

# Order is part of the market: an instrument's index in a chunk is its place in the chosen list.
MARKET: Final[tuple[MarketInstrument, ...]] = (
    _I("EURUSD", "EUR", "USD", 5, 138_676, "EURUSD", _FX),
    _I("NZDUSD", "NZD", "USD", 5, 86_586, "NZDUSD", _FX),
    _I("XAUUSD", "XAU", "USD", 3, 1_290_875, "XAUUSD", _FX),
    _I("BTCUSDT", "BTC", "USDT", 1, 618_002, "BTCUSDT", _COIN),
    _I("ETHUSDT", "ETH", "USDT", 2, 268_380, "ETHUSDT", _COIN),
    _I("USDJPY", "USD", "JPY", 3, 102_300, "EURUSD", _FX, pace=90, move=75, spread=90),
    _I("GBPUSD", "GBP", "USD", 5, 168_900, "EURUSD", _FX, pace=90, move=120, spread=130),
    _I("AUDUSD", "AUD", "USD", 5, 92_800, "NZDUSD", _FX, pace=120, move=100, spread=65),
    _I("USDCHF", "USD", "CHF", 5, 88_000, "EURUSD", _FX, pace=70, move=70, spread=130),
    _I("USDCAD", "USD", "CAD", 5, 109_600, "EURUSD", _FX, pace=70, move=75, spread=150),
    _I("EURGBP", "EUR", "GBP", 5, 82_100, "EURUSD", _FX,
       pace=70, spread=120, cross=Cross("EURUSD", _OVER, "GBPUSD")),
    _I("EURJPY", "EUR", "JPY", 3, 141_870, "EURUSD", _FX,
       pace=80, spread=150, cross=Cross("EURUSD", _TIMES, "USDJPY")),
    _I("GBPJPY", "GBP", "JPY", 3, 172_780, "EURUSD", _FX,
       pace=80, spread=240, cross=Cross("GBPUSD", _TIMES, "USDJPY")),
    _I("EURCHF", "EUR", "CHF", 5, 122_030, "EURUSD", _FX,
       pace=50, spread=160, cross=Cross("EURUSD", _TIMES, "USDCHF")),
    _I("AUDNZD", "AUD", "NZD", 5, 107_170, "NZDUSD", _FX,
       pace=60, spread=130, cross=Cross("AUDUSD", _OVER, "NZDUSD")),
    _I("XAGUSD", "XAG", "USD", 3, 19_500, "XAUUSD", _FX, pace=60, move=3, spread=9),
    _I("US500", "US500", "USD", 1, 18_800, "EURUSD", _FX, pace=60, move=22, spread=40),
    _I("US30", "US30", "USD", 1, 165_800, "EURUSD", _FX, pace=60, move=180, spread=200),
    _I("NAS100", "NAS100", "USD", 1, 35_900, "EURUSD", _FX, pace=80, move=55, spread=100),
    _I("GER40", "GER40", "EUR", 1, 96_000, "EURUSD", _FX, pace=70, move=130, spread=120),
    _I("WTI", "WTI", "USD", 3, 99_800, "NZDUSD", _FX, pace=60, move=180, spread=150),
    _I("BRENT", "BRENT", "USD", 3, 107_900, "NZDUSD", _FX, pace=60, move=180, spread=160),
    _I("SOLUSDT", "SOL", "USDT", 2, 15_400, "ETHUSDT", _COIN, pace=60, move=10),
    _I("XRPUSDT", "XRP", "USDT", 4, 6_150, "ETHUSDT", _COIN, pace=40, move=5),
    _I("BNBUSDT", "BNB", "USDT", 1, 5_120, "ETHUSDT", _COIN, pace=30, move=3),
    _I("AAPL", "AAPL", "USD", 2, 19_000, "NZDUSD", _STOCK, pace=250, move=60, spread=8),
    _I("MSFT", "MSFT", "USD", 2, 41_000, "NZDUSD", _STOCK, pace=200, move=120, spread=15),
    _I("TSLA", "TSLA", "USD", 2, 20_000, "NZDUSD", _STOCK, pace=300, move=140, spread=12),
)  # fmt: skip


def choose(symbols: tuple[str, ...] | None) -> tuple[MarketInstrument, ...]:
    """Return the instruments of these symbols in the given order; all of the market for None.

    Raises ValueError for a symbol that the market does not have, or one named twice.
    """
    if symbols is None:
        return MARKET
    known = {each.symbol: each for each in MARKET}
    unknown = [symbol for symbol in symbols if symbol not in known]
    if unknown:
        have = ", ".join(known)
        raise ValueError(f"no generated instrument {', '.join(unknown)} (there are: {have})")
    if len(set(symbols)) != len(symbols) or not symbols:
        raise ValueError(f"name each symbol once, and at least one: {', '.join(symbols) or 'none'}")
    return tuple(known[symbol] for symbol in symbols)
