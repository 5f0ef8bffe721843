"""Kraken's market channels: ticker, trade, book; acknowledged pair by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, Level, TradeTick, VenueInstrument
from tradeloom.simulators.dialect import encode
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.figures import fixed
from tradeloom.simulators.kraken.rows import (
    checksum,
    instrument_row,
    levels,
    number,
    time_text,
    trade_row,
)
from tradeloom.simulators.sessions import Session

if TYPE_CHECKING:
    from tradeloom.simulators.kraken.spot import KrakenSpot

DEPTHS: Final = (10, 25, 100, 500, 1_000)
TRADES_TOLD: Final = 50
_SIDES: Final = (Side.BUY, Side.SELL)


class Day(msgspec.Struct):
    """What the ticker tells of a pair's day."""

    first: int = 0
    low: int = 0
    high: int = 0
    volume: int = 0
    cost: int = 0

    def add(self, trade: TradeTick) -> None:
        """Count a trade."""
        price = trade.price
        self.first = self.first or price
        self.low = min(self.low or price, price)
        self.high = max(self.high, price)
        self.volume += trade.size
        self.cost += price * trade.size


class Streams:
    """Public channels of all sessions."""

    def __init__(self, venue: KrakenSpot) -> None:
        self._venue: Final = venue
        self._days: Final[dict[str, Day]] = {}
        # What was last told of each book channel: levels of both sides.
        self._told: Final[dict[str, tuple[dict[int, int], dict[int, int]]]] = {}

    # ---- subscribing -------------------------------------------------------------------------

    def subscribe(self, session: Session, params: dict[str, Any], ack: dict[str, Any]) -> None:
        """One answer for each pair, then its snapshot."""
        channel = params.get("channel")
        on = ack["method"] == "subscribe"
        if channel == "instrument":
            self._instruments(session, ack, on)
            return
        for wire in params.get("symbol") or [""]:
            market = self._venue.exchange.by_wire.get(str(wire))
            told = {**ack, "symbol": wire}
            if channel not in ("ticker", "trade", "book"):
                self._refuse(session, told, f"Channel {str(channel)[:40]} not supported")
            elif market is None:
                self._refuse(session, told, f"Currency pair not supported {str(wire)[:40]}")
            elif channel == "book" and params.get("depth", 10) not in DEPTHS:
                self._refuse(session, told, "Subscription depth not supported")
            else:
                self._change(session, market, params, on, told)

    def _instruments(self, session: Session, ack: dict[str, Any], on: bool) -> None:
        change = self._venue.subscribe if on else self._venue.unsubscribe
        if not change(session, "instrument"):
            self._refuse(session, ack, "Already subscribed" if on else "Subscription Not Found")
            return
        result = {"channel": "instrument", "snapshot": on}
        session.send(encode({**ack, "result": result, "success": True}))
        if on:
            markets = self._venue.exchange.markets.values()
            assets = [
                {"id": each, "status": "enabled", "precision": 8, "precision_display": 8}
                for each in sorted(self._venue.exchange.spot_assets())
            ]
            data = {"assets": assets, "pairs": [instrument_row(each) for each in markets]}
            frame = {"channel": "instrument", "type": "snapshot", "data": data}
            session.send(encode(frame), "instrument")

    def _refuse(self, session: Session, ack: dict[str, Any], error: str) -> None:
        session.send(encode({**ack, "success": False, "error": error}))

    def _change(
        self, session: Session, market: Market, params: dict[str, Any], on: bool,
        ack: dict[str, Any],
    ) -> None:  # fmt: skip
        at, channel = market.instrument, str(params["channel"])
        name = _name(channel, at, params)
        if on and not self._venue.subscribe(session, name):
            self._refuse(session, ack, "Already subscribed to one or more channels")
            return
        if not on and not self._venue.unsubscribe(session, name):
            self._refuse(session, ack, "Subscription Not Found")
            return
        wants = bool(params.get("snapshot", True))
        result: dict[str, Any] = {"channel": channel, "symbol": at.wire}
        if channel == "book":
            result["depth"] = params.get("depth", 10)
        if channel == "ticker":
            result["event_trigger"] = params.get("event_trigger", "trades")
        if on:
            result["snapshot"] = wants
        del ack["symbol"]
        session.send(encode({**ack, "result": result, "success": True}))
        if on and (wants or channel == "book"):
            self._snapshot(session, name, channel, market)

    def _snapshot(self, session: Session, name: str, channel: str, market: Market) -> None:
        at = market.instrument
        if channel == "book":
            rows: list[dict[str, Any]] = [self._whole_book(name, at)]
        elif channel == "trade":
            rows = [trade_row(at, each) for each in list(market.trades)[-TRADES_TOLD:]]
        else:
            rows = [self._ticker(market, market.quote)] if market.quote else []
        if rows:
            session.send(encode({"channel": channel, "type": "snapshot", "data": rows}), name)

    # ---- telling -----------------------------------------------------------------------------

    def on_quote(self, at: VenueInstrument, quote: BookQuote) -> None:
        """The ticker of those who asked for every change."""
        name = f"ticker.bbo {at.wire}"
        if self._venue.wanted(name):
            self._tell("ticker", name, self._ticker(self._venue.exchange.market(at.symbol), quote))

    def on_trade(self, at: VenueInstrument, trade: TradeTick) -> None:
        """trade, and the ticker of those who asked for trades."""
        self._days.setdefault(at.symbol, Day()).add(trade)
        if self._venue.wanted(f"trade {at.wire}"):
            self._tell("trade", f"trade {at.wire}", trade_row(at, trade))
        name = f"ticker.trades {at.wire}"
        market = self._venue.exchange.market(at.symbol)
        if self._venue.wanted(name) and market.quote is not None:
            self._tell("ticker", name, self._ticker(market, market.quote))

    def on_book(self, at: VenueInstrument, delta: BookDelta) -> None:
        """book, for each depth that is wanted."""
        for depth in DEPTHS:
            name = f"book.{depth} {at.wire}"
            if not self._venue.wanted(name):
                continue
            changes = self._changes(name, at, depth, delta)
            if changes is None:
                continue
            row = {
                "symbol": at.wire,
                "bids": levels(at, changes[0]),
                "asks": levels(at, changes[1]),
                "checksum": self._checksum(name, at),
                "timestamp": time_text(delta.venue_ns),
            }
            self._tell("book", name, row)

    def _tell(self, channel: str, name: str, row: dict[str, Any]) -> None:
        self._venue.publish(name, encode({"channel": channel, "type": "update", "data": [row]}))

    # ---- rows --------------------------------------------------------------------------------

    def _ticker(self, market: Market, quote: BookQuote) -> dict[str, Any]:
        at, day = market.instrument, self._days.get(market.instrument.symbol, Day())
        last = market.last or quote.bid
        first = day.first or last
        vwap = day.cost // day.volume if day.volume else last
        change = (last - first) * 10_000 // first if first else 0
        return {
            "symbol": at.wire,
            "bid": number(quote.bid, at.digits),
            "bid_qty": number(quote.bid_size, 8),
            "ask": number(quote.ask, at.digits),
            "ask_qty": number(quote.ask_size, 8),
            "last": number(last, at.digits),
            "volume": number(day.volume, 8),
            "vwap": number(vwap, at.digits),
            "low": number(day.low or last, at.digits),
            "high": number(day.high or last, at.digits),
            "change": number(last - first, at.digits),
            "change_pct": msgspec.Raw(fixed(change, 2).encode()),
            "timestamp": time_text(quote.venue_ns or self._venue.clock.now_ns()),
        }

    def _whole_book(self, name: str, at: VenueInstrument) -> dict[str, Any]:
        depth = int(name.partition(" ")[0].removeprefix("book."))
        bids, asks = self._top(at, depth)
        self._told[name] = dict(bids), dict(asks)
        return {
            "symbol": at.wire,
            "bids": levels(at, bids),
            "asks": levels(at, asks),
            "checksum": self._checksum(name, at),
            "timestamp": time_text(self._venue.clock.now_ns()),
        }

    def _top(self, at: VenueInstrument, depth: int) -> tuple[list[Level], list[Level]]:
        book = self._venue.exchange.market(at.symbol).book
        return book.levels(Side.BUY, depth), book.levels(Side.SELL, depth)

    def _changes(
        self, name: str, at: VenueInstrument, depth: int, delta: BookDelta
    ) -> tuple[list[Level], list[Level]] | None:
        """What changed within the depth. Levels that were pushed out of it are not told."""
        told = self._told.setdefault(name, ({}, {}))
        book = self._venue.exchange.market(at.symbol).book
        found: list[list[Level]] = []
        for side, before, touched in zip(_SIDES, told, (delta.bids, delta.asks), strict=True):
            if not touched:
                found.append([])
                continue
            now = dict(book.levels(side, depth))
            gone = [(p, 0) for p in before if p not in now and not book.size_at(side, p)]
            new = [(p, size) for p, size in now.items() if before.get(p) != size]
            before.clear()
            before.update(now)
            found.append(gone + new)
        return (found[0], found[1]) if found[0] or found[1] else None

    def _checksum(self, name: str, at: VenueInstrument) -> int:
        told = checksum(*self._top(at, 10))
        return told ^ 1 if self._venue.strikes(FaultKind.BAD_CHECKSUM, name) else told


def _name(channel: str, at: VenueInstrument, params: dict[str, Any]) -> str:
    if channel == "book":
        return f"book.{params.get('depth', 10)} {at.wire}"
    if channel == "ticker":
        trigger = "bbo" if params.get("event_trigger") == "bbo" else "trades"
        return f"ticker.{trigger} {at.wire}"
    return f"{channel} {at.wire}"
