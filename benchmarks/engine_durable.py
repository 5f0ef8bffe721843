"""What durability costs: the shard loop against the disk's own sync, and replay from the journal.

    python -m benchmarks.engine_durable

`rows()` is what `benchmarks.engine` adds to its table. Every measurement first checks its answers:
each command was acknowledged with code 0, and the journal replays to the state hash of the shard.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import uvloop

from benchmarks import crash
from benchmarks.load import buy, close_all, deposit, opening, quote
from tradeloom._core import Core
from tradeloom.engine.journal import FileJournal
from tradeloom.engine.journal.format import padded
from tradeloom.engine.limits import PREPARE_CHUNK_BYTES
from tradeloom.engine.local import LocalShard, Storage, open_local
from tradeloom.engine.records import input_dtype
from tradeloom.engine.recovery import chunks, recover
from tradeloom.engine.results import RESULT
from tradeloom.engine.shard import Shard
from tradeloom.engine.snapshots import SnapshotStore

CALLERS = 64
IN_FLIGHT = 64
COMMANDS = 64 * 64 * 150
LONE_COMMANDS = 3000
LONE_BLOCK = 100
KILLS = 10
SEGMENT_BYTES = 64 << 20
DAY_ACCOUNTS, DAY_BATCHES, DAY_COMMANDS, QUOTES_PER_COMMAND = 1000, 400, 1000, 4

# What the house has promised.
MANY_BOUND, LONE_BOUND, REPLAY_BOUND = 300_000, 3, 3_000_000
# What these are watched for: the first is bound by asyncio, the second by the core's memory of ids.
FUTURES_BOUND, COMMANDS_BOUND = 50_000, 1_000_000
# Where a RESULT has its flags and its code.
FLAGS, CODE = slice(6, 8), slice(36, 38)

Row = dict[str, object]


def row(name: str, measured: tuple[float, str, float, bool], baseline: str) -> Row:
    """One line of the table; `measured`: value, unit, bound, and whether that is an upper one."""
    value, unit, bound, most = measured
    holds = value <= bound if most else value >= bound
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "bound": bound,
        "holds": holds,
        "baseline": baseline,
    }


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory on the disk that the results are about."""
    with tempfile.TemporaryDirectory(prefix="tradeloom-bench-") as name:
        yield Path(name)


def good(answer: bytes) -> int:
    """Commands acknowledged in an answer; all of them must have succeeded."""
    if len(answer) == RESULT.itemsize:
        assert answer[FLAGS] == answer[CODE] == b"\0\0", "not done"
        return 1
    rows = np.frombuffer(answer, RESULT)
    assert not rows["flags"].any(), "refused or repeated"
    assert not rows["code"].any(), "rejected"
    return len(rows)


def sync_ns(directory: Path, count: int, size: int) -> float:
    """The disk's own median for a write of `size` into zeros and a sync, in ns."""
    fd = os.open(directory / "sync-probe", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        zeros, data, taken = bytes(PREPARE_CHUNK_BYTES), os.urandom(size), []
        for at in range(0, count * size + PREPARE_CHUNK_BYTES, PREPARE_CHUNK_BYTES):
            os.pwrite(fd, zeros, at)
        os.fsync(fd)
        for number in range(count):
            began = time.perf_counter_ns()
            os.pwrite(fd, data, number * size)
            os.fdatasync(fd)
            taken.append(time.perf_counter_ns() - began)
        return statistics.median(taken)
    finally:
        os.close(fd)


def deposits(callers: int, count: int, prefix: bytes) -> list[list[bytes]]:
    """For each caller `count` deposits to its own account, every one with its own id."""
    rows = np.zeros(callers * count, input_dtype("Balance"))
    sample = np.frombuffer(deposit(1), rows.dtype)
    rows[:] = sample
    rows["account"] = np.repeat(np.arange(callers) % CALLERS + 1, count)
    numbers = np.arange(rows.size)
    digits = np.char.mod(b"%x", numbers)
    rows["id"] = np.char.add(prefix, digits)
    size, raw = rows.itemsize, rows.tobytes()
    split = [raw[at : at + size] for at in range(0, len(raw), size)]
    return [split[at : at + count] for at in range(0, len(split), count)]


async def many_callers(directory: Path, packed: bool) -> tuple[float, float]:
    """Durable commands/s of 64 callers with 64 in flight each, and the median latency in ms.

    `packed`: a caller sends its 64 as one submission, as a gateway does with what one read of a
    socket brought; otherwise each of the 4096 commands in flight is a submission of its own.
    """
    each = COMMANDS // CALLERS
    if packed:
        load = [
            [b"".join(own[at : at + IN_FLIGHT]) for at in range(0, each, IN_FLIGHT)]
            for own in deposits(CALLERS, each, b"p")
        ]
    else:
        load = deposits(CALLERS * IN_FLIGHT, each // IN_FLIGHT, b"s")
    shard = await Shard.open(directory, storage=Storage(segment_bytes=SEGMENT_BYTES))
    good(await shard.submit(opening(CALLERS)))
    before = shard.read(lambda core: core.input_seq)
    latencies: list[int] = []
    done = 0

    async def caller(own: list[bytes]) -> None:
        nonlocal done
        for data in own:
            began = time.perf_counter_ns()
            answer = await shard.submit(data)
            latencies.append(time.perf_counter_ns() - began)
            done += good(answer)

    warm = len(load[0]) // 5  # memory the process has not touched before is not the shard's speed
    await asyncio.gather(*(caller(own[:warm]) for own in load))
    latencies.clear()
    began, first = time.perf_counter(), done
    await asyncio.gather(*(caller(own[warm:]) for own in load))
    took = time.perf_counter() - began
    assert done == shard.read(lambda core: core.input_seq) - before
    await shard.close()
    return (done - first) / took, statistics.median(latencies) / 1e6


async def one_caller(directory: Path) -> tuple[float, float]:
    """Medians, in ns, of one durable command at a time and of the disk's own sync.

    The two take turns in short blocks, so that whatever else the machine does hits both.
    """
    blocks, each = LONE_COMMANDS // LONE_BLOCK, LONE_BLOCK
    load = deposits(1, LONE_COMMANDS, b"l")[0]
    shard = await Shard.open(directory, storage=Storage(segment_bytes=SEGMENT_BYTES))
    good(await shard.submit(opening(1)))
    taken: list[int] = []
    syncs: list[float] = []
    size = padded(len(load[0]))
    for block in range(blocks):
        for data in load[block * each : (block + 1) * each]:
            began = time.perf_counter_ns()
            answer = await shard.submit(data)
            taken.append(time.perf_counter_ns() - began)
            good(answer)
        syncs.append(sync_ns(directory, each, size))
    await shard.close()
    return statistics.median(taken), statistics.median(syncs)


def trading_day(directory: Path) -> None:
    """A journal as a trading day fills it: four quotes to a command; orders, closes, deposits."""
    rng = random.Random(1)
    with open_local_shard(directory) as shard:
        good(shard.write(opening(DAY_ACCOUNTS)).answers[0])
        number, bid = 0, 110_000
        for _ in range(DAY_BATCHES):
            packed = []
            for _ in range(DAY_COMMANDS):
                for _ in range(QUOTES_PER_COMMAND):
                    bid += rng.choice((-1, 1))
                    packed.append(quote(bid, bid + 2))
                number += 1
                make = (buy, close_all, deposit)[number % 3]
                packed.append(make(1 + number // 3 % DAY_ACCOUNTS, f"d{number}"))
            shard.write(b"".join(packed))


def open_local_shard(directory: Path) -> LocalShard:
    """A shard that keeps a snapshot only of its end."""
    return LocalShard(open_local(directory, storage=Storage(segment_bytes=SEGMENT_BYTES)))


def replay_rate(directory: Path) -> tuple[float, float]:
    """Inputs/s of a recovery from the journal alone, verified, and of the core with no journal."""
    journal = FileJournal.open(directory)
    store = SnapshotStore(directory)
    core, newest = store.load(store.paths()[0])
    for path in store.paths():
        path.unlink()
    recovered = recover(journal, store)
    assert recovered.snapshot_record == 0
    assert recovered.record == newest.record
    assert recovered.core.state_hash() == core.state_hash()
    reader = journal.reader()
    pieces = [chunk.payload for chunk in chunks(reader, journal.durable)]
    reader.close()
    journal.close()
    bare, began = Core(0), time.perf_counter()
    for piece in pieces:
        bare.apply_muted(piece)
    alone = time.perf_counter() - began
    assert bare.state_hash() == core.state_hash()
    return recovered.inputs / recovered.seconds, recovered.inputs / alone


async def asyncio_alone() -> float:
    """Answers/s when 4096 tasks wait for futures that are set at once: the loop's own limit."""
    loop = asyncio.get_running_loop()
    waiting: list[asyncio.Future[bytes]] = []
    rounds = COMMANDS // CALLERS // IN_FLIGHT

    def answer() -> None:
        ready, waiting[:] = waiting[:], []
        for future in ready:
            future.set_result(b"")

    async def caller() -> None:
        for _ in range(rounds):
            future: asyncio.Future[bytes] = loop.create_future()
            if not waiting:
                loop.call_soon(answer)
            waiting.append(future)
            await future

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS * IN_FLIGHT)))
    return rounds * CALLERS * IN_FLIGHT / (time.perf_counter() - began)


def many_rows(root: Path) -> list[Row]:
    """Group commit with many callers."""
    packed, latency = uvloop.run(many_callers(root / "packed", packed=True))
    single, lone_latency = uvloop.run(many_callers(root / "single", packed=False))
    alone = uvloop.run(asyncio_alone())
    batch_ns = sync_ns(root, 500, padded(CALLERS * IN_FLIGHT * len(deposit(1))))
    disk = CALLERS * IN_FLIGHT / batch_ns * 1e9
    return [
        row(
            "durable commands/s, 64 callers with 64 in flight, one submission each",
            (packed, "1/s", MANY_BOUND, False),
            f"{packed / disk:.1%} of what the disk syncs alone; median {latency:.1f} ms",
        ),
        row(
            "durable commands/s, 4096 callers with one in flight, a future each",
            (single, "1/s", FUTURES_BOUND, False),
            f"{single / alone:.0%} of asyncio alone ({alone:,.0f}/s); median {lone_latency:.1f} ms",
        ),
    ]


def lone_row(root: Path) -> Row:
    """One caller."""
    command_ns, disk_ns = uvloop.run(one_caller(root / "lone"))
    return row(
        "one caller, one durable command: median over the disk's fdatasync median",
        (command_ns / disk_ns, "x", LONE_BOUND, True),
        f"{command_ns / 1e3:.0f} us over {disk_ns / 1e3:.0f} us",
    )


def replay_rows(root: Path) -> list[Row]:
    """Recovery from the journal alone."""
    trading_day(root / "day")
    rows = []
    for name, folder, bound in (
        ("four quotes to a command", "day", REPLAY_BOUND),
        ("commands with ids only", "packed", COMMANDS_BOUND),
    ):
        replayed, bare = replay_rate(root / folder)
        text = f"{replayed / bare:.0%} of the core without a journal ({bare:,.0f}/s)"
        title = f"replay from journal, inputs/s, {name}"
        rows.append(row(title, (replayed, "1/s", bound, False), text))
    return rows


def rows(kills: int = KILLS) -> list[Row]:
    """The durable rows of the engine's table."""
    with scratch() as root:
        table = [*many_rows(root), lone_row(root), *replay_rows(root)]
    return [*table, crash.row(kills)]


def main() -> None:
    """Print the rows as JSON."""
    print(json.dumps(rows(), indent=1))


if __name__ == "__main__":
    main()
