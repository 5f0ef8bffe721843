"""A member of a group: hands out what a crash left behind, then what is new, and survives Redis.

    consumer = Consumer(bus, "md:binance", "recorder", "recorder-1")
    while True:
        delivery = await consumer.next()
        store(delivery.entries)
        await consumer.done(delivery.entries)

Entries may be kept over several calls of `next` and acknowledged together, except those of a
`careful` delivery: that is one suspect, delivered before and never acknowledged, and must be done
before `next` is called again. Should it kill the process, only its own count has grown, and after
`DELIVERIES_MAX` it is buried. The dead are looked for only while nothing is in hand, so that a
member whose store is down does not take entries from its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from .contract import Bus, Entry, Since, Waiting
from .errors import BusFull, BusUnavailable
from .limits import (
    CLAIM_EVERY_S,
    CLAIM_IDLE_S,
    DELIVERIES_MAX,
    DELIVERIES_SUSPECT,
    READ_MAX,
    READ_WAIT_S,
    RETRY_FIRST_S,
    RETRY_JITTER,
    RETRY_MAX_S,
)

T = TypeVar("T")
log = logging.getLogger(__name__)


class Delivery(NamedTuple):
    """Entries to handle, possibly none; a `careful` one must be done before the next."""

    entries: list[Entry]
    careful: bool = False


@dataclass(slots=True)
class ConsumerHealth:
    """Counts since the start; `connected` is False while the bus does not answer."""

    delivered: int = 0
    redelivered: int = 0
    acknowledged: int = 0
    claimed: int = 0
    buried: int = 0
    outages: int = 0
    connected: bool = True
    problem: str = field(default="")


class Consumer:
    """One reader of `stream` in `group`; `name` must be its alone and stay the same over restarts,
    so that it finds what it had in hand. Waits for a bus that is away, with back-off."""

    def __init__(
        self,
        bus: Bus,
        stream: str,
        group: str,
        name: str,
        *,
        since: Since = "oldest",
        count: int = READ_MAX,
        idle_s: float = CLAIM_IDLE_S,
        claim_every_s: float = CLAIM_EVERY_S,
        deliveries_max: int = DELIVERIES_MAX,
    ) -> None:
        self.stream: Final = stream
        self.group: Final = group
        self.name: Final = name
        self.health: Final = ConsumerHealth()
        self._bus: Final = bus
        self._since: Final = since
        self._count: Final = count
        self._idle_s: Final = idle_s
        self._claim_every_s: Final = claim_every_s
        self._deliveries_max: Final = deliveries_max
        self._in_hand: set[str] = set()
        self._left: list[Waiting] = []
        self._joined = False
        self._claim_at = 0.0
        self._wait_s = RETRY_FIRST_S
        self._patient = True

    def stop(self) -> None:
        """Wait for a bus that is away no longer: `BusUnavailable` is raised instead."""
        self._patient = False

    async def next(self, wait_s: float = READ_WAIT_S) -> Delivery:
        """What is to be handled next; nothing after `wait_s` without news."""
        while not self._joined:
            self._joined = True  # an outage on the way says otherwise
            await self._patiently(self._join)
        if not self._in_hand and not self._left and time.monotonic() >= self._claim_at:
            await self._patiently(self._claim)
            self._claim_at = time.monotonic() + self._claim_every_s
        while self._left:
            delivery = await self._patiently(self._again)
            if delivery.entries:
                return delivery
        return Delivery(await self._patiently(lambda: self._read(wait_s)))

    async def done(self, entries: Sequence[Entry]) -> None:
        """Acknowledge entries that are stored."""
        ids = [entry.id for entry in entries]
        for at in range(0, len(ids), READ_MAX):
            part = ids[at : at + READ_MAX]
            self.health.acknowledged += await self._patiently(
                lambda part=part: self._bus.acknowledge(self.stream, self.group, part)  # type: ignore[misc]
            )
            self._in_hand.difference_update(part)

    async def bury(self, entry: Entry, reason: str) -> None:
        """Give up on an entry that can never be handled."""
        log.error("%s buries entry %s of %s: %s", self.group, entry.id, self.stream, reason)
        self._in_hand.discard(entry.id)
        try:
            await self._patiently(lambda: self._bus.bury(self.stream, self.group, entry, reason))
        except BusFull as error:
            # It stays waiting, and is buried when it comes round again.
            log.warning("%s cannot bury entry %s yet: %s", self.group, entry.id, error)
        else:
            self.health.buried += 1

    @property
    def in_hand(self) -> int:
        """Entries handed out and not done."""
        return len(self._in_hand)

    @property
    def claim_due(self) -> bool:
        """Whether it is time to look for the dead, which waits until nothing is in hand."""
        return time.monotonic() >= self._claim_at

    # ---- steps -------------------------------------------------------------------------------

    async def _join(self) -> None:
        await self._bus.join(self.stream, self.group, self._since)
        self._left = await self._mine()

    async def _claim(self) -> None:
        claimed = await self._bus.claim(
            self.stream, self.group, self.name, idle_s=self._idle_s, count=READ_MAX
        )
        if claimed:
            self.health.claimed += len(claimed)
            self._left = await self._mine()

    async def _mine(self) -> list[Waiting]:
        found: list[Waiting] = []
        while page := await self._bus.waiting(
            self.stream,
            self.group,
            self.name,
            count=READ_MAX,
            after=found[-1].id if found else "",
        ):
            found += page
        return [each for each in found if each.id not in self._in_hand]

    async def _again(self) -> Delivery:
        """Deliver what was left waiting: suspects one at a time, the dead ones to their grave."""
        first = self._left[0]
        careful = first.deliveries >= DELIVERIES_SUSPECT
        part = [first]
        if not careful:
            for each in self._left[1 : self._count]:
                if each.deliveries >= DELIVERIES_SUSPECT:
                    break
                part.append(each)
        entries = await self._bus.take(
            self.stream, self.group, self.name, [each.id for each in part]
        )
        del self._left[: len(part)]
        self.health.redelivered += len(entries)
        self._in_hand.update(entry.id for entry in entries)
        if careful and entries and entries[0].deliveries > self._deliveries_max:
            times = entries[0].deliveries - 1
            await self.bury(entries[0], f"delivered {times} times and never acknowledged")
            return Delivery([])
        return Delivery(entries, careful)

    async def _read(self, wait_s: float) -> list[Entry]:
        entries = await self._bus.read(
            self.stream, self.group, self.name, count=self._count, wait_s=wait_s
        )
        self.health.delivered += len(entries)
        self._in_hand.update(entry.id for entry in entries)
        return entries

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it as often as it takes for the bus to answer."""
        while True:
            try:
                answer = await work()
            except BusUnavailable as error:
                if self.health.connected:
                    self.health.outages += 1
                    log.warning("%s of %s waits: %s", self.group, self.stream, error)
                self.health.connected = False
                # What was delivered into the broken connection is ours and must be asked for.
                self._joined = False
                self.health.problem = str(error)
                if not self._patient:
                    raise
                await asyncio.sleep(self._wait_s * (1 - RETRY_JITTER * random.random()))  # noqa: S311
                self._wait_s = min(self._wait_s * 2, RETRY_MAX_S)
            else:
                self._wait_s = RETRY_FIRST_S
                self.health.connected = True
                self.health.problem = ""
                return answer
