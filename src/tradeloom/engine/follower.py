"""Takes snapshots off the hot path: a second core follows the durable journal and is the one saved.

The price is the state held twice and every input applied twice (muted, on another thread, without
the interpreter lock). What it buys: the shard never stops for a snapshot, and at a clean stop two
cores that got the same inputs by different ways must have the same state hash.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time

from tradeloom._core import Core

from .journal import Journal, JournalError
from .limits import FOLLOWER_NICE, FOLLOWER_POLL_S, SNAPSHOT_EVERY_INPUTS, SNAPSHOT_EVERY_S
from .recovery import ReplayDiverged, apply_chunk, chunks
from .snapshots import SnapshotStore

log = logging.getLogger(__name__)


class Follower:
    """The snapshot thread of a shard. `core`: its own, with the journal applied up to `record`."""

    def __init__(
        self,
        core: Core,
        record: int,
        journal: Journal,
        store: SnapshotStore,
        *,
        saved_record: int = 0,
        every_s: float = SNAPSHOT_EVERY_S,
        every_inputs: int = SNAPSHOT_EVERY_INPUTS,
    ) -> None:
        self.core = core
        self.saved_record = saved_record
        self.failed: Exception | None = None
        self._saved_input = core.input_seq
        self._journal = journal
        self._reader = journal.reader(record)
        self._store = store
        self._every_s = every_s
        self._every_inputs = every_inputs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="snapshots", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; may be called twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._reader.close()

    def finish(self, state_hash: bytes) -> bool:
        """Stop, catch up, compare with the shard's own state, save. False when anything failed."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            if self.failed is None:
                self._catch_up(whole=True)
                if self.core.state_hash() != state_hash:
                    raise ReplayDiverged("the follower's state hash differs from the shard's")
                if self._journal.durable > self.saved_record:
                    self._save()
        except (JournalError, ReplayDiverged, OSError) as error:
            self._fail(error)
        finally:
            self._reader.close()
        return self.failed is None

    def _work(self) -> None:
        with contextlib.suppress(OSError):  # Linux has a priority per thread, others may not
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), FOLLOWER_NICE)
        due = time.monotonic() + self._every_s
        while not self._stop.wait(FOLLOWER_POLL_S):
            try:
                self._catch_up()
                behind = self.core.input_seq - self._saved_input
                if behind >= self._every_inputs or (behind and time.monotonic() >= due):
                    self._save()
                    due = time.monotonic() + self._every_s
            except (JournalError, ReplayDiverged, OSError) as error:
                self._fail(error)
                return

    def _catch_up(self, whole: bool = False) -> None:
        for chunk in chunks(self._reader, self._journal.durable):
            apply_chunk(self.core, chunk)
            if self._stop.is_set() and not whole:
                return

    def _save(self) -> None:
        record = self._reader.number - 1
        try:
            self._store.save(self.core, record, self._reader.hash)
        except JournalError as error:
            # A full disk must not end the following; the next period tries again.
            log.warning("no snapshot behind record %d: %s", record, error)
            return
        self.saved_record, self._saved_input = record, self.core.input_seq

    def _fail(self, error: Exception) -> None:
        self.failed = error
        log.error("snapshots stopped, the journal alone is used for recovery: %s", error)
