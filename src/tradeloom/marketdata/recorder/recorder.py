"""The recorder's loop: gather frames, store them, and only then acknowledge.

While a full batch is stored the next one is gathered. A store that is away stops the reading, so
entries wait in the stream, not here. A frame that cannot be read or stored is buried at once; one
that ends in an error nobody foresaw is met again, alone, and buried after a few times.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tradeloom._core import TickReader
from tradeloom.bus import Bus, BusError, Consumer, ConsumerHealth, Entry
from tradeloom.bus.limits import RETRY_JITTER

from ..frames import BadFrame, unpack
from ..limits import STOP_LOOK_S, STORE_RETRY_FIRST_S, STORE_RETRY_MAX_S
from .contract import RecordStore, Stored, StoreDown
from .rows import Rows

log = logging.getLogger(__name__)
GROUP: Final = "recorder"


@dataclass(slots=True)
class RecorderHealth:
    """Of one stream. `rate` is rows stored a second, of late; `lag` entries not read yet."""

    quotes: int = 0
    trades: int = 0
    funding: int = 0
    duplicates: int = 0
    rate: float = 0.0
    lag: int | None = 0
    pending: int = 0
    buried: int = 0
    store_outages: int = 0
    storing: bool = True
    problem: str = ""
    consumer: ConsumerHealth = field(default_factory=ConsumerHealth)

    def count(self, stored: Stored, seconds: float) -> None:
        """Take one batch into account."""
        self.quotes += stored.quotes
        self.trades += stored.trades
        self.funding += stored.funding
        self.duplicates += stored.known
        self.rate += 0.2 * (stored.rows / max(seconds, 1e-6) - self.rate)
        self.storing, self.problem = True, ""


class MarketDataRecorder:
    """Records `streams` into `store`; `name` must be this recorder's alone and stay the same over
    restarts."""

    def __init__(
        self,
        bus: Bus,
        store: RecordStore,
        streams: Sequence[str],
        name: str = "recorder-1",
        *,
        group: str = GROUP,
    ) -> None:
        self.health: Final = {stream: RecorderHealth() for stream in streams}
        self._bus: Final = bus
        self._store: Final = store
        self._name: Final = name
        self._group: Final = group
        self._stopping = False
        self._consumers: dict[str, Consumer] = {}

    async def run(self) -> None:
        """Record until `stop` is called (what is in hand is stored) or until cancelled."""
        await self._open()
        async with asyncio.TaskGroup() as group:
            for stream in self.health:
                group.create_task(self._keep(stream))

    def stop(self) -> None:
        """Read no more, store what is in hand, then end."""
        self._stopping = True
        for consumer in self._consumers.values():
            consumer.stop()

    async def look(self) -> dict[str, RecorderHealth]:
        """Health with the newest lag; raises BusUnavailable."""
        for stream, health in self.health.items():
            backlog = await self._bus.backlog(stream, self._group)
            health.lag, health.pending = backlog.lag, backlog.pending
        return self.health

    async def _open(self) -> None:
        wait_s = STORE_RETRY_FIRST_S
        while True:
            try:
                return await self._store.open()
            except StoreDown as error:
                wait_s = await self._pause(error, wait_s, *self.health.values())

    async def _keep(self, stream: str) -> None:
        health = self.health[stream]
        wait_s = STORE_RETRY_FIRST_S
        while not self._stopping:
            consumer = Consumer(self._bus, stream, self._group, self._name)
            health.consumer, self._consumers[stream] = consumer.health, consumer
            try:
                await self._record(consumer, health)
            except Exception as error:
                # Start anew, as after a crash: what was in hand comes again, suspects alone.
                if not isinstance(error, BusError):
                    log.exception("the recorder of %s starts again", stream)
                wait_s = STORE_RETRY_FIRST_S if health.storing else wait_s
                wait_s = await self._pause(error, wait_s, health)
            else:
                return

    async def _record(self, consumer: Consumer, health: RecorderHealth) -> None:
        flight: asyncio.Task[None] | None = None
        try:
            while True:
                batch = await self._gather(consumer, health)
                if flight is not None:
                    await flight
                if batch is None:
                    return
                flight = asyncio.create_task(self._flush(consumer, health, *batch.done()))
                if not batch.more or consumer.claim_due:
                    await flight
        finally:
            if flight is not None:
                flight.cancel()
                await asyncio.wait((flight,))

    async def _gather(self, consumer: Consumer, health: RecorderHealth) -> _Batch | None:
        """Frames for one call of the store; None when there are none and will be none."""
        batch, since = _Batch(), 0.0
        while True:
            patience = STOP_LOOK_S
            if batch.entries:
                patience = max(0.001, since + self._store.every_s - time.monotonic())
            delivery = await consumer.next(min(patience, STOP_LOOK_S))
            if delivery.entries and not batch.entries:
                since = time.monotonic()
            for entry, problem in batch.add(delivery.entries):
                await consumer.bury(entry, problem)
                health.buried += 1
            due = time.monotonic() - since >= self._store.every_s
            full = batch.rows >= self._store.rows
            if batch.entries and (full or due or delivery.careful or self._stopping):
                batch.more = full and not delivery.careful and not self._stopping
                return batch
            if self._stopping and not batch.entries:
                return None

    async def _flush(
        self, consumer: Consumer, health: RecorderHealth, held: list[Entry], rows: Rows
    ) -> None:
        wait_s = STORE_RETRY_FIRST_S
        while held:
            began = time.monotonic()
            try:
                stored = await self._store.store(consumer.stream, rows)
            except StoreDown as error:
                wait_s = await self._pause(error, wait_s, health)
            except BadFrame as error:
                if error.at is None:
                    raise
                await consumer.bury(held.pop(error.at), str(error))
                health.buried += 1
                rows = rows.only(at for at in range(len(rows.heads)) if at != error.at)
            else:
                health.count(stored, time.monotonic() - began)
                await consumer.done(held)
                return

    async def _pause(self, error: Exception, wait_s: float, *health: RecorderHealth) -> float:
        """Say what is wrong, wait, and return how long to wait the next time."""
        for each in health:
            if each.storing:
                each.store_outages += 1
                log.warning("recording waits: %s", error)
            each.storing, each.problem = False, str(error)
        await asyncio.sleep(wait_s * (1 - RETRY_JITTER * random.random()))  # noqa: S311
        return min(wait_s * 2, STORE_RETRY_MAX_S)


class _Batch:
    """Entries and the rows in them; `more` are expected at once."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.more = False
        self._reader: Final = TickReader()

    @property
    def rows(self) -> int:
        return self._reader.rows

    def add(self, entries: Sequence[Entry]) -> list[tuple[Entry, str]]:
        """Take entries; those that are no frames, and why."""
        bad = dict(self._reader.add([entry.data for entry in entries]))
        self.entries += [entry for at, entry in enumerate(entries) if at not in bad]
        return [(entries[at], _reason(entries[at].data, problem)) for at, problem in bad.items()]

    def done(self) -> tuple[list[Entry], Rows]:
        """Everything taken."""
        return self.entries, Rows.taken(self._reader)


def _reason(data: bytes, problem: str) -> str:
    """What is wrong with a frame in the words of the slower reader, which knows more."""
    try:
        unpack(data)
    except BadFrame as error:
        return str(error)
    return problem
