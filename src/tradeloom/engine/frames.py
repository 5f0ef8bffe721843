"""Cuts packed inputs into records, joins submissions into a batch, and stamps their time.

The bytes come from callers, so their framing is checked before they are joined: one wrong length
must not shift what stands behind it. What is *in* a record is the core's to judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .limits import RECORD_BYTES_MAX
from .records import CLOCK_KIND, COMMAND_HEADER, INPUT_HEADER, QUOTE_KIND

_HEAD: Final = INPUT_HEADER.size
_COMMAND: Final = INPUT_HEADER.size + COMMAND_HEADER.size
# Kinds up to this define things and open and close accounts.
_ADMIN_KIND_MAX: Final = 22
_UNANSWERED: Final = (QUOTE_KIND, CLOCK_KIND)
_LENGTH: Final = 4
# Below this many records a plain loop is quicker than setting up numpy.
_FEW: Final = 16
CLOCK: Final = INPUT_HEADER.pack(_HEAD, CLOCK_KIND, 0, 0)


class MalformedInput(ValueError):  # noqa: N818 - the name says what it is
    """Bytes that are not packed inputs: `offset` and `reason`. Nothing was done with them."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"malformed input at byte {offset}: {reason}")
        self.offset = offset
        self.reason = reason


def count(packed: bytes) -> int:
    """Number of records in `packed`; raises MalformedInput when it is not whole records."""
    size = len(packed)
    if size < _HEAD:
        raise MalformedInput(0, f"{size} bytes are less than a record header")
    first: int
    first, kind, flags, _ = INPUT_HEADER.unpack_from(packed)
    if first == size:
        if flags or kind <= CLOCK_KIND or size < _COMMAND or size & 7 or size > RECORD_BYTES_MAX:
            _check(packed, 0)
        return 1
    if first >= _HEAD and size >= _FEW * first and _uniform(packed, first):
        _check(packed, 0)
        return size // first
    return len(walk(packed))


def walk(packed: bytes | bytearray) -> list[int]:
    """Offset of every record; raises MalformedInput."""
    size, at, offsets = len(packed), 0, []
    while at < size:
        offsets.append(at)
        at += _check(packed, at)
    return offsets


def _check(packed: bytes | bytearray, at: int) -> int:
    """The length of the record at `at`, which must be one the core would read."""
    left = len(packed) - at
    if left < _HEAD:
        raise MalformedInput(at, f"{left} bytes are less than a record header")
    length, kind, flags, _ = INPUT_HEADER.unpack_from(packed, at)
    least = _HEAD if kind in _UNANSWERED else _COMMAND
    if length < least or length & 7 or length > RECORD_BYTES_MAX:
        raise MalformedInput(at, f"record length {length}")
    if length > left:
        raise MalformedInput(at, f"record of {length} bytes, {left} are there")
    if flags:
        raise MalformedInput(at, f"flags {flags:#x}")
    return int(length)


def _uniform(packed: bytes | bytearray, length: int) -> bool:
    """True when all records have this length, and the kind and flags of the first."""
    if length & 7 or len(packed) % length:
        return False
    words = np.frombuffer(packed, "<u8")[:: length // 8]
    return bool((words == words[0]).all())


class Batch:
    """Submissions joined in order: `size` inputs; `starts`: the index of each one's first."""

    __slots__ = ("buffer", "offsets", "size", "starts")

    def __init__(self, submissions: Sequence[bytes], counts: Sequence[int]) -> None:
        self.buffer = bytearray().join(submissions)
        self.starts = [0, *accumulate(counts)]
        self.size = self.starts[-1]
        self.offsets = self._offsets(submissions)

    def _offsets(self, submissions: Sequence[bytes]) -> list[int] | NDArray[np.int64]:
        if self.size == len(submissions):
            return _indexable([0, *accumulate(map(len, submissions))][:-1])
        first = int.from_bytes(self.buffer[:_LENGTH], "little")
        same = self.size >= _FEW and first * self.size == len(self.buffer)
        if same and _uniform(self.buffer, first):
            return np.arange(0, len(self.buffer), first)
        return _indexable(walk(self.buffer))

    def stamp(self, ts: int) -> None:
        """Set the time of every input."""
        if self.size < _FEW:
            raw = ts.to_bytes(8, "little")
            for at in self.offsets:
                self.buffer[at + 8 : at + 16] = raw
            return
        words = np.frombuffer(self.buffer, "<i8")
        words[np.asarray(self.offsets) // 8 + 1] = ts

    def part(self, first: int, end: int) -> bytes:
        """Inputs `first` to `end`, packed."""
        if first == 0 and end == self.size:
            return bytes(self.buffer)
        last = self.offsets[end] if end < self.size else len(self.buffer)
        return bytes(self.buffer[self.offsets[first] : last])

    def fitting(self, first: int, size: int) -> int:
        """The end of the inputs from `first` on that take at most `size` bytes; at least one."""
        if len(self.buffer) - self.offsets[first] <= size:
            return self.size
        end = int(np.searchsorted(np.asarray(self.offsets), self.offsets[first] + size, "right"))
        return max(first + 1, end - 1)

    def commands(self, first: int, end: int) -> int:
        """How many of these inputs are commands, which always have an answer."""
        if end - first < _FEW:
            kinds = (self.buffer[at + 4] for at in self.offsets[first:end])
            return sum(kind not in _UNANSWERED for kind in kinds)
        return int((self._kinds(first, end) > CLOCK_KIND).sum())

    def cut(self, first: int, end: int, refused: NDArray[np.int64]) -> int | None:
        """The first of the `refused` inputs that one before it, from `first` on, may make possible.

        None when no administrative input that is to be admitted stands before a refused one.
        """
        kinds = self._kinds(first, end)
        admin = first + np.flatnonzero((kinds > CLOCK_KIND) & (kinds <= _ADMIN_KIND_MAX))
        admin = np.setdiff1d(admin, refused, assume_unique=True)
        if not admin.size:
            return None
        later = refused[refused > admin[0]]
        return int(later[0]) if later.size else None

    def _kinds(self, first: int, end: int) -> NDArray[np.uint16]:
        words: NDArray[np.uint16] = np.frombuffer(self.buffer, np.uint16)
        kinds: NDArray[np.uint16] = words[np.asarray(self.offsets[first:end]) // 2 + 2]
        return kinds


def _indexable(offsets: list[int]) -> list[int] | NDArray[np.int64]:
    return offsets if len(offsets) < _FEW else np.asarray(offsets)


assert CLOCK_KIND > QUOTE_KIND  # noqa: S101 - commands() counts kinds above both
