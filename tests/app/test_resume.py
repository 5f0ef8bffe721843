"""After a restart a reader of the socket goes on where it was, from the journal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from tests.app.process import Service, service


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
