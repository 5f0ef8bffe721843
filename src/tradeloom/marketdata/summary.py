"""What a stream of quotes held: counts, last prices, and a digest that proves two streams equal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tradeloom.marketdata.quotes import Chunk


@dataclass(frozen=True, slots=True)
class InstrumentSummary:
    """Quotes of one instrument: how many, and the last bid and ask (mantissas, 0 for no quote)."""

    ticks: int
    last: tuple[int, int]


@dataclass(frozen=True, slots=True)
class StreamSummary:
    """A whole stream: times in UTC nanoseconds (0 when empty), one line per instrument.

    `digest` is SHA-256, cut to 32 hexadecimal digits, over each quote's time, instrument, bid and
    ask as four little-endian 64-bit integers; how the stream was cut into chunks does not matter.
    """

    first_ns: int
    last_ns: int
    digest: str
    lines: tuple[InstrumentSummary, ...]


def summarise(chunks: Iterable[Chunk], instruments: int) -> StreamSummary:
    """Read a stream of quotes of `instruments` instruments to its end and describe it."""
    ticks = np.zeros(instruments, np.int64)
    last = np.zeros((instruments, 2), np.int64)
    digest = hashlib.sha256()
    first_ns = last_ns = 0
    for chunk in chunks:
        if not len(chunk.ts_ns):
            continue
        first_ns = first_ns or int(chunk.ts_ns[0])
        last_ns = int(chunk.ts_ns[-1])
        ticks += np.bincount(chunk.instrument, minlength=instruments)
        # The first time an instrument shows up reading backwards is its last quote.
        found, from_end = np.unique(chunk.instrument[::-1], return_index=True)
        last[found, 0] = chunk.bid[::-1][from_end]
        last[found, 1] = chunk.ask[::-1][from_end]
        columns = (chunk.ts_ns, chunk.instrument, chunk.bid, chunk.ask)
        digest.update(np.stack(columns, axis=1, dtype="<i8", casting="unsafe").tobytes())
    lines = zip(ticks.tolist(), last.tolist(), strict=True)
    return StreamSummary(
        first_ns,
        last_ns,
        digest.hexdigest()[:32],
        tuple(InstrumentSummary(count, (bid, ask)) for count, (bid, ask) in lines),
    )
