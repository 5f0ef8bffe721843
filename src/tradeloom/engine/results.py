"""Takes the RESULT events out of what the core returned and deals them out to their submissions.

Events have different lengths, so finding the RESULTs means walking the records one after another.
For large batches that walk is replaced by one vectorised search for words that look like the head
of a RESULT. A price could look like one too; but every RESULT is among the finds and their number
is known (one per command, and more only when a quote was refused), so the finds are exact when the
numbers agree. If they do not, we walk.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .records import COMMAND_HEADER, EVENT_HEADER, EVENTS, INPUT_HEADER, event_dtype

_NAME: Final = next(name for name, record in EVENTS.items() if record.kind == 1)
RESULT: Final = event_dtype(_NAME)
RESULT_BYTES: Final = RESULT.itemsize
_STRUCT: Final = struct.Struct("<IHHQqQIHHQQ32s")
RESULT_KIND: Final = 1
_HEAD: Final = RESULT_BYTES | RESULT_KIND << 32
# `index` is the first field behind the event header.
_INDEX_WORD: Final = EVENT_HEADER.size // 4
_HEAD_MASK: Final = (1 << 48) - 1
_ROW: Final = np.dtype((np.void, RESULT_BYTES))
REFUSED: Final = 1

Results = NDArray[np.void]


def refuse(packed: bytes | bytearray, code: int, field: int, ts: int) -> bytes:
    """A refusal for every input in `packed`: `code`, and the `field` it is about."""
    answers, at, index = [], 0, 0
    while at < len(packed):
        length, kind = INPUT_HEADER.unpack_from(packed, at)[:2]
        account, name = 0, b""
        if kind > 2 and length >= INPUT_HEADER.size + COMMAND_HEADER.size:
            account, name = COMMAND_HEADER.unpack_from(packed, at + INPUT_HEADER.size)
        answers.append(one_refusal(index, code, field, account, name, ts))
        index += 1
        at += length
    return b"".join(answers)


def one_refusal(index: int, code: int, field: int, account: int, name: bytes, ts: int) -> bytes:
    """A RESULT that refuses input number `index`."""
    return _STRUCT.pack(RESULT_BYTES, 1, REFUSED, 0, ts, 0, index, code, field, account, 0, name)


def walk(events: bytes) -> bytes:
    """The RESULT events among `events`, by walking all of them."""
    found = [at for at, kind in _walk(events) if kind == RESULT_KIND]
    return b"".join([events[at : at + RESULT_BYTES] for at in found])


def _walk(events: bytes) -> Iterator[tuple[int, int]]:
    """Offset and kind of every event."""
    at, size = 0, len(events)
    while at < size:
        length, kind = EVENT_HEADER.unpack_from(events, at)[:2]
        yield at, kind
        at += length


def places(events: bytes, expected: int) -> NDArray[np.int64]:
    """The byte offset of every RESULT; `expected`: how many there are at least."""
    words = np.frombuffer(events, "<u8")
    # Without the topmost bits, the flags: every RESULT must be among the finds.
    heads = np.flatnonzero((words & _HEAD_MASK) == _HEAD)
    if heads.size == expected:
        return heads * 8
    return np.asarray([at for at, kind in _walk(events) if kind == RESULT_KIND], np.int64)


def results(events: bytes, expected: int) -> Results:
    """The RESULT events as rows that may be changed; `expected`: how many there are at least."""
    if not events:
        return np.empty(0, RESULT)
    # Every place where a RESULT could start, as overlapping rows; taking copies the real ones.
    starts = (len(events) - RESULT_BYTES) // 8 + 1
    rows = np.ndarray((max(0, starts),), _ROW, events, strides=(8,))
    return rows[places(events, expected) // 8].view(RESULT)


def renumbered(events: bytes, expected: int, indices_: NDArray[np.int64]) -> bytes:
    """The events with `indices_[index]` for the `index` of each RESULT."""
    changed = bytearray(events)
    words = np.frombuffer(changed, "<u4")
    at = places(events, expected) // 4 + _INDEX_WORD
    words[at] = indices_[words[at]]
    return bytes(changed)


def deal(starts: Sequence[int], rows: Sequence[Results]) -> list[bytes]:
    """The answers of each submission, `index` counted from the submission's own first input.

    `starts`: first batch index of each submission and the total. `rows`: RESULTs with batch index.
    """
    if len(rows) == 1:
        merged = rows[0]
    else:
        merged = np.concatenate([np.empty(0, RESULT), *rows])
        merged = merged[np.argsort(merged["index"], kind="stable")]
    bounds = np.asarray(starts)
    cuts = np.searchsorted(merged["index"], bounds)
    merged["index"] -= np.repeat(bounds[:-1], np.diff(cuts)).astype(np.uint32)
    packed = merged.tobytes()
    return [packed[a:b] for a, b in pairwise((cuts * RESULT_BYTES).tolist())]


def indices(refused: bytes) -> NDArray[np.int64]:
    """Which inputs these RESULTs are about, ascending."""
    return np.frombuffer(refused, RESULT)["index"].astype(np.int64)


assert _STRUCT.size == RESULT_BYTES  # noqa: S101 - the layout table and refuse() agree
