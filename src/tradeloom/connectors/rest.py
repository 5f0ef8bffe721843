"""Calls to a venue's REST address: bounded, timed, and honest about what may have happened.

Two failures are told apart. `NotSent`: the request never left, so nothing can have happened.
`NoAnswer`: it may have left, so an order call is unresolved.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from tradeloom.connectors.budgets import Budgets
from tradeloom.connectors.contract import VenueUnavailable
from tradeloom.connectors.limits import CONNECT_TIMEOUT_S, QUERY_TIMEOUT_S, REPLY_BYTES_MAX


class NotSent(VenueUnavailable):
    """The request never left this machine."""


class NoAnswer(VenueUnavailable):
    """The request may have left, and no answer came."""


class Reply(NamedTuple):
    """An answer: any status, the whole body, and our clock around it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent_ns: int
    received_ns: int

    def json(self) -> Any:
        """The body decoded; raises NoAnswer for what is not JSON (a proxy's error page)."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            raise NoAnswer(f"HTTP {self.status}, and the body is not JSON") from None


class Rest:
    """One pool of connections to a venue. `url`s may hold a signature: they are never logged."""

    def __init__(self, budgets: Budgets, session: aiohttp.ClientSession | None = None) -> None:
        self.budgets: Final = budgets
        self.calls = 0
        self.failures = 0
        self._session = session

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        costs: Mapping[str, float] | None = None,
        timeout_s: float = QUERY_TIMEOUT_S,
    ) -> Reply:
        """One request, sent once. `url` goes out byte for byte, as it was signed.

        Raises BudgetSpent (nothing sent), NotSent, NoAnswer.
        """
        if costs:
            await self.budgets.take(costs)
        place = urlsplit(url)
        name = f"{method} {place.hostname}{place.path}"
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        self.calls += 1
        sent = time.time_ns()
        try:
            async with self._open().request(
                method,
                URL(url, encoded=True),  # signatures cover the exact text
                headers=dict(headers or {}),
                data=body,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                content = await response.content.read(REPLY_BYTES_MAX + 1)
                while not response.content.at_eof() and len(content) <= REPLY_BYTES_MAX:
                    content += await response.content.read(REPLY_BYTES_MAX + 1 - len(content))
                if len(content) > REPLY_BYTES_MAX:
                    raise NoAnswer(f"{name}: the answer is longer than {REPLY_BYTES_MAX} bytes")
                return Reply(response.status, response.headers, content, sent, time.time_ns())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            self.failures += 1
            raise NotSent(f"{name}: cannot connect ({type(error).__name__})") from None
        except TimeoutError:
            self.failures += 1
            raise NoAnswer(f"{name}: no answer within {timeout_s:g} s") from None
        except aiohttp.InvalidURL:
            raise NotSent(f"{name}: the address is not valid") from None
        except (aiohttp.ClientError, OSError) as error:
            self.failures += 1
            raise NoAnswer(f"{name}: connection lost ({type(error).__name__})") from None

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The pool itself, for sockets."""
        return self._open()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=64, ttl_dns_cache=60, keepalive_timeout=60)
            self._session = aiohttp.ClientSession(
                connector=connector, auto_decompress=True, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session
