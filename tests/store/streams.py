"""Real event streams: the core driven by the differential tests' inputs, and by plain orders."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tests.core.duel import Seeded
from tests.core.inputs import Inputs
from tests.core.world import START, opening
from tests.oracle import Oracle, encode
from tests.oracle.wire import make
from tradeloom._core import Core


@cache
def varied(seed: int = 1, steps: int = 900, shard: int = 0) -> tuple[Core, tuple[bytes, ...]]:
    """A core after a random life with every kind of input, and its events, a chunk per input."""
    oracle, core = Oracle(shard), Core(shard)
    inputs = Inputs(Seeded(random.Random(seed)), oracle.state)
    chunks = []
    for record in opening():
        oracle.apply([record])
        chunks.append(core.apply(encode(record)))
    for _ in range(steps):
        record = inputs.next()
        oracle.apply([record])
        chunks.append(core.apply(encode(record)))
    core.check()
    return core, tuple(chunk for chunk in chunks if chunk)


@cache
def orders(count: int, per_batch: int = 100, shard: int = 0) -> tuple[Core, tuple[bytes, ...]]:
    """A core after `count` market orders, and its events, a chunk per batch."""
    core = Core(shard)
    chunks = [core.apply(encode(record)) for record in opening()]
    ts = START
    for first in range(0, count, per_batch):
        batch = b""
        for number in range(first, min(first + per_batch, count)):
            ts += 10**6
            account, side = 1 + number % 2, number // 2 % 2
            if number % 50 == 49:
                batch += encode(make("CloseAll", ts, account, instrument=0xFFFFFFFF))
                continue
            batch += encode(
                make(
                    "PlaceOrder",
                    ts,
                    account,
                    instrument=0,
                    side=side,
                    volume=10**6,
                    max_deviation=-1,
                )
            )
        chunks.append(core.apply(batch))
    return core, tuple(chunks)


def events(chunks: tuple[bytes, ...]) -> Iterator[bytes]:
    """Single events, answers included."""
    for chunk in chunks:
        at = 0
        while at < len(chunk):
            length = int.from_bytes(chunk[at : at + 4], "little")
            yield chunk[at : at + length]
            at += length


def seq_of(event: bytes) -> int:
    """The seq of one packed event; 0 for an answer."""
    return int.from_bytes(event[8:16], "little")
