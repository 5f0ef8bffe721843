"""Recorded Binance frames, spot and USD-M: what they tell about the market."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.exchange import Exchange, Market, MarketInput
from tradeloom.simulators.figures import BadFigure, scaled

_Rows = list[tuple[str, str]]


class _Combined(msgspec.Struct):
    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")


class _Data(msgspec.Struct):
    """The union of bookTicker, trade, aggTrade and depthUpdate: keys mean the same in all."""

    s: str = ""
    e: str = ""
    u: int = 0
    U: int = 0
    pu: int = -1
    E: int = 0
    T: int = 0
    t: int | None = None
    p: str = ""
    q: str = ""
    m: bool = False
    X: str = ""
    b: str | _Rows = ""
    B: str = ""
    a: str | int | _Rows = ""
    A: str = ""


class _Snapshot(msgspec.Struct):
    lastUpdateId: int  # noqa: N815 - the wire's name
    bids: _Rows
    asks: _Rows


_combined = msgspec.json.Decoder(_Combined)
_data = msgspec.json.Decoder(_Data)
_snapshot = msgspec.json.Decoder(_Snapshot)
# Trades that are no prices of the market.
_NO_MARKET = frozenset({"INSURANCE_FUND", "ADL"})


def read_frame(
    exchange: Exchange, ts_ns: int, frame: bytes, symbol: str = ""
) -> Iterator[tuple[str, bytes, MarketInput]]:
    """(stream, payload, event) of a frame; `symbol` is that of a REST snapshot, whose text tells
    none: the symbol of the whole recording then. Frames of symbols that are not listed, and
    figures with more decimals than listed, give nothing.
    """
    try:
        outer = _combined.decode(frame)
        raw = bytes(outer.data)
        if not outer.stream:
            yield from _of_snapshot(exchange, ts_ns, frame, symbol)
            return
        data = _data.decode(raw)
        market = exchange.by_wire.get(data.s)
        if market is None:
            return
        event = _event(market.instrument, data, ts_ns)
    except (msgspec.DecodeError, BadFigure):
        return
    if event is not None:
        yield outer.stream, raw, event


def _event(at: VenueInstrument, data: _Data, ts_ns: int) -> MarketInput | None:
    if data.e in ("trade", "aggTrade"):
        if data.X in _NO_MARKET or data.e == "aggTrade":
            return None
        return TradeTick(
            at.venue, at.symbol, at.digits, scaled(data.p, at.digits), scaled(data.q, 8),
            Side.SELL if data.m else Side.BUY, str(data.t or 0), data.T * 1_000_000, ts_ns,
        )  # fmt: skip
    if data.e == "depthUpdate":
        return BookDelta(
            at.venue, at.symbol, at.digits, False, _levels(at, data.b), _levels(at, data.a),
            data.E * 1_000_000, ts_ns, data.U, data.u, data.pu,
        )  # fmt: skip
    if not data.e or data.e == "bookTicker":
        return BookQuote(
            at.venue, at.symbol, at.digits,
            scaled(str(data.b), at.digits), scaled(str(data.a), at.digits),
            scaled(data.B, 8), scaled(data.A, 8), data.T * 1_000_000, ts_ns, data.u,
        )  # fmt: skip
    return None


def _of_snapshot(
    exchange: Exchange, ts_ns: int, frame: bytes, symbol: str
) -> Iterator[tuple[str, bytes, MarketInput]]:
    market = _only(exchange, symbol)
    if market is None:
        return
    at, found = market.instrument, _snapshot.decode(frame)
    yield "", b"", BookDelta(
        at.venue, at.symbol, at.digits, True, _levels(at, found.bids), _levels(at, found.asks),
        0, ts_ns, found.lastUpdateId, found.lastUpdateId,
    )  # fmt: skip


def _only(exchange: Exchange, symbol: str) -> Market | None:
    if symbol:
        return exchange.by_wire.get(symbol)
    markets = list(exchange.markets.values())
    return markets[0] if len(markets) == 1 else None


def _levels(at: VenueInstrument, rows: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(rows, list):
        return ()
    found: Iterable[tuple[str, str]] = rows
    return tuple((scaled(price, at.digits), scaled(size, 8)) for price, size in found)
