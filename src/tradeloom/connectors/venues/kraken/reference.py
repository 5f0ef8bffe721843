"""What Kraken tells by REST: pairs, the book now, bars, its clock and its state."""

from __future__ import annotations

import time
from typing import Final

from tradeloom.connectors.contract import Unsupported
from tradeloom.connectors.dialect import Context
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.scaling import exact_points, exact_sizes
from tradeloom.connectors.venues.kraken import frames
from tradeloom.connectors.venues.kraken.calls import KrakenCalls
from tradeloom.connectors.venues.kraken.listing import PairNames
from tradeloom.domain.market import BookDelta, HistoricBar, VenueInstrument

_SECOND: Final = 10**9
_MINUTES: Final = (1, 5, 15, 30, 60, 240, 1_440, 10_080)

Row = tuple[int, str, str, str, str, str, str, int]
"""start, open, high, low, close, vwap, volume, trades."""


class KrakenReference(KrakenCalls):
    """The public queries."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._names = PairNames()

    async def load_instruments(self) -> list[VenueInstrument]:
        """AssetPairs."""
        pairs = await self.get("AssetPairs", {}, dict[str, frames.Pair])
        return self._names.load(self.venue, pairs)

    async def fetch_book(self, listing: Listing, depth: int) -> BookDelta:
        """Depth: at most 500 levels a side."""
        params = {"pair": self._rest_name(listing), "count": str(min(depth or 500, 500))}
        found = await self.get("Depth", params, dict[str, frames.DepthSide])
        now = time.time_ns()
        sides = next(iter(found.values()))
        bids, asks = (
            tuple((exact_points(p, listing.digits), exact_sizes(s)) for p, s, _ in side)
            for side in (sides.bids, sides.asks)
        )
        return BookDelta(self.venue, listing.symbol, listing.digits, True, bids, asks, 0, now)

    async def fetch_bars(
        self, listing: Listing, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """OHLC. Kraken keeps the last 720 bars of each interval, and tells nothing older."""
        if interval_s % 60 or interval_s // 60 not in _MINUTES:
            have = ", ".join(str(minutes * 60) for minutes in _MINUTES)
            raise Unsupported(f"Kraken has bars of {have} seconds")
        params = {
            "pair": self._rest_name(listing),
            "interval": str(interval_s // 60),
            "since": str(max(since_ns // _SECOND - 1, 0)),
        }
        found = await self.get("OHLC", params, dict[str, list[Row] | int])
        rows = next((rows for rows in found.values() if isinstance(rows, list)), [])
        finished = min(until_ns, self.context.clock.now_ns() - interval_s * _SECOND + 1)
        bars = []
        for row in rows:
            start = row[0] * _SECOND
            if since_ns <= start < finished:
                four = [exact_points(text, listing.digits) for text in row[1:5]]
                bars.append(
                    HistoricBar(start, four[0], four[1], four[2], four[3], exact_sizes(row[6]))
                )
        return bars

    async def server_time(self) -> tuple[int, int, int]:
        """Time; Kraken tells whole seconds, so the middle of that second is assumed."""
        before = time.time_ns()
        told = await self.get("Time", {}, frames.ServerTime)
        return before, told.unixtime * _SECOND + _SECOND // 2, time.time_ns()

    async def maintenance(self) -> str:
        """SystemStatus."""
        status = (await self.get("SystemStatus", {}, frames.System)).status
        return "" if status == "online" else status

    def _rest_name(self, listing: Listing) -> str:
        return self._names.rest.get(listing.wire) or listing.wire.replace("/", "")
