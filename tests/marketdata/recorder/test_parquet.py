"""The recorder in the history catalog: the same promises on files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.marketdata.ticks import START, mixed, quote, trade
from tradeloom.bus import Bus, MemoryBus, RedisBus
from tradeloom.bus.limits import READ_MAX
from tradeloom.domain.market import BookQuote, MarketEvent, TradeTick
from tradeloom.marketdata.frames import pack
from tradeloom.marketdata.history.catalog import Catalog
from tradeloom.marketdata.history.kinds import Kind
from tradeloom.marketdata.recorder import MarketDataRecorder, ParquetRecords, Stored
from tradeloom.marketdata.recorder.rows import SIDE_OF, Rows

STREAM = "md:binance"
DAY_NS = 86_400 * 10**9


@contextlib.asynccontextmanager
async def recording(bus: Bus, folder: Path) -> AsyncIterator[MarketDataRecorder]:
    """A recorder that stores every 20 ms; stopped at the end."""
    store = ParquetRecords(folder)
    store.every_s = 0.02
    recorder = MarketDataRecorder(bus, store, [STREAM])
    task = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        recorder.stop()
        await asyncio.wait_for(task, 30)


async def publish(bus: Bus, events: list[MarketEvent], first: int = 1) -> None:
    frames = [events[at : at + 50] for at in range(0, len(events), 50)]
    await bus.publish_many(STREAM, [pack("p", first + at, part) for at, part in enumerate(frames)])


async def caught_up(bus: Bus) -> None:
    async with asyncio.timeout(30):
        while True:
            backlog = await bus.backlog(STREAM, "recorder")
            if not backlog.pending and not backlog.lag:
                return
            await asyncio.sleep(0.01)


def stored(folder: Path) -> list[MarketEvent]:
    """Everything in the catalog, in order of time; it does not keep the venue's update ids."""
    catalog = Catalog(folder)
    events: list[MarketEvent] = []
    for line in catalog.coverage():
        venue, symbol, kind = line.stream
        for frame in catalog.read(venue, symbol, kind):
            for row in frame.rows(named=True):
                head = (venue, symbol, row["digits"])
                clocks = (row["venue_ns"], row["ts_ns"])
                if kind is Kind.QUOTES:
                    prices = (row["bid"], row["ask"], row["bid_size"], row["ask_size"])
                    events.append(BookQuote(*head, *prices, *clocks))
                else:
                    size, side = row["volume"], SIDE_OF[row["side"]]
                    trade_id = str(row["trade_id"])
                    events.append(TradeTick(*head, row["price"], size, side, trade_id, *clocks))
    return in_order(events)


def in_order(events: list[MarketEvent]) -> list[MarketEvent]:
    plain = [
        msgspec.structs.replace(each, seq=0) if isinstance(each, BookQuote) else each
        for each in events
    ]
    return sorted(plain, key=lambda event: (event.recv_ns, msgspec.msgpack.encode(event)))


async def test_every_tick_is_stored_exactly_and_once(bus: Bus, tmp_path: Path) -> None:
    events = mixed(2_000)
    async with recording(bus, tmp_path) as recorder:
        await publish(bus, events[:1_000])
        await caught_up(bus)
        await publish(bus, events[:1_000])  # sent again
        await publish(bus, events[1_000:], first=21)
        await caught_up(bus)
        assert recorder.health[STREAM].storing
    assert stored(tmp_path) == in_order(events)
    assert Catalog(tmp_path).verify() == []


async def test_files_of_a_day_that_is_over_are_joined(tmp_path: Path) -> None:
    bus = MemoryBus()
    async with recording(bus, tmp_path):
        for number in range(4):
            await publish(bus, [quote(number)], first=1 + number)
            await caught_up(bus)
        assert len(list(tmp_path.rglob("*.parquet"))) == 4
        await publish(bus, [quote(9, ts=START + DAY_NS)], first=5)
        await caught_up(bus)
    files = sorted(path.parent.name for path in tmp_path.rglob("*.parquet"))
    assert files == ["day=2026-05-28", "day=2026-05-29"]
    assert len(stored(tmp_path)) == 5


@pytest.mark.parametrize(
    "bad", [{"bid": 2**63}, {"ask": 2**62}, {"symbol": ""}, {"digits": 40}, {"symbol": "x" * 300}]
)
async def test_what_the_catalog_cannot_hold_is_buried(tmp_path: Path, bad: dict[str, Any]) -> None:
    bus = MemoryBus()
    async with recording(bus, tmp_path) as recorder:
        await bus.publish_many(
            STREAM,
            [
                pack("p", 1, [quote(1), trade(2)]),
                pack("p", 2, [msgspec.structs.replace(quote(3), **bad)]),
                pack("p", 3, [quote(4)]),
            ],
        )
        await caught_up(bus)
        assert recorder.health[STREAM].buried == 1
    assert len(await bus.buried(STREAM)) == 1
    assert stored(tmp_path) == in_order([quote(1), trade(2), quote(4)])


async def test_a_catalog_that_is_being_written_elsewhere_is_waited_for(tmp_path: Path) -> None:
    bus = MemoryBus()
    async with recording(bus, tmp_path) as recorder:
        await publish(bus, [quote(1)])
        await caught_up(bus)
        with Catalog(tmp_path).writing():
            await publish(bus, [quote(2)], first=2)
            async with asyncio.timeout(10):
                while recorder.health[STREAM].storing:
                    await asyncio.sleep(0.01)
            assert "writing" in recorder.health[STREAM].problem
        await caught_up(bus)
    assert stored(tmp_path) == in_order([quote(1), quote(2)])


async def test_digits_that_change_in_the_middle_of_a_batch(tmp_path: Path) -> None:
    bus = MemoryBus()
    fine = [msgspec.structs.replace(quote(number), digits=4) for number in range(3, 6)]
    async with recording(bus, tmp_path):
        await publish(bus, [quote(1), quote(2), *fine, quote(7)])
        await caught_up(bus)
    [line] = Catalog(tmp_path).coverage()
    assert (line.rows, line.digits) == (6, 4)
    bids = Catalog(tmp_path).scan(*line.stream).collect()["bid"].to_list()
    coarse = [quote(number).bid * 100 for number in (1, 2, 7)]
    assert bids == [*coarse[:2], *(each.bid for each in fine), coarse[2]]


class Gated(ParquetRecords):
    """A slow disk: nothing is stored before the gate opens."""

    rows = 100

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.gate = asyncio.Event()
        self.begun = 0

    async def store(self, stream: str, rows: Rows) -> Stored:
        self.begun += 1
        await self.gate.wait()
        return await super().store(stream, rows)


async def test_a_reader_far_behind_holds_two_batches_and_acknowledges_what_is_stored(
    bus: Bus, tmp_path: Path
) -> None:
    events = mixed(60_000)
    await publish(bus, events)
    store = Gated(tmp_path)
    recorder = MarketDataRecorder(bus, store, [STREAM])
    task = asyncio.create_task(recorder.run())
    # One batch waits for the disk, one is in hand, and no more are read.
    async with asyncio.timeout(10):
        while (await bus.backlog(STREAM, "recorder")).pending < 2 * READ_MAX:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert (await bus.backlog(STREAM, "recorder")).pending == 2 * READ_MAX
    assert store.begun == 1
    # Ended in the middle of storing, it leaves everything to the next one.
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    assert (await bus.backlog(STREAM, "recorder")).pending == 2 * READ_MAX
    assert Catalog(tmp_path).coverage() == []
    store.gate.set()
    recorder = MarketDataRecorder(bus, store, [STREAM])
    task = asyncio.create_task(recorder.run())
    await caught_up(bus)
    recorder.stop()
    await asyncio.wait_for(task, 10)
    assert stored(tmp_path) == in_order(events)
    assert recorder.health[STREAM].consumer.redelivered == 2 * READ_MAX


CHILD = """
import asyncio, sys
from pathlib import Path
from tradeloom.bus import RedisBus
from tradeloom.marketdata.recorder import MarketDataRecorder, ParquetRecords

async def main():
    store = ParquetRecords(Path(sys.argv[2]))
    store.every_s = 0.01
    await MarketDataRecorder(RedisBus(sys.argv[1]), store, ["md:binance"]).run()

asyncio.run(main())
"""


async def test_a_killed_recorder_stores_everything_once(redis: Any, tmp_path: Path) -> None:
    bus = RedisBus(redis.url)
    await bus._redis.flushall()
    await bus.join(STREAM, "recorder")
    events = mixed(4_000)

    async def feed() -> None:
        for at in range(0, len(events), 50):
            await publish(bus, events[at : at + 50], first=1 + at // 50)
            await asyncio.sleep(0.02)

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CHILD, redis.url, str(tmp_path)]
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": "src"})

    feeding = asyncio.create_task(feed())
    child = start()
    try:
        for part in (500, 2_000):
            async with asyncio.timeout(30):
                while _rows(tmp_path) < part:
                    assert child.poll() is None
                    await asyncio.sleep(0.005)
            child.send_signal(signal.SIGKILL)
            child.wait()
            child = start()
        await feeding
        await caught_up(bus)
    finally:
        child.kill()
        child.wait()
        feeding.cancel()
        await bus.close()
    assert stored(tmp_path) == in_order(events)


def _rows(folder: Path) -> int:
    if not (folder / "_log").is_dir():
        return 0
    return sum(line.rows for line in Catalog(folder).coverage())
