"""Recorded frames of Deribit as events of the exchange."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS, BookDelta, BookQuote, TradeTick
from tradeloom.simulators.exchange import Exchange, Market, MarketInput
from tradeloom.simulators.figures import BadFigure, scaled


class _Params(msgspec.Struct):
    channel: str
    data: Any


class _Frame(msgspec.Struct):
    params: _Params


def read(exchange: Exchange, ts_ns: int, frame: bytes) -> Iterable[tuple[str, bytes, MarketInput]]:
    """Quotes, trades and books of listed instruments; nothing for anything else."""
    try:
        params = msgspec.json.decode(frame, type=_Frame).params
    except msgspec.DecodeError:
        return []
    kind, _, rest = params.channel.partition(".")
    market = exchange.by_wire.get(rest.partition(".")[0])
    if market is None:
        return []
    try:
        events = _events(kind, market, params.data, ts_ns)
    except (BadFigure, KeyError, TypeError, ValueError):
        return []
    # One frame may hold several trades: it goes out once, with the first of them.
    return [(params.channel, b"" if index else frame, each) for index, each in enumerate(events)]


def _events(kind: str, market: Market, data: Any, ts_ns: int) -> list[MarketInput]:
    at = market.instrument
    head = (at.venue, at.symbol, at.digits)

    def price(value: Any) -> int:
        return scaled(_plain(value or 0.0), at.digits)

    def size(value: Any) -> int:
        return scaled(_plain(value or 0.0), SIZE_DIGITS)

    if kind == "quote":
        prices = price(data["best_bid_price"] or 0), price(data["best_ask_price"] or 0)
        sizes = size(data["best_bid_amount"]), size(data["best_ask_amount"])
        at_ns = int(data["timestamp"]) * 10**6
        return [BookQuote(*head, *prices, *sizes, at_ns, ts_ns)]
    if kind == "trades":
        return [
            TradeTick(
                *head,
                price(row["price"]),
                size(row["amount"]),
                Side.BUY if row["direction"] == "buy" else Side.SELL,
                str(row["trade_id"]),
                int(row["timestamp"]) * 10**6,
                ts_ns,
            )
            for row in data
        ]
    if kind == "book" and data.get("type") in ("snapshot", "change"):
        bids, asks = (
            tuple((price(p), 0 if what == "delete" else size(s)) for what, p, s in data[side])
            for side in ("bids", "asks")
        )
        seq = int(data["change_id"])
        return [
            BookDelta(
                *head,
                data["type"] == "snapshot",
                bids,
                asks,
                int(data["timestamp"]) * 10**6,
                ts_ns,
                seq,
                seq,
                int(data.get("prev_change_id", -1)),
            )
        ]
    return []


def _plain(value: float) -> str:
    text = repr(float(value))
    return f"{float(value):.10f}" if "e" in text else text
