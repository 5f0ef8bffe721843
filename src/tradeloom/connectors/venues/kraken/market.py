"""Prices of Kraken: quotes, trades and books over WebSocket v2."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec

from tradeloom._core import FrameReader
from tradeloom.connectors.dialect import BookRule, Context, MarketOut, OddFrame, Wanted
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.profile import Profile
from tradeloom.connectors.scaling import OffGrid, exact_points, exact_sizes, points, sizes
from tradeloom.connectors.stamps import rfc3339_ns
from tradeloom.connectors.venues.kraken import frames
from tradeloom.connectors.venues.kraken.checksum import book_checksum
from tradeloom.connectors.venues.kraken.profile import SPOT
from tradeloom.connectors.venues.kraken.reference import KrakenReference
from tradeloom.domain.enums import Side
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    FeedState,
    Level,
    Topic,
    TradeTick,
)

_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_CHANNELS: Final = {Topic.QUOTES: "ticker", Topic.TRADES: "trade", Topic.BOOK: "book"}
_TRADES_SYSTEM: Final = frozenset({"online", "post_only", "limit_only"})

# The row of a frame that has one, straight to integers.
_ticker: Final = FrameReader(
    [],
    [
        ("bid", "price", True),
        ("ask", "price", True),
        ("bid_qty", "size", True),
        ("ask_qty", "size", True),
        ("timestamp", "text", False),
    ],
    OffGrid,
).read
_trade: Final = FrameReader(
    [],
    [
        ("trade_id", "int", True),
        ("price", "price", True),
        ("qty", "size", True),
        ("side", "text", True),
        ("timestamp", "text", True),
    ],
    OffGrid,
).read
_TICKER: Final = '{"channel":"ticker","type":"update","data":[{"symbol":"'
_TRADE: Final = '{"channel":"trade","type":"update","data":[{"symbol":"'
_TICKER_AT: Final = len(_TICKER)
_TRADE_AT: Final = len(_TRADE)
# Sizes below this have at most 15 digits, which a float keeps.
_EXACT_QTY: Final = 4e6

_tickers = msgspec.json.Decoder(frames.Tickers).decode
_trades = msgspec.json.Decoder(frames.Trades).decode
_books = msgspec.json.Decoder(frames.Books).decode
_exact_books = msgspec.json.Decoder(frames.ExactBooks).decode
_envelope = msgspec.json.Decoder(frames.Envelope).decode
_statuses = msgspec.json.Decoder(list[frames.Status]).decode


class KrakenMarket(KrakenReference):
    """The market half."""

    profile: ClassVar[Profile] = SPOT
    book_rule: ClassVar[BookRule] = BookRule(
        depth=int(str(SPOT.quirks["book_depth"])), checksum=True
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._checksums: dict[str, int] = {}
        self._last_trade: dict[str, int] = {}
        self._symbols: list[str] = []
        self._halted = ""
        self._numbers = itertools.count(1)

    # -- subscriptions ---------------------------------------------------------------------------

    def market_links(self, wanted: Wanted) -> list[LinkPlan]:
        """One socket carries all pairs."""
        self._symbols = list(wanted)
        quirks = self.profile.quirks
        return [
            LinkPlan(
                name=f"{self.venue} prices",
                url=self.context.urls["stream"],
                ping=self._ping,
                ping_s=20.0,
                silence_s=float(str(quirks["silence_s"])),
                frames_per_s=int(str(quirks["frames_per_s"])),
            )
        ]

    def subscriptions(self, plan: LinkPlan, wanted: Wanted) -> list[str]:
        """`channel BTC/USD`, channel by channel so that one frame takes many pairs."""
        named = self.context.listings.named
        return [
            f"{channel} {named[symbol].wire}"
            for topic, channel in _CHANNELS.items()
            for symbol, topics in wanted.items()
            if topic in topics
        ]

    def subscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """Frames of up to 100 pairs of one channel."""
        return self._requests("subscribe", names)

    def unsubscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """The same the other way round."""
        return self._requests("unsubscribe", names)

    def _requests(self, method: str, names: Sequence[str]) -> list[str]:
        size = int(str(self.profile.quirks["symbols_per_frame_max"]))
        made = []
        for channel, group in itertools.groupby(names, lambda name: name.partition(" ")[0]):
            wires = [name.partition(" ")[2] for name in group]
            for at in range(0, len(wires), size):
                params: dict[str, object] = {"channel": channel, "symbol": wires[at : at + size]}
                if channel == "book":
                    params["depth"] = self.book_rule.depth
                if channel == "ticker":
                    params["event_trigger"] = "bbo"  # the default moves on trades only
                if method == "subscribe":
                    params["snapshot"] = True
                made.append(json.dumps({"method": method, "params": params, "req_id": self.number}))
        return made

    @property
    def number(self) -> int:
        """A new request number."""
        return next(self._numbers)

    def _ping(self) -> str:
        return json.dumps({"method": "ping", "req_id": self.number})

    # -- frames ----------------------------------------------------------------------------------

    def market_frame(self, data: str | bytes, recv_ns: int, out: MarketOut, link: Link) -> None:
        """Decode one frame. Kraken writes the channel first; others are read the long way."""
        if isinstance(data, bytes):
            data = data.decode()
        if data.startswith(_TICKER):
            self._on_ticker(data, recv_ns, out)
        elif data.startswith('{"channel":"book"'):
            self._on_books(data, recv_ns, out)
        elif data.startswith(_TRADE):
            self._on_trade(data, recv_ns, out)
        else:
            self._on_other(data, recv_ns, out)

    def _on_ticker(self, data: str, recv_ns: int, out: MarketOut) -> None:
        """A frame of one row, in one pass; the reader does not take more rows than one."""
        listing = self.context.listings.wire[data[_TICKER_AT : data.index('"', _TICKER_AT)]]
        digits = listing.digits
        try:
            bid, ask, bid_size, ask_size, when = _ticker(data[_TICKER_AT - 11 : -2], digits)
        except ValueError:
            self._on_tickers(data, recv_ns, out)
            return
        out.quote(
            BookQuote(
                listing.venue,
                listing.symbol,
                digits,
                bid,
                ask,
                bid_size,
                ask_size,
                rfc3339_ns(when) if when else 0,
                recv_ns,
            ),
            listing,
        )

    def _on_trade(self, data: str, recv_ns: int, out: MarketOut) -> None:
        """The same for a trade."""
        listing = self.context.listings.wire[data[_TRADE_AT : data.index('"', _TRADE_AT)]]
        try:
            number, price, size, side, when = _trade(data[_TRADE_AT - 11 : -2], listing.digits)
        except ValueError:
            self._on_trades(data, recv_ns, out)
            return
        self._tell_trade(listing, number, price, size, side, when, recv_ns, out)

    def _on_tickers(self, data: str, recv_ns: int, out: MarketOut) -> None:
        for row in _tickers(data).data:
            listing = self.context.listings.wire[row.symbol]
            out.quote(
                BookQuote(
                    listing.venue,
                    listing.symbol,
                    listing.digits,
                    points(row.bid, listing.scale),
                    points(row.ask, listing.scale),
                    sizes(row.bid_qty),
                    sizes(row.ask_qty),
                    rfc3339_ns(row.timestamp),
                    recv_ns,
                ),
                listing,
            )

    def _on_trades(self, data: str, recv_ns: int, out: MarketOut) -> None:
        """Trades. A snapshot fills the hole that a lost connection left, up to its fifty trades."""
        frame = _trades(data)
        wires, lasts = self.context.listings.wire, self._last_trade
        first = frame.type == "snapshot"
        for row in frame.data:
            listing = wires[row.symbol]
            if first and listing.symbol not in lasts:
                out.ignored("trade before we came")
                continue
            price, size = points(row.price, listing.scale), sizes(row.qty)
            self._tell_trade(
                listing, row.trade_id, price, size, row.side, row.timestamp, recv_ns, out
            )
        if first:
            for row in frame.data:
                symbol = wires[row.symbol].symbol
                lasts[symbol] = max(lasts.get(symbol, 0), row.trade_id)

    def _tell_trade(
        self,
        listing: Listing,
        number: int,
        price: int,
        size: int,
        side: str,
        when: str,
        recv_ns: int,
        out: MarketOut,
    ) -> None:
        last = self._last_trade.get(listing.symbol, 0)
        if number <= last:
            out.ignored("old or doubled trade")
            return
        if last and number != last + 1:
            out.ignored("trades missed")
        self._last_trade[listing.symbol] = number
        out.trade(
            TradeTick(
                listing.venue,
                listing.symbol,
                listing.digits,
                price,
                size,
                _BUY if side == "buy" else _SELL,
                str(number),
                rfc3339_ns(when),
                recv_ns,
            )
        )

    def _on_books(self, data: str, recv_ns: int, out: MarketOut) -> None:
        frame = _books(data)
        for index, row in enumerate(frame.data):
            listing = self.context.listings.wire[row.symbol]
            bids, asks = _levels(row.bids, listing.scale), _levels(row.asks, listing.scale)
            if bids is None or asks is None:  # more digits than a float keeps
                exact = _exact_books(data).data[index]
                bids = _exact_levels(exact.bids, listing.digits)
                asks = _exact_levels(exact.asks, listing.digits)
            event = BookDelta(
                listing.venue,
                listing.symbol,
                listing.digits,
                frame.type == "snapshot",
                bids,
                asks,
                rfc3339_ns(row.timestamp),
                recv_ns,
            )
            # The keeper asks for it before this returns.
            self._checksums[listing.symbol] = row.checksum
            out.depth(event, listing)

    def checksum_fails(self, delta: BookDelta, bids: Sequence[Level], asks: Sequence[Level]) -> str:
        """Compare with the checksum of the frame that is being applied."""
        wanted = self._checksums[delta.symbol]
        found = book_checksum(bids, asks, self._names.lots.get(delta.symbol, 1))
        return "" if found == wanted else f"checksum {found} instead of {wanted}"

    def _on_other(self, data: str, recv_ns: int, out: MarketOut) -> None:
        frame = _envelope(data)
        if frame.channel == "heartbeat":
            out.ignored("heartbeat")
        elif frame.channel == "status":
            self._on_status(_statuses(frame.data)[-1].system, out)
        elif frame.channel in ("ticker", "book", "trade"):
            again = {"ticker": self._on_tickers, "book": self._on_books, "trade": self._on_trades}
            again[frame.channel](data, recv_ns, out)
        elif frame.method == "pong":
            out.ignored("pong")
        elif frame.method in ("subscribe", "unsubscribe"):
            self._on_answer(frame, out)
        elif frame.channel:
            raise OddFrame(f"channel {frame.channel[:32]}")
        else:
            raise OddFrame(f"answer {frame.method[:32]}")

    def _on_answer(self, frame: frames.Envelope, out: MarketOut) -> None:
        listing = self.context.listings.wire.get(frame.symbol)
        error = frame.error or ""
        if frame.success or "Already subscribed" in error or "Subscription Not Found" in error:
            out.ignored("subscription answer")
        elif listing is not None:
            out.state(listing.symbol, FeedState.STALE, f"Kraken: {error}")
            out.ignored("refused subscription")
        else:
            raise OddFrame(f"refused {frame.method}")

    def _on_status(self, system: str, out: MarketOut) -> None:
        out.ignored("status")
        halted = "" if system in _TRADES_SYSTEM else f"Kraken is in {system}"
        if halted == self._halted:
            return
        self._halted = halted
        state = FeedState.HALTED if halted else FeedState.LIVE
        for symbol in self._symbols:
            out.state(symbol, state, halted or "Kraken trades again")


def _levels(rows: Sequence[frames.BookLevel], scale: float) -> tuple[Level, ...] | None:
    """Levels as integers; None when a size may have lost digits."""
    for row in rows:
        if row.qty >= _EXACT_QTY:
            return None
    return tuple([(points(row.price, scale), sizes(row.qty)) for row in rows])


def _exact_levels(rows: Sequence[frames.ExactLevel], digits: int) -> tuple[Level, ...]:
    return tuple((exact_points(row.price, digits), exact_sizes(row.qty)) for row in rows)
