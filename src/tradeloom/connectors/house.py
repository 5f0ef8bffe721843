"""Our own engine as a connector: one of its accounts behind the contract of every venue.

Nothing is translated twice: the client id is the command id, so the engine itself makes a repeated
request one order; answers are durable, so no order is ever unresolved once it was answered. A
volume is in lots, as everywhere in the engine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from tradeloom.connectors.contract import (
    AccountEvent,
    AccountSink,
    Amendment,
    Health,
    LinkHealth,
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
)
from tradeloom.connectors.limits import CLOSED_KEPT
from tradeloom.connectors.scaling import exact_points, exact_sizes
from tradeloom.domain import commands as c
from tradeloom.domain import events as e
from tradeloom.domain.enums import OrderState, ReturnCode, Scope, Side, TradingState
from tradeloom.domain.errors import Refused
from tradeloom.domain.instrument import Instrument
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    HistoricBar,
    InstrumentKind,
    MarketEvent,
    Topic,
    VenueInstrument,
)
from tradeloom.engine.names import Names
from tradeloom.engine.reads import Reads

VENUE: Final = "house"
T = TypeVar("T")


class HouseDesk(Protocol):
    """What the connector needs of a running engine."""

    @property
    def names(self) -> Names:
        """What the engine knows by name."""

    async def execute(self, command: c.Command) -> Any:
        """Execute durably: code, field, reference."""

    def read(self, look: Callable[[Reads], T]) -> T:
        """Look at the state."""

    def events(self, data: bytes) -> Sequence[Any]:
        """Packed events as values."""


class HouseQuote(Protocol):
    """A quote of the engine's market."""

    symbol: str
    digits: int
    bid: int
    ask: int
    ts: int
    number: int


Quotes = Callable[[Callable[[Any], None]], Callable[[], None]]
Events = Callable[[Callable[[bytes], None]], Callable[[], None]]


class HouseSubscription:
    """A running subscription."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    async def close(self) -> None:
        """Stop delivering."""
        self._stop()


class HouseConnector:
    """Account `account` of the engine behind `desk`.

    `quotes` and `events` subscribe to the engine's market and to its packed events.
    """

    def __init__(self, desk: HouseDesk, account: int, *, quotes: Quotes, events: Events) -> None:
        self._desk = desk
        self._account = account
        self._quotes = quotes
        self._events = events
        self._listeners: list[AccountSink] = []
        self._ids: dict[int, str] = {}
        self._orders: dict[str, VenueOrder] = {}
        self._requests: dict[str, OrderRequest] = {}
        self._fills: list[VenueFill] = []
        self._newest: dict[str, Any] = {}
        self._stops: list[Callable[[], None]] = []
        self._state, self._reason = State.STOPPED, "not started"
        self._since = 0

    # -- Admin -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen to the engine; what works already is adopted as external."""
        self._desk.read(lambda reads: reads.account(self._account))
        self._stops = [self._events(self._take), self._quotes(self._price)]
        for view in self._desk.read(lambda reads: reads.orders(self._account)):
            self._ids.setdefault(view.id, f"ext-{view.id}")
        self._since = time.time_ns()
        self._become(State.READY, "ready")

    async def stop(self) -> None:
        """Stop listening."""
        for stop in self._stops:
            stop()
        self._stops.clear()
        self._become(State.STOPPED, "stopped")

    def info(self) -> VenueInfo:
        """What it is."""
        return VenueInfo(
            venue=VENUE,
            title="Tradeloom's own engine",
            profile_date="",
            account=str(self._account),
            trades=True,
            topics=(Topic.QUOTES,),
            features=("amend", "cancel all", "positions"),
            urls={},
        )

    def health(self) -> Health:
        """How it is: in process, so up or stopped."""
        up = bool(self._stops)
        link = LinkHealth(
            name="in process", up=up, connects=1, frames=0, bytes=0, silent_s=0.0, error=""
        )
        return Health(
            venue=VENUE,
            state=self._state,
            reason=self._reason,
            links=(link,),
            stale={},
            clock_offset_ms=0.0,
            round_trip_ms=0.0,
            unresolved=0,
            counters={"fills": len(self._fills)},
        )

    def limits(self) -> list[RateLimit]:
        """The engine's own limits are in the group; nothing is counted here."""
        return [RateLimit(name="none", limit=1, per_s=1.0, used=0.0)]

    async def drain(self, timeout_s: float = 30.0) -> bool:
        """Take no new orders and wait for the working ones."""
        self._become(State.DRAINING, "draining: no new orders")
        until = time.monotonic() + timeout_s
        while self._working() and time.monotonic() < until:
            await asyncio.sleep(0.02)
        return not self._working()

    async def reconnect(self) -> None:
        """Nothing to connect."""

    async def kill(self, reason: str) -> list[OrderAnswer]:
        """The account's trading state becomes HALTED (latched in the engine); all is cancelled."""
        await self._trading_state(TradingState.HALTED)
        self._become(State.KILLED, reason or "killed")
        return await self.cancel_all()

    async def reset(self, reason: str) -> None:
        """Trade again."""
        await self._trading_state(TradingState.ACTIVE)
        self._become(State.READY, f"reset: {reason}")

    async def cancel_on_disconnect(self, after_s: int | None) -> None:
        """There is nothing to be disconnected from."""
        raise Unsupported("the engine runs in this process: there is no connection to lose")

    # -- MarketData ------------------------------------------------------------------------------

    async def instruments(self) -> list[VenueInstrument]:
        """Every instrument of the engine."""
        return [_listed(each) for each in self._desk.names.instruments]

    async def snapshot(self, symbol: str, depth: int = 20) -> BookDelta:
        """The touch: the engine's market has one level."""
        at = self._instrument(symbol)
        quote = self._desk.read(lambda reads: reads.quote(symbol))
        if quote is None:
            raise Unsupported(f"{symbol} has no price yet")
        bid = exact_points(quote.bid, at.digits)
        ask = exact_points(quote.ask, at.digits)
        now = time.time_ns()
        return BookDelta(VENUE, symbol, at.digits, True, ((bid, 0),), ((ask, 0),), now, now)

    async def bars(
        self, symbol: str, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """Charts of the house come from its store."""
        raise Unsupported("the house's bars are in the store: GET /api/v1/bars")

    async def subscribe(
        self, symbols: Iterable[str], topics: Iterable[Topic], sink: MarketSink
    ) -> HouseSubscription:
        """Quotes of the engine's market."""
        wanted = {self._instrument(symbol).symbol for symbol in symbols}
        odd = [topic.name.lower() for topic in topics if topic is not Topic.QUOTES]
        if odd:
            raise Unsupported(f"the house has quotes only, no {', '.join(odd)}")

        def deliver(quotes: Sequence[HouseQuote]) -> None:
            now = time.time_ns()
            for quote in quotes:
                if quote.symbol in wanted:
                    sink(_event(quote, now))

        for symbol in sorted(wanted & set(self._newest)):
            sink(_event(self._newest[symbol], time.time_ns()))
        return HouseSubscription(self._quotes(deliver))

    # -- TradeFlow -------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> OrderAnswer:
        """Place an order: the engine checks it."""
        first = self._requests.get(request.client_id)
        if first is None and self._state is State.DRAINING:
            text = "draining: no new orders are taken"
            return _answer(request.client_id, ReturnCode.TRADE_DISABLE, "", text)
        sent = time.time_ns()
        self._requests.setdefault(request.client_id, request)
        try:
            reply = await self._desk.execute(self._command(request))
        except Refused as error:
            self._forget(request, first)
            return _answer(request.client_id, error.code, error.field, str(error), sent)
        if not reply.code.good:
            self._forget(request, first)
            text = f"the engine refuses it: {reply.code.name}"
            return _answer(request.client_id, reply.code, reply.field, text, sent)
        order = str(reply.reference)
        self._ids[reply.reference] = request.client_id
        return _answer(request.client_id, ReturnCode.OK, "", "", sent, order)

    async def amend(self, change: Amendment) -> OrderAnswer:
        """Change the price; the engine changes no volumes."""
        number, order = self._number(change.client_id), self._orders.get(change.client_id)
        if number is None or order is None or order.state not in _OPEN:
            return self._not_open(change.client_id)
        if change.volume is not None and change.volume != order.volume:
            text = "the engine amends prices only: cancel, and place a new order"
            return _answer(change.client_id, ReturnCode.TRADE_INCORRECT_CMD, "volume", text)
        price = change.price if change.price is not None else order.price
        command = c.ModifyOrder(account=self._account, order=number, price=price or Decimal(0))
        return await self._checked(change.client_id, command)

    async def cancel(self, client_id: str) -> OrderAnswer:
        """Cancel one order."""
        number, order = self._number(client_id), self._orders.get(client_id)
        if number is None or order is None or order.state not in _OPEN:
            return self._not_open(client_id)
        return await self._checked(client_id, c.CancelOrder(account=self._account, order=number))

    async def cancel_all(self, symbol: str | None = None) -> list[OrderAnswer]:
        """Cancel what works."""
        return [
            await self.cancel(order.client_id)
            for order in self._working()
            if symbol in (None, order.symbol)
        ]

    async def query(self, client_id: str) -> VenueOrder:
        """The order now."""
        order = self._orders.get(client_id)
        if order is None:
            raise UnknownOrder(f"no order {client_id}")
        return order

    async def open_orders(self, symbol: str | None = None) -> list[VenueOrder]:
        """What works."""
        return [order for order in self._working() if symbol in (None, order.symbol)]

    async def fills(self, since_ns: int = 0, symbol: str | None = None) -> list[VenueFill]:
        """Executions since this connector started; older ones are in the store."""
        return [
            fill
            for fill in self._fills
            if fill.venue_ns >= since_ns and symbol in (None, fill.symbol)
        ]

    async def positions(self) -> list[VenuePosition]:
        """Open positions of the account."""
        views = self._desk.read(lambda reads: reads.positions(self._account))
        return [
            VenuePosition(
                venue=VENUE,
                account=str(self._account),
                symbol=view.instrument,
                volume=view.volume if view.side is Side.BUY else -view.volume,
                entry_price=view.price,
                unrealised=view.profit,
            )
            for view in views
        ]

    async def balances(self) -> list[VenueBalance]:
        """The account's balance and free margin."""
        view = self._desk.read(lambda reads: reads.account(self._account))
        return [
            VenueBalance(
                venue=VENUE,
                account=str(self._account),
                currency=view.currency,
                total=view.balance,
                free=view.free_margin,
            )
        ]

    def listen(self, sink: AccountSink) -> Callable[[], None]:
        """Deliver account events."""
        self._listeners.append(sink)
        return lambda: self._listeners.remove(sink) if sink in self._listeners else None

    # -- inside ----------------------------------------------------------------------------------

    def _command(self, request: OrderRequest) -> c.PlaceOrder:
        stop_limit = request.stop_price is not None and request.price is not None
        price = request.stop_price if request.stop_price is not None else request.price
        return c.PlaceOrder(
            id=request.client_id,
            account=self._account,
            instrument=request.symbol,
            side=request.side,
            volume=request.volume,
            type=request.type,
            tif=request.tif,
            price=price,
            limit_price=request.price if stop_limit else None,
            expire=request.expire_ns,
        )

    async def _checked(self, client_id: str, command: c.Command) -> OrderAnswer:
        sent = time.time_ns()
        try:
            reply = await self._desk.execute(command)
        except Refused as error:
            return _answer(client_id, error.code, error.field, str(error), sent)
        text = "" if reply.code.good else f"the engine refuses it: {reply.code.name}"
        code = ReturnCode.OK if reply.code.good else reply.code
        return _answer(client_id, code, reply.field, text, sent, str(self._number(client_id)))

    async def _trading_state(self, state: TradingState) -> None:
        await self._desk.execute(
            c.SetTradingState(scope=Scope.ACCOUNT, state=state, target=self._account)
        )

    def _forget(self, request: OrderRequest, first: OrderRequest | None) -> None:
        if first is None:
            self._requests.pop(request.client_id, None)

    def _number(self, client_id: str) -> int | None:
        order = self._orders.get(client_id)
        return int(order.venue_order_id) if order is not None else None

    def _working(self) -> list[VenueOrder]:
        return [order for order in self._orders.values() if order.state in _OPEN]

    def _take(self, data: bytes) -> None:
        """Packed events of one batch."""
        mine = [x for x in self._desk.events(data) if getattr(x, "account", 0) == self._account]
        for event in mine:
            if isinstance(event, e.Result) and event.id in self._requests and event.reference:
                self._ids[event.reference] = event.id
        for event in mine:
            if isinstance(event, e.OrderUpdated):
                self._order(event)
            elif isinstance(event, e.Fill):
                self._fill(event)

    def _order(self, event: e.OrderUpdated) -> None:
        client_id = self._ids.get(event.order, f"ext-{event.order}")
        self._ids[event.order] = client_id
        known = self._orders.get(client_id)
        order = VenueOrder(
            venue=VENUE,
            account=str(self._account),
            client_id=client_id,
            venue_order_id=str(event.order),
            symbol=event.instrument,
            side=event.side,
            type=event.type,
            tif=event.tif,
            volume=event.volume,
            filled=event.filled,
            price=event.limit_price if event.limit_price is not None else event.price,
            average=known.average if known is not None else None,
            state=event.state,
            reason="" if event.code.good else event.code.name,
            venue_ns=event.ts,
        )
        self._orders[client_id] = order
        if len(self._orders) > CLOSED_KEPT:
            oldest = next((k for k, o in self._orders.items() if o.state not in _OPEN), None)
            if oldest is not None:
                del self._orders[oldest]
        self._tell(order)

    def _fill(self, event: e.Fill) -> None:
        client_id = self._ids.get(event.order, f"ext-{event.order}")
        fill = VenueFill(
            venue=VENUE,
            account=str(self._account),
            trade_id=str(event.seq),
            venue_order_id=str(event.order),
            client_id=client_id,
            symbol=event.instrument,
            side=event.side,
            price=event.price,
            volume=event.volume,
            fee=event.commission,
            fee_currency=self._desk.read(lambda reads: reads.account(self._account)).currency,
            venue_ns=event.ts,
            recv_ns=time.time_ns(),
        )
        self._fills.append(fill)
        if len(self._fills) > CLOSED_KEPT:
            del self._fills[0]
        self._tell(fill)

    def _price(self, quotes: Sequence[HouseQuote]) -> None:
        for quote in quotes:
            self._newest[quote.symbol] = quote

    def _instrument(self, symbol: str) -> Instrument:
        for each in self._desk.names.instruments:
            if each.symbol == symbol:
                return each
        raise UnknownSymbol(f"the house has no {symbol!r}")

    def _tell(self, event: AccountEvent) -> None:
        for sink in tuple(self._listeners):
            sink(event)

    def _become(self, state: State, reason: str) -> None:
        self._state, self._reason = state, reason
        self._tell(
            StateChange(
                venue=VENUE,
                account=str(self._account),
                state=state,
                reason=reason,
                recv_ns=time.time_ns(),
            )
        )

    def _not_open(self, client_id: str) -> OrderAnswer:
        order = self._orders.get(client_id)
        if order is None:
            return _answer(client_id, ReturnCode.ERR_NOTFOUND, "client_id", "no such order")
        text = f"the order is {order.state.name.lower()} already"
        return _answer(client_id, ReturnCode.TRADE_INCORRECT_STATE, "client_id", text)


_OPEN: Final = frozenset(
    {
        OrderState.WORKING,
        OrderState.PARTIAL,
        OrderState.ROUTING,
        OrderState.ROUTED,
        OrderState.CANCEL_PENDING,
        OrderState.UNRESOLVED,
        OrderState.TRIGGERED,
        OrderState.MODIFIED,
    }
)


def _event(quote: HouseQuote, now: int) -> MarketEvent:
    return BookQuote(
        VENUE,
        quote.symbol,
        quote.digits,
        quote.bid,
        quote.ask,
        0,
        0,
        quote.ts,
        now,
        quote.number,
    )


def _answer(
    client_id: str,
    code: ReturnCode,
    field: str,
    message: str,
    sent_ns: int = 0,
    order: str = "",
) -> OrderAnswer:
    now = time.time_ns()
    return OrderAnswer(
        client_id=client_id,
        outcome=Outcome.ACCEPTED if code.good else Outcome.REFUSED,
        venue_order_id=order,
        code=code,
        field=field,
        message=message,
        sent_ns=sent_ns or now,
        answered_ns=now,
    )


def _listed(at: Instrument) -> VenueInstrument:
    tick = at.tick_size if at.tick_size is not None else Decimal(1).scaleb(-at.digits)
    return VenueInstrument(
        venue=VENUE,
        symbol=at.symbol,
        wire=at.symbol,
        kind=InstrumentKind.SPOT,
        base=at.base,
        quote=at.profit,
        settle=at.profit,
        digits=at.digits,
        tick=exact_points(tick, at.digits),
        step=exact_sizes(at.volume_step),
        volume_min=exact_sizes(at.volume_min),
        volume_max=exact_sizes(at.volume_max),
        contract_size=at.contract_size,
        contract_currency=at.base,
    )
