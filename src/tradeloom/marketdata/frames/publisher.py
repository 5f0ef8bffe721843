"""Publishes one venue's events: never makes the venue wait, never loses silently.

While one batch is on its way the next one gathers, so frames grow with the load by themselves.
When the bus is full or away and the queue reaches its bound, quotes are conflated to the newest of
each symbol; only when that is not enough, trades go too, the oldest first. Either is counted, and
the stream tells readers from when to when the symbol's record has a hole.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tradeloom.bus import Bus, BusError, BusFull, BusUnavailable, OutcomeUnknown
from tradeloom.bus.limits import LENGTH_MAX, RETRY_FIRST_S, RETRY_JITTER, RETRY_MAX_S
from tradeloom.domain.market import BookQuote, FeedState, FeedStatus, MarketEvent

from ..limits import (
    DURABLE_GROUPS,
    FRAME_EVENTS_MAX,
    FRAMES_BATCH_MAX,
    STREAM_KEPT_S,
    TRIM_EVERY_S,
    UNPUBLISHED_MAX,
)
from .frame import event_ns, pack

log = logging.getLogger(__name__)


@dataclass(slots=True)
class PublisherHealth:
    """Counts since the start; `waiting` events are not on the bus yet."""

    published: int = 0
    frames: int = 0
    waiting: int = 0
    conflated: int = 0
    dropped: int = 0
    unknown_outcomes: int = 0
    trimmed_read: int = 0
    trimmed_unread: int = 0
    problem: str = ""


class MarketPublisher:
    """Publishes to `stream` as `producer`, a name no other run of any publisher ever had."""

    def __init__(
        self,
        bus: Bus,
        stream: str,
        producer: str,
        *,
        waiting_max: int = UNPUBLISHED_MAX,
        length_max: int = LENGTH_MAX,
    ) -> None:
        self.health: Final = PublisherHealth()
        self.stream: Final = stream
        self.producer: Final = producer
        self._bus: Final = bus
        self._waiting_max: Final = waiting_max
        self._length_max: Final = length_max
        self._waiting: list[MarketEvent] = []
        self._flying: list[bytes] = []
        self._flying_events: list[MarketEvent] = []
        self._unsure = False
        self._seq = 0
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._holes: dict[tuple[str, str], list[int]] = {}

    def publish(self, events: Iterable[MarketEvent]) -> None:
        """Take events; returns at once."""
        self._waiting.extend(events)
        if len(self._waiting) > self._waiting_max:
            self._make_room()
        self.health.waiting = len(self._waiting)
        self._idle.clear()
        self._news.set()

    async def flushed(self) -> None:
        """Return when everything taken so far is on the bus."""
        await self._idle.wait()

    async def run(self) -> None:
        """Publish until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._trim())
            group.create_task(self._publish())

    async def _publish(self) -> None:
        pause_s = RETRY_FIRST_S
        while True:
            if not self._flying:
                await self._news.wait()
                self._load()
            try:
                await self._bus.publish_many(self.stream, self._flying)
            except BusFull as error:
                self._unload()
                self._conflate()
                self.health.problem = str(error)
            except OutcomeUnknown as error:
                # Sent again as it is: readers know a frame they have had by its seq.
                self._unsure = True
                self.health.unknown_outcomes += 1
                self.health.problem = str(error)
            except BusUnavailable as error:
                self.health.problem = str(error)
            else:
                self._landed()
                pause_s = RETRY_FIRST_S
                continue
            await asyncio.sleep(pause_s * (1 - RETRY_JITTER * random.random()))  # noqa: S311
            pause_s = min(pause_s * 2, RETRY_MAX_S)

    def _load(self) -> None:
        """Pack what waits into frames; all of it at most."""
        self._tell_holes()
        most = FRAME_EVENTS_MAX * FRAMES_BATCH_MAX
        events, self._waiting = self._waiting[:most], self._waiting[most:]
        self._flying_events, self._unsure = events, False
        for at in range(0, len(events), FRAME_EVENTS_MAX):
            self._seq += 1
            self._flying.append(pack(self.producer, self._seq, events[at : at + FRAME_EVENTS_MAX]))
        if not self._waiting:
            self._news.clear()

    def _unload(self) -> None:
        """Back into the queue, to be conflated; not what may be on the bus after all."""
        if self._unsure:
            return
        self._seq -= len(self._flying)
        self._waiting[:0] = self._flying_events
        self._flying, self._flying_events = [], []
        self._news.set()

    def _landed(self) -> None:
        self.health.frames += len(self._flying)
        self.health.published += len(self._flying_events)
        self.health.waiting = len(self._waiting)
        self.health.problem = ""
        self._flying, self._flying_events = [], []
        if not self._waiting:
            self._idle.set()

    def _make_room(self) -> None:
        """The queue is full: conflate, and if that is not enough drop the oldest."""
        self._conflate()
        over = len(self._waiting) - self._waiting_max // 2
        if len(self._waiting) > self._waiting_max:
            self.health.dropped += over
            for event in self._waiting[:over]:
                self._hole(event)
            del self._waiting[:over]

    def _conflate(self) -> None:
        """Keep only the newest quote of each symbol."""
        newest = {
            (each.venue, each.symbol): at
            for at, each in enumerate(self._waiting)
            if isinstance(each, BookQuote)
        }
        kept = []
        for at, each in enumerate(self._waiting):
            if isinstance(each, BookQuote) and newest[each.venue, each.symbol] != at:
                self._hole(each)
            else:
                kept.append(each)
        self.health.conflated += len(self._waiting) - len(kept)
        self._waiting = kept

    def _hole(self, event: MarketEvent) -> None:
        if isinstance(event, FeedStatus):
            return
        at = event_ns(event)
        hole = self._holes.setdefault((event.venue, event.symbol), [at, at])
        hole[0], hole[1] = min(hole[0], at), max(hole[1], at)

    def _tell_holes(self) -> None:
        """Say in the stream itself what it does not hold."""
        if not self._holes:
            return
        reason = "events were left out: the bus was full or away"
        told: list[MarketEvent] = []
        for (venue, symbol), (first, last) in self._holes.items():
            told.append(FeedStatus(venue, symbol, FeedState.STALE, reason, first))
            told.append(FeedStatus(venue, symbol, FeedState.LIVE, reason, last))
        log.warning("%s: %s of %d symbols", self.stream, reason, len(self._holes))
        self._holes.clear()
        self._waiting[:0] = told

    async def _trim(self) -> None:
        while True:
            await asyncio.sleep(TRIM_EVERY_S)
            try:
                trimmed = await self._bus.trim(
                    self.stream,
                    keep_s=STREAM_KEPT_S,
                    durable=DURABLE_GROUPS,
                    length_max=self._length_max,
                )
            except BusError as error:
                log.debug("%s is not trimmed: %s", self.stream, error)
                continue
            self.health.trimmed_read += trimmed.read
            self.health.trimmed_unread += trimmed.unread
            if trimmed.reason == "full":
                log.warning("%s: %d entries nobody stored went", self.stream, trimmed.unread)
