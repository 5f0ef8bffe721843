"""A client of Binance's protocol that is as plain as possible: it signs, sends and waits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from yarl import URL

from tradeloom.simulators import Simulator, VenueDialect


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def signature(secret: str, payload: str) -> str:
    if "PRIVATE KEY" in secret:
        key = load_pem_private_key(secret.encode(), None)
        assert isinstance(key, Ed25519PrivateKey)
        return base64.b64encode(key.sign(payload.encode())).decode()
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def signed_params(client: Client, params: dict[str, Any]) -> dict[str, Any]:
    """Parameters of a frame of the WebSocket API, signed."""
    signed = {**params, "apiKey": client.credentials.key, "timestamp": now_ms()}
    text = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
    return {**signed, "signature": signature(client.credentials.secret, text)}


class Client:
    """REST and sockets of one simulated venue, with one of its demo keys (0 HMAC, 1 Ed25519)."""

    def __init__(
        self, simulator: Simulator, venue: VenueDialect, http: aiohttp.ClientSession, key: int = 0
    ) -> None:
        self.http = http
        self.base = simulator.url(venue.name)
        self.ws_base = simulator.ws_url(venue.name)
        self.admin = simulator.admin_url
        self.credentials = venue.keys.all()[key]
        self.headers: Any = {}

    async def get(self, path: str, **params: Any) -> Any:
        return await self.call("GET", path, urlencode(params))

    async def signed(self, verb: str, path: str, **params: Any) -> Any:
        """The body of the answer; status and headers stay in `self`."""
        params.setdefault("timestamp", now_ms())
        query = urlencode(params)
        signed = urlencode({"signature": signature(self.credentials.secret, query)})
        return await self.call(verb, path, f"{query}&{signed}")

    async def call(self, verb: str, path: str, query: str = "") -> Any:
        headers = {"X-MBX-APIKEY": self.credentials.key}
        url = URL(f"{self.base}{path}?{query}", encoded=True)
        async with self.http.request(verb, url, headers=headers) as answer:
            self.status, self.headers = answer.status, answer.headers
            return msgspec.json.decode(await answer.read())

    async def order(self, path: str = "/api/v3/order", **changes: Any) -> Any:
        asked: dict[str, Any] = {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
        }
        asked |= {"quantity": "0.5", "price": "100.00", **changes}
        kept = {name: value for name, value in asked.items() if value is not None}
        return await self.signed("POST", path, **kept)

    async def arm(self, kind: str, **fault: Any) -> Any:
        async with self.http.post(f"{self.admin}/faults", json={"kind": kind, **fault}) as answer:
            return await answer.json()

    async def fired(self, venue: str) -> dict[str, int]:
        async with self.http.get(f"{self.admin}/faults") as answer:
            found: dict[str, int] = (await answer.json())["venues"][venue]["fired"]
            return found

    async def connect(self, path: str) -> Socket:
        return Socket(await self.http.ws_connect(f"{self.ws_base}{path}", autoping=False))


class Socket:
    """One connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.raw = socket

    async def send(self, **frame: Any) -> None:
        await self.raw.send_str(msgspec.json.encode(frame).decode())

    async def next(self, timeout_s: float = 5.0) -> Any:
        return msgspec.json.decode(await self.raw.receive_str(timeout=timeout_s))

    async def ask(self, **frame: Any) -> Any:
        """Send, and the next frame that has this id."""
        await self.send(**frame)
        while True:
            found = await self.next()
            if found.get("id") == frame["id"]:
                return found

    async def signed(self, client: Client, method: str, **params: Any) -> Any:
        """A signed call of the WebSocket API."""
        return await self.ask(id=method, method=method, params=signed_params(client, params))

    async def nothing(self, wait_s: float = 0.15) -> bool:
        """Whether nothing comes for a while."""
        try:
            await self.raw.receive(timeout=wait_s)
        except TimeoutError:
            return True
        return False
