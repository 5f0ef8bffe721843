"""Merging keeps every row, in time order, whatever the chunks; the judge is Python's sort."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeloom.marketdata.merge import merge_streams
from tradeloom.marketdata.quotes import QUOTE, Chunk, QuoteRows

streams_of_times = st.lists(
    st.lists(st.integers(0, 30), max_size=40).map(sorted), min_size=1, max_size=5
)


def _stream(index: int, times: list[int], cuts: list[int]) -> Iterator[QuoteRows]:
    rows = np.array([(ts, index * 1000 + i, 10**6) for i, ts in enumerate(times)], QUOTE)
    start = 0
    for cut in cuts:
        yield rows[start : start + cut]
        start += cut
    yield rows[start:]


def _flat(chunks: Iterator[Chunk]) -> list[tuple[int, int, int]]:
    rows: list[tuple[int, int, int]] = []
    for chunk in chunks:
        assert len(chunk.ts_ns)
        assert chunk.instrument.dtype == np.uint32
        ts, index, bid, _ = (column.tolist() for column in chunk)
        rows += zip(ts, index, bid, strict=True)
    return rows


@given(streams_of_times, st.lists(st.integers(0, 5), max_size=12))
def test_merge_is_a_stable_sort(streams: list[list[int]], cuts: list[int]) -> None:
    merged = _flat(merge_streams([_stream(i, each, cuts) for i, each in enumerate(streams)]))
    assert merged == sorted(
        (ts, i, i * 1000 + n) for i, times in enumerate(streams) for n, ts in enumerate(times)
    )


def test_memory_stays_near_one_chunk_of_each() -> None:
    read = [0, 0]

    def endless(index: int) -> Iterator[QuoteRows]:
        for start in range(0, 10**9, 10):
            read[index] += 1
            yield np.array([(start + n, 1, 2) for n in range(10)], QUOTE)

    chunks = merge_streams([endless(0), endless(1)])
    for _ in range(50):
        next(chunks)
    assert max(read) <= 53


def test_no_streams_and_empty_streams() -> None:
    assert _flat(merge_streams([])) == []
    assert _flat(merge_streams([_stream(0, [], []), _stream(1, [], [0, 0])])) == []


def test_a_stream_running_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="stream 1 runs backwards"):
        _flat(merge_streams([_stream(0, [1], []), _stream(1, [5, 4], [])]))
    with pytest.raises(ValueError, match="stream 0 runs backwards"):
        _flat(merge_streams([_stream(0, [5, 4], [1])]))
