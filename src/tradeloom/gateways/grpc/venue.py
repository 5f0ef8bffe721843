"""Serves one connector over gRPC: MarketData, TradeFlow, Admin and grpc.health.v1.

Errors of the contract become status codes: an unknown symbol or order is NOT_FOUND, a message that
means nothing INVALID_ARGUMENT, what the venue lacks UNIMPLEMENTED, a venue that does not answer
UNAVAILABLE. Order calls answer; they do not fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tradeloom.connectors import admin_messages as a
from tradeloom.connectors import messages as w
from tradeloom.connectors import rpc
from tradeloom.connectors.contract import (
    AccountEvent,
    Connector,
    State,
    StateChange,
    UnknownOrder,
    UnknownSymbol,
    Unsupported,
    VenueUnavailable,
)
from tradeloom.connectors.proto import venue_pb2 as pb
from tradeloom.domain.market import MarketEvent, Topic
from tradeloom.gateways.limits import (
    GRPC_BATCH_MAX,
    GRPC_DRAIN_S,
    GRPC_QUEUE_MAX,
    GRPC_STREAMS_MAX,
)

log = logging.getLogger(__name__)

_PRICES: Final = frozenset({State.READY, State.DEGRADED, State.RECONCILING, State.DRAINING,
                            State.KILLED, State.REFUSED})  # fmt: skip
Context = Any  # grpc.aio.ServicerContext is generic in types the stubs do not have


class VenueService:
    """The methods of the proto file, in small letters."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    # -- market data -----------------------------------------------------------------------------

    async def list_instruments(self, request: pb.InstrumentsRequest, context: Context) -> Any:
        """What the venue lists."""
        listed = await _asked(self._connector.instruments(), context)
        return pb.Instruments(instruments=[w.instrument_out(each) for each in listed])

    async def snapshot(self, request: pb.SnapshotRequest, context: Context) -> Any:
        """The book now."""
        depth = request.depth or 20
        book = await _asked(self._connector.snapshot(request.symbol, depth), context)
        return w.book_out(book)

    async def historic_bars(self, request: pb.BarsRequest, context: Context) -> Any:
        """Finished bars."""
        r = request
        bars = await _asked(
            self._connector.bars(r.symbol, r.interval_s, r.since_ns, r.until_ns), context
        )
        return pb.Bars(bars=[w.bar_out(each) for each in bars])

    async def subscribe(self, request: pb.SubscribeRequest, context: Context) -> AsyncIterator[Any]:
        """Events in order, those that waited together in one message."""
        waiting: deque[MarketEvent] = deque()
        some, late = asyncio.Event(), asyncio.Event()

        def sink(event: MarketEvent) -> None:
            if len(waiting) >= GRPC_QUEUE_MAX:
                late.set()
            else:
                waiting.append(event)
            some.set()

        try:
            topics = [Topic(number) for number in request.topics] or [Topic.QUOTES]
        except ValueError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "topics: a number nobody knows")
            raise
        subscription = await _asked(
            self._connector.subscribe(list(request.symbols), topics, sink), context
        )
        await context.send_initial_metadata(())  # tells the client that it is subscribed
        try:
            while True:
                await some.wait()
                some.clear()
                while waiting:
                    size = min(len(waiting), GRPC_BATCH_MAX)
                    yield pb.MarketEvents(
                        events=[w.market_out(waiting.popleft()) for _ in range(size)]
                    )
                if late.is_set():
                    text = f"the reader is more than {GRPC_QUEUE_MAX} events behind"
                    await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        finally:
            await subscription.close()

    # -- orders ----------------------------------------------------------------------------------

    async def submit(self, request: pb.OrderRequest, context: Context) -> Any:
        """Place an order."""
        order = await _parsed(w.request_in, request, context)
        return w.answer_out(await self._connector.submit(order))

    async def amend(self, request: pb.Amendment, context: Context) -> Any:
        """Change an order."""
        change = await _parsed(w.amendment_in, request, context)
        return w.answer_out(await self._connector.amend(change))

    async def cancel(self, request: pb.ClientId, context: Context) -> Any:
        """Cancel an order."""
        return w.answer_out(await self._connector.cancel(request.client_id))

    async def cancel_all(self, request: pb.SymbolFilter, context: Context) -> Any:
        """Cancel all, or all of a symbol."""
        answers = await _asked(self._connector.cancel_all(request.symbol or None), context)
        return pb.OrderAnswers(answers=[w.answer_out(each) for each in answers])

    async def query(self, request: pb.ClientId, context: Context) -> Any:
        """One order."""
        return w.order_out(await _asked(self._connector.query(request.client_id), context))

    async def open_orders(self, request: pb.SymbolFilter, context: Context) -> Any:
        """What works."""
        orders = await _asked(self._connector.open_orders(request.symbol or None), context)
        return pb.Orders(orders=[w.order_out(each) for each in orders])

    async def list_fills(self, request: pb.FillsRequest, context: Context) -> Any:
        """Executions."""
        symbol = request.symbol or None
        fills = await _asked(self._connector.fills(request.since_ns, symbol), context)
        return pb.Fills(fills=[w.fill_out(each) for each in fills])

    async def list_positions(self, request: pb.PositionsRequest, context: Context) -> Any:
        """Positions."""
        positions = await _asked(self._connector.positions(), context)
        return pb.Positions(positions=[w.position_out(each) for each in positions])

    async def list_balances(self, request: pb.BalancesRequest, context: Context) -> Any:
        """Money."""
        balances = await _asked(self._connector.balances(), context)
        return pb.Balances(balances=[w.balance_out(each) for each in balances])

    async def listen(self, request: pb.ListenRequest, context: Context) -> AsyncIterator[Any]:
        """Account events from now on, none left out."""
        queue: asyncio.Queue[AccountEvent] = asyncio.Queue(GRPC_QUEUE_MAX)
        late = asyncio.Event()

        def sink(event: AccountEvent) -> None:
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                late.set()

        stop = self._connector.listen(sink)
        await context.send_initial_metadata(())
        try:
            while True:
                yield w.account_out(await queue.get())
                if late.is_set() and queue.empty():
                    text = "the reader was too slow: query orders and fills, then listen again"
                    await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        finally:
            stop()

    # -- admin -----------------------------------------------------------------------------------

    async def get_info(self, request: pb.InfoRequest, context: Context) -> Any:
        """What it is."""
        return a.info_out(self._connector.info())

    async def get_health(self, request: pb.HealthRequest, context: Context) -> Any:
        """How it is."""
        return a.health_out(self._connector.health())

    async def get_limits(self, request: pb.LimitsRequest, context: Context) -> Any:
        """Budgets."""
        return pb.Limits(limits=[a.limit_out(each) for each in self._connector.limits()])

    async def drain(self, request: pb.DrainRequest, context: Context) -> Any:
        """No new orders."""
        drained = await _asked(self._connector.drain(request.timeout_s or 30.0), context)
        return pb.DrainReply(drained=drained)

    async def reconnect(self, request: pb.Reason, context: Context) -> Any:
        """Connect anew."""
        await _asked(self._connector.reconnect(), context)
        return pb.Done()

    async def kill(self, request: pb.Reason, context: Context) -> Any:
        """No new orders, and cancel all."""
        answers = await _asked(self._connector.kill(request.reason or "killed"), context)
        return pb.OrderAnswers(answers=[w.answer_out(each) for each in answers])

    async def reset(self, request: pb.Reason, context: Context) -> Any:
        """Trade again."""
        await _asked(self._connector.reset(request.reason), context)
        return pb.Done()

    async def cancel_on_disconnect(self, request: pb.DeadManRequest, context: Context) -> Any:
        """The venue's dead-man switch."""
        await _asked(self._connector.cancel_on_disconnect(request.after_s or None), context)
        return pb.Done()


class VenueServer:
    """One connector on one port. With a `token` every call must carry it as bearer."""

    def __init__(self, connector: Connector, host: str, port: int, token: str = "") -> None:
        """Raises ValueError for an address that others reach without a token."""
        if host not in ("127.0.0.1", "::1", "localhost") and not token:
            raise ValueError(f"{host} is reachable by others: give the service a token")
        self.port = port
        self._connector = connector
        self._host = host
        interceptors = [_Bearer(token)] if token else []
        self._server = grpc.aio.server(
            interceptors=interceptors, options=rpc.OPTIONS, maximum_concurrent_rpcs=GRPC_STREAMS_MAX
        )
        self._health = health.aio.HealthServicer()
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        service = VenueService(self._connector)
        for name, methods in rpc.SERVICES.items():
            handlers = {method.name: _handler(service, method) for method in methods}
            generic = grpc.method_handlers_generic_handler(name, handlers)
            self._server.add_generic_rpc_handlers((generic,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        shown = f"[{self._host}]" if ":" in self._host else self._host
        try:
            self.port = self._server.add_insecure_port(f"{shown}:{self.port}")
        except RuntimeError as error:
            raise OSError(f"cannot listen on {self._host}:{self.port}: {error}") from error
        await self._server.start()
        self._watch = asyncio.create_task(self._tell_health())

    async def stop(self) -> None:
        """Finish what is in flight, then stop listening."""
        await self._health.enter_graceful_shutdown()
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self._server.stop(GRPC_DRAIN_S)

    async def _tell_health(self) -> None:
        """grpc.health.v1 follows the connector's state."""
        changed = asyncio.Event()

        def sink(event: AccountEvent) -> None:
            if isinstance(event, StateChange):
                changed.set()

        stop = self._connector.listen(sink)
        try:
            while True:
                state = self._connector.health().state
                prices, trades = state in _PRICES, state is State.READY
                alone = not self._connector.info().trades
                await self._set("", prices and (trades or alone))
                await self._set(rpc.MARKET_DATA, prices)
                await self._set(rpc.TRADE_FLOW, trades)
                await self._set(rpc.ADMIN, True)
                changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), 1.0)
        finally:
            stop()

    async def _set(self, name: str, serving: bool) -> None:
        status = health_pb2.HealthCheckResponse
        await self._health.set(name, status.SERVING if serving else status.NOT_SERVING)


class _Bearer(grpc.aio.ServerInterceptor):
    """Refuses calls without the token."""

    def __init__(self, token: str) -> None:
        self._wanted = f"Bearer {token}".encode()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Let the call through, or answer UNAUTHENTICATED."""
        given = dict(handler_call_details.invocation_metadata or ()).get("authorization", "")
        text = given if isinstance(given, bytes) else given.encode()
        if hmac.compare_digest(text, self._wanted):
            return await continuation(handler_call_details)

        async def refuse(request: Any, context: Context) -> Any:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "a bearer token is needed")

        return grpc.unary_unary_rpc_method_handler(refuse)


def _handler(service: VenueService, method: rpc.Method) -> Any:
    make = (
        grpc.unary_stream_rpc_method_handler
        if method.streams
        else grpc.unary_unary_rpc_method_handler
    )
    return make(
        getattr(service, method.attribute),
        request_deserializer=method.request.FromString,
        response_serializer=method.reply.SerializeToString,
    )


async def _parsed(read: Callable[[Any], Any], message: Any, context: Context) -> Any:
    try:
        return read(message)
    except w.BadMessage as error:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        raise


async def _asked(call: Awaitable[Any], context: Context) -> Any:
    """The answer, or the status that the contract's exception stands for."""
    code = grpc.StatusCode
    try:
        return await call
    except (UnknownSymbol, UnknownOrder) as error:
        await context.abort(code.NOT_FOUND, str(error))
        raise
    except Unsupported as error:
        await context.abort(code.UNIMPLEMENTED, str(error))
        raise
    except VenueUnavailable as error:
        await context.abort(code.UNAVAILABLE, str(error))
        raise
