"""A client that is not ours talks to both Binance markets and understands every answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick
from tradeloom.simulators import Simulator, SystemClock, VenueDialect
from tradeloom.simulators.binance import BinanceSpot
from tradeloom.simulators.binance_usdm import BinanceUsdm

ccxt: Any = pytest.importorskip("ccxt.pro", reason="ccxt is not installed")
UNIT = 10**8
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@asynccontextmanager
async def served(kind: type[VenueDialect], symbol: str) -> AsyncIterator[tuple[Any, Simulator]]:
    venue = kind(seed=3, clock=SystemClock(), symbols=["BTCUSDT", "ETHUSDT"])
    bids = tuple((61_800_00 - 100 * step, UNIT) for step in range(20))
    asks = tuple((61_801_00 + 100 * step, UNIT) for step in range(20))
    venue.feed(BookDelta(venue.name, symbol, 2, True, bids, asks, 0, 0))
    async with Simulator([venue]) as simulator:
        key = venue.keys.all()[0]
        spot = kind is BinanceSpot
        client = ccxt.binance(
            {
                "apiKey": key.key,
                "secret": key.secret,
                "options": {
                    "defaultType": "spot" if spot else "swap",
                    "fetchMarkets": {"types": ["spot" if spot else "linear"]},
                    "fetchMargins": False,
                },
            }
        )
        client.has["fetchCurrencies"] = False
        urls, rest, ws = client.urls["api"], simulator.url(venue.name), simulator.ws_url(venue.name)
        urls["public"] = urls["private"] = f"{rest}/api/v3"
        for version, path in (("", "v1"), ("V2", "v2"), ("V3", "v3")):
            urls[f"fapiPublic{version}"] = urls[f"fapiPrivate{version}"] = f"{rest}/fapi/{path}"
        urls["ws"]["spot"] = f"{ws}/stream/ws"
        urls["ws"]["linear"] = f"{ws}/ws"
        urls["ws"]["ws-api"] = {"spot": f"{ws}/ws-api/v3", "linear": f"{ws}/ws-fapi/v1"}
        try:
            yield client, simulator
        finally:
            await client.close()


async def moving(venue: VenueDialect, symbol: str) -> None:
    """A market that moves a little, so that subscribers hear something."""
    at = 0
    while True:
        await asyncio.sleep(0.05)
        at = (at + 1) % 5
        now = venue.clock.now_ns()
        venue.feed(
            BookQuote(venue.name, symbol, 2, 61_800_00 - at, 61_801_00 + at, UNIT, UNIT, now, now)
        )
        venue.feed(
            TradeTick(venue.name, symbol, 2, 61_800_00, UNIT // 100, Side.SELL, "", now, now)
        )


@pytest.mark.parametrize(
    ("kind", "symbol", "unified"),
    [
        (BinanceSpot, "BTCUSDT", "BTC/USDT"),
        (BinanceUsdm, "BTCUSDT-PERP", "BTC/USDT:USDT"),
    ],
)
async def test_a_client_of_the_world(kind: type[VenueDialect], symbol: str, unified: str) -> None:
    async with served(kind, symbol) as (client, simulator):
        venue = simulator.venues[kind.name]
        market = asyncio.create_task(moving(venue, symbol))
        listening: asyncio.Task[Any] | None = None
        try:
            markets = await client.load_markets()
            assert unified in markets
            listed = venue.exchange.markets[symbol].instrument
            assert markets[unified]["limits"]["cost"]["min"] == 5
            assert markets[unified]["precision"]["amount"] == listed.step / UNIT

            trades = await asyncio.wait_for(client.watch_trades(unified), 10)
            assert trades[-1]["price"] == 61_800.0
            assert trades[-1]["side"] == "sell"
            book = await asyncio.wait_for(client.watch_order_book(unified), 10)
            assert abs(book["bids"][0][0] - 61_800.0) < 0.1
            assert book["asks"][-1][0] == 61_820.0

            listening = asyncio.create_task(client.watch_orders(unified))
            await _until(lambda: _listens(venue))
            placed = await client.create_order(unified, "limit", "buy", 0.02, 61_500)
            heard = (await asyncio.wait_for(listening, 10))[-1]
            assert (heard["id"], heard["status"]) == (placed["id"], "open")
            assert (heard["price"], heard["amount"]) == (61_500.0, 0.02)
            fetched = await client.fetch_order(placed["id"], unified)
            assert (fetched["status"], fetched["remaining"]) == ("open", 0.02)
            assert [each["id"] for each in await client.fetch_open_orders(unified)] == [
                placed["id"]
            ]
            canceled = await client.cancel_order(placed["id"], unified)
            assert canceled["status"] == "canceled"
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(placed["id"], unified)

            bought = await client.create_order(unified, "market", "buy", 0.5)
            done = await client.fetch_order(bought["id"], unified)
            assert (done["status"], done["filled"]) == ("closed", 0.5)
            fills = await client.fetch_my_trades(unified)
            assert sum(each["amount"] for each in fills) == 0.5
            own = venue.exchange.fills("demo")
            assert [(each["price"], each["amount"]) for each in fills] == [
                (each.price / 100, each.size / UNIT) for each in own
            ]
            assert fills[0]["fee"]["cost"] == pytest.approx(own[0].fee / UNIT)
            balance = await client.fetch_balance()
            held = venue.exchange.accounts["demo"].balance("USDT")
            if kind is BinanceSpot:
                assert balance["USDT"]["free"] == held.free / UNIT
                assert balance["BTC"]["total"] == pytest.approx(100 + 0.5 - 0.0005)
            else:
                position = (await client.fetch_positions([unified]))[0]
                assert (position["contracts"], position["side"]) == (0.5, "long")
                assert position["entryPrice"] == pytest.approx(done["average"])
            # It tells futures' codes apart by the host's name, which is ours here.
            poor = ccxt.InsufficientFunds if kind is BinanceSpot else ccxt.ExchangeError
            with pytest.raises(poor, match="insufficient"):
                await client.create_order(unified, "limit", "buy", 900, 61_500)
        finally:
            for task in filter(None, (market, listening)):
                task.cancel()
            await asyncio.gather(*filter(None, (market, listening)), return_exceptions=True)


def _listens(venue: VenueDialect) -> bool:
    """Whether the client's private stream is open."""
    return any(
        each.state.get("subscriptions") or each.state.get("listen_key") for each in venue.sessions
    )


async def _until(true: Any) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)
