"""The bridge: market streams to whoever shows them, four times a second or tick by tick.

Sockets are no store: what is not shown is gone, so an entry is acknowledged as soon as it was
handed on, and after an absence only the newest prices count. A sink is a plain call on the event
loop and must be quick; one that raises is cut off and reported, and nobody else notices.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from tradeloom.bus import Bus, BusError, Consumer, ConsumerHealth, Delivery
from tradeloom.bus.contract import order
from tradeloom.bus.limits import RETRY_FIRST_S, RETRY_JITTER
from tradeloom.domain.market import BookQuote, FeedStatus, MarketEvent, TradeTick

from .frames import BadFrame, Marks, unpack
from .limits import BRIDGE_SAMPLES, BRIDGE_STALE_S, STOP_LOOK_S, TICKERS_EVERY_S

log = logging.getLogger(__name__)
GROUP: Final = "bridge"
Place = tuple[str, str]
"""Venue and symbol."""


class Ticker(msgspec.Struct, frozen=True, array_like=True):
    """The newest of one symbol; `last` is the last trade's price, 0 before the first, and
    `changes` counts the quotes and trades since the ticker before this one."""

    venue: str
    symbol: str
    digits: int
    bid: int
    ask: int
    bid_size: int
    ask_size: int
    last: int
    last_size: int
    venue_ns: int
    recv_ns: int
    changes: int


Events = Callable[[Sequence[MarketEvent]], None]
Tickers = Callable[[Sequence[Ticker]], None]


@dataclass(slots=True)
class BridgeHealth:
    """Counts since the start; `behind` entries were too old for full-rate readers. Latencies are
    from our reading of the venue's frame to the hand-over here, in milliseconds, of late."""

    events: int = 0
    tickers: int = 0
    behind: int = 0
    repeated: int = 0
    buried: int = 0
    cut_off: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    lag: int | None = 0
    connected: bool = True
    consumers: list[ConsumerHealth] = field(default_factory=list)


class _State:
    """The newest of one symbol."""

    __slots__ = ("changes", "quote", "trade")

    def __init__(self) -> None:
        self.quote: BookQuote | None = None
        self.trade: TradeTick | None = None
        self.changes = 0

    def ticker(self) -> Ticker | None:
        """What is shown; None before the first quote."""
        quote, trade, changes = self.quote, self.trade, self.changes
        self.changes = 0
        if quote is None:
            return None
        last = last_size = 0
        if trade is not None:
            # A ticker has one number of digits: the quote's; a venue has one per symbol.
            last = trade.price * 10**quote.digits // 10**trade.digits
            last_size = trade.size
        return Ticker(
            quote.venue,
            quote.symbol,
            quote.digits,
            quote.bid,
            quote.ask,
            quote.bid_size,
            quote.ask_size,
            last,
            last_size,
            quote.venue_ns,
            max(quote.recv_ns, trade.recv_ns if trade is not None else 0),
            changes,
        )


class MarketDataBridge:
    """Hands the events of `streams` on. Processes that show the same streams each need a `group`
    of their own: a group shares its entries out."""

    def __init__(
        self,
        bus: Bus,
        streams: Sequence[str],
        name: str = "bridge-1",
        *,
        group: str = GROUP,
        every_s: float = TICKERS_EVERY_S,
    ) -> None:
        self.health: Final = BridgeHealth()
        self._bus: Final = bus
        self._streams: Final = tuple(streams)
        self._name: Final = name
        self._group: Final = group
        self._every_s: Final = every_s
        self._states: dict[Place, _State] = {}
        self._changed: set[Place] = set()
        self._following: list[tuple[Events, frozenset[Place] | None]] = []
        self._watching: list[tuple[Tickers, frozenset[Place] | None]] = []
        self._waits_ms: deque[float] = deque(maxlen=BRIDGE_SAMPLES)

    # ---- readers -----------------------------------------------------------------------------

    def follow(self, sink: Events, symbols: Collection[Place] | None = None) -> Callable[[], None]:
        """Hand every event of these symbols (all for None) to `sink`; returns what ends it."""
        entry = (sink, None if symbols is None else frozenset(symbols))
        self._following.append(entry)
        return lambda: self._leave(self._following, entry)

    def watch(self, sink: Tickers, symbols: Collection[Place] | None = None) -> Callable[[], None]:
        """Hand tickers to `sink`: the newest of each symbol at once, then what changed, at most
        every `every_s`; returns what ends it."""
        entry = (sink, None if symbols is None else frozenset(symbols))
        self._watching.append(entry)
        newest = self.newest(entry[1])
        if newest:
            self._guarded(self._watching, entry, newest)
        return lambda: self._leave(self._watching, entry)

    def newest(self, symbols: Collection[Place] | None = None) -> list[Ticker]:
        """The newest ticker of each symbol that has one."""
        found = []
        for place in self._states if symbols is None else symbols:
            state = self._states.get(place)
            if state is not None and state.quote is not None:
                changes = state.changes
                ticker = state.ticker()
                state.changes = changes
                if ticker is not None:
                    found.append(ticker)
        return found

    # ---- work --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Hand on until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick())
            for stream in self._streams:
                group.create_task(self._carry(stream))

    async def look(self) -> BridgeHealth:
        """Health with the newest lag and latencies; raises BusUnavailable."""
        lags = [(await self._bus.backlog(stream, self._group)).lag for stream in self._streams]
        self.health.lag = None if None in lags else sum(lag or 0 for lag in lags)
        self.health.connected = all(each.connected for each in self.health.consumers)
        if self._waits_ms:
            waits = sorted(self._waits_ms)
            self.health.p50_ms = waits[len(waits) // 2]
            self.health.p99_ms = waits[len(waits) * 99 // 100]
        return self.health

    async def _carry(self, stream: str) -> None:
        while True:
            consumer = Consumer(
                self._bus, stream, self._group, self._name, since="newest", deliveries_max=2
            )
            self.health.consumers.append(consumer.health)
            marks = Marks()
            try:
                while True:
                    delivery = await consumer.next(STOP_LOOK_S)
                    await self._deliver(consumer, delivery, marks)
            except BusError as error:
                log.warning("the bridge of %s starts again: %s", stream, error)
                await asyncio.sleep(RETRY_FIRST_S * (1 + RETRY_JITTER * random.random()))  # noqa: S311
            finally:
                self.health.consumers.remove(consumer.health)

    async def _deliver(self, consumer: Consumer, delivery: Delivery, marks: Marks) -> None:
        good = []
        for entry in delivery.entries:
            try:
                frame = unpack(entry.data)
            except BadFrame as error:
                self.health.buried += 1
                await consumer.bury(entry, str(error))
                continue
            good.append(entry)
            if not marks.add(frame.producer, frame.seq):
                self.health.repeated += 1
                continue
            now_ns = time.time_ns()
            fresh = now_ns // 1_000_000 - order(entry.id)[0] < BRIDGE_STALE_S * 1_000
            self._take(frame.events)
            if fresh:
                self._hand_on(frame.events)
            else:
                self.health.behind += 1
            if frame.events and fresh:
                self._waits_ms.append((time.time_ns() - frame.events[-1].recv_ns) / 1e6)
        await consumer.done(good)

    def _take(self, events: Sequence[MarketEvent]) -> None:
        for event in events:
            if isinstance(event, FeedStatus):
                continue
            place = (event.venue, event.symbol)
            state = self._states.get(place)
            if state is None:
                state = self._states[place] = _State()
            if isinstance(event, BookQuote):
                state.quote = event
            elif isinstance(event, TradeTick):
                state.trade = event
            else:
                continue
            state.changes += 1
            self._changed.add(place)
        self.health.events += len(events)

    def _hand_on(self, events: Sequence[MarketEvent]) -> None:
        for entry in tuple(self._following):
            places = entry[1]
            wanted = events
            if places is not None:
                wanted = [each for each in events if (each.venue, each.symbol) in places]
            if wanted:
                self._guarded(self._following, entry, wanted)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            changed, self._changed = self._changed, set()
            made = {place: self._states[place].ticker() for place in changed}
            tickers = {place: each for place, each in made.items() if each is not None}
            if not tickers:
                continue
            self.health.tickers += len(tickers)
            for entry in tuple(self._watching):
                places = entry[1]
                found = [
                    each for place, each in tickers.items() if places is None or place in places
                ]
                if found:
                    self._guarded(self._watching, entry, found)

    def _guarded(self, readers: list, entry: tuple, what: Sequence[object]) -> None:  # type: ignore[type-arg]
        try:
            entry[0](what)
        except Exception:
            log.exception("a reader of market data failed and is cut off")
            self.health.cut_off += 1
            self._leave(readers, entry)

    @staticmethod
    def _leave(readers: list, entry: tuple) -> None:  # type: ignore[type-arg]
        if entry in readers:
            readers.remove(entry)
