"""The process that `benchmarks.crash` kills: a shard under load that prints what was acknowledged.

    python -m benchmarks.crash_child DIRECTORY RUN

Callers trade, quotes stream, segments are small and snapshots frequent, so that a kill lands in a
roll-over or a snapshot now and then. Each acknowledged command id is one line on standard output,
written after the answer came and before the caller goes on.
"""

from __future__ import annotations

import asyncio
import os
import struct
import sys

import uvloop

from benchmarks.load import buy, close_all, deposit, opening, quote
from tradeloom.engine.local import Storage
from tradeloom.engine.shard import Shard

CALLERS = 24
ACCOUNTS = 24
STORAGE = Storage(snapshot_every_s=0.2, segment_bytes=1 << 20)
_FLAGS = struct.Struct("<H")


async def caller(shard: Shard, run: int, number: int) -> None:
    """Commands of one account, one after another, some of them several in one submission."""
    account, step = 1 + number % ACCOUNTS, 0
    while True:
        ids = [f"r{run}-c{number}-{step}-{part}" for part in range(1 + step % 3)]
        makers = (deposit, buy, close_all)
        packed = b"".join(
            makers[(step + part) % len(makers)](account, name) for part, name in enumerate(ids)
        )
        answer = await shard.submit(packed)
        assert len(answer) == 88 * len(ids), "not one answer per command"
        assert not _FLAGS.unpack_from(answer, 6)[0], "refused"
        os.write(1, "".join(f"{name}\n" for name in ids).encode())
        step += 1


async def quotes(shard: Shard) -> None:
    """A price that wanders, many times a second."""
    step = 0
    while True:
        step += 1
        bid = 110_000 + (step * 7919) % 400
        shard.quote(quote(bid, bid + 2))
        await asyncio.sleep(0.0005)


async def main(directory: str, run: int) -> None:
    """Load until killed."""
    shard = await Shard.open(directory, storage=STORAGE)
    if not shard.read(lambda core: core.input_seq):
        await shard.submit(opening(ACCOUNTS))
    os.write(1, b"ready\n")
    await asyncio.gather(quotes(shard), *(caller(shard, run, n) for n in range(CALLERS)))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
