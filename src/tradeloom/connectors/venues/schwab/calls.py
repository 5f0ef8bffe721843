"""REST calls to Schwab with a token that renews itself."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from tradeloom.connectors.contract import VenueUnavailable
from tradeloom.connectors.dialect import Context, Dialect, NoSuchOrder, Refusal
from tradeloom.connectors.limits import ORDER_TIMEOUT_S, QUERY_TIMEOUT_S
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.profile import Need
from tradeloom.connectors.rest import NoAnswer, Reply
from tradeloom.connectors.venues.schwab import frames as f
from tradeloom.connectors.venues.schwab.oauth import Tokens, renew
from tradeloom.connectors.venues.schwab.profile import REDIRECT, REFUSED_S, TOO_MANY_WAIT_S
from tradeloom.domain.enums import ReturnCode

T = TypeVar("T")

QUERY: Final = {"requests": 1.0}
ORDER: Final = {"requests": 1.0, "orders": 1.0}
_WORDS: Final = (
    ("buying power", ReturnCode.TRADE_NO_MONEY, "volume"),
    ("insufficient", ReturnCode.TRADE_NO_MONEY, "volume"),
    ("funds", ReturnCode.TRADE_NO_MONEY, "volume"),
    ("price", ReturnCode.TRADE_BAD_PRICES, "price"),
    ("quantity", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("symbol", ReturnCode.SYMBOL_NOT_FOUND, "symbol"),
    ("session", ReturnCode.TRADE_MARKET_CLOSED, ""),
    ("closed", ReturnCode.TRADE_MARKET_CLOSED, ""),
)


class SchwabCalls(Dialect):
    """Tokens, and what an answer means."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._tokens: Tokens | None = None
        self._refused: LoginRefused | None = None
        self._ask_again_at = 0.0
        self._renewing = asyncio.Lock()

    async def token(self, *, fresh: bool = False) -> str:
        """An access token that holds. Raises LoginRefused, VenueUnavailable."""
        async with self._renewing:
            tokens = self._tokens
            age = time.monotonic() - tokens.refreshed_at if tokens else 0.0
            if tokens is not None and age < (1.0 if fresh else tokens.access_s):
                return tokens.access
            keys = self.context.credentials
            if keys is None:
                raise LoginRefused(
                    "Schwab gives not even prices without a log-in: put app key, app secret and "
                    "refresh token into the vault"
                )
            if self._refused is not None and time.monotonic() < self._ask_again_at:
                raise self._refused  # a person must act: all who ask now get this answer
            # A renewal may come with a new refresh token, and then the old one is over.
            refresh = tokens.refresh if tokens else keys[Need.REFRESH_TOKEN]
            try:
                self._tokens = await renew(
                    self.context.rest,
                    self.context.urls["rest"],
                    keys[Need.KEY],
                    keys[Need.SECRET],
                    refresh,
                    self.context.options.get("redirect", REDIRECT),
                )
            except LoginRefused as error:
                self._refused = error
                self._ask_again_at = time.monotonic() + REFUSED_S
                raise
            return self._tokens.access

    def renewal_s(self) -> float:
        """Seconds until the token wants to be renewed."""
        if self._tokens is None:
            return 0.0
        return max(self._tokens.refreshed_at + self._tokens.access_s - time.monotonic(), 0.0)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        costs: Mapping[str, float] = QUERY,
    ) -> Reply:
        """One call; a token that ended before its time is renewed, and the call made again."""
        for attempt in (1, 2):
            headers = {"Authorization": f"Bearer {await self.token(fresh=attempt == 2)}"}
            data = None
            if body is not None:
                headers["Content-Type"] = "application/json"
                data = msgspec.json.encode(body)
            reply = await self.context.rest.call(
                method,
                f"{self.context.urls['rest']}{path}",
                headers=headers,
                body=data,
                costs=costs,
                timeout_s=QUERY_TIMEOUT_S if method == "GET" else ORDER_TIMEOUT_S,
            )
            if reply.status != 401:
                break
        if 200 <= reply.status < 300:
            return reply
        raise self._failed(reply)

    async def get(self, path: str, kind: type[T]) -> T:
        """A query."""
        return self.read((await self.call("GET", path)).body, kind)

    def read(self, body: bytes, kind: type[T]) -> T:
        """An answer; what cannot be read is no answer."""
        try:
            return msgspec.json.decode(body, type=kind, strict=False)
        except msgspec.DecodeError as error:
            raise NoAnswer(f"Schwab: an answer cannot be read ({error})") from None

    def _failed(self, reply: Reply) -> Exception:
        words = _words(reply.body) or f"HTTP {reply.status}"
        code = str(reply.status)
        if reply.status == 401:
            return LoginRefused(f"Schwab refused a token it had just given ({words}); log in again")
        if reply.status == 403:
            text = f"{words}: the app or account may not do this; check both products of the app"
            return Refusal(code, text, ReturnCode.TRADE_DISABLE)
        if reply.status == 404:
            return NoSuchOrder(code, words)
        if reply.status == 429:
            after = reply.headers.get("Retry-After", "")
            wait = float(after) if after.replace(".", "", 1).isdigit() else TOO_MANY_WAIT_S
            self.context.rest.budgets.block("*", wait)
            text = f"{words}: the venue's rate limit; open again in {wait:g} s"
            return Refusal(code, text, ReturnCode.TOO_FREQUENT)
        if reply.status >= 500 or reply.status == 408:
            return NoAnswer(f"Schwab: HTTP {reply.status}")
        low = words.lower()
        for word, ours, field in _WORDS:
            if word in low:
                return Refusal(code, words, ours, field)
        return Refusal(code, words)

    async def server_time(self) -> tuple[int, int, int]:
        """The clock in the Date header of any answer: whole seconds, so the middle of one."""
        before = time.time_ns()
        url = f"{self.context.urls['rest']}/marketdata/v1/markets?markets=equity"
        reply = await self.context.rest.call("GET", url, costs=QUERY)
        try:
            told = email.utils.parsedate_to_datetime(reply.headers.get("Date", ""))
        except ValueError:
            raise VenueUnavailable("Schwab's answer does not tell its time") from None
        return before, int(told.timestamp()) * 10**9 + 500_000_000, time.time_ns()


def _words(body: bytes) -> str:
    try:
        failure = msgspec.json.decode(body, type=f.Failure)
    except msgspec.DecodeError:
        return ""
    told = [failure.message] if failure.message else []
    for raw in failure.errors[:3]:
        row = msgspec.json.decode(raw)
        if isinstance(row, str):
            told.append(row)
        elif isinstance(row, dict):
            told.append(str(row.get("detail") or row.get("title") or ""))
    return "; ".join(each for each in told if each)[:300]
