"""Calls to Coinbase's REST, with a token for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from tradeloom.connectors.contract import VenueUnavailable
from tradeloom.connectors.dialect import Context, Dialect
from tradeloom.connectors.limits import ORDER_TIMEOUT_S, QUERY_TIMEOUT_S
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.profile import Need
from tradeloom.connectors.rest import NotSent, Reply
from tradeloom.connectors.venues.coinbase import errors, frames
from tradeloom.connectors.venues.coinbase.signing import Signer

T = TypeVar("T")

# A clock that jumped by more than this may be why a token was refused.
_CLOCK_JUMP_MS: Final = 5_000.0
_PUBLIC: Final = {"public": 1.0}
_PRIVATE: Final = {"private": 1.0, "an hour": 1.0}

_failure = msgspec.json.Decoder(frames.Failure).decode


class CoinbaseCalls(Dialect):
    """Plumbing."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        keys = context.credentials
        self._signer = Signer(keys[Need.KEY], keys[Need.SECRET]) if keys else None

    async def get(self, path: str, params: Mapping[str, str], kind: type[T]) -> T:
        """A public query; answers of up to a second ago are not wanted."""
        url = self._url(path, params)
        headers = {"Cache-Control": "no-cache"}
        reply = await self.context.rest.call("GET", url, headers=headers, costs=_PUBLIC)
        return self._decoded(reply, kind, "public")

    async def signed(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        kind: type[T],
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """A private call. A refused token has changed nothing: if the venue's clock jumped, take
        its time anew and call once more."""
        try:
            return await self._signed(method, path, params, kind, body)
        except LoginRefused:
            if not await self._clock_jumped():
                raise
            return await self._signed(method, path, params, kind, body)

    async def _clock_jumped(self) -> bool:
        clock = self.context.clock
        before = clock.offset_ms or 0.0
        clock.sample(*await self.server_time())
        return abs((clock.offset_ms or 0.0) - before) > _CLOCK_JUMP_MS

    async def _signed(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        kind: type[T],
        body: Mapping[str, Any] | None,
    ) -> T:
        quirks = self.profile.quirks
        uri = f"{method} {quirks['token_host']}{quirks['token_path']}{path}"
        headers = {"Authorization": f"Bearer {self.token(uri)}"}
        sent = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            sent = msgspec.json.encode(body)
        reply = await self.context.rest.call(
            method,
            self._url(path, params),
            headers=headers,
            body=sent,
            costs=_PRIVATE,
            timeout_s=ORDER_TIMEOUT_S if method == "POST" else QUERY_TIMEOUT_S,
        )
        return self._decoded(reply, kind, "private")

    def token(self, uri: str = "") -> str:
        """A token for one call, or for one subscription."""
        if self._signer is None:
            raise NotSent(f"no key for {self.venue}")
        now_s = self.context.clock.now_ns() // 10**9
        return self._signer.token(now_s, int(str(self.profile.quirks["token_s"])), uri)

    def _url(self, path: str, params: Mapping[str, str]) -> str:
        query = f"?{urlencode(params)}" if params else ""
        return f"{self.context.urls['rest']}{path}{query}"

    def _decoded(self, reply: Reply, kind: type[T], window: str) -> T:
        if reply.status != 200:
            try:
                failure = _failure(reply.body)
            except msgspec.DecodeError:
                failure = frames.Failure()
            after = reply.headers.get("Retry-After", "")
            errors.refuse_status(reply.status, failure, after, self.context.rest.budgets, window)
        try:
            return msgspec.json.decode(reply.body, type=kind, strict=False)
        except msgspec.DecodeError as error:
            raise VenueUnavailable(f"{self.venue}: an answer cannot be read ({error})") from None

    async def server_time(self) -> tuple[int, int, int]:
        """The clock by REST."""
        url = self._url("/time", {})
        reply = await self.context.rest.call("GET", url, costs=_PUBLIC)
        told = self._decoded(reply, frames.ServerTime, "public")
        return reply.sent_ns, told.epoch_millis * 1_000_000, reply.received_ns
