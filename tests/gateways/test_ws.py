"""The WebSocket: who gets what, in which order, after a break, and what ends a connection."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.app.process import Service

JSON, MSGPACK = Subprotocol("tradeloom.json"), Subprotocol("tradeloom.msgpack")


@asynccontextmanager
async def opened(
    live: Service, token: str = "", protocol: Subprotocol = JSON
) -> AsyncIterator[ClientConnection]:
    async with connect(
        live.ws, subprotocols=[protocol], compression=None, proxy=None, max_size=None
    ) as socket_:
        if token:
            await say(socket_, op="authenticate", token=token)
            assert (await heard(socket_))["type"] == "authenticated"
        yield socket_


async def say(connection: ClientConnection, **message: Any) -> None:
    if connection.subprotocol == MSGPACK:
        await connection.send(msgspec.msgpack.encode(message))
    else:
        await connection.send(json.dumps(message))


async def heard(connection: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(15):
        data = await connection.recv()
    found = msgspec.msgpack.decode(data) if isinstance(data, bytes) else json.loads(data)
    assert isinstance(found, dict)
    return found


async def until(connection: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message = await heard(connection)
        if message["type"] == kind:
            return message


async def order(live: Service, token: str, account: int) -> dict[str, Any]:
    def place() -> dict[str, Any]:
        with live.client(token) as client:
            body = {"account": account, "instrument": "BTCUSDT", "side": "buy", "volume": "0.001"}
            made = client.post("/orders", json=body)
            assert made.status_code == 201, made.text
            answer: dict[str, Any] = made.json()
            return answer

    return await asyncio.to_thread(place)


@pytest.mark.parametrize("protocol", [JSON, MSGPACK])
async def test_quotes_come_in_both_encodings(
    live: Service, anna: str, protocol: Subprotocol
) -> None:
    async with opened(live, anna, protocol) as ws:
        await say(ws, op="subscribe", channel="quotes", symbols=["BTCUSDT"], id="q")
        answer = await until(ws, "subscribed")
        assert answer["id"] == "q"
        quote = (await until(ws, "quotes"))["quotes"][0]
        assert quote["symbol"] == "BTCUSDT"
        assert isinstance(quote["bid"], str)
        assert (await until(ws, "quotes"))["quotes"][0]["number"] > quote["number"]


async def test_own_events_arrive_with_seq_and_nobody_elses(
    live: Service, anna: str, bob: str, annas: int, bobs: int
) -> None:
    async with opened(live, anna) as ws:
        for channel in ("orders", "positions", "balances"):
            await say(ws, op="subscribe", channel=channel, account=annas)
            await until(ws, "subscribed")
        await order(live, bob, bobs)
        made = await order(live, anna, annas)
        events = [await until(ws, "event") for _ in range(4)]
        assert {each["event"]["account"] for each in events} == {annas}
        kinds = [each["kind"] for each in events]
        assert sorted(kinds) == ["fill", "ledger_posted", "order_updated", "position_updated"]
        seqs = [each["seq"] for each in events]
        assert seqs == sorted(seqs)
        fill = next(each["event"] for each in events if each["kind"] == "fill")
        assert fill["order"] == made["order"]
        await say(ws, op="subscribe", channel="orders", account=bobs, id="x")
        refused = await until(ws, "error")
        assert (refused["name"], refused["id"]) == ("UNKNOWN_CHANNEL", "x")


async def test_resume_replays_what_was_missed_once(live: Service, anna: str, annas: int) -> None:
    async with opened(live, anna) as ws:
        await say(ws, op="subscribe", channel="orders", account=annas)
        await until(ws, "subscribed")
        await order(live, anna, annas)
        first = await until(ws, "event")
    missed = [(await order(live, anna, annas))["order"] for _ in range(3)]
    async with opened(live, anna) as ws:
        await say(ws, op="subscribe", channel="orders", account=annas, resume_from=first["seq"])
        seen = []
        while True:
            message = await heard(ws)
            if message["type"] == "resumed":
                break
            if message["type"] == "event":
                seen.append(message)
        seqs = [each["seq"] for each in seen]
        assert seqs == sorted(set(seqs))
        assert min(seqs) > first["seq"]
        filled = [each["event"]["order"] for each in seen if each["kind"] == "fill"]
        assert filled[-3:] == missed
        again = await order(live, anna, annas)
        assert (await until(ws, "event"))["event"]["order"] == again["order"]


async def test_resume_from_too_far_back_is_said(live: Service, anna: str, annas: int) -> None:
    async with opened(live, anna) as ws:
        await say(ws, op="subscribe", channel="orders", account=annas, resume_from=10**9)
        assert (await until(ws, "error"))["field"] == "resume_from"


async def test_staff_channels_are_for_staff(live: Service, anna: str, annas: int) -> None:
    async with opened(live, anna) as ws:
        for channel in ("ledger", "system"):
            await say(ws, op="subscribe", channel=channel)
            assert (await until(ws, "error"))["name"] == "UNKNOWN_CHANNEL"
    admin = await asyncio.to_thread(live.admin)
    async with opened(live, admin) as ws:
        await say(ws, op="subscribe", channel="ledger")
        await until(ws, "subscribed")
        await order(live, anna, annas)
        assert (await until(ws, "event"))["kind"] == "ledger_posted"


@pytest.mark.parametrize(
    "message",
    [
        {"op": "dance"},
        {"op": "subscribe"},
        {"op": "subscribe", "channel": "quotes", "extra": 1},
        {"op": "subscribe", "channel": "quotes", "symbols": ["NOPE"]},
        {"op": "subscribe", "channel": "nope"},
        {"op": "subscribe", "channel": "orders"},
        {"op": "subscribe", "channel": "orders", "account": -1},
        {"op": "subscribe", "channel": "quotes", "interval_ms": 10**9},
    ],
)
async def test_bad_messages_get_an_error_and_change_nothing(
    live: Service, anna: str, message: dict[str, Any]
) -> None:
    async with opened(live, anna) as ws:
        await say(ws, **message)
        refused = await heard(ws)
        assert refused["type"] == "error"
        assert refused["detail"]
        await say(ws, op="ping", id="p")
        assert (await heard(ws))["type"] == "pong"


@pytest.mark.parametrize("frame", ["{", "{]", b"\xff\x00", "\x00"])
async def test_malformed_frames_end_the_connection(
    live: Service, anna: str, frame: str | bytes
) -> None:
    async with opened(live, anna) as ws:
        await ws.send(frame)
        with pytest.raises(ConnectionClosed) as ended:
            await until(ws, "nothing")
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 4400


async def test_forged_token_and_no_token(live: Service) -> None:
    async with opened(live) as ws:
        await say(ws, op="subscribe", channel="quotes")
        assert (await heard(ws))["name"] == "UNAUTHENTICATED"
        with pytest.raises(ConnectionClosed) as ended:
            await heard(ws)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 4401
    async with opened(live) as ws:
        await say(ws, op="authenticate", token="eyJhbGciOiJub25lIn0.e30.x")  # noqa: S106
        refused = await heard(ws)
        assert refused["name"] == "UNAUTHENTICATED"
        assert "eyJ" not in json.dumps(refused)


async def test_too_large_a_frame_ends_the_connection(live: Service, anna: str) -> None:
    async with opened(live, anna) as ws:
        await ws.send(json.dumps({"op": "ping", "id": "x" * 100_000}))
        with pytest.raises(ConnectionClosed) as ended:
            await heard(ws)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1009


async def test_a_reader_that_stalls_does_not_hold_the_others_up(live: Service, anna: str) -> None:
    stalled = socket.create_connection(("127.0.0.1", live.port))
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    request = (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {anna}\r\n\r\n"
    )
    stalled.sendall(request.encode())
    body = json.dumps({"op": "subscribe", "channel": "quotes", "interval_ms": 0}).encode()
    stalled.sendall(bytes((0x81, 0x80 | len(body), 0, 0, 0, 0)) + body)
    async with opened(live, anna) as ws:
        await say(ws, op="subscribe", channel="quotes", interval_ms=0)
        count = 0
        async with asyncio.timeout(20):
            while count < 200:
                count += len((await until(ws, "quotes"))["quotes"])
    stalled.close()
