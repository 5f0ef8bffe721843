"""What the tests of Binance's faults share: both venues, their market, and a look at their door."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.connectors.stage import Stage, demo_key
from tradeloom.connectors.connector import VenueConnector
from tradeloom.connectors.venues import dialect_of
from tradeloom.domain.market import BookDelta, BookQuote
from tradeloom.simulators.dialect import Call, Reply, Route, VenueDialect
from tradeloom.simulators.sessions import Session


@dataclass(frozen=True)
class Place:
    """One of the two venues as the tests name it."""

    venue: str
    symbol: str
    depth: str  # its stream of books
    quotes: str  # a part of the path of its public streams
    account: str  # … of its account stream
    orders: str  # … of its order socket


SPOT = Place("binance", "BTCUSDT", "btcusdt@depth", "/stream", "/ws-api", "/ws-api")
USDM = Place("binance_usdm", "BTCUSDT-PERP", "btcusdt@depth", "/public", "/private", "/ws-fapi")
BOTH = (SPOT, USDM)


def quoted(stage: Stage) -> None:
    """Thirty levels each way, the best at 61800.1 and 61801.3."""
    for symbol in stage.venue.exchange.markets:
        bids = [(f"{61800 - step}.1", "0.5") for step in range(30)]
        stage.book(symbol, bids, [(f"{61801 + step}.3", "0.7") for step in range(30)])


class Doorman:
    """Writes down everything that comes to a simulated venue: (when, what)."""

    def __init__(self, venue: VenueDialect) -> None:
        self.seen: list[tuple[float, str]] = []
        serve, connect, hear = venue.serve_call, venue.may_connect, venue.on_message

        async def call(route: Route, call: Call) -> tuple[Reply | None, bool]:
            self._note(f"{call.method} {call.path}")
            return await serve(route, call)

        def connected(call: Call) -> Reply | None:
            self._note(f"CONNECT {call.path}")
            return connect(call)

        async def message(session: Session, text: str) -> None:
            self._note(f"FRAME {text}")
            await hear(session, text)

        venue.serve_call = call  # type: ignore[method-assign]
        venue.may_connect = connected  # type: ignore[method-assign]
        venue.on_message = message  # type: ignore[method-assign]

    def _note(self, what: str) -> None:
        self.seen.append((time.monotonic(), what))

    def since(self, moment: float) -> list[str]:
        """What came after a moment of the monotonic clock."""
        return [what for when, what in self.seen if when > moment]


@asynccontextmanager
async def another(stage: Stage, folder: Path | None = None, **keys: str) -> AsyncIterator[Stage]:
    """A new connector on the same simulated venue: what a restarted process is."""
    kind: Any = dialect_of(stage.venue.name)
    base = f"http://{stage.simulator.host}:{stage.simulator.port}"
    connector = VenueConnector(
        kind,
        urls=kind.profile.simulated(base),
        credentials=demo_key(stage.venue, **keys),
        folder=folder,
    )
    made = Stage(stage.simulator, stage.venue, connector)
    try:
        await connector.start()
        yield made
    finally:
        await connector.close()


async def move_book(stage: Stage, symbol: str, times: int, pause_s: float = 0.11) -> None:
    """Change a level, wait until the venue told it, and again."""
    for step in range(times):
        size = f"0.{step % 8 + 1}"
        stage.book(symbol, [("61799.1", size)], [("61802.3", size)])
        await asyncio.sleep(pause_s)


def same_book(stage: Stage, symbol: str) -> bool:
    """Whether our book is the venue's, level by level."""
    book = stage.connector.feed.keeper.books.get(symbol)
    ours = book.snapshot() if book is not None else None
    theirs = stage.venue.exchange.snapshot(symbol)
    return ours is not None and _levels(ours) == _levels(theirs)


def _levels(book: BookDelta) -> list[list[tuple[Decimal, int]]]:
    """Prices as they are: we may count in another step than the simulator."""
    sides = (book.bids, book.asks)
    return [[(Decimal(p).scaleb(-book.digits), size) for p, size in side] for side in sides]


def at_bid(price: str) -> Callable[[BookQuote], bool]:
    """Whether a quote has this best bid."""
    return lambda quote: Decimal(quote.bid).scaleb(-quote.digits) == Decimal(price)
