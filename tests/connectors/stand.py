"""A connector and the simulator of its venue, face to face over loopback sockets."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from tradeloom.connectors.connector import VenueConnector
from tradeloom.connectors.contract import AccountEvent, OrderRequest, State, VenueFill, VenueOrder
from tradeloom.connectors.dialect import Dialect
from tradeloom.connectors.profile import Credentials, Need
from tradeloom.domain.enums import OrderType, Side
from tradeloom.domain.market import (
    SIZE_SCALE,
    BookDelta,
    BookQuote,
    MarketEvent,
    Topic,
    TradeTick,
)
from tradeloom.simulators import Simulator, SystemClock, VenueDialect
from tradeloom.simulators.faults import Fault, FaultKind

E = TypeVar("E")
PATIENCE_S = 10.0


async def until(true: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait for a condition."""
    end = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < end, f"in vain: {what}"
        await asyncio.sleep(0.01)


class Stand:
    """What a test holds: the venue, the connector, and everything they told."""

    def __init__(
        self, simulator: Simulator, venue: VenueDialect, connector: VenueConnector
    ) -> None:
        self.simulator = simulator
        self.venue = venue
        self.connector = connector
        self.market: list[MarketEvent] = []
        self.news: list[AccountEvent] = []
        connector.listen(self.news.append)

    def of(self, kind: type[E]) -> list[E]:
        """Events of one kind, market and account."""
        return [each for each in (*self.market, *self.news) if isinstance(each, kind)]

    def orders(self, client_id: str) -> list[VenueOrder]:
        """What was told of an order."""
        return [each for each in self.of(VenueOrder) if each.client_id == client_id]

    def fills(self, client_id: str) -> list[VenueFill]:
        """What was told of an order's fills."""
        return [each for each in self.of(VenueFill) if each.client_id == client_id]

    def arm(self, kind: FaultKind, where: str = "", **more: float) -> Fault:
        """Let something go wrong."""
        count = int(more.pop("count", 1))
        fault = Fault(kind=kind, where=where, count=count)
        fault.status, fault.after = int(more.pop("status", 0)), int(more.pop("after", 0))
        fault.seconds = more.pop("seconds", 0.0)
        assert not more
        return self.venue.inject(fault)

    def quote(self, symbol: str, bid: int, ask: int, size: int = 5 * SIZE_SCALE) -> None:
        """The outside market's best prices."""
        at, now = self.venue.exchange.market(symbol).instrument, time.time_ns()
        event = BookQuote(self.venue.name, at.symbol, at.digits, bid, ask, size, size, now, now)
        self.venue.feed(event)

    def trade(self, symbol: str, price: int, size: int, side: Side = Side.SELL) -> None:
        """A trade of the outside market."""
        at, now = self.venue.exchange.market(symbol).instrument, time.time_ns()
        event = TradeTick(self.venue.name, at.symbol, at.digits, price, size, side, "", now, now)
        self.venue.feed(event)

    def book(self, symbol: str, middle: int, levels: int = 30, size: int = SIZE_SCALE) -> None:
        """The outside market's book, `levels` on each side."""
        at, now = self.venue.exchange.market(symbol).instrument, time.time_ns()
        bids = tuple((middle - n * at.tick, size + n) for n in range(1, levels + 1))
        asks = tuple((middle + n * at.tick, size + n) for n in range(1, levels + 1))
        name = self.venue.name
        self.venue.feed(BookDelta(name, at.symbol, at.digits, True, bids, asks, now, now))

    async def follow(self, *symbols: str, topics: tuple[Topic, ...]) -> None:
        """Subscribe, and wait until every symbol may be traded on."""
        await self.connector.subscribe(symbols, topics, self.market.append)
        await until(
            lambda: (
                all(link.up for link in self.connector.health().links)
                and not self.connector.feed._silent
            ),
            "market data",
        )

    def same_book(self, symbol: str, depth: int = 20) -> bool:
        """Whether the kept book is the venue's."""
        book = self.connector.feed.keeper.books.get(symbol)
        ours = book.snapshot(depth) if book is not None else None
        theirs = self.venue.exchange.snapshot(symbol, depth)
        return ours is not None and (ours.bids, ours.asks) == (theirs.bids, theirs.asks)


@contextlib.asynccontextmanager
async def stand(
    simulated: type[VenueDialect],
    dialect: type[Dialect],
    *,
    symbols: tuple[str, ...],
    keys: Mapping[Need, str] | None = None,
    folder: Path | None = None,
    options: Mapping[str, str] | None = None,
    trades: bool = True,
    start: bool = True,
    prepare: Callable[[VenueDialect], None] | None = None,
) -> AsyncIterator[Stand]:
    """Both, started; `keys` replaces parts of the right ones."""
    venue = simulated(seed=7, clock=SystemClock(), symbols=symbols)
    if prepare is not None:
        prepare(venue)
    async with Simulator([venue]) as simulator:
        right = venue.keys.all()[0]
        values = {Need.KEY: right.key, Need.SECRET: right.secret, Need.PASSPHRASE: right.passphrase}
        base = f"http://127.0.0.1:{simulator.port}"
        connector = VenueConnector(
            dialect,
            urls=dialect.profile.simulated(base),
            credentials=Credentials("main", {**values, **(keys or {})}) if trades else None,
            folder=folder,
            options=options,
        )
        held = Stand(simulator, venue, connector)
        try:
            if start:
                await connector.start()
            yield held
        finally:
            await connector.close()


def ready(held: Stand) -> None:
    """It must be READY."""
    health = held.connector.health()
    assert health.state is State.READY, (health.state, health.reason, health.links)


_ids: Iterator[int] = iter(range(1, 10**9))


def limit(
    symbol: str, side: Side, volume: str, price: str, client_id: str = "", **more: bool
) -> OrderRequest:
    """A limit order."""
    return OrderRequest(
        client_id=client_id or f"t-{next(_ids)}",
        symbol=symbol,
        side=side,
        volume=Decimal(volume),
        type=OrderType.LIMIT,
        price=Decimal(price),
        **more,  # type: ignore[arg-type]
    )


def market(symbol: str, side: Side, volume: str) -> OrderRequest:
    """A market order."""
    return OrderRequest(
        client_id=f"t-{next(_ids)}", symbol=symbol, side=side, volume=Decimal(volume)
    )
