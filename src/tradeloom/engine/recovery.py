"""Brings a shard back: newest valid snapshot, then the journal behind it, everything verified."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tradeloom._core import Core

from .journal import FileJournal, JournalDamaged, RecordReader
from .limits import REPLAY_AHEAD, REPLAY_CHUNK_BYTES
from .snapshots import SnapshotDamaged, SnapshotStore

log = logging.getLogger(__name__)

# Called with records done and records to do.
Progress = Callable[[int, int], None]


class ReplayDiverged(RuntimeError):  # noqa: N818
    """The core did not take journaled inputs as it took them when they were journaled."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Several records in one piece: `inputs` packed inputs, up to record `last`."""

    payload: bytes
    first_seq: int
    inputs: int
    last: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """A core that has applied everything durable. `snapshot_record` 0: replayed from the start."""

    core: Core
    record: int
    snapshot_record: int
    inputs: int
    seconds: float


def recover(
    journal: FileJournal, store: SnapshotStore, shard: int = 0, progress: Progress | None = None
) -> Recovered:
    """The state at the end of the journal.

    Raises JournalDamaged, also when a snapshot proves that durable records are gone, JournalTooNew,
    or ReplayDiverged.
    """
    began = time.monotonic()
    core, record, journal_hash = _newest(store, journal, shard)
    reader = journal.reader(record)
    try:
        reader.seek()
        if journal_hash is not None and reader.hash != journal_hash:
            raise JournalDamaged(
                reader.segment, 0, f"record {record} is not the one the snapshot was made behind"
            )
        inputs = replay(core, reader, journal.durable, progress)
    finally:
        reader.close()
    return Recovered(core, journal.durable, record, inputs, time.monotonic() - began)


def _newest(
    store: SnapshotStore, journal: FileJournal, shard: int
) -> tuple[Core, int, bytes | None]:
    for path in store.paths():
        try:
            core, header = store.load(path)
        except SnapshotDamaged as damage:
            log.warning("%s; trying an older one", damage)
            continue
        if header.record > journal.durable:
            raise JournalDamaged(
                journal.last_segment,
                journal.end,
                f"the journal ends with record {journal.durable}, "
                f"but snapshot {path.name} has seen record {header.record}",
            )
        return core, header.record, header.journal_hash
    return Core(shard), 0, None


def chunks(reader: RecordReader, upto: int, size: int = REPLAY_CHUNK_BYTES) -> Iterator[Chunk]:
    """The records up to number `upto`, joined to pieces of about `size` bytes."""
    payloads: list[bytes] = []
    bytes_, inputs, first, last = 0, 0, 0, 0
    for record in reader.records(upto):
        if not payloads:
            first = record.first_seq
        payloads.append(record.payload)
        bytes_ += len(record.payload)
        inputs += record.inputs
        last = record.number
        if bytes_ >= size:
            yield Chunk(b"".join(payloads), first, inputs, last)
            payloads, bytes_, inputs = [], 0, 0
    if payloads:
        yield Chunk(b"".join(payloads), first, inputs, last)


def apply_chunk(core: Core, chunk: Chunk) -> None:
    """Apply one piece, muted, if the core has counted as it did when the piece was journaled."""
    if core.input_seq + 1 != chunk.first_seq:
        raise ReplayDiverged(
            f"before record {chunk.last}: the journal goes on with input {chunk.first_seq}, "
            f"the core with {core.input_seq + 1}"
        )
    core.apply_muted(chunk.payload)


def replay(core: Core, reader: RecordReader, upto: int, progress: Progress | None = None) -> int:
    """Apply all records up to `upto`; returns the inputs applied.

    Reading and verifying runs on a second thread, ahead of the core.
    """
    ahead: queue.Queue[Chunk | BaseException | None] = queue.Queue(REPLAY_AHEAD)
    stopped = threading.Event()

    def offer(item: Chunk | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                ahead.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def read() -> None:
        try:
            for chunk in chunks(reader, upto):
                offer(chunk)
                if stopped.is_set():
                    return
            offer(None)
        except BaseException as error:
            offer(error)

    before = core.input_seq
    thread = threading.Thread(target=read, name="journal-read", daemon=True)
    thread.start()
    try:
        while (item := ahead.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            apply_chunk(core, item)
            if progress is not None:
                progress(item.last, upto)
    finally:
        stopped.set()
        thread.join()
    return core.input_seq - before
