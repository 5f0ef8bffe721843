"""Marks: which frames were handled, as ranges of `seq` per producer.

Stored in the same transaction as what was made of the frames, they make "delivered at least once"
into "handled exactly once", in any order and by any number of readers. Frames come nearly in
order, so a producer has one range, and one more for every gap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from ..limits import PRODUCERS_MAX, RANGES_MAX

Ranges = list[list[int]]
"""First and last seq, both included, in order, never touching."""


class Marks:
    """The frames of one stream that one reader (or group of readers) has handled."""

    def __init__(self, ranges: Mapping[str, Sequence[Sequence[int]]] | None = None) -> None:
        self._ranges: Final[dict[str, Ranges]] = {
            producer: [list(each) for each in found] for producer, found in (ranges or {}).items()
        }

    def __contains__(self, mark: tuple[str, int]) -> bool:
        producer, seq = mark
        found = self._ranges.get(producer)
        if not found:
            return False
        at = bisect_right(found, seq, key=_first) - 1
        return at >= 0 and seq <= found[at][1]

    def add(self, producer: str, seq: int) -> bool:
        """Mark a frame; False if it was marked before."""
        found = self._ranges.get(producer)
        if found is None:
            if len(self._ranges) >= PRODUCERS_MAX:
                del self._ranges[next(iter(self._ranges))]
            self._ranges[producer] = [[seq, seq]]
            return True
        if seq == found[-1][1] + 1:
            found[-1][1] = seq
            return True
        at = bisect_right(found, seq, key=_first)
        if at and seq <= found[at - 1][1]:
            return False
        touches_left = at > 0 and found[at - 1][1] == seq - 1
        touches_right = at < len(found) and found[at][0] == seq + 1
        if touches_left and touches_right:
            found[at - 1][1] = found.pop(at)[1]
        elif touches_left:
            found[at - 1][1] = seq
        elif touches_right:
            found[at][0] = seq
        else:
            found.insert(at, [seq, seq])
            if len(found) > RANGES_MAX:
                # The oldest gap is given up: what is missing there was trimmed long ago.
                found[0][1] = found.pop(1)[1]
        return True

    def last(self, producer: str) -> int:
        """The newest marked seq of a producer; 0 for none."""
        found = self._ranges.get(producer)
        return found[-1][1] if found else 0

    def missing(self, producer: str) -> int:
        """Frames between the first and last marked one that never came."""
        found = self._ranges.get(producer) or []
        return sum(after[0] - before[1] - 1 for before, after in pairwise(found))

    def ranges(self) -> dict[str, Ranges]:
        """A copy, to be stored."""
        return {producer: [list(each) for each in own] for producer, own in self._ranges.items()}

    def copy(self) -> Marks:
        """Marks to try something with."""
        return Marks(self._ranges)


def _first(found: list[int]) -> int:
    return found[0]
