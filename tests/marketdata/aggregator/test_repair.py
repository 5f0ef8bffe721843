"""Holes filled from the venue's history, a second aggregator, late ticks beside the record."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.marketdata.aggregator import oracle
from tests.marketdata.ticks import mixed
from tradeloom.bus import Bus, MemoryBus
from tradeloom.domain.market import FeedState, FeedStatus, HistoricBar, MarketEvent, TradeTick
from tradeloom.marketdata.aggregator import INTERVALS_S, BarAggregator, MarketBar, MarketBarStore
from tradeloom.marketdata.aggregator.book import Tick
from tradeloom.marketdata.frames import pack
from tradeloom.marketdata.recorder import MarketDataRecorder, PostgresRecords
from tradeloom.store import Database

NS = 10**9
MINUTE = 60 * NS
START = 1_780_012_800 * NS  # midnight
LAST = 20  # minutes of trading


def _trades() -> list[TradeTick]:
    """One every ten seconds."""
    return [
        TradeTick("v", "S", 2, 1_000 + n * 37 % 91, 10**8 + n, None, str(n), START + n * 10 * NS, 0)
        for n in range(LAST * 6)
    ]


def _history(trades: Sequence[TradeTick]) -> Any:
    asked: list[tuple[int, int]] = []

    async def history(
        venue: str, symbol: str, interval_s: int, since_ns: int, until_ns: int
    ) -> tuple[int, list[HistoricBar]]:
        assert (venue, symbol, interval_s) == ("v", "S", 60)
        asked.append((since_ns, until_ns))
        if len(asked) == 1:
            raise ConnectionError("the venue is away")
        found = []
        for (_, _, length, start), bar in oracle.bars(trades).items():
            if length == 60 and since_ns <= start < until_ns and bar.trade is not None:
                p = bar.trade
                # The venue tells one digit more than its ticks had.
                prices = (p.open * 10, p.high * 10, p.low * 10, p.close * 10)
                found.append(HistoricBar(start, *prices, int(bar.volume * 10**8)))
        return 3, found

    history.asked = asked  # type: ignore[attr-defined]
    return history


@contextlib.asynccontextmanager
async def _working(bus: Bus, database: Database, **how: Any) -> AsyncIterator[BarAggregator]:
    aggregator = BarAggregator(
        bus, MarketBarStore(database), ["md:v"], every_s=0.01, live=False, **how
    )
    task = asyncio.create_task(aggregator.run())
    yield aggregator
    aggregator.stop()
    await asyncio.wait_for(task, 20)


async def _caught_up(bus: Bus) -> None:
    async with asyncio.timeout(20):
        while (await bus.backlog("md:v", "bars"))[:2] != (0, 0):
            await asyncio.sleep(0.005)


async def _bars(database: Database) -> dict[oracle.Key, MarketBar]:
    store = MarketBarStore(database)
    return {
        oracle.key(each.bar): each.bar
        for interval_s in INTERVALS_S
        for each in await store.span("v", "S", interval_s, 0, 2**62)
    }


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bars.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with await Database.open(url) as opened:
        await MarketBarStore(opened).open()
        yield opened


@pytest.mark.parametrize("how", ["told by the feed", "missing frames"])
async def test_a_hole_is_filled_by_the_venues_own_minutes(
    database: Database, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradeloom.marketdata.aggregator.aggregator.HISTORY_RETRY_S", 0.05)
    bus, trades = MemoryBus(), _trades()
    history = _history(trades)
    lost = range(5 * 6 + 2, 8 * 6 + 1)  # from the middle of one minute into another
    frames: list[list[MarketEvent]] = [[t] for n, t in enumerate(trades) if n not in lost]
    seqs = [1 + n for n in range(len(trades)) if n not in lost]
    if how == "told by the feed":
        at = lost.start
        stale, live = trades[lost.start].venue_ns, trades[lost.stop].venue_ns
        frames.insert(at, [FeedStatus("v", "S", FeedState.STALE, "silence", stale)])
        frames.insert(at + 1, [FeedStatus("v", "S", FeedState.LIVE, "back", live)])
        seqs = list(range(1, len(frames) + 1))
    async with _working(bus, database, history=history) as aggregator:
        for seq, frame in zip(seqs, frames, strict=True):
            await bus.publish("md:v", pack("p", seq, frame))
        await _caught_up(bus)
        async with asyncio.timeout(20):
            while aggregator.health["md:v"].filled < 4:
                await asyncio.sleep(0.01)
        assert aggregator.health["md:v"].holes == 1
        assert aggregator.health["md:v"].filled == 4
    found = await _bars(database)
    minutes = {start: bar for (_, _, length, start), bar in found.items() if length == 60}
    assert [s for s, bar in sorted(minutes.items()) if bar.filled] == [
        START + n * MINUTE for n in (5, 6, 7, 8)
    ]
    # Every bar of a minute and longer shows the prices and volume of all trades, seen or not.
    expected = oracle.bars(trades)
    for key, bar in found.items():
        if key[2] >= 60:
            assert bar.trade is not None
            scale = 10 ** (bar.digits - 2)
            whole = expected[key].trade
            assert whole is not None
            assert bar.trade == type(whole)(*(p * scale for p in msgspec.structs.astuple(whole)))
            assert bar.volume == expected[key].volume
    assert {key for key in expected if key[2] >= 60} == {key for key in found if key[2] >= 60}
    changed = [bar for bar in found.values() if bar.revision]
    assert {bar.interval_s for bar in changed} == {60, 300, 900}


async def test_two_aggregators_by_mistake_count_nothing_twice(database: Database) -> None:
    bus, trades = MemoryBus(), _trades()
    async with _working(bus, database, name="one"), _working(bus, database, name="two"):
        for number, tick in enumerate(trades):
            await bus.publish("md:v", pack("p", number + 1, [tick]))
            if number % 10 == 0:
                await asyncio.sleep(0.02)
        await _caught_up(bus)
    found = await _bars(database)
    day = found["v", "S", 86_400, START]
    assert day.trades == len(trades)
    assert day.volume == oracle.bars(trades)["v", "S", 86_400, START].volume


async def test_the_recorders_ticks_make_late_repetitions_harmless(postgres_url: str) -> None:
    bus = MemoryBus()
    events = mixed(2_000)
    ticks: list[Tick] = [
        msgspec.structs.replace(each, venue="v") for each in events if isinstance(each, Tick)
    ]
    records = PostgresRecords(postgres_url)
    recorder = MarketDataRecorder(bus, records, ["md:v"])
    recording = asyncio.create_task(recorder.run())
    async with await Database.open(postgres_url) as database:
        await MarketBarStore(database).open()
        async with _working(bus, database, ticks=records.ticks, late_s=1) as aggregator:
            for number in range(0, 2_000, 100):
                await bus.publish("md:v", pack("p", 1 + number, ticks[number : number + 100]))
            await _caught_up(bus)
            async with asyncio.timeout(20):
                while recorder.health["md:v"].quotes + recorder.health["md:v"].trades < 2_000:
                    await asyncio.sleep(0.01)
            # A venue that sends its last trades and quotes again after a reconnect.
            await bus.publish("md:v", pack("q", 1, ticks[300:400]))
            await _caught_up(bus)
            async with asyncio.timeout(20):
                while aggregator.health["md:v"].late_known < 100:
                    await asyncio.sleep(0.01)
        recorder.stop()
        await recording
        await records.close()
        store = MarketBarStore(database)
        for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
            [day] = await store.read("v", symbol, 86_400)
            expected = oracle.bars([t for t in ticks if t.symbol == symbol])
            whole = next(bar for key, bar in expected.items() if key[2] == 86_400)
            assert msgspec.structs.replace(day, finished=False) == whole
