"""The simulated Schwab as a plain client meets it: log-in, tokens, streamer codes, orders."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tradeloom.domain.market import BookQuote
from tradeloom.simulators import HandClock, Simulator
from tradeloom.simulators.schwab import Schwab

START_NS = 1_765_300_000 * 10**9
AUTH = "Authorization"


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Schwab, HandClock, str, aiohttp.ClientSession]]:
    clock = HandClock(START_NS)
    venue = Schwab(seed=5, clock=clock, symbols=("AAPL",))
    quote(venue, 2132000, 2133000)
    async with Simulator([venue]) as simulator, aiohttp.ClientSession() as client:
        yield venue, clock, simulator.url("schwab"), client


def quote(venue: Schwab, bid: int, ask: int) -> None:
    now = venue.clock.now_ns()
    venue.feed(BookQuote("schwab", "AAPL", 4, bid, ask, 300 * 10**8, 200 * 10**8, now, now))


async def token(venue: Schwab, base: str, client: aiohttp.ClientSession, **form: str) -> Any:
    demo = venue.keys.all()[0]
    given = {"grant_type": "refresh_token", "refresh_token": demo.passphrase} | form
    pair = base64.b64encode(f"{demo.key}:{demo.secret}".encode()).decode()
    header = {AUTH: f"Basic {pair}"}
    async with client.post(f"{base}/v1/oauth/token", data=given, headers=header) as reply:
        return reply.status, await reply.json()


async def test_tokens_hold_as_long_as_they_say() -> None:
    async with opened() as (venue, clock, base, client):
        status, answer = await token(venue, base, client)
        assert (status, answer["expires_in"], answer["token_type"]) == (200, 1_800, "Bearer")
        header = {AUTH: f"Bearer {answer['access_token']}"}
        url = f"{base}/trader/v1/accounts/accountNumbers"
        async with client.get(url, headers=header) as reply:
            assert reply.status == 200
            (row,) = await reply.json()
            assert len(row["hashValue"]) == 64
        clock.advance(1_801)
        async with client.get(url, headers=header) as reply:
            assert reply.status == 401
        clock.advance(7 * 86_400)
        status, answer = await token(venue, base, client)
        assert (status, answer["error"]) == (400, "unsupported_token_type")


async def test_market_data_and_trader_refuse_in_their_own_form() -> None:
    async with opened() as (_, _, base, client):
        async with client.get(f"{base}/marketdata/v1/quotes?symbols=AAPL") as reply:
            assert reply.status == 401
            assert (await reply.json())["errors"][0]["title"] == "Unauthorized"
            assert reply.headers["Date"].endswith("GMT")
        async with client.get(f"{base}/trader/v1/userPreference") as reply:
            assert (reply.status, (await reply.json())["message"]) == (401, "Unauthorized")


async def test_the_rate_limit_is_120_a_minute() -> None:
    async with opened() as (_, clock, base, client):
        url = f"{base}/marketdata/v1/markets"
        codes = []
        for _ in range(122):
            async with client.get(url) as reply:
                codes.append(reply.status)
                retry = reply.headers.get("Retry-After")
        assert codes[:120] == [401] * 120
        assert codes[120:] == [429, 429]
        assert retry is not None
        clock.advance(61)
        async with client.get(url) as reply:
            assert reply.status == 401


class Stream:
    """A streamer's client that does nothing by itself."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def ask(self, service: str, command: str, **parameters: str) -> int:
        row = {
            "requestid": "1", "service": service, "command": command, "parameters": parameters
        }  # fmt: skip
        await self.socket.send_str(json.dumps({"requests": [row]}))
        while True:
            frame = await self.next()
            if "response" in frame:
                return int(frame["response"][0]["content"]["code"])

    async def next(self) -> Any:
        return json.loads((await asyncio.wait_for(self.socket.receive(), 5)).data)

    async def data(self, service: str) -> Any:
        while True:
            frame = await self.next()
            for row in frame.get("data", []):
                if row["service"] == service:
                    return row["content"]


async def test_the_streamer_wants_a_log_in_and_one_connection() -> None:
    async with opened() as (venue, _, base, client):
        _, answer = await token(venue, base, client)
        ws = base.replace("http", "ws") + "/ws"
        async with client.ws_connect(ws) as first, client.ws_connect(ws) as second:
            one, two = Stream(first), Stream(second)
            assert await one.ask("LEVELONE_EQUITIES", "SUBS", keys="AAPL") == 20
            assert await one.ask("ADMIN", "LOGIN", Authorization=answer["access_token"]) == 0
            assert await one.ask("CHART_OPTIONS", "SUBS", keys="AAPL") == 11
            assert await one.ask("LEVELONE_EQUITIES", "SUBS", keys="") == 22
            many = ",".join(f"S{number}" for number in range(501))
            assert await one.ask("LEVELONE_EQUITIES", "SUBS", keys=many) == 19
            assert await two.ask("ADMIN", "LOGIN", Authorization=answer["access_token"]) == 12
            assert (await second.receive()).type is aiohttp.WSMsgType.CLOSE
        async with client.ws_connect(ws) as third:
            assert await Stream(third).ask("ADMIN", "LOGIN", Authorization="old") == 3


async def test_level_one_sends_only_what_changed() -> None:
    async with opened() as (venue, _, base, client):
        _, answer = await token(venue, base, client)
        async with client.ws_connect(base.replace("http", "ws") + "/ws") as socket:
            stream = Stream(socket)
            await stream.ask("ADMIN", "LOGIN", Authorization=answer["access_token"])
            assert await stream.ask("LEVELONE_EQUITIES", "ADD", keys="AAPL", fields="0") == 28
            (whole,) = await stream.data("LEVELONE_EQUITIES")
            assert (whole["1"], whole["2"], whole["4"], whole["5"]) == (213.2, 213.3, 300, 200)
            quote(venue, 2132000, 2132500)
            (change,) = await stream.data("LEVELONE_EQUITIES")
            assert (change["key"], change["2"]) == ("AAPL", 213.25)
            assert not {"1", "4", "5"} & set(change)


async def test_an_order_is_created_replaced_and_cancelled() -> None:
    async with opened() as (venue, _, base, client):
        _, answer = await token(venue, base, client)
        client.headers[AUTH] = f"Bearer {answer['access_token']}"
        async with client.get(f"{base}/trader/v1/accounts/accountNumbers") as reply:
            (row,) = await reply.json()
        orders = f"{base}/trader/v1/accounts/{row['hashValue']}/orders"
        body: dict[str, Any] = {
            "orderType": "LIMIT", "session": "NORMAL", "duration": "DAY",
            "orderStrategyType": "SINGLE", "price": "210.00",
            "orderLegCollection": [
                {
                    "instruction": "BUY", "quantity": 5,
                    "instrument": {"symbol": "AAPL", "assetType": "EQUITY"},
                }
            ],
        }  # fmt: skip
        async with client.post(orders, json=body) as reply:
            assert (reply.status, await reply.read()) == (201, b"")
            first = reply.headers["Location"].rpartition("/")[2]
        async with client.put(f"{orders}/{first}", json=body | {"price": "211.00"}) as reply:
            assert reply.status == 201
            second = reply.headers["Location"].rpartition("/")[2]
        assert second != first
        async with client.get(f"{orders}/{first}") as reply:
            assert (await reply.json())["status"] == "REPLACED"
        async with client.delete(f"{orders}/{second}") as reply:
            assert (reply.status, await reply.read()) == (200, b"")
        async with client.get(f"{orders}/{second}") as reply:
            order = await reply.json()
        assert (order["status"], order["price"]) == ("CANCELED", 211.0)
        async with client.post(orders, json=body | {"orderType": "MARKET"}) as reply:
            assert reply.status == 201
            assert "Location" not in reply.headers  # filled at once
        assert venue.exchange.fills("demo")[0].size == 5 * 10**8
        async with client.post(orders, json=body | {"duration": "NEVER"}) as reply:
            assert reply.status == 400
