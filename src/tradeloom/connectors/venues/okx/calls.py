"""Calls to OKX: signed REST, and orders over the private socket while it stands."""

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
from tradeloom.connectors.venues.okx import errors, frames
from tradeloom.connectors.venues.okx.signing import Signer

T = TypeVar("T")

_answer = msgspec.json.Decoder(frames.Answer).decode
_envelope = msgspec.json.Decoder(frames.Envelope).decode
_done = msgspec.json.Decoder(list[frames.Done]).decode
_PATHS: Final = {"order": "order", "amend-order": "amend-order", "cancel-order": "cancel-order"}
_WINDOWS: Final = {"order": "place", "amend-order": "amend", "cancel-order": "cancel"}


class OkxCalls(Dialect):
    """Plumbing of the account half."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        keys = context.credentials
        self._signer = (
            Signer(keys[Need.KEY], keys[Need.SECRET], keys[Need.PASSPHRASE]) if keys else None
        )
        self._asked = 0
        self._private: Link | None = None
        self._opening = ""  # what the private socket is being asked; errors name no request
        self._demo = {"x-simulated-trading": "1"} if context.options.get("demo") == "yes" else {}

    def bind(self, links: Mapping[str, Link]) -> None:
        """Orders go over the private socket."""
        self._private = links.get(f"{self.venue} private")

    # -- REST ------------------------------------------------------------------------------------

    async def get(self, path: str, params: Mapping[str, str], row: type[T]) -> list[T]:
        """A public query."""
        url = self._url(path, params)
        reply = await self.context.rest.call("GET", url, headers=self._demo, costs={"public": 1})
        return self._decoded(reply, row, "public")

    async def ask(
        self, path: str, params: Mapping[str, str], row: type[T], window: str = "queries"
    ) -> list[T]:
        """A query of the account."""
        return await self._twice("GET", path, params, "", row, window)

    async def post(self, path: str, body: object, row: type[T], window: str) -> list[T]:
        """A call that changes something."""
        return await self._twice("POST", path, {}, json.dumps(body), row, window)

    async def pages(
        self,
        path: str,
        params: Mapping[str, str],
        row: type[T],
        cursor: str,
        window: str = "queries",
    ) -> list[T]:
        """All rows, 100 in a page; the next one comes after `cursor` of the last row."""
        rows: list[T] = []
        after: dict[str, str] = {}
        while True:
            page = await self.ask(path, {**params, "limit": "100", **after}, row, window)
            rows += page
            if len(page) < 100:
                return rows
            after = {"after": getattr(page[-1], cursor)}

    async def _twice(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        body: str,
        row: type[T],
        window: str,
    ) -> list[T]:
        """A refused timestamp has changed nothing: look at the clock, and ask once more."""
        try:
            return await self._signed(method, path, params, body, row, window)
        except LoginRefused as error:
            if "timestamps" not in str(error):
                raise
        self.context.clock.sample(*await self.server_time())
        return await self._signed(method, path, params, body, row, window)

    async def _signed(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        body: str,
        row: type[T],
        window: str,
    ) -> list[T]:
        query = f"?{urlencode(params)}" if params else ""
        now = self.context.clock.now_ns()
        headers = self._signing().headers(now, method, f"/api/v5{path}{query}", body) | self._demo
        if body:
            headers["Content-Type"] = "application/json"
            headers["expTime"] = self._expiry()
        reply = await self.context.rest.call(
            method,
            self._url(path, params),
            headers=headers,
            body=body.encode() if body else None,
            costs={window: 1},
            timeout_s=ORDER_TIMEOUT_S,
        )
        return self._decoded(reply, row, window)

    def _expiry(self) -> str:
        """After this OKX drops the request: what we no longer wait for shall not happen."""
        return str(self.context.clock.now_ms() + round(ORDER_TIMEOUT_S * 1_000))

    def _url(self, path: str, params: Mapping[str, str]) -> str:
        query = f"?{urlencode(params)}" if params else ""
        return f"{self.context.urls['rest']}/api/v5{path}{query}"

    def _decoded(self, reply: Reply, row: type[T], window: str) -> list[T]:
        budgets = self.context.rest.budgets
        try:
            answer = _answer(reply.body)
        except msgspec.DecodeError:
            answer = frames.Answer("")
            if reply.status == 200:
                raise NoAnswer(f"{self.venue}: an answer is not JSON") from None
        if answer.code in ("0", "2") and reply.status == 200:
            return self._read(answer.data, row)
        after = reply.headers.get("Retry-After", "")
        wait = float(after) if after.replace(".", "", 1).isdigit() else 0.0
        code, text = _first_fault(answer)
        return errors.refuse(reply.status, code, text, budgets, window, wait)

    def _read(self, body: msgspec.Raw, row: type[T]) -> list[T]:
        rows: Any = list[row]  # type: ignore[valid-type]
        try:
            found: list[T] = msgspec.json.decode(body, type=rows, strict=False)
        except msgspec.DecodeError as error:
            raise VenueUnavailable(f"{self.venue}: an answer cannot be read ({error})") from None
        return found

    # -- the private socket ----------------------------------------------------------------------

    async def login(self, link: Link) -> None:
        """Sign in. A refused time may be the drift of our clock: look again."""
        for last in (False, True):
            args = [self._signing().login(self.context.clock.now_ns())]
            answer = await self._opened(link, "login", {"op": "login", "args": args})
            if answer.event == "login" and answer.code in ("0", ""):
                return
            try:
                errors.refuse(200, answer.code, answer.msg, self.context.rest.budgets, "place", 0.0)
            except LoginRefused as refused:
                if last or "timestamps" not in str(refused):
                    raise
            self.context.clock.sample(*await self.server_time())

    async def subscribe_private(self, link: Link, channels: Sequence[Mapping[str, str]]) -> None:
        """Subscribe channel by channel, each answered before the next."""
        for arg in channels:
            frame = {"op": "subscribe", "args": [arg]}
            answer = await self._opened(link, arg["channel"], frame)
            if answer.event != "subscribe":
                text = f"{answer.code} {answer.msg[:120]}"
                raise NoAnswer(f"{self.venue}: {arg['channel']} was refused ({text})")

    async def _opened(self, link: Link, key: str, frame: Mapping[str, object]) -> frames.Envelope:
        self._opening = key
        try:
            return _envelope(await link.request(key, json.dumps(frame), LOGIN_TIMEOUT_S))
        finally:
            self._opening = ""

    async def command(self, op: str, order: Mapping[str, str], code: int, wire: str) -> frames.Done:
        """An order call: over the private socket, or by REST while that is away.

        `code` is the instrument's number, which sockets want, `wire` its name, which REST wants.
        """
        link, window = self._private, _WINDOWS[op]
        by_rest = self.context.options.get("orders") == "rest"
        if by_rest or not code or link is None or not link.up.is_set():
            body = {"instId": wire, **order}
            return self._one(await self.post(f"/trade/{_PATHS[op]}", body, frames.Done, window))
        await self.context.rest.budgets.take({window: 1})
        self._asked += 1
        key = f"r{self._asked}"
        args = [{"instIdCode": code, **order}]
        frame = {"id": key, "op": op, "expTime": self._expiry(), "args": args}
        answer = _answer(await link.request(key, json.dumps(frame), ORDER_TIMEOUT_S))
        if answer.code != "0":
            why, text = _first_fault(answer)
            return errors.refuse(200, why, text, self.context.rest.budgets, window, 0.0)
        return self._one(self._read(answer.data, frames.Done))

    def _one(self, rows: Sequence[frames.Done]) -> frames.Done:
        if not rows:
            raise NoAnswer(f"{self.venue}: an answer without a result")
        row = rows[0]
        if row.s_code != "0":
            budgets = self.context.rest.budgets
            return errors.refuse(200, row.s_code, row.s_msg, budgets, "place", 0.0)
        return row

    def _signing(self) -> Signer:
        if self._signer is None:
            raise NotSent(f"no key for {self.venue}")
        return self._signer

    async def server_time(self) -> tuple[int, int, int]:
        """The clock by REST."""
        before = time.time_ns()
        told = await self.get("/public/time", {}, frames.Time)
        if not told:
            raise VenueUnavailable(f"{self.venue}: no time in the answer")
        return before, told[0].ts * 1_000_000, time.time_ns()

    async def maintenance(self) -> str:
        """The title of a maintenance that is going on."""
        rows = await self.get("/system/status", {"state": "ongoing"}, frames.Notice)
        return next((row.title for row in rows if row.state == "ongoing"), "")


def _first_fault(answer: frames.Answer) -> tuple[str, str]:
    """The code that matters: with 1 and 2 it stands in the first row that failed."""
    if answer.code in ("1", "2"):
        try:
            for row in _done(answer.data):
                if row.s_code not in ("0", ""):
                    return row.s_code, row.s_msg
        except msgspec.DecodeError:
            pass
    return answer.code, answer.msg
