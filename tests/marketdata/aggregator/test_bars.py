"""Bars are a function of the set of ticks: of no order, no repetition, no cut, no restart."""

from __future__ import annotations

import asyncio
import itertools
import random
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.marketdata.aggregator import oracle
from tradeloom.bus import MemoryBus
from tradeloom.domain.market import BookQuote, TradeTick
from tradeloom.marketdata.aggregator import (
    INTERVALS_S,
    BarAggregator,
    MarketBar,
    MarketBarStore,
    decode_bars,
)
from tradeloom.marketdata.aggregator.book import SymbolBars, Tick
from tradeloom.marketdata.frames import event_ns, pack
from tradeloom.store import Database

NS = 10**9
START = 1_780_012_780 * NS  # twenty seconds before a day, an hour and a quarter begin
_FOLDERS = itertools.count()

nanoseconds = st.one_of(
    st.integers(0, 40 * 10).map(lambda tenths: START + tenths * NS // 10),
    st.integers(0, 9).map(lambda minutes: START + minutes * 47 * NS),
)
quotes = st.builds(
    lambda ns, bid, spread, size, seq: BookQuote(
        "v", "S", 2, bid, bid + spread, size, size, ns, ns + NS // 7, seq
    ),
    nanoseconds,
    st.integers(-3, 30),
    st.integers(0, 3),
    st.integers(1, 2),
    st.integers(0, 2),
)
trades = st.builds(
    lambda ns, price, size, number: TradeTick("v", "S", 2, price, size, None, number, ns, ns),
    nanoseconds,
    st.integers(-3, 30),
    st.integers(1, 5),
    st.sampled_from(["", "7", "8", "70", "a-b", "9" * 30]),
)
ticks = st.lists(st.one_of(quotes, trades), min_size=1, max_size=60)


def plain(bars: dict[oracle.Key, MarketBar]) -> dict[oracle.Key, MarketBar]:
    """Without what only says how a bar came about."""
    return {
        key: msgspec.structs.replace(bar, revision=0, finished=False) for key, bar in bars.items()
    }


@given(ticks, st.randoms(use_true_random=False), st.integers(1, 9))
@settings(deadline=None)
def test_any_order_any_repetition_any_cut(
    given_ticks: list[Tick], dice: random.Random, step: int
) -> None:
    fed = given_ticks + dice.choices(given_ticks, k=len(given_ticks) // 2)
    dice.shuffle(fed)
    book = SymbolBars("v", "S", 2)
    found: dict[oracle.Key, MarketBar] = {}
    for at in range(0, len(fed), step):
        for tick in fed[at : at + step]:
            book.add(tick)
        found |= {oracle.key(each.bar): each.bar for each in book.take()}
        # Through what a restart keeps.
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(book.state()))
        book = SymbolBars.of("v", "S", state)
    book.seal(START // NS + 10 * 86_400)
    last = {oracle.key(each.bar): each.bar for each in book.take()}
    expected = oracle.bars(given_ticks)
    assert plain(found | last) == expected
    assert last.keys() == expected.keys()
    assert all(bar.finished for bar in last.values())
    assert book.late == []


@given(ticks, st.integers(0, 3))
@settings(deadline=None)
def test_finer_digits_on_the_way_change_nothing_but_the_digits(
    given_ticks: list[Tick], cut: int
) -> None:
    def fine(tick: Tick) -> Tick:
        if isinstance(tick, BookQuote):
            return msgspec.structs.replace(tick, digits=3, bid=tick.bid * 10, ask=tick.ask * 10)
        return msgspec.structs.replace(tick, digits=3, price=tick.price * 10)

    book = SymbolBars("v", "S", 2)
    for at, tick in enumerate(given_ticks):
        book.add(fine(tick) if at % 4 == cut else tick)
        if at % 7 == 0:
            book.seal(event_ns(tick) // NS - 5)
            book.take()
    seen_fine = len(given_ticks) > cut
    book.seal(START // NS + 10 * 86_400)
    late = {event_ns(tick) // NS for tick in book.late}
    final = {oracle.key(e.bar): e.bar for e in book.take() if e.bar.interval_s == 86_400}
    if not late and seen_fine:
        expected = oracle.bars([fine(tick) for tick in given_ticks])
        assert plain(final) == {key: expected[key] for key in final}


class _Rig:
    """An aggregator on an in-process bus and a SQLite file, fed frame by frame."""

    def __init__(self, folder: Path, **how: Any) -> None:
        self.folder = folder
        self.bus = MemoryBus()
        self.how = how
        self.number = 0
        self.published: dict[oracle.Key, MarketBar] = {}

    async def run(self, frames: list[list[Tick]], *, seal: bool = False) -> BarAggregator:
        """Feed frames, one save for each, and stop; call again for a restart."""
        async with await Database.open(f"sqlite:///{self.folder / 'bars.db'}") as database:
            store = MarketBarStore(database)
            await store.open()
            aggregator = BarAggregator(
                self.bus, store, ["md:v"], every_s=0.0, live=False, **self.how
            )
            task = asyncio.create_task(aggregator.run())
            for frame in frames:
                self.number += 1
                await self.bus.publish("md:v", pack("p", self.number, frame))
                async with asyncio.timeout(20):
                    while (await self.bus.backlog("md:v", "bars"))[:2] != (0, 0):
                        await asyncio.sleep(0)
            aggregator.stop(seal=seal)
            await asyncio.wait_for(task, 20)
            self.stored = {
                oracle.key(each.bar): each.bar
                for interval_s in INTERVALS_S
                for each in await store.span("v", "S", interval_s, 0, 2**62)
            }
        for entry in await self.bus.read("bars:v", "g", "me", count=10**6, wait_s=0):
            for bar in decode_bars(entry.data):
                known = self.published.get(oracle.key(bar))
                if known is None or bar.revision >= known.revision:
                    self.published[oracle.key(bar)] = bar
        return aggregator


@given(ticks, st.randoms(use_true_random=False), st.integers(4, 9))
@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_later_than_the_bound_and_over_restarts(
    tmp_path: Path, given_ticks: list[Tick], dice: random.Random, step: int
) -> None:
    """Shuffled over minutes with a bound of one second: corrected as revisions, stored and told."""

    async def run() -> None:
        distinct = list({oracle_mark(tick): tick for tick in given_ticks}.values())
        dice.shuffle(distinct)
        frames = [distinct[at : at + step] for at in range(0, len(distinct), step)]
        folder = tmp_path / str(next(_FOLDERS))
        folder.mkdir()
        rig = _Rig(folder, late_s=1)
        half = len(frames) // 2
        await rig.run(frames[:half])
        await rig.run(frames[half:], seal=True)
        expected = oracle.bars(distinct)
        assert plain(rig.stored) == expected
        assert plain(rig.published) == expected
        assert all(bar.finished for bar in rig.stored.values())

    asyncio.run(run())


@given(ticks, st.randoms(use_true_random=False))
@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_late_repetitions_are_known_where_ticks_are_recorded(
    tmp_path: Path, given_ticks: list[Tick], dice: random.Random
) -> None:
    """With the recorder's ticks at hand even a repetition hours later counts once."""

    async def run() -> None:
        fed = given_ticks * 2
        dice.shuffle(fed)
        frames = [fed[at : at + 20] for at in range(0, len(fed), 20)]
        recorded: list[Tick] = []

        async def source(venue: str, symbol: str, since_ns: int, until_ns: int) -> list[Tick]:
            assert (venue, symbol) == ("v", "S")
            return [tick for tick in recorded if since_ns <= event_ns(tick) < until_ns]

        folder = tmp_path / str(next(_FOLDERS))
        folder.mkdir()
        rig = _Rig(folder, late_s=1, ticks=source)
        for frame in frames:
            recorded += frame
            await rig.run([frame])
        await rig.run([], seal=True)
        assert plain(rig.stored) == oracle.bars(given_ticks)

    asyncio.run(run())


def oracle_mark(tick: Tick) -> tuple[object, ...]:
    """What makes two ticks the same tick."""
    if isinstance(tick, BookQuote):
        return (event_ns(tick), tick.seq, tick.bid, tick.ask, tick.bid_size, tick.ask_size)
    return (event_ns(tick), tick.trade_id, tick.price, tick.size)
