"""The bytes of a journal segment: a header page, then records, then zeros up to the fixed size.

All numbers little-endian. A segment is named after its first record number and has `SEGMENT_BYTES`:

    0      page of 4096: magic, format, wire version, shard, epoch, first record, segment size,
           chain hash before the first record, 8 random bytes; CRC32C in the last four
    4096   records, each starting on a multiple of 64:
               length of the payload  u32     0: no record here, nor behind it
               CRC32C                 u32     over header (this field 0), payload and padding
               record number          u64     1, 2, … over all segments
               epoch                  u64     of the writer; never falls
               first input_seq        u64     that the payload's first input is to get
               inputs                 u32     in the payload
               flags                  u32     0
               time                   i64     ns; the `ts` of the batch
               previous hash          16      BLAKE2b-128 of the whole record before (unpadded)
               payload                        the packed inputs of one batch
               padding                        zeros up to the next multiple of 64
    …      zeros

The CRC of a record starts from the CRC of its segment's header page. The random bytes there make
it impossible to hide something that looks like a record inside a payload. The hash covers the
header with the hash before it, so changing any byte of history changes every later hash.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tradeloom._core import WIRE_VERSION, crc32c

FORMAT_VERSION: Final = 1
MAGIC: Final = b"TLJOURN\0"
PAGE: Final = 4096
ALIGN: Final = 64
HASH_BYTES: Final = 16
NO_HASH: Final = bytes(HASH_BYTES)
SUFFIX: Final = ".tlj"

_HEADER = struct.Struct("<8sHHHHQQQ16s8s")
_CRC = struct.Struct("<I")
RECORD: Final = struct.Struct("<IIQQQIIq16s")
_ZEROS: Final = bytes(ALIGN)
assert RECORD.size == ALIGN  # noqa: S101 - the two are one number in the format


def segment_name(first_record: int) -> str:
    """File name of the segment that starts with this record."""
    return f"{first_record:020d}{SUFFIX}"


def padded(length: int) -> int:
    """Bytes a record with this payload takes in the segment."""
    return (RECORD.size + length + ALIGN - 1) & -ALIGN


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What the first page of a segment says."""

    shard: int
    epoch: int
    first_record: int
    segment_bytes: int
    previous_hash: bytes
    salt: bytes
    format: int = FORMAT_VERSION
    wire: int = WIRE_VERSION

    def page(self) -> bytes:
        """The header as it stands in the file."""
        head = _HEADER.pack(
            MAGIC,
            self.format,
            self.wire,
            self.shard,
            0,
            self.epoch,
            self.first_record,
            self.segment_bytes,
            self.previous_hash,
            self.salt,
        )
        page = head.ljust(PAGE - _CRC.size, b"\0")
        return page + _CRC.pack(crc32c(page))


def page_crc(page: bytes) -> int | None:
    """The CRC the records of this segment start from; None when the page itself is damaged."""
    if len(page) != PAGE:
        return None
    found: int = _CRC.unpack_from(page, PAGE - _CRC.size)[0]
    return found if crc32c(page[: -_CRC.size]) == found else None


def has_magic(page: bytes) -> bool:
    """True when the page starts like a segment."""
    return page.startswith(MAGIC)


def parse_page(page: bytes) -> SegmentHeader:
    """Read a header page that `page_crc` found whole."""
    _, fmt, wire, shard, _, epoch, first, size, previous, salt = _HEADER.unpack_from(page)
    return SegmentHeader(shard, epoch, first, size, previous, salt, fmt, wire)


def record_buffers(
    seed: int,
    number: int,
    epoch: int,
    first_seq: int,
    inputs: int,
    ts: int,
    previous_hash: bytes,
    payload: bytes,
) -> list[bytes]:
    """Header, payload and padding of a record, ready for one vectored write."""
    length = len(payload)
    bare = RECORD.pack(length, 0, number, epoch, first_seq, inputs, 0, ts, previous_hash)
    padding = _ZEROS[: -(RECORD.size + length) % ALIGN]
    crc = crc32c(payload, crc32c(bare, seed))
    if padding:
        crc = crc32c(padding, crc)
    header = RECORD.pack(length, crc, number, epoch, first_seq, inputs, 0, ts, previous_hash)
    return [header, payload, padding] if padding else [header, payload]


def record_crc(seed: int, record: bytes) -> int:
    """CRC of a padded record as found in a file."""
    return crc32c(record[8:], crc32c(record[:4] + _ZEROS[:4], seed))


def chain_hash(buffers: Sequence[bytes]) -> bytes:
    """Hash of a record: its header, with the hash before it inside, and its payload."""
    digest = hashlib.blake2b(digest_size=HASH_BYTES)
    for buffer in buffers:
        digest.update(buffer)
    return digest.digest()
