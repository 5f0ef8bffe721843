"""Calls to Binance: REST with a signed query, and the socket API with signed parameters."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from tradeloom.connectors.contract import VenueUnavailable
from tradeloom.connectors.dialect import Context, Dialect
from tradeloom.connectors.limits import LOGIN_TIMEOUT_S, ORDER_TIMEOUT_S
from tradeloom.connectors.link import Link
from tradeloom.connectors.profile import Need
from tradeloom.connectors.rest import NoAnswer, NotSent, Reply
from tradeloom.connectors.venues.binance import errors, frames
from tradeloom.connectors.venues.binance.signing import Signer

T = TypeVar("T")

_failure = msgspec.json.Decoder(frames.Failure).decode
_reply = msgspec.json.Decoder(frames.ApiReply).decode


class BinanceCalls(Dialect):
    """Plumbing of the account half."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        keys = context.credentials
        self._signer = Signer(keys[Need.SECRET]) if keys else None
        self._asked = 0
        self._socket: Link | None = None

    def bind(self, links: Mapping[str, Link]) -> None:
        """Orders go over the socket API."""
        self._socket = links.get(f"{self.venue} orders")

    async def get(self, path: str, params: Mapping[str, str], cost: float, kind: type[T]) -> T:
        """A public query."""
        query = "&".join(f"{name}={value}" for name, value in params.items())
        url = f"{self.context.urls['rest']}{path}" + (f"?{query}" if query else "")
        reply = await self.context.rest.call("GET", url, costs={"weight": cost})
        return self._decoded(reply, kind)

    async def signed(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        costs: Mapping[str, float],
        kind: type[T],
    ) -> T:
        """A signed call. A refused timestamp has changed nothing: look at the clock, once more."""
        try:
            return await self._signed(method, path, params, costs, kind)
        except errors.ClockRefused:
            self.context.clock.sample(*await self.server_time())
            return await self._signed(method, path, params, costs, kind)

    async def _signed(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        costs: Mapping[str, float],
        kind: type[T],
    ) -> T:
        query = self._signing().query({**params, **self._stamp()})
        url = f"{self.context.urls['rest']}{path}?{query}"
        reply = await self.context.rest.call(method, url, headers=self._header(), costs=costs)
        return self._decoded(reply, kind)

    async def keyed(self, method: str, path: str, kind: type[T]) -> T:
        """A call that wants the key and no signature."""
        url = f"{self.context.urls['rest']}{path}"
        reply = await self.context.rest.call(
            method, url, headers=self._header(), costs={"weight": 1}
        )
        return self._decoded(reply, kind)

    async def ask(
        self,
        method: str,
        params: Mapping[str, str],
        costs: Mapping[str, float],
        kind: type[T],
        timeout_s: float = ORDER_TIMEOUT_S,
    ) -> T:
        """A signed request over the socket API; raises NotSent while it is away."""
        link = self._socket
        if link is None or not link.up.is_set():
            raise NotSent(f"{self.venue}: the order socket is not connected")
        await self.context.rest.budgets.take(costs)
        return await self.ask_on(link, method, params, kind, timeout_s)

    async def ask_on(
        self,
        link: Link,
        method: str,
        params: Mapping[str, str],
        kind: type[T],
        timeout_s: float = LOGIN_TIMEOUT_S,
    ) -> T:
        """The same on a given link, which may be logging in."""
        try:
            return await self._ask_on(link, method, params, kind, timeout_s)
        except errors.ClockRefused:
            self.context.clock.sample(*await self.server_time())
            return await self._ask_on(link, method, params, kind, timeout_s)

    async def _ask_on(
        self,
        link: Link,
        method: str,
        params: Mapping[str, str],
        kind: type[T],
        timeout_s: float,
    ) -> T:
        self._asked += 1
        key = f"r{self._asked}"
        keys = self.context.credentials
        given = dict(params) | self._stamp() | {"apiKey": keys[Need.KEY] if keys else ""}
        frame = {"id": key, "method": method, "params": self._typed(self._signing().params(given))}
        answer = _reply(await link.request(key, json.dumps(frame), timeout_s))
        if answer.error is not None:
            error = answer.error
            errors.refuse(answer.status, error.code, error.msg, self.context.rest.budgets, 0.0)
        if not bytes(answer.result):
            raise NoAnswer(f"{self.venue}: an answer without a result")
        return self._read(bytes(answer.result), kind)

    def _typed(self, params: Mapping[str, str]) -> dict[str, Any]:
        return {k: int(v) if k in ("timestamp", "recvWindow") else v for k, v in params.items()}

    def _signing(self) -> Signer:
        if self._signer is None:
            raise NotSent(f"no key for {self.venue}")
        return self._signer

    def _stamp(self) -> dict[str, str]:
        window = str(self.profile.quirks["recv_window_ms"])
        return {"recvWindow": window, "timestamp": str(self.context.clock.now_ms())}

    def _header(self) -> dict[str, str]:
        keys = self.context.credentials
        return {"X-MBX-APIKEY": keys[Need.KEY]} if keys else {}

    def _decoded(self, reply: Reply, kind: type[T]) -> T:
        used = reply.headers.get("X-MBX-USED-WEIGHT-1M", "")
        if used.isdigit():
            self.context.rest.budgets.used("weight", float(used))
        if reply.status == 200:
            return self._read(reply.body, kind)
        try:
            failure = _failure(reply.body)
        except msgspec.DecodeError:
            failure = frames.Failure(0, f"HTTP {reply.status}")
        after = reply.headers.get("Retry-After", "")
        wait = float(after) if after.replace(".", "", 1).isdigit() else 0.0
        budgets = self.context.rest.budgets
        return errors.refuse(reply.status, failure.code, failure.msg, budgets, wait)

    def _read(self, body: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=kind, strict=False)
        except msgspec.DecodeError as error:
            raise VenueUnavailable(f"{self.venue}: an answer cannot be read ({error})") from None

    async def server_time(self) -> tuple[int, int, int]:
        """The clock by REST."""
        before = time.time_ns()
        told = await self.get(self.path("time"), {}, 1, dict[str, int])
        return before, told["serverTime"] * 1_000_000, time.time_ns()

    def path(self, name: str) -> str:
        """The REST path of a call."""
        return f"/api/v3/{name}"
