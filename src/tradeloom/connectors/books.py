"""Books kept from snapshots and deltas, with every gap noticed and repaired once.

A book is either whole or being resynced. While it is resynced deltas are buffered (bounded), and a
second gap adds nothing: one gap, one resync. What subscribers get is gap-free: a snapshot event
first, then deltas that follow each other, and a snapshot again after a repair.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from typing import Final

from tradeloom.connectors.limits import BOOK_BUFFER_MAX
from tradeloom.domain.market import BookDelta, Level


class Ladder:
    """One side of a book: levels by price, best first, O(log n) to find and cheap to trim."""

    __slots__ = ("_prices", "_sign", "_sizes")

    def __init__(self, *, bids: bool) -> None:
        # Ascending keys whose last element is the best level: bids by price, asks by minus price.
        self._sign: Final = 1 if bids else -1
        self._prices: list[int] = []
        self._sizes: dict[int, int] = {}

    def replace(self, levels: Sequence[Level]) -> None:
        """Start over with these levels, in any order."""
        self._sizes = {price: size for price, size in levels if size > 0}
        self._prices = sorted(price * self._sign for price in self._sizes)

    def apply(self, levels: Sequence[Level]) -> None:
        """Set absolute sizes; 0 removes."""
        sizes, prices, sign = self._sizes, self._prices, self._sign
        for price, size in levels:
            if size > 0:
                if price not in sizes:
                    insort(prices, price * sign)
                sizes[price] = size
            elif sizes.pop(price, None) is not None:
                del prices[bisect_left(prices, price * sign)]

    def trim(self, depth: int) -> None:
        """Keep the best `depth` levels."""
        surplus = len(self._prices) - depth
        if surplus > 0:
            for key in self._prices[:surplus]:
                del self._sizes[key * self._sign]
            del self._prices[:surplus]

    def best(self) -> Level | None:
        """The best level."""
        if not self._prices:
            return None
        price = self._prices[-1] * self._sign
        return price, self._sizes[price]

    def top(self, depth: int) -> list[Level]:
        """The best levels, best first."""
        keys = self._prices[-depth:] if depth else self._prices
        return [(key * self._sign, self._sizes[key * self._sign]) for key in reversed(keys)]

    def __len__(self) -> int:
        return len(self._prices)


class Book:
    """Both sides of one symbol and the last event applied."""

    __slots__ = ("asks", "bids", "buffer", "depth", "gaps", "last", "lost", "resyncs", "whole")

    def __init__(self, depth: int = 0) -> None:
        self.bids = Ladder(bids=True)
        self.asks = Ladder(bids=False)
        self.depth = depth
        self.last: BookDelta | None = None
        self.whole = False
        self.buffer: deque[BookDelta] = deque(maxlen=BOOK_BUFFER_MAX)
        self.lost = False  # the buffer overflowed: a snapshot must be newer than its first delta
        self.gaps = 0
        self.resyncs = 0

    def load(self, snapshot: BookDelta) -> None:
        """Take a snapshot as the whole truth."""
        self.bids.replace(snapshot.bids)
        self.asks.replace(snapshot.asks)
        self._trim()
        self.last = snapshot
        self.whole = True

    def apply(self, delta: BookDelta) -> None:
        """Take the delta that follows."""
        self.bids.apply(delta.bids)
        self.asks.apply(delta.asks)
        self._trim()
        self.last = delta

    def break_(self) -> bool:
        """A gap: False when it is known already."""
        if not self.whole:
            return False
        self.whole = False
        self.gaps += 1
        self.buffer.clear()
        return True

    def hold(self, delta: BookDelta) -> None:
        """Keep a delta until the snapshot is there; the oldest make room."""
        self.buffer.append(delta)

    def crossed(self) -> bool:
        """Whether the best bid is not below the best ask: the book cannot be right."""
        bid, ask = self.bids.best(), self.asks.best()
        return bid is not None and ask is not None and bid[0] >= ask[0]

    def snapshot(self, depth: int = 0) -> BookDelta | None:
        """The book as an event; None while it is not whole."""
        if not self.whole or self.last is None:
            return None
        last = self.last
        return BookDelta(
            last.venue,
            last.symbol,
            last.digits,
            True,
            tuple(self.bids.top(depth)),
            tuple(self.asks.top(depth)),
            last.venue_ns,
            last.recv_ns,
            last.seq,
            last.seq,
        )

    def _trim(self) -> None:
        if self.depth:
            self.bids.trim(self.depth)
            self.asks.trim(self.depth)
