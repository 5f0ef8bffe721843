"""The bus inside one process: the same groups, waiting entries and dead letters, on our own heap.

It ends with the process. Whoever must not lose entries then publishes to Redis instead, or, like
the recorder of an embedded service, stores often.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from .contract import Backlog, Buried, Entry, Since, Trimmed, Waiting, order
from .errors import BusFull
from .limits import DEAD_MAX, ENTRY_BYTES_MAX, MEMORY_BYTES_MAX, MEMORY_LENGTH_MAX


class _Held:
    """An entry that waits for its acknowledgement."""

    __slots__ = ("at", "consumer", "deliveries", "number")

    def __init__(self, number: int, consumer: str, at: float) -> None:
        self.number = number
        self.consumer = consumer
        self.at = at
        self.deliveries = 1


class _Group:
    def __init__(self, after: int) -> None:
        self.next = after
        self.held: dict[str, _Held] = {}


class _Stream:
    """Entries by dense number: `first` is the oldest kept, `next` the one to come."""

    def __init__(self) -> None:
        self.entries: dict[int, tuple[str, bytes]] = {}
        self.first = 0
        self.next = 0
        self.last_id = (0, 0)
        self.groups: dict[str, _Group] = {}
        self.dead: deque[Buried] = deque(maxlen=DEAD_MAX)
        self.readers: set[asyncio.Future[None]] = set()

    def group(self, name: str) -> _Group:
        found = self.groups.get(name)
        if found is None:
            found = self.groups[name] = _Group(self.first)
        return found


class MemoryBus:
    """See `Bus`. `length_max` bounds each stream (the oldest go), `bytes_max` all of them together
    (`BusFull`). For one event loop."""

    def __init__(
        self,
        *,
        length_max: int = MEMORY_LENGTH_MAX,
        bytes_max: int = MEMORY_BYTES_MAX,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.overwritten = 0
        self._length_max: Final = length_max
        # Cut a hundredth at a time: what it costs is then shared by many entries.
        self._slack: Final = max(1, length_max // 100)
        self._bytes_max: Final = bytes_max
        self._clock_ns: Final = clock_ns
        self._bytes = 0
        self._streams: dict[str, _Stream] = {}

    def _stream(self, name: str) -> _Stream:
        found = self._streams.get(name)
        if found is None:
            found = self._streams[name] = _Stream()
        return found

    # ---- publishing --------------------------------------------------------------------------

    async def publish(self, stream: str, data: bytes) -> str:
        """See Bus."""
        return (await self.publish_many(stream, (data,)))[0]

    async def publish_many(self, stream: str, batch: Sequence[bytes]) -> list[str]:
        """See Bus."""
        size = sum(map(len, batch))
        if any(len(data) > ENTRY_BYTES_MAX for data in batch):
            raise BusFull(f"an entry for {stream} is larger than {ENTRY_BYTES_MAX} bytes")
        if self._bytes + size > self._bytes_max:
            raise BusFull(f"the in-process bus holds {self._bytes} bytes already")
        to = self._stream(stream)
        now_ms = self._clock_ns() // 1_000_000
        ids = []
        for data in batch:
            ms, number = to.last_id
            to.last_id = (now_ms, 0) if now_ms > ms else (ms, number + 1)
            ids.append("%d-%d" % to.last_id)  # noqa: UP031 - half the time of an f-string here
            to.entries[to.next] = (ids[-1], data)
            to.next += 1
        self._bytes += size
        over = len(to.entries) - self._length_max
        if over >= self._slack:
            self.overwritten += self._cut(to, to.first + over, tuple(to.groups)).unread
        for reader in to.readers:
            if not reader.done():
                reader.set_result(None)
        return ids

    # ---- reading -----------------------------------------------------------------------------

    async def join(self, stream: str, group: str, since: Since = "oldest") -> bool:
        """See Bus."""
        of = self._stream(stream)
        if group in of.groups:
            return False
        of.groups[group] = _Group(of.next if since == "newest" else of.first)
        return True

    async def read(
        self, stream: str, group: str, consumer: str, *, count: int, wait_s: float
    ) -> list[Entry]:
        """See Bus."""
        of = self._stream(stream)
        own = of.group(group)
        if own.next >= of.next and wait_s > 0:
            reader = asyncio.get_running_loop().create_future()
            of.readers.add(reader)
            try:
                await asyncio.wait((reader,), timeout=wait_s)
            finally:
                of.readers.discard(reader)
        first = max(own.next, of.first)
        own.next = min(first + count, of.next)
        now = time.monotonic()
        found = []
        for number in range(first, own.next):
            entry_id, data = of.entries[number]
            own.held[entry_id] = _Held(number, consumer, now)
            found.append(Entry(entry_id, data, 1))
        return found

    async def waiting(
        self, stream: str, group: str, consumer: str, *, count: int, after: str = ""
    ) -> list[Waiting]:
        """See Bus."""
        behind = order(after) if after else (-1, 0)
        held = self._stream(stream).group(group).held
        found = [
            Waiting(entry_id, each.deliveries)
            for entry_id, each in held.items()
            if each.consumer == consumer and order(entry_id) > behind
        ]
        return sorted(found, key=lambda each: order(each.id))[:count]

    async def claim(
        self, stream: str, group: str, consumer: str, *, idle_s: float, count: int
    ) -> list[str]:
        """See Bus."""
        of = self._stream(stream)
        held = of.group(group).held
        now = time.monotonic()
        for gone in [i for i, each in held.items() if each.number < of.first]:
            del held[gone]
        idle = [i for i, each in held.items() if now - each.at >= idle_s]
        idle = sorted(idle, key=order)[:count]
        for entry_id in idle:
            held[entry_id].consumer, held[entry_id].at = consumer, now
        return idle

    async def take(self, stream: str, group: str, consumer: str, ids: Sequence[str]) -> list[Entry]:
        """See Bus."""
        of = self._stream(stream)
        held = of.group(group).held
        found = []
        for entry_id in ids:
            each = held.get(entry_id)
            if each is None:
                continue
            kept = of.entries.get(each.number)
            if kept is None:
                del held[entry_id]
                continue
            each.consumer, each.at = consumer, time.monotonic()
            each.deliveries += 1
            found.append(Entry(entry_id, kept[1], each.deliveries))
        return found

    async def acknowledge(self, stream: str, group: str, ids: Sequence[str]) -> int:
        """See Bus."""
        held = self._stream(stream).group(group).held
        return sum(held.pop(entry_id, None) is not None for entry_id in ids)

    # ---- dead letters, state -----------------------------------------------------------------

    async def bury(self, stream: str, group: str, entry: Entry, reason: str) -> None:
        """See Bus."""
        self._stream(stream).dead.append(Buried(entry.id, entry.data, group, reason))
        await self.acknowledge(stream, group, (entry.id,))

    async def buried(self, stream: str, count: int = 100) -> list[Buried]:
        """See Bus."""
        return list(self._stream(stream).dead)[-count:][::-1]

    async def backlog(self, stream: str, group: str) -> Backlog:
        """See Bus."""
        of = self._stream(stream)
        own = of.group(group)
        consumers: dict[str, int] = {}
        for each in own.held.values():
            consumers[each.consumer] = consumers.get(each.consumer, 0) + 1
        return Backlog(of.next - max(own.next, of.first), len(own.held), consumers)

    async def length(self, stream: str) -> int:
        """See Bus."""
        return len(self._stream(stream).entries)

    async def trim(
        self, stream: str, *, keep_s: float, durable: Sequence[str], length_max: int
    ) -> Trimmed:
        """See Bus."""
        of = self._stream(stream)
        to = min([self._needed(of, name) for name in durable], default=of.next)
        young = (self._clock_ns() - int(keep_s * 1e9)) // 1_000_000
        at = of.first
        while at < to and order(of.entries[at][0])[0] < young:
            at += 1
        return self._cut(of, max(at, of.next - length_max), durable)

    async def close(self) -> None:
        """See Bus."""
        self._streams.clear()
        self._bytes = 0

    def _needed(self, of: _Stream, group: str) -> int:
        """The number of the oldest entry a group is not done with."""
        own = of.groups.get(group)
        if own is None:
            return of.first
        return min((each.number for each in own.held.values()), default=own.next)

    def _cut(self, of: _Stream, to: int, durable: Sequence[str]) -> Trimmed:
        """Forget the entries before number `to`."""
        needed = min([self._needed(of, name) for name in durable], default=of.next)
        read = unread = 0
        for number in range(of.first, to):
            self._bytes -= len(of.entries.pop(number)[1])
            if number < needed:
                read += 1
            else:
                unread += 1
        of.first = max(of.first, to)
        return Trimmed(read, unread)
