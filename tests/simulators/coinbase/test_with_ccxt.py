"""ccxt against the simulated Coinbase: a client that is not ours must see the same market."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tradeloom.domain.market import BookDelta
from tradeloom.simulators import Simulator, SystemClock
from tradeloom.simulators.coinbase import CoinbaseSpot
from tradeloom.simulators.coinbase.spot import PUBLIC_PER_S

ccxt = pytest.importorskip("ccxt.pro")


@asynccontextmanager
async def market() -> AsyncIterator[tuple[CoinbaseSpot, Any]]:
    venue = CoinbaseSpot(seed=3, clock=SystemClock(), symbols=("BTCUSD", "ETHUSD"))
    async with Simulator([venue]) as simulator:
        key = venue.keys.all()[0]
        client = ccxt.coinbase(
            {
                "apiKey": key.key,
                "secret": key.secret,
                "enableRateLimit": False,
                "options": {"fetchMarkets": {"types": ["spot"]}},
            }
        )
        client.has["fetchCurrencies"] = False
        client.urls["api"] = {
            "rest": simulator.url("coinbase"),
            "ws": f"{simulator.ws_url('coinbase')}/ws",
        }
        book(venue, [(6180000 - 20 * i, 10**8 + i) for i in range(30)],
             [(6180100 + 30 * i, 2 * 10**8 + i) for i in range(30)])  # fmt: skip
        try:
            yield venue, client
        finally:
            await client.close()


def book(venue: CoinbaseSpot, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
    now = venue.clock.now_ns()
    venue.feed(BookDelta("coinbase", "BTCUSD", 2, False, tuple(bids), tuple(asks), now, now))


async def test_orders_agree() -> None:
    async with market() as (venue, client):
        await client.load_markets()
        assert client.markets["BTC/USD"]["precision"] == {"amount": 1e-8, "price": 0.01}
        placed = await client.create_order("BTC/USD", "limit", "buy", 0.25, 61700.11)
        (order,) = venue.exchange.open_orders("demo")
        assert (order.price, order.size) == (6170011, 25_000_000)
        (found,) = await client.fetch_open_orders("BTC/USD")
        assert (found["id"], found["price"], found["amount"], found["status"]) == (
            placed["id"], 61700.11, 0.25, "open",
        )  # fmt: skip
        await client.edit_order(placed["id"], "BTC/USD", "limit", "buy", 0.3, 61710.55)
        assert (order.price, order.size) == (6171055, 30_000_000)
        await client.cancel_order(placed["id"])
        assert not venue.exchange.open_orders("demo")
        taken = await client.create_order("BTC/USD", "market", "sell", 1.5)
        fills = await client.fetch_my_trades("BTC/USD")
        assert {fill["order"] for fill in fills} == {taken["id"]}
        assert sum(fill["amount"] for fill in fills) == pytest.approx(1.5)
        mine = venue.exchange.fills("demo")
        assert sum(fill["fee"]["cost"] for fill in fills) == pytest.approx(
            sum(each.fee for each in mine) / 1e8
        )
        balance = await client.fetch_balance({"v3": True})
        held = venue.exchange.accounts["demo"].balances["BTC"]
        assert balance["BTC"]["total"] == (held.free + held.locked) / 1e8 == 98.5


async def test_the_ed25519_key_is_good_too() -> None:
    async with market() as (venue, client):
        key = venue.keys.all()[1]
        client.apiKey, client.secret = key.key, key.secret
        await client.load_markets()
        placed = await client.create_order("BTC/USD", "limit", "buy", 0.25, 61700.11)
        found = await client.fetch_order(placed["id"])
        assert found["status"] == "open"


async def test_refusals_are_read_as_what_they_are() -> None:
    async with market() as (_, client):
        await client.load_markets()
        with pytest.raises(ccxt.InsufficientFunds):
            await client.create_order("BTC/USD", "limit", "buy", 90, 61700)
        client.apiKey = "organizations/none/apiKeys/none"
        with pytest.raises(ccxt.AuthenticationError):
            await client.fetch_open_orders("BTC/USD")


async def test_books_trades_and_orders_of_the_sockets_agree() -> None:
    async with market() as (venue, client):
        await client.load_markets()
        seen = await client.watch_order_book("BTC/USD")
        assert seen["bids"][0] == [61800.0, 1.0]
        book(venue, [(6180050, 3 * 10**8), (6179980, 0)], [(6180100, 0)])
        seen = await asyncio.wait_for(client.watch_order_book("BTC/USD"), 5)
        ours = venue.exchange.snapshot("BTCUSD")
        assert [[p / 100, s / 1e8] for p, s in ours.bids] == [list(row) for row in seen["bids"]]
        assert [[p / 100, s / 1e8] for p, s in ours.asks] == [list(row) for row in seen["asks"]]
        watching = asyncio.create_task(client.watch_orders("BTC/USD"))
        await asyncio.sleep(0.3)
        placed = await client.create_order("BTC/USD", "limit", "sell", 0.5, 61999.99)
        (told, *_) = await asyncio.wait_for(watching, 5)
        assert (told["id"], told["side"]) == (placed["id"], "sell")


async def test_too_many_public_calls_are_429() -> None:
    async with market() as (venue, client):
        await client.load_markets()
        calls = [client.v3PublicGetBrokerageTime() for _ in range(3 * PUBLIC_PER_S)]
        found = await asyncio.gather(*calls, return_exceptions=True)
        refused = [each for each in found if isinstance(each, Exception)]
        assert refused
        assert all("rate_limit_exceeded" in str(each) for each in refused)
        assert venue.exchange.markets
