"""Book changes gathered for a while, then told as one: the 100 ms book streams of venues."""

from __future__ import annotations

from typing import Final

import msgspec

from tradeloom.domain.market import BookDelta


class BookFeed:
    """Changes per instrument since the last `take`; later sizes of a level win."""

    def __init__(self) -> None:
        self._open: Final[dict[str, tuple[BookDelta, dict[int, int], dict[int, int]]]] = {}
        self._told: Final[dict[str, int]] = {}

    def note(self, delta: BookDelta) -> None:
        """Add one event of the exchange."""
        gathered = self._open.get(delta.symbol)
        if gathered is None:
            self._open[delta.symbol] = (delta, dict(delta.bids), dict(delta.asks))
            return
        first, bids, asks = gathered
        bids.update(delta.bids)
        asks.update(delta.asks)
        self._open[delta.symbol] = (
            msgspec.structs.replace(delta, first_seq=first.first_seq, previous=first.previous),
            bids,
            asks,
        )

    def take(self) -> list[BookDelta]:
        """What changed, one event per instrument; `previous` is the `seq` told before it."""
        found = []
        for symbol, (delta, bids, asks) in self._open.items():
            previous = self._told.get(symbol, delta.previous)
            found.append(
                msgspec.structs.replace(
                    delta,
                    bids=tuple(sorted(bids.items(), reverse=True)),
                    asks=tuple(sorted(asks.items())),
                    previous=previous,
                )
            )
            self._told[symbol] = delta.seq
        self._open.clear()
        return found
