"""Binance spot on the wire: REST, streams, the WebSocket API, private events, limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulators.binance.wire import Client, Socket, now_ms, signed_params
from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookQuote, TradeTick
from tradeloom.simulators.binance import BinanceSpot, budgets
from tradeloom.simulators.binance.budgets import Limit

UNIT = 10**8


def quote(venue: BinanceSpot, bid: int, ask: int) -> None:
    venue.feed(BookQuote("binance", "BTCUSDT", 2, bid, ask, UNIT, UNIT, 0, 0))


def trade(venue: BinanceSpot, price: int, size: int, side: Side = Side.SELL) -> None:
    now = venue.clock.now_ns()
    venue.feed(TradeTick("binance", "BTCUSDT", 2, price, size, side, "", now, now))


# ---- REST -------------------------------------------------------------------------------------


async def test_what_needs_no_key(client: Client, spot: BinanceSpot) -> None:
    trade(spot, 61_800_00, UNIT)
    assert await client.get("/api/v3/ping") == {}
    assert abs((await client.get("/api/v3/time"))["serverTime"] - now_ms()) < 1_000
    info = await client.get("/api/v3/exchangeInfo", symbol="BTCUSDT")
    filters = {each["filterType"]: each for each in info["symbols"][0]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert {each["rateLimitType"] for each in info["rateLimits"]} == {
        "REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS",
    }  # fmt: skip
    depth = await client.get("/api/v3/depth", symbol="BTCUSDT", limit=1)
    assert depth["bids"] == [["61800.00000000", "10.00000000"]]
    assert depth["asks"] == [["61800.10000000", "10.00000000"]]
    assert (await client.get("/api/v3/trades", symbol="BTCUSDT"))[0]["isBuyerMaker"] is True
    kline = (await client.get("/api/v3/klines", symbol="BTCUSDT", interval="1m"))[0]
    assert (kline[4], kline[5]) == ("61800.00000000", "1.00000000")
    assert (await client.get("/api/v3/ticker/price", symbol="BTCUSDT"))["price"] == kline[4]
    best = {each["symbol"]: each for each in await client.get("/api/v3/ticker/bookTicker")}
    assert best["BTCUSDT"]["askPrice"] == "61800.10000000"
    assert await client.get("/sapi/v1/system/status") == {"status": 0, "msg": "normal"}
    assert (await client.get("/api/v3/depth", symbol="NOPE"))["code"] == -1121


async def test_an_orders_life(client: Client, spot: BinanceSpot) -> None:
    placed = await client.order(price="61700.00", newClientOrderId="mine")
    assert (placed["status"], placed["clientOrderId"], placed["fills"]) == ("NEW", "mine", [])
    number = placed["orderId"]
    assert (await client.signed("GET", "/api/v3/openOrders"))[0]["orderId"] == number
    account = await client.signed("GET", "/api/v3/account", omitZeroBalances="true")
    usdt = next(each for each in account["balances"] if each["asset"] == "USDT")
    assert (usdt["free"], usdt["locked"]) == ("969150.00000000", "30850.00000000")
    amended = await client.signed(
        "PUT", "/api/v3/order/amend/keepPriority", symbol="BTCUSDT", orderId=number, newQty="0.3"
    )
    assert amended["amendedOrder"]["qty"] == "0.30000000"
    assert amended["amendedOrder"]["origClientOrderId"] == "mine"
    quote(spot, 61_600_00, 61_650_00)
    found = await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=number)
    assert (found["status"], found["executedQty"]) == ("FILLED", "0.30000000")
    fill = (await client.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT"))[0]
    assert (fill["price"], fill["isMaker"], fill["commissionAsset"]) == (
        "61700.00000000", True, "BTC",
    )  # fmt: skip
    assert fill["commission"] == "0.00030000"
    gone = await client.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=number)
    assert gone["code"] == -2011
    everything = await client.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT")
    assert [each["orderId"] for each in everything] == [number]


async def test_a_market_order_walks_the_book(client: Client) -> None:
    placed = await client.order(type="MARKET", quantity="12", price=None, timeInForce=None)
    assert [(each["price"], each["qty"]) for each in placed["fills"]] == [
        ("61800.10000000", "10.00000000"), ("61900.00000000", "2.00000000"),
    ]  # fmt: skip
    assert placed["cummulativeQuoteQty"] == "741801.00000000"
    by_money = await client.order(
        type="MARKET", quoteOrderQty="619", quantity=None, price=None, timeInForce=None
    )
    assert (by_money["executedQty"], by_money["status"]) == ("0.01000000", "FILLED")


async def test_cancel_replace(client: Client) -> None:
    first = await client.order(price="100.00", newClientOrderId="first")
    path = "/api/v3/order/cancelReplace"
    asked: dict[str, Any] = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": "1", "price": "101.00", "cancelReplaceMode": "STOP_ON_FAILURE",
        "cancelOrigClientOrderId": "first",
    }  # fmt: skip
    done = await client.signed("POST", path, **asked)
    assert done["cancelResponse"]["orderId"] == first["orderId"]
    assert done["newOrderResponse"]["price"] == "101.00000000"
    failed = await client.signed("POST", path, **asked)
    assert (client.status, failed["code"]) == (400, -2022)
    assert failed["data"]["newOrderResult"] == "NOT_ATTEMPTED"
    partly = await client.signed("POST", path, **{**asked, "cancelReplaceMode": "ALLOW_FAILURE"})
    assert (client.status, partly["code"], partly["data"]["newOrderResult"]) == (
        409, -2021, "SUCCESS",
    )  # fmt: skip
    assert len(await client.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")) == 2


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ({"price": "100.001"}, -1111, "too much precision"),
        ({"price": "1e5"}, -1100, "Illegal characters found in parameter 'price'."),
        ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
        ({"quantity": None}, -1102, "Mandatory parameter 'quantity'"),
        ({"quantity": "99999"}, -2010, "Account has insufficient balance"),
        ({"side": "HOLD"}, -1117, "Invalid side."),
        ({"type": "MAGIC"}, -1116, "Invalid orderType."),
        ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        (
            {"type": "LIMIT_MAKER", "timeInForce": None, "price": "70000.00"},
            -2010,
            "match and take",
        ),
        ({"newClientOrderId": "a b"}, -1100, "newClientOrderId"),
        ({"newClientOrderId": "a" * 37}, -1100, "newClientOrderId"),
        ({"timestamp": 1}, -1021, "outside of the recvWindow"),
        ({"timestamp": now_ms() + 3_600_000}, -1021, "ahead of the server's time"),
        ({"recvWindow": 60_001}, -1131, "recvWindow"),
    ],
)
async def test_refusals(client: Client, changes: dict[str, Any], code: int, text: str) -> None:
    answer = await client.order(**changes)
    assert (client.status, answer["code"]) == (400, code)
    assert text in answer["msg"]


async def test_wrong_keys_and_signatures(client: Client) -> None:
    good = client.credentials
    answer = await client.call("GET", "/api/v3/account", f"timestamp={now_ms()}&signature=00")
    assert (client.status, answer["code"]) == (400, -1022)
    answer = await client.call("GET", "/api/v3/account", f"timestamp={now_ms()}")
    assert answer["code"] == -1102
    client.credentials = type(good)(key="unknown", secret=good.secret)
    answer = await client.signed("GET", "/api/v3/account")
    assert (client.status, answer["code"]) == (401, -2015)
    client.credentials = type(good)(key="", secret=good.secret)
    answer = await client.signed("GET", "/api/v3/account")
    assert (client.status, answer["code"]) == (401, -2014)


async def test_a_duplicate_client_id(client: Client) -> None:
    await client.order(newClientOrderId="same")
    assert (await client.order(newClientOrderId="same"))["msg"] == "Duplicate order sent."


async def test_an_ed25519_key_signs_rest_too(client: Client, spot: BinanceSpot) -> None:
    client.credentials = spot.keys.all()[1]
    assert (await client.order())["status"] == "NEW"


# ---- limits -----------------------------------------------------------------------------------


class Small(BinanceSpot):
    """A venue of little patience."""

    limits = (
        Limit("REQUEST_WEIGHT", "MINUTE", 1, 60), Limit("ORDERS", "DAY", 1, 3),
        Limit("RAW_REQUESTS", "MINUTE", 5, 1_000),
    )  # fmt: skip


async def test_weights_429_and_then_418(monkeypatch: pytest.MonkeyPatch) -> None:
    import aiohttp

    from tradeloom.simulators import HandClock, Simulator

    monkeypatch.setattr(budgets, "PATIENCE", 2)
    clock = HandClock(1_700_000_030 * 10**9)
    venue = Small(seed=1, clock=clock, symbols=["BTCUSDT"])
    async with Simulator([venue]) as simulator, aiohttp.ClientSession() as http:
        client = Client(simulator, venue, http)
        await client.get("/api/v3/depth", symbol="BTCUSDT", limit=1_000)
        assert client.headers["X-MBX-USED-WEIGHT-1M"] == "50"
        stamp = clock.now_ns() // 1_000_000
        for _ in range(3):
            assert (await client.order(timestamp=stamp))["status"] == "NEW"
        # Orders that are accepted weigh nothing.
        assert client.headers["X-MBX-USED-WEIGHT-1M"] == "50"
        assert client.headers["X-MBX-ORDER-COUNT-1D"] == "3"
        assert (await client.order(timestamp=stamp))["code"] == -1015
        assert client.status == 429
        for _ in range(2):
            answer = await client.get("/api/v3/exchangeInfo")
            assert (client.status, answer["code"]) == (429, -1003)
            assert 1 <= int(client.headers["Retry-After"]) <= 60
        answer = await client.get("/api/v3/exchangeInfo")
        assert (client.status, client.headers["Retry-After"]) == (418, "120")
        clock.advance(100)
        assert "banned until" in (await client.get("/api/v3/ping"))["msg"]
        clock.advance(30)
        assert await client.get("/api/v3/ping") == {}


# ---- streams ----------------------------------------------------------------------------------


async def test_raw_and_combined_streams(client: Client, spot: BinanceSpot) -> None:
    raw = await client.connect("/ws/btcusdt@bookTicker")
    combined = await client.connect("/stream?streams=btcusdt@trade/btcusdt@aggTrade")
    quote(spot, 61_801_00, 61_801_50)
    assert await raw.next() == {
        "u": 2, "s": "BTCUSDT", "b": "61801.00000000", "B": "1.00000000",
        "a": "61801.50000000", "A": "1.00000000",
    }  # fmt: skip
    trade(spot, 61_801_00, UNIT // 2)
    first, second = await combined.next(), await combined.next()
    assert (first["stream"], second["stream"]) == ("btcusdt@trade", "btcusdt@aggTrade")
    data = first["data"]
    assert (data["p"], data["q"], data["m"]) == ("61801.00000000", "0.50000000", True)
    assert second["data"]["f"] == second["data"]["l"] == data["t"]


async def test_frames_of_a_stream_connection(client: Client, spot: BinanceSpot) -> None:
    socket = await client.connect("/stream/ws/0")
    assert await socket.ask(method="SUBSCRIBE", params=["btcusdt@trade"], id=1) == {
        "result": None, "id": 1,
    }  # fmt: skip
    listed = await socket.ask(method="LIST_SUBSCRIPTIONS", id="x")
    assert listed["result"] == ["btcusdt@trade"]
    await socket.ask(method="SET_PROPERTY", params=["combined", True], id=2)
    trade(spot, 61_801_00, UNIT)
    assert (await socket.next())["stream"] == "btcusdt@trade"
    await socket.ask(method="UNSUBSCRIBE", params=["btcusdt@trade"], id=3)
    trade(spot, 61_801_00, UNIT)
    assert await socket.nothing()


async def test_mistakes_on_a_stream_connection(client: Client) -> None:
    socket = await client.connect("/ws")
    answer = await socket.ask(method="DANCE", id=1)
    assert answer["error"]["code"] == 2
    await socket.raw.send_str("{")
    assert (await socket.next())["error"]["code"] == 3
    assert (await socket.ask(method="SET_PROPERTY", params=["x", 1], id=2))["error"]["code"] == 0


async def test_more_than_five_messages_in_a_second_hang_up(client: Client) -> None:
    socket = await client.connect("/ws")
    for number in range(12):
        await socket.send(method="LIST_SUBSCRIPTIONS", id=number)
    for _ in range(13):
        message = await socket.raw.receive(timeout=5)
        if message.type.name != "TEXT":
            break
    assert socket.raw.close_code == 1008


async def test_microseconds(client: Client, spot: BinanceSpot) -> None:
    socket = await client.connect("/ws/btcusdt@trade?timeUnit=MICROSECOND")
    trade(spot, 61_801_00, UNIT)
    assert (await socket.next())["T"] > 10**15


async def test_a_book_kept_from_the_stream_is_the_venues_book(
    client: Client, spot: BinanceSpot
) -> None:
    socket = await client.connect("/ws/btcusdt@depth@100ms")
    for step in range(3):
        quote(spot, 61_801_00 + step * 100, 61_802_00 + step * 100)
    await client.order(price="61700.00")
    first = await socket.next()
    snapshot = await client.get("/api/v3/depth", symbol="BTCUSDT", limit=5_000)
    await client.order(price="61600.00")
    second = await socket.next()
    assert second["U"] == first["u"] + 1
    assert first["u"] == snapshot["lastUpdateId"]
    assert second["b"] == [["61600.00000000", "0.50000000"]]
    bids = dict(snapshot["bids"]) | dict(second["b"])
    now = dict((await client.get("/api/v3/depth", symbol="BTCUSDT"))["bids"])
    assert {price: size for price, size in bids.items() if float(size)} == now
    # The partial stream has the same, without a symbol.
    top = await client.connect("/ws/btcusdt@depth5@100ms")
    quote(spot, 61_900_00, 61_901_00)
    assert (await top.next())["bids"][0] == ["61900.00000000", "1.00000000"]


# ---- the WebSocket API and private events -----------------------------------------------------


async def listening(client: Client) -> Socket:
    socket = await client.connect("/ws-api/v3")
    answer = await socket.signed(client, "userDataStream.subscribe.signature")
    assert answer["result"] == {"subscriptionId": 0}
    return socket


async def test_orders_over_the_socket_api(client: Client) -> None:
    socket = await client.connect("/ws-api/v3")
    order: dict[str, Any] = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": "0.5", "price": "61700.00",
    }  # fmt: skip
    placed = await socket.signed(client, "order.place", **order)
    assert (placed["status"], placed["result"]["status"]) == (200, "NEW")
    assert {each["rateLimitType"] for each in placed["rateLimits"]} >= {"REQUEST_WEIGHT"}
    number = placed["result"]["orderId"]
    found = await socket.signed(client, "order.status", symbol="BTCUSDT", orderId=number)
    assert found["result"]["orderId"] == number
    done = await socket.signed(client, "order.cancel", symbol="BTCUSDT", orderId=number)
    assert done["result"]["status"] == "CANCELED"
    again = await socket.signed(client, "order.cancel", symbol="BTCUSDT", orderId=number)
    assert (again["status"], again["error"]["code"]) == (400, -2011)
    tested = await socket.signed(client, "order.test", **order)
    assert tested["result"] == {}
    assert (await socket.ask(id=1, method="nothing.such"))["error"]["code"] == -1135
    assert (await socket.ask(id="t", method="time"))["result"]["serverTime"] > 0


async def test_a_session_needs_an_ed25519_key(client: Client, spot: BinanceSpot) -> None:
    socket = await client.connect("/ws-api/v3")
    refused = await socket.signed(client, "session.logon")
    assert refused["error"]["code"] == -4056
    client.credentials = spot.keys.all()[1]
    signed_on = await socket.signed(client, "session.logon")
    assert signed_on["result"]["apiKey"] == client.credentials.key
    order = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": "0.5", "price": "61700.00", "timestamp": now_ms(),
    }  # fmt: skip
    placed = await socket.ask(id=5, method="order.place", params=order)
    assert placed["result"]["status"] == "NEW"
    assert (await socket.ask(id=6, method="userDataStream.subscribe"))["result"] == {
        "subscriptionId": 0
    }
    await socket.ask(id=7, method="session.logout")
    assert (await socket.ask(id=8, method="order.place", params=order))["error"]["code"] == -1102


async def test_private_events_come_in_order_after_the_answer(
    client: Client, spot: BinanceSpot
) -> None:
    socket = await listening(client)
    await socket.send(
        id="p", method="order.place",
        params=signed_params(client, {
            "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
            "quantity": "12", "price": "61800.10", "newClientOrderId": "mine",
        }),
    )  # fmt: skip
    assert (await socket.next())["id"] == "p"
    events = [(await socket.next())["event"] for _ in range(4)]
    assert [(each["e"], each.get("x")) for each in events] == [
        ("executionReport", "NEW"), ("outboundAccountPosition", None),
        ("executionReport", "TRADE"), ("outboundAccountPosition", None),
    ]  # fmt: skip
    trade_event = events[2]
    assert (trade_event["X"], trade_event["l"], trade_event["z"], trade_event["m"]) == (
        "PARTIALLY_FILLED", "10.00000000", "10.00000000", False,
    )  # fmt: skip
    assert (trade_event["n"], trade_event["N"]) == ("0.01000000", "BTC")
    assert {each["a"] for each in events[3]["B"]} == {"BTC", "USDT"}
    await client.signed(
        "DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine",
        newClientOrderId="bye",
    )  # fmt: skip
    canceled = (await socket.next())["event"]
    assert (canceled["x"], canceled["X"], canceled["c"], canceled["C"]) == (
        "CANCELED", "CANCELED", "bye", "mine",
    )  # fmt: skip


async def test_a_resting_order_fills_when_the_market_trades_through(
    client: Client, spot: BinanceSpot
) -> None:
    socket = await listening(client)
    await client.order(price="61750.00")
    assert (await socket.next())["event"]["x"] == "NEW"
    await socket.next()
    trade(spot, 61_740_00, UNIT)
    event = (await socket.next())["event"]
    assert (event["x"], event["X"], event["L"], event["m"]) == (
        "TRADE", "FILLED", "61750.00000000", True,
    )  # fmt: skip


async def test_a_stop_order_waits_and_works(client: Client, spot: BinanceSpot) -> None:
    trade(spot, 61_800_00, 1_000)
    placed = await client.order(
        side="SELL", type="STOP_LOSS", price=None, timeInForce=None, stopPrice="61500.00"
    )
    assert placed["orderId"]
    number = placed["orderId"]
    found = await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=number)
    assert (found["status"], found["isWorking"]) == ("NEW", False)
    trade(spot, 61_500_00, 1_000)
    found = await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=number)
    assert (found["status"], found["executedQty"]) == ("FILLED", "0.50000000")
