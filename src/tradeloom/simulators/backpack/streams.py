"""Market streams: best prices, trades, depth at four paces, mark prices."""

from __future__ import annotations

import re
from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    InstrumentKind,
    TradeTick,
    VenueInstrument,
)
from tradeloom.simulators.backpack.rows import amount, book_ticker, price
from tradeloom.simulators.conflation import BookFeed
from tradeloom.simulators.dialect import VenueDialect, encode
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.faults import FaultKind

_PACES: Final = {"200ms": 0.2, "600ms": 0.6, "1000ms": 1.0}
_NAME: Final = re.compile(
    r"(bookTicker|trade|markPrice|ticker|depth(?:\.(?:200ms|600ms|1000ms))?)\.([A-Z0-9_]+)"
)
_FUNDING_NS: Final = 28_800 * 10**9


def framed(stream: str, data: Any) -> bytes:
    """A frame of a stream."""
    return encode({"stream": stream, "data": data})


class Streams:
    """The market streams of one dialect."""

    def __init__(self, dialect: VenueDialect) -> None:
        self._dialect: Final = dialect
        self._feeds: Final = {pace: BookFeed() for pace in _PACES}
        for pace, seconds in _PACES.items():
            dialect.every(seconds, lambda pace=pace: self._flush(pace))  # type: ignore[misc]
        dialect.every(0.25, self._marks)

    def known(self, stream: str) -> bool:
        """Whether there is such a stream."""
        found = _NAME.fullmatch(stream)
        return found is not None and found[2] in self._dialect.exchange.by_wire

    def on_quote(self, at: VenueInstrument, quote: BookQuote) -> None:
        """bookTicker."""
        stream = f"bookTicker.{at.wire}"
        if self._dialect.wanted(stream):
            self._dialect.publish(stream, framed(stream, book_ticker(at, quote)))

    def on_trade(self, at: VenueInstrument, trade: TradeTick) -> None:
        """trade."""
        stream = f"trade.{at.wire}"
        if not self._dialect.wanted(stream):
            return
        buyer, seller = self._dialect.next_number(), self._dialect.next_number()
        data = {
            "e": "trade",
            "E": trade.recv_ns // 1_000,
            "s": at.wire,
            "p": price(at, trade.price),
            "q": amount(trade.size),
            "b": str(buyer),
            "a": str(seller),
            "t": int(trade.trade_id),
            "T": trade.venue_ns // 1_000,
            "m": trade.side is Side.SELL,
        }
        self._dialect.publish(stream, framed(stream, data))

    def on_book(self, at: VenueInstrument, delta: BookDelta) -> None:
        """depth, at once; the slower ones are gathered."""
        self._depth(f"depth.{at.wire}", at, delta)
        for feed in self._feeds.values():
            feed.note(delta)

    def _flush(self, pace: str) -> None:
        for delta in self._feeds[pace].take():
            at = self._dialect.exchange.markets[delta.symbol].instrument
            self._depth(f"depth.{pace}.{at.wire}", at, delta)

    def _depth(self, stream: str, at: VenueInstrument, delta: BookDelta) -> None:
        if not self._dialect.wanted(stream):
            return
        first, last = delta.first_seq, delta.seq
        if self._dialect.strikes(FaultKind.BAD_CHECKSUM, stream):
            first = last = last + 1  # no checksum here: a hole in the ids is what tells a loss
        data = {
            "e": "depth",
            "E": delta.recv_ns // 1_000,
            "s": at.wire,
            "a": [[price(at, p), amount(s)] for p, s in delta.asks],
            "b": [[price(at, p), amount(s)] for p, s in delta.bids],
            "U": first,
            "u": last,
            "T": delta.venue_ns // 1_000,
        }
        self._dialect.publish(stream, framed(stream, data))

    def _marks(self) -> None:
        for market in self._dialect.exchange.markets.values():
            at = market.instrument
            stream = f"markPrice.{at.wire}"
            if self._dialect.wanted(stream) and market.mark:
                self._dialect.publish(stream, framed(stream, mark_row(market, self._now_ns())))
            stream = f"ticker.{at.wire}"
            if self._dialect.wanted(stream) and market.last:
                self._dialect.publish(stream, framed(stream, ticker_row(market, self._now_ns())))

    def _now_ns(self) -> int:
        return self._dialect.clock.now_ns()


def mark_row(market: Market, now_ns: int) -> dict[str, Any]:
    """`markPrice.S` of a perpetual."""
    at = market.instrument
    row = {
        "e": "markPrice",
        "E": now_ns // 1_000,
        "s": at.wire,
        "p": price(at, market.mark),
    }
    if at.kind is InstrumentKind.PERPETUAL:
        row["f"] = amount(market.funding_ppm * 100)
        row["i"] = price(at, market.mark + market.index_offset)
        row["n"] = (now_ns // _FUNDING_NS + 1) * _FUNDING_NS // 1_000
    return row


def ticker_row(market: Market, now_ns: int) -> dict[str, Any]:
    """`ticker.S`: of the minutes that are remembered."""
    at, bars = market.instrument, market.bars.spans(1_440, None, None)
    bar = bars[-1] if bars else None
    last = market.last
    return {
        "e": "ticker",
        "E": now_ns // 1_000,
        "s": at.wire,
        "o": price(at, bar.open if bar else last),
        "c": price(at, last),
        "h": price(at, bar.high if bar else last),
        "l": price(at, bar.low if bar else last),
        "v": amount(bar.volume if bar else 0),
        "V": amount(0),
        "n": bar.trades if bar else 0,
    }
