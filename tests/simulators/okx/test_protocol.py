"""The simulated OKX speaks as the venue does: signatures, clocks, limits, errors, sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from tradeloom.domain.market import BookDelta
from tradeloom.simulators import HandClock, Simulator
from tradeloom.simulators.faults import Fault, FaultKind
from tradeloom.simulators.okx import OkxSpot
from tradeloom.simulators.okx.signing import signature

UNIT = 10**8
START_NS = 1_700_000_000 * 10**9  # the clock stands still: limits are counted to the call


class World:
    """A venue, and a client that knows nothing but HTTP."""

    def __init__(self, venue: OkxSpot, simulator: Simulator, http: aiohttp.ClientSession) -> None:
        self.venue = venue
        self.http = http
        self.base = simulator.url("okx")
        right = venue.keys.all()[0]
        self.key, self.secret, self.passphrase = right.key, right.secret, right.passphrase

    async def call(
        self, method: str, path: str, body: Any = None, skew_s: float = 0.0
    ) -> tuple[int, dict[str, Any]]:
        moment = datetime.fromtimestamp(self.venue.clock.now_ms() / 1_000 + skew_s, UTC)
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1_000:03d}Z"
        text = json.dumps(body) if body is not None else ""
        headers = {
            "OK-ACCESS-KEY": self.key,
            "OK-ACCESS-SIGN": signature(self.secret, f"{stamp}{method}{path}{text}"),
            "OK-ACCESS-TIMESTAMP": stamp,
            "OK-ACCESS-PASSPHRASE": self.passphrase,
        }
        url = f"{self.base}{path}"
        async with self.http.request(method, url, data=text or None, headers=headers) as reply:
            return reply.status, dict(await reply.json())

    def order(self, **changes: Any) -> dict[str, Any]:
        return {
            "instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "limit",
            "sz": "0.01", "px": "60000", **changes,
        }  # fmt: skip


@pytest.fixture
async def world() -> AsyncIterator[World]:
    venue = OkxSpot(seed=3, clock=HandClock(START_NS), symbols=["BTCUSDT"])
    bids = tuple((61_800_00 - n, UNIT) for n in range(1, 60))
    asks = tuple((61_800_00 + n, UNIT) for n in range(1, 60))
    venue.feed(BookDelta("okx", "BTCUSDT", 2, True, bids, asks, 0, 0))
    async with Simulator([venue]) as simulator, aiohttp.ClientSession() as http:
        yield World(venue, simulator, http)


def test_the_vectors() -> None:
    text = "2023-11-14T22:13:20.000ZGET/api/v5/account/balance?ccy=BTC"
    assert signature("SECRET", text) == "MKDNPs0hFmU5TkRjz5a0BEEWESbvtYZ0zYtgdKhrLmc="
    login = "1700000000GET/users/self/verify"
    assert signature("SECRET", login) == "yLXe4pYye8dUwkwJKgvSq2Mufwu5iC5yyqdTRItP8wo="


async def test_who_may_call(world: World) -> None:
    path = "/api/v5/account/balance?ccy=USDT"
    status, told = await world.call("GET", path)
    assert (status, told["data"][0]["details"][0]["cashBal"]) == (200, "1000000")
    for skew, code in ((-25, "0"), (25, "0"), (-31, "50102"), (31, "50102")):
        assert (await world.call("GET", path, skew_s=skew))[1]["code"] == code, skew
    for name, code in (("passphrase", "50105"), ("secret", "50113"), ("key", "50119")):
        setattr(world, name, "another")
        status, told = await world.call("GET", path)
        assert (status, told["code"]) == (401, code)


async def test_errors_stand_with_their_order(world: World) -> None:
    for changes, code in (
        ({"instId": "NO-PE"}, "51001"),
        ({"sz": "0.000001"}, "51121"),
        ({"px": "60000.001"}, "51000"),
        ({"sz": "5000"}, "51008"),
        ({"side": "Buy"}, "51000"),
        ({"clOrdId": "with-dashes"}, "51000"),
        ({"tdMode": ""}, "51000"),
    ):
        _, told = await world.call("POST", "/api/v5/trade/order", world.order(**changes))
        assert (told["code"], told["data"][0]["sCode"]) == ("1", code), (changes, told)
    batch = [world.order(), world.order(instId="NO-PE")]
    _, told = await world.call("POST", "/api/v5/trade/batch-orders", batch)
    assert (told["code"], [row["sCode"] for row in told["data"]]) == ("2", ["0", "51001"])
    _, told = await world.call("GET", "/api/v5/trade/order?instId=BTC-USDT&ordId=1")
    assert told["code"] == "51603"


async def test_a_post_only_order_that_would_take_is_cancelled_at_once(world: World) -> None:
    order = world.order(ordType="post_only", px="62000", clOrdId="maker1")
    _, told = await world.call("POST", "/api/v5/trade/order", order)
    assert told["code"] == "0"
    _, found = await world.call("GET", "/api/v5/trade/order?instId=BTC-USDT&clOrdId=maker1")
    assert (found["data"][0]["state"], found["data"][0]["cancelSource"]) == ("canceled", "31")


async def test_an_expired_request_is_dropped(world: World) -> None:
    async with world.http.ws_connect(f"{world.base}/ws/v5/private") as socket:
        await _login(world, socket)
        code = world.venue.exchange.markets["BTCUSDT"].instrument.wire_code
        order = {**world.order(), "instIdCode": code}
        late = str(world.venue.clock.now_ms() - 1)
        await socket.send_json({"id": "1", "op": "order", "expTime": late, "args": [order]})
        told = await socket.receive_json(timeout=5)
        assert (told["code"], told["data"][0]["sCode"]) == ("1", "51149")
        del order["instIdCode"]
        await socket.send_json({"id": "2", "op": "order", "args": [order]})
        assert (await socket.receive_json(timeout=5))["code"] == "51000"
    assert not world.venue.exchange.orders("demo")


async def _login(world: World, socket: aiohttp.ClientWebSocketResponse) -> None:
    stamp = str(world.venue.clock.now_ms() // 1_000)
    arg = {
        "apiKey": world.key,
        "passphrase": world.passphrase,
        "timestamp": stamp,
        "sign": signature(world.secret, f"{stamp}GET/users/self/verify"),
    }
    await socket.send_json({"op": "login", "args": [arg]})
    assert (await socket.receive_json(timeout=5))["event"] == "login"


async def test_orders_are_limited_by_instrument(world: World) -> None:
    codes = []
    for _ in range(65):
        _, told = await world.call("POST", "/api/v5/trade/order", world.order())
        codes.append(told["code"])
    assert codes == ["0"] * 60 + ["50011"] * 5


async def test_public_sockets(world: World) -> None:
    async with world.http.ws_connect(f"{world.base}/ws/v5/public") as socket:
        await socket.send_str("ping")
        assert (await socket.receive(timeout=5)).data == "pong"
        arg = {"channel": "books", "instId": "BTC-USDT"}
        await socket.send_json({"id": "7", "op": "subscribe", "args": [arg]})
        answer = await socket.receive_json(timeout=5)
        assert (answer["event"], answer["id"], answer["arg"]) == ("subscribe", "7", arg)
        whole = await socket.receive_json(timeout=5)
        assert (whole["action"], whole["data"][0]["prevSeqId"]) == ("snapshot", -1)
        for _ in range(2):
            world.venue.feed(BookDelta("okx", "BTCUSDT", 2, False, ((61_799_99, 0),), (), 0, 0))
            world.venue.feed(BookDelta("okx", "BTCUSDT", 2, False, ((61_799_99, 5),), (), 0, 0))
            update = await socket.receive_json(timeout=5)
            assert update["data"][0]["prevSeqId"] == whole["data"][0]["seqId"]
            whole = update
            world.venue.feed(BookDelta("okx", "BTCUSDT", 2, False, ((61_799_99, 9),), (), 0, 0))
            update = await socket.receive_json(timeout=5)
            assert update["data"][0]["prevSeqId"] == whole["data"][0]["seqId"]
            whole = update
        for wrong, code in (
            ({"op": "subscribe", "args": [{"channel": "books", "instId": "NO-PE"}]}, "60018"),
            ({"op": "subscribe", "args": [{"channel": "orders", "instType": "SPOT"}]}, "60011"),
            ({"op": "dance", "args": []}, "60012"),
        ):
            await socket.send_json(wrong)
            told = await socket.receive_json(timeout=5)
            assert (told["event"], told["code"]) == ("error", code)
        world.venue.inject(Fault(kind=FaultKind.NOTICE))
        told = await socket.receive_json(timeout=5)
        assert (told["event"], told["code"]) == ("notice", "64008")


async def test_the_countdown_cancels_unless_it_is_wound_up(world: World) -> None:
    await world.call("POST", "/api/v5/trade/order", world.order())
    path = "/api/v5/trade/cancel-all-after"
    assert (await world.call("POST", path, {"timeOut": "5"}))[1]["code"] == "51000"
    assert (await world.call("POST", path, {"timeOut": "10"}))[1]["code"] == "0"
    assert (await world.call("POST", path, {"timeOut": "0"}))[1]["data"][0]["triggerTime"] == "0"
    world.venue.count_down("demo", 1)
    async with asyncio.timeout(5):
        while world.venue.exchange.open_orders("demo"):
            await asyncio.sleep(0.05)
    (order,) = world.venue.exchange.orders("demo")
    assert not order.status.open
