"""ccxt as the judge of the simulated Backpack: it trades there, and both agree."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tradeloom.domain.market import BookDelta, BookQuote
from tradeloom.simulators import Simulator, SystemClock
from tradeloom.simulators.backpack import Backpack

SPOT = "BTCUSDC"


@asynccontextmanager
async def traded(**changes: str) -> AsyncIterator[tuple[Backpack, Any]]:
    """A venue with a book, and ccxt with its key."""
    pro = pytest.importorskip("ccxt.pro")
    venue = Backpack(seed=3, clock=SystemClock(), symbols=(SPOT, "BTCUSDC-PERP"))
    demo = venue.keys.all()[0]
    now = venue.clock.now_ns()
    venue.feed(BookQuote("backpack", SPOT, 2, 6180000, 6180010, 5 * 10**8, 7 * 10**8, now, now))
    async with Simulator([venue]) as simulator:
        client = pro.backpack({"apiKey": demo.key, "secret": demo.secret} | changes)
        rest, ws = simulator.url("backpack"), simulator.ws_url("backpack")
        client.urls["api"] = {
            "public": rest, "private": rest, "ws": {"public": ws, "private": ws}
        }  # fmt: skip
        try:
            yield venue, client
        finally:
            await client.close()


async def test_ccxt_trades() -> None:
    async with traded() as (venue, client):
        await client.load_markets()
        book = await client.fetch_order_book("BTC/USDC")
        assert [float(each) for each in book["bids"][0]] == [61800.0, 5.0]
        order = await client.create_order("BTC/USDC", "limit", "buy", 0.5, 61700)
        assert order["status"] == "open"
        (mine,) = await client.fetch_open_orders("BTC/USDC")
        assert (mine["id"], mine["amount"]) == (order["id"], 0.5)
        gone = await client.cancel_order(order["id"], "BTC/USDC")
        assert gone["status"] == "canceled"
        filled = await client.create_order("BTC/USDC", "market", "buy", 0.25)
        assert filled["filled"] == 0.25
        (trade,) = await client.fetch_my_trades("BTC/USDC")
        fill = venue.exchange.fills("demo")[0]
        assert (trade["price"], trade["amount"]) == (61800.1, 0.25)
        assert trade["fee"]["cost"] == fill.fee / 10**8
        balance = await client.fetch_balance()
        assert balance["BTC"]["free"] == pytest.approx(10.25 - fill.fee / 10**8)


async def test_ccxt_is_refused_with_a_wrong_secret() -> None:
    import ccxt

    wrong = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    async with traded(secret=wrong) as (_, client):
        with pytest.raises(ccxt.AuthenticationError):
            await client.fetch_balance()


async def test_ccxt_pro_keeps_the_same_book_and_sees_orders() -> None:
    async with traded() as (venue, client):
        await client.load_markets()
        watching = asyncio.create_task(client.watch_order_book("BTC/USDC"))
        now = venue.clock.now_ns()
        for step in range(1, 200):
            await asyncio.sleep(0.02)
            levels = ((6179900 - step % 7, step * 10**6),)
            venue.feed(BookDelta("backpack", SPOT, 2, False, levels, (), now, now))
            if watching.done():
                break
        for step in range(5):
            watching = asyncio.create_task(client.watch_order_book("BTC/USDC"))
            await asyncio.sleep(0.02)
            levels = ((6179800 - step, 10**8),)
            venue.feed(BookDelta("backpack", SPOT, 2, False, levels, (), now, now))
            await asyncio.wait_for(watching, 10)
        await asyncio.sleep(0.2)
        book = client.orderbooks["BTC/USDC"]
        ours = venue.exchange.snapshot(SPOT)
        assert [level[:2] for level in book["bids"]] == [
            [price / 100, size / 10**8] for price, size in ours.bids
        ]
        watching = asyncio.create_task(client.watch_orders())
        await asyncio.sleep(0.3)
        placed = await client.create_order("BTC/USDC", "limit", "sell", 0.1, 61900)
        (seen,) = await asyncio.wait_for(watching, 10)
        assert (seen["id"], seen["status"]) == (placed["id"], "open")
