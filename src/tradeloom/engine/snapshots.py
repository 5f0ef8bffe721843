"""Snapshot files: the state after a durable record, so that a restart replays only what came later.

A snapshot is written beside the journal as `<record number>.tls`: a header of 256 bytes, then the
core's own snapshot. It names the journal record it stands behind and the chain hash there, so it
can only be used with the journal it came from. Written to a temporary name, synced, renamed.
"""

from __future__ import annotations

import hashlib
import logging
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from tradeloom._core import WIRE_VERSION, Core, crc32c

from .journal import Disk, JournalTooNew, JournalUnavailable
from .journal.format import SUFFIX as SEGMENT_SUFFIX
from .limits import SNAPSHOTS_KEPT

log = logging.getLogger(__name__)

SUFFIX: Final = ".tls"
# One name for all: a crash leaves at most one, and the next snapshot replaces it.
DRAFT_NAME: Final = "next-snapshot.new"
FORMAT_VERSION: Final = 1
_MAGIC: Final = b"TLSNAPS\0"
_HEADER: Final = struct.Struct("<8sHHHHQQQqQ16s32s32s")
_CRC: Final = struct.Struct("<I")
_PAGE: Final = 256


class SnapshotDamaged(Exception):  # noqa: N818
    """A snapshot `file` is not as it was written. An older one, or none at all, will do."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"snapshot damaged: {file}: {reason}")
        self.file = file
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SnapshotHeader:
    """What a snapshot says of itself. `record`: number of the last journal record it contains."""

    shard: int
    record: int
    input_seq: int
    event_seq: int
    now: int
    length: int
    journal_hash: bytes
    payload_sha256: bytes
    state_hash: bytes
    format: int = FORMAT_VERSION
    wire: int = WIRE_VERSION

    def page(self) -> bytes:
        """The header as it stands in the file."""
        head = _HEADER.pack(
            _MAGIC,
            self.format,
            self.wire,
            self.shard,
            0,
            self.record,
            self.input_seq,
            self.event_seq,
            self.now,
            self.length,
            self.journal_hash,
            self.payload_sha256,
            self.state_hash,
        ).ljust(_PAGE - _CRC.size, b"\0")
        return head + _CRC.pack(crc32c(head))


def parse_header(page: bytes, file: str) -> SnapshotHeader:
    """Read and check the header page; raises SnapshotDamaged or JournalTooNew."""
    if len(page) < _PAGE or not page.startswith(_MAGIC):
        raise SnapshotDamaged(file, "not a snapshot")
    head = page[: _PAGE - _CRC.size]
    if _CRC.unpack_from(page, len(head))[0] != crc32c(head):
        raise SnapshotDamaged(file, "checksum of the header differs")
    (_, fmt, wire, shard, _, *numbers, journal_hash, sha, state) = _HEADER.unpack_from(head)
    if fmt > FORMAT_VERSION:
        raise JournalTooNew(file, "snapshot format", fmt, FORMAT_VERSION)
    if wire > WIRE_VERSION:
        raise JournalTooNew(file, "record", wire, WIRE_VERSION)
    record, input_seq, event_seq, now, length = numbers
    return SnapshotHeader(
        shard, record, input_seq, event_seq, now, length, journal_hash, sha, state, fmt, wire
    )


class SnapshotStore:
    """The snapshots in a journal directory. `retain`: `all` keeps every journal segment,
    `snapshots` deletes the segments that only matter for states older than the oldest snapshot."""

    def __init__(
        self,
        directory: Path | str,
        shard: int = 0,
        *,
        retain: str = "all",
        keep: int = SNAPSHOTS_KEPT,
        disk: Disk | None = None,
    ) -> None:
        if retain not in ("all", "snapshots"):
            raise ValueError(f"retain must be 'all' or 'snapshots', not {retain!r}")
        self._directory = Path(directory)
        self._shard = shard
        self._retain = retain
        self._keep = keep
        self._disk = disk or Disk()

    def paths(self) -> list[Path]:
        """The snapshot files, newest first."""
        return sorted(self._directory.glob("*" + SUFFIX), reverse=True)

    def save(self, core: Core, record: int, journal_hash: bytes) -> Path:
        """Write the state of `core` as the snapshot behind `record`; raises JournalUnavailable."""
        payload = core.snapshot()
        header = SnapshotHeader(
            self._shard,
            record,
            core.input_seq,
            core.event_seq,
            core.now,
            len(payload),
            journal_hash,
            hashlib.sha256(payload).digest(),
            core.state_hash(),
        )
        path = self._directory / f"{record:020d}{SUFFIX}"
        draft = self._directory / DRAFT_NAME
        disk = self._disk
        try:
            disk.unlink(draft)
            fd = disk.open(draft, create=True)
            try:
                disk.write_all(fd, [header.page(), payload], 0)
                disk.fdatasync(fd)
            finally:
                disk.close(fd)
            disk.rename(draft, path)
            disk.sync_directory(self._directory)
            self._tidy()
        except OSError as error:
            raise JournalUnavailable(path, error) from error
        return path

    def header(self, path: Path) -> SnapshotHeader:
        """Only the header of a snapshot."""
        fd = self._disk.open(path, write=False)
        try:
            return parse_header(self._disk.read(fd, _PAGE, 0), path.name)
        finally:
            self._disk.close(fd)

    def load(self, path: Path) -> tuple[Core, SnapshotHeader]:
        """The core as it was; raises SnapshotDamaged or JournalTooNew."""
        fd = self._disk.open(path, write=False)
        try:
            header = parse_header(self._disk.read(fd, _PAGE, 0), path.name)
            payload = self._disk.read(fd, self._disk.size(fd) - _PAGE, _PAGE)
        except OSError as error:
            raise SnapshotDamaged(path.name, str(error)) from error
        finally:
            self._disk.close(fd)
        if header.shard != self._shard:
            raise SnapshotDamaged(path.name, f"belongs to shard {header.shard}")
        if path.stem != f"{header.record:020d}":
            raise SnapshotDamaged(path.name, f"stands behind record {header.record}")
        if len(payload) != header.length:
            raise SnapshotDamaged(path.name, f"{len(payload)} bytes of {header.length}")
        if hashlib.sha256(payload).digest() != header.payload_sha256:
            raise SnapshotDamaged(path.name, "checksum differs")
        try:
            core = Core.restore(payload)
        except ValueError as error:
            raise SnapshotDamaged(path.name, str(error)) from error
        if core.state_hash() != header.state_hash:
            raise SnapshotDamaged(path.name, "state hash differs")
        return core, header

    def _tidy(self) -> None:
        """Keep the newest snapshots, and the journal from the oldest of them on if so told."""
        paths = self.paths()
        for path in paths[self._keep :]:
            self._disk.unlink(path)
        if self._retain == "all" or len(paths) < self._keep:
            return
        oldest = int(paths[: self._keep][-1].stem)
        segments = sorted(self._directory.glob("*" + SEGMENT_SUFFIX))
        # A segment may go when the next one starts at or before the first record still needed.
        for segment, following in pairwise(segments):
            if int(following.stem) <= oldest + 1:
                self._disk.unlink(segment)
