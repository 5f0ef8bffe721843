"""Merges streams of single instruments into one stream of many, in time order.

The result does not depend on how the streams were cut into chunks: at equal times the stream with
the lower index comes first, and within a stream the order stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from tradeloom.marketdata.quotes import Chunk, QuoteRows
from tradeloom.marketdata.recordings import Recording


def merge_recordings(recordings: Sequence[Recording]) -> Iterator[Chunk]:
    """Yield the quotes of many recordings in time order; an instrument is its recording's index."""
    return merge_streams([recording.chunks() for recording in recordings])


def merge_streams(streams: Sequence[Iterable[QuoteRows]]) -> Iterator[Chunk]:
    """Yield the rows of many time-ordered streams of dtype `QUOTE` as one; none is empty.

    Memory holds about one chunk of each stream. Raises ValueError when a stream runs backwards.
    """
    sources = [_Source(index, stream) for index, stream in enumerate(streams)]
    while waiting := [source for source in sources if source.fill()]:
        # A stream that may bring more rows at its last time holds everyone back to before it.
        limits = [source.last_ns for source in waiting if not source.ended]
        horizon = min(limits) if limits else None
        taken = [(source.index, source.take(horizon)) for source in waiting]
        rows = np.concatenate([part for _, part in taken])
        if len(rows):
            lengths = [len(part) for _, part in taken]
            index = np.repeat(np.array([each for each, _ in taken], np.uint32), lengths)
            order = np.argsort(rows["ts_ns"], kind="stable")
            rows = rows[order]
            yield Chunk(
                np.ascontiguousarray(rows["ts_ns"]),
                index[order],
                np.ascontiguousarray(rows["bid"]),
                np.ascontiguousarray(rows["ask"]),
            )
        for source in waiting:
            if source.last_ns == horizon:
                source.more()


class _Source:
    """One stream and the rows of it that were read but not yet handed on."""

    def __init__(self, index: int, stream: Iterable[QuoteRows]) -> None:
        self.index = index
        self.ended = False
        self._stream = iter(stream)
        self._rows: QuoteRows | None = None

    @property
    def last_ns(self) -> int:
        """Time of the last row read."""
        return int(self._rows["ts_ns"][-1]) if self._rows is not None else -1

    def fill(self) -> bool:
        """Read on if nothing is at hand; say whether there is."""
        if self._rows is None and not self.ended:
            self.more()
        return self._rows is not None

    def more(self) -> None:
        """Read one chunk more behind what is at hand."""
        while not self.ended:
            chunk = next(self._stream, None)
            if chunk is None:
                self.ended = True
            elif len(chunk):
                self._check(chunk)
                held = self._rows
                self._rows = chunk if held is None else np.concatenate([held, chunk])
                return

    def take(self, before_ns: int | None) -> QuoteRows:
        """Hand on the rows before that time; all for None."""
        if self._rows is None:
            raise RuntimeError("take() without fill()")
        rows = self._rows
        cut = len(rows) if before_ns is None else int(np.searchsorted(rows["ts_ns"], before_ns))
        self._rows = rows[cut:] if cut < len(rows) else None
        return rows[:cut]

    def _check(self, chunk: QuoteRows) -> None:
        ts_ns = chunk["ts_ns"]
        if (np.diff(ts_ns) < 0).any() or (self._rows is not None and ts_ns[0] < self.last_ns):
            raise ValueError(f"stream {self.index} runs backwards in time")
