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
    t: int = 0
    l: int = 0  # noqa: E741 - the wire's name
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


def figures_in(frame: bytes, futures: bool) -> Iterator[tuple[str, str, str]]:
    """(symbol, price, size) of a frame that spot, or the futures market, would send."""
    try:
        outer = _combined.decode(frame)
        if not outer.stream:
            return
        data = _data.decode(bytes(outer.data))
    except msgspec.DecodeError:
        return
    is_futures = data.e == "bookTicker" or data.pu >= 0 or bool(data.X)
    # An aggTrade or kline is the same in both.
    if not data.s or data.e not in ("", "bookTicker", "trade", "depthUpdate"):
        return
    if is_futures is not futures:
        return
    symbol = f"{data.s}-PERP" if futures else data.s
    if data.e == "trade":
        yield symbol, data.p, data.q
    elif isinstance(data.b, str):
        yield symbol, data.b, data.B
    else:
        for price, size in data.b[:5]:
            yield symbol, price, size


_combined = msgspec.json.Decoder(_Combined)
_data = msgspec.json.Decoder(_Data)
_snapshot = msgspec.json.Decoder(_Snapshot)
# Trades that are no prices of the market.
_NO_MARKET = frozenset({"INSURANCE_FUND", "ADL"})


def read_frame(
    exchange: Exchange, ts_ns: int, frame: bytes, single: set[str], symbol: str = ""
) -> Iterator[tuple[str, bytes, MarketInput]]:
    """(stream, payload, event) of a frame. `single` collects the symbols whose single trades were
    recorded; aggregated ones of the others are their trades. `symbol` is a text that names the
    symbol of a REST snapshot, which does not tell it: its URL, or the file's name. Frames of
    symbols that are not listed, and figures with more decimals than listed, give nothing.
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
        if data.e == "trade":
            single.add(data.s)
        if data.e == "aggTrade" and data.s in single:
            return
        event = _event(market.instrument, data, ts_ns)
    except (msgspec.DecodeError, BadFigure):
        return
    if event is not None:
        yield outer.stream, raw, event


def _event(at: VenueInstrument, data: _Data, ts_ns: int) -> MarketInput | None:
    if data.e in ("trade", "aggTrade"):
        if data.X in _NO_MARKET:
            return None
        return TradeTick(
            at.venue, at.symbol, at.digits, scaled(data.p, at.digits), scaled(data.q, 8),
            Side.SELL if data.m else Side.BUY, str(data.t or data.l), data.T * 1_000_000, ts_ns,
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
    named = [market for wire, market in exchange.by_wire.items() if wire in symbol.upper()]
    if named:
        return max(named, key=lambda market: len(market.instrument.wire))
    markets = list(exchange.markets.values())
    return markets[0] if len(markets) == 1 else None


def _levels(at: VenueInstrument, rows: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(rows, list):
        return ()
    found: Iterable[tuple[str, str]] = rows
    return tuple((scaled(price, at.digits), scaled(size, 8)) for price, size in found)
