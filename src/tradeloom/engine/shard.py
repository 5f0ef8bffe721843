"""The loop of one shard: many asyncio callers, one ordered and durable stream of batches.

    submit ─► queue ─► batch ─► journal thread: hooks, admission, write + sync, apply ─► answers
                  ▲                                                              └─► subscribers
                  └── the next batch collects here meanwhile

While the journal thread works on a batch, everything that arrives collects into the next: one sync
serves all of it (group commit), and nobody has to choose a batch size or a waiting time. A lone
command is a batch of one: the event loop runs it itself and waits for nothing but its sync.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from tradeloom._core import Core

from .exits import end_process
from .frames import CLOCK, MalformedInput, count
from .hooks import Hooks
from .intake_queue import Answer, IntakeQueue
from .journal import Durability, Journal, MemoryJournal
from .limits import (
    CLOCK_EVERY_S,
    LONE_BATCH_S_MAX,
    LONE_INPUTS_MAX,
    SUBMIT_BYTES_MAX,
    SWITCH_INTERVAL_S,
)
from .local import Opened, Storage, open_local
from .pipeline import BUSY, Outcome, Pipeline
from .records import INPUTS, QUOTE_KIND
from .recovery import Progress
from .results import refuse

log = logging.getLogger(__name__)

T = TypeVar("T")
Subscriber = Callable[[bytes], None]
_Work = tuple[list[bytes], list[int], list[Answer | None]]
_QUOTE_BYTES = len(CLOCK) + next(r.size for r in INPUTS.values() if r.kind == QUOTE_KIND)


class ShardClosed(RuntimeError):  # noqa: N818
    """The shard takes no more inputs."""


class Shard:
    """A running shard; made by `open` or `in_memory`, used from one event loop."""

    def __init__(
        self,
        core: Core,
        journal: Journal,
        *,
        opened: Opened | None = None,
        hooks: Hooks | None = None,
        clock: Callable[[], int] = time.time_ns,
        clock_every_s: float = CLOCK_EVERY_S,
        keep_ts: bool = False,
        on_fatal: Callable[[BaseException], NoReturn] = end_process,
    ) -> None:
        self.hooks = hooks or Hooks()
        self.opened = opened
        self._pipeline = Pipeline(core, journal, self.hooks, clock, keep_ts=keep_ts)
        self._journal = journal
        self._now = clock
        self._clock_every_s = 0.0 if keep_ts else clock_every_s
        self._on_fatal = on_fatal
        self._queue = IntakeQueue()
        self._subscribers: list[Subscriber] = []
        self._running = False
        self._closed = False
        self._unavailable = ""
        self._took_s = 0.0
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop = asyncio.get_running_loop()
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work_loop, name="journal", daemon=True)
        self._thread.start()
        self._ticked = False
        self._timer: asyncio.TimerHandle | None = None
        self._arm_clock()
        # Two threads share the interpreter; the waiting one must not wait longer than for the disk.
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_INTERVAL_S))

    @classmethod
    async def open(
        cls,
        directory: Path | str,
        shard: int = 0,
        *,
        epoch: int | None = None,
        storage: Storage | None = None,
        progress: Progress | None = None,
        hooks: Hooks | None = None,
        clock: Callable[[], int] = time.time_ns,
        clock_every_s: float = CLOCK_EVERY_S,
        keep_ts: bool = False,
        on_fatal: Callable[[BaseException], NoReturn] = end_process,
    ) -> Self:
        """Open or create the shard kept in `directory`, with durability `local-fsync`.

        `keep_ts` True: inputs keep the time they carry, for replaying recordings; otherwise the
        shard stamps them, and an idle shard gets a CLOCK every `clock_every_s` (0: never).
        Raises the JournalErrors of `open_local`.
        """
        opened = await asyncio.to_thread(
            open_local, directory, shard, epoch=epoch, storage=storage, progress=progress
        )
        return cls(
            opened.core,
            opened.journal,
            opened=opened,
            hooks=hooks,
            clock=clock,
            clock_every_s=clock_every_s,
            keep_ts=keep_ts,
            on_fatal=on_fatal,
        )

    @classmethod
    async def in_memory(
        cls,
        core: Core | None = None,
        *,
        hooks: Hooks | None = None,
        clock: Callable[[], int] = time.time_ns,
        clock_every_s: float = CLOCK_EVERY_S,
        keep_ts: bool = False,
    ) -> Self:
        """A shard with durability `memory`: everything is gone when the process ends."""
        core = core or Core(0)
        journal = MemoryJournal()
        return cls(
            core, journal, hooks=hooks, clock=clock, clock_every_s=clock_every_s, keep_ts=keep_ts
        )

    @property
    def durability(self) -> Durability:
        """What an answer promises."""
        return self._journal.durability

    @property
    def waiting(self) -> int:
        """Submissions and quotes that no batch has taken yet."""
        return len(self._queue)

    def submit(self, packed: bytes) -> Answer:
        """Process one or more packed inputs; await the RESULT events of the commands among them.

        `index` in an answer counts from the start of `packed`. Inputs of one submission stay
        together and in order. A full queue answers BUSY (1013), a full or read-only disk
        JOURNAL_UNAVAILABLE (1014); both change nothing. Raises MalformedInput and ShardClosed.
        """
        if self._closed:
            raise ShardClosed("the shard is closed")
        number = count(packed)
        if len(packed) > SUBMIT_BYTES_MAX:
            raise MalformedInput(
                SUBMIT_BYTES_MAX, f"{len(packed)} bytes, at most {SUBMIT_BYTES_MAX} at once"
            )
        future: Answer = self._loop.create_future()
        if not self._queue.has_room(number, len(packed)):
            future.set_result(refuse(packed, BUSY, 0, self._now()))
            return future
        self._queue.add(packed, number, future)
        if not self._running:
            self._wake()
        return future

    async def execute_many(self, submissions: Iterable[bytes]) -> list[bytes]:
        """Submit all, in order; their answers, in order."""
        waiting = [self.submit(packed) for packed in submissions]
        return [await future for future in waiting]

    def quote(self, packed: bytes) -> bool:
        """Take a QUOTE record, now or conflated with later ones; nobody waits for it.

        False when it was dropped because too many instruments have quotes waiting.
        """
        if self._closed:
            raise ShardClosed("the shard is closed")
        if count(packed) != 1 or len(packed) != _QUOTE_BYTES or packed[4] != QUOTE_KIND:
            raise MalformedInput(0, "not one QUOTE record")
        taken = self._queue.add_quote(packed)
        if not self._running:
            self._wake()
        return taken

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with the packed events of every batch, once it is durable.

        Called on the event loop, in order, before the answers are given. One that raises is
        reported and goes on being called. Returns the function that ends the subscription.
        """
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._subscribers.remove(subscriber)

        return unsubscribe

    def read(self, look: Callable[[Core], T]) -> T:
        """What `look` sees in the core, which holds only durable state. Never called mid-batch."""
        with self._pipeline.core_lock:
            return look(self._pipeline.core)

    async def drain(self) -> None:
        """Wait until everything submitted so far, and what follows it at once, is answered."""
        await self._idle.wait()

    async def close(self) -> None:
        """Take no more, finish what waits, write a final snapshot, release everything."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        await self.drain()
        self._work.put(None)
        await asyncio.to_thread(self._thread.join)
        if self.opened is not None:
            await asyncio.to_thread(self.opened.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # ---- on the event loop -------------------------------------------------------------------

    def _wake(self) -> None:
        # In the next turn of the loop, so that whoever is ready now joins the batch.
        self._running = True
        self._idle.clear()
        self._loop.call_soon(self._dispatch)

    def _dispatch(self) -> None:
        work = self._queue.take()
        packed, counts, futures = work
        lone = len(packed) == 1 and counts[0] <= LONE_INPUTS_MAX and futures[0] is not None
        if not lone or self._took_s > LONE_BATCH_S_MAX:
            self._work.put(work)
            return
        try:
            outcome = self._run(packed, counts)
        except BaseException as error:
            self._on_fatal(error)
        self._done(futures, outcome)
        self._journal.settle()

    def _run(self, packed: list[bytes], counts: list[int]) -> Outcome:
        began = time.perf_counter()
        outcome = self._pipeline.run(packed, counts)
        self._took_s = time.perf_counter() - began
        return outcome

    def _done(self, futures: list[Answer | None], outcome: Outcome) -> None:
        # The next batch starts before this one's callers run: disk and callers work side by side.
        self._ticked = True
        if len(self._queue):
            self._loop.call_soon(self._dispatch)
        else:
            self._running = False
        if outcome.unavailable != self._unavailable:
            self._unavailable = outcome.unavailable
            log.error("%s", outcome.unavailable or "the journal is available again")
        if outcome.events:
            for subscriber in tuple(self._subscribers):
                try:
                    subscriber(outcome.events)
                except Exception:
                    log.exception("a subscriber failed")
        for future, answer in zip(futures, outcome.answers, strict=True):
            if future is not None and not future.done():
                future.set_result(answer)
        if not self._running:
            self._idle.set()

    def _arm_clock(self) -> None:
        if self._clock_every_s:
            self._timer = self._loop.call_later(self._clock_every_s, self._tick)

    def _tick(self) -> None:
        if not self._ticked and not self._running:
            self._queue.add(CLOCK, 1, None)
            self._wake()
        self._ticked = False
        self._arm_clock()

    # ---- on the journal thread ---------------------------------------------------------------

    def _work_loop(self) -> None:
        while (work := self._work.get()) is not None:
            packed, counts, futures = work
            try:
                outcome = self._run(packed, counts)
                self._loop.call_soon_threadsafe(self._done, futures, outcome)
                self._journal.settle()
            except BaseException as error:
                if self._loop.is_closed():  # its owner left without close(); nobody waits
                    return
                self._on_fatal(error)
