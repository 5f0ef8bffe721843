"""OKX's public channels: best prices, books with their sequence, trades, tickers, funding."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.dialect import VenueDialect, encode
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.figures import plain
from tradeloom.simulators.okx import rows
from tradeloom.simulators.sessions import Session

LEVELS: Final = 400
_CHECKED: Final = 25
_KEEPALIVE_MS: Final = 60_000
_BOOKS: Final = ("books", "books-l2-tbt", "books50-l2-tbt")

_Side = dict[int, int]


class _Top:
    """The levels as they were told last, and the sequence they were told under."""

    def __init__(self, seq: int, now_ms: int) -> None:
        self.seq = seq
        self.told_ms = now_ms
        self.bids: _Side = {}
        self.asks: _Side = {}


class Streams:
    """The public channels of one dialect; a channel's name is `channel:instId`."""

    def __init__(self, dialect: VenueDialect, *, checksums: bool) -> None:
        self._dialect: Final = dialect
        self._checksums: Final = checksums
        self._tops: Final[dict[str, _Top]] = {}
        self._changed: Final[set[str]] = set()
        self._made: Final[dict[str, Callable[[Market, int], dict[str, Any]]]] = {
            "tickers": rows.ticker_row,
            "funding-rate": rows.funding_row,
            "mark-price": rows.mark_row,
            "index-tickers": rows.index_row,
        }
        dialect.every(0.1, self._flush)
        dialect.every(1.0, self._each_second)

    def market(self, channel: str, inst_id: str) -> Market | None:
        """The market of a channel; None when there is no such channel."""
        if channel not in (*_BOOKS, *self._made, "bbo-tbt", "books5", "trades"):
            return None
        wire = f"{inst_id}-SWAP" if channel == "index-tickers" else inst_id
        found = self._dialect.exchange.by_wire.get(wire)
        swaps = ("funding-rate", "mark-price", "index-tickers")
        if found is not None and channel in swaps and not rows.is_swap(found.instrument):
            return None
        return found

    def join(self, session: Session, channel: str, market: Market) -> None:
        """Subscribe a session and send it what it starts from."""
        name = _name(channel, market)
        now = self._now()
        if channel in _BOOKS:
            wire = market.instrument.wire
            self._flush_one(wire)  # so that what was told is what is
            top = self._tops.get(wire)
            if top is None or self._dialect.exchange.tape_only:  # a tape tells nothing of its own
                top = self._tops[wire] = _Top(market.seq, now)
                top.bids, top.asks = _best(market, LEVELS)
            self._dialect.subscribe(session, name)
            row = self._depth(market, top.bids, top.asks, top.seq, -1, top, name)
            session.send(self._frame(channel, market, [row], action="snapshot"), name)
            return
        self._dialect.subscribe(session, name)
        if channel in self._made:
            session.send(self._frame(channel, market, [self._made[channel](market, now)]), name)
        elif channel == "bbo-tbt":
            session.send(self._frame(channel, market, [self._bbo(market)]), name)
        elif channel == "books5":
            session.send(self._frame(channel, market, [self._five(market)]), name)

    # ---- the market moved --------------------------------------------------------------------

    def on_quote(self, at: VenueInstrument, quote: BookQuote) -> None:
        """The best prices changed."""
        name = f"bbo-tbt:{at.wire}"
        if self._dialect.wanted(name):
            market = self._dialect.exchange.by_wire[at.wire]
            self._dialect.publish(name, self._frame("bbo-tbt", market, [self._bbo(market)]))

    def on_trade(self, at: VenueInstrument, trade: TradeTick) -> None:
        """A trade."""
        name = f"trades:{at.wire}"
        if not self._dialect.wanted(name):
            return
        market = self._dialect.exchange.by_wire[at.wire]
        self._dialect.publish(
            name, self._frame("trades", market, [trade_row(at, trade, market.seq)])
        )

    def on_book(self, at: VenueInstrument, delta: BookDelta) -> None:
        """Levels changed."""
        self._changed.add(at.wire)

    # ---- frames ------------------------------------------------------------------------------

    def _now(self) -> int:
        return self._dialect.clock.now_ms()

    @staticmethod
    def _frame(channel: str, market: Market, data: list[dict[str, Any]], **more: str) -> bytes:
        wire = market.instrument.wire
        inst_id = wire.removesuffix("-SWAP") if channel == "index-tickers" else wire
        return encode({"arg": {"channel": channel, "instId": inst_id}, **more, "data": data})

    def _bbo(self, market: Market) -> dict[str, Any]:
        bids, asks = _best(market, 1)
        sides = {"asks": _levels(market, asks), "bids": _levels(market, bids)}
        return {**sides, "ts": str(self._now()), "seqId": market.seq}

    def _five(self, market: Market) -> dict[str, Any]:
        bids, asks = _best(market, 5)
        sides = {"asks": _levels(market, asks), "bids": _levels(market, bids)}
        wire = market.instrument.wire
        return {**sides, "instId": wire, "ts": str(self._now()), "seqId": market.seq}

    def _depth(
        self,
        market: Market,
        bids: _Side,
        asks: _Side,
        seq: int,
        previous: int,
        top: _Top,
        name: str,
    ) -> dict[str, Any]:
        made = checksum(market.instrument, top.bids, top.asks) if self._checksums else 0
        if self._dialect.strikes(FaultKind.BAD_CHECKSUM, name):
            made = checksum(market.instrument, top.bids, top.asks) ^ 1
        return {
            "asks": _levels(market, asks),
            "bids": _levels(market, bids),
            "ts": str(self._now()),
            "checksum": made,
            "seqId": seq,
            "prevSeqId": previous,
        }

    def _flush(self) -> None:
        for wire in tuple(self._changed):
            self._flush_one(wire)
            market = self._dialect.exchange.by_wire[wire]
            name = f"books5:{wire}"
            if self._dialect.wanted(name):
                self._dialect.publish(name, self._frame("books5", market, [self._five(market)]))

    def _flush_one(self, wire: str) -> None:
        """Tell the difference between the levels now and as they were told."""
        if wire not in self._changed:
            return
        self._changed.discard(wire)
        top = self._tops.get(wire)
        if top is None:
            return
        names = [
            (each, f"{each}:{wire}") for each in _BOOKS if self._dialect.wanted(f"{each}:{wire}")
        ]
        if not names:
            del self._tops[wire]
            return
        market = self._dialect.exchange.by_wire[wire]
        bids, asks = _best(market, LEVELS)
        new_bids, new_asks = _changes(top.bids, bids), _changes(top.asks, asks)
        top.bids, top.asks = bids, asks
        if new_bids or new_asks:
            self._tell(market, top, names, new_bids, new_asks, market.seq)

    def _tell(
        self,
        market: Market,
        top: _Top,
        names: list[tuple[str, str]],
        bids: _Side,
        asks: _Side,
        seq: int,
    ) -> None:
        previous, top.seq, top.told_ms = top.seq, seq, self._now()
        for channel, name in names:
            row = self._depth(market, bids, asks, seq, previous, top, name)
            self._dialect.publish(name, self._frame(channel, market, [row], action="update"))

    def _each_second(self) -> None:
        """What is told by time: tickers, marks, and books that were silent for a minute."""
        now = self._now()
        for market in self._dialect.exchange.by_wire.values():
            for channel, make in self._made.items():
                name = _name(channel, market)
                if self._dialect.wanted(name):
                    self._dialect.publish(name, self._frame(channel, market, [make(market, now)]))
        for wire, top in tuple(self._tops.items()):
            if now - top.told_ms >= _KEEPALIVE_MS and not self._dialect.exchange.tape_only:
                names = [(each, f"{each}:{wire}") for each in _BOOKS]
                wanted = [each for each in names if self._dialect.wanted(each[1])]
                market = self._dialect.exchange.by_wire[wire]
                self._tell(market, top, wanted, {}, {}, top.seq)


def trade_row(at: VenueInstrument, trade: TradeTick, seq: int) -> dict[str, Any]:
    """A row of `trades`."""
    return {
        "instId": at.wire,
        "tradeId": trade.trade_id,
        "px": plain(trade.price, at.digits),
        "sz": rows.size(trade.size),
        "side": rows.side(trade.side or Side.BUY),
        "ts": str(trade.venue_ns // rows.MS),
        "count": "1",
        "seqId": seq,
    }


def checksum(at: VenueInstrument, bids: _Side, asks: _Side) -> int:
    """CRC32, signed, over the best 25 levels: bid and ask in turn."""
    buys, sells = sorted(bids.items(), reverse=True), sorted(asks.items())
    parts = []
    for index in range(_CHECKED):
        for levels in (buys, sells):
            if index < len(levels):
                price, size = levels[index]
                parts += [plain(price, at.digits), rows.size(size)]
    made = zlib.crc32(":".join(parts).encode())
    return made - 2**32 if made >= 2**31 else made


def _name(channel: str, market: Market) -> str:
    return f"{channel}:{market.instrument.wire}"


def _best(market: Market, depth: int) -> tuple[_Side, _Side]:
    book = market.book
    return dict(book.levels(Side.BUY, depth)), dict(book.levels(Side.SELL, depth))


def _levels(market: Market, levels: _Side) -> list[list[str]]:
    digits = market.instrument.digits
    return [
        [plain(price, digits), rows.size(size), "0", "1" if size else "0"]
        for price, size in levels.items()
    ]


def _changes(before: _Side, after: _Side) -> _Side:
    """Levels that are new or other, and 0 for those that left."""
    changed = {price: size for price, size in after.items() if before.get(price) != size}
    return changed | {price: 0 for price in before if price not in after}
