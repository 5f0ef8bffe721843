"""Follows one shard's events into the database, on a thread of its own.

    outbox ─► submit ─► bounded queue ─► fold (projection) ─► one transaction (sink) ─► reached()
                              │ full, or the database failed
                              └────► dropped; read again from the journal when it answers

Trading never waits for the database and never loses a row to it: what does not fit the queue is
dropped and later read again from `source`, the journal. The position is stored with the rows, so
nothing is applied twice.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from .address import Address
from .errors import EventGap, Unavailable
from .limits import BATCH_BYTES, COMMIT_EVERY_S, QUEUE_BYTES_MAX, RETRY_FIRST_S, RETRY_MAX_S
from .projection import Projection
from .sinks import Sink, open_sink

log = logging.getLogger(__name__)

PROJECTION: Final = "book"
"""Name of the one projection there is: everything of `tables.PROJECTED`."""

EventSource = Callable[[int], Iterable[bytes]]
"""Packed events behind a seq, in order; the first piece may begin with older ones."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a writer stands. `waiting_bytes`: queued; `behind`: reading the journal again."""

    last_seq: int = 0
    events: int = 0
    batches: int = 0
    waiting_bytes: int = 0
    behind: bool = False
    problem: str = ""


class ProjectionWriter:
    """Made before the shard runs, then fed by `submit`; `source` gives events again."""

    def __init__(
        self,
        sink: Sink,
        shard: int,
        source: EventSource,
        *,
        commit_every_s: float = COMMIT_EVERY_S,
        queue_bytes_max: int = QUEUE_BYTES_MAX,
    ) -> None:
        self._sink: Final = sink
        self._shard: Final = shard
        self._source: Final = source
        self._commit_every_s = commit_every_s
        self._queue_bytes_max = queue_bytes_max
        self._queue: deque[bytes] = deque()
        self._waiting = 0
        self._dropped = False
        self._stopping = False
        self._changed = threading.Condition()
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._projection: Projection | None = None
        self._progress = Progress()
        self._thread = threading.Thread(target=self._work, name=f"store-{shard}", daemon=True)

    # ---- any thread --------------------------------------------------------------------------

    def start(self) -> None:
        """Begin: open the database, read from the journal what it misses, then follow."""
        self._thread.start()

    def submit(self, events: bytes) -> None:
        """Take a batch of packed events; never blocks."""
        with self._changed:
            if self._waiting + len(events) > self._queue_bytes_max:
                self._queue.clear()
                self._waiting = 0
                self._dropped = True
            else:
                self._queue.append(events)
                self._waiting += len(events)
            self._changed.notify()

    @property
    def progress(self) -> Progress:
        """Where it stands now."""
        return replace(self._progress, waiting_bytes=self._waiting)

    async def reached(self, seq: int, timeout_s: float) -> bool:
        """Wait until the effects of event `seq` are stored; False when it took too long."""
        if self._progress.last_seq >= seq:
            return True
        future = asyncio.get_running_loop().create_future()
        with self._changed:
            self._waiters.append((seq, future))
        if self._progress.last_seq >= seq:  # it came in between
            self._wake()
        try:
            await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return False
        return True

    def stop(self) -> None:
        """Store what is queued, then end; blocks. May be called twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    async def close(self) -> None:
        """`stop` without blocking the loop."""
        await asyncio.to_thread(self.stop)

    # ---- the writer's thread -----------------------------------------------------------------

    def _work(self) -> None:
        pause_s = RETRY_FIRST_S
        behind = False
        while True:
            try:
                if self._projection is None:
                    self._open()
                    behind = True
                if behind:
                    self._catch_up()
                    behind = False
                pause_s = RETRY_FIRST_S
                if not self._step():
                    break
                continue
            except EventGap as gap:
                # The journal is read at once; one that has the gap itself is not asked in a loop.
                again, behind = not behind, True
                self._report(behind=True, problem="" if again else str(gap))
                if again:
                    continue
            except Unavailable as error:
                if not self._progress.problem:
                    log.error("events are not stored, trading goes on: %s", error)
                self._report(behind=True, problem=str(error))
            except Exception as error:
                log.critical("the store stopped following the engine: %s", error, exc_info=error)
                self._report(behind=True, problem=str(error))
                break
            if not self._rest(pause_s):
                break
            pause_s = min(pause_s * 2, RETRY_MAX_S)
        self._sink.close()

    def _open(self) -> None:
        self._sink.open()
        last_seq = self._sink.last_seq()
        self._projection = Projection(self._shard, last_seq, self._sink.digits())
        self._progress = replace(self._progress, last_seq=last_seq)

    def _catch_up(self) -> None:
        """Store everything the source has behind the stored position."""
        projection = self._projection
        assert projection is not None  # noqa: S101
        for piece in _pieces(self._source(projection.last_seq)):
            self._store(piece)
            if self._stopping:
                return
        if self._progress.problem:
            log.info("events are stored again, up to %d", projection.last_seq)
        self._report()

    def _step(self) -> bool:
        """Wait for events and store one batch of them; False when told to end and all is done."""
        with self._changed:
            while not self._queue and not self._dropped and not self._stopping:
                self._changed.wait()
            if self._queue and self._waiting < BATCH_BYTES and not self._stopping:
                self._changed.wait_for(self._full, self._commit_every_s)
            dropped, self._dropped = self._dropped, False
            taken = self._take()
        if dropped:
            self._report(behind=True)
            self._catch_up()
        if taken:
            self._store(taken)
        return bool(taken or dropped or not self._stopping)

    def _full(self) -> bool:
        return self._stopping or self._waiting >= BATCH_BYTES

    def _take(self) -> list[bytes]:
        taken, size = [], 0
        while self._queue and size < BATCH_BYTES:
            taken.append(self._queue.popleft())
            size += len(taken[-1])
        self._waiting -= size
        return taken

    def _store(self, chunks: list[bytes]) -> None:
        """Fold and write; whatever fails, the projection is made anew from the database."""
        projection = self._projection
        assert projection is not None  # noqa: S101
        before = projection.last_seq
        gap: EventGap | None = None
        try:
            for chunk in chunks:
                try:
                    projection.take(chunk)
                except EventGap as error:
                    gap = error
                    break
            if projection.last_seq > before:
                self._sink.write(projection.rows(), before, projection.last_seq)
        except BaseException:
            self._projection = None
            raise
        self._progress = replace(
            self._progress,
            last_seq=projection.last_seq,
            events=self._progress.events + projection.last_seq - before,
            batches=self._progress.batches + 1,
        )
        self._wake()
        if gap is not None:
            raise gap

    def _rest(self, pause_s: float) -> bool:
        """Sleep, but not past `stop`; True to go on."""
        end = time.monotonic() + pause_s
        with self._changed:
            while not self._stopping and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
            return not self._stopping

    def _report(self, *, behind: bool = False, problem: str = "") -> None:
        self._progress = replace(self._progress, behind=behind, problem=problem)

    def _wake(self) -> None:
        if not self._waiters:
            return
        seq = self._progress.last_seq
        with self._changed:
            ready = [future for wanted, future in self._waiters if wanted <= seq]
            self._waiters = [waiter for waiter in self._waiters if waiter[0] > seq]
        for future in ready:
            future.get_loop().call_soon_threadsafe(_resolve, future)


def follow(address: Address, shard: int, source: EventSource) -> ProjectionWriter:
    """A writer for the database at `address`, whose tables exist (`Database.open`); start it."""
    return ProjectionWriter(open_sink(address, shard, PROJECTION), shard, source)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _pieces(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Chunks gathered to the size of a transaction."""
    piece: list[bytes] = []
    size = 0
    for chunk in chunks:
        piece.append(chunk)
        size += len(chunk)
        if size >= BATCH_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def rebuild(
    address: Address,
    shard: int,
    source: EventSource,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Empty everything events make and fill it again from `source(0)`; returns the last seq.

    `progress` is called with the last stored seq after every transaction. Interrupted, it leaves a
    valid position from which a writer goes on. Raises EventGap, CorruptEvents, Unavailable.
    """
    sink = open_sink(address, shard, PROJECTION)
    sink.open()
    try:
        sink.clear()
        projection = Projection(shard, 0, {})
        for piece in _pieces(source(0)):
            before = projection.last_seq
            for chunk in piece:
                projection.take(chunk)
            if projection.last_seq > before:
                sink.write(projection.rows(), before, projection.last_seq)
                if progress is not None:
                    progress(projection.last_seq)
        return projection.last_seq
    finally:
        sink.close()
