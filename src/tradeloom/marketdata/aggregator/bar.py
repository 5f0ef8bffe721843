"""The bar as it is stored, published and shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloom.domain import numbers
from tradeloom.domain.market import SIZE_DIGITS

from .parts import (
    ASK_HIGH,
    ASK_LOW,
    BID_HIGH,
    BID_LOW,
    FIRST,
    HIGH,
    LAST,
    LOW,
    QUOTES,
    SUM_HIGH,
    SUM_LOW,
    TRADES,
    VOLUME,
    Parts,
)

INTERVALS_S: Final = (1, 5, 60, 300, 900, 1_800, 3_600, 14_400, 86_400)
"""Lengths of bars, aligned to 1970-01-01 UTC: 1s 5s 1m 5m 15m 30m 1h 4h 1d."""

NAMES: Final = dict(
    zip(("1s", "5s", "1m", "5m", "15m", "30m", "1h", "4h", "1d"), INTERVALS_S, strict=True)
)
"""What people call them."""

NS: Final = 10**9


class Prices(msgspec.Struct, frozen=True, array_like=True):
    """Open, high, low and close as mantissas."""

    open: int
    high: int
    low: int
    close: int


class MarketBar(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What a venue's quotes and trades of one symbol did in a span of time.

    Prices have `digits` decimals, `both` is bid + ask (twice the middle, exact); None where there
    was no tick. `revision` grows when a finished bar is corrected: by ticks that
    came very late, or by the venue's own history where ours has a hole (`filled`: the trades of
    the bar, or of a part of it, are the venue's word, and not counted).
    """

    venue: str
    symbol: str
    interval_s: int
    start_ns: int
    digits: int
    bid: Prices | None = None
    ask: Prices | None = None
    both: Prices | None = None
    trade: Prices | None = None
    volume: Decimal = Decimal(0)
    quotes: int = 0
    trades: int = 0
    revision: int = 0
    finished: bool = False
    filled: bool = False

    def shown(self) -> dict[str, object]:
        """One flat row for people: decimals, the middle of bid and ask, volume."""
        row: dict[str, object] = {
            "venue": self.venue,
            "symbol": self.symbol,
            "interval_s": self.interval_s,
            "start_ns": self.start_ns,
        }
        sides = (("bid", self.bid, 1, 0), ("ask", self.ask, 1, 0), ("mid", self.both, 5, 1))
        for side, prices, scale, more in (*sides, ("trade", self.trade, 1, 0)):
            for name in ("open", "high", "low", "close"):
                value: Decimal | None = None
                if prices is not None:
                    value = numbers.decimal(getattr(prices, name) * scale, self.digits + more)
                row[f"{side}_{name}"] = value
        for name in ("volume", "quotes", "trades", "revision", "finished", "filled"):
            row[name] = getattr(self, name)
        return row


def made(
    venue: str,
    symbol: str,
    interval_s: int,
    start_s: int,
    digits: int,
    parts: Parts,
    *,
    revision: int = 0,
    finished: bool = False,
    filled: bool = False,
) -> MarketBar:
    """The bar of what ticks left."""
    bid = ask = both = trade = None
    volume = quotes = trades = 0
    if (q := parts.quotes) is not None:
        (_, _, bid_open, ask_open), (_, _, bid_close, ask_close) = q[FIRST], q[LAST]
        bid = Prices(bid_open, q[BID_HIGH], q[BID_LOW], bid_close)
        ask = Prices(ask_open, q[ASK_HIGH], q[ASK_LOW], ask_close)
        both = Prices(bid_open + ask_open, q[SUM_HIGH], q[SUM_LOW], bid_close + ask_close)
        quotes = q[QUOTES]
    if (t := parts.trades) is not None:
        trade = Prices(t[FIRST][3], t[HIGH], t[LOW], t[LAST][3])
        volume, trades = t[VOLUME], t[TRADES]
    return MarketBar(
        venue=venue,
        symbol=symbol,
        interval_s=interval_s,
        start_ns=start_s * NS,
        digits=digits,
        bid=bid,
        ask=ask,
        both=both,
        trade=trade,
        volume=numbers.decimal(volume, SIZE_DIGITS, keep=0),
        quotes=quotes,
        trades=trades,
        revision=revision,
        finished=finished,
        filled=filled,
    )
