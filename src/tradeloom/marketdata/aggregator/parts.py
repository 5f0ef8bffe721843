"""The arithmetic of bars: what ticks leave behind, merged in any order to the same result.

A bar of quotes is its first and last quote, the extremes, and a count; of trades likewise, with
volume. *First* and *last* go by a total order of ticks (time, the venue's number, the values), so
merging is commutative and associative, and repeating it changes only the counts: `Cell` knows the
ticks of its second and takes each once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from tradeloom.domain.market import BookQuote, TradeTick

from ..frames import event_ns
from ..limits import PRICE_DIGITS_MAX

Part = list[Any]
# Prices are compared with the most digits there are, so a tick is the same with any.
_FINEST: Final = tuple(10 ** (PRICE_DIGITS_MAX - digits) for digits in range(PRICE_DIGITS_MAX + 1))
# Quotes: key of the first and of the last one, extremes of bid, ask and their sum, how many.
# A key is (ns, seq, bid, ask).
FIRST: Final = 0
LAST: Final = 1
BID_HIGH: Final = 2
BID_LOW: Final = 3
ASK_HIGH: Final = 4
ASK_LOW: Final = 5
SUM_HIGH: Final = 6
SUM_LOW: Final = 7
QUOTES: Final = 8
# Trades: key of the first and of the last one, extremes, volume, how many.
# A key is (ns, length of the id, id, price): numbers in text then sort as numbers.
HIGH: Final = 2
LOW: Final = 3
VOLUME: Final = 4
TRADES: Final = 5


class Parts:
    """What the ticks of a span left: of quotes and of trades, None where there were none."""

    __slots__ = ("quotes", "trades")

    def __init__(self, quotes: Part | None = None, trades: Part | None = None) -> None:
        self.quotes = quotes
        self.trades = trades

    def merge(self, other: Parts) -> None:
        """Take in the ticks of another span; the two must not share any."""
        if other.quotes is not None:
            self.quotes = _quotes(self.quotes, other.quotes, other.quotes[QUOTES])
        if other.trades is not None:
            self.trades = _trades(
                self.trades, other.trades, other.trades[VOLUME], other.trades[TRADES]
            )

    def correct(self, new: Parts, old: Parts, *, trades: bool = True) -> None:
        """Take in that a second within this span was `old` and is `new`, which has more ticks."""
        if new.quotes is not None:
            before = old.quotes[QUOTES] if old.quotes is not None else 0
            self.quotes = _quotes(self.quotes, new.quotes, new.quotes[QUOTES] - before)
        if trades and new.trades is not None:
            volume, count = new.trades[VOLUME], new.trades[TRADES]
            if old.trades is not None:
                volume, count = volume - old.trades[VOLUME], count - old.trades[TRADES]
            self.trades = _trades(self.trades, new.trades, volume, count)

    def copy(self) -> Parts:
        """One that may be changed."""
        return Parts(
            None if self.quotes is None else list(self.quotes),
            None if self.trades is None else list(self.trades),
        )

    def scale(self, factor: int) -> None:
        """Multiply all prices: the symbol has finer digits now."""
        if self.quotes is not None:
            for at in (FIRST, LAST):
                ns, seq, bid, ask = self.quotes[at]
                self.quotes[at] = (ns, seq, bid * factor, ask * factor)
            for at in range(BID_HIGH, QUOTES):
                self.quotes[at] *= factor
        if self.trades is not None:
            for at in (FIRST, LAST):
                ns, length, trade_id, price = self.trades[at]
                self.trades[at] = (ns, length, trade_id, price * factor)
            self.trades[HIGH] *= factor
            self.trades[LOW] *= factor

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parts):
            return NotImplemented
        return self.quotes == other.quotes and self.trades == other.trades

    __hash__ = None  # type: ignore[assignment]

    def plain(self) -> tuple[Part | None, Part | None]:
        """As lists, to be stored."""
        trades = self.trades
        if trades is not None:
            # The volume of a day may be more than an encoding of integers holds.
            trades = [*trades[:VOLUME], str(trades[VOLUME]), trades[TRADES]]
        return self.quotes, trades

    @classmethod
    def of(cls, plain: Sequence[Any]) -> Parts:
        """From what `plain` gave, after it went through an encoding that knows no tuples."""
        parts = cls(*(None if each is None else list(each) for each in plain))
        for part in (parts.quotes, parts.trades):
            if part is not None:
                part[FIRST], part[LAST] = tuple(part[FIRST]), tuple(part[LAST])
        if parts.trades is not None:
            parts.trades[VOLUME] = int(parts.trades[VOLUME])
        return parts


class Cell(Parts):
    """The ticks of one second, each once however often it comes."""

    __slots__ = ("seen",)

    def __init__(
        self, quotes: Part | None = None, trades: Part | None = None, seen: set[int] | None = None
    ) -> None:
        super().__init__(quotes, trades)
        self.seen = set() if seen is None else seen

    def quote(self, quote: BookQuote, ns: int, factor: int = 1) -> bool:
        """Take a quote; False if it was there."""
        bid, ask, seq = quote.bid * factor, quote.ask * factor, quote.seq
        fine = _FINEST[quote.digits]
        mark = hash((ns, seq, quote.bid * fine, quote.ask * fine, quote.bid_size, quote.ask_size))
        if mark in self.seen:
            return False
        self.seen.add(mark)
        key, both, own = (ns, seq, bid, ask), bid + ask, self.quotes
        if own is None:
            self.quotes = [key, key, bid, bid, ask, ask, both, both, 1]
            return True
        if key < own[FIRST]:
            own[FIRST] = key
        elif key > own[LAST]:
            own[LAST] = key
        if bid > own[BID_HIGH]:
            own[BID_HIGH] = bid
        elif bid < own[BID_LOW]:
            own[BID_LOW] = bid
        if ask > own[ASK_HIGH]:
            own[ASK_HIGH] = ask
        elif ask < own[ASK_LOW]:
            own[ASK_LOW] = ask
        if both > own[SUM_HIGH]:
            own[SUM_HIGH] = both
        elif both < own[SUM_LOW]:
            own[SUM_LOW] = both
        own[QUOTES] += 1
        return True

    def trade(self, trade: TradeTick, ns: int, factor: int = 1) -> bool:
        """Take a trade; False if it was there."""
        price, size, trade_id = trade.price * factor, trade.size, trade.trade_id
        fine = _FINEST[trade.digits]
        mark = hash((ns, _number(trade_id) if trade_id else -1, trade.price * fine, size))
        if mark in self.seen:
            return False
        self.seen.add(mark)
        key, own = (ns, len(trade_id), trade_id, price), self.trades
        if own is None:
            self.trades = [key, key, price, price, size, 1]
            return True
        if key < own[FIRST]:
            own[FIRST] = key
        elif key > own[LAST]:
            own[LAST] = key
        if price > own[HIGH]:
            own[HIGH] = price
        elif price < own[LOW]:
            own[LOW] = price
        own[VOLUME] += size
        own[TRADES] += 1
        return True

    def take(self, tick: BookQuote | TradeTick, factor: int = 1) -> bool:
        """Take either."""
        if isinstance(tick, BookQuote):
            return self.quote(tick, event_ns(tick), factor)
        return self.trade(tick, event_ns(tick), factor)


def _quotes(into: Part | None, other: Part, count: int) -> Part:
    if into is None:
        return [*other[:QUOTES], count]
    if other[FIRST] < into[FIRST]:
        into[FIRST] = other[FIRST]
    if other[LAST] > into[LAST]:
        into[LAST] = other[LAST]
    for high in (BID_HIGH, ASK_HIGH, SUM_HIGH):
        if other[high] > into[high]:
            into[high] = other[high]
        if other[high + 1] < into[high + 1]:
            into[high + 1] = other[high + 1]
    into[QUOTES] += count
    return into


def _trades(into: Part | None, other: Part, volume: int, count: int) -> Part:
    if into is None:
        return [*other[:VOLUME], volume, count]
    if other[FIRST] < into[FIRST]:
        into[FIRST] = other[FIRST]
    if other[LAST] > into[LAST]:
        into[LAST] = other[LAST]
    if other[HIGH] > into[HIGH]:
        into[HIGH] = other[HIGH]
    if other[LOW] < into[LOW]:
        into[LOW] = other[LOW]
    into[VOLUME] += volume
    into[TRADES] += count
    return into


def _number(trade_id: str) -> int:
    """A number that stands for an id and is the same in every process."""
    if len(trade_id) < 19 and trade_id.isascii() and trade_id.isdecimal():
        return int(trade_id)
    return int.from_bytes(hashlib.blake2b(trade_id.encode(), digest_size=8).digest())
