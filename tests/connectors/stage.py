"""A connector and its simulator over loopback sockets, with everything they say collected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from tradeloom.connectors.connector import VenueConnector
from tradeloom.connectors.contract import (
    AccountEvent,
    OrderRequest,
    State,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenuePosition,
)
from tradeloom.connectors.profile import Credentials, Need
from tradeloom.connectors.venues import dialect_of
from tradeloom.domain.enums import OrderState, OrderType, Side, TimeInForce
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    FeedStatus,
    Funding,
    MarketEvent,
    Topic,
    TradeTick,
)
from tradeloom.simulators import Simulator, SystemClock, VenueDialect
from tradeloom.simulators.faults import Fault, FaultKind
from tradeloom.simulators.venues import dialect

E = TypeVar("E")


class Stage:
    """One venue: `venue` is the simulated one, `connector` ours."""

    def __init__(self, simulator: Simulator, venue: VenueDialect, connector: VenueConnector):
        self.simulator = simulator
        self.venue = venue
        self.connector = connector
        self.account: list[AccountEvent] = []
        self.market: list[MarketEvent] = []
        connector.listen(self.account.append)

    # -- the outside market ----------------------------------------------------------------------

    def quote(self, symbol: str, bid: str, ask: str, size: str = "5000") -> None:
        """The outside market's best prices."""
        at = self.venue.exchange.market(symbol).instrument
        low, high = (int(Decimal(text).scaleb(at.digits)) for text in (bid, ask))
        units = int(Decimal(size).scaleb(8))
        now = self.venue.clock.now_ns()
        self.venue.feed(
            BookQuote(at.venue, at.symbol, at.digits, low, high, units, units, now, now)
        )

    def book(self, symbol: str, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        """Levels of the outside market; size 0 removes one."""
        at = self.venue.exchange.market(symbol).instrument
        low, high = (
            tuple((int(Decimal(p).scaleb(at.digits)), int(Decimal(s).scaleb(8))) for p, s in side)
            for side in (bids, asks)
        )
        now = self.venue.clock.now_ns()
        self.venue.feed(BookDelta(at.venue, at.symbol, at.digits, False, low, high, now, now))

    def trade(self, symbol: str, price: str, size: str, side: Side = Side.BUY) -> None:
        """A trade of the outside market."""
        at = self.venue.exchange.market(symbol).instrument
        now = self.venue.clock.now_ns()
        mantissa, units = int(Decimal(price).scaleb(at.digits)), int(Decimal(size).scaleb(8))
        self.venue.feed(
            TradeTick(at.venue, at.symbol, at.digits, mantissa, units, side, "0", now, now)
        )

    def fault(self, kind: FaultKind, where: str = "", **fields: float) -> Fault:
        """Arm a fault, or let it strike now."""
        given = {"kind": kind, "where": where} | fields
        return self.venue.inject(Fault(**given))  # type: ignore[arg-type]

    # -- what was heard --------------------------------------------------------------------------

    async def subscribe(self, *symbols: str, topics: Iterable[Topic] = (Topic.QUOTES,)) -> None:
        """Collect market events."""
        await self.connector.subscribe(symbols, topics, self.market.append)

    def heard(self, kind: type[E], where: Callable[[E], bool] = lambda each: True) -> list[E]:
        """Events of one kind so far, of market and account."""
        both = [*self.market, *self.account]
        return [each for each in both if isinstance(each, kind) and where(each)]

    async def until(self, what: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait for something to become true."""
        for _ in range(int(seconds / 0.005)):
            if what():
                return
            await asyncio.sleep(0.005)
        health = self.connector.health()
        raise AssertionError(f"did not happen; state {health.state} {health.reason} {health}")

    async def ready(self) -> None:
        """Wait for READY."""
        await self.until(lambda: self.connector.state is State.READY)

    def order(self, client_id: str) -> VenueOrder:
        """An order as the connector knows it."""
        known = self.connector.desk.store.find(client_id)
        assert known is not None
        return known.order

    async def order_is(self, client_id: str, *states: OrderState) -> VenueOrder:
        """Wait for an order's state."""
        await self.until(lambda: self.order(client_id).state in states)
        return self.order(client_id)

    @property
    def at_venue(self) -> int:
        """Orders that ever came to the venue."""
        return sum(
            1 for name in self.venue.exchange.accounts for _ in self.venue.exchange.orders(name)
        )


def demo_key(venue: VenueDialect, **changes: str) -> Credentials:
    """The simulated venue's own demo key as the vault would give it."""
    demo = venue.keys.all()[0]
    values = {Need.KEY: demo.key, Need.SECRET: demo.secret}
    if demo.passphrase:
        values[Need.PASSPHRASE] = values[Need.REFRESH_TOKEN] = demo.passphrase
    for name, value in changes.items():
        values[Need(name)] = value
    return Credentials(demo.account, values)


def limit(
    client_id: str, symbol: str, side: Side, volume: str, price: str, **terms: object
) -> OrderRequest:
    """A limit order."""
    return OrderRequest(
        client_id=client_id,
        symbol=symbol,
        side=side,
        volume=Decimal(volume),
        type=OrderType.LIMIT,
        price=Decimal(price),
        **terms,  # type: ignore[arg-type]
    )


def market(client_id: str, symbol: str, side: Side, volume: str) -> OrderRequest:
    """A market order."""
    return OrderRequest(
        client_id=client_id,
        symbol=symbol,
        side=side,
        volume=Decimal(volume),
        type=OrderType.MARKET,
        tif=TimeInForce.IOC,
    )


@asynccontextmanager
async def staged(
    name: str,
    symbols: Iterable[str],
    *,
    key: Callable[[VenueDialect], Credentials | None] = demo_key,
    prepare: Callable[[Stage], None] = lambda stage: None,
    options: Mapping[str, str] | None = None,
    folder: Path | None = None,
    start: bool = True,
) -> AsyncIterator[Stage]:
    """A simulator and a started connector; both are closed at the end."""
    venue = dialect(name)(seed=1, clock=SystemClock(), symbols=tuple(symbols))
    async with Simulator([venue]) as simulator:
        kind = dialect_of(name)
        connector = VenueConnector(
            kind,
            urls=kind.profile.simulated(f"http://{simulator.host}:{simulator.port}"),
            credentials=key(venue),
            folder=folder,
            options=options,
        )
        stage = Stage(simulator, venue, connector)
        prepare(stage)
        try:
            if start:
                await connector.start()
            yield stage
        finally:
            await connector.close()


__all__ = [
    "BookDelta",
    "BookQuote",
    "FaultKind",
    "FeedStatus",
    "Funding",
    "Stage",
    "Topic",
    "TradeTick",
    "VenueBalance",
    "VenueFill",
    "VenuePosition",
    "demo_key",
    "limit",
    "market",
    "staged",
]
