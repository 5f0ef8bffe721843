"""Recorded frames of venues, and a dialect that is fed with them."""

from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from tradeloom.connectors.budgets import Budgets
from tradeloom.connectors.clock import VenueClock
from tradeloom.connectors.contract import VenueBalance, VenueFill, VenueOrder, VenuePosition
from tradeloom.connectors.dialect import Context, Dialect
from tradeloom.connectors.instruments import Listing, Listings
from tradeloom.connectors.profile import Credentials
from tradeloom.connectors.rest import Rest
from tradeloom.domain.market import BookDelta, BookQuote, FeedState, TradeTick, VenueInstrument

E = TypeVar("E")


def recorded() -> Path:
    """The folder of recordings, or a skip with its reason."""
    found = os.environ.get("TRADELOOM_RECORDED")
    if not found:
        pytest.skip("TRADELOOM_RECORDED does not name the folder of recorded frames")
    return Path(found)


def lines(name: str) -> Iterator[str]:
    """The lines of a file, unpacked if need be."""
    path = recorded() / name
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    for line in text.split("\n"):
        if line.strip():
            yield line


def samples(name: str) -> Iterator[tuple[str, Any]]:
    """(function or test, frame) of a file of one sample a line."""
    for line in lines(name):
        row = msgspec.json.decode(line)
        yield row.get("func") or row.get("test") or row.get("request") or "", row["frame"]


class Heard:
    """Takes what a dialect puts out, market and account."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.counts: Counter[str] = Counter()
        self.states: list[tuple[str, FeedState, str]] = []

    def of(self, kind: type[E]) -> list[E]:
        """Events of one kind."""
        return [each for each in self.events if isinstance(each, kind)]

    def quote(self, event: BookQuote, listing: Listing) -> None:
        """See MarketOut."""
        self.events.append(event)

    def depth(self, event: BookDelta, listing: Listing) -> None:
        """See MarketOut."""
        self.events.append(event)

    def trade(self, event: TradeTick) -> None:
        """See MarketOut."""
        self.events.append(event)

    def funding(self, event: Any) -> None:
        """See MarketOut."""
        self.events.append(event)

    def state(self, symbol: str, state: FeedState, reason: str) -> None:
        """See MarketOut."""
        self.states.append((symbol, state, reason))

    def gap(self, symbol: str, why: str) -> None:
        """See MarketOut."""
        self.counts[f"gap: {why}"] += 1

    def reconnect(self, why: str) -> None:
        """See MarketOut."""
        self.counts[f"reconnect: {why}"] += 1

    def reconcile(self, why: str) -> None:
        """See AccountOut."""
        self.counts[f"reconcile: {why}"] += 1

    def ignored(self, kind: str) -> None:
        """See MarketOut."""
        self.counts[kind] += 1

    def order(self, order: VenueOrder) -> None:
        """See AccountOut."""
        self.events.append(order)

    def fill(self, fill: VenueFill) -> None:
        """See AccountOut."""
        self.events.append(fill)

    def balance(self, balance: VenueBalance) -> None:
        """See AccountOut."""
        self.events.append(balance)

    def position(self, position: VenuePosition) -> None:
        """See AccountOut."""
        self.events.append(position)


class NoLink:
    """A link on which nothing waits for an answer."""

    def answer(self, key: str, frame: bytes | str) -> bool:
        """Nobody asked."""
        return False


def unconnected(
    kind: type[Dialect],
    instruments: Iterable[VenueInstrument],
    credentials: Credentials | None = None,
    options: Mapping[str, str] | None = None,
) -> Any:
    """A dialect with these instruments and no connection."""
    context = Context(
        urls=kind.profile.at({}),
        listings=Listings(kind.profile.venue, instruments),
        rest=Rest(Budgets(kind.profile.windows)),
        clock=VenueClock(),
        credentials=credentials,
        options=dict(options or {}),
    )
    return kind(context)
