"""Calls to Bybit: signed REST, and orders over the trade socket while it stands."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from tradeloom.connectors.contract import VenueUnavailable
from tradeloom.connectors.dialect import Context, Dialect
from tradeloom.connectors.limits import LOGIN_TIMEOUT_S, ORDER_TIMEOUT_S
from tradeloom.connectors.link import Link, LoginRefused
from tradeloom.connectors.profile import Need
from tradeloom.connectors.rest import NoAnswer, NotSent, Reply
from tradeloom.connectors.venues.bybit import errors, frames
from tradeloom.connectors.venues.bybit.signing import Signer

T = TypeVar("T")

_answer = msgspec.json.Decoder(frames.Answer, strict=False).decode
_command = msgspec.json.Decoder(frames.Command, strict=False).decode
_envelope = msgspec.json.Decoder(frames.Envelope).decode
_PATHS: Final = {"order.create": "create", "order.amend": "amend", "order.cancel": "cancel"}


class BybitCalls(Dialect):
    """Plumbing of the account half."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        keys = context.credentials
        window = int(str(self.profile.quirks["recv_window_ms"]))
        self._signer = Signer(keys[Need.KEY], keys[Need.SECRET], window) if keys else None
        self._asked = 0
        self._trade: Link | None = None
        self.category: Final = str(self.profile.quirks["category"])

    def bind(self, links: Mapping[str, Link]) -> None:
        """Orders go over the trade socket."""
        self._trade = links.get(f"{self.venue} trade")

    # -- REST ------------------------------------------------------------------------------------

    async def get(self, path: str, params: Mapping[str, str], kind: type[T]) -> T:
        """A public query."""
        url = self._url(path, urlencode(params))
        reply = await self.context.rest.call("GET", url, costs={"ip": 1})
        return self._decoded(reply, kind, "*")

    async def ask(self, path: str, params: Mapping[str, str], kind: type[T]) -> T:
        """A query of the account."""
        return await self._twice("GET", path, urlencode(params), kind, "queries")

    async def order_call(
        self, path: str, body: Mapping[str, object], kind: type[T], window: str
    ) -> T:
        """A POST that changes something."""
        return await self._twice("POST", path, json.dumps(body), kind, window)

    async def pages(
        self, path: str, params: Mapping[str, str], kind: type[T], *, signed: bool = True
    ) -> list[T]:
        """All rows of a list that comes in pages."""
        rows: list[T] = []
        cursor: dict[str, str] = {}
        page: Any = frames.Page[kind]  # type: ignore[valid-type]
        while True:
            call = self.ask if signed else self.get
            answer = await call(path, {**params, **cursor}, page)
            rows += answer.rows
            if not answer.next_page_cursor or not answer.rows:
                return rows
            cursor = {"cursor": answer.next_page_cursor}

    async def _twice(self, method: str, path: str, payload: str, kind: type[T], window: str) -> T:
        """A refused timestamp has changed nothing: look at the clock, and ask once more."""
        try:
            return await self._signed(method, path, payload, kind, window)
        except LoginRefused as error:
            if "timestamps" not in str(error):
                raise
        self.context.clock.sample(*await self.server_time())
        return await self._signed(method, path, payload, kind, window)

    async def _signed(self, method: str, path: str, payload: str, kind: type[T], window: str) -> T:
        query = payload if method == "GET" else ""
        headers = self._signing().headers(self.context.clock.now_ms(), payload)
        body = None
        if method == "POST":
            headers["Content-Type"] = "application/json"
            body = payload.encode()
        reply = await self.context.rest.call(
            method,
            self._url(path, query),
            headers=headers,
            body=body,
            costs={"ip": 1, window: 1},
            timeout_s=ORDER_TIMEOUT_S,
        )
        return self._decoded(reply, kind, window)

    def _url(self, path: str, query: str) -> str:
        return f"{self.context.urls['rest']}{path}" + (f"?{query}" if query else "")

    def _decoded(self, reply: Reply, kind: type[T], window: str) -> T:
        budgets = self.context.rest.budgets
        limit = reply.headers.get("X-Bapi-Limit", "")
        left = reply.headers.get("X-Bapi-Limit-Status", "")
        if limit.isdigit() and left.isdigit():
            budgets.used(window, float(limit) - float(left))
        try:
            answer = _answer(reply.body)
        except msgspec.DecodeError:
            answer = frames.Answer(0)
            if reply.status == 200:
                raise NoAnswer(f"{self.venue}: an answer is not JSON") from None
        if answer.ret_code == 0 and reply.status == 200:
            return self._read(answer.result, kind)
        wait = _wait_s(reply.headers, self.context.clock.now_ms())
        return errors.refuse(reply.status, answer.ret_code, answer.ret_msg, budgets, window, wait)

    def _read(self, body: msgspec.Raw, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=kind, strict=False)
        except msgspec.DecodeError as error:
            raise VenueUnavailable(f"{self.venue}: an answer cannot be read ({error})") from None

    # -- sockets ---------------------------------------------------------------------------------

    async def login(self, link: Link) -> None:
        """Sign in on a private socket. A refused time may be the drift of our clock: look again."""
        for last in (False, True):
            ahead = int(str(self.profile.quirks["login_ahead_ms"]))
            args = self._signing().login(self.context.clock.now_ms() + ahead)
            frame = json.dumps({"req_id": "auth", "op": "auth", "args": args})
            answer = _envelope(await link.request("auth", frame, LOGIN_TIMEOUT_S))
            if answer.success or answer.ret_code == 0:
                return
            refused = errors.login_refused(answer.ret_code, answer.ret_msg or answer.message)
            if last or "timestamps" not in str(refused):
                raise refused
            self.context.clock.sample(*await self.server_time())

    async def subscribe_private(self, link: Link, topics: Sequence[str]) -> None:
        """Subscribe and wait until it is so."""
        self._asked += 1
        key = f"s{self._asked}"
        frame = json.dumps({"req_id": key, "op": "subscribe", "args": list(topics)})
        answer = _envelope(await link.request(key, frame, LOGIN_TIMEOUT_S))
        if not answer.success:
            raise NoAnswer(f"{self.venue}: private topics were refused ({answer.ret_msg[:120]})")

    async def command(self, op: str, body: Mapping[str, object], window: str) -> frames.Ids:
        """An order call: over the trade socket, or by REST while that is away."""
        link = self._trade
        if link is None or not link.up.is_set() or self.context.options.get("orders") == "rest":
            path = f"/v5/order/{_PATHS[op]}"
            return await self.order_call(path, body, frames.Ids, window)
        try:
            return await self._command(link, op, body, window)
        except LoginRefused as error:
            if "timestamps" not in str(error):
                raise
        self.context.clock.sample(*await self.server_time())
        return await self._command(link, op, body, window)

    async def _command(
        self, link: Link, op: str, body: Mapping[str, object], window: str
    ) -> frames.Ids:
        budgets = self.context.rest.budgets
        await budgets.take({window: 1})
        self._asked += 1
        key = f"{time.time_ns() // 1_000_000}-{self._asked}"  # new in every life of this process
        header = {
            "X-BAPI-TIMESTAMP": str(self.context.clock.now_ms()),
            "X-BAPI-RECV-WINDOW": str(self.profile.quirks["recv_window_ms"]),
        }
        frame = json.dumps({"reqId": key, "header": header, "op": op, "args": [body]})
        answer = _command(await link.request(key, frame, ORDER_TIMEOUT_S))
        if answer.ret_code != 0:
            return errors.refuse(200, answer.ret_code, answer.ret_msg, budgets, window, 0.0)
        return self._read(answer.data, frames.Ids)

    def _signing(self) -> Signer:
        if self._signer is None:
            raise NotSent(f"no key for {self.venue}")
        return self._signer

    async def server_time(self) -> tuple[int, int, int]:
        """The clock by REST."""
        before = time.time_ns()
        told = await self.get("/v5/market/time", {}, frames.ServerTime)
        return before, int(told.time_nano), time.time_ns()

    async def maintenance(self) -> str:
        """The title of a maintenance that is going on."""
        page = await self.get("/v5/system/status", {}, frames.Page[frames.Notice])
        return next((row.title for row in page.rows if row.state == "ongoing"), "")


def _wait_s(headers: Mapping[str, str], now_ms: int) -> float:
    """How long the venue asks us to wait, `now_ms` by its clock; 0 when it does not say."""
    after = headers.get("Retry-After", "")
    if after.replace(".", "", 1).isdigit():
        return float(after)
    reset = headers.get("X-Bapi-Limit-Reset-Timestamp", "")
    return max(int(reset) - now_ms, 0) / 1_000 if reset.isdigit() else 0.0
