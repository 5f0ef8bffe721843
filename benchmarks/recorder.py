"""How fast ticks are kept, and how long one takes over Redis to a screen; the baselines beside it.

    python -m benchmarks.recorder

Every run reads back what it stored and compares it before a number is printed. `rows()` gives the
figures to other benchmarks.
"""

from __future__ import annotations

import asyncio
import csv
import os
import random
import resource
import tempfile
import time
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]

from benchmarks.report import Row, row, write
from tests.bus import server as redis_server
from tests.store import server as postgres_server
from tradeloom.bus import MemoryBus, RedisBus
from tradeloom.domain.market import BookQuote, MarketEvent
from tradeloom.marketdata.bridge import MarketDataBridge
from tradeloom.marketdata.frames import MarketPublisher, pack
from tradeloom.marketdata.history import Catalog
from tradeloom.marketdata.history.kinds import Kind
from tradeloom.marketdata.limits import COPY_ROWS, FRAME_EVENTS_MAX, PARQUET_ROWS
from tradeloom.marketdata.recorder import (
    MarketDataRecorder,
    ParquetRecords,
    PostgresRecords,
    RecordStore,
)
from tradeloom.store.ticks import DAY_NS

# Four batches of Parquet, and a third of that for the database.
QUOTES = 1_000_000
COPIED = 300_000
BASELINE = 40_000
SYMBOLS = 10
LATENCY_RATE = 5_000
LATENCY_S = 4.0
STREAM = "md:binance"
RUNS = 2


def quotes(count: int) -> list[BookQuote]:
    """A reproducible walk of ten symbols, a thousand quotes a second, at midday of today."""
    dice = random.Random(1)
    start = time.time_ns() // DAY_NS * DAY_NS + DAY_NS // 2
    prices = [50_000 * (1 + number) for number in range(SYMBOLS)]
    found = []
    for number in range(count):
        which = dice.randrange(SYMBOLS)
        prices[which] += dice.randint(-2, 2)
        bid, ts = prices[which], start + number * 1_000_000
        sizes = (dice.randrange(1, 10**9), dice.randrange(1, 10**9))
        ask = bid + dice.randint(1, 3)
        found.append(BookQuote("binance", f"S{which}", 2, bid, ask, *sizes, ts, ts, number))
    return found


def frames(of: list[BookQuote]) -> list[bytes]:
    """The quotes as entries of a stream."""
    parts = [of[at : at + FRAME_EVENTS_MAX] for at in range(0, len(of), FRAME_EVENTS_MAX)]
    return [pack("bench", 1 + number, part) for number, part in enumerate(parts)]


async def recorded(store: RecordStore, entries: list[bytes], count: int) -> tuple[float, float]:
    """Quotes a second from the stream into a store, and microseconds of our processor for each.

    The stream is full before the recorder starts, so nothing but the recorder is measured.
    """
    bus = MemoryBus()
    await bus.publish_many(STREAM, entries)
    recorder = MarketDataRecorder(bus, store, [STREAM])
    await store.open()
    began, used = time.perf_counter(), time.process_time()
    task = asyncio.create_task(recorder.run())
    while (await bus.backlog(STREAM, "recorder")).lag:
        await asyncio.sleep(0.005)
    recorder.stop()
    await task
    took, used = time.perf_counter() - began, time.process_time() - used
    assert (await bus.backlog(STREAM, "recorder")).pending == 0
    assert recorder.health[STREAM].quotes == count
    await store.close()
    return count / took, used / count * 1e6


def _cost(cpu_us: float) -> str:
    """Processor time, which other jobs on the machine do not change, and how many they are."""
    return f"{cpu_us:.2f} µs of our processor each, load {os.getloadavg()[0]:.0f}"


def parquet_rows(of: list[BookQuote]) -> list[Row]:
    """The recorder into a catalog, and the same quotes as text by the csv module."""
    best, cpu, plain = 0.0, 0.0, 0.0
    entries = frames(of)
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            rate, used = asyncio.run(recorded(ParquetRecords(Path(folder)), entries, len(of)))
            if rate > best:
                best, cpu = rate, used
            _check_catalog(Path(folder), of)
            plain = max(plain, _as_csv(Path(folder) / "plain.csv", of[: 5 * BASELINE]))
    base = f"csv.writer of the same fields, one fsync: {plain:,.0f}/s"
    batch = f"batches of {PARQUET_ROWS:,}; {_cost(cpu)}; "
    return [
        row("recorder, Parquet", best, "quotes/s", at_least=200_000, baseline=batch + base),
        row("recorder, Parquet, against CSV", best / plain, "times", baseline=base),
    ]


def _check_catalog(folder: Path, of: list[BookQuote]) -> None:
    catalog = Catalog(folder)
    for symbol in ("S0", f"S{SYMBOLS - 1}"):
        found = catalog.scan("binance", symbol, Kind.QUOTES).collect()
        expected = [each for each in of if each.symbol == symbol]
        assert found["bid"].to_list() == [each.bid for each in expected]
        assert found["ask_size"].to_list() == [each.ask_size for each in expected]
    assert catalog.verify() == []


def _as_csv(path: Path, of: list[BookQuote]) -> float:
    began = time.perf_counter()
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        for q in of:
            writer.writerow(
                (q.symbol, q.recv_ns, q.venue_ns, q.bid, q.ask, q.bid_size, q.ask_size, q.seq)
            )
        out.flush()
        os.fsync(out.fileno())
    return len(of) / (time.perf_counter() - began)


def postgres_rows(of: list[BookQuote]) -> list[Row]:
    """The recorder by COPY, and executemany of the same rows into the same table."""
    try:
        with postgres_server.running(17_000) as server:
            return asyncio.run(_postgres(server.address, of))
    except postgres_server.NoServerError as error:
        note = f"skipped: {error}"
        return [row("recorder, PostgreSQL COPY", 0, "quotes/s", at_least=50_000, baseline=note)]


async def _postgres(address: str, of: list[BookQuote]) -> list[Row]:
    entries, best, cpu, plain = frames(of), 0.0, 0.0, 0.0
    for number in range(RUNS):
        url = f"{address}/r{number}"
        admin = await asyncpg.connect(f"{address}/postgres")
        await admin.execute(f"CREATE DATABASE r{number}")
        await admin.close()
        rate, used = await recorded(PostgresRecords(url), entries, len(of))
        if rate > best:
            best, cpu = rate, used
        connection = await asyncpg.connect(url)
        await _check_tables(connection, of)
        plain = max(plain, await _executemany(connection, of[:BASELINE]))
        await connection.close()
    base = f"asyncpg executemany into the same table, one transaction: {plain:,.0f}/s"
    note = f"batches of {COPY_ROWS:,} and more, server on the same cores, no fsync; "
    note += f"{_cost(cpu)}; "
    return [
        row("recorder, PostgreSQL COPY", best, "quotes/s", at_least=50_000, baseline=note + base),
        row("recorder, COPY against executemany", best / plain, "times", baseline=base),
    ]


async def _check_tables(connection: asyncpg.Connection, of: list[BookQuote]) -> None:
    found = await connection.fetchrow(
        "SELECT count(*), sum(bid), sum(ask_size), sum(seq), max(ts_ns) FROM market_quotes"
    )
    expected = (len(of), sum(q.bid for q in of), sum(q.ask_size for q in of))
    assert tuple(found[:3]) == expected, found
    assert (found[3], found[4]) == (sum(q.seq for q in of), of[-1].recv_ns)


async def _executemany(connection: asyncpg.Connection, of: list[BookQuote]) -> float:
    values = [(1, q.recv_ns, q.venue_ns, q.bid, q.ask, q.bid_size, q.ask_size, q.seq) for q in of]
    began = time.perf_counter()
    async with connection.transaction():
        await connection.executemany(
            "INSERT INTO market_quotes VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", values
        )
    return len(of) / (time.perf_counter() - began)


def bridge_rows() -> list[Row]:
    """From the publisher over Redis to a reader of the bridge, one quote at a time."""
    try:
        with redis_server.running(seed=3) as server:
            times = asyncio.run(_latencies(server.url))
    except redis_server.NoServerError as error:
        note = f"skipped: {error}"
        return [row("publisher → Redis → bridge, p99", 0, "ms", at_most=25, baseline=note)]
    times.sort()
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    note = f"{LATENCY_RATE:,} quotes/s for {LATENCY_S:g} s, all on the same cores, p50 {p50:.2f} ms"
    return [row("publisher → Redis → bridge, p99", p99, "ms", at_most=25, baseline=note)]


async def _latencies(url: str) -> list[float]:
    out_bus, in_bus = RedisBus(url), RedisBus(url)
    publisher = MarketPublisher(out_bus, STREAM, "bench")
    bridge = MarketDataBridge(in_bus, [STREAM])
    times: list[float] = []
    seen: list[int] = []

    def take(events: list[MarketEvent]) -> None:
        now = time.time_ns()
        for event in events:
            if isinstance(event, BookQuote):
                times.append((now - event.recv_ns) / 1e6)
                seen.append(event.seq)

    bridge.follow(take)  # type: ignore[arg-type]
    tasks = [asyncio.create_task(publisher.run()), asyncio.create_task(bridge.run())]
    await asyncio.sleep(0.3)
    count, began = int(LATENCY_RATE * LATENCY_S), time.perf_counter()
    for number in range(count):
        due = began + number / LATENCY_RATE
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        ts = time.time_ns()
        publisher.publish(
            [BookQuote("binance", "S0", 2, 100 + number % 7, 110, 1, 1, ts, ts, number)]
        )
    await publisher.flushed()
    async with asyncio.timeout(20):
        while len(seen) < count:
            await asyncio.sleep(0.01)
    assert seen == list(range(count)), "a quote was lost, doubled or out of order"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await out_bus.close()
    await in_bus.close()
    return times


def rows() -> list[Row]:
    """All figures of this file."""
    of = quotes(QUOTES)
    return [*postgres_rows(of[:COPIED]), *parquet_rows(of), *bridge_rows()]


def main() -> None:
    """Measure and write build/bench/recorder.json."""
    write("recorder", rows())
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory {peak_mb:,} MB")


__all__ = ["bridge_rows", "parquet_rows", "postgres_rows", "rows"]

if __name__ == "__main__":
    main()
