"""`/ws`: one connection from its handshake to its end."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from tradeloom.gateways.history import EventHistory, TooOld
from tradeloom.gateways.identity import Callers
from tradeloom.gateways.limits import (
    AUTHENTICATE_S,
    CONNECTIONS_MAX,
    MESSAGES_BURST,
    MESSAGES_PER_S,
    TOKEN_CACHE_S,
)
from tradeloom.gateways.meters import Meters
from tradeloom.gateways.problems import MEANINGS, ApiCode, Problem, from_security
from tradeloom.gateways.rates import Rates
from tradeloom.gateways.wire import rfc3339
from tradeloom.gateways.ws.hub import EveryAccount, Hub, QuoteGroup
from tradeloom.gateways.ws.messages import (
    BEARER,
    CODECS,
    JSON,
    OWN_CHANNELS,
    QUOTES,
    STAFF_CHANNELS,
    AnyMessage,
    Authenticate,
    Close,
    Codec,
    Ping,
    Subscribe,
    Unsubscribe,
    error,
    unknown_channel,
)
from tradeloom.gateways.ws.reader import Reader, SendFrame
from tradeloom.security.errors import NotSignedIn, SecurityError
from tradeloom.security.rights import Scope

log = structlog.stdlib.get_logger("tradeloom.ws")

# How often the rights of a connection are looked at again.
_RECHECK_S: Final = 20 * TOKEN_CACHE_S
_FIELD: Final = re.compile(r"(?:`(\w+)`|\$\.(\w+))")


class Sockets:
    """Serves `/ws`; one per process."""

    def __init__(
        self,
        hub: Hub,
        callers: Callers,
        history: EventHistory,
        meters: Meters,
        symbols: Callable[[], set[str]],
    ) -> None:
        self.hub: Final = hub
        self.callers: Final = callers
        self.history: Final = history
        self.meters: Final = meters
        self.symbols: Final = symbols
        self.open = 0
        self.draining = asyncio.Event()

    async def serve(self, socket: WebSocket) -> None:
        """Serve one connection."""
        codec, chosen = _protocol(socket)
        if self.draining.is_set() or self.open >= CONNECTIONS_MAX:
            await socket.accept(chosen)
            await socket.close(Close.FULL, "too many connections; come back later")
            return
        self.open += 1
        self.meters.sockets.inc()
        try:
            await socket.accept(chosen)
            await _Connection(self, socket, codec).serve()
        finally:
            self.open -= 1
            self.meters.sockets.dec()

    async def sweep(self) -> None:
        """Cut stalled readers, every second, until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            cut = self.hub.cut_stalled()
            if cut:
                self.meters.socket_cut.inc(cut)


class _Connection:
    """One accepted connection."""

    def __init__(self, sockets: Sockets, socket: WebSocket, codec: Codec) -> None:
        self._sockets = sockets
        self._socket = socket
        self._codec = codec
        self._token = ""
        self._rates = Rates(MESSAGES_PER_S, MESSAGES_BURST)
        self._ended: asyncio.Future[Close | None] = asyncio.get_running_loop().create_future()
        self._reader = Reader(
            codec, cast(SendFrame, socket._send), sockets.hub.quote_bytes, self._end
        )
        self._groups: dict[frozenset[str] | None, QuoteGroup] = {}
        self._followed: set[tuple[str, int]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def _end(self, why: Close | None) -> None:
        if not self._ended.done():
            self._ended.set_result(why)

    async def serve(self) -> None:
        """Until one side hangs up."""
        self._sockets.hub.readers.add(self._reader)
        for work in (self._reader.run(), self._listen(), self._watch_over()):
            self._start(work)
        drained = asyncio.create_task(self._sockets.draining.wait())
        try:
            ends: set[asyncio.Future[Any]] = {self._ended, drained}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            drained.cancel()
            for task in self._tasks:
                task.cancel()
            self._leave()
        why = self._ended.result() if self._ended.done() else None
        code, reason = (why.value, why.name.lower()) if why else (1001, "going away")
        if self._ended.done() and why is None:
            return  # the client hung up
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._socket.close(code, reason)

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        fault = task.exception()
        if fault is None:
            return
        if not isinstance(fault, WebSocketDisconnect | RuntimeError | ConnectionError):
            log.error("socket", exc_info=fault)
        self._end(None)

    def _leave(self) -> None:
        hub = self._sockets.hub
        hub.readers.discard(self._reader)
        for channel, account in self._followed:
            hub.unfollow(self._reader, channel, account)
        for group in self._groups.values():
            hub.unwatch(self._reader, group)
        self._followed.clear()
        self._groups.clear()

    # ---- what the client says ----------------------------------------------------------------

    async def _listen(self) -> None:
        token = _token(self._socket)
        if token:
            await self._authenticate(Authenticate(token=token))
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                self._end(None)
                return
            data = received.get("text")
            if data is None:
                data = received.get("bytes") or b""
            if self._rates.take(""):
                self._end(Close.TOO_FREQUENT)
                return
            try:
                said = self._codec.decode(data)
            except msgspec.ValidationError as fault:
                self._reader.say(error(_bad_message(str(fault))))
                continue
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._end(Close.MALFORMED)
                return
            try:
                await self._handle(said)
            except (Problem, SecurityError) as fault:
                problem = fault if isinstance(fault, Problem) else from_security(fault)
                self._reader.say(error(problem, said.id))
                if problem.status == 401:
                    await asyncio.sleep(0)
                    self._end(Close.UNAUTHENTICATED)
                    return

    async def _handle(self, said: AnyMessage) -> None:
        match said:
            case Authenticate():
                await self._authenticate(said)
            case Ping():
                self._answer(said.id, type="pong", time=rfc3339(time.time_ns()))
            case _ if self._reader.caller is None:
                raise Problem(401, ApiCode.UNAUTHENTICATED, MEANINGS[ApiCode.UNAUTHENTICATED])
            case Subscribe():
                await self._subscribe(said)
            case Unsubscribe():
                self._unsubscribe(said)

    async def _authenticate(self, said: Authenticate) -> None:
        caller = await self._sockets.callers.of(said.token)
        caller.need(Scope.MARKET_READ)
        known = self._reader.caller
        if known is not None and known.user_id != caller.user_id:
            raise Problem(
                403, ApiCode.FORBIDDEN, "a connection stays with one user; open another one"
            )
        self._token, self._reader.caller = said.token, caller
        self._answer(
            said.id,
            type="authenticated",
            user=caller.user_id,
            login=caller.login,
            role=caller.role.value,
            accounts=sorted(caller.accounts),
            seq=self._sockets.hub.outbox.last,
        )

    async def _watch_over(self) -> None:
        """Ask for a token in time, and look at it again now and then."""
        await asyncio.sleep(AUTHENTICATE_S)
        if self._reader.caller is None:
            self._end(Close.NOT_IN_TIME)
            return
        while True:
            await asyncio.sleep(_RECHECK_S)
            try:
                self._reader.caller = await self._sockets.callers.of(self._token)
            except NotSignedIn:
                self._end(Close.UNAUTHENTICATED)
                return

    # ---- subscriptions -----------------------------------------------------------------------

    async def _subscribe(self, said: Subscribe) -> None:
        if said.channel == QUOTES:
            self._watch(said)
            return
        channel, account = self._channel(said)
        hub, key = self._sockets.hub, (channel, account)
        if said.resume_from is not None and key not in self._followed:
            await self._resume(said, channel, account, said.resume_from)
            return
        self._answer(
            said.id, type="subscribed", channel=channel, account=account or None,
            seq=hub.outbox.last,
        )  # fmt: skip
        hub.follow(self._reader, channel, account)
        self._followed.add(key)

    async def _resume(self, said: Subscribe, channel: str, account: int, after: int) -> None:
        """Replay what was missed, then follow, with nothing lost or doubled in between."""
        hub, outbox = self._sockets.hub, self._sockets.hub.outbox
        if after > outbox.last:
            raise Problem(
                422, ApiCode.BAD_MESSAGE, "resume_from is ahead of the newest event",
                field="resume_from", extra={"seq": outbox.last},
            )  # fmt: skip
        self._answer(
            said.id, type="subscribed", channel=channel, account=account or None, seq=after
        )
        if not outbox.covers(after):
            try:
                older = await self._sockets.history.behind(after, outbox.last)
            except TooOld as too_old:
                raise Problem(
                    410, ApiCode.TOO_OLD, MEANINGS[ApiCode.TOO_OLD], field="resume_from",
                    extra={"oldest": too_old.oldest},
                ) from None  # fmt: skip
            after = hub.replay(self._reader, older, channel, account, after)
        after = hub.replay(self._reader, outbox.behind(after), channel, account, after)
        hub.follow(self._reader, channel, account)
        self._followed.add((channel, account))
        self._answer(said.id, type="resumed", channel=channel, account=account or None, seq=after)

    def _watch(self, said: Subscribe) -> None:
        known = self._sockets.symbols()
        strange = [symbol for symbol in said.symbols or () if symbol not in known]
        if strange:
            raise Problem(
                404, ApiCode.UNKNOWN_CHANNEL, f"there is no instrument {strange[0]!r:.40}",
                field="symbols",
            )  # fmt: skip
        account = self._viewer(said.account or 0)
        symbols = frozenset(said.symbols) if said.symbols else None
        if symbols not in self._groups:
            self._answer(
                said.id, type="subscribed", channel=QUOTES, account=account or None, seq=None
            )
            hub = self._sockets.hub
            self._groups[symbols] = hub.watch(self._reader, symbols, said.interval_ms, account)

    def _viewer(self, account: int) -> int:
        """Whose prices to show: an account's, 0 for the raw ones; one at a time."""
        if account:
            self._own(account)
        if any(group.account != account for group in self._groups.values()):
            raise Problem(
                409, ApiCode.BAD_MESSAGE,
                "a connection shows the prices of one account; unsubscribe from the others first",
                field="account",
            )  # fmt: skip
        return account

    def _own(self, account: int) -> int:
        caller = self._reader.caller
        if caller is None or not (caller.may(Scope.ACCOUNTS_READ) and caller.sees(account)):
            raise unknown_channel("there is no such account, or it is not yours")
        return account

    def _unsubscribe(self, said: Unsubscribe) -> None:
        if said.channel == QUOTES:
            symbols = frozenset(said.symbols) if said.symbols else None
            group = self._groups.pop(symbols, None)
            if group is not None:
                self._sockets.hub.unwatch(self._reader, group)
            account = group.account if group is not None else 0
        else:
            channel, account = self._channel(said)
            self._sockets.hub.unfollow(self._reader, channel, account)
            self._followed.discard((channel, account))
        self._answer(said.id, type="unsubscribed", channel=said.channel, account=account or None)

    def _channel(self, said: Subscribe | Unsubscribe) -> tuple[str, int]:
        caller = self._reader.caller
        if caller is None:
            raise Problem(401, ApiCode.UNAUTHENTICATED, MEANINGS[ApiCode.UNAUTHENTICATED])
        if said.channel in STAFF_CHANNELS:
            if not caller.may(STAFF_CHANNELS[said.channel]):
                raise unknown_channel(f"the channel {said.channel} is for staff only")
            return said.channel, EveryAccount
        if said.channel not in OWN_CHANNELS:
            raise unknown_channel(
                "there is no such channel; there are quotes, orders, positions, balances, and "
                "for staff ledger and system"
            )
        if not said.account:
            raise Problem(
                422, ApiCode.BAD_MESSAGE, "this channel needs the number of an account",
                field="account",
            )  # fmt: skip
        return said.channel, self._own(said.account)

    def _answer(self, mark: str | None, **message: Any) -> None:
        if mark is not None:
            message["id"] = mark
        self._reader.say(message)


def _protocol(socket: WebSocket) -> tuple[Codec, str | None]:
    offered = socket.scope.get("subprotocols") or []
    for name in offered:
        if name in CODECS:
            return CODECS[name], name
    return CODECS[JSON], None


def _token(socket: WebSocket) -> str:
    kind, _, token = socket.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        return token
    for name in socket.scope.get("subprotocols") or []:
        if name.startswith(BEARER):
            return str(name[len(BEARER) :])
    return ""


def _bad_message(text: str) -> Problem:
    field = next((a or b for a, b in reversed(_FIELD.findall(text))), "")
    detail = f"{text.partition(' - at ')[0].lower()}; see the API guide"
    return Problem(422, ApiCode.BAD_MESSAGE, detail, field=field)
