"""Opens what one shard has on a local disk: journal, snapshots, recovered core, follower.

`LocalShard` is the synchronous way to use it, for an engine embedded in a program of its own; the
asyncio way is `shard.Shard`. Both run the same pipeline.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from tradeloom._core import Core

from .exits import end_process
from .follower import Follower
from .frames import count
from .hooks import Hooks
from .journal import Disk, FileJournal, JournalUnavailable, JournalWriteFailed
from .limits import SEGMENT_BYTES, SNAPSHOT_EVERY_INPUTS, SNAPSHOT_EVERY_S
from .pipeline import Outcome, Pipeline
from .recovery import Progress, Recovered, chunks, recover
from .snapshots import SnapshotStore


@dataclass(frozen=True, slots=True)
class Storage:
    """How a shard is kept. `snapshots` False: no follower, a restart replays from the last one.

    `retain`: `all` keeps the whole journal; `snapshots` only what the kept snapshots need.
    """

    snapshots: bool = True
    snapshot_every_s: float = SNAPSHOT_EVERY_S
    snapshot_every_inputs: int = SNAPSHOT_EVERY_INPUTS
    retain: str = "all"
    segment_bytes: int = SEGMENT_BYTES
    disk: Disk | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A shard's parts, ready to run. `recovered` says how the core came back."""

    shard: int
    core: Core
    journal: FileJournal
    follower: Follower | None
    recovered: Recovered

    def close(self) -> None:
        """Write a final snapshot and release everything; nobody may use the parts any more."""
        try:
            if self.follower is not None:
                self.follower.finish(self.core.state_hash())
        finally:
            self.journal.close()


def open_local(
    directory: Path | str,
    shard: int = 0,
    *,
    epoch: int | None = None,
    storage: Storage | None = None,
    progress: Progress | None = None,
) -> Opened:
    """Open or create the shard kept in `directory` and bring its state back.

    Raises the JournalErrors of `FileJournal.open` and `recover`.
    """
    storage = storage or Storage()
    journal = FileJournal.open(
        directory, shard, epoch=epoch, segment_bytes=storage.segment_bytes, disk=storage.disk
    )
    try:
        store = SnapshotStore(directory, shard, retain=storage.retain, disk=storage.disk)
        recovered = recover(journal, store, shard, progress)
        core, follower = recovered.core, None
        if storage.snapshots:
            follower = Follower(
                Core.restore(core.snapshot()),
                recovered.record,
                journal,
                store,
                saved_record=recovered.snapshot_record,
                every_s=storage.snapshot_every_s,
                every_inputs=storage.snapshot_every_inputs,
            )
            follower.start()
        return Opened(shard, core, journal, follower, recovered)
    except BaseException:
        journal.close()
        raise


class LocalShard:
    """A durable engine for one thread: when `write` returns, what it did is on the disk.

    A write that fails after it was accepted ends the process (see `exits`).
    """

    def __init__(
        self,
        opened: Opened,
        *,
        hooks: Hooks | None = None,
        clock: Callable[[], int] = time.time_ns,
        keep_ts: bool = False,
        on_fatal: Callable[[BaseException], NoReturn] = end_process,
    ) -> None:
        self._opened = opened
        self._on_fatal = on_fatal
        self.hooks = hooks or Hooks()
        self._pipeline = Pipeline(opened.core, opened.journal, self.hooks, clock, keep_ts=keep_ts)

    @property
    def core(self) -> Core:
        """The state; everything in it is durable."""
        return self._opened.core

    @property
    def recovered(self) -> Recovered:
        """How the state came back at the start."""
        return self._opened.recovered

    def write(self, packed: bytes) -> Outcome:
        """Process packed inputs: their answers, and all events of those that were not refused.

        Raises MalformedInput, or JournalUnavailable when there is no room: then nothing changed.
        """
        number = count(packed)
        try:
            outcome = self._pipeline.run([packed], [number])
            self._opened.journal.settle()
        except JournalWriteFailed as error:
            self._on_fatal(error)
        if outcome.unavailable:
            raise JournalUnavailable(self._opened.journal.directory, outcome.unavailable)
        return outcome

    def history(self) -> Iterator[bytes]:
        """All events since the first input, made again by a second core from the journal.

        The RESULT of an input has its index in a piece of the journal here, not in a submission.
        """
        core, journal = Core(self._opened.shard), self._opened.journal
        reader = journal.reader()
        try:
            for chunk in chunks(reader, journal.durable):
                yield core.apply(chunk.payload)
        finally:
            reader.close()

    def close(self) -> None:
        """Write a final snapshot and release everything."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
