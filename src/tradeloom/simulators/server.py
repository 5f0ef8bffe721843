"""One process, one port, a path per venue; and `/_sim` to command it.

http://HOST:PORT/<venue>/…      the venue's REST, as its own host would answer
ws://HOST:PORT/<venue>/…        its sockets
http://HOST:PORT/_sim/…         state, faults and the market, for whoever runs the simulator
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from aiohttp import WSCloseCode, web

from tradeloom.simulators.admin import Admin
from tradeloom.simulators.dialect import Call, Reply, Route, Socket, VenueDialect
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.limits import (
    BODY_BYTES_MAX,
    CLOSE_S,
    FRAME_BYTES_MAX,
    SESSIONS_MAX,
)
from tradeloom.simulators.player import MarketPlayer
from tradeloom.simulators.sessions import Session

log = logging.getLogger(__name__)


class Simulator:
    """Serves dialects. `async with Simulator([...]) as simulator:` runs it; `url(venue)` and
    `ws_url(venue)` are what a client is given as the venue's base address.
    """

    def __init__(
        self,
        dialects: Iterable[VenueDialect],
        players: Sequence[MarketPlayer] = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.venues: Final = {each.name: each for each in dialects}
        self.players: Final = {each.dialect.name: each for each in players}
        self.host: Final = host
        self.port = port
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def url(self, venue: str) -> str:
        """The REST base of a venue."""
        return f"http://{self.host}:{self.port}/{venue}"

    def ws_url(self, venue: str) -> str:
        """The WebSocket base of a venue."""
        return f"ws://{self.host}:{self.port}/{venue}"

    @property
    def admin_url(self) -> str:
        """Where the simulator itself is commanded."""
        return f"http://{self.host}:{self.port}/_sim"

    async def __aenter__(self) -> Simulator:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen and let the markets run. Raises OSError when the port is taken."""
        # Bodies are read by us, so that one that is too large gets the venue's own answer.
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        for dialect in self.venues.values():
            for route in dialect.routes():
                app.router.add_route(
                    route.method, f"/{dialect.name}{route.path}", _rest(dialect, route)
                )
            for socket in dialect.sockets():
                app.router.add_get(f"/{dialect.name}{socket.path}", _socket(dialect, socket))
        Admin(self.venues, self.players).add_to(app)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=CLOSE_S
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        if not self.port:
            self.port = self._runner.addresses[0][1]
        works = [each.run() for each in self.venues.values()]
        works += [each.run() for each in self.players.values()]
        self._tasks = [asyncio.create_task(work) for work in works]
        for task in self._tasks:
            task.add_done_callback(_report)

    async def stop(self) -> None:
        """Hang up and end everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for dialect in self.venues.values():
            for session in tuple(dialect.sessions):
                session.close(WSCloseCode.GOING_AWAY, "the simulator stops")
        if self._runner is not None:
            await self._runner.cleanup()


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a simulated market stopped", exc_info=task.exception())


async def _call(dialect: VenueDialect, request: web.Request) -> Call:
    return Call(
        method=request.method,
        path=request.path.removeprefix(f"/{dialect.name}"),
        query=request.rel_url.raw_query_string,
        headers=request.headers,
        body=await request.read() if request.can_read_body else b"",
        ip=request.remote or "",
        params=dict(request.match_info),
    )


def _response(reply: Reply) -> web.Response:
    return web.Response(
        body=reply.body,
        status=reply.status,
        headers=dict(reply.headers),
        content_type=reply.content_type,
    )


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _rest(dialect: VenueDialect, route: Route) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        reply, _ = await dialect.serve_call(route, await _call(dialect, request))
        if reply is None:  # a fault: the client shall run into its own time-out
            dialect.flush()
            await asyncio.Event().wait()
        response = _response(reply or Reply(b""))
        # Written before the events it caused are told: a client hears its answer first.
        await response.prepare(request)
        await response.write_eof()
        dialect.flush()
        return response

    return handle


def _socket(dialect: VenueDialect, socket: Socket) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        call = await _call(dialect, request)
        refused = dialect.strikes(FaultKind.REFUSE_CONNECT, call.path)
        if refused:
            return _response(dialect.failure(refused.status or 503, refused.seconds, call.path))
        refusal = dialect.may_connect(call)
        if refusal is not None:
            return _response(refusal)
        if len(dialect.sessions) >= SESSIONS_MAX:
            return _response(dialect.failure(503, 1.0, call.path))
        connection = web.WebSocketResponse(
            autoping=False, autoclose=True, max_msg_size=FRAME_BYTES_MAX, compress=False
        )
        if not connection.can_prepare(request).ok:
            return _response(dialect.failure(400, 0.0, call.path))
        await connection.prepare(request)
        session = Session(dialect, socket, call, connection, request.transport)
        with contextlib.suppress(ConnectionError), dialect.joined(session):
            await session.serve()
        return connection

    return handle
