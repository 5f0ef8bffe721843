"""How the journal is: newest segment and snapshot, how long a commit takes, room on the disk."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Final

import msgspec

from tradeloom.engine.journal.file import FileJournal
from tradeloom.engine.snapshots import SUFFIX, SnapshotDamaged, SnapshotStore
from tradeloom.gateways.desk import Desk


class JournalView(msgspec.Struct, frozen=True, kw_only=True):
    """The journal of a shard in figures.

    `commit_ms_p50`, `commit_ms_p99`: from a command to its durable answer, of the newest
    `commits` answers; None before the first. `snapshot_inputs`: inputs since the newest snapshot,
    which a restart would replay. Sizes in bytes.
    """

    shard: int
    durability: str
    segment: str
    segments: int
    input_seq: int
    event_seq: int
    stored_seq: int
    waiting: int
    commits: int
    commit_ms_p50: float | None
    commit_ms_p99: float | None
    snapshot: str
    snapshot_age_s: float | None
    snapshot_inputs: int
    journal_bytes: int
    disk_free: int
    disk_total: int


class JournalHealth:
    """Looks at the files of a running shard; changes nothing."""

    def __init__(self, directory: Path, journal: FileJournal, shard: int, desk: Desk) -> None:
        self._directory: Final = directory
        self._journal: Final = journal
        self._shard: Final = shard
        self._desk: Final = desk

    async def look(self, now: float, stored_seq: int) -> JournalView:
        """The journal now; `now` is seconds since 1970."""
        files = await asyncio.to_thread(self._files, now)
        shard = self._desk.shard
        inputs, events = shard.read(lambda core: (core.input_seq, core.event_seq))
        times = sorted(self._desk.took)
        return JournalView(
            shard=self._shard,
            durability=shard.durability,
            segment=self._journal.last_segment,
            input_seq=inputs,
            event_seq=events,
            stored_seq=stored_seq,
            waiting=shard.waiting,
            commits=len(times),
            commit_ms_p50=_at(times, 0.5),
            commit_ms_p99=_at(times, 0.99),
            snapshot_inputs=inputs - files.snapshot_input,
            segments=files.segments,
            snapshot=files.snapshot,
            snapshot_age_s=files.age_s,
            journal_bytes=files.size,
            disk_free=files.free,
            disk_total=files.total,
        )

    def _files(self, now: float) -> _Files:
        store = SnapshotStore(self._directory, self._shard)
        name, age, inputs = "", None, 0
        for path in store.paths()[:1]:
            try:
                inputs, name = store.header(path).input_seq, path.name
                age = round(max(0.0, now - path.stat().st_mtime), 1)
            except (SnapshotDamaged, OSError):
                continue
        sizes = [each.stat().st_size for each in self._directory.iterdir() if each.suffix != SUFFIX]
        disk = shutil.disk_usage(self._directory)
        return _Files(name, age, inputs, len(sizes), sum(sizes), disk.free, disk.total)


class _Files(msgspec.Struct, frozen=True):
    snapshot: str
    age_s: float | None
    snapshot_input: int
    segments: int
    size: int
    free: int
    total: int


def _at(times: list[float], part: float) -> float | None:
    if not times:
        return None
    return round(times[min(len(times) - 1, int(len(times) * part))] * 1e3, 3)
