"""Cuts a stream of chunks into slices of one size, so that results do not depend on the chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from tradeloom.marketdata.quotes import Chunk


def cut(chunk: Chunk, start: int, stop: int | None) -> Chunk:
    """Rows `start` up to `stop` of a chunk."""
    return Chunk(
        chunk.ts_ns[start:stop],
        chunk.instrument[start:stop],
        chunk.bid[start:stop],
        chunk.ask[start:stop],
    )


def first(chunks: Iterable[Chunk], ticks: int | None) -> Iterator[Chunk]:
    """The first `ticks` rows of a stream; all of it for None."""
    left = ticks
    for chunk in chunks:
        if left is None:
            yield chunk
            continue
        yield cut(chunk, 0, left)
        left -= len(chunk.ts_ns)
        if left <= 0:
            return


def slices(chunks: Iterable[Chunk], rows: int) -> Iterator[Chunk]:
    """The same rows as chunks of exactly `rows`; the last may be shorter."""
    held: list[Chunk] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk.ts_ns)
        if size < rows:
            continue
        whole = joined(held)
        full = size - size % rows
        for at in range(0, full, rows):
            yield cut(whole, at, at + rows)
        held = [cut(whole, full, None)]
        size -= full
    if size:
        yield joined(held)


def joined(chunks: Sequence[Chunk]) -> Chunk:
    """Several chunks as one."""
    if len(chunks) == 1:
        return chunks[0]
    return Chunk(
        np.concatenate([chunk.ts_ns for chunk in chunks]),
        np.concatenate([chunk.instrument for chunk in chunks]),
        np.concatenate([chunk.bid for chunk in chunks]),
        np.concatenate([chunk.ask for chunk in chunks]),
    )
