"""A connector that runs as a service elsewhere, behind the same contract.

A lost service is not a lost order: an order call whose answer is missing is UNRESOLVED, and asked
for by its id when the service is back. What was subscribed is marked stale and subscribed again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Final

import grpc

from tradeloom.connectors import admin_messages as a
from tradeloom.connectors import messages as w
from tradeloom.connectors import rpc
from tradeloom.connectors.backoff import Backoff
from tradeloom.connectors.contract import (
    AccountEvent,
    AccountSink,
    Amendment,
    Health,
    MarketSink,
    OrderAnswer,
    OrderRequest,
    Outcome,
    RateLimit,
    State,
    StateChange,
    UnknownOrder,
    UnknownSymbol,
    Unsupported,
    VenueBalance,
    VenueFill,
    VenueInfo,
    VenueOrder,
    VenuePosition,
    VenueUnavailable,
)
from tradeloom.connectors.limits import (
    CONNECT_TIMEOUT_S,
    ORDER_TIMEOUT_S,
    QUERY_TIMEOUT_S,
    REMOTE_HEALTH_EVERY_S,
    START_TIMEOUT_S,
)
from tradeloom.connectors.proto import venue_pb2 as pb
from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.market import (
    BookDelta,
    FeedState,
    FeedStatus,
    HistoricBar,
    Topic,
    VenueInstrument,
)

log = logging.getLogger(__name__)


class WrongToken(VenueUnavailable):
    """The service does not take our token; waiting does not help."""


class RemoteSubscription:
    """Topics of symbols from the service, again and again until closed."""

    def __init__(self, task: asyncio.Task[None]) -> None:
        self._task = task

    async def close(self) -> None:
        """Stop delivering."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


class RemoteConnector:
    """The connector at `address` (host:port), which `tradeloom serve venue` runs."""

    def __init__(self, address: str, token: str = "") -> None:
        self.address: Final = address
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._channel: grpc.aio.Channel | None = None
        self._calls: dict[str, Callable[..., Any]] = {}
        self._info: VenueInfo | None = None
        self._health: Health | None = None
        self._limits: list[RateLimit] = []
        self._listeners: list[AccountSink] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._problem = ""
        self._back = asyncio.Event()  # set for a moment when the service answers again
        self._refused = False

    # -- Admin -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connect; returns when the service answers, refuses us, or after the start timeout."""
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self.address, options=rpc.OPTIONS)
            for service, methods in rpc.SERVICES.items():
                for method in methods:
                    self._calls[method.name] = self._call(service, method)
            self._tasks = [
                asyncio.create_task(self._keep_health()),
                asyncio.create_task(self._keep_listening()),
            ]
        until = time.monotonic() + START_TIMEOUT_S
        waiting = (State.CONNECTING, State.RECONCILING)
        while time.monotonic() < until:
            if self._refused:
                return
            if self._health is not None and not self._problem and self._health.state not in waiting:
                return
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Hang up; the service goes on."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def info(self) -> VenueInfo:
        """What it is; raises VenueUnavailable before the service ever answered."""
        if self._info is None:
            text = f"the venue service at {self.address} did not answer yet"
            raise VenueUnavailable(self._problem or text)
        return self._info

    def health(self) -> Health:
        """How it was a moment ago; CONNECTING while the service is away, REFUSED without the
        right token.
        """
        known = self._health
        if known is not None and not self._problem:
            return known
        return Health(
            venue=known.venue if known else "",
            state=State.REFUSED if self._refused else State.CONNECTING,
            reason=self._problem or "the service did not answer yet",
            links=(),
            stale={},
            clock_offset_ms=None,
            round_trip_ms=None,
            unresolved=known.unresolved if known else 0,
            counters=known.counters if known else {},
        )

    def limits(self) -> list[RateLimit]:
        """Budgets, as of a moment ago."""
        return list(self._limits)

    async def drain(self, timeout_s: float = 30.0) -> bool:
        """Take no new orders."""
        request = pb.DrainRequest(timeout_s=timeout_s)
        reply = await self._ask("Drain", request, timeout_s + QUERY_TIMEOUT_S)
        return bool(reply.drained)

    async def reconnect(self) -> None:
        """The service connects anew."""
        await self._ask("Reconnect", pb.Reason())

    async def kill(self, reason: str) -> list[OrderAnswer]:
        """No new orders, and cancel all."""
        reply = await self._ask("Kill", pb.Reason(reason=reason), 3 * QUERY_TIMEOUT_S)
        await self._look()
        return [w.answer_in(each) for each in reply.answers]

    async def reset(self, reason: str) -> None:
        """Trade again."""
        await self._ask("Reset", pb.Reason(reason=reason))
        await self._look()

    async def cancel_on_disconnect(self, after_s: int | None) -> None:
        """The venue's dead-man switch."""
        await self._ask("CancelOnDisconnect", pb.DeadManRequest(after_s=after_s or 0))

    # -- MarketData ------------------------------------------------------------------------------

    async def instruments(self) -> list[VenueInstrument]:
        """What the venue lists."""
        reply = await self._ask("ListInstruments", pb.InstrumentsRequest(), 3 * QUERY_TIMEOUT_S)
        return [w.instrument_in(each) for each in reply.instruments]

    async def snapshot(self, symbol: str, depth: int = 20) -> BookDelta:
        """The book now."""
        return w.book_in(
            await self._ask("Snapshot", pb.SnapshotRequest(symbol=symbol, depth=depth))
        )

    async def bars(
        self, symbol: str, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """Finished bars."""
        request = pb.BarsRequest(
            symbol=symbol, interval_s=interval_s, since_ns=since_ns, until_ns=until_ns
        )
        reply = await self._ask("HistoricBars", request, 3 * QUERY_TIMEOUT_S)
        return [w.bar_in(each) for each in reply.bars]

    async def subscribe(
        self, symbols: Iterable[str], topics: Iterable[Topic], sink: MarketSink
    ) -> RemoteSubscription:
        """Deliver topics of symbols; raises UnknownSymbol, Unsupported, VenueUnavailable."""
        request = pb.SubscribeRequest(symbols=list(symbols))
        request.topics.extend(w.number(topic) for topic in topics)
        first = await self._open(request)
        return RemoteSubscription(asyncio.create_task(self._deliver(request, first, sink)))

    # -- TradeFlow -------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> OrderAnswer:
        """Place an order."""
        return await self._order("Submit", w.request_out(request), request.client_id)

    async def amend(self, change: Amendment) -> OrderAnswer:
        """Change an order."""
        return await self._order("Amend", w.amendment_out(change), change.client_id)

    async def cancel(self, client_id: str) -> OrderAnswer:
        """Cancel an order."""
        return await self._order("Cancel", pb.ClientId(client_id=client_id), client_id)

    async def cancel_all(self, symbol: str | None = None) -> list[OrderAnswer]:
        """Cancel what is open."""
        request = pb.SymbolFilter(symbol=symbol or "")
        reply = await self._ask("CancelAll", request, 3 * QUERY_TIMEOUT_S)
        return [w.answer_in(each) for each in reply.answers]

    async def query(self, client_id: str) -> VenueOrder:
        """The order as the venue has it now."""
        try:
            return w.order_in(await self._ask("Query", pb.ClientId(client_id=client_id)))
        except UnknownSymbol as error:
            raise UnknownOrder(str(error)) from None

    async def open_orders(self, symbol: str | None = None) -> list[VenueOrder]:
        """What works."""
        reply = await self._ask("OpenOrders", pb.SymbolFilter(symbol=symbol or ""))
        return [w.order_in(each) for each in reply.orders]

    async def fills(self, since_ns: int = 0, symbol: str | None = None) -> list[VenueFill]:
        """Executions."""
        request = pb.FillsRequest(since_ns=since_ns, symbol=symbol or "")
        reply = await self._ask("ListFills", request, 3 * QUERY_TIMEOUT_S)
        return [w.fill_in(each) for each in reply.fills]

    async def positions(self) -> list[VenuePosition]:
        """Open positions."""
        reply = await self._ask("ListPositions", pb.PositionsRequest())
        return [w.position_in(each) for each in reply.positions]

    async def balances(self) -> list[VenueBalance]:
        """Money."""
        reply = await self._ask("ListBalances", pb.BalancesRequest())
        return [w.balance_in(each) for each in reply.balances]

    def listen(self, sink: AccountSink) -> Callable[[], None]:
        """Deliver account events."""
        self._listeners.append(sink)
        return lambda: self._listeners.remove(sink) if sink in self._listeners else None

    # -- inside ----------------------------------------------------------------------------------

    def _call(self, service: str, method: rpc.Method) -> Callable[..., Any]:
        channel = self._channel
        if channel is None:
            raise VenueUnavailable("not started")
        make = channel.unary_stream if method.streams else channel.unary_unary
        found: Callable[..., Any] = make(
            f"/{service}/{method.name}",
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.reply.FromString,
        )
        return found

    async def _ask(self, name: str, request: Any, timeout_s: float = QUERY_TIMEOUT_S) -> Any:
        call = self._calls.get(name)
        if call is None:
            raise VenueUnavailable("not started")
        try:
            return await call(request, timeout=timeout_s, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise _meant(error, self.address) from None

    async def _order(self, name: str, request: Any, client_id: str) -> OrderAnswer:
        """An order call: never raises, and a missing answer is not a refusal."""
        sent = time.time_ns()
        try:
            return w.answer_in(await self._ask(name, request, ORDER_TIMEOUT_S + 1.0))
        except VenueUnavailable as error:
            return OrderAnswer(
                client_id=client_id,
                outcome=Outcome.UNRESOLVED,
                code=ReturnCode.BUSY,
                message=f"{error}; query the order by its id, do not send it again under another",
                sent_ns=sent,
                answered_ns=time.time_ns(),
            )
        except (ValueError, UnknownOrder) as error:
            return OrderAnswer(
                client_id=client_id,
                outcome=Outcome.REFUSED,
                code=ReturnCode.ERR_PARAMS,
                message=str(error),
                sent_ns=sent,
                answered_ns=time.time_ns(),
            )

    async def _look(self) -> None:
        info = await self._ask("GetInfo", pb.InfoRequest())
        health = await self._ask("GetHealth", pb.HealthRequest())
        limits = await self._ask("GetLimits", pb.LimitsRequest())
        before = self._health
        self._info, self._health = a.info_in(info), a.health_in(health)
        self._limits = [a.limit_in(each) for each in limits.limits]
        lost, self._problem, self._refused = self._problem, "", False
        if lost:
            self._back.set()
            self._back = asyncio.Event()
        if lost or before is None or before.state is not self._health.state:
            self._tell_state(self._health.state, self._health.reason)

    async def _keep_health(self) -> None:
        while True:
            try:
                await self._look()
            except (VenueUnavailable, ValueError) as error:
                self._refused = isinstance(error, WrongToken)
                if not self._problem:
                    self._tell_state(
                        State.REFUSED if self._refused else State.CONNECTING, str(error)
                    )
                self._problem = str(error)
            await asyncio.sleep(REMOTE_HEALTH_EVERY_S)

    def _tell_state(self, state: State, reason: str) -> None:
        info = self._info
        venue, account = (info.venue, info.account) if info else ("", "")
        event = StateChange(
            venue=venue, account=account, state=state, reason=reason, recv_ns=time.time_ns()
        )
        self._tell(event)

    def _tell(self, event: AccountEvent) -> None:
        for sink in tuple(self._listeners):
            try:
                sink(event)
            except Exception:
                log.exception("a listener of %s failed", self.address)

    async def _keep_listening(self) -> None:
        backoff = Backoff()
        while True:
            call = self._calls["Listen"](pb.ListenRequest(), metadata=self._metadata)
            try:
                async for message in call:
                    backoff.up()
                    event = w.account_in(message)
                    if isinstance(event, StateChange):
                        with contextlib.suppress(VenueUnavailable):
                            await self._look()
                        continue  # `_look` tells it, once
                    self._tell(event)
            except grpc.aio.AioRpcError as error:
                log.info("account events of %s: %s", self.address, error.details())
            await self._pause(backoff)

    async def _pause(self, backoff: Backoff) -> None:
        """Wait before the next try, or until the service is seen again."""
        back = self._back
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(backoff.next_s()):
                await back.wait()

    async def _open(self, request: pb.SubscribeRequest) -> Any:
        """A stream whose subscription stands: the service has sent its first headers."""
        if "Subscribe" not in self._calls:
            raise VenueUnavailable("not started")
        call = self._calls["Subscribe"](request, metadata=self._metadata)
        try:
            await asyncio.wait_for(call.initial_metadata(), CONNECT_TIMEOUT_S)
            # A refused stream has headers too; its status is there at once.
            if call.done():
                code = await call.code()
                if code is not grpc.StatusCode.OK:
                    raise _named(code, await call.details() or "", self.address)
        except grpc.aio.AioRpcError as error:
            raise _meant(error, self.address) from None
        except TimeoutError:
            call.cancel()
            raise VenueUnavailable(f"the venue service at {self.address} is silent") from None
        return call

    async def _deliver(self, request: pb.SubscribeRequest, call: Any, sink: MarketSink) -> None:
        backoff = Backoff()
        while True:
            try:
                async for event in _events(call):
                    sink(event)
                    backoff.up()
                why = "the venue service ended the stream"
            except grpc.aio.AioRpcError as error:
                why = error.details() or error.code().name
            finally:
                call.cancel()
            self._stale(request, why, sink)
            while True:
                await self._pause(backoff)
                try:
                    call = await self._open(request)
                    break
                except (VenueUnavailable, ValueError, LookupError) as error:
                    log.info("subscription at %s: %s", self.address, error)

    def _stale(self, request: pb.SubscribeRequest, why: str, sink: MarketSink) -> None:
        venue = self._info.venue if self._info else ""
        for symbol in request.symbols:
            sink(FeedStatus(venue, symbol, FeedState.STALE, why, time.time_ns()))


async def _events(call: Any) -> AsyncIterator[Any]:
    async for batch in call:
        for message in batch.events:
            yield w.market_in(message)


def _meant(error: grpc.aio.AioRpcError, address: str) -> Exception:
    return _named(error.code(), error.details() or "", address)


def _named(code: grpc.StatusCode, text: str, address: str) -> Exception:
    """The contract's exception behind a status."""
    if code is grpc.StatusCode.NOT_FOUND:
        return UnknownSymbol(text)
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return Unsupported(text)
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return ValueError(text)
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return WrongToken(f"the venue service at {address} wants another token")
    return VenueUnavailable(f"venue service at {address}: {code.name.lower()} {text}".strip())
