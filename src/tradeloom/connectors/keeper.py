"""Keeps the books of a venue whole: sequence, checksum, and one resync for one gap."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Final

from tradeloom.connectors.backoff import Backoff
from tradeloom.connectors.books import Book
from tradeloom.connectors.contract import VenueUnavailable
from tradeloom.connectors.dialect import Dialect
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.limits import (
    QUERY_TIMEOUT_S,
    QUIET_BOOK_S,
    RESYNCS_PER_MINUTE_MAX,
)
from tradeloom.domain.market import BookDelta, FeedState

log = logging.getLogger(__name__)

_CHECK_LEVELS: Final = 25  # the deepest that any venue's checksum looks


class BookKeeper:
    """Books by symbol. `deliver` gets gap-free events, `state` what a symbol's feed became."""

    def __init__(
        self,
        dialect: Dialect,
        deliver: Callable[[BookDelta, Book, Listing], None],
        state: Callable[[str, FeedState, str], None],
        resubscribe: Callable[[str], Awaitable[None]],
    ) -> None:
        self.books: Final[dict[str, Book]] = {}
        self.counts: Final[Counter[str]] = Counter()
        self._dialect = dialect
        self._rule = dialect.book_rule
        self._deliver = deliver
        self._state = state
        self._resubscribe = resubscribe
        self._repairs: dict[str, asyncio.Task[None]] = {}
        self._recent: dict[str, deque[float]] = {}
        self._quiet: dict[str, asyncio.TimerHandle] = {}

    def take(self, event: BookDelta, listing: Listing) -> None:
        """A snapshot or delta from the stream."""
        book = self.books.get(event.symbol)
        if book is None:
            book = self.books[event.symbol] = Book(self._rule.depth)
        if event.snapshot:
            self._snapshot(book, event, listing)
        elif not book.whole:
            book.hold(event)
            if self._rule.rest_snapshot:
                self._repair(listing, "the first snapshot is fetched")
        elif book.last is not None and event.seq and self._dialect.too_old(book.last, event):
            self.counts["old deltas dropped"] += 1
        elif book.last is not None and not self._dialect.follows(book.last, event):
            self.broken(listing, f"gap after update {book.last.seq}", event)
        else:
            self._apply(book, event, listing)

    def broken(self, listing: Listing, why: str, event: BookDelta | None = None) -> None:
        """A gap or contradiction: resync this symbol, once."""
        book = self.books.get(listing.symbol)
        if book is None or not book.break_():
            return
        self.counts["gaps"] += 1
        self._state(listing.symbol, FeedState.RESYNCING, why)
        if event is not None and self._rule.rest_snapshot:
            book.hold(event)
        self._repair(listing, why)

    def started(self, listing: Listing) -> None:
        """Its deltas were subscribed to: a symbol so quiet that none comes is fetched all the same.

        The pause lets the subscription take effect, so that nothing falls between the two.
        """
        if self._rule.rest_snapshot:
            self.books.setdefault(listing.symbol, Book(self._rule.depth))
            loop = asyncio.get_running_loop()
            later = loop.call_later(QUIET_BOOK_S, self._fetch_quiet, listing)
            before = self._quiet.pop(listing.symbol, None)
            if before is not None:
                before.cancel()
            self._quiet[listing.symbol] = later

    def forget(self, symbol: str) -> None:
        """Nobody wants this book any more."""
        self.books.pop(symbol, None)
        later = self._quiet.pop(symbol, None)
        if later is not None:
            later.cancel()
        task = self._repairs.pop(symbol, None)
        if task is not None:
            task.cancel()

    def disconnected(self, symbols: list[str]) -> None:
        """Their link went down: all books start over, without counting a gap."""
        for symbol in symbols:
            book = self.books.get(symbol)
            if book is not None:
                book.whole = False
                book.buffer.clear()

    async def close(self) -> None:
        """End running repairs."""
        for later in self._quiet.values():
            later.cancel()
        self._quiet.clear()
        tasks = list(self._repairs.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- inside ----------------------------------------------------------------------------------

    def _snapshot(self, book: Book, event: BookDelta, listing: Listing) -> None:
        repaired = not book.whole
        book.load(event)
        book.buffer.clear()
        if self._contradiction(book, event):
            self.broken(listing, "checksum of the snapshot differs")
            return
        if repaired:
            self._live(listing)
        self._deliver(event, book, listing)

    def _apply(self, book: Book, event: BookDelta, listing: Listing) -> None:
        book.apply(event)
        why = self._contradiction(book, event)
        if why:
            self.counts["checksum failures"] += 1
            self.broken(listing, why)
            return
        self._deliver(event, book, listing)

    def _contradiction(self, book: Book, event: BookDelta) -> str:
        if self._rule.checksum:
            bids, asks = book.bids.top(_CHECK_LEVELS), book.asks.top(_CHECK_LEVELS)
            why = self._dialect.checksum_fails(event, bids, asks)
            if why:
                return why
        return "the book is crossed" if book.crossed() else ""

    def _live(self, listing: Listing) -> None:
        self._state(listing.symbol, FeedState.LIVE, "book is whole")

    def _fetch_quiet(self, listing: Listing) -> None:
        self._quiet.pop(listing.symbol, None)
        book = self.books.get(listing.symbol)
        if book is not None and not book.whole:
            self._repair(listing, "the first snapshot is fetched")

    def _repair(self, listing: Listing, why: str) -> None:
        running = self._repairs.get(listing.symbol)
        if running is None or running.done():
            self._repairs[listing.symbol] = asyncio.create_task(self._resync(listing, why))

    async def _resync(self, listing: Listing, why: str) -> None:
        symbol = listing.symbol
        backoff = Backoff()
        while True:
            await self._not_too_often(symbol)
            self.counts["resyncs"] += 1
            log.info("%s %s: resync (%s)", self._dialect.venue, symbol, why)
            try:
                if not self._rule.rest_snapshot:
                    await self._resubscribe(symbol)
                    if await self._whole_again(symbol):
                        return
                    why = "no snapshot came after subscribing anew"
                elif await self._fetch(listing):
                    return
                else:
                    why = "the snapshot is older than the stream"
            except VenueUnavailable as error:
                why = str(error)
            except Exception:
                log.exception("resync of %s %s", self._dialect.venue, symbol)
                why = "the snapshot cannot be read"
            self._state(symbol, FeedState.STALE, why)
            await asyncio.sleep(backoff.next_s())

    async def _whole_again(self, symbol: str) -> bool:
        until = time.monotonic() + QUERY_TIMEOUT_S
        while time.monotonic() < until:
            book = self.books.get(symbol)
            if book is None or book.whole:
                return True
            await asyncio.sleep(0.02)
        return False

    async def _fetch(self, listing: Listing) -> bool:
        snapshot = await self._dialect.fetch_book(listing, 0)
        book = self.books.get(listing.symbol)
        if book is None:
            return True
        held = [each for each in book.buffer if not self._dialect.too_old(snapshot, each)]
        if held and not self._dialect.joins(snapshot, held[0]):
            if held[0].first_seq > snapshot.seq + 1:
                return False  # the snapshot is older than what we have: fetch a newer one
            self.counts["gaps"] += 1
            book.buffer.clear()
            return False
        book.load(snapshot)
        book.buffer.clear()
        book.resyncs += 1
        self._deliver(snapshot, book, listing)
        for index, delta in enumerate(held):
            if index and not self._dialect.follows(held[index - 1], delta):
                book.whole = False
                self.counts["gaps"] += 1
                return False
            self._apply(book, delta, listing)
            if not book.whole:
                return False  # the snapshot and the stream contradict each other
        self._live(listing)
        return True

    async def _not_too_often(self, symbol: str) -> None:
        recent = self._recent.setdefault(symbol, deque(maxlen=RESYNCS_PER_MINUTE_MAX))
        now = time.monotonic()
        if len(recent) == RESYNCS_PER_MINUTE_MAX and now - recent[0] < 60.0:
            self._state(symbol, FeedState.STALE, "too many resyncs; waiting")
            await asyncio.sleep(60.0 - (now - recent[0]))
        recent.append(time.monotonic())
