"""Reads one segment: its header page, then its records one by one, checking everything.

A `Place` is where a chain of records has got to. `scan` moves it forward record by record and
raises `Flaw` at the first bytes that cannot be the next record; what a flaw means depends on what
stands behind it and is decided in `tail`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tradeloom._core import WIRE_VERSION

from ..limits import READ_CHUNK_BYTES, RECORD_PAYLOAD_BYTES_MAX
from .contract import Record
from .disk import Disk
from .errors import JournalDamaged, JournalTooNew
from .format import (
    ALIGN,
    FORMAT_VERSION,
    PAGE,
    RECORD,
    SUFFIX,
    SegmentHeader,
    chain_hash,
    has_magic,
    padded,
    page_crc,
    parse_page,
    record_crc,
)

_NAME: Final = re.compile(r"[0-9]{20}" + re.escape(SUFFIX))
_NOTHING: Final = bytes(RECORD.size)


class Flaw(Exception):  # noqa: N818 - not an error yet: `tail` decides
    """Bytes at `offset` that are not the next record, and why not."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


@dataclass(slots=True)
class Place:
    """The next record of a chain: its number, where it must stand, and what it must say.

    Its first input_seq is in `seq_range`: an input that became impossible through one before it in
    the same batch is journaled and then leaves no trace, so a batch may count less than it holds.
    """

    number: int
    epoch: int
    previous_hash: bytes
    offset: int = PAGE
    seq_range: tuple[int, int] = (1, 1 << 63)


def list_segments(directory: Path) -> list[Path]:
    """The segment files of a journal, oldest first; refuses a stray `.tlj` file."""
    paths = sorted(directory.glob("*" + SUFFIX))
    for path in paths:
        if not _NAME.fullmatch(path.name):
            raise JournalDamaged(path.name, 0, "not the name of a segment")
    return paths


@dataclass(frozen=True, slots=True)
class Segment:
    """An opened segment: file descriptor, header and the CRC its records start from."""

    disk: Disk
    fd: int
    name: str
    header: SegmentHeader
    seed: int
    size: int

    @classmethod
    def open(cls, disk: Disk, path: Path, shard: int | None, *, write: bool = False) -> Segment:
        """Open and check a segment, of any shard if None; raises JournalDamaged, JournalTooNew."""
        fd = disk.open(path, write=write)
        try:
            page = disk.read(fd, PAGE, 0)
            return cls(disk, fd, path.name, *_check_page(page, path.name, shard), disk.size(fd))
        except BaseException:
            disk.close(fd)
            raise

    def start(self) -> Place:
        """The place of the first record."""
        head = self.header
        return Place(head.first_record, head.epoch, head.previous_hash)

    def close(self) -> None:
        """Close the file."""
        self.disk.close(self.fd)

    def rest(self, offset: int) -> bytes:
        """Everything from `offset` to the end."""
        return self.disk.read(self.fd, max(0, self.size - offset), offset)

    def check_left(self, place: Place) -> None:
        """Make sure that a segment which is not the last has its size and only zeros left."""
        if self.size != self.header.segment_bytes:
            raise JournalDamaged(self.name, min(self.size, place.offset), "segment is cut off")
        junk = self.rest(place.offset).lstrip(b"\0")
        if junk:
            raise JournalDamaged(self.name, self.size - len(junk), "bytes behind the last record")

    def check_follows(self, place: Place) -> None:
        """Make sure that this segment continues the chain at `place`."""
        if self.header.previous_hash != place.previous_hash:
            raise JournalDamaged(self.name, 0, "hash chain is broken")
        if self.header.epoch < place.epoch:
            raise JournalDamaged(self.name, 0, f"epoch {self.header.epoch} after {place.epoch}")

    def damaged(self, flaw: Flaw) -> JournalDamaged:
        """The flaw as an error that names this segment."""
        return JournalDamaged(self.name, flaw.offset, flaw.reason)

    def scan(self, place: Place, upto: int | None = None) -> Iterator[Record]:
        """Yield the records from `place` on, moving it; stops at zeros or behind number `upto`."""
        window, base = b"", place.offset
        end = self.header.segment_bytes
        while upto is None or place.number <= upto:
            at = place.offset - base
            if len(window) - at < RECORD.size:
                window, base, at = self._window(place.offset, READ_CHUNK_BYTES), place.offset, 0
                if len(window) < RECORD.size:
                    if any(window):
                        raise Flaw(place.offset, "record header is cut off")
                    return
            fields = RECORD.unpack_from(window, at)
            length, crc, number, epoch, seq, inputs, flags, ts, previous = fields
            if not length:
                if window[at : at + RECORD.size] != _NOTHING:
                    raise Flaw(place.offset, "record without length")
                return
            space = padded(length)
            if length > RECORD_PAYLOAD_BYTES_MAX or place.offset + space > end:
                raise Flaw(place.offset, f"impossible record length {length}")
            if len(window) - at < space:
                count = max(space, READ_CHUNK_BYTES)
                window, base, at = self._window(place.offset, count), place.offset, 0
                if len(window) < space:
                    raise Flaw(place.offset, "record is cut off")
            whole = window[at : at + space]
            if record_crc(self.seed, whole) != crc:
                raise Flaw(place.offset, "checksum differs")
            _check_chain(place, number, epoch, seq, flags, previous)
            used = whole[: RECORD.size + length]
            payload = used[RECORD.size :]
            record = Record(number, epoch, seq, inputs, ts, payload, self.name, place.offset)
            place.previous_hash = chain_hash([used])
            place.number, place.seq_range = number + 1, (seq, seq + inputs)
            place.epoch, place.offset = epoch, place.offset + space
            yield record

    def _window(self, offset: int, count: int) -> bytes:
        return self.disk.read(self.fd, min(count, self.header.segment_bytes - offset), offset)


def record_is_whole(seed: int, data: memoryview) -> bool:
    """True when `data` starts with a record whose checksum is right."""
    if len(data) < RECORD.size:
        return False
    length: int
    crc: int
    length, crc = RECORD.unpack_from(data)[:2]
    space = padded(length)
    if not 0 < length <= RECORD_PAYLOAD_BYTES_MAX or space > len(data):
        return False
    return record_crc(seed, bytes(data[:space])) == crc


def _check_chain(
    place: Place, number: int, epoch: int, seq: int, flags: int, previous: bytes
) -> None:
    if number != place.number:
        raise Flaw(place.offset, f"record {number} where {place.number} must be")
    if previous != place.previous_hash:
        raise Flaw(place.offset, "hash chain is broken")
    if epoch < place.epoch:
        raise Flaw(place.offset, f"epoch {epoch} after {place.epoch}")
    least, most = place.seq_range
    if not least <= seq <= most:
        raise Flaw(place.offset, f"first input {seq} where {least} to {most} must be")
    if flags:
        raise Flaw(place.offset, f"unknown flags {flags:#x}")


def _check_page(page: bytes, name: str, shard: int | None) -> tuple[SegmentHeader, int]:
    if len(page) < PAGE:
        raise JournalDamaged(name, len(page), "header page is cut off")
    if not has_magic(page):
        raise JournalDamaged(name, 0, "not a journal segment")
    seed = page_crc(page)
    if seed is None:
        raise JournalDamaged(name, 0, "checksum of the header page differs")
    header = parse_page(page)
    if header.format > FORMAT_VERSION:
        raise JournalTooNew(name, "format", header.format, FORMAT_VERSION)
    if header.wire > WIRE_VERSION:
        raise JournalTooNew(name, "record", header.wire, WIRE_VERSION)
    if shard is not None and header.shard != shard:
        raise JournalDamaged(name, 0, f"belongs to shard {header.shard}, not to {shard}")
    if name != f"{header.first_record:020d}{SUFFIX}":
        raise JournalDamaged(name, 0, f"starts with record {header.first_record}")
    if header.segment_bytes % ALIGN or header.segment_bytes <= PAGE:
        raise JournalDamaged(name, 0, f"impossible segment size {header.segment_bytes}")
    return header, seed
