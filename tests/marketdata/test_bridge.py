"""The bridge on both buses: conflated, tick by tick, once each, and nobody hurts a neighbour."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from tests.marketdata.ticks import quote, trade
from tradeloom.bus import Bus
from tradeloom.domain.market import MarketEvent
from tradeloom.marketdata.bridge import MarketDataBridge, Ticker
from tradeloom.marketdata.frames import MarketPublisher, pack

STREAM = "md:binance"
BTC, ETH = ("binance", "BTCUSDT"), ("binance", "ETHUSDT")


@contextlib.asynccontextmanager
async def _running(*workers: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    await asyncio.sleep(0.05)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _until(holds: Any) -> None:
    async with asyncio.timeout(15):
        while not holds():
            await asyncio.sleep(0.01)


async def test_full_rate_readers_get_every_event_once_in_order(bus: Bus) -> None:
    bridge = MarketDataBridge(bus, [STREAM])
    everything: list[MarketEvent] = []
    ethereum: list[MarketEvent] = []
    bridge.follow(everything.extend)
    stop = bridge.follow(ethereum.extend, [ETH])
    events: list[MarketEvent] = [
        (trade if n % 5 == 0 else quote)(n, "ETHUSDT" if n % 3 else "BTCUSDT") for n in range(300)
    ]
    async with _running(bridge):
        frame = pack("p", 1, events[:200])
        await bus.publish_many(STREAM, [frame, frame])
        await _until(lambda: len(everything) == 200)
        stop()
        await bus.publish_many(STREAM, [b"rubbish", pack("p", 2, events[200:])])
        await _until(lambda: len(everything) == 300)
        health = await bridge.look()
    assert everything == events
    assert ethereum == [each for each in events[:200] if each.symbol == "ETHUSDT"]
    assert (health.repeated, health.buried, health.lag) == (1, 1, 0)
    assert (await bus.backlog(STREAM, "bridge")).pending == 0


async def test_tickers_are_the_newest_at_most_every_so_often(bus: Bus) -> None:
    bridge = MarketDataBridge(bus, [STREAM], every_s=0.1)
    publisher = MarketPublisher(bus, STREAM, "p")
    lots: list[tuple[float, list[Ticker]]] = []

    def take(tickers: Sequence[Ticker]) -> None:
        lots.append((time.monotonic(), list(tickers)))

    bridge.watch(take, [BTC])
    async with _running(bridge, publisher):
        began = time.monotonic()
        for number in range(200):
            publisher.publish([quote(number), quote(number, "ETHUSDT"), trade(number)])
            await asyncio.sleep(0.003)
        await publisher.flushed()
        await _until(lambda: sum(t.changes for _, lot in lots for t in lot) == 400)
        took = time.monotonic() - began
    assert len(lots) <= took / 0.1 + 1
    assert all({t.symbol for t in lot} == {"BTCUSDT"} for _, lot in lots)
    last = lots[-1][1][-1]
    final, done = quote(199), trade(199)
    assert (last.bid, last.ask, last.last, last.last_size) == (
        final.bid,
        final.ask,
        done.price,
        done.size,
    )


async def test_a_new_watcher_sees_the_newest_at_once_and_a_bad_one_is_cut_off(bus: Bus) -> None:
    bridge = MarketDataBridge(bus, [STREAM], every_s=0.02)

    def fails(_: object) -> None:
        raise ValueError("a socket that is gone")

    good: list[Ticker] = []
    bridge.watch(fails)
    bridge.follow(fails)
    bridge.watch(good.extend)
    async with _running(bridge):
        await bus.publish(STREAM, pack("p", 1, [quote(1)]))
        await _until(lambda: len(good) == 1)
        await bus.publish(STREAM, pack("p", 2, [quote(2)]))
        await _until(lambda: len(good) == 2)
        late: list[Ticker] = []
        bridge.watch(late.extend)
        assert [each.bid for each in late] == [quote(2).bid]
    assert bridge.health.cut_off == 2


async def test_after_an_absence_only_the_newest_counts(bus: Bus, monkeypatch: Any) -> None:
    monkeypatch.setattr("tradeloom.marketdata.bridge.BRIDGE_STALE_S", 0.2)
    await bus.join(STREAM, "bridge")
    for number in range(5):
        await bus.publish(STREAM, pack("p", 1 + number, [quote(number)]))
    await asyncio.sleep(0.4)
    bridge = MarketDataBridge(bus, [STREAM], every_s=0.02)
    seen: list[MarketEvent] = []
    tickers: list[Ticker] = []
    bridge.follow(seen.extend)
    bridge.watch(tickers.extend)
    async with _running(bridge):
        await _until(lambda: tickers)
        assert [each.bid for each in tickers] == [quote(4).bid]
        fresh = msgspec.structs.replace(quote(9), recv_ns=time.time_ns())
        await bus.publish(STREAM, pack("p", 6, [fresh]))
        await _until(lambda: seen)
        health = await bridge.look()
    assert seen == [fresh]
    assert health.behind == 5
    assert 0 < health.p99_ms < 5_000
