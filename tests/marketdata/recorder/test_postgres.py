"""The recorder on PostgreSQL: every tick once, whatever dies, comes twice or cannot be read."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import msgspec

from tests.marketdata.ticks import START, mixed, quote, trade
from tests.store.server import Server
from tradeloom.bus import Bus, MemoryBus, RedisBus
from tradeloom.domain.market import BookQuote, MarketEvent, TradeTick
from tradeloom.marketdata.frames import pack
from tradeloom.marketdata.recorder import MarketDataRecorder, PostgresRecords
from tradeloom.marketdata.recorder.rows import SIDE_OF
from tradeloom.store.ticks import DAY_NS

STREAM = "md:binance"


@contextlib.asynccontextmanager
async def recording(bus: Bus, url: str, **how: Any) -> AsyncIterator[MarketDataRecorder]:
    """A recorder at work; stopped at the end, with what is in hand stored."""
    store = PostgresRecords(url)
    recorder = MarketDataRecorder(bus, store, [STREAM], **how)
    task = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        recorder.stop()
        await asyncio.wait_for(task, 30)
        await store.close()


async def publish(bus: Bus, events: list[MarketEvent], producer: str = "p", first: int = 1) -> None:
    frames = [events[at : at + 50] for at in range(0, len(events), 50)]
    await bus.publish_many(
        STREAM, [pack(producer, first + at, part) for at, part in enumerate(frames)]
    )


async def caught_up(bus: Bus) -> None:
    async with asyncio.timeout(30):
        while True:
            backlog = await bus.backlog(STREAM, "recorder")
            if not backlog.pending and not backlog.lag:
                return
            await asyncio.sleep(0.01)


async def stored(url: str) -> list[MarketEvent]:
    """Everything in the tables, in order of time."""
    connection = await asyncpg.connect(url)
    events: list[MarketEvent] = [
        BookQuote(*row)
        for row in await connection.fetch(
            "SELECT venue, symbol, digits, bid, ask, bid_size, ask_size, venue_ns, ts_ns, seq "
            "FROM market_quotes JOIN market_symbols USING (symbol_id)"
        )
    ]
    trades = await connection.fetch(
        "SELECT venue, symbol, digits, price, size, side, trade_id, venue_ns, ts_ns "
        "FROM market_trades JOIN market_symbols USING (symbol_id)"
    )
    for venue, symbol, digits, price, size, side, *rest in trades:
        events += [TradeTick(venue, symbol, digits, price, size, SIDE_OF[side], *rest)]
    await connection.close()
    return sorted(events, key=_order)


def _order(event: MarketEvent) -> tuple[int, bytes]:
    return event.recv_ns, msgspec.msgpack.encode(event)


async def test_every_tick_is_stored_exactly(bus: Bus, postgres_url: str) -> None:
    events = mixed(3_000)
    async with recording(bus, postgres_url) as recorder:
        await publish(bus, events)
        await caught_up(bus)
        health = (await recorder.look())[STREAM]
        assert (health.quotes + health.trades, health.lag, health.pending) == (3_000, 0, 0)
    assert await stored(postgres_url) == sorted(events, key=_order)


async def test_days_have_partitions_and_odd_days_the_default(postgres_url: str) -> None:
    bus = MemoryBus()
    odd = quote(1, ts=DAY_NS * 50)
    async with recording(bus, postgres_url):
        await publish(bus, [quote(0), quote(2, ts=START + DAY_NS), odd, trade(3)])
        await caught_up(bus)
    connection = await asyncpg.connect(postgres_url)
    rows = await connection.fetch("SELECT tableoid::regclass::text AS part FROM market_quotes")
    parts = sorted(row["part"] for row in rows)
    await connection.close()
    assert parts == [
        "market_quotes_2026_05_28",
        "market_quotes_2026_05_29",
        "market_quotes_default",
    ]


async def test_frames_that_come_twice_are_stored_once(bus: Bus, postgres_url: str) -> None:
    events = mixed(500)
    async with recording(bus, postgres_url) as recorder:
        await publish(bus, events)
        await publish(bus, events)  # an unknown outcome, sent again
        await caught_up(bus)
        assert recorder.health[STREAM].duplicates == 10
    # A restart: the marks are in the database, not in the process.
    async with recording(bus, postgres_url) as recorder:
        await publish(bus, events)
        await publish(bus, mixed(50, seed=9), first=11)
        await caught_up(bus)
        assert recorder.health[STREAM].duplicates == 10
    assert await stored(postgres_url) == sorted([*events, *mixed(50, seed=9)], key=_order)


async def test_what_cannot_be_read_or_stored_is_buried_and_the_rest_is_kept(
    bus: Bus, postgres_url: str
) -> None:
    good = mixed(100)
    huge = msgspec.structs.replace(quote(5), bid=2**63)
    nul = msgspec.structs.replace(trade(6), trade_id="a\x00b")
    async with recording(bus, postgres_url) as recorder:
        await publish(bus, good[:50])
        await bus.publish_many(STREAM, [b"rubbish", pack("bad", 1, [huge]), pack("bad", 2, [nul])])
        await publish(bus, good[50:], first=2)
        await caught_up(bus)
        assert recorder.health[STREAM].buried == 3
    reasons = [letter.reason for letter in await bus.buried(STREAM)]
    assert any("beyond 64 bits" in reason for reason in reasons)
    assert any("NUL" in reason for reason in reasons)
    assert await stored(postgres_url) == sorted(good, key=_order)


async def test_a_database_that_is_away_costs_nothing(
    bus: Bus, postgres: Server, postgres_url: str
) -> None:
    events = mixed(1_000)
    async with recording(bus, postgres_url) as recorder:
        await publish(bus, events[:500])
        await caught_up(bus)
        await asyncio.to_thread(postgres.stop)
        try:
            await publish(bus, events[500:], first=11)
            async with asyncio.timeout(20):
                while recorder.health[STREAM].storing:
                    await asyncio.sleep(0.02)
            assert "PostgreSQL" in recorder.health[STREAM].problem
            assert (await bus.backlog(STREAM, "recorder")).pending == 10
        finally:
            await asyncio.to_thread(postgres.start)
        await caught_up(bus)
        assert recorder.health[STREAM].storing
    assert await stored(postgres_url) == sorted(events, key=_order)


CHILD = """
import asyncio, sys
from tradeloom.bus import RedisBus
from tradeloom.marketdata.recorder import MarketDataRecorder, PostgresRecords

async def main():
    store = PostgresRecords(sys.argv[2])
    store.rows = 200
    await MarketDataRecorder(RedisBus(sys.argv[1]), store, ["md:binance"]).run()

asyncio.run(main())
"""


async def test_a_killed_recorder_stores_everything_once(redis: Any, postgres_url: str) -> None:
    """kill -9 again and again: what is acknowledged is stored, what is not comes again."""
    bus = RedisBus(redis.url)
    await bus._redis.flushall()
    await bus.join(STREAM, "recorder")
    events = mixed(10_000)

    async def feed() -> None:
        for at in range(0, len(events), 100):
            await publish(bus, events[at : at + 100], first=1 + at // 50)
            await asyncio.sleep(0.005)

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CHILD, redis.url, postgres_url]
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": "src"})

    feeding = asyncio.create_task(feed())
    child = start()
    try:
        for part in (2_000, 5_000, 8_000):
            async with asyncio.timeout(30):
                while await _rows(postgres_url) < part:
                    assert child.poll() is None
                    await asyncio.sleep(0.01)
            # Never more acknowledged than stored: read the one before the other.
            backlog = await bus.backlog(STREAM, "recorder")
            read = await bus.length(STREAM) - (backlog.lag or 0) - backlog.pending
            assert await _rows(postgres_url) >= read * 50
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
    assert await stored(postgres_url) == sorted(events, key=_order)


async def _rows(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(
            await connection.fetchval(
                "SELECT (SELECT count(*) FROM market_quotes) + (SELECT count(*) FROM market_trades)"
            )
        )
    except asyncpg.UndefinedTableError:
        return 0
    finally:
        await connection.close()
