"""The broker switch: an algo holds a `Market`; what stands behind it may change at any time.

Connections have names; several may go to one venue. A market follows a policy over some of them:
PINNED to the first, FAILOVER to the first that is ready with fresh prices, or BEST_PRICE for each
order. Moving never loses an order: orders stay with the connection that took them and are amended,
cancelled and reported through the same handle.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from tradeloom.connectors.contract import (
    AccountEvent,
    AccountSink,
    Amendment,
    Connector,
    MarketSink,
    OrderAnswer,
    OrderRequest,
    Outcome,
    State,
    StateChange,
    Subscription,
    VenueFill,
    VenueOrder,
)
from tradeloom.connectors.limits import TAKERS_KEPT
from tradeloom.domain.enums import ReturnCode, Side
from tradeloom.domain.market import BookQuote, FeedState, FeedStatus, MarketEvent, Topic

log = logging.getLogger(__name__)


class Policy(Enum):
    """Which connection a market uses."""

    PINNED = "pinned"
    FAILOVER = "failover"
    BEST_PRICE = "best_price"


class _Leg:
    """One connection as one market uses it."""

    __slots__ = ("connector", "fresh", "name", "quote", "stop", "subscription", "symbol")

    def __init__(self, name: str, connector: Connector, symbol: str) -> None:
        self.name = name
        self.connector = connector
        self.symbol = symbol
        self.quote: BookQuote | None = None
        self.fresh = False
        self.subscription: Subscription | None = None
        self.stop: Callable[[], None] | None = None

    def price(self, side: Side) -> Decimal | None:
        """What an order of this side would pay or get now."""
        if self.quote is None or not self.fresh:
            return None
        mantissa = self.quote.ask if side is Side.BUY else self.quote.bid
        return Decimal(mantissa).scaleb(-self.quote.digits)

    def ready(self) -> bool:
        """Whether orders may go there now."""
        return self.fresh and self.connector.health().state is State.READY


class Market:
    """A handle on one instrument that outlives every connection behind it."""

    def __init__(self, symbol: str, policy: Policy) -> None:
        self.symbol: Final = symbol
        self.policy = policy
        self._legs: list[_Leg] = []
        self._sinks: list[MarketSink] = []
        self._listeners: list[AccountSink] = []
        self._takers: dict[str, _Leg] = {}
        self._active = ""
        self._lock = asyncio.Lock()

    # -- what an algo does -----------------------------------------------------------------------

    @property
    def active(self) -> str:
        """The name of the connection whose quotes are delivered; empty when none is usable."""
        return self._active

    def quote(self) -> BookQuote | None:
        """The newest usable quote; None rather than an old one."""
        leg = self._leg(self._active)
        return leg.quote if leg is not None and leg.fresh else None

    def subscribe(self, sink: MarketSink) -> Callable[[], None]:
        """Deliver the active connection's quotes, and a FeedStatus when they stop or move."""
        self._sinks.append(sink)
        return lambda: self._sinks.remove(sink) if sink in self._sinks else None

    def listen(self, sink: AccountSink) -> Callable[[], None]:
        """Deliver events of orders placed through this handle."""
        self._listeners.append(sink)
        return lambda: self._listeners.remove(sink) if sink in self._listeners else None

    async def submit(self, request: OrderRequest) -> OrderAnswer:
        """Place an order where the policy says; the symbol is this market's.

        The same request again goes where it went first: a switch never doubles an order.
        """
        taker = self._takers.get(request.client_id)
        leg = taker or self._route(request.side)
        if leg is None:
            return OrderAnswer(
                client_id=request.client_id,
                outcome=Outcome.REFUSED,
                code=ReturnCode.TRADE_OFFQUOTES,
                message=f"no connection of {self.symbol} is ready with fresh prices; nothing sent",
            )
        self._takers[request.client_id] = leg
        if len(self._takers) > TAKERS_KEPT:
            self._takers.pop(next(iter(self._takers)))
        answer = await leg.connector.submit(msgspec.structs.replace(request, symbol=leg.symbol))
        if answer.outcome is Outcome.REFUSED and taker is None:
            self._takers.pop(request.client_id, None)  # nothing rests: it may go elsewhere
        return answer

    async def amend(self, change: Amendment) -> OrderAnswer:
        """Change an order, wherever it rests."""
        leg = self._takers.get(change.client_id)
        return await leg.connector.amend(change) if leg else _nobody(change.client_id)

    async def cancel(self, client_id: str) -> OrderAnswer:
        """Cancel an order, wherever it rests."""
        leg = self._takers.get(client_id)
        return await leg.connector.cancel(client_id) if leg else _nobody(client_id)

    # -- what an operator does -------------------------------------------------------------------

    async def use(
        self, connections: Sequence[tuple[str, Connector, str]], policy: Policy | None = None
    ) -> None:
        """Put these (name, connector, symbol there) behind the handle, the preferred one first.

        New ones are subscribed before old ones are let go, so quotes do not stop. Old ones with
        orders of ours stay listened to. Raises what subscribing raises; nothing changed then.
        """
        async with self._lock:
            known = {(leg.name, leg.symbol): leg for leg in self._legs}
            legs, joined = [], []
            try:
                for name, connector, symbol in connections:
                    leg = known.get((name, symbol))
                    if leg is None or leg.connector is not connector:
                        leg = _Leg(name, connector, symbol)
                        joined.append(leg)
                        await self._join(leg)
                    legs.append(leg)
            except BaseException:
                for leg in joined:
                    await self._part(leg)
                raise
            before, self._legs = self._legs, legs
            self.policy = policy or self.policy
            self._choose("the connections were changed")
            for leg in before:
                if leg not in legs:
                    await self._part(leg)

    async def close(self) -> None:
        """Let everything go; orders stay where they are."""
        await self.use(())
        for leg in {id(leg): leg for leg in self._takers.values()}.values():
            if leg.stop is not None:
                leg.stop()

    # -- inside ----------------------------------------------------------------------------------

    async def _join(self, leg: _Leg) -> None:
        def event(what: MarketEvent) -> None:
            self._market_event(leg, what)

        def account(what: AccountEvent) -> None:
            self._account_event(leg, what)

        leg.stop = leg.connector.listen(account)
        leg.subscription = await leg.connector.subscribe([leg.symbol], [Topic.QUOTES], event)

    async def _part(self, leg: _Leg) -> None:
        subscription, leg.subscription, leg.fresh = leg.subscription, None, False
        if subscription is not None:
            await subscription.close()
        if leg.stop is not None and leg not in self._takers.values():
            leg.stop()

    def _market_event(self, leg: _Leg, event: MarketEvent) -> None:
        if isinstance(event, BookQuote):
            leg.quote = event
            if not leg.fresh:
                leg.fresh = True
                self._choose(f"{leg.name} has prices")
            elif self.policy is Policy.BEST_PRICE and leg.name != self._active:
                return
            if leg.name == self._active:
                self._deliver(event)
        elif isinstance(event, FeedStatus):
            leg.fresh = event.state is FeedState.LIVE and leg.quote is not None
            self._choose(f"{leg.name}: {event.reason}")

    def _account_event(self, leg: _Leg, event: AccountEvent) -> None:
        if isinstance(event, StateChange):
            self._choose(f"{leg.name} is {event.state.value}")
            return
        if isinstance(event, VenueOrder | VenueFill) and self._takers.get(event.client_id) is leg:
            for sink in tuple(self._listeners):
                sink(msgspec.structs.replace(event, symbol=self.symbol))

    def _choose(self, why: str) -> None:
        """Which connection is active now; tells subscribers when that changes."""
        candidates = self._legs[:1] if self.policy is Policy.PINNED else self._legs
        chosen = next((leg for leg in candidates if leg.ready()), None)
        chosen = chosen or next((leg for leg in candidates if leg.fresh), None)
        name = chosen.name if chosen is not None else ""
        if name == self._active:
            return
        before, self._active = self._active, name
        log.info("%s: %s -> %s (%s)", self.symbol, before or "none", name or "none", why)
        if chosen is None:
            self._deliver_state(FeedState.STALE, why)
        elif chosen.quote is not None:
            self._deliver_state(FeedState.LIVE, f"from {name}: {why}")
            self._deliver(chosen.quote)

    def _route(self, side: Side) -> _Leg | None:
        ready = [leg for leg in self._legs if leg.ready()]
        if self.policy is Policy.PINNED:
            ready = [leg for leg in ready if leg is self._legs[0]]
        if self.policy is not Policy.BEST_PRICE or len(ready) < 2:
            return ready[0] if ready else None
        priced = [(leg.price(side), leg) for leg in ready]
        known = [(price, leg) for price, leg in priced if price is not None]
        if not known:
            return None
        best = min if side is Side.BUY else max
        return best(known, key=lambda each: each[0])[1]

    def _deliver(self, event: MarketEvent) -> None:
        for sink in tuple(self._sinks):
            try:
                sink(event)
            except Exception:
                log.exception("a subscriber of %s failed", self.symbol)

    def _deliver_state(self, state: FeedState, why: str) -> None:
        quote = self._legs[0].quote if self._legs else None
        recv_ns = quote.recv_ns if quote is not None else 0
        self._deliver(FeedStatus(self._active, self.symbol, state, why, recv_ns))

    def _leg(self, name: str) -> _Leg | None:
        return next((leg for leg in self._legs if leg.name == name), None)


class Switchboard:
    """All connections by name, and the markets on top of them."""

    def __init__(self) -> None:
        self.connections: Final[dict[str, Connector]] = {}
        self.markets: Final[dict[str, Market]] = {}
        self._routes: dict[str, tuple[str, ...]] = {}
        self._symbols: dict[tuple[str, str], str] = {}

    def add(self, name: str, connector: Connector) -> None:
        """Name a connection; raises ValueError for a name in use."""
        if name in self.connections:
            raise ValueError(f"a connection {name!r} exists; remove it or choose another name")
        self.connections[name] = connector

    def market(self, symbol: str, policy: Policy = Policy.FAILOVER) -> Market:
        """The one handle of a symbol."""
        if symbol not in self.markets:
            self.markets[symbol] = Market(symbol, policy)
        return self.markets[symbol]

    async def route(
        self,
        symbol: str,
        names: Iterable[str],
        policy: Policy | None = None,
        symbols: dict[str, str] | None = None,
    ) -> Market:
        """Put connections behind a symbol, the preferred one first; `symbols` names it there.

        Raises ValueError for an unknown name; the market stays as it was.
        """
        order = tuple(names)
        unknown = [name for name in order if name not in self.connections]
        if unknown:
            have = ", ".join(sorted(self.connections)) or "none"
            raise ValueError(f"no connection {', '.join(unknown)} (there are: {have})")
        named = self._symbols | {(symbol, name): at for name, at in (symbols or {}).items()}
        market = self.market(symbol)
        await market.use(
            [(name, self.connections[name], named.get((symbol, name), symbol)) for name in order],
            policy,
        )
        self._symbols, self._routes[symbol] = named, order
        return market

    async def remove(self, name: str) -> None:
        """Take a connection out of every market. It is not stopped: its owner does that."""
        if name not in self.connections:
            raise ValueError(f"no connection {name!r}")
        for symbol, order in list(self._routes.items()):
            if name in order:
                await self.route(symbol, [each for each in order if each != name])
        del self.connections[name]


def _nobody(client_id: str) -> OrderAnswer:
    return OrderAnswer(
        client_id=client_id,
        outcome=Outcome.REFUSED,
        code=ReturnCode.ERR_NOTFOUND,
        field="client_id",
        message="no order of this id was placed through this market",
    )
