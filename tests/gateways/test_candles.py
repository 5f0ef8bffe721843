"""Candles from memory and the store together are those one would make of all the quotes."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import numpy as np
import pytest

from tradeloom.app.bars import KEPT_S
from tradeloom.gateways.candles import candles, with_past
from tradeloom.marketdata.bars import MINUTE_NS, PERIODS, Bar, BarBuilder, longer
from tradeloom.marketdata.past import Past
from tradeloom.store import Database
from tradeloom.store.bar_builder import BarBuilder as StoredBars
from tradeloom.store.bars import BarStore

# Wednesday 2023-11-01 07:13 UTC: in the middle of every period.
START = 1_698_822_780 * 10**9
MINUTES = 12_000  # eight days
KEPT = 500


class Made(NamedTuple):
    """Where the stored bars are, what is in memory, and every minute there was."""

    url: str
    memory: BarBuilder
    minutes: list[Bar]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Eight days in the store, the newest 500 minutes in memory."""
    url = f"sqlite:///{tmp_path_factory.mktemp('candles')}/bars.db"
    random = np.random.default_rng(1)
    bids = 110_000 + np.cumsum(random.integers(-5, 6, MINUTES))
    times = START + np.arange(MINUTES, dtype=np.int64) * MINUTE_NS + 7
    stored = StoredBars(KEPT_S)
    stored.define(0, "EURUSD", 5)
    memory, every = BarBuilder(kept=KEPT), BarBuilder(kept=MINUTES)
    for ts, bid in zip(times.tolist(), bids.tolist(), strict=True):
        memory.add("EURUSD", ts, bid)
        every.add("EURUSD", ts, bid)

    async def fill() -> None:
        async with await Database.open(url) as database:
            store = BarStore(database)
            for at in range(0, MINUTES, 5_000):
                part = slice(at, at + 5_000)
                stored.add(0, times[part], bids[part], bids[part] + 10)
                await store.write(stored.take())

    asyncio.run(fill())
    return Made(url, memory, every.minutes("EURUSD"))


@pytest.mark.parametrize("period", PERIODS)
async def test_pages_join_without_gap(made: Made, period: str) -> None:
    expected = longer(made.minutes, PERIODS[period])
    found: list[Bar] = []
    before: int | None = None
    async with await Database.open(made.url) as database:
        store = BarStore(database)
        while page := await candles(made.memory, store, "EURUSD", 5, period, 1_300, before):
            assert len(page) <= 1_300
            found = page + found
            before = page[0].start_ns
    assert found == expected


@pytest.mark.parametrize("limit", [1, 2, 7, 499, 500, 501, 640])
async def test_any_number_of_the_newest(made: Made, limit: int) -> None:
    async with await Database.open(made.url) as database:
        store = BarStore(database)
        for period, minutes in PERIODS.items():
            expected = longer(made.minutes, minutes)[-limit:]
            assert await candles(made.memory, store, "EURUSD", 5, period, limit) == expected


async def test_nothing_there(made: Made) -> None:
    async with await Database.open(made.url) as database:
        store = BarStore(database)
        assert await candles(made.memory, store, "NOPE", 5, "H1", 100) == []
        before = START - START % (3_600 * 10**9)
        assert await candles(made.memory, store, "EURUSD", 5, "H1", 100, before) == []


async def test_a_made_up_market_has_a_past(made: Made) -> None:
    past = Past(1)
    async with await Database.open(made.url) as database:
        store = BarStore(database)

        async def page(period: str, limit: int, before: int | None) -> list[Bar]:
            real = await candles(made.memory, store, "EURUSD", 5, period, limit, before)
            return await with_past(past, made.memory, store, "EURUSD", period, limit, before, real)

        whole = await page("H1", 400, None)
        assert len(whole) == 400
        real = longer(made.minutes, 60)
        assert whole[-len(real) :] == real
        older = await page("H1", 100, whole[150].start_ns)
        assert older == whole[50:150]
        assert older[-1].start_ns < real[0].start_ns
        near = whole[-len(real) - 1].close / real[0].open
        assert near == pytest.approx(1.0, abs=0.01)
