"""Channels: quotes, trades, books and tickers, raw and every 100 ms."""

from __future__ import annotations

import re
from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.conflation import BookFeed
from tradeloom.simulators.deribit.rows import amount, figure, public_trade
from tradeloom.simulators.dialect import VenueDialect, encode
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.sessions import Session

# Ids of book changes grow by more than one there: a client must follow prev_change_id.
CHANGE_BASE: Final = 45_000_000_000
CHANGE_STEP: Final = 7
_PACES: Final = ("raw", "100ms", "agg2")
_PUBLIC: Final = re.compile(r"(quote|trades|book|ticker)\.([A-Z0-9_]+-PERPETUAL)(?:\.(.+))?")
_GROUPED: Final = re.compile(r"none\.(1|10|20)\.(?:100ms|agg2)")


def change_id(seq: int) -> int:
    """The venue's number of a book change."""
    return CHANGE_BASE + seq * CHANGE_STEP


def notification(channel: str, data: Any) -> bytes:
    """A subscription's frame, its keys in the venue's order."""
    params = {"channel": channel, "data": data}
    return encode({"jsonrpc": "2.0", "method": "subscription", "params": params})


class Streams:
    """The market channels of one dialect."""

    def __init__(self, dialect: VenueDialect) -> None:
        self._dialect: Final = dialect
        self._feeds: Final = {pace: BookFeed() for pace in ("100ms", "agg2")}
        self._trades: Final[dict[str, list[dict[str, Any]]]] = {}
        self._levels: Final[dict[str, dict[Side, set[int]]]] = {}
        self._moved: Final[set[str]] = set()
        dialect.every(0.1, self.flush)

    # ---- subscriptions -----------------------------------------------------------------------

    def known(self, channel: str) -> bool:
        """Whether there is such a market channel."""
        found = _PUBLIC.fullmatch(channel)
        if channel == "platform_state":
            return True
        if found is None or found[2] not in self._dialect.exchange.by_wire:
            return False
        kind, pace = found[1], found[3]
        if kind == "quote":
            return pace is None
        return pace in _PACES or (
            kind == "book" and pace is not None and _GROUPED.fullmatch(pace) is not None
        )

    def joined(self, session: Session, channel: str) -> None:
        """A session was added to a channel: what it gets at once."""
        found = _PUBLIC.fullmatch(channel)
        if found is None:
            return
        market = self._dialect.exchange.by_wire[found[2]]
        if found[1] == "book" and found[3] in _PACES:
            self._flush_books()  # so that the next change follows this snapshot
            session.send(notification(channel, self._snapshot(market)), channel)
        elif found[1] == "book":
            session.send(notification(channel, self._top(market, int(found[3].split(".")[1]))))
        elif found[1] == "ticker" and market.mark:
            session.send(notification(channel, ticker(market, self._dialect.clock.now_ms())))
        elif found[1] == "quote" and market.quote is not None:
            session.send(notification(channel, quote_row(market.instrument, market.quote)))

    # ---- the exchange tells ------------------------------------------------------------------

    def on_quote(self, at: VenueInstrument, quote: BookQuote) -> None:
        """The best prices changed."""
        channel = f"quote.{at.wire}"
        if self._dialect.wanted(channel):
            self._dialect.publish(channel, notification(channel, quote_row(at, quote)))
        self._moved.add(at.symbol)

    def on_trade(self, index: int, at: VenueInstrument, trade: TradeTick) -> None:
        """A trade: raw at once, the others every 100 ms."""
        market = self._dialect.exchange.markets[at.symbol]
        row = public_trade(market, index, trade)
        channel = f"trades.{at.wire}.raw"
        if self._dialect.wanted(channel):
            self._dialect.publish(channel, notification(channel, [row]))
        for pace in ("100ms", "agg2"):
            channel = f"trades.{at.wire}.{pace}"
            if self._dialect.wanted(channel):
                self._trades.setdefault(channel, []).append(row)
        self._moved.add(at.symbol)

    def on_book(self, at: VenueInstrument, delta: BookDelta) -> None:
        """Levels changed."""
        self._publish_change(at, delta, f"book.{at.wire}.raw")
        for feed in self._feeds.values():
            feed.note(delta)

    def flush(self) -> None:
        """What is sent every 100 ms."""
        self._flush_books()
        for channel, rows in self._trades.items():
            self._dialect.publish(channel, notification(channel, rows))
        self._trades.clear()
        moved, now_ms = sorted(self._moved), self._dialect.clock.now_ms()
        self._moved.clear()
        for symbol in moved:
            market = self._dialect.exchange.markets[symbol]
            for pace in _PACES:
                channel = f"ticker.{market.instrument.wire}.{pace}"
                if self._dialect.wanted(channel):
                    self._dialect.publish(channel, notification(channel, ticker(market, now_ms)))
            for depth in (1, 10, 20):
                for pace in ("100ms", "agg2"):
                    channel = f"book.{market.instrument.wire}.none.{depth}.{pace}"
                    if self._dialect.wanted(channel):
                        row = self._top(market, depth)
                        self._dialect.publish(channel, notification(channel, row))

    def _flush_books(self) -> None:
        for pace, feed in self._feeds.items():
            for delta in feed.take():
                at = self._dialect.exchange.markets[delta.symbol].instrument
                self._publish_change(at, delta, f"book.{at.wire}.{pace}")

    def _publish_change(self, at: VenueInstrument, delta: BookDelta, channel: str) -> None:
        told = self._levels.setdefault(channel, {Side.BUY: set(), Side.SELL: set()})
        rows = {
            side: [_action(told[side], at, price, size) for price, size in changes]
            for side, changes in ((Side.BUY, delta.bids), (Side.SELL, delta.asks))
        }
        if not self._dialect.wanted(channel):
            return
        previous = change_id(delta.previous)
        if self._dialect.strikes(FaultKind.BAD_CHECKSUM, channel):
            previous -= 1  # no checksum here: the chain of ids is what holds a book together
        data = {
            "type": "change",
            "timestamp": delta.venue_ns // 1_000_000,
            "prev_change_id": previous,
            "instrument_name": at.wire,
            "change_id": change_id(delta.seq),
            "bids": rows[Side.BUY],
            "asks": rows[Side.SELL],
        }
        self._dialect.publish(channel, notification(channel, data))

    def _snapshot(self, market: Market) -> dict[str, Any]:
        at, book = market.instrument, self._dialect.exchange.snapshot(market.instrument.symbol)
        return {
            "type": "snapshot",
            "timestamp": book.venue_ns // 1_000_000,
            "instrument_name": at.wire,
            "change_id": change_id(book.seq),
            "bids": [["new", figure(price, at.digits), amount(size)] for price, size in book.bids],
            "asks": [["new", figure(price, at.digits), amount(size)] for price, size in book.asks],
        }

    def _top(self, market: Market, depth: int) -> dict[str, Any]:
        at = market.instrument
        book = self._dialect.exchange.snapshot(at.symbol, depth)
        return {
            "timestamp": book.venue_ns // 1_000_000,
            "instrument_name": at.wire,
            "change_id": change_id(book.seq),
            "bids": [[figure(price, at.digits), amount(size)] for price, size in book.bids],
            "asks": [[figure(price, at.digits), amount(size)] for price, size in book.asks],
        }


def _action(told: set[int], at: VenueInstrument, price: int, size: int) -> list[Any]:
    if not size:
        told.discard(price)
        return ["delete", figure(price, at.digits), 0.0]
    word = "change" if price in told else "new"
    told.add(price)
    return [word, figure(price, at.digits), amount(size)]


def quote_row(at: VenueInstrument, quote: BookQuote) -> dict[str, Any]:
    """`quote.I`; an empty side has no price."""
    return {
        "timestamp": quote.venue_ns // 1_000_000,
        "instrument_name": at.wire,
        "best_bid_price": figure(quote.bid, at.digits) if quote.bid_size else None,
        "best_bid_amount": amount(quote.bid_size),
        "best_ask_price": figure(quote.ask, at.digits) if quote.ask_size else None,
        "best_ask_amount": amount(quote.ask_size),
    }


def ticker(market: Market, now_ms: int) -> dict[str, Any]:
    """`ticker.I`."""
    at, quote = market.instrument, market.quote
    row: dict[str, Any] = {
        "timestamp": now_ms,
        "instrument_name": at.wire,
        "state": "closed" if market.halted else "open",
        "mark_price": figure(market.mark, at.digits),
        "index_price": figure(market.mark + market.index_offset, at.digits),
        "last_price": figure(market.last, at.digits) if market.last else None,
        "settlement_price": figure(market.mark, at.digits),
        "estimated_delivery_price": figure(market.mark, at.digits),
        "open_interest": 0,
        "min_price": figure(market.mark * 97 // 100, at.digits),
        "max_price": figure(market.mark * 103 // 100, at.digits),
        "current_funding": market.funding_ppm / 10**6,
        "funding_8h": market.funding_ppm / 10**6,
        "stats": {"volume": 0.0, "volume_usd": 0.0, "price_change": 0.0, "low": None, "high": None},
    }
    if quote is not None:
        best = quote_row(at, quote)
        row |= {name: value for name, value in best.items() if name.startswith("best_")}
    return row
