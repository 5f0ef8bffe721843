"""The simulated Bybit speaks as the venue does: signatures, clocks, limits, errors, sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tradeloom.domain.market import BookDelta
from tradeloom.simulators import HandClock, Simulator
from tradeloom.simulators.bybit import BybitSpot
from tradeloom.simulators.bybit.signing import signature

UNIT = 10**8
START_NS = 1_700_000_000 * 10**9  # the clock stands still: limits are counted to the call


class World:
    """A venue, and a client that knows nothing but HTTP."""

    def __init__(self, venue: BybitSpot, simulator: Simulator, http: aiohttp.ClientSession) -> None:
        self.venue = venue
        self.http = http
        self.base = simulator.url("bybit")
        self.key, self.secret = venue.keys.all()[0].key, venue.keys.all()[0].secret

    def headers(self, payload: str, skew_ms: int = 0) -> dict[str, str]:
        stamp = str(self.venue.clock.now_ms() + skew_ms)
        return {
            "X-BAPI-API-KEY": self.key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": signature(self.secret, f"{stamp}{self.key}5000{payload}"),
        }

    async def get(self, path: str, query: str = "", **more: Any) -> dict[str, Any]:
        headers = self.headers(query, **more)
        async with self.http.get(f"{self.base}{path}?{query}", headers=headers) as reply:
            return dict(await reply.json())

    async def post(self, path: str, body: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        text = json.dumps(body)
        url = f"{self.base}{path}"
        async with self.http.post(url, data=text, headers=self.headers(text)) as reply:
            return dict(await reply.json()), reply.headers

    def order(self, **changes: Any) -> dict[str, Any]:
        return {
            "category": "spot", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit",
            "qty": "0.01", "price": "60000", **changes,
        }  # fmt: skip


@pytest.fixture
async def world() -> AsyncIterator[World]:
    venue = BybitSpot(seed=3, clock=HandClock(START_NS), symbols=["BTCUSDT"])
    bids = tuple((61_800_00 - n, UNIT) for n in range(1, 60))
    asks = tuple((61_800_00 + n, UNIT) for n in range(1, 60))
    venue.feed(BookDelta("bybit", "BTCUSDT", 2, True, bids, asks, 0, 0))
    async with Simulator([venue]) as simulator, aiohttp.ClientSession() as http:
        yield World(venue, simulator, http)


def test_the_vectors() -> None:
    query = "1700000000000KEY5000category=spot&symbol=BTCUSDT"
    assert signature("SECRET", query) == (
        "52a38b471925af41c9363296bbe2562552b95b2f9ca709f29e397b58d358ed6a"
    )
    assert signature("SECRET", "GET/realtime1700000010000") == (
        "cb44b8afa4be2e39c6d1726de8c45cf0cf4f7098a3ae18721aa65e1ddba1fc7e"
    )


async def test_who_may_call(world: World) -> None:
    path, query = "/v5/account/wallet-balance", "accountType=UNIFIED"
    told = await world.get(path, query)
    coins = {each["coin"]: each for each in told["result"]["list"][0]["coin"]}
    assert coins["USDT"]["walletBalance"] == "1000000"
    for skew, code in ((0, 0), (-4_000, 0), (-6_000, 10002), (1_500, 10002)):
        assert (await world.get(path, query, skew_ms=skew))["retCode"] == code, skew
    world.secret = "another"  # noqa: S105
    assert (await world.get(path, query))["retCode"] == 10004
    world.key = "another"
    assert (await world.get(path, query))["retCode"] == 10003


async def test_errors_are_numbers_with_http_200(world: World) -> None:
    for changes, code in (
        ({"symbol": "NOPE"}, 170121),
        ({"qty": "0.0000001"}, 170137),
        ({"price": "60000.001"}, 170134),
        ({"qty": "0.00001"}, 170140),
        ({"qty": "5000"}, 170131),
        ({"side": "buy"}, 10001),
        ({"category": "linear"}, 10001),
        ({"timeInForce": "PostOnly", "price": "62000"}, 170218),
    ):
        answer, _ = await world.post("/v5/order/create", world.order(**changes))
        assert answer["retCode"] == code, (changes, answer)
    answer, _ = await world.post(
        "/v5/order/cancel", {"category": "spot", "symbol": "BTCUSDT", "orderId": "1"}
    )
    assert answer["retCode"] == 170213
    assert not world.venue.exchange.orders("demo")


async def test_market_buys_count_in_money_unless_told_otherwise(world: World) -> None:
    market = world.order(orderType="Market", qty="618")
    del market["price"]
    answer, _ = await world.post("/v5/order/create", market)
    (order,) = world.venue.exchange.orders("demo")
    assert answer["result"]["orderId"] == str(order.id)
    assert order.size == pytest.approx(UNIT // 100, rel=0.01)
    await world.post("/v5/order/create", {**market, "qty": "0.02", "marketUnit": "baseCoin"})
    assert world.venue.exchange.orders("demo")[-1].filled == UNIT // 50


async def test_orders_are_limited_by_the_second(world: World) -> None:
    codes = []
    for _ in range(25):
        answer, headers = await world.post("/v5/order/create", world.order())
        codes.append(answer["retCode"])
        assert headers["X-Bapi-Limit"] == "20"
    assert codes == [0] * 20 + [10006] * 5


async def test_public_sockets(world: World) -> None:
    async with world.http.ws_connect(f"{world.base}/v5/public/spot") as socket:
        await socket.send_str('{"op":"ping"}')
        pong = await socket.receive_json(timeout=5)
        assert (pong["success"], pong["ret_msg"]) == (True, "pong")
        await socket.send_json({"op": "subscribe", "req_id": "7", "args": ["orderbook.50.BTCUSDT"]})
        answer = await socket.receive_json(timeout=5)
        assert (answer["success"], answer["op"], answer["req_id"]) == (True, "subscribe", "7")
        whole = await socket.receive_json(timeout=5)
        assert (whole["type"], len(whole["data"]["b"])) == ("snapshot", 50)
        world.venue.feed(BookDelta("bybit", "BTCUSDT", 2, False, ((61_799_99, 0),), (), 0, 0))
        delta = await socket.receive_json(timeout=5)
        assert (delta["type"], delta["data"]["u"]) == ("delta", whole["data"]["u"] + 1)
        # A level left the best fifty, and the fifty-first came into them.
        assert delta["data"]["b"] == [["61799.99", "0"], ["61799.49", "1"]]
        await socket.send_json({"op": "subscribe", "args": ["nothing.BTCUSDT"]})
        refused = await socket.receive_json(timeout=5)
        assert refused["success"] is False
        await socket.send_str("{")
        assert (await socket.receive_json(timeout=5))["success"] is False


async def test_private_sockets_want_a_log_in(world: World) -> None:
    async with world.http.ws_connect(f"{world.base}/v5/private") as socket:
        await socket.send_json({"op": "subscribe", "args": ["order"]})
        assert (await socket.receive_json(timeout=5))["success"] is False
        expires = world.venue.clock.now_ms() + 5_000
        signed = signature(world.secret, f"GET/realtime{expires}")
        await socket.send_json({"op": "auth", "args": [world.key, expires, "0" * 64]})
        assert (await socket.receive_json(timeout=5))["success"] is False
        await socket.send_json({"op": "auth", "args": [world.key, expires, signed]})
        assert (await socket.receive_json(timeout=5))["success"] is True
        await socket.send_json({"op": "subscribe", "args": ["order", "execution"]})
        assert (await socket.receive_json(timeout=5))["success"] is True
        await world.post("/v5/order/create", world.order())
        told = await socket.receive_json(timeout=5)
        assert (told["topic"], told["data"][0]["orderStatus"]) == ("order", "New")
