"""Makes history again from a shard's journal, beginning near where the reader stopped.

Starts from the newest snapshot that is not newer than the reader, so that a reader a moment behind
costs a moment of replay and not the whole journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tradeloom._core import Core

from .journal import Journal, JournalError
from .recovery import chunks
from .snapshots import SnapshotDamaged, SnapshotStore


class TooFarBack(LookupError):  # noqa: N818
    """More inputs would have to be replayed than the reader allows: `inputs`."""

    def __init__(self, inputs: int) -> None:
        super().__init__(f"{inputs} inputs would have to be replayed")
        self.inputs = inputs


def events_behind(
    directory: Path,
    journal: Journal,
    after: int,
    *,
    shard: int = 0,
    upto_input: int = 0,
    inputs_max: int | None = None,
) -> Iterator[bytes]:
    """Packed events from before `after` up to the journal's end, in order.

    The first pieces may hold events up to `after`: leave them out by their seq. Does not share
    anything with the running shard, so it may run on another thread. `upto_input` is the newest
    input the caller knows of; with `inputs_max` it bounds the work. Raises `TooFarBack` and the
    errors of the journal.
    """
    core, record = _start(SnapshotStore(directory, shard), after, shard)
    if inputs_max is not None and upto_input - core.input_seq > inputs_max:
        raise TooFarBack(upto_input - core.input_seq)
    reader = journal.reader(record)
    try:
        for chunk in chunks(reader, journal.durable):
            yield core.apply(chunk.payload)
    finally:
        reader.close()


def _start(store: SnapshotStore, after: int, shard: int) -> tuple[Core, int]:
    for path in store.paths():
        try:
            header = store.header(path)
            if header.event_seq > after:
                continue
            return store.load(path)[0], header.record
        except (SnapshotDamaged, JournalError, OSError):
            continue
    return Core(shard), 0
