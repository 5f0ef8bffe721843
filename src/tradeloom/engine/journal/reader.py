"""Reads a journal forward across its segments, verifying every record and the hash chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .contract import Record
from .disk import Disk
from .errors import JournalDamaged
from .format import NO_HASH, segment_name
from .segment import Flaw, Place, Segment, list_segments


class FileReader:
    """Records behind number `after`; `hash` is the chain hash of the last record it gave out.

    Has its own file descriptors and no shared state, so a follower may use it on another thread.
    The segment that holds `after` is read, and verified, from its start.
    """

    def __init__(self, disk: Disk, directory: Path, shard: int, after: int = 0) -> None:
        self._disk = disk
        self._directory = directory
        self._shard = shard
        self._segment: Segment | None = None
        self._place = Place(after + 1, 0, NO_HASH)
        self._after = after

    @property
    def number(self) -> int:
        """Number of the next record."""
        return self._place.number

    @property
    def hash(self) -> bytes:
        """Chain hash of everything before the next record."""
        return self._place.previous_hash

    @property
    def segment(self) -> str:
        """File name of the segment in use."""
        return self._segment.name if self._segment else segment_name(self._place.number)

    def seek(self) -> None:
        """Go to the place behind `after`; done by the first read too."""
        if self._segment is not None:
            return
        paths = list_segments(self._directory)
        older = [path for path in paths if int(path.stem) <= self._after + 1]
        if not older:
            name = paths[0].name if paths else segment_name(1)
            raise JournalDamaged(name, 0, f"records from {self._after + 1} on are missing")
        self._open(older[-1])
        for _ in self._records(self._after):
            pass
        if self._place.number <= self._after:
            raise JournalDamaged(
                older[-1].name,
                self._place.offset,
                f"the journal ends before record {self._after}, which was durable",
            )

    def records(self, upto: int) -> Iterator[Record]:
        """The records up to number `upto`, which must be durable; the next call goes on there."""
        self.seek()
        while self._place.number <= upto:
            yield from self._records(upto)
            if self._place.number <= upto:
                self._next_segment()

    def close(self) -> None:
        """Close the file in use."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def _records(self, upto: int) -> Iterator[Record]:
        segment = self._segment
        assert segment is not None  # noqa: S101 - seek() opened it
        try:
            yield from segment.scan(self._place, upto)
        except Flaw as flaw:
            raise segment.damaged(flaw) from None

    def _open(self, path: Path) -> None:
        self._segment = Segment.open(self._disk, path, self._shard)
        self._place = self._segment.start()

    def _next_segment(self) -> None:
        """Leave a segment, of which only zeros may be left, for the one that continues it."""
        old, place = self._segment, self._place
        assert old is not None  # noqa: S101
        old.check_left(place)
        path = self._directory / segment_name(place.number)
        if not path.exists():
            raise JournalDamaged(path.name, 0, f"segment is missing, it follows {old.name}")
        self.close()
        self._open(path)
        assert self._segment is not None  # noqa: S101
        self._segment.check_follows(place)
        self._place.seq_range = place.seq_range
