"""ccxt against the simulated OKX: a client that is not ours sees the same market and orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, TradeTick
from tradeloom.simulators import Simulator, SystemClock, VenueDialect
from tradeloom.simulators.okx import OkxSpot, OkxSwap

ccxt: Any = pytest.importorskip("ccxt.pro", reason="ccxt, the judge, is not installed")
UNIT = 10**8
MARKETS = pytest.mark.parametrize(
    ("kind", "symbol", "unified"),
    [(OkxSpot, "BTCUSDT", "BTC/USDT"), (OkxSwap, "BTCUSDT-PERP", "BTC/USDT:USDT")],
    ids=["spot", "swap"],
)


@asynccontextmanager
async def served(kind: type[VenueDialect], symbol: str) -> AsyncIterator[tuple[Any, Any]]:
    venue = kind(seed=3, clock=SystemClock(), symbols=[symbol])
    move(venue, symbol, 0)
    async with Simulator([venue]) as simulator:
        key = venue.keys.all()[0]
        spot = kind is OkxSpot
        client = ccxt.okx(
            {
                "apiKey": key.key,
                "secret": key.secret,
                "password": key.passphrase,
                "enableRateLimit": False,
                "options": {
                    "defaultType": "spot" if spot else "swap",
                    "fetchMarkets": {"types": ["spot" if spot else "swap"]},
                },
            }
        )
        client.has["fetchCurrencies"] = False
        client.urls["api"] = {
            "rest": simulator.url(venue.name),
            "ws": f"{simulator.ws_url(venue.name)}/ws/v5",
        }
        try:
            yield venue, client
        finally:
            await client.close()


def move(venue: VenueDialect, symbol: str, step: int) -> None:
    now = venue.clock.now_ns()
    bids = tuple((61_800_00 - 2 * n + step, UNIT + n) for n in range(1, 40))
    asks = tuple((61_800_10 + 3 * n + step, UNIT + n) for n in range(1, 40))
    venue.feed(BookDelta(venue.name, symbol, 2, True, bids, asks, now, now))


@MARKETS
async def test_orders_and_fills_agree(kind: type[VenueDialect], symbol: str, unified: str) -> None:
    async with served(kind, symbol) as (venue, client):
        markets = await client.load_markets()
        at = venue.exchange.markets[symbol].instrument
        assert markets[unified]["precision"]["price"] == 0.01
        assert markets[unified]["precision"]["amount"] == at.step / UNIT
        if kind is OkxSwap:
            assert markets[unified]["contractSize"] == 0.01
        placed = await client.create_order(
            unified, "limit", "buy", 0.25, 61_000.1, {"clientOrderId": "theirs1"}
        )
        (order,) = venue.exchange.open_orders("demo")
        assert (order.price, order.size, order.client_id) == (61_000_10, UNIT // 4, "theirs1")
        (found,) = await client.fetch_open_orders(unified)
        assert (found["id"], found["price"], found["amount"]) == (placed["id"], 61_000.1, 0.25)
        assert (found["clientOrderId"], found["status"]) == ("theirs1", "open")
        await client.edit_order(placed["id"], unified, "limit", "buy", 0.3, 61_001.0)
        changed = await client.fetch_order(placed["id"], unified)
        assert (changed["price"], changed["amount"]) == (61_001.0, 0.3)
        await client.cancel_order(placed["id"], unified)
        assert not venue.exchange.open_orders("demo")
        taken = await client.create_order(unified, "market", "sell", 1.5)
        trades = await client.fetch_my_trades(unified)
        assert {each["order"] for each in trades} == {taken["id"]}
        assert sum(each["amount"] for each in trades) == pytest.approx(1.5)
        fills = venue.exchange.fills("demo")
        assert sorted(each["price"] for each in trades) == sorted(f.price / 100 for f in fills)
        assert sum(each["fee"]["cost"] for each in trades) == pytest.approx(
            sum(fill.fee for fill in fills) / UNIT
        )
        if kind is OkxSwap:
            (position,) = await client.fetch_positions([unified])
            assert (position["side"], position["contracts"]) == ("short", 1.5)
        with pytest.raises(ccxt.InsufficientFunds):
            await client.create_order(unified, "limit", "buy", 50_000_000, 61_000)
        client.password = "not-the-phrase"  # noqa: S105
        with pytest.raises(ccxt.AuthenticationError):
            await client.fetch_open_orders(unified)


@MARKETS
async def test_streams_agree(kind: type[VenueDialect], symbol: str, unified: str) -> None:
    async with served(kind, symbol) as (venue, client):
        await client.load_markets()
        book = await asyncio.wait_for(client.watch_order_book(unified), 10)
        for step in (1, 2, 3):
            move(venue, symbol, step)
            await asyncio.sleep(0.15)
        async with asyncio.timeout(10):
            while book["bids"][0][0] != 61_800.01:
                book = await client.watch_order_book(unified)
        theirs = venue.exchange.snapshot(symbol, 39)
        assert [[p, s] for p, s, *_ in book["bids"]] == [
            [p / 100, s / UNIT] for p, s in theirs.bids
        ]
        assert [[p, s] for p, s, *_ in book["asks"]] == [
            [p / 100, s / UNIT] for p, s in theirs.asks
        ]
        waiting = asyncio.create_task(client.watch_trades(unified))
        async with asyncio.timeout(10):
            while not any(name.startswith("trades") for name in venue.listeners):
                await asyncio.sleep(0.01)
        now = venue.clock.now_ns()
        venue.feed(TradeTick(venue.name, symbol, 2, 61_800_00, UNIT, Side.BUY, "", now, now))
        (trade, *_) = await asyncio.wait_for(waiting, 10)
        assert (trade["price"], trade["amount"], trade["side"]) == (61_800.0, 1.0, "buy")


@MARKETS
async def test_orders_over_a_socket_agree(
    kind: type[VenueDialect], symbol: str, unified: str
) -> None:
    """ccxt names instruments on sockets by their number, as OKX wants since 2026-02-03."""
    async with served(kind, symbol) as (venue, client):
        await client.load_markets()
        waiting = asyncio.create_task(client.watch_orders(unified))
        async with asyncio.timeout(10):
            while not any(each.state.get("channels") for each in venue.sessions_of("demo")):
                await asyncio.sleep(0.01)
        placed = await client.create_order_ws(unified, "limit", "buy", 0.25, 61_000.1)
        (told, *_) = await asyncio.wait_for(waiting, 10)
        assert (told["id"], told["status"], told["amount"]) == (placed["id"], "open", 0.25)
        await client.cancel_order_ws(placed["id"], unified)
        assert not venue.exchange.open_orders("demo")
