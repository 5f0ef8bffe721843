"""Connections: slow readers, pings, ages and numbers of them; and whatever strangers send."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
import pytest

from tests.simulators.binance.wire import now_ms, signature
from tradeloom.domain.market import BookDelta, BookQuote
from tradeloom.simulators import HandClock, Simulator, SystemClock, sessions
from tradeloom.simulators.binance import BinanceSpot
from tradeloom.simulators.binance.budgets import Budgets
from tradeloom.simulators.binance_usdm import BinanceUsdm
from tradeloom.simulators.dialect import Call, Socket

UNIT = 10**8


class Impatient(BinanceSpot):
    """Pings ten times a second, and does not mind as many pongs."""

    messages_per_s = 100

    def sockets(self) -> list[Socket]:
        return [Socket("/ws/{streams:.+}", ping_s=0.1, pong_s=1.0)]


def made(kind: type[BinanceSpot] = BinanceSpot) -> BinanceSpot:
    return kind(seed=1, clock=SystemClock(), symbols=["BTCUSDT"])


async def test_a_reader_that_takes_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "OUTGOING_FRAMES_MAX", 200)
    venue = made()
    async with Simulator([venue]) as simulator, aiohttp.ClientSession() as http:
        slow = await http.ws_connect(simulator.ws_url("binance") + "/ws/btcusdt@bookTicker")
        for step in range(3_000):
            venue.feed(BookQuote("binance", "BTCUSDT", 2, 100 + step, 10**6, UNIT, UNIT, 0, 0))
        assert [each.waiting for each in venue.sessions] == [200]
        async with asyncio.timeout(10):
            while venue.sessions:
                await asyncio.sleep(0.05)
        await slow.close()


@pytest.mark.parametrize("answers", [True, False])
async def test_the_venue_pings_and_hangs_up_on_silence(answers: bool) -> None:
    venue = made(Impatient)
    async with Simulator([venue]) as simulator, aiohttp.ClientSession() as http:
        url = simulator.ws_url("binance") + "/ws/x"
        socket = await http.ws_connect(url, autoping=answers)
        if answers:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.7):
                    await socket.receive()
            assert len(venue.sessions) == 1
        else:
            assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.PING
            while (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.PING:
                pass
            assert socket.close_code == 1008
        await socket.close()


async def test_a_connection_lives_for_a_day() -> None:
    clock = HandClock(10**18)
    venue = BinanceSpot(seed=1, clock=clock, symbols=["BTCUSDT"])
    async with Simulator([venue]) as simulator, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(simulator.ws_url("binance") + "/ws/btcusdt@trade")
        clock.advance(86_399)
        venue.tick()
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.1)
        clock.advance(2)
        venue.tick()
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE


async def test_too_many_connections_in_five_minutes() -> None:
    venue = BinanceSpot(seed=1, clock=HandClock(10**18), symbols=["BTCUSDT"])
    venue._connects.limit = 2
    async with Simulator([venue]) as simulator, aiohttp.ClientSession() as http:
        url = simulator.ws_url("binance") + "/ws"
        for _ in range(2):
            await http.ws_connect(url)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
            await http.ws_connect(url)


# ---- strangers --------------------------------------------------------------------------------

TEXTS = (
    "", "0", "-1", "0.1", "1e9", "NaN", "true", "[]", "{}", "null", "BTCUSDT", "BUY", "SELL",
    "LIMIT", "MARKET", "STOP_LOSS", "STOP_MARKET", "TRAILING_STOP_MARKET", "GTC", "GTX", "GTD",
    "9" * 30, "99999999999", "0.00000001", "é", '[{"a":1}]', "[1]", "CONDITIONAL", "LONG", "1m",
    "ALLOW_FAILURE", "61500.0", "-0",
)  # fmt: skip
NAMES = (
    "symbol", "side", "type", "timeInForce", "quantity", "price", "stopPrice", "quoteOrderQty",
    "newClientOrderId", "newOrderRespType", "orderId", "origClientOrderId", "limit", "startTime",
    "endTime", "fromId", "interval", "symbols", "newQty", "cancelReplaceMode", "cancelOrderId",
    "recvWindow", "positionSide", "reduceOnly", "closePosition", "goodTillDate", "algoType",
    "triggerPrice", "callbackRate", "activatePrice", "leverage", "marginType", "countdownTime",
    "dualSidePosition", "batchOrders", "orderIdList", "algoId", "clientAlgoId",
)  # fmt: skip
GOOD = {
    "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1",
    "price": "61000.00", "interval": "1m", "algoType": "CONDITIONAL", "triggerPrice": "61500",
}  # fmt: skip


@pytest.mark.parametrize("kind", [BinanceSpot, BinanceUsdm])
async def test_no_request_is_answered_with_a_fault_of_ours(
    kind: type[BinanceSpot] | type[BinanceUsdm],
) -> None:
    venue = kind(seed=1, clock=SystemClock(), symbols=["BTCUSDT"])
    symbol = next(iter(venue.exchange.markets))
    bids, asks = ((61_800_00, 10 * UNIT),), ((61_800_10, 10 * UNIT),)
    venue.feed(BookDelta(venue.name, symbol, 2, True, bids, asks, 0, 0))
    venue.budgets = Budgets((), venue.clock)
    dice, routes = random.Random(7), list(venue.routes())
    statuses = set()
    for _ in range(1_500):
        route = dice.choice(routes)
        params: dict[str, Any] = dict(GOOD) if dice.random() < 0.7 else {}
        params |= {dice.choice(NAMES): dice.choice(TEXTS) for _ in range(dice.randint(0, 4))}
        reply, _ = await venue.serve_call(route, _call(venue, route.method, route.path, params))
        assert reply is not None
        assert reply.status < 500, (route.path, params, reply.body)
        msgspec.json.decode(reply.body)
        statuses.add(reply.status)
        _nothing_is_negative(venue)
    assert {200, 400} <= statuses


def _call(venue: BinanceSpot | BinanceUsdm, method: str, path: str, params: dict[str, Any]) -> Call:
    key = venue.keys.all()[0]
    query = urlencode({**params, "timestamp": now_ms()})
    query += "&signature=" + signature(key.secret, query)
    return Call(
        method=method, path=path, query=query, headers={"X-MBX-APIKEY": key.key}, body=b"",
        ip="127.0.0.1", params={},
    )  # fmt: skip


def _nothing_is_negative(venue: BinanceSpot | BinanceUsdm) -> None:
    accounts: Iterable[Any] = venue.exchange.accounts.values()
    for account in accounts:
        for asset, balance in account.balances.items():
            assert balance.free >= 0, asset
            assert balance.locked >= 0, asset
