"""The aggregator's loop: frames in, bars stored and published, then frames acknowledged.

Bars, the seconds that are still open and the marks of the frames they are made of are saved in one
transaction. So a crash at any point, a frame that comes twice, or a second aggregator that was
started by mistake changes nothing in the bars.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from tradeloom.bus import Bus, BusError, Consumer, ConsumerHealth, Entry
from tradeloom.bus.limits import RETRY_JITTER
from tradeloom.domain.market import BookQuote, FeedState, FeedStatus, TradeTick
from tradeloom.store import StoreError

from ..frames import BadFrame, Frame, event_ns, unpack
from ..limits import (
    BARS_EVERY_S,
    BARS_LATE_MAX_S,
    BARS_LATE_S,
    COPY_ROWS,
    FRAMES_BATCH_MAX,
    HISTORY_RETRY_S,
    STOP_LOOK_S,
    STORE_RETRY_FIRST_S,
    STORE_RETRY_MAX_S,
)
from .bar import NS, MarketBar
from .book import Made, SymbolBars
from .repair import History, Repairs, Ticks
from .store import MarketBarStore, SecondAggregator, Standing

log = logging.getLogger(__name__)
GROUP: Final = "bars"
_MAINTAIN_EVERY_S: Final = 3_600.0
_encode: Final = msgspec.msgpack.Encoder().encode
decode_bars: Final = msgspec.msgpack.Decoder(list[MarketBar]).decode
"""The bars in one entry of a `bars:VENUE` stream."""


def bars_stream(venue: str) -> str:
    """The stream on which a venue's bars are published; readers keep the highest revision."""
    return f"bars:{venue}"


@dataclass(slots=True)
class AggregatorHealth:
    """Of one stream. `late` ticks came for finished bars and were put in, `late_known` were there
    already, `too_late` were left out; `missed` frames never came; `filled` minutes are the
    venue's."""

    ticks: int = 0
    repeated: int = 0
    duplicates: int = 0
    stored: int = 0
    revisions: int = 0
    late: int = 0
    late_known: int = 0
    too_late: int = 0
    missed: int = 0
    holes: int = 0
    filled: int = 0
    buried: int = 0
    lag: int | None = 0
    pending: int = 0
    storing: bool = True
    problem: str = ""
    consumer: ConsumerHealth = field(default_factory=ConsumerHealth)


class BarAggregator:
    """Makes bars of `streams` into `store`; `history` fills holes, `ticks` makes late duplicates
    harmless, both are optional. With `live`, seconds also end when the market is silent."""

    def __init__(
        self,
        bus: Bus,
        store: MarketBarStore,
        streams: Sequence[str],
        name: str = "bars-1",
        *,
        history: History | None = None,
        ticks: Ticks | None = None,
        live: bool = True,
        late_s: int = BARS_LATE_S,
        every_s: float = BARS_EVERY_S,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.health: Final = {stream: AggregatorHealth() for stream in streams}
        self._bus: Final = bus
        self._store: Final = store
        self._name: Final = name
        self._history: Final = history
        self._ticks: Final = ticks
        self._live: Final = live
        self._late_s: Final = late_s
        self._every_s: Final = every_s
        self._clock_ns: Final = clock_ns
        self._stopping = False
        self._sealing = False
        self._consumers: dict[str, Consumer] = {}

    async def run(self) -> None:
        """Aggregate until `stop` is called (what is in hand is stored) or until cancelled."""
        async with asyncio.TaskGroup() as group:
            keeping = [group.create_task(self._keep(stream)) for stream in self.health]
            maintaining = group.create_task(self._maintain())
            await asyncio.wait(keeping)
            maintaining.cancel()

    def stop(self, *, seal: bool = False) -> None:
        """Read no more, store what is in hand, then end; `seal` ends all bars, as at the end of a
        recording."""
        self._stopping, self._sealing = True, seal
        for consumer in self._consumers.values():
            consumer.stop()

    async def look(self) -> dict[str, AggregatorHealth]:
        """Health with the newest lag; raises BusUnavailable."""
        for stream, health in self.health.items():
            backlog = await self._bus.backlog(stream, GROUP)
            health.lag, health.pending = backlog.lag, backlog.pending
        return self.health

    async def _keep(self, stream: str) -> None:
        health = self.health[stream]
        wait_s = STORE_RETRY_FIRST_S
        while not self._stopping:
            consumer = Consumer(self._bus, stream, GROUP, self._name)
            health.consumer, self._consumers[stream] = consumer.health, consumer
            try:
                await self._store.open()
                standing = await self._store.load(stream)
                await _Work(self, stream, consumer, standing, health).run()
            except Exception as error:
                # Start anew from what was saved: what was in hand comes again.
                if not isinstance(error, BusError | StoreError):
                    log.exception("the aggregator of %s starts again", stream)
                elif health.storing or isinstance(error, SecondAggregator):
                    log.warning("bars wait: %s", error)
                wait_s = STORE_RETRY_FIRST_S if health.storing else wait_s
                health.storing, health.problem = False, str(error)
                await asyncio.sleep(wait_s * (1 - RETRY_JITTER * random.random()))  # noqa: S311
                wait_s = min(wait_s * 2, STORE_RETRY_MAX_S)
            else:
                return

    async def _maintain(self) -> None:
        while True:
            await asyncio.sleep(_MAINTAIN_EVERY_S)
            try:
                await self._store.maintain(self._clock_ns())
            except StoreError as error:
                log.warning("old bars are not removed: %s", error)


class _Work:
    """One stream, from a standing on."""

    def __init__(
        self,
        owner: BarAggregator,
        stream: str,
        consumer: Consumer,
        standing: Standing,
        health: AggregatorHealth,
    ) -> None:
        self._own: Final = owner
        self._stream: Final = stream
        self._consumer: Final = consumer
        self._version = standing.version
        self._marks: Final = standing.marks
        self._symbols: Final = standing.symbols
        self._health: Final = health
        self._outbox: list[MarketBar] = standing.outbox
        self._held: list[Entry] = []
        self._events = 0
        self._newest = max((each.sealed_until * NS for each in self._symbols.values()), default=0)
        self._retry_at: dict[tuple[str, str], float] = {}

    async def run(self) -> None:
        """Until the owner is stopped."""
        own = self._own
        await self._publish([])
        saved_at = time.monotonic()
        while True:
            patience = max(0.0, saved_at + own._every_s - time.monotonic())
            delivery = await self._consumer.next(min(max(patience, 0.001), STOP_LOOK_S))
            for entry in delivery.entries:
                await self._entry(entry)
            if not delivery.entries and own._live and self._symbols:
                # Nothing waits, so silence is the market's: its clock goes on with ours.
                quiet = own._clock_ns() - own._late_s * NS
                self._newest = max(self._newest, quiet)
            due = time.monotonic() - saved_at >= own._every_s
            if due or delivery.careful or own._stopping or self._events >= COPY_ROWS:
                last = own._stopping and not delivery.entries
                await self._save(seal_all=last and own._sealing)
                await self._repair()
                saved_at = time.monotonic()
                if last:
                    return

    # ---- in ----------------------------------------------------------------------------------

    async def _entry(self, entry: Entry) -> None:
        try:
            frame = unpack(entry.data)
        except BadFrame as error:
            self._health.buried += 1
            await self._consumer.bury(entry, str(error))
            return
        self._held.append(entry)
        last = self._marks.last(frame.producer)
        if not self._marks.add(frame.producer, frame.seq):
            self._health.duplicates += 1
            return
        if frame.seq != last + 1 and (last or self._newest) and frame.seq > last:
            self._missed(frame, frame.seq - last - 1)
        elif not last and self._newest:
            self._missed(frame, 0)  # another publisher: what was between the two is missing
        for event in frame.events:
            if isinstance(event, BookQuote | TradeTick):
                self._tick(event)
            elif isinstance(event, FeedStatus):
                self._status(event)
        self._events += len(frame.events)

    def _tick(self, tick: BookQuote | TradeTick) -> None:
        ns = event_ns(tick)
        key = tick.venue, tick.symbol
        book = self._symbols.get(key)
        if book is None:
            book = self._symbols[key] = SymbolBars(*key, tick.digits)
        if ns < self._newest - BARS_LATE_MAX_S * NS:
            self._health.too_late += 1
            return
        late = len(book.late)
        if book.add(tick):
            self._health.ticks += 1
        elif len(book.late) == late:
            self._health.repeated += 1
        if ns > self._newest:
            self._newest = ns

    def _status(self, status: FeedStatus) -> None:
        book = self._symbols.get((status.venue, status.symbol))
        if book is None:
            return
        if status.state is FeedState.STALE and not book.stale_since:
            book.stale_since, book.changed = status.recv_ns, True
        elif status.state is FeedState.LIVE and book.stale_since:
            self._hole(book, book.stale_since, status.recv_ns)
            book.stale_since = 0

    def _missed(self, frame: Frame, frames: int) -> None:
        """Frames are missing: every symbol of the stream may have lost ticks."""
        self._health.missed += frames
        times = [event_ns(each) for each in frame.events if not isinstance(each, FeedStatus)]
        if times:
            for book in self._symbols.values():
                self._hole(book, min(self._newest, min(times)), min(times))

    def _hole(self, book: SymbolBars, first_ns: int, last_ns: int) -> None:
        if self._own._history is not None:
            book.hole(first_ns, last_ns)
            self._health.holes += 1

    # ---- out ---------------------------------------------------------------------------------

    async def _save(self, *, seal_all: bool) -> None:
        until = self._newest // NS - self._own._late_s
        if seal_all:
            until = max(self._newest // NS + 86_400, until)
        bars: list[Made] = []
        for book in self._symbols.values():
            book.seal(until)
            if book.overflowed:
                self._health.too_late += book.overflowed
                book.overflowed = 0
            bars += book.take()
        await self._store(bars, [book for book in self._symbols.values() if book.changed])
        held, self._held, self._events = self._held, [], 0
        await self._consumer.done(held)

    async def _store(self, bars: list[Made], books: list[SymbolBars]) -> None:
        """Save, then publish."""
        if not bars and not books and not self._held:
            return
        finished = [each.bar for each in bars if each.bar.finished]
        await self._own._store.save(
            self._stream, self._version, self._marks, books, bars, [*self._outbox, *finished]
        )
        self._version += 1
        for book in books:
            book.changed = False
        self._health.stored += len(bars)
        self._health.revisions += sum(each.bar.revision > 0 for each in bars)
        self._health.storing, self._health.problem = True, ""
        await self._publish([each.bar for each in bars])

    async def _publish(self, bars: list[MarketBar]) -> None:
        """Tell everybody; finished bars that could not be told are told later."""
        bars = [*self._outbox, *bars]
        if not bars:
            return
        entries: list[bytes] = []
        venues: dict[str, list[MarketBar]] = {}
        for bar in bars:
            venues.setdefault(bar.venue, []).append(bar)
        try:
            for venue, found in venues.items():
                entries = [_encode(found[at : at + 500]) for at in range(0, len(found), 500)]
                for at in range(0, len(entries), FRAMES_BATCH_MAX):
                    await self._own._bus.publish_many(
                        bars_stream(venue), entries[at : at + FRAMES_BATCH_MAX]
                    )
        except BusError as error:
            log.warning("bars of %s are not published yet: %s", self._stream, error)
            self._outbox = [bar for bar in bars if bar.finished][-COPY_ROWS:]
        else:
            self._outbox = []

    # ---- corrections -------------------------------------------------------------------------

    async def _repair(self) -> None:
        for key, book in self._symbols.items():
            if book.late:
                repairs = Repairs(self._own._store, book)
                await repairs.add_late(book.late, self._own._ticks)
                book.late, book.changed = [], True
                self._health.late += repairs.late
                self._health.late_known += repairs.late_known
                await self._store([*repairs.changed, *book.take()], [book])
            if book.holes and self._own._history is not None:
                await self._fill(key, book, self._own._history)

    async def _fill(self, key: tuple[str, str], book: SymbolBars, history: History) -> None:
        if time.monotonic() < self._retry_at.get(key, 0.0):
            return
        first, last = book.holes[0]
        repairs = Repairs(self._own._store, book)
        try:
            rest = await repairs.fill(first, last, history)
        except StoreError:
            raise
        except Exception as error:  # whatever the venue's side is made of
            log.warning("%s of %s is not filled yet: %s", book.symbol, book.venue, error)
            self._retry_at[key] = time.monotonic() + HISTORY_RETRY_S
            return
        if rest == first:
            return
        book.holes[:1] = [(rest, last)] if rest < last else []
        book.changed = True
        self._health.filled += repairs.filled
        await self._store([*repairs.changed, *book.take()], [book])
