"""Every fault on command can be seen by a client, and is counted."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.simulators.binance.wire import Client, Socket, signed_params
from tradeloom.domain.market import BookDelta, BookQuote
from tradeloom.simulators import Simulator, SystemClock
from tradeloom.simulators.binance import BinanceSpot
from tradeloom.simulators.faults import Fault, FaultKind, Faults

UNIT = 10**8


@pytest.fixture
def spot() -> BinanceSpot:
    venue = BinanceSpot(seed=7, clock=SystemClock(), symbols=["BTCUSDT"])
    bids, asks = ((61_800_00, 10 * UNIT),), ((61_800_10, 10 * UNIT),)
    venue.feed(BookDelta("binance", "BTCUSDT", 2, True, bids, asks, 0, 0))
    return venue


@pytest.fixture
async def client(spot: BinanceSpot) -> AsyncIterator[Client]:
    async with Simulator([spot]) as simulator, aiohttp.ClientSession() as http:
        yield Client(simulator, spot, http)


async def quotes(client: Client, venue: BinanceSpot, kind: str, **fault: Any) -> list[int]:
    """The update ids that come after five quotes, the second of which may be struck."""
    socket = await client.connect("/ws/btcusdt@bookTicker")
    await client.arm(kind, venue="binance", where="bookTicker", after=1, **fault)
    for step in range(5):
        venue.feed(
            BookQuote("binance", "BTCUSDT", 2, 61_700_00 - step, 61_801_00, UNIT, UNIT, 0, 0)
        )
    heard: list[int] = []
    while not heard or heard[-1] != 6:
        heard.append((await socket.next())["u"])
    return heard


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        ("drop_frame", [2, 4, 5, 6]),
        ("duplicate_frame", [2, 3, 3, 4, 5, 6]),
        ("reorder_frame", [2, 4, 3, 5, 6]),
    ],
)
async def test_frames(client: Client, spot: BinanceSpot, kind: str, heard: list[int]) -> None:
    assert await quotes(client, spot, kind) == heard
    assert await client.fired("binance") == {kind: 1}


async def test_a_malformed_frame(client: Client, spot: BinanceSpot) -> None:
    with pytest.raises(msgspec.DecodeError):
        await quotes(client, spot, "malform_frame")


async def test_where_there_is_no_checksum_the_ids_are_spoiled(
    client: Client, spot: BinanceSpot
) -> None:
    socket = await client.connect("/ws/btcusdt@depth@100ms")
    await client.arm("bad_checksum", where="btcusdt@depth")
    ids = []
    for step in range(3):
        spot.feed(BookQuote("binance", "BTCUSDT", 2, 61_700_00 - step, 61_801_00, UNIT, UNIT, 0, 0))
        found = await socket.next()
        ids.append((found["U"], found["u"]))
    gaps = [after[0] - before[1] for before, after in itertools.pairwise(ids)]
    assert [gap == 1 for gap in gaps] == [False, True]


async def test_silence_is_silent_and_then_everything_comes(
    client: Client, spot: BinanceSpot
) -> None:
    socket = await client.connect("/ws/btcusdt@bookTicker")
    started = time.monotonic()
    await client.arm("silence", seconds=0.3)
    await socket.raw.ping(b"are you there")
    spot.feed(BookQuote("binance", "BTCUSDT", 2, 61_700_00, 61_801_00, UNIT, UNIT, 0, 0))
    first = await socket.raw.receive(timeout=5)
    second = await socket.raw.receive(timeout=5)
    assert time.monotonic() - started >= 0.3
    assert {first.type.name, second.type.name} == {"TEXT", "PONG"}


async def test_an_abrupt_close_is_1006(client: Client) -> None:
    socket = await client.connect("/ws/btcusdt@trade")
    await client.arm("close")
    message = await socket.raw.receive(timeout=5)
    assert message.type.name in ("CLOSED", "ERROR")
    assert socket.raw.close_code == 1006


async def test_a_close_with_a_code(client: Client) -> None:
    socket = await client.connect("/ws/btcusdt@trade")
    await client.arm("close_code", status=1012)
    await socket.raw.receive(timeout=5)
    assert socket.raw.close_code == 1012


async def test_a_refused_handshake(client: Client) -> None:
    await client.arm("refuse_connect", status=503)
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        await client.connect("/ws/btcusdt@trade")
    await client.connect("/ws/btcusdt@trade")


async def test_pongs_late_and_never(client: Client) -> None:
    socket = await client.connect("/ws")
    await client.arm("no_pong")
    await client.arm("late_pong", seconds=0.2)
    await socket.raw.ping(b"1")
    assert await socket.nothing(0.1)
    started = time.monotonic()
    await socket.raw.ping(b"2")
    assert (await socket.raw.receive(timeout=5)).data == b"2"
    assert time.monotonic() - started > 0.15
    await socket.raw.ping(b"3")
    assert (await socket.raw.receive(timeout=1)).data == b"3"


@pytest.mark.parametrize(("status", "code"), [(429, -1003), (418, -1003), (503, -1007)])
async def test_http_statuses(client: Client, status: int, code: int) -> None:
    await client.arm("http_status", status=status, seconds=7, where="/time")
    assert await client.get("/api/v3/ping") == {}
    answer = await client.get("/api/v3/time")
    assert (client.status, answer["code"]) == (status, code)
    if status != 503:
        assert client.headers["Retry-After"] == "7"
    assert "serverTime" in await client.get("/api/v3/time")


async def test_an_unknown_outcome_went_through(client: Client) -> None:
    await client.arm("unknown_outcome", where="order")
    answer = await client.order(newClientOrderId="lost")
    assert (client.status, answer["code"]) == (503, -1007)
    found = await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="lost")
    assert found["status"] == "NEW"
    socket = await client.connect("/ws-api/v3")
    await client.arm("unknown_outcome", where="order.place")
    lost = await socket.signed(client, "order.place", **_order(newClientOrderId="again"))
    assert (lost["status"], lost["error"]["code"]) == (503, -1007)
    assert len(await client.signed("GET", "/api/v3/openOrders")) == 2


def _order(**changes: str) -> dict[str, str]:
    return {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": "0.5", "price": "61700.00", **changes,
    }  # fmt: skip


async def test_no_answer_and_a_late_one(client: Client) -> None:
    await client.arm("no_answer", where="order")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await client.order()
    assert len(await client.signed("GET", "/api/v3/openOrders")) == 1
    await client.arm("delay", seconds=0.2, where="ping")
    started = time.monotonic()
    assert await client.get("/api/v3/ping") == {}
    assert time.monotonic() - started >= 0.2


async def private(client: Client) -> Socket:
    socket = await client.connect("/ws-api/v3")
    await socket.signed(client, "userDataStream.subscribe.signature")
    return socket


async def reports(socket: Socket, count: int) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    while len(found) < count:
        event = (await socket.next()).get("event", {})
        if event.get("e") == "executionReport":
            found.append((event["x"], event["t"]))
    return found


async def test_a_doubled_fill_has_one_trade_id(client: Client) -> None:
    socket = await private(client)
    await client.arm("double_fill")
    await client.order(price="61800.10")
    (new, _), (first, one), (second, two) = await reports(socket, 3)
    assert (new, first, second) == ("NEW", "TRADE", "TRADE")
    assert one == two


async def test_a_dropped_event(client: Client) -> None:
    socket = await private(client)
    await client.arm("drop_event", where="new:")
    await client.order(price="61800.10")
    assert (await reports(socket, 1))[0][0] == "TRADE"


@pytest.mark.parametrize("early", [True, False])
async def test_fills_before_the_answer(client: Client, early: bool) -> None:
    socket = await private(client)
    if early:
        await client.arm("fill_before_ack")
    params = signed_params(client, _order(price="61800.10"))
    await socket.send(id="p", method="order.place", params=params)
    frames = [await socket.next() for _ in range(5)]
    kinds = ["answer" if "id" in each else each["event"]["e"] for each in frames]
    assert kinds.index("answer") == (4 if early else 0)


async def test_events_do_not_wait_for_a_late_answer(client: Client) -> None:
    socket = await private(client)
    await client.arm("delay", seconds=1.0, where="order")
    placing = asyncio.create_task(client.order(price="100.00"))
    assert (await socket.next())["event"]["x"] == "NEW"
    assert not placing.done()
    assert (await placing)["status"] == "NEW"


async def test_tokens_end_early(client: Client) -> None:
    socket = await private(client)
    await client.arm("expire_token")
    assert (await socket.next())["event"]["e"] == "eventStreamTerminated"
    await client.order()
    assert await socket.nothing()


async def test_notice_of_a_shutdown(client: Client) -> None:
    raw, combined = [await client.connect(path) for path in ("/ws", "/stream")]
    await client.arm("notice")
    assert (await raw.next())["e"] == "serverShutdown"
    assert (await combined.next())["stream"] == "!serverShutdown"


async def test_a_clock_that_is_off(client: Client) -> None:
    await client.arm("clock", seconds=60)
    assert (await client.order())["code"] == -1021
    await client.arm("clock", seconds=0)
    assert (await client.order())["status"] == "NEW"


async def test_a_halt(client: Client) -> None:
    await client.arm("halt", where="BTC")
    assert (await client.order())["msg"] == "Market is closed."
    info = await client.get("/api/v3/exchangeInfo", symbol="BTCUSDT")
    assert info["symbols"][0]["status"] == "BREAK"
    await client.arm("halt", where="BTC", count=0)
    assert (await client.order())["status"] == "NEW"


async def test_mistakes_are_told(client: Client) -> None:
    assert "Invalid enum value" in (await client.arm("magic"))["error"]
    assert "there is no venue 'mars'" in (await client.arm("close", venue="mars"))["error"]
    assert "unknown field" in (await client.arm("close", colour="red"))["error"]


async def test_they_are_listed_and_cleared(client: Client) -> None:
    await client.arm("drop_frame", count=None)
    async with client.http.get(f"{client.admin}/faults") as answer:
        found = await answer.json()
    assert found["venues"]["binance"]["armed"][0]["kind"] == "drop_frame"
    assert set(found["kinds"]) == {each.value for each in FaultKind}
    async with client.http.delete(f"{client.admin}/faults") as answer:
        assert await answer.json() == {"binance": 1}


def test_counts_and_chances_come_from_the_seed() -> None:
    def fired(seed: int) -> list[int]:
        faults = Faults(seed)
        faults.arm(Fault(kind=FaultKind.DROP_FRAME, count=5, after=3, probability=0.3))
        return [n for n in range(100) if faults.take(FaultKind.DROP_FRAME, "x", 0)]

    assert fired(1) == fired(1) != fired(2)
    assert len(fired(1)) == 5
    assert min(fired(1)) >= 3
