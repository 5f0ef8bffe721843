"""The file journal: one writer, a directory of segments, one write and one sync per batch.

`FileJournal.open` takes the lock, checks every header page, walks the last segment to its end, and
cuts a torn tail there (see `tail` for how it is told from damage). After that:

    reserve(n)   may roll over to the next prepared segment; every failure here means that
                 nothing was accepted and nothing changed (JournalUnavailable)
    append(…)    writes into zeros that are on the disk already, then fdatasync. A failure here
                 means that nobody knows what is on the disk (JournalWriteFailed). It is never
                 tried again: after a failed sync the kernel may call the lost page clean and
                 the next sync fine

Appending one record rewrites the part of a sector that an earlier record already stands in, with
the same bytes. That is safe on disks that write a sector whole, as every database log assumes.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from ..limits import RECORD_PAYLOAD_BYTES_MAX, SEGMENT_BYTES, SEGMENT_BYTES_MIN
from .contract import Durability
from .disk import Disk, try_lock
from .errors import (
    JournalFenced,
    JournalLocked,
    JournalUnavailable,
    JournalWriteFailed,
)
from .format import (
    ALIGN,
    NO_HASH,
    PAGE,
    RECORD,
    SegmentHeader,
    chain_hash,
    padded,
    record_buffers,
    segment_name,
)
from .prepare import SparePreparer, make_zeroed
from .reader import FileReader
from .segment import Flaw, Place, Segment, list_segments
from .tail import torn_bytes

log = logging.getLogger(__name__)

LOCK_NAME = "lock"


class FileJournal:
    """An append-only journal in a directory; see the module. Not for use by two threads at once."""

    durability: Durability = "local-fsync"

    def __init__(
        self, disk: Disk, directory: Path, lock: int, segment: Segment, place: Place, epoch: int
    ) -> None:
        self._disk = disk
        self._directory = directory
        self._lock = lock
        self._segment = segment
        self._place = place
        self._epoch = epoch
        self._unhashed: list[bytes] | None = None
        self._broken = False
        self._spare = SparePreparer(disk, directory, segment.header.segment_bytes)
        self.durable = place.number - 1

    @classmethod
    def open(
        cls,
        directory: Path | str,
        shard: int = 0,
        *,
        epoch: int | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        disk: Disk | None = None,
    ) -> FileJournal:
        """Open or create the journal in `directory`.

        `epoch`: ours; by default that of the last writer.
        Raises any JournalError but JournalWriteFailed.
        """
        if segment_bytes < SEGMENT_BYTES_MIN or segment_bytes % PAGE:
            raise ValueError(f"segment_bytes must be a multiple of {PAGE}, >= {SEGMENT_BYTES_MIN}")
        disk = disk or Disk()
        path = Path(directory)
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = disk.open(path / LOCK_NAME, create=True)
        except OSError as error:
            raise JournalUnavailable(path, error) from error
        try:
            if not try_lock(lock):
                raise JournalLocked(path)
            if not list_segments(path):
                _create_first(disk, path, shard, epoch or 1, segment_bytes)
            segment, place = _open_last(disk, path, shard, epoch)
            place.epoch = epoch or max(1, place.epoch)
            return cls(disk, path, lock, segment, place, place.epoch)
        except OSError as error:
            disk.close(lock)
            raise JournalUnavailable(path, error) from error
        except BaseException:
            disk.close(lock)
            raise

    @property
    def epoch(self) -> int:
        """What every record we write carries."""
        return self._epoch

    @property
    def directory(self) -> Path:
        """Where the segments are."""
        return self._directory

    @property
    def last_segment(self) -> str:
        """File name of the segment that is written to."""
        return self._segment.name

    @property
    def end(self) -> int:
        """Byte in that segment where the next record goes."""
        return self._place.offset

    @property
    def payload_bytes_max(self) -> int:
        """The largest payload one record can have."""
        return min(
            RECORD_PAYLOAD_BYTES_MAX, self._segment.header.segment_bytes - PAGE - RECORD.size
        )

    def reserve(self, payload_bytes: int) -> None:
        """Make room for one record; rolls over when needed. Raises JournalUnavailable."""
        if not 0 < payload_bytes <= self.payload_bytes_max:
            most = self.payload_bytes_max
            reason = f"a record cannot have {payload_bytes} bytes, only 1 to {most}"
            raise JournalUnavailable(self._directory, reason)
        size, space = self._segment.header.segment_bytes, padded(payload_bytes)
        if self._place.offset + space > size:
            self._roll_over()
        elif self._place.offset > size // 2:
            self._spare.start()

    def append(self, payload: bytes, first_seq: int, inputs: int, ts: int) -> int:
        """Write one record and make it durable; returns its number.

        `reserve` must have been called for it.
        """
        if self._broken:
            raise RuntimeError("the journal failed before; the process should have ended")
        self.settle()
        place, segment = self._place, self._segment
        buffers = record_buffers(
            segment.seed,
            place.number,
            self._epoch,
            first_seq,
            inputs,
            ts,
            place.previous_hash,
            payload,
        )
        self._broken = True
        try:
            self._disk.write_all(segment.fd, buffers, place.offset)
            self._disk.fdatasync(segment.fd)
        except OSError as error:
            raise JournalWriteFailed(segment.name, place.offset, error) from error
        self._broken = False
        self._unhashed = buffers[:2]
        number = place.number
        place.number = number + 1
        place.offset += padded(len(payload))
        self.durable = number
        return number

    def settle(self) -> None:
        """Compute the chain hash of the last record: only the next record needs it."""
        if self._unhashed is not None:
            self._place.previous_hash = chain_hash(self._unhashed)
            self._unhashed = None

    def reader(self, after: int = 0) -> FileReader:
        """Reads durable records with numbers above `after`, in order."""
        return FileReader(self._disk, self._directory, self._segment.header.shard, after)

    def close(self) -> None:
        """Release files and the lock."""
        self._spare.close()
        self._segment.close()
        self._disk.close(self._lock)

    def _roll_over(self) -> None:
        self.settle()
        place, old = self._place, self._segment.header
        header = SegmentHeader(
            old.shard,
            self._epoch,
            place.number,
            old.segment_bytes,
            place.previous_hash,
            os.urandom(8),
        )
        path = self._directory / segment_name(place.number)
        fd = self._spare.take()
        try:
            self._disk.write_all(fd, [header.page()], 0)
            self._disk.fdatasync(fd)
            self._disk.rename(self._spare.path, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._disk.close(fd)
                self._disk.unlink(self._spare.path)
            self._spare.failed(error)
            raise JournalUnavailable(path, error) from error
        try:
            self._disk.sync_directory(self._directory)
        except OSError as error:
            self._broken = True
            raise JournalWriteFailed(path.name, 0, error) from error
        self._disk.close(fd)
        self._segment.close()
        self._segment = Segment.open(self._disk, path, old.shard, write=True)
        place.offset = PAGE


def _create_first(disk: Disk, directory: Path, shard: int, epoch: int, size: int) -> None:
    spare = SparePreparer(disk, directory, size)
    fd = make_zeroed(disk, spare.path, size)
    try:
        header = SegmentHeader(shard, epoch, 1, size, NO_HASH, os.urandom(8))
        disk.write_all(fd, [header.page()], 0)
        disk.fdatasync(fd)
        disk.rename(spare.path, directory / segment_name(1))
        disk.sync_directory(directory)
    finally:
        disk.close(fd)
        disk.unlink(spare.path)


def _open_last(disk: Disk, directory: Path, shard: int, epoch: int | None) -> tuple[Segment, Place]:
    """Check all header pages, walk the last segment, cut its torn tail; ready for appending."""
    paths = list_segments(directory)
    for path in paths[:-1]:
        Segment.open(disk, path, shard).close()
    segment = Segment.open(disk, paths[-1], shard, write=True)
    try:
        place, last, torn = find_end(segment)
        if epoch is not None and place.epoch > epoch:
            raise JournalFenced(segment.name, epoch, place.epoch)
        if torn or segment.size < segment.header.segment_bytes:
            _cut(segment, place, torn)
        if last is not None:
            _write_again(segment, last, place)
    except BaseException:
        segment.close()
        raise
    return segment, place


def find_end(segment: Segment) -> tuple[Place, int | None, int]:
    """Walk the last segment: the next place, where the last record is, bytes of a torn one."""
    place, last, flaw = segment.start(), None, None
    try:
        for record in segment.scan(place):
            last = record.offset
    except Flaw as found:
        flaw = found
    return place, last, torn_bytes(segment, place, flaw)


def _write_again(segment: Segment, last: int, place: Place) -> None:
    """Make sure the last record is durable before anything is built on it.

    The process that wrote it may have died before its sync, or because of it: then the page cache
    shows bytes that the disk does not have and that no later sync would write.
    """
    record = segment.disk.read(segment.fd, place.offset - last, last)
    segment.disk.write_all(segment.fd, [record], last)
    segment.disk.fdatasync(segment.fd)


def _cut(segment: Segment, place: Place, torn: int) -> None:
    """Overwrite the torn record with zeros, and give a shortened file its full size again."""
    log.warning(
        "journal segment %s: torn record %d cut at byte %d (%d bytes); it was never acknowledged",
        segment.name,
        place.number,
        place.offset,
        torn,
    )
    disk, size = segment.disk, segment.header.segment_bytes
    end = size if segment.size < size else -(-(place.offset + torn) // ALIGN) * ALIGN
    disk.allocate(segment.fd, size)
    disk.write_all(segment.fd, [bytes(end - place.offset)], place.offset)
    disk.fdatasync(segment.fd)
