"""Tells the torn end that a crash leaves from damage: the first is cut, the second refused.

What a crash can leave. A batch is one record, written with one vectored write and then synced; the
next is written only after that sync returned. So at any moment at most ONE record is not durable,
it is the last of the last segment, it was never acknowledged, and behind it there are only the
zeros the segment was prepared with. A crash may keep any part of it: a prefix (the process died
inside the write), or any subset of its sectors (power went before the sync), also none of the
first but some of the later ones. It cannot change an earlier record: sectors it shares with the
record before are rewritten with the same bytes there.

So, looking at the first bytes that are not the next record of the chain:

- Not in the last segment: damage. A segment is left only when all its records are durable.
- A record with a right checksum stands there (wrong number, hash or epoch): damage. It was written
  whole, and not by us in this place.
- A record with a right checksum stands anywhere behind: damage. It was written after the broken one
  was durable. The checksum starts from random bytes of the segment, so the contents of a torn
  record, which a client may choose, cannot imitate one.
- Only zeros: the clean end.
- Anything else: the torn record. Cut, with a warning.

One case cannot be told apart by looking at the journal alone: damage to the very last record after
it was acknowledged looks like a torn write. It is told apart by the snapshots: one that covers a
record beyond the end of the journal proves that an acknowledged record is gone, and recovery
refuses (see `recovery`). A clean stop writes a final snapshot.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from .errors import JournalDamaged
from .format import ALIGN
from .segment import Flaw, Place, Segment, record_is_whole

# A record header is one aligned block of eight words; the record number is the second.
_WORDS: Final = ALIGN // 8
_NUMBER_WORD: Final = 1
_ZEROS: Final = bytes(1 << 16)


def _used(data: bytes) -> int:
    """Bytes up to the last one that is not zero; compared in pieces, which is quicker to start."""
    end = len(data)
    while data.endswith(_ZEROS, 0, end):
        end -= len(_ZEROS)
    return len(data[:end].rstrip(b"\0"))


def torn_bytes(segment: Segment, place: Place, flaw: Flaw | None) -> int:
    """Bytes of a torn record behind `place` in the last segment, 0 for a clean end.

    Raises JournalDamaged when a crash cannot have left this.
    """
    data = segment.rest(place.offset)
    # A shorter file is a cut tail as well; a longer one nobody of us wrote.
    if segment.size > segment.header.segment_bytes:
        raise JournalDamaged(segment.name, segment.header.segment_bytes, "bytes behind the end")
    used = _used(data)
    view = memoryview(data)
    if flaw is not None and record_is_whole(segment.seed, view):
        raise segment.damaged(flaw)
    later = _later_record(segment.seed, place.number, view, used)
    if later is not None:
        reason = flaw.reason if flaw else "record is missing"
        behind = f"and a whole record stands behind it at byte {place.offset + later}"
        raise JournalDamaged(segment.name, place.offset, f"{reason}, {behind}")
    return used


def _later_record(seed: int, number: int, data: memoryview, used: int) -> int | None:
    """Where in `data` a whole record with a number above `number` starts; `used`: the rest is 0."""
    rows = min(-(-used // ALIGN), len(data) // ALIGN)
    words = np.frombuffer(data, "<u8", rows * _WORDS).reshape(rows, _WORDS)
    numbers = words[:, _NUMBER_WORD]
    likely = (numbers > number) & (numbers <= number + rows)
    for row in np.flatnonzero(likely):
        at = int(row) * ALIGN
        if record_is_whole(seed, data[at:]):
            return at
    return None
