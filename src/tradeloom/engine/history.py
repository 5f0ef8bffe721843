"""The newest events in memory, as the packed bytes the core gave out, bounded by size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator


class History:
    """Keeps at most `bytes_max` of the newest events; `first` is the seq of the next event."""

    def __init__(self, first: int, bytes_max: int) -> None:
        self._first = first
        self._next = first
        self._bytes_max = bytes_max
        self._size = 0
        # (seq behind the chunk's last event, its events)
        self._chunks: deque[tuple[int, bytes]] = deque()

    def add(self, data: bytes, next_seq: int) -> None:
        """Remember the events of a batch; `next_seq` is the seq of the event after them."""
        if next_seq == self._next:
            return
        self._chunks.append((next_seq, data))
        self._next = next_seq
        self._size += len(data)
        while self._size > self._bytes_max and len(self._chunks) > 1:
            self._first, gone = self._chunks.popleft()
            self._size -= len(gone)

    def covers(self, after: int) -> bool:
        """True if every event behind `after` is here."""
        return after >= self._first - 1

    def behind(self, after: int) -> Iterator[bytes]:
        """Chunks that hold the events behind `after`; the first may begin with older ones."""
        for next_seq, data in list(self._chunks):
            if next_seq - 1 > after:
                yield data
