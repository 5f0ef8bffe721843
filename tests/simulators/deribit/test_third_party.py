"""ccxt as the judge of the simulated Deribit: it trades there, and both agree on what happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick
from tradeloom.simulators import Simulator, SystemClock
from tradeloom.simulators.deribit import Deribit

BTC = "BTCUSD-PERP"


@asynccontextmanager
async def traded(**changes: str) -> AsyncIterator[tuple[Deribit, Any]]:
    """A venue with a book, and ccxt signed in."""
    pro = pytest.importorskip("ccxt.pro")
    venue = Deribit(seed=3, clock=SystemClock(), symbols=(BTC, "ETHUSDC-PERP"))
    demo = venue.keys.all()[0]
    now = venue.clock.now_ns()
    venue.feed(BookQuote("deribit", BTC, 1, 618000, 618005, 5000 * 10**8, 7000 * 10**8, now, now))
    async with Simulator([venue]) as simulator:
        client = pro.deribit({"apiKey": demo.key, "secret": demo.secret} | changes)
        client.urls["api"] = {
            "rest": simulator.url("deribit"), "ws": f"{simulator.ws_url('deribit')}/ws/api/v2"
        }  # fmt: skip
        try:
            yield venue, client
        finally:
            await client.close()


async def test_ccxt_trades_by_http() -> None:
    async with traded() as (venue, client):
        await client.load_markets()
        assert "BTC/USD:BTC" in client.markets
        assert client.markets["ETH/USDC:USDC"]["linear"]
        book = await client.fetch_order_book("BTC/USD:BTC")
        assert book["bids"][0] == [61800.0, 5000.0]
        order = await client.create_order("BTC/USD:BTC", "limit", "buy", 1000, 61700)
        assert order["status"] == "open"
        (mine,) = await client.fetch_open_orders("BTC/USD:BTC")
        assert mine["id"] == order["id"]
        edited = await client.edit_order(order["id"], "BTC/USD:BTC", "limit", "buy", 2000, 61710)
        assert (edited["price"], edited["amount"]) == (61710.0, 2000.0)
        gone = await client.cancel_order(order["id"], "BTC/USD:BTC")
        assert gone["status"] == "canceled"
        filled = await client.create_order("BTC/USD:BTC", "market", "buy", 500)
        assert (filled["status"], filled["filled"]) == ("closed", 500.0)
        assert filled["average"] == pytest.approx(61800.5)
        (trade,) = await client.fetch_my_trades("BTC/USD:BTC")
        fill = venue.exchange.fills("demo")[0]
        assert trade["fee"]["cost"] == fill.fee / 10**8
        (position,) = await client.fetch_positions(["BTC/USD:BTC"])
        assert position["contracts"] == 500.0
        balance = await client.fetch_balance()
        assert balance["BTC"]["total"] == pytest.approx(10, abs=0.001)


async def test_ccxt_is_refused_with_a_wrong_secret() -> None:
    import ccxt

    async with traded(secret="nonsense") as (_, client):  # noqa: S106
        with pytest.raises(ccxt.AuthenticationError):
            await client.fetch_balance()


async def test_ccxt_pro_sees_books_trades_and_orders() -> None:
    async with traded() as (venue, client):
        await client.load_markets()
        watching = asyncio.create_task(client.watch_order_book("BTC/USD:BTC"))
        book = await asyncio.wait_for(watching, 10)
        now = venue.clock.now_ns()
        for price, size in ((617990, 40), (617980, 50), (617990, 0), (617970, 60)):
            levels = ((price, size * 10**8),)
            venue.feed(BookDelta("deribit", BTC, 1, False, levels, (), now, now))
            book = await asyncio.wait_for(client.watch_order_book("BTC/USD:BTC"), 10)
        ours = venue.exchange.snapshot(BTC)
        assert [list(level[:2]) for level in book["bids"]] == [
            [price / 10, size / 10**8] for price, size in ours.bids
        ]
        watching = asyncio.create_task(client.watch_trades("BTC/USD:BTC"))
        await asyncio.sleep(0.2)
        venue.feed(TradeTick("deribit", BTC, 1, 618005, 90 * 10**8, Side.BUY, "0", now, now))
        trades = await asyncio.wait_for(watching, 10)
        assert (trades[-1]["price"], trades[-1]["amount"]) == (61800.5, 90.0)
        orders = asyncio.create_task(client.watch_orders("BTC/USD:BTC"))
        await asyncio.sleep(0.3)
        placed = await client.create_order("BTC/USD:BTC", "limit", "sell", 100, 61900)
        (seen,) = await asyncio.wait_for(orders, 10)
        assert (seen["id"], seen["status"]) == (placed["id"], "open")
