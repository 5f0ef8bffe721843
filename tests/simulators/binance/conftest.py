"""A served Binance spot market with one quote, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.simulators.binance.wire import Client
from tradeloom.domain.market import BookDelta
from tradeloom.simulators import Simulator, SystemClock
from tradeloom.simulators.binance import BinanceSpot

UNIT = 10**8


@pytest.fixture
def spot() -> BinanceSpot:
    """BTCUSDT at 61,800.00 and 61,800.10, ten of each, and more behind."""
    venue = BinanceSpot(seed=7, clock=SystemClock(), symbols=["BTCUSDT", "ETHUSDT"])
    bids = ((61_800_00, 10 * UNIT), (61_700_00, 20 * UNIT))
    asks = ((61_800_10, 10 * UNIT), (61_900_00, 20 * UNIT))
    venue.feed(BookDelta("binance", "BTCUSDT", 2, True, bids, asks, 0, 0))
    return venue


@pytest.fixture
async def simulator(spot: BinanceSpot) -> AsyncIterator[Simulator]:
    async with Simulator([spot]) as running:
        yield running


@pytest.fixture
async def client(simulator: Simulator, spot: BinanceSpot) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as http:
        yield Client(simulator, spot, http)
