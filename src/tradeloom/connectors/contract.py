"""The one contract of every venue: MarketData, TradeFlow and Admin.

The same three services are spoken in process (these protocols) and over gRPC (`proto/`). Order
entry uses exact decimals; the price stream uses the integer events of `tradeloom.domain.market`.

An order call ends in one of three outcomes. ACCEPTED: the venue has it. REFUSED: the venue, or a
check before sending, said no, and nothing rests anywhere. UNRESOLVED: sent, and nobody knows: a
timeout, a cut connection or a 5xx. Unresolved orders are asked for by their client id until the
venue tells; they are never sent again and never called rejected. A query that fails raises
`VenueUnavailable`: unknown is not empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Protocol, runtime_checkable

import msgspec

from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce
from tradeloom.domain.market import BookDelta, HistoricBar, MarketEvent, Topic, VenueInstrument

MarketSink = Callable[[MarketEvent], None]
"""Receives events in the venue's order, on the connector's loop; it must not block or raise."""


class Outcome(IntEnum):
    """How an order call ended."""

    ACCEPTED = 0
    REFUSED = 1
    UNRESOLVED = 2


class Origin(Enum):
    """Who made an order."""

    OURS = "ours"
    EXTERNAL = "external"  # found at the venue without an intent of ours, and adopted


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order to be placed. `volume` is in units of the venue's own quantity.

    `client_id` is ours, 1 to 32 of `[A-Za-z0-9_-]`, unique per account for ever; connectors map it
    to what the venue accepts. `expire_ns` belongs to TimeInForce.GTD.
    """

    client_id: str
    symbol: str
    side: Side
    volume: Decimal
    type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    stop_price: Decimal | None = None
    tif: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    expire_ns: int = 0


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """New terms of a working order; None keeps what it has. `volume` is the new whole volume."""

    client_id: str
    price: Decimal | None = None
    volume: Decimal | None = None


class OrderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a submit, amend or cancel.

    `code` is ours, `venue_code` the venue's own; `field` names what was wrong with a refused
    request; `message` says what to do.
    """

    client_id: str
    outcome: Outcome
    venue_order_id: str = ""
    code: ReturnCode = ReturnCode.OK
    field: str = ""
    venue_code: str = ""
    message: str = ""
    sent_ns: int = 0
    answered_ns: int = 0


class VenueOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an order at a venue; also the event when that changes."""

    venue: str
    account: str
    client_id: str
    venue_order_id: str
    symbol: str
    side: Side
    type: OrderType
    tif: TimeInForce
    volume: Decimal
    filled: Decimal
    price: Decimal | None
    average: Decimal | None
    state: OrderState
    origin: Origin = Origin.OURS
    reason: str = ""
    venue_ns: int = 0


class VenueFill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution, booked once per (venue, account, symbol, trade_id)."""

    venue: str
    account: str
    trade_id: str
    venue_order_id: str
    client_id: str
    symbol: str
    side: Side
    price: Decimal
    volume: Decimal
    fee: Decimal = Decimal(0)  # positive: paid
    fee_currency: str = ""
    maker: bool | None = None
    venue_ns: int = 0
    recv_ns: int = 0


class VenueBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Money of one currency at a venue."""

    venue: str
    account: str
    currency: str
    total: Decimal
    free: Decimal
    venue_ns: int = 0


class VenuePosition(msgspec.Struct, frozen=True, kw_only=True):
    """A derivative position or a holding; `volume` is negative when short, 0 when it was closed."""

    venue: str
    account: str
    symbol: str
    volume: Decimal
    entry_price: Decimal | None = None
    unrealised: Decimal | None = None
    venue_ns: int = 0


class State(Enum):
    """Where a connector is in its life."""

    STOPPED = "stopped"
    CONNECTING = "connecting"
    RECONCILING = "reconciling"  # connected, but orders, fills and balances are not compared yet
    READY = "ready"
    DEGRADED = "degraded"  # market data only: no keys, or the private side is away
    DRAINING = "draining"  # no new orders; waiting for the working ones
    KILLED = "killed"  # no new orders until a person resets it; cancels are allowed
    REFUSED = "refused"  # keys, clock or permissions are wrong: not tried again by itself


class StateChange(msgspec.Struct, frozen=True, kw_only=True):
    """The connector changed its state; `reason` says why and, if a person must act, what to do."""

    venue: str
    account: str
    state: State
    reason: str
    recv_ns: int


AccountEvent = VenueOrder | VenueFill | VenueBalance | VenuePosition | StateChange
AccountSink = Callable[[AccountEvent], None]


class VenueInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector is; `profile_date` dates its facts, `features` is what the venue offers."""

    venue: str
    title: str
    profile_date: str
    account: str
    trades: bool
    topics: tuple[Topic, ...]
    features: tuple[str, ...]
    urls: dict[str, str]


class LinkHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One connection: how often it came up, what it carried, how old its last frame is."""

    name: str
    up: bool
    connects: int
    frames: int
    bytes: int
    silent_s: float
    error: str = ""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a person wants to know when prices or orders look wrong.

    `counters`: frames by what became of them, quarantined quotes by rule, gaps, resyncs,
    unresolved orders, waits for rate limits. `stale` are symbols that may not be traded on.
    """

    venue: str
    state: State
    reason: str
    links: tuple[LinkHealth, ...]
    stale: dict[str, str]
    clock_offset_ms: float | None
    round_trip_ms: float | None
    unresolved: int
    counters: dict[str, int]


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A budget of the venue: `used` of `limit` per `per_s` seconds, closed for `blocked_s`."""

    name: str
    limit: int
    per_s: float
    used: float
    blocked_s: float = 0.0


class VenueUnavailable(Exception):  # noqa: N818
    """The venue did not answer: nothing is known, least of all that something is not there."""


class UnknownSymbol(ValueError):  # noqa: N818
    """No instrument of the venue has this name."""


class UnknownOrder(LookupError):  # noqa: N818
    """The venue answered, and has no such order."""


class Unsupported(ValueError):  # noqa: N818
    """The venue does not offer this; the message says what it offers instead."""


@runtime_checkable
class Subscription(Protocol):
    """A running subscription."""

    async def close(self) -> None:
        """Stop delivering; the venue is unsubscribed when nobody else wants the topic."""
        ...


@runtime_checkable
class MarketData(Protocol):
    """Prices of a venue."""

    async def instruments(self) -> list[VenueInstrument]:
        """What the venue lists; raises VenueUnavailable."""
        ...

    async def snapshot(self, symbol: str, depth: int = 20) -> BookDelta:
        """The book now, as a snapshot event; raises VenueUnavailable, UnknownSymbol."""
        ...

    async def bars(
        self, symbol: str, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """Finished bars from the venue's history; raises VenueUnavailable, Unsupported."""
        ...

    async def subscribe(
        self, symbols: Iterable[str], topics: Iterable[Topic], sink: MarketSink
    ) -> Subscription:
        """Deliver the topics of the symbols to `sink`; raises UnknownSymbol, Unsupported."""
        ...


@runtime_checkable
class TradeFlow(Protocol):
    """Orders of one account at a venue. Calls for orders return answers, they do not raise."""

    async def submit(self, request: OrderRequest) -> OrderAnswer:
        """Place an order: its intent is durable before the first byte is sent."""
        ...

    async def amend(self, change: Amendment) -> OrderAnswer:
        """Change price or volume."""
        ...

    async def cancel(self, client_id: str) -> OrderAnswer:
        """Cancel one order."""
        ...

    async def cancel_all(self, symbol: str | None = None) -> list[OrderAnswer]:
        """Cancel what is open, of one symbol or all."""
        ...

    async def query(self, client_id: str) -> VenueOrder:
        """The order as the venue has it now; raises VenueUnavailable, UnknownOrder."""
        ...

    async def open_orders(self, symbol: str | None = None) -> list[VenueOrder]:
        """What works at the venue now; raises VenueUnavailable."""
        ...

    async def fills(self, since_ns: int = 0, symbol: str | None = None) -> list[VenueFill]:
        """Executions since then, oldest first; raises VenueUnavailable."""
        ...

    async def positions(self) -> list[VenuePosition]:
        """Open positions; raises VenueUnavailable."""
        ...

    async def balances(self) -> list[VenueBalance]:
        """Money that is not zero; raises VenueUnavailable."""
        ...

    def listen(self, sink: AccountSink) -> Callable[[], None]:
        """Deliver account events in order until the returned function is called."""
        ...


@runtime_checkable
class Admin(Protocol):
    """Running a connector."""

    async def start(self) -> None:
        """Connect; returns when READY, DEGRADED or REFUSED, or after the start timeout."""
        ...

    async def stop(self) -> None:
        """Close every connection; orders at the venue stay."""
        ...

    def info(self) -> VenueInfo:
        """What it is."""
        ...

    def health(self) -> Health:
        """How it is."""
        ...

    def limits(self) -> list[RateLimit]:
        """What is left of the venue's budgets."""
        ...

    async def drain(self, timeout_s: float = 30.0) -> bool:
        """Take no new orders and wait for the working ones; False when some were left."""
        ...

    async def reconnect(self) -> None:
        """Close and open every connection, resubscribe, reconcile."""
        ...

    async def kill(self, reason: str) -> list[OrderAnswer]:
        """Refuse new orders (latched) and cancel all open ones."""
        ...

    async def reset(self, reason: str) -> None:
        """Undo `kill` or `drain`; a person's decision."""
        ...

    async def cancel_on_disconnect(self, after_s: int | None) -> None:
        """Let the venue cancel everything when we fall silent; None: off. Raises Unsupported."""
        ...


@runtime_checkable
class Connector(MarketData, TradeFlow, Admin, Protocol):
    """A venue, whole."""
