"""ccxt against the simulated Kraken: a client that is not ours must see the same market."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tradeloom.domain.market import BookDelta
from tradeloom.simulators import Simulator, SystemClock
from tradeloom.simulators.kraken import KrakenSpot

ccxt = pytest.importorskip("ccxt.pro")


@asynccontextmanager
async def market() -> AsyncIterator[tuple[KrakenSpot, Any]]:
    venue = KrakenSpot(seed=3, clock=SystemClock(), symbols=("BTCUSD", "ETHUSD"))
    async with Simulator([venue]) as simulator:
        key = venue.keys.all()[0]
        client = ccxt.kraken({"apiKey": key.key, "secret": key.secret, "enableRateLimit": False})
        client.urls["api"]["public"] = client.urls["api"]["private"] = simulator.url("kraken")
        base = simulator.ws_url("kraken")
        client.urls["api"]["ws"] |= {
            "publicV2": f"{base}/v2", "privateV2": f"{base}/auth/v2",
            "public": f"{base}/v2", "private": f"{base}/auth/v2",
        }  # fmt: skip
        book(venue, [(618000 - 2 * i, 10**8 + i) for i in range(30)],
             [(618010 + 3 * i, 2 * 10**8 + i) for i in range(30)])  # fmt: skip
        try:
            yield venue, client
        finally:
            await client.close()


def book(venue: KrakenSpot, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
    now = venue.clock.now_ns()
    venue.feed(BookDelta("kraken", "BTCUSD", 1, False, tuple(bids), tuple(asks), now, now))


async def test_orders_by_rest_agree() -> None:
    async with market() as (venue, client):
        await client.load_markets()
        assert client.markets["BTC/USD"]["precision"]["price"] == 0.1
        placed = await client.create_order(
            "BTC/USD", "limit", "buy", 0.25, 61700.1, {"clientOrderId": "their-own-id"}
        )
        (order,) = venue.exchange.open_orders("demo")
        assert (order.price, order.size, order.client_id) == (617001, 25_000_000, "their-own-id")
        (found,) = await client.fetch_open_orders("BTC/USD")
        assert (found["id"], found["price"], found["amount"]) == (placed["id"], 61700.1, 0.25)
        await client.cancel_order(placed["id"])
        assert not venue.exchange.open_orders("demo")
        taken = await client.create_order("BTC/USD", "market", "sell", 1.5)
        (trade, other) = await client.fetch_my_trades("BTC/USD")
        assert {trade["order"], other["order"]} == {taken["id"]}
        assert trade["amount"] + other["amount"] == pytest.approx(1.5)
        balance = await client.fetch_balance()
        held = venue.exchange.accounts["demo"].balances["BTC"]
        assert balance["BTC"]["total"] == (held.free + held.locked) / 1e8 == 98.5


async def test_refusals_are_read_as_what_they_are() -> None:
    async with market() as (_, client):
        await client.load_markets()
        with pytest.raises(ccxt.InsufficientFunds):
            await client.create_order("BTC/USD", "limit", "buy", 90, 61700)
        client.secret = client.secret[::-1].replace("=", "A")
        with pytest.raises(ccxt.ExchangeError, match="EAPI:Invalid signature"):
            await client.fetch_balance()
        client.apiKey = "nobody"
        with pytest.raises(ccxt.AuthenticationError):
            await client.fetch_balance()


async def test_books_and_trades_of_the_sockets_agree() -> None:
    async with market() as (venue, client):
        await client.load_markets()
        seen = await client.watch_order_book("BTC/USD", 10)
        assert seen["bids"][0] == [61800.0, 1.0]
        book(venue, [(618005, 3 * 10**8), (617998, 0)], [(618010, 0)])
        seen = await asyncio.wait_for(client.watch_order_book("BTC/USD", 10), 5)
        ours = venue.exchange.snapshot("BTCUSD", 10)
        assert [[p / 10, s / 1e8] for p, s in ours.bids] == [list(row) for row in seen["bids"]]
        assert [[p / 10, s / 1e8] for p, s in ours.asks] == [list(row) for row in seen["asks"]]


async def test_orders_over_the_socket_agree() -> None:
    async with market() as (venue, client):
        await client.load_markets()
        watching = asyncio.create_task(client.watch_orders("BTC/USD"))
        await asyncio.sleep(0.2)
        placed = await client.create_order_ws("BTC/USD", "limit", "sell", 0.5, 61999.9)
        (told, *_) = await asyncio.wait_for(watching, 5)
        assert (told["id"], told["side"], told["price"]) == (placed["id"], "sell", 61999.9)
        fills = asyncio.create_task(client.watch_my_trades("BTC/USD"))
        await asyncio.sleep(0.1)
        book(venue, [(619999, 10**8)], [(p, 0) for p in range(618010, 618100, 3)])
        (fill, *_) = await asyncio.wait_for(fills, 5)
        assert (fill["amount"], fill["price"], fill["takerOrMaker"]) == (0.5, 61999.9, "maker")
        (mine,) = venue.exchange.fills("demo")
        assert fill["fee"]["cost"] == pytest.approx(mine.fee / 1e8)
