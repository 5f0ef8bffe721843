"""Calls to Kraken: public and private REST, and requests over the private socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from tradeloom.connectors.contract import VenueUnavailable
from tradeloom.connectors.dialect import Context, Dialect
from tradeloom.connectors.limits import BUDGET_WAIT_MAX_S, LOGIN_TIMEOUT_S, ORDER_TIMEOUT_S
from tradeloom.connectors.link import Link
from tradeloom.connectors.profile import Need, Window
from tradeloom.connectors.rest import NoAnswer, NotSent, Reply
from tradeloom.connectors.venues.kraken import errors, frames
from tradeloom.connectors.venues.kraken.profile import TIERS
from tradeloom.connectors.venues.kraken.signing import Nonce, form, signature

T = TypeVar("T")

_answer = msgspec.json.Decoder(frames.Answer).decode
_envelope = msgspec.json.Decoder(frames.Envelope).decode
_encode = msgspec.json.Encoder().encode


class KrakenCalls(Dialect):
    """Plumbing: nonces in order, counters, tokens."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._nonce = Nonce(context.clock)
        # Nonces must arrive in order, so private calls go out one after the other.
        self._one_by_one = asyncio.Lock()
        self._token = ""
        self._asked = 0
        self._socket: Link | None = None
        tier = context.options.get("tier", "starter")
        if tier not in TIERS:
            raise ValueError(f"kraken has no tier {tier!r} (there are: {', '.join(TIERS)})")
        rest, self._orders_window = TIERS[tier]
        context.rest.budgets.replace([rest])

    def bind(self, links: Mapping[str, Link]) -> None:
        """Orders go over the private socket."""
        self._socket = links.get(f"{self.venue} orders")

    # -- REST ------------------------------------------------------------------------------------

    async def get(self, name: str, params: Mapping[str, str], kind: type[T]) -> T:
        """A public call."""
        url = f"{self.context.urls['rest']}/0/public/{name}"
        if params:
            url += f"?{urlencode(params)}"
        return self._read(await self.context.rest.call("GET", url, costs={"public": 1.0}), kind)

    async def post(
        self,
        name: str,
        params: dict[str, str],
        kind: type[T],
        cost: float = 1.0,
        wait_s: float = BUDGET_WAIT_MAX_S,
    ) -> T:
        """A private call; `wait_s` is how long it may wait for the counter to fall."""
        keys = self.context.credentials
        if keys is None:
            raise NotSent(f"no key for {self.venue}")
        await self.context.rest.budgets.take({"rest": cost}, wait_s)
        path = f"/0/private/{name}"
        async with self._one_by_one:
            nonce = self._nonce.next()
            body = form(nonce, params)
            headers = {
                "API-Key": keys[Need.KEY],
                "API-Sign": signature(keys[Need.SECRET], path, nonce, body),
                "Content-Type": "application/x-www-form-urlencoded",
            }
            url = f"{self.context.urls['rest']}{path}"
            reply = await self.context.rest.call("POST", url, headers=headers, body=body.encode())
        return self._read(reply, kind)

    def _read(self, reply: Reply, kind: type[T]) -> T:
        budgets = self.context.rest.budgets
        if reply.status == 429:
            errors.refuse_status(reply.status, reply.headers.get("Retry-After", ""), budgets)
        try:
            answer = _answer(reply.body)
        except msgspec.DecodeError:
            if reply.status != 200:
                errors.refuse_status(reply.status, reply.headers.get("Retry-After", ""), budgets)
            raise NoAnswer(f"{self.venue}: an answer that is not Kraken's") from None
        for text in answer.error:
            if not text.startswith("W"):  # warnings
                errors.refuse(text, budgets)
        if reply.status != 200:
            errors.refuse_status(reply.status, reply.headers.get("Retry-After", ""), budgets)
        return self._decoded(answer.result, kind)

    def _decoded(self, raw: msgspec.Raw, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(raw, type=kind, strict=False)
        except msgspec.DecodeError as error:
            raise VenueUnavailable(f"{self.venue}: an answer cannot be read ({error})") from None

    # -- the private socket ----------------------------------------------------------------------

    async def new_token(self) -> str:
        """A token for the private socket: good for 15 minutes, or as long as the connection."""
        self._token = (await self.post("GetWebSocketsToken", {}, frames.Token)).token
        return self._token

    async def ask(self, method: str, params: Mapping[str, Any], kind: Any, symbol: str = "") -> Any:
        """An order request; raises NotSent while the socket is away. A token that is over has
        changed nothing: get another and ask once more."""
        link = self._socket
        if link is None or not link.up.is_set():
            raise NotSent(f"{self.venue}: the order socket is not connected")
        try:
            return await self.ask_on(link, method, params, kind, symbol, ORDER_TIMEOUT_S)
        except errors.SessionOver:
            await self.new_token()
            return await self.ask_on(link, method, params, kind, symbol, ORDER_TIMEOUT_S)

    async def ask_on(
        self,
        link: Link,
        method: str,
        params: Mapping[str, Any],
        kind: type[T],
        symbol: str = "",
        timeout_s: float = LOGIN_TIMEOUT_S,
    ) -> T:
        """The same on a given link, which may be logging in."""
        self._asked += 1
        frame = {
            "method": method,
            "params": {**params, "token": self._token},
            "req_id": self._asked,
        }
        answer = _envelope(await link.request(str(self._asked), _encode(frame).decode(), timeout_s))
        if not answer.success:
            window = self.orders_window(symbol) if symbol else ""
            errors.refuse(answer.error or "EGeneral:Unknown", self.context.rest.budgets, window)
        return self._decoded(answer.result, kind)

    # -- counters --------------------------------------------------------------------------------

    def orders_window(self, symbol: str) -> str:
        """The name of the pair's own order counter, made when first wanted."""
        each = self._orders_window
        name = f"{each.name} {symbol}"
        self.context.rest.budgets.replace([Window(name, each.limit, each.per_s)])
        return name

    def charge(self, symbol: str, cost: float) -> None:
        """Count what is never held back: a cancel must go out, however full the counter is."""
        name = self.orders_window(symbol)
        budgets = self.context.rest.budgets
        used = next(each.used for each in budgets.limits() if each.name == name)
        budgets.used(name, used + cost)
