"""After a restart a reader of the socket goes on where it was, from the journal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.app.process import Service, service
from tradeloom.gateways.limits import REPLAY_EVENTS_MAX
from tradeloom.gateways.problems import ApiCode


async def _missed(live: Service, token: str, account: int, after: int) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    found: list[dict[str, Any]] = []
    async with (
        asyncio.timeout(60),
        connect(live.ws, additional_headers=headers, proxy=None) as socket,
    ):
        message = {"op": "subscribe", "channel": "orders", "account": account}
        await socket.send(json.dumps(message | {"resume_from": after}))
        async for text in socket:
            heard = json.loads(text)
            assert heard["type"] != "error", heard
            if heard["type"] == "resumed":
                return found
            if heard["type"] == "event":
                found.append(heard)
    raise AssertionError("the connection ended")


async def test_resume_across_a_kill(tmp_path: Path) -> None:
    with service(tmp_path / "data", "--symbols", "BTCUSDT,ETHUSDT") as live:
        token = live.sign_up("fred")
        account = live.account(token)
        body = {"account": account, "instrument": "BTCUSDT", "side": "buy", "volume": "0.001"}
        with live.client(token) as client:
            placed = [client.post("/orders", json=body).json() for _ in range(4)]
        await asyncio.to_thread(live.kill)
        await asyncio.to_thread(live.start)
        token = live.sign_in("fred")
        events = await _missed(live, token, account, placed[0]["seq"])
        filled = [each["event"]["order"] for each in events if each["kind"] == "fill"]
        assert filled == [each["order"] for each in placed[1:]]
        seqs = [each["seq"] for each in events]
        assert seqs == sorted(set(seqs))
        every = await _missed(live, token, account, 0)
        assert [e["event"]["order"] for e in every if e["kind"] == "fill"] == [
            each["order"] for each in placed
        ]


async def test_resume_from_too_far_back_is_answered_with_too_old(tmp_path: Path) -> None:
    with service(tmp_path / "data", "--symbols", "EURUSD") as live:
        token = live.sign_up("olga")
        account = live.account(token)
        first, last = await asyncio.to_thread(_many_events, live, token, account)
        assert await asyncio.to_thread(live.stop) == 0
        await asyncio.to_thread(live.start)  # what was in memory is only in the journal now
        headers = {"Authorization": f"Bearer {live.sign_in('olga')}"}
        async with (
            asyncio.timeout(60),
            connect(live.ws, additional_headers=headers, proxy=None) as socket,
        ):
            said = {"op": "subscribe", "channel": "orders", "account": account, "id": "far"}
            await socket.send(json.dumps(said | {"resume_from": first}))
            refused = await _until(socket, "error")
            assert (refused["name"], refused["code"]) == ("TOO_OLD", int(ApiCode.TOO_OLD))
            assert (refused["field"], refused["id"]) == ("resume_from", "far")
            assert refused["oldest"] >= last - REPLAY_EVENTS_MAX
            # The connection lives on, and what it was told to ask for can be had.
            await socket.send(json.dumps(said | {"resume_from": refused["oldest"]}))
            assert (await _until(socket, "resumed"))["seq"] >= last


def _many_events(live: Service, token: str, account: int) -> tuple[int, int]:
    """The seq of the first order and of the last, more events apart than a reader may ask for."""
    body = {"account": account, "instrument": "EURUSD", "side": "buy", "volume": "0.01"}
    with live.client(token) as client:
        first = last = client.post("/orders", json=body).json()["seq"]
        while last <= first + REPLAY_EVENTS_MAX:
            for _ in range(40):
                made = client.post("/orders", json=body)
                assert made.status_code == 201, made.text
                last = made.json()["seq"]
            assert client.post("/positions/close-all", json={"account": account}).is_success
    return first, last


async def _until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    async for text in socket:
        heard: dict[str, Any] = json.loads(text)
        if heard["type"] == kind:
            return heard
    raise AssertionError("the connection ended")
