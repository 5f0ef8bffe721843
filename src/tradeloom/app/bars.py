"""Keeps bars in the store: charts are there again after a restart, and go back further."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import numpy as np

from tradeloom.app.limits import BARS_EVERY_S, BARS_WAITING_MAX
from tradeloom.gateways.quotes import Quote, QuoteBoard
from tradeloom.marketdata.bars import Bar, BarBuilder
from tradeloom.marketdata.limits import BARS_KEPT
from tradeloom.store import StoreError
from tradeloom.store.bar_builder import BarBuilder as StoredBars
from tradeloom.store.bars import INTERVALS_S, BarStore

log = logging.getLogger(__name__)

MINUTE_S = 60
# Seconds are nothing a chart shows; every longer interval is kept, so that none need be put
# together from thousands of minutes.
KEPT_S = tuple(each for each in INTERVALS_S if each >= MINUTE_S)


class BarKeeper:
    """Collects quotes from the board and stores their bars every few seconds."""

    def __init__(self, store: BarStore, board: QuoteBoard, symbols: dict[str, int]) -> None:
        self._store = store
        self._builder = StoredBars(KEPT_S)
        self._numbers = {symbol: number for number, symbol in enumerate(symbols)}
        for symbol, number in self._numbers.items():
            self._builder.define(number, symbol, symbols[symbol])
        self._waiting: list[Quote] = []
        self.stop_listening: Callable[[], None] = board.listen(self._take)

    async def load(self, bars: BarBuilder) -> None:
        """Give the newest stored bars to those in memory, and go on with the unfinished ones."""
        stored = await self._store.newest(self._numbers, MINUTE_S, BARS_KEPT)
        if stored:
            self._builder.resume(await self._store.unfinished(stored, time.time_ns()))
        for symbol, rows in stored.items():
            bars.load(
                symbol,
                (
                    Bar(r.start, r.bid_open, r.bid_high, r.bid_low, r.bid_close, r.ticks)
                    for r in rows
                ),
            )

    async def run(self) -> None:
        """Store what collected, until cancelled."""
        while True:
            await asyncio.sleep(BARS_EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """Store what collected; a database that is away costs bars, nothing else."""
        quotes, self._waiting = self._waiting, []
        known = [quote for quote in quotes if quote.symbol in self._numbers]
        if not known:
            return
        self._builder.add(
            np.array([self._numbers[quote.symbol] for quote in known], np.int64),
            *(
                np.array([getattr(quote, name) for quote in known], np.int64)
                for name in ("ts", "bid", "ask")
            ),
        )
        try:
            await self._store.write(self._builder.take())
        except StoreError as error:
            log.warning("bars are not stored: %s", error)

    def _take(self, quotes: list[Quote]) -> None:
        if len(self._waiting) < BARS_WAITING_MAX:
            self._waiting += quotes
