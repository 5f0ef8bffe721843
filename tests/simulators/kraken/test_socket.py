"""The simulated Kraken's sockets, spoken to by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tradeloom.domain.market import BookQuote
from tradeloom.simulators import Simulator, SystemClock
from tradeloom.simulators.kraken import KrakenSpot


class Talk:
    """A client that reads in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, **frame: Any) -> None:
        await self.socket.send_str(json.dumps(frame))

    async def hear(self) -> dict[str, Any]:
        while True:
            frame: dict[str, Any] = await self.socket.receive_json(timeout=5)
            if frame.get("channel") != "heartbeat":
                return frame


@asynccontextmanager
async def talking(path: str) -> AsyncIterator[tuple[KrakenSpot, Talk]]:
    venue = KrakenSpot(seed=1, clock=SystemClock(), symbols=("BTCUSD", "ETHUSD"))
    async with (
        Simulator([venue]) as simulator,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{simulator.ws_url('kraken')}{path}") as socket,
    ):
        talk = Talk(socket)
        status = await talk.hear()
        assert status["data"][0]["system"] == "online"
        now = venue.clock.now_ns()
        quote = BookQuote("kraken", "BTCUSD", 1, 618000, 618010, 10**8, 10**8, now, now)
        venue.feed(quote)
        yield venue, talk


async def test_every_symbol_gets_an_answer_of_its_own() -> None:
    async with talking("/v2") as (_, talk):
        params = {"channel": "trade", "symbol": ["BTC/USD", "ETH/USD", "FOO/USD"]}
        await talk.say(method="subscribe", params=params, req_id=7)
        told = [await talk.hear() for _ in range(3)]
        assert [each["req_id"] for each in told] == [7, 7, 7]
        assert [each["success"] for each in told] == [True, True, False]
        assert told[2]["error"] == "Currency pair not supported FOO/USD"
        await talk.say(method="subscribe", params=params | {"symbol": ["BTC/USD"]})
        assert "Already subscribed" in (await talk.hear())["error"]


async def test_numbers_are_written_with_all_their_decimals() -> None:
    async with talking("/v2") as (_, talk):
        params = {"channel": "book", "symbol": ["BTC/USD"], "depth": 25}
        await talk.say(method="subscribe", params=params)
        assert (await talk.hear())["result"]["depth"] == 25
        raw = await talk.socket.receive_str(timeout=5)
        assert '"bids":[{"price":61800.0,"qty":1.00000000}]' in raw


async def test_instruments_pings_and_nonsense() -> None:
    async with talking("/v2") as (_, talk):
        await talk.say(method="subscribe", params={"channel": "instrument"})
        assert (await talk.hear())["success"]
        pairs = (await talk.hear())["data"]["pairs"]
        assert [(each["symbol"], each["price_precision"]) for each in pairs] == [
            ("BTC/USD", 1),
            ("ETH/USD", 2),
        ]
        await talk.say(method="ping", req_id=3)
        assert (await talk.hear())["method"] == "pong"
        await talk.socket.send_str("{")
        assert not (await talk.hear())["success"]
        await talk.say(method="add_order", params={})
        assert "Unsupported method" in (await talk.hear())["error"]


@pytest.mark.parametrize("token", ["", "made-up"])
async def test_nothing_private_without_a_token(token: str) -> None:
    async with talking("/auth/v2") as (venue, talk):
        wanted = {"channel": "executions", "token": token}
        await talk.say(method="subscribe", params=wanted)
        assert (await talk.hear())["error"] == "ESession:Invalid session"
        await talk.say(method="cancel_all", params={"token": token})
        assert (await talk.hear())["error"] == "ESession:Invalid session"
        assert not venue.exchange.open_orders("demo")


async def test_edits_and_batches() -> None:
    async with talking("/auth/v2") as (venue, talk):
        token = venue.access.new_token(venue.keys.all()[0])
        order = {
            "order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.5,
            "limit_price": 60000.1, "token": token,
        }  # fmt: skip
        await talk.say(method="add_order", params=order)
        first = (await talk.hear())["result"]["order_id"]
        edit = {"order_id": first, "symbol": "BTC/USD", "order_qty": 0.7, "limit_price": 60001}
        await talk.say(method="edit_order", params={**edit, "token": token})
        result = (await talk.hear())["result"]
        assert result["original_order_id"] == first
        (working,) = venue.exchange.open_orders("demo")
        assert (working.size, working.price) == (70_000_000, 600_010)
        gone = {"orders": [first, result["order_id"]], "token": token}
        await talk.say(method="batch_cancel", params=gone)
        assert (await talk.hear())["result"]["count"] == 1
        assert not venue.exchange.open_orders("demo")
        await talk.say(method="add_order", params={**order, "limit_price": 60000.123})
        assert (await talk.hear())["error"] == "EOrder:Tick size check failed"
        await talk.say(method="add_order", params={**order, "cl_ord_id": "x" * 19})
        assert (await talk.hear())["error"] == "EGeneral:Invalid arguments:cl_ord_id"
