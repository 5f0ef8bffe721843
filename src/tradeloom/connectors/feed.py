"""The market side of a connector: who wants what, on which sockets, what became of each frame."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from tradeloom.connectors.books import Book
from tradeloom.connectors.contract import MarketSink, Unsupported
from tradeloom.connectors.dialect import Context, Dialect, OddFrame
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.keeper import BookKeeper
from tradeloom.connectors.limits import FRAME_LOGGED_BYTES, ODD_KINDS_MAX
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.rest import NoAnswer, NotSent
from tradeloom.connectors.scaling import OffGrid
from tradeloom.connectors.screening import Screen
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    FeedState,
    FeedStatus,
    Funding,
    Level,
    MarketEvent,
    Topic,
    TradeTick,
)
from tradeloom.security.redaction import REDACTED, redact_text

log = logging.getLogger(__name__)

_NO_LEVEL: Final[Level] = (0, 0)
# Shorter parts of a key (an account's name) are no secrets, and would cut innocent digits.
_SECRET_LENGTH_MIN: Final = 8


class FeedSubscription:
    """Symbols and topics that one sink wants."""

    def __init__(
        self,
        feed: MarketFeed,
        symbols: frozenset[str],
        topics: frozenset[Topic],
        sink: MarketSink,
    ) -> None:
        self.symbols: Final = symbols
        self.topics: Final = topics
        self.sink: Final = sink
        self._feed = feed

    async def close(self) -> None:
        """Stop delivering."""
        await self._feed.remove(self)


class MarketFeed:
    """Subscriptions of one venue; it is also where the dialect puts decoded events."""

    def __init__(self, dialect: Dialect, context: Context) -> None:
        self.counts: Final[Counter[str]] = Counter()
        self.states: Final[dict[str, tuple[FeedState, str]]] = {}
        self.screen: Final = Screen()
        self.keeper: Final = BookKeeper(dialect, self._book, self.state, self._resubscribe)
        self.links: Final[dict[LinkPlan, Link]] = {}
        self.on_link: Callable[[], None] = lambda: None
        self._dialect = dialect
        self._context = context
        self._subscriptions: list[FeedSubscription] = []
        self._wanted: dict[str, frozenset[Topic]] = {}
        self._sinks: dict[tuple[str, Topic], tuple[MarketSink, ...]] = {}
        self._quote_sinks: dict[str, tuple[MarketSink, ...]] = {}
        self._trade_sinks: dict[str, tuple[MarketSink, ...]] = {}
        self._names: dict[LinkPlan, list[str]] = {}
        self._silent: set[str] = set()
        self._last: dict[str, BookQuote] = {}
        self._tops: dict[str, tuple[Level, Level]] = {}
        self._odd: set[str] = set()
        self._lock = asyncio.Lock()
        self._running = False
        self._direct = _Out(self)

    # -- subscriptions ---------------------------------------------------------------------------

    async def add(
        self, symbols: Iterable[str], topics: Iterable[Topic], sink: MarketSink
    ) -> FeedSubscription:
        """Subscribe; raises UnknownSymbol, Unsupported."""
        names = frozenset(self._context.listings.find(symbol).symbol for symbol in symbols)
        wanted = frozenset(topics)
        missing = wanted - set(self._dialect.profile.topics)
        if missing:
            lacking = ", ".join(sorted(topic.name.lower() for topic in missing))
            offered = ", ".join(topic.name.lower() for topic in self._dialect.profile.topics)
            raise Unsupported(f"{self._dialect.venue} has no {lacking} (it has: {offered})")
        subscription = FeedSubscription(self, names, wanted, sink)
        self._subscriptions.append(subscription)
        late = [self.keeper.books[name].snapshot() for name in names if name in self.keeper.books]
        if Topic.BOOK in wanted:
            for book in late:
                if book is not None:
                    sink(book)
        if Topic.QUOTES in wanted:
            for name in sorted(names & set(self._last)):
                if name not in self.states and name not in self._silent:
                    sink(self._last[name])
        await self._sync()
        return subscription

    async def remove(self, subscription: FeedSubscription) -> None:
        """Unsubscribe; twice is fine."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            await self._sync()

    async def start(self) -> None:
        """Connect what is wanted."""
        self._running = True
        await self._sync()

    async def stop(self) -> None:
        """Close every link; subscriptions stay for the next start."""
        self._running = False
        await self._sync()
        await self.keeper.close()

    async def reconnect(self) -> None:
        """Close every connection; links come back by themselves."""
        await asyncio.gather(*(link.drop("reconnect on request") for link in self.links.values()))

    def stale(self, symbol: str) -> str:
        """Why the symbol may not be traded on; empty when it may."""
        state = self.states.get(symbol)
        return "" if state is None else f"{state[0].name.lower()}: {state[1]}"

    # -- MarketOut: called by the dialect --------------------------------------------------------

    def quote(self, event: BookQuote, listing: Listing) -> None:
        """A best bid and ask: screened, then delivered."""
        if not self.screen.passes(listing, event.bid, event.ask):
            return
        if self._silent and event.symbol in self._silent:
            self._heard(event.symbol)
        self._last[event.symbol] = event
        for sink in self._quote_sinks.get(event.symbol, ()):
            sink(event)

    def trade(self, event: TradeTick) -> None:
        """A trade."""
        if event.price <= 0 or event.size < 0:
            self.screen.counts["trade without a price"] += 1
            return
        if self._silent and event.symbol in self._silent:
            self._heard(event.symbol)
        for sink in self._trade_sinks.get(event.symbol, ()):
            sink(event)

    def depth(self, event: BookDelta, listing: Listing) -> None:
        """Levels of a book."""
        self.keeper.take(event, listing)

    def funding(self, event: Funding) -> None:
        """Funding of a perpetual."""
        self._deliver(event, event.symbol, Topic.FUNDING)

    def state(self, symbol: str, state: FeedState, reason: str) -> None:
        """A symbol's feed changed."""
        if state is FeedState.LIVE:
            if self.states.pop(symbol, None) is None:
                return
        else:
            if self.states.get(symbol) == (state, reason):
                return
            self.states[symbol] = (state, reason)
        event = FeedStatus(self._dialect.venue, symbol, state, reason, time.time_ns())
        told: set[MarketSink] = set()
        for topic in Topic:
            for sink in self._sinks.get((symbol, topic), ()):
                if sink not in told:
                    told.add(sink)
                    sink(event)

    def gap(self, symbol: str, why: str) -> None:
        """A loss that the dialect noticed."""
        listing = self._context.listings.named.get(symbol)
        if listing is not None:
            self.keeper.broken(listing, why)

    def reconnect_later(self, link: Link, why: str) -> None:
        """The venue asked for a new connection."""
        self.counts["reconnects asked by the venue"] += 1
        task = asyncio.create_task(link.drop(why))
        task.add_done_callback(lambda done: done.exception())

    def ignored(self, kind: str) -> None:
        """Nothing for us."""
        self.counts[f"ignored: {kind}"] += 1

    # -- inside ----------------------------------------------------------------------------------

    async def _sync(self) -> None:
        """Make links and streams match what is wanted."""
        async with self._lock:
            before = set(self._wanted)
            self._plan_sinks()
            for symbol in before - set(self._wanted):
                self.keeper.forget(symbol)
                self.states.pop(symbol, None)
                self._silent.discard(symbol)
                self._tops.pop(symbol, None)
                self._last.pop(symbol, None)
            wanted = self._wanted if self._running else {}
            plans = self._dialect.market_links(wanted) if wanted else []
            for plan in [each for each in self.links if each not in plans]:
                await self.links.pop(plan).close()
                self._names.pop(plan, None)
            for plan in plans:
                link = self.links.get(plan)
                if link is None:
                    self._connect(plan)
                elif link.up.is_set():
                    await self._restream(link)
            self._dialect.follow(wanted, self._direct)

    def _plan_sinks(self) -> None:
        topics: dict[str, set[Topic]] = {}
        sinks: dict[tuple[str, Topic], list[MarketSink]] = {}
        for each in self._subscriptions:
            for symbol in sorted(each.symbols):
                topics.setdefault(symbol, set()).update(each.topics)
                for topic in each.topics:
                    sinks.setdefault((symbol, topic), []).append(each.sink)
        self._wanted = {symbol: frozenset(them) for symbol, them in topics.items()}
        self._sinks = {key: tuple(them) for key, them in sinks.items()}
        self._quote_sinks = {s: them for (s, t), them in self._sinks.items() if t is Topic.QUOTES}
        self._trade_sinks = {s: them for (s, t), them in self._sinks.items() if t is Topic.TRADES}

    def _connect(self, plan: LinkPlan) -> None:
        rest = self._context.rest
        out = _Out(self)

        def received(data: str | bytes, recv_ns: int) -> None:
            try:
                self._dialect.market_frame(data, recv_ns, out, link)
            except OddFrame as odd:
                self._count_odd(odd.kind, data)
            except OffGrid:
                self.screen.counts["off the price grid"] += 1
                self._count_odd("number", data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._count_odd("malformed", data)
            except (KeyError, IndexError, ValueError, TypeError, AttributeError, ArithmeticError):
                self._count_odd("unexpected shape", data)

        link = Link(plan, lambda: rest.session, self._opened, received, lambda why: lost(why))
        out.link = link

        def lost(why: str) -> None:
            symbols = list(self._dialect.symbols_on(plan, self._wanted))
            self.keeper.disconnected(symbols)
            for symbol in symbols:
                self._silent.add(symbol)
                self.state(symbol, FeedState.STALE, why or "connection lost")
            self.on_link()

        self.links[plan] = link
        for symbol in self._dialect.symbols_on(plan, self._wanted):
            self._silent.add(symbol)
        link.start()

    async def _opened(self, link: Link) -> None:
        await self._dialect.open_market(link)
        self._names[link.plan] = []
        await self._restream(link)
        self.on_link()

    async def _restream(self, link: Link) -> None:
        plan = link.plan
        has = self._names.get(plan, [])
        wants = self._dialect.subscriptions(plan, self._wanted)
        gone = [name for name in has if name not in set(wants)]
        new = [name for name in wants if name not in set(has)]
        self._names[plan] = wants
        try:
            for frame in self._dialect.unsubscribe(plan, gone) if gone else []:
                await link.send(frame)
            for frame in self._dialect.subscribe(plan, new) if new else []:
                await link.send(frame)
        except (NotSent, NoAnswer):
            self._names.pop(plan, None)  # the next connection subscribes to everything
            if not link.up.is_set():
                raise
        self._books_started(plan, set(new))

    def _books_started(self, plan: LinkPlan, names: set[str]) -> None:
        only = frozenset({Topic.BOOK})
        for symbol, topics in self._wanted.items():
            if Topic.BOOK in topics and names.intersection(
                self._dialect.subscriptions(plan, {symbol: only})
            ):
                self.keeper.started(self._context.listings.named[symbol])

    async def _resubscribe(self, symbol: str) -> None:
        """Unsubscribe and subscribe the book streams of a symbol, for a new snapshot."""
        only = {symbol: frozenset({Topic.BOOK}) & self._wanted.get(symbol, frozenset())}
        if self._dialect.book_rule.quotes:
            only = {symbol: self._wanted.get(symbol, frozenset())}
        for plan, link in list(self.links.items()):
            names = self._dialect.subscriptions(plan, only)
            if names and link.up.is_set():
                for frame in self._dialect.unsubscribe(plan, names):
                    await link.send(frame)
                for frame in self._dialect.subscribe(plan, names):
                    await link.send(frame)

    def _book(self, event: BookDelta, book: Book, listing: Listing) -> None:
        symbol = event.symbol
        if self._silent and symbol in self._silent:
            self._heard(symbol)
        self._deliver(event, symbol, Topic.BOOK)
        if not self._dialect.book_rule.quotes:
            return
        bid, ask = book.bids.best() or _NO_LEVEL, book.asks.best() or _NO_LEVEL
        if bid[1] and ask[1] and self._tops.get(symbol) != (bid, ask):
            self._tops[symbol] = (bid, ask)
            self.quote(
                BookQuote(
                    event.venue,
                    symbol,
                    event.digits,
                    bid[0],
                    ask[0],
                    bid[1],
                    ask[1],
                    event.venue_ns,
                    event.recv_ns,
                    event.seq,
                ),
                listing,
            )

    def _deliver(self, event: MarketEvent, symbol: str, topic: Topic) -> None:
        for sink in self._sinks.get((symbol, topic), ()):
            sink(event)

    def _heard(self, symbol: str) -> None:
        """The first news of a symbol after silence. A book that is not whole yet keeps it stale."""
        self._silent.discard(symbol)
        book = self.keeper.books.get(symbol)
        if book is None or book.whole or Topic.BOOK not in self._wanted.get(symbol, ()):
            self.state(symbol, FeedState.LIVE, "prices arrive")

    def _count_odd(self, kind: str, data: str | bytes) -> None:
        self.counts[f"odd: {kind}"] += 1
        if kind not in self._odd and len(self._odd) < ODD_KINDS_MAX:
            self._odd.add(kind)
            raw = data if isinstance(data, str) else data.decode("utf-8", "replace")
            raw, venue = self._without_secrets(raw), self._dialect.venue
            log.warning(
                "%s sent a frame we cannot use (%s): %.*s", venue, kind, FRAME_LOGGED_BYTES, raw
            )

    def _without_secrets(self, raw: str) -> str:
        keys = self._context.credentials
        for value in keys.values.values() if keys is not None else ():
            if len(value) >= _SECRET_LENGTH_MIN:
                raw = raw.replace(value, REDACTED)
        return redact_text(raw)


class _Out:
    """What the dialect sees of the feed, for the link whose frame it decodes."""

    __slots__ = ("_feed", "depth", "funding", "gap", "ignored", "link", "quote", "state", "trade")

    def __init__(self, feed: MarketFeed) -> None:
        self.quote = feed.quote
        self.trade = feed.trade
        self.depth = feed.depth
        self.funding = feed.funding
        self.state = feed.state
        self.gap = feed.gap
        self.ignored = feed.ignored
        self._feed = feed
        self.link: Link | None = None

    def reconnect(self, why: str) -> None:
        """The venue asked for a new connection."""
        if self.link is not None:
            self._feed.reconnect_later(self.link, why)
