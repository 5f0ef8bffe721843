"""The stream manager: venue events straight to whoever needs them first, without a queue.

Path 1 of the market plane. A venue's events arrive on its loop and are handed to the engine, to
patches and to the path-2 publisher in the order they came, in the same call. Subscribers must be
quick; one that raises is cut off and reported, and nobody else notices.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    FeedState,
    FeedStatus,
    Funding,
    MarketEvent,
    Topic,
    TradeTick,
)

log = logging.getLogger(__name__)

Subscriber = Callable[[MarketEvent], None]

_TOPIC: Final[dict[type, Topic]] = {
    BookQuote: Topic.QUOTES,
    TradeTick: Topic.TRADES,
    BookDelta: Topic.BOOK,
    Funding: Topic.FUNDING,
}
Key = tuple[str, str, Topic]


class StreamManager:
    """Events by venue, symbol and topic. `publish` is what a connector gets as its sink."""

    def __init__(self) -> None:
        self.newest: Final[dict[tuple[str, str], BookQuote]] = {}
        self.states: Final[dict[tuple[str, str], FeedStatus]] = {}
        self.counts: Final[Counter[str]] = Counter()
        self._direct: dict[Key, tuple[Subscriber, ...]] = {}
        self._taps: tuple[Subscriber, ...] = ()

    def publish(self, event: MarketEvent) -> None:
        """Hand one event to everyone who wants it."""
        kind = type(event)
        if kind is BookQuote:
            self.newest[(event.venue, event.symbol)] = event  # type: ignore[assignment]
        elif kind is FeedStatus:
            self._status(event)  # type: ignore[arg-type]
            return
        for subscriber in self._direct.get((event.venue, event.symbol, _TOPIC[kind]), ()):
            try:
                subscriber(event)
            except Exception:
                self._cut_off(subscriber)
        for tap in self._taps:
            try:
                tap(event)
            except Exception:
                self._cut_off(tap)

    def subscribe(
        self, venue: str, symbol: str, topic: Topic, subscriber: Subscriber
    ) -> Callable[[], None]:
        """Deliver one topic of one symbol, and its feed's state, until the result is called."""
        key = (venue, symbol, topic)
        self._direct[key] = (*self._direct.get(key, ()), subscriber)
        state = self.states.get((venue, symbol))
        if state is not None:
            subscriber(state)

        def stop() -> None:
            left = tuple(each for each in self._direct.get(key, ()) if each is not subscriber)
            if left:
                self._direct[key] = left
            else:
                self._direct.pop(key, None)

        return stop

    def tap(self, subscriber: Subscriber) -> Callable[[], None]:
        """Deliver every event of every venue until the result is called."""
        self._taps = (*self._taps, subscriber)

        def stop() -> None:
            self._taps = tuple(each for each in self._taps if each is not subscriber)

        return stop

    def quote(self, venue: str, symbol: str) -> BookQuote | None:
        """The newest quote; None when there is none or it may not be traded on."""
        if (venue, symbol) in self.states:
            return None
        return self.newest.get((venue, symbol))

    def _status(self, event: FeedStatus) -> None:
        place = (event.venue, event.symbol)
        if event.state is FeedState.LIVE:
            self.states.pop(place, None)
        else:
            self.states[place] = event
        told: set[Subscriber] = set()  # by equality: a bound method is a new object each time
        for topic in Topic:
            for subscriber in self._direct.get((*place, topic), ()):
                if subscriber not in told:
                    told.add(subscriber)
                    self._guarded(subscriber, event)
        for tap in self._taps:
            self._guarded(tap, event)

    def _guarded(self, subscriber: Subscriber, event: MarketEvent) -> None:
        try:
            subscriber(event)
        except Exception:
            self._cut_off(subscriber)

    def _cut_off(self, subscriber: Subscriber) -> None:
        log.exception("a market subscriber failed and is cut off: %r", subscriber)
        self.counts["subscribers cut off"] += 1
        self._taps = tuple(each for each in self._taps if each != subscriber)
        for key, them in list(self._direct.items()):
            left = tuple(each for each in them if each != subscriber)
            if left != them:
                self._direct[key] = left
