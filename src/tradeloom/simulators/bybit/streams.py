"""Bybit's public topics: books of 1, 50, 200 and 1,000 levels, trades, tickers."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.bybit import rows
from tradeloom.simulators.dialect import VenueDialect, encode
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.figures import fixed
from tradeloom.simulators.sessions import Session

# Levels -> seconds between pushes.
DEPTHS: Final = {50: 0.02, 200: 0.1, 1_000: 0.2}
# A best price that did not change is told again after this.
REPEAT_MS: Final = 3_000

_Side = dict[int, int]


class _Top:
    """The best levels of one topic as they were told last, and the id they were told under."""

    def __init__(self, u: int) -> None:
        self.u = u
        self.bids: _Side = {}
        self.asks: _Side = {}


class Streams:
    """The public topics of one dialect."""

    def __init__(self, dialect: VenueDialect) -> None:
        self._dialect: Final = dialect
        self._tops: Final[dict[tuple[int, str], _Top]] = {}
        self._changed: Final[dict[int, set[str]]] = {depth: set() for depth in DEPTHS}
        self._quoted_ms: Final[dict[str, int]] = {}
        for depth, seconds in DEPTHS.items():
            dialect.every(seconds, partial(self._flush, depth))
        dialect.every(1.0, self._each_second)

    def known(self, topic: str) -> bool:
        """Whether the topic exists."""
        return self._market(topic) is not None

    def _market(self, topic: str) -> Market | None:
        kind, _, wire = topic.rpartition(".")
        books = ("orderbook.1", *(f"orderbook.{depth}" for depth in DEPTHS))
        if kind in (*books, "publicTrade", "tickers"):
            return self._dialect.exchange.by_wire.get(wire)
        return None

    def join(self, session: Session, topic: str) -> None:
        """Subscribe a session and send it what it starts from."""
        market = self._market(topic)
        if market is None:
            return
        kind, _, wire = topic.rpartition(".")
        if kind == "tickers":
            self._dialect.subscribe(session, topic)
            session.send(self._ticker(market))
        elif kind == "orderbook.1":
            self._dialect.subscribe(session, topic)
            session.send(self._quote(market), topic)
        elif kind.startswith("orderbook."):
            depth = int(kind.partition(".")[2])
            self._flush_one(depth, wire)  # so that what was told is what is
            top = self._tops.get((depth, wire))
            if top is None:
                top = self._tops[depth, wire] = _Top(market.seq + 2)
                top.bids, top.asks = self._best(market, depth)
            self._dialect.subscribe(session, topic)
            session.send(self.book(market, topic, "snapshot", top.bids, top.asks, top.u), topic)
        else:
            self._dialect.subscribe(session, topic)

    # ---- the market moved --------------------------------------------------------------------

    def on_quote(self, at: VenueInstrument, quote: BookQuote) -> None:
        """The best prices changed."""
        topic = f"orderbook.1.{at.wire}"
        self._quoted_ms[at.wire] = self._dialect.clock.now_ms()
        if self._dialect.wanted(topic):
            market = self._dialect.exchange.by_wire[at.wire]
            self._dialect.publish(topic, self._quote(market))

    def on_trade(self, at: VenueInstrument, trade: TradeTick) -> None:
        """A trade."""
        topic = f"publicTrade.{at.wire}"
        if not self._dialect.wanted(topic):
            return
        row = {
            "i": trade.trade_id,
            "T": trade.venue_ns // rows.MS,
            "p": fixed(trade.price, at.digits),
            "v": rows.size(trade.size),
            "S": rows.side(trade.side or Side.BUY),
            "s": at.wire,
            "BT": False,
            "RPI": False,
            "seq": int(trade.trade_id),
        }
        frame = {"topic": topic, "type": "snapshot", "ts": self._now(), "data": [row]}
        self._dialect.publish(topic, encode(frame))

    def on_book(self, at: VenueInstrument, delta: BookDelta) -> None:
        """Levels changed."""
        for changed in self._changed.values():
            changed.add(at.wire)

    # ---- frames ------------------------------------------------------------------------------

    def _now(self) -> int:
        return self._dialect.clock.now_ms()

    def _flush(self, depth: int) -> None:
        for wire in tuple(self._changed[depth]):
            self._flush_one(depth, wire)

    def _flush_one(self, depth: int, wire: str) -> None:
        """Tell the difference between the best levels now and as they were told."""
        if wire not in self._changed[depth]:
            return
        self._changed[depth].discard(wire)
        topic = f"orderbook.{depth}.{wire}"
        top = self._tops.get((depth, wire))
        if top is None:
            return
        if not self._dialect.wanted(topic):
            del self._tops[depth, wire]
            return
        market = self._dialect.exchange.by_wire[wire]
        bids, asks = self._best(market, depth)
        changes = _changes(top.bids, bids), _changes(top.asks, asks)
        top.bids, top.asks = bids, asks
        if not any(changes):
            return
        top.u += 1
        spoil = self._dialect.strikes(FaultKind.BAD_CHECKSUM, topic)
        if spoil is not None:  # no checksum here: a wrong size is what could go wrong
            changes = tuple({p: s + 1 if s else s for p, s in each.items()} for each in changes)  # type: ignore[assignment]
        frame = self.book(market, topic, "delta", changes[0], changes[1], top.u)
        self._dialect.publish(topic, frame)

    @staticmethod
    def _best(market: Market, depth: int) -> tuple[_Side, _Side]:
        return (
            dict(market.book.levels(Side.BUY, depth)),
            dict(market.book.levels(Side.SELL, depth)),
        )

    def book(
        self, market: Market, topic: str, kind: str, bids: _Side, asks: _Side, u: int
    ) -> bytes:
        """A frame of a book topic."""
        at, now = market.instrument, self._now()
        data: dict[str, Any] = {
            "s": at.wire,
            "b": [
                [fixed(p, at.digits), rows.size(s)] for p, s in sorted(bids.items(), reverse=True)
            ],
            "a": [[fixed(p, at.digits), rows.size(s)] for p, s in sorted(asks.items())],
            "u": u,
            "seq": market.seq,
        }
        return encode({"topic": topic, "ts": now, "type": kind, "data": data, "cts": now})

    def _quote(self, market: Market) -> bytes:
        bids, asks = self._best(market, 1)
        topic = f"orderbook.1.{market.instrument.wire}"
        return self.book(market, topic, "snapshot", bids, asks, market.seq + 2)

    def _ticker(self, market: Market) -> bytes:
        now = self._now()
        topic = f"tickers.{market.instrument.wire}"
        row = rows.ticker_row(market, now)
        return encode(
            {"topic": topic, "ts": now, "type": "snapshot", "cs": market.seq, "data": row}
        )

    def _each_second(self) -> None:
        """Tickers, and best prices that were silent for three seconds."""
        now = self._now()
        for wire, market in self._dialect.exchange.by_wire.items():
            if self._dialect.wanted(f"tickers.{wire}"):
                self._dialect.publish(f"tickers.{wire}", self._ticker(market))
            silent = now - self._quoted_ms.get(wire, 0) >= REPEAT_MS
            if silent and self._dialect.wanted(f"orderbook.1.{wire}"):
                self._quoted_ms[wire] = now
                self._dialect.publish(f"orderbook.1.{wire}", self._quote(market))


def _changes(before: _Side, after: _Side) -> _Side:
    """Levels that are new or other, and 0 for those that left."""
    changed = {price: size for price, size in after.items() if before.get(price) != size}
    return changed | {price: 0 for price in before if price not in after}
