"""Every venue twice: called in process, and over gRPC. Both must give the same results."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest

from tests.connectors.stage import Stage, staged
from tradeloom.connectors.contract import (
    AccountEvent,
    Connector,
    OrderRequest,
    State,
    VenueOrder,
)
from tradeloom.connectors.remote import RemoteConnector
from tradeloom.connectors.venues import VENUES
from tradeloom.domain.enums import OrderState, OrderType, Side
from tradeloom.domain.market import MarketEvent, Topic, VenueInstrument
from tradeloom.gateways.grpc.venue import VenueServer
from tradeloom.simulators.venues import DIALECTS

LIVE = sorted(set(VENUES) & set(DIALECTS))
# What is traded at each venue: its own coin or share, around a price that is near the truth.
MIDDLES = {"BTC": 60_000, "AAPL": 200}


class World:
    """A simulated venue, our connector to it, and the face of the connector under test."""

    def __init__(self, stage: Stage, connector: Connector, at: VenueInstrument) -> None:
        self.stage = stage
        self.connector = connector
        self.at = at
        self.market: list[MarketEvent] = []
        self.account: list[AccountEvent] = []
        self._moves = 0
        self._shown: dict[int, set[int]] = {-1: set(), 1: set()}
        connector.listen(self.account.append)

    @property
    def symbol(self) -> str:
        """The symbol that is traded."""
        return self.at.symbol

    @property
    def middle(self) -> int:
        """The price that the book is made around, a multiple of the tick."""
        return int(MIDDLES[self.at.base] * 10**self.at.digits)

    def price(self, steps: int) -> Decimal:
        """The middle and so many ticks."""
        return Decimal(self.middle + steps * self.at.tick).scaleb(-self.at.digits)

    @property
    def volume(self) -> Decimal:
        """A volume that every rule of the venue allows."""
        units = max(self.at.step, self.at.volume_min, 1)
        least = self.at.notional_min / (self.price(0) * self.at.contract_size)
        while Decimal(units).scaleb(-8) * Decimal("0.9") < least:
            units *= 2
        units *= 4
        return Decimal(units - units % max(self.at.step, 1)).scaleb(-8).normalize() + 0

    def quoted(self, shift: int = 0) -> None:
        """Make the outside market: thirty levels each way."""
        far = self.at.tick * 100
        size = str(self.volume * 50)
        digits = self.at.digits
        middle = self.middle + shift * self.at.tick

        sides = []
        for sign in (-1, 1):
            near = middle + sign * self.at.tick
            shown = {near + sign * step * far for step in range(30)}
            gone = self._shown[sign] - shown
            self._shown[sign] = shown
            rows = [(price, "0") for price in sorted(gone)]
            rows += [(price, size) for price in sorted(shown)]
            sides.append([(str(Decimal(price).scaleb(-digits)), units) for price, units in rows])
        self.stage.book(self.at.symbol, *sides)

    def move(self) -> None:
        """Move the outside market by a tick or so."""
        self._moves += 1
        self.quoted(self._moves % 9)

    def order(self, client_id: str, steps: int, side: Side = Side.BUY) -> OrderRequest:
        """A limit order so many ticks from the middle."""
        return OrderRequest(
            client_id=client_id,
            symbol=self.symbol,
            side=side,
            volume=self.volume,
            type=OrderType.LIMIT,
            price=self.price(steps),
        )

    def market_order(self, client_id: str, side: Side = Side.BUY) -> OrderRequest:
        """A market order."""
        return OrderRequest(client_id=client_id, symbol=self.symbol, side=side, volume=self.volume)

    async def follow(self, *topics: Topic) -> None:
        """Collect market events."""
        await self.connector.subscribe([self.symbol], topics, self.market.append)

    async def until(self, what: Callable[[], object], why: str) -> None:
        """Wait for something to become true."""
        for _ in range(2_000):
            if what():
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"{why} did not happen: {self.connector.health()}")

    def news(self, client_id: str) -> list[VenueOrder]:
        """What was told of an order."""
        return [
            each
            for each in self.account
            if isinstance(each, VenueOrder) and each.client_id == client_id
        ]

    async def becomes(self, client_id: str, *states: OrderState) -> VenueOrder:
        """Wait until an order was told to be in one of these states."""
        await self.until(
            lambda: any(each.state in states for each in self.news(client_id)[-1:]),
            f"{client_id} {states}",
        )
        return self.news(client_id)[-1]

    async def ready(self) -> None:
        """Wait for READY."""
        await self.until(lambda: self.connector.health().state is State.READY, "READY")


@pytest.fixture(params=LIVE)
def venue(request: pytest.FixtureRequest) -> str:
    """Every venue."""
    return str(request.param)


@pytest.fixture(params=["process", "grpc"])
async def world(request: pytest.FixtureRequest, venue: str) -> AsyncIterator[World]:
    """The venue, called in process or over gRPC."""
    async with staged(venue, ()) as stage:
        at = next(
            each
            for each in await stage.connector.instruments()
            if each.base in MIDDLES and each.symbol.startswith(each.base)
        )
        if request.param == "process":
            made = World(stage, stage.connector, at)
            made.quoted()
            yield made
            return
        server = VenueServer(stage.connector, "127.0.0.1", 0)
        await server.start()
        remote = RemoteConnector(f"127.0.0.1:{server.port}")
        try:
            await remote.start()
            made = World(stage, remote, at)
            made.quoted()
            yield made
        finally:
            await remote.stop()
            await server.stop()
