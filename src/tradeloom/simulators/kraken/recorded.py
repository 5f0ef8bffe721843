"""Recorded frames of Kraken's first sockets: what they tell about the market."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, Level, TradeTick, VenueInstrument
from tradeloom.simulators.exchange import Exchange, MarketInput
from tradeloom.simulators.figures import BadFigure, scaled

_RENAMED = {"XBT": "BTC", "XDG": "DOGE"}


def read_frame(
    exchange: Exchange, ts_ns: int, frame: bytes
) -> Iterator[tuple[str, bytes, MarketInput]]:
    """Events of a frame `[channel id, payload…, name, pair]`. They are played in the words of the
    second version, so there is no payload to be sent as it was."""
    try:
        rows = msgspec.json.decode(frame)
        if not isinstance(rows, list) or len(rows) < 4:
            return
        base, _, quote = str(rows[-1]).partition("/")
        wire = f"{_RENAMED.get(base, base)}/{_RENAMED.get(quote, quote)}"
        market = exchange.by_wire.get(wire)
        if market is None:
            return
        for event in _events(market.instrument, str(rows[-2]), rows[1:-2], ts_ns):
            yield "", b"", event
    except (msgspec.DecodeError, BadFigure, KeyError, IndexError, TypeError):
        return


def _events(at: VenueInstrument, name: str, parts: list[Any], ts_ns: int) -> Iterator[MarketInput]:
    if name == "trade":
        for price, size, when, side, *_ in parts[0]:
            yield TradeTick(
                at.venue, at.symbol, at.digits, scaled(price, at.digits), scaled(size, 8),
                Side.BUY if side == "b" else Side.SELL, "", scaled(when, 9), ts_ns,
            )  # fmt: skip
    elif name == "spread":
        bid, ask, when, bid_size, ask_size = parts[0]
        yield BookQuote(
            at.venue, at.symbol, at.digits, scaled(bid, at.digits), scaled(ask, at.digits),
            scaled(bid_size, 8), scaled(ask_size, 8), scaled(when, 9), ts_ns,
        )  # fmt: skip
    elif name.startswith("book"):
        merged: dict[str, Any] = {}
        for part in parts:
            merged |= part
        snapshot = "as" in merged or "bs" in merged
        bids, asks = merged.get("bs" if snapshot else "b"), merged.get("as" if snapshot else "a")
        yield BookDelta(
            at.venue, at.symbol, at.digits, snapshot, _levels(at, bids), _levels(at, asks),
            0, ts_ns,
        )  # fmt: skip


def _levels(at: VenueInstrument, rows: list[list[str]] | None) -> tuple[Level, ...]:
    return tuple((scaled(row[0], at.digits), scaled(row[1], 8)) for row in rows or ())
