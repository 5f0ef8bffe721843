"""The outermost layer of the REST gateway, as one plain ASGI function.

Gives every request an id, bounds its size and its rate, sets the security headers of every answer,
counts and logs it. Nothing here knows what a route does.
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import structlog
from starlette.websockets import WebSocket

from tradeloom.domain.enums import ReturnCode
from tradeloom.gateways.limits import BODY_BYTES_MAX
from tradeloom.gateways.meters import Meters
from tradeloom.gateways.problems import CONTENT_TYPE, MEANINGS, ApiCode, Problem
from tradeloom.gateways.rates import Rates

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
ServeSocket = Callable[[WebSocket], Awaitable[None]]

log = structlog.stdlib.get_logger("tradeloom.rest")

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9_.:-]{1,64}")
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_API_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
# The reference page styles its elements by attribute, and shows pictures from data addresses.
_PAGE_POLICY: Final = (
    b"content-security-policy",
    (
        b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        b"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
)
_NO_STORE: Final = (b"cache-control", b"no-store")
_UNLIMITED: Final = frozenset(("/api/v1/system/live", "/api/v1/system/ready"))


class Edge:
    """Wraps the application; `rates` is None where a proxy in front limits rates."""

    def __init__(
        self,
        app: App,
        socket: ServeSocket,
        rates: Rates | None,
        meters: Meters,
        tracer: Any = None,
    ) -> None:
        self._tracer = tracer
        self._app = app
        self._socket = socket
        self._rates = rates
        self._meters = meters
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of any kind."""
        if scope["type"] == "websocket" and scope["path"] == "/ws":
            # Past the framework's layers: each costs a microsecond per frame and reader.
            await self._socket(WebSocket(scope, receive, send))
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status, length = 500, -1
        request_id = b""
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and len(value) < 20:
                length = int(value)
            elif name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                request_id = value
        if not request_id:
            request_id = f"{self._prefix}-{next(self._numbers):x}".encode()
        scope["request_id"] = request_id.decode()
        policy = _API_POLICY if scope["path"].startswith("/api/") else _PAGE_POLICY

        bounded = _Bounded(receive)

        async def answer(message: Message) -> None:
            nonlocal status
            if bounded.tripped:  # whatever the route made of half a body
                return
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", ()))
                names = {name for name, _ in headers}
                headers += _HEADERS
                if policy[0] not in names:
                    headers.append(policy)
                if b"cache-control" not in names:
                    headers.append(_NO_STORE)
                headers.append((b"x-request-id", request_id))
                message["headers"] = headers
            await send(message)

        problem = self._refused(scope, length)
        try:
            if problem is not None:
                await _send_problem(problem, scope, answer)
            elif self._tracer is None:
                await self._app(scope, bounded, answer)
            else:
                with self._tracer.start_as_current_span(
                    f"{scope['method']} {scope['path']}"
                ) as span:
                    await self._app(scope, bounded, answer)
                    span.set_attribute("http.response.status_code", status)
                    span.set_attribute("tradeloom.request_id", scope["request_id"])
        except BodyTooLarge:
            pass
        finally:
            if bounded.tripped:
                bounded.tripped = False
                await _send_problem(_too_large(), scope, answer)
            took = time.perf_counter() - began
            route = scope.get("route")
            path = getattr(route, "path", "unknown") if route is not None else "unknown"
            self._meters.request(path, status, took)
            if status >= 500:
                log.error("request", **_facts(scope, status, took))
            else:
                log.debug("request", **_facts(scope, status, took))

    def _refused(self, scope: Scope, length: int) -> Problem | None:
        if length > BODY_BYTES_MAX:
            return _too_large()
        if self._rates is None or scope["path"] in _UNLIMITED:
            return None
        client = scope.get("client")
        wait = self._rates.take(client[0] if client else "")
        if not wait:
            return None
        return Problem(
            429,
            ReturnCode.TOO_FREQUENT,
            MEANINGS[ApiCode.RATE_LIMITED],
            headers={"Retry-After": str(max(1, int(wait + 0.999)))},
        )


class BodyTooLarge(Exception):  # noqa: N818
    """A body without a length went on for too long."""


class _Bounded:
    """Counts what arrives of a body whose length was not declared, or was a lie."""

    __slots__ = ("_receive", "_size", "tripped")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0
        self.tripped = False

    async def __call__(self) -> Message:
        message = await self._receive()
        body = message.get("body")
        if body:
            self._size += len(body)
            if self._size > BODY_BYTES_MAX:
                self.tripped = True
                raise BodyTooLarge
        return message


def _too_large() -> Problem:
    detail = f"{MEANINGS[ApiCode.BODY_TOO_LARGE]} (at most {BODY_BYTES_MAX} bytes)"
    return Problem(413, ApiCode.BODY_TOO_LARGE, detail, headers={"Connection": "close"})


async def _send_problem(problem: Problem, scope: Scope, send: Send) -> None:
    body = problem.body(scope["path"], scope["request_id"])
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    start = {"type": "http.response.start", "status": problem.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _facts(scope: Scope, status: int, took: float) -> dict[str, Any]:
    return {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "ms": round(took * 1e3, 2),
        "request_id": scope["request_id"],
    }
