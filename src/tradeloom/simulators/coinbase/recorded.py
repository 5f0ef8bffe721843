"""Recorded frames of Coinbase's older Exchange feed: what they tell about the market."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, Level, TradeTick, VenueInstrument
from tradeloom.simulators.exchange import Exchange, MarketInput
from tradeloom.simulators.figures import BadFigure, scaled


class _Frame(msgspec.Struct):
    """snapshot, l2update, match and last_match in one."""

    type: str
    product_id: str = ""
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []
    changes: list[tuple[str, str, str]] = []
    time: str = ""
    trade_id: int = 0
    side: str = ""
    size: str = "0"
    price: str = "0"


_frame = msgspec.json.Decoder(_Frame)


def read_frame(
    exchange: Exchange, ts_ns: int, frame: bytes
) -> Iterator[tuple[str, bytes, MarketInput]]:
    """Events of a frame, to be told in the words of Advanced Trade."""
    try:
        found = _frame.decode(frame)
        market = exchange.by_wire.get(found.product_id)
        if market is None:
            return
        event = _event(market.instrument, found, ts_ns)
    except (msgspec.DecodeError, BadFigure, ValueError):
        return
    if event is not None:
        yield "", b"", event


def _event(at: VenueInstrument, found: _Frame, ts_ns: int) -> MarketInput | None:
    venue_ns = 0
    if found.time:
        moment = datetime.fromisoformat(found.time)
        venue_ns = int(moment.timestamp()) * 10**9 + moment.microsecond * 1_000
    if found.type == "snapshot":
        bids, asks = _levels(at, found.bids), _levels(at, found.asks)
        return BookDelta(at.venue, at.symbol, at.digits, True, bids, asks, venue_ns, ts_ns)
    if found.type == "l2update":
        bids, asks = (
            _levels(at, [(price, size) for side, price, size in found.changes if side == word])
            for word in ("buy", "sell")
        )
        return BookDelta(at.venue, at.symbol, at.digits, False, bids, asks, venue_ns, ts_ns)
    if found.type == "match":
        # This feed tells the maker's side.
        taker = Side.SELL if found.side == "buy" else Side.BUY
        return TradeTick(
            at.venue, at.symbol, at.digits, scaled(found.price, at.digits), scaled(found.size, 8),
            taker, str(found.trade_id), venue_ns, ts_ns,
        )  # fmt: skip
    return None


def _levels(at: VenueInstrument, rows: list[tuple[str, str]]) -> tuple[Level, ...]:
    return tuple((scaled(price, at.digits), scaled(size, 8)) for price, size in rows)
