"""The bus over Redis Streams.

The client's own retries are off: a command that is sent again after a broken connection is done
twice. Instead a connection is made sure of first (`BusUnavailable`, nothing happened), and what
breaks after that while publishing is `OutcomeUnknown`. Batches go through MULTI/EXEC, so a full
Redis refuses a batch as a whole. Reading, claiming and acknowledging are safe to repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    BusyLoadingError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from .contract import Backlog, Buried, Entry, Since, Trimmed, Waiting, order
from .errors import BusError, BusFull, BusUnavailable, OutcomeUnknown
from .limits import (
    ANSWER_S,
    CONNECT_S,
    CONNECTIONS_MAX,
    DEAD_MAX,
    ENTRY_BYTES_MAX,
    LENGTH_MAX,
    READ_WAIT_S,
)

T = TypeVar("T")
_DATA: Final = b"d"
_LOST: Final = (RedisConnectionError, RedisTimeoutError, OSError, asyncio.TimeoutError)
_AWAY: Final = (BusyLoadingError, MasterDownError, ReadOnlyError)


class RedisBus:
    """See `Bus`. `url` is redis://[user:password@]host:port/db (or rediss://, unix://); it is never
    shown. `length_max` bounds each stream even if nobody trims it."""

    def __init__(self, url: str, *, length_max: int = LENGTH_MAX) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise BusError("the address of Redis is not redis://HOST:PORT/DB, rediss:// or unix://")
        self.place: Final = f"Redis at {parts.hostname or parts.path}:{parts.port or 6379}"
        self.repairs = 0
        self._length_max: Final = length_max
        try:
            # Any: its methods carry no types.
            self._pool: Final[Any] = BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS_MAX,
                timeout=CONNECT_S,
                protocol=2,
                socket_connect_timeout=CONNECT_S,
                # The client waits with asyncio.wait_for, which swallows a cancellation now and
                # then (Python 3.11); our own timeouts below do not.
                socket_timeout=None,
                socket_keepalive=True,
                retry=Retry(NoBackoff(), 0),
                retry_on_error=[],
            )
        except ValueError as error:
            raise BusError(f"the address of Redis cannot be used: {error}") from None
        self._redis: Final[Any] = Redis.from_pool(self._pool)

    # ---- publishing --------------------------------------------------------------------------

    async def publish(self, stream: str, data: bytes) -> str:
        """See Bus."""
        return (await self.publish_many(stream, (data,)))[0]

    async def publish_many(self, stream: str, batch: Sequence[bytes]) -> list[str]:
        """See Bus."""
        if any(len(data) > ENTRY_BYTES_MAX for data in batch):
            raise BusFull(f"an entry for {stream} is larger than {ENTRY_BYTES_MAX} bytes")
        await self._reach()
        async with self._redis.pipeline(transaction=len(batch) > 1) as pipe:
            for data in batch:
                pipe.xadd(stream, {_DATA: data}, maxlen=self._length_max, approximate=True)
            ids = await self._sent(pipe.execute())
        return [entry_id.decode() for entry_id in ids]

    async def _reach(self) -> None:
        """Return when a connection stands: what fails here has published nothing."""
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._pool.release(await self._pool.get_connection())
        except _AWAY as error:
            raise BusUnavailable(f"{self.place} is not ready: {error}") from error
        except _LOST as error:
            raise BusUnavailable(f"{self.place} does not answer: {_short(error)}") from None
        except RedisError as error:
            raise BusError(f"{self.place} refuses us: {_short(error)}") from None

    async def _sent(self, work: Awaitable[T]) -> T:
        """The answer to something that must not be done twice."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await work
        except OutOfMemoryError:
            raise BusFull(f"{self.place} has no memory left; raise maxmemory or trim") from None
        except _AWAY as error:
            raise BusUnavailable(f"{self.place} is not ready: {error}") from error
        except _LOST as error:
            raise OutcomeUnknown(f"{self.place} was lost while writing: {_short(error)}") from None
        except RedisError as error:
            raise BusError(f"{self.place} refuses: {_short(error)}") from error

    async def _asked(self, work: Callable[[], Awaitable[T]]) -> T:
        """The answer to something that may be done again."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await work()
        except _AWAY as error:
            raise BusUnavailable(f"{self.place} is not ready: {error}") from error
        except _LOST as error:
            raise BusUnavailable(f"{self.place} does not answer: {_short(error)}") from None
        except OutOfMemoryError:
            raise BusFull(f"{self.place} has no memory left; raise maxmemory or trim") from None

    async def _grouped(self, stream: str, group: str, work: Callable[[], Awaitable[T]]) -> T:
        """The answer of a command on a group, which is made anew when Redis lost it."""
        for attempt in range(2):
            try:
                return await self._asked(work)
            except ResponseError as error:
                missing = str(error).startswith("NOGROUP") or "no such key" in str(error)
                if not missing or attempt:
                    raise BusError(f"{self.place} refuses: {_short(error)}") from error
            if await self.join(stream, group):
                self.repairs += 1
        raise AssertionError

    # ---- reading -----------------------------------------------------------------------------

    async def join(self, stream: str, group: str, since: Since = "oldest") -> bool:
        """See Bus."""
        start = "$" if since == "newest" else "0"
        try:
            await self._asked(
                lambda: self._redis.xgroup_create(stream, group, id=start, mkstream=True)
            )
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise BusError(f"{self.place} refuses: {_short(error)}") from error
            return False
        return True

    async def read(
        self, stream: str, group: str, consumer: str, *, count: int, wait_s: float
    ) -> list[Entry]:
        """See Bus."""
        block = int(min(wait_s, READ_WAIT_S) * 1000) if wait_s > 0 else None

        def work() -> Awaitable[Any]:
            found: Awaitable[Any] = self._redis.xreadgroup(
                group, consumer, {stream: ">"}, count=count, block=block
            )
            return found

        answer = await self._grouped(stream, group, work)
        return [
            Entry(entry_id.decode(), fields.get(_DATA, b""), 1)
            for _, entries in answer or ()
            for entry_id, fields in entries
        ]

    async def waiting(
        self, stream: str, group: str, consumer: str, *, count: int, after: str = ""
    ) -> list[Waiting]:
        """See Bus."""

        def work() -> Awaitable[Any]:
            found: Awaitable[Any] = self._redis.xpending_range(
                stream,
                group,
                min=f"({after}" if after else "-",
                max="+",
                count=count,
                consumername=consumer,
            )
            return found

        return [
            Waiting(each["message_id"].decode(), each["times_delivered"])
            for each in await self._grouped(stream, group, work)
        ]

    async def claim(
        self, stream: str, group: str, consumer: str, *, idle_s: float, count: int
    ) -> list[str]:
        """See Bus."""

        def work() -> Awaitable[Any]:
            found: Awaitable[Any] = self._redis.xautoclaim(
                stream, group, consumer, int(idle_s * 1000), count=count, justid=True
            )
            return found

        return [entry_id.decode() for entry_id in await self._grouped(stream, group, work)]

    async def take(self, stream: str, group: str, consumer: str, ids: Sequence[str]) -> list[Entry]:
        """See Bus."""
        if not ids:
            return []
        first, last = min(ids, key=order), max(ids, key=order)

        def work() -> Awaitable[Any]:
            pipe = self._redis.pipeline(transaction=True)
            pipe.xclaim(stream, group, consumer, 0, list(ids))
            pipe.xpending_range(stream, group, first, last, len(ids), consumername=consumer)
            found: Awaitable[Any] = pipe.execute()
            return found

        claimed, pending = await self._grouped(stream, group, work)
        counts = {each["message_id"]: each["times_delivered"] for each in pending}
        return [
            Entry(entry_id.decode(), fields.get(_DATA, b""), counts.get(entry_id, 2))
            for entry_id, fields in claimed
            if fields is not None
        ]

    async def acknowledge(self, stream: str, group: str, ids: Sequence[str]) -> int:
        """See Bus."""
        if not ids:
            return 0
        return int(await self._asked(lambda: self._redis.xack(stream, group, *ids)))

    # ---- dead letters, state -----------------------------------------------------------------

    async def bury(self, stream: str, group: str, entry: Entry, reason: str) -> None:
        """See Bus."""
        fields = {_DATA: entry.data, b"id": entry.id, b"group": group, b"reason": reason}

        def work() -> Awaitable[Any]:
            pipe = self._redis.pipeline(transaction=True)
            pipe.xadd(_dead(stream), fields, maxlen=DEAD_MAX, approximate=True)
            pipe.xack(stream, group, entry.id)
            found: Awaitable[Any] = pipe.execute()
            return found

        await self._asked(work)

    async def buried(self, stream: str, count: int = 100) -> list[Buried]:
        """See Bus."""
        rows = await self._asked(lambda: self._redis.xrevrange(_dead(stream), count=count))
        return [
            Buried(
                fields[b"id"].decode(),
                fields[_DATA],
                fields[b"group"].decode(),
                fields[b"reason"].decode(),
            )
            for _, fields in rows
        ]

    async def backlog(self, stream: str, group: str) -> Backlog:
        """See Bus."""
        held = await self._grouped(stream, group, lambda: self._redis.xpending(stream, group))
        # Lag and pending from one answer: between two, an entry could move from one to the other
        # and be missed in both.
        own = await self._group(stream, group)
        consumers = {each["name"].decode(): int(each["pending"]) for each in held["consumers"]}
        lag = None if own is None else own.get("lag")
        pending = held["pending"] if own is None else own["pending"]
        return Backlog(None if lag is None else int(lag), int(pending), consumers)

    async def _group(self, stream: str, group: str) -> dict[str, Any] | None:
        try:
            rows = await self._asked(lambda: self._redis.xinfo_groups(stream))
        except ResponseError:
            return None
        return next((dict(row) for row in rows if row["name"] == group.encode()), None)

    async def length(self, stream: str) -> int:
        """See Bus."""
        return int(await self._asked(lambda: self._redis.xlen(stream)))

    async def trim(
        self, stream: str, *, keep_s: float, durable: Sequence[str], length_max: int
    ) -> Trimmed:
        """See Bus."""
        # Ids are milliseconds of the server's clock.
        seconds, micros = await self._asked(self._redis.time)
        needed = (int(seconds) * 1000 + int(micros) // 1000 - int(keep_s * 1000), 0)
        for group in durable:
            needed = min(needed, await self._needed(stream, group))
        read = 0
        if needed > (0, 0):
            read = await self._trim(stream, minid=f"{needed[0]}-{needed[1]}")
        return Trimmed(read, await self._trim(stream, maxlen=length_max))

    async def _needed(self, stream: str, group: str) -> tuple[int, int]:
        """The oldest id a group is not done with."""
        own = await self._group(stream, group)
        if own is None:
            return (0, 0)
        held = await self._grouped(stream, group, lambda: self._redis.xpending(stream, group))
        return order((held["min"] or own["last-delivered-id"]).decode())

    async def _trim(self, stream: str, **how: Any) -> int:
        how["approximate"] = False  # only so the count of what went is exact
        return int(await self._asked(lambda: self._redis.xtrim(stream, **how)))

    async def close(self) -> None:
        """See Bus."""
        await self._redis.aclose()
        await self._pool.disconnect()


def _dead(stream: str) -> str:
    return f"{stream}:dead"


def _short(error: BaseException) -> str:
    """What a driver says, without its address (which may hold a password) and not for ever."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200] or type(error).__name__
