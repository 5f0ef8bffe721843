"""USD-M futures on the wire: roots, positions, modifications, conditional orders, listen keys."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.simulators.binance.wire import Client, Socket
from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick
from tradeloom.simulators import HandClock, Simulator, SystemClock
from tradeloom.simulators.binance_usdm import BinanceUsdm
from tradeloom.simulators.orders import NewOrder, OrderKind

UNIT = 10**8
ORDER = "/fapi/v1/order"
SYMBOL = "BTCUSDT-PERP"


@pytest.fixture
def usdm() -> BinanceUsdm:
    venue = BinanceUsdm(seed=7, clock=SystemClock(), symbols=["BTCUSDT"])
    bids, asks = ((61_800_00, 10 * UNIT),), ((61_800_10, 10 * UNIT), (61_900_00, 20 * UNIT))
    venue.feed(BookDelta(venue.name, SYMBOL, 2, True, bids, asks, 0, 0))
    return venue


@pytest.fixture
async def client(usdm: BinanceUsdm) -> AsyncIterator[Client]:
    async with Simulator([usdm]) as simulator, aiohttp.ClientSession() as http:
        yield Client(simulator, usdm, http)


def trade(venue: BinanceUsdm, price: int, size: int = UNIT) -> None:
    now = venue.clock.now_ns()
    venue.feed(TradeTick(venue.name, SYMBOL, 2, price, size, Side.SELL, "", now, now))


async def order(client: Client, **changes: Any) -> Any:
    return await client.order(ORDER, **{"price": "61700.00", "quantity": "0.5", **changes})


async def listening(client: Client) -> tuple[Socket, str]:
    key = (await client.call("POST", "/fapi/v1/listenKey"))["listenKey"]
    return await client.connect(f"/private/ws?listenKey={key}"), key


async def test_public_calls(client: Client) -> None:
    info = await client.get("/fapi/v1/exchangeInfo")
    row = info["symbols"][0]
    assert (row["symbol"], row["contractType"], row["pricePrecision"]) == (
        "BTCUSDT", "PERPETUAL", 2,
    )  # fmt: skip
    filters = {each["filterType"]: each for each in row["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.10"
    assert filters["LOT_SIZE"]["stepSize"] == "0.001"
    depth = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=5)
    assert depth["bids"] == [["61800.00", "10.000"]]
    assert (await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=7))["code"] == -4021
    premium = await client.get("/fapi/v1/premiumIndex", symbol="BTCUSDT")
    assert (premium["markPrice"], premium["lastFundingRate"]) == ("61800.05", "0.00010000")


async def test_each_root_serves_its_own_streams(client: Client, usdm: BinanceUsdm) -> None:
    public = await client.connect("/public/ws/btcusdt@bookTicker/btcusdt@trade/btcusdt@aggTrade")
    market = await client.connect("/market/stream?streams=btcusdt@aggTrade/btcusdt@trade")
    trade(usdm, 61_800_00)
    assert (await public.next())["e"] == "trade"
    assert (await market.next())["stream"] == "btcusdt@aggTrade"
    assert await public.nothing()
    usdm.feed(BookQuote(usdm.name, SYMBOL, 2, 61_801_00, 61_802_00, UNIT, UNIT, 0, 0))
    quote = await public.next()
    assert (quote["e"], quote["b"], quote["B"]) == ("bookTicker", "61801.00", "1.000")
    assert quote["T"] > 0
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await client.connect("/ws/btcusdt@trade")


async def test_depth_events_are_chained(client: Client, usdm: BinanceUsdm) -> None:
    socket = await client.connect("/public/ws/btcusdt@depth@100ms")
    told = []
    for step in range(3):
        bid = 61_700_00 - step * 10
        usdm.feed(BookQuote(usdm.name, SYMBOL, 2, bid, 61_801_00, UNIT, UNIT, 0, 0))
        told.append(await socket.next())
    for before, after in itertools.pairwise(told):
        assert after["pu"] == before["u"] < after["U"] <= after["u"]


async def test_a_position_from_open_to_close(client: Client, usdm: BinanceUsdm) -> None:
    socket, _ = await listening(client)
    placed = await order(client, type="MARKET", price=None, timeInForce=None)
    assert (placed["status"], placed["executedQty"]) == ("NEW", "0.000")
    events = [await socket.next() for _ in range(4)]
    assert [each["e"] for each in events] == [
        "ORDER_TRADE_UPDATE", "TRADE_LITE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE",
    ]  # fmt: skip
    new, lite, filled, account = events
    assert (new["o"]["x"], filled["o"]["x"], filled["o"]["X"]) == ("NEW", "TRADE", "FILLED")
    assert lite["t"] == filled["o"]["t"]
    assert (filled["o"]["ap"], filled["o"]["n"]) == ("61800.10", "15.45002500")
    held = account["a"]["P"][0]
    assert (held["s"], held["pa"], held["ep"]) == ("BTCUSDT", "0.500", "61800.100000")
    assert account["a"]["B"][0]["wb"] == "999984.54997500"
    risk = (await client.signed("GET", "/fapi/v3/positionRisk"))[0]
    assert (risk["positionAmt"], risk["entryPrice"]) == ("0.500", "61800.100000")
    assert risk["unRealizedProfit"] == "-0.02500000"
    closed = await order(
        client, side="SELL", type="MARKET", price=None, timeInForce=None, reduceOnly="true",
        newOrderRespType="RESULT",
    )  # fmt: skip
    assert (closed["status"], closed["avgPrice"]) == ("FILLED", "61800.00")
    assert await client.signed("GET", "/fapi/v3/positionRisk") == []
    fills = await client.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    assert [each["realizedPnl"] for each in fills] == ["0.00000000", "-0.05000000"]
    again = await order(
        client, side="SELL", type="MARKET", price=None, timeInForce=None, reduceOnly="true"
    )
    assert again["code"] == -2022


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"timeInForce": "GTX", "price": "61800.10"}, -5022),
        ({"timeInForce": "FOK", "quantity": "20", "price": "61800.10"}, -5021),
        ({"type": "STOP_MARKET", "stopPrice": "61000"}, -4120),
        ({"quantity": "0.0001"}, -1111),
        ({"price": "61700.05"}, -4014),
        ({"quantity": "0.001", "price": "1000.00"}, -4164),
        ({"quantity": "5000"}, -2019),
        ({"positionSide": "LONG"}, -4061),
        ({"symbol": "NOPE"}, -1121),
    ],
)
async def test_refusals(client: Client, changes: dict[str, Any], code: int) -> None:
    assert (await order(client, **changes))["code"] == code


async def test_modify_batch_and_cancel(client: Client) -> None:
    placed = await order(client, newClientOrderId="one")
    changed = await client.signed(
        "PUT", ORDER, symbol="BTCUSDT", side="BUY", origClientOrderId="one", quantity="0.7",
        price="61650.00",
    )  # fmt: skip
    assert (changed["orderId"], changed["price"], changed["origQty"]) == (
        placed["orderId"], "61650.00", "0.700",
    )  # fmt: skip
    rows = (
        '[{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"1",'
        '"price":"60000"},{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC",'
        '"quantity":"1","price":"60000.01"}]'
    )
    both = await client.signed("POST", "/fapi/v1/batchOrders", batchOrders=rows)
    assert (both[0]["status"], both[1]["code"]) == ("NEW", -4014)
    assert len(await client.signed("GET", "/fapi/v1/openOrders", symbol="BTCUSDT")) == 2
    done = await client.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    assert done["code"] == 200
    assert await client.signed("GET", "/fapi/v1/openOrders") == []


async def test_conditional_orders(client: Client, usdm: BinanceUsdm) -> None:
    trade(usdm, 61_800_00, 1_000)
    await order(client, type="MARKET", price=None, timeInForce=None)
    socket, _ = await listening(client)
    asked = {
        "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET",
        "triggerPrice": "61500.00", "closePosition": "true", "clientAlgoId": "guard",
    }  # fmt: skip
    placed = await client.signed("POST", "/fapi/v1/algoOrder", **asked)
    assert (placed["algoStatus"], placed["triggerPrice"]) == ("NEW", "61500.00")
    assert (await socket.next())["o"]["X"] == "NEW"
    assert await client.signed("GET", "/fapi/v1/openOrders") == []
    waiting = await client.signed("GET", "/fapi/v1/openAlgoOrders")
    assert [each["clientAlgoId"] for each in waiting] == ["guard"]
    above = await client.signed(
        "POST", "/fapi/v1/algoOrder", **{**asked, "triggerPrice": "62000", "clientAlgoId": "x"}
    )
    assert above["code"] == -2021
    trade(usdm, 61_500_00, 1_000)
    words = [await socket.next() for _ in range(5)]
    kinds = [(each["e"], each.get("o", {}).get("X")) for each in words]
    assert kinds[0] == ("ALGO_UPDATE", "TRIGGERED")
    assert ("ALGO_UPDATE", "FINISHED") in kinds
    assert ("ORDER_TRADE_UPDATE", "FILLED") in kinds
    assert await client.signed("GET", "/fapi/v3/positionRisk") == []


async def test_hedge_mode(client: Client) -> None:
    answer = await client.signed("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
    assert answer["code"] == 200
    assert (await order(client))["code"] == -4061
    market: dict[str, Any] = {"type": "MARKET", "price": None, "timeInForce": None}
    await order(client, positionSide="LONG", **market)
    await order(client, positionSide="SHORT", side="SELL", quantity="0.2", **market)
    rows = await client.signed("GET", "/fapi/v3/positionRisk")
    assert {each["positionSide"]: each["positionAmt"] for each in rows} == {
        "LONG": "0.500", "SHORT": "-0.200",
    }  # fmt: skip
    too_much = await order(client, positionSide="SHORT", quantity="0.3", **market)
    assert too_much["code"] == -2022


async def test_leverage_changes_the_margin(client: Client) -> None:
    await order(client)
    asked = await client.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=5)
    assert asked["leverage"] == 5
    await order(client, price="61600.00")
    account = await client.signed("GET", "/fapi/v3/account")
    # Half a coin at 61,700 with 20, then half a coin at 61,600 with 5.
    assert account["totalOpenOrderInitialMargin"] == "7702.50000000"


async def test_listen_keys_end(client: Client, usdm: BinanceUsdm) -> None:
    socket, key = await listening(client)
    assert (await client.call("POST", "/fapi/v1/listenKey"))["listenKey"] == key
    assert (await client.call("PUT", "/fapi/v1/listenKey")) == {"listenKey": key}
    await client.arm("expire_token")
    assert (await socket.next())["e"] == "listenKeyExpired"
    assert (await client.call("PUT", "/fapi/v1/listenKey"))["code"] == -1125
    await order(client)
    assert await socket.nothing()


async def test_the_dead_mans_switch(client: Client) -> None:
    await order(client)
    path = "/fapi/v1/countdownCancelAll"
    await client.signed("POST", path, symbol="BTCUSDT", countdownTime=150)
    assert len(await client.signed("GET", "/fapi/v1/openOrders")) == 1
    async with asyncio.timeout(5):
        while await client.signed("GET", "/fapi/v1/openOrders"):
            await asyncio.sleep(0.05)


async def test_funding_is_charged_by_the_clock() -> None:
    clock = HandClock(1_700_006_400 * 10**9 - 5 * 10**9)
    venue = BinanceUsdm(seed=1, clock=clock, symbols=["BTCUSDT"])
    venue.feed(BookQuote(venue.name, SYMBOL, 2, 61_800_00, 61_800_10, UNIT, UNIT, 0, 0))
    note = {"type": "MARKET", "force": "GTC", "reduce": False, "close": False}
    note |= {"gtd": 0, "working": "CONTRACT_PRICE"}
    bought = NewOrder(symbol=SYMBOL, side=Side.BUY, kind=OrderKind.MARKET, size=UNIT, note=note)
    venue.exchange.place("demo", bought)
    held = venue.exchange.accounts["demo"].balance("USDT")
    before = held.free
    venue.tick()
    assert (held.free, list(venue.funding_charged)) == (before, [])
    clock.advance(6.0)
    venue.tick()
    venue.tick()
    # One hundredth of a percent of 61,800.10 (the last price: its ask is gone), once.
    assert before - held.free == 618_001_000
    assert [each["fundingRate"] for each in venue.funding_charged] == ["0.00010000"]


async def test_orders_over_the_socket_api(client: Client) -> None:
    socket = await client.connect("/ws-fapi/v1")
    asked: dict[str, Any] = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": "0.5", "price": "61700.00",
    }  # fmt: skip
    placed = await socket.signed(client, "order.place", **asked)
    number = placed["result"]["orderId"]
    changed = await socket.signed(
        client, "order.modify", symbol="BTCUSDT", side="BUY", orderId=number, quantity="0.4",
        price="61600.00",
    )  # fmt: skip
    assert changed["result"]["price"] == "61600.00"
    done = await socket.signed(client, "order.cancel", symbol="BTCUSDT", orderId=number)
    assert done["result"]["status"] == "CANCELED"
    assert (await socket.signed(client, "v2/account.balance"))["result"][0]["asset"] == "USDT"
