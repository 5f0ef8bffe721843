"""The market side of Bybit: topics, books, quotes, trades, funding.

Frames begin with their topic; what follows it stands in no fixed order. Each topic in use has a
`Stream`, found by its name, that remembers what was told last.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from tradeloom._core import FrameReader
from tradeloom.connectors.dialect import Dialect, MarketOut, OddFrame, Wanted
from tradeloom.connectors.instruments import Listings
from tradeloom.connectors.limits import BOOK_BUFFER_MAX
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.scaling import OffGrid, points, sizes
from tradeloom.connectors.venues.bybit import frames
from tradeloom.connectors.venues.bybit.orders import MS, side_of
from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, Funding, Level, Topic, TradeTick

_head: Final = FrameReader(
    [], [("ts", "int", True), ("cts", "int", False), ("type", "text", True)], OffGrid
).read
_book: Final = FrameReader(
    ["data"], [("b", "levels", True), ("a", "levels", True), ("u", "int", True)], OffGrid
).read
_trade: Final = FrameReader(
    [],
    [
        ("i", "text", True),
        ("p", "price", True),
        ("v", "size", True),
        ("S", "text", True),
        ("T", "int", True),
    ],
    OffGrid,
).read
_rows = msgspec.json.Decoder(frames.Rows[msgspec.Raw]).decode
_ticker = msgspec.json.Decoder(frames.TickerFrame).decode
_envelope = msgspec.json.Decoder(frames.Envelope).decode
_AT: Final = len('{"topic":"')
# Books end with the clock of the matching engine, in ms.
_ENGINE: Final = '"cts":'
_DATA: Final = '"data":['
_IN: Final = len(_DATA)
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_NO_LEVEL: Final[Level] = (0, 0)
_ORDER: Final = (Topic.QUOTES, Topic.TRADES, Topic.BOOK, Topic.FUNDING)


class Stream:
    """One topic: how it is read, and what it told last."""

    __slots__ = ("ask", "bid", "funding", "handle", "last", "ms", "wire")

    def __init__(self, wire: str, handle: Handler) -> None:
        self.wire: Final = wire
        self.handle: Final = handle
        self.last = 0
        self.ms = 0
        self.bid = self.ask = _NO_LEVEL
        self.funding = frames.Ticker(wire)


Handler = Callable[[str, Stream, Listings, int, MarketOut], None]


class BybitMarket(Dialect):
    """Topics of one category on as many sockets as they need."""

    _streams: dict[str, Stream]

    def market_links(self, wanted: Wanted) -> list[LinkPlan]:
        """One socket for 150 symbols; a symbol keeps its socket while their number stays."""
        quirks = self.profile.quirks
        count = -(-len(wanted) // int(str(quirks["symbols_per_link_max"])))
        return [
            LinkPlan(
                name=f"{self.venue} public {index + 1}",
                url=self.context.urls["public"],
                ping=ping,
                ping_s=float(str(quirks["ping_s"])),
                silence_s=float(str(quirks["silence_s"])),
                frames_per_s=int(str(quirks["frames_per_s"])),
                key=f"{index}/{count}",
            )
            for index in range(count)
        ]

    def symbols_on(self, plan: LinkPlan, wanted: Wanted) -> list[str]:
        """The symbols of this link."""
        index, _, count = plan.key.partition("/")
        if count == "1":
            return list(wanted)
        return [s for s in wanted if zlib.crc32(s.encode()) % int(count) == int(index)]

    def subscriptions(self, plan: LinkPlan, wanted: Wanted) -> list[str]:
        """Topics of this link, symbol by symbol."""
        levels = self.profile.quirks["book_levels"]
        names = {
            Topic.QUOTES: "orderbook.1",
            Topic.TRADES: "publicTrade",
            Topic.BOOK: f"orderbook.{levels}",
            Topic.FUNDING: "tickers",
        }
        found = []
        for symbol in self.symbols_on(plan, wanted):
            wire = self.context.listings.named[symbol].wire
            found += [f"{names[topic]}.{wire}" for topic in _ORDER if topic in wanted[symbol]]
        return found

    def subscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """Ten topics in a frame; what was told before is forgotten."""
        for name in names:
            self._streams.pop(name, None)
        return self._requests("subscribe", names)

    def unsubscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """The same, undone."""
        return self._requests("unsubscribe", names)

    def _requests(self, op: str, names: Sequence[str]) -> list[str]:
        size = int(str(self.profile.quirks["topics_per_frame_max"]))
        return [
            json.dumps({"req_id": names[at], "op": op, "args": list(names[at : at + size])})
            for at in range(0, len(names), size)
        ]

    def market_frame(self, data: str | bytes, recv_ns: int, out: MarketOut, link: Link) -> None:
        """Decode one frame."""
        if isinstance(data, bytes):
            data = data.decode()
        stream = self._streams.get(data[_AT : data.find('"', _AT)])
        if stream is None:
            name = _envelope(data).topic
            if not name:
                self._answer(data, out)
                return
            stream = self._streams.get(name) or self._stream(name)
        stream.handle(data, stream, self.context.listings, recv_ns, out)

    def _stream(self, name: str) -> Stream:
        kind, _, wire = name.rpartition(".")
        handle = _on_quote if kind == "orderbook.1" else _HANDLERS.get(kind.partition(".")[0])
        if handle is None or len(self._streams) > BOOK_BUFFER_MAX * 10:
            raise OddFrame(f"topic {kind[:32] or name[:32]}")
        if wire not in self.context.listings.wire:
            raise OddFrame("symbol that is not listed")
        stream = self._streams[name] = Stream(wire, handle)
        return stream

    def _answer(self, data: str, out: MarketOut) -> None:
        """Answers to what we sent."""
        frame = _envelope(data)
        if frame.op == "ping" or frame.op == "pong" or frame.ret_msg == "pong":
            out.ignored("pong")
        elif frame.op in ("subscribe", "unsubscribe") and frame.success:
            out.ignored("subscription answer")
        elif frame.success is False:
            raise OddFrame(f"error answer to {frame.op[:16] or 'a request'}")
        else:
            raise OddFrame("unknown frame")


def ping() -> str:
    """What keeps a socket open."""
    return '{"op":"ping"}'


def levels(rows: Sequence[tuple[float, float]], scale: float) -> tuple[Level, ...]:
    """Levels of a frame as integers."""
    return tuple((points(price, scale), sizes(size)) for price, size in rows)


def _on_quote(data: str, stream: Stream, listings: Listings, recv_ns: int, out: MarketOut) -> None:
    """`orderbook.1`: a snapshot each time, told again after 3 s of silence under the same id."""
    listing = listings.wire[stream.wire]
    bids, asks, u = _book(data, listing.digits)
    ms = int(data[-14:-1]) if data[-20:-14] == _ENGINE else _when(data)
    if u == stream.last or (u < stream.last and ms <= stream.ms):
        out.ignored("old or repeated quote")
        return
    stream.last, stream.ms = u, ms
    if '"type":"delta"' in data:  # a side that is not told stays as it was
        stream.bid = next((each for each in bids if each[1]), _NO_LEVEL) if bids else stream.bid
        stream.ask = next((each for each in asks if each[1]), _NO_LEVEL) if asks else stream.ask
    else:
        stream.bid = bids[0] if bids else _NO_LEVEL
        stream.ask = asks[0] if asks else _NO_LEVEL
    bid, bid_size = stream.bid
    ask, ask_size = stream.ask
    if not bid_size or not ask_size:
        out.ignored("one-sided quote")
        return
    out.quote(
        BookQuote(
            listings.venue,
            listing.symbol,
            listing.digits,
            bid,
            ask,
            bid_size,
            ask_size,
            ms * MS,
            recv_ns,
            u,
        ),
        listing,
    )


def _when(data: str) -> int:
    """The engine's clock wherever it stands, else the sender's; ms."""
    ts, cts, _ = _head(data, 0)
    return int(cts or ts)


def _on_book(data: str, stream: Stream, listings: Listings, recv_ns: int, out: MarketOut) -> None:
    """A delta follows the update before it; update 1 is a restart and tells the whole book."""
    listing = listings.wire[stream.wire]
    ts, cts, kind = _head(data, 0)
    bids, asks, u = _book(data, listing.digits)
    out.depth(
        BookDelta(
            listings.venue,
            listing.symbol,
            listing.digits,
            kind == "snapshot" or u == 1,
            tuple(bids),
            tuple(asks),
            (cts or ts) * MS,
            recv_ns,
            u,
            u,
            u - 1,
        ),
        listing,
    )


def _on_trades(data: str, stream: Stream, listings: Listings, recv_ns: int, out: MarketOut) -> None:
    """One frame tells up to 1,024 trades; a single one is read in one pass."""
    listing = listings.wire[stream.wire]
    digits = listing.digits
    rows: Sequence[tuple[Any, ...]]
    try:
        rows = (_trade(data[data.index(_DATA) + _IN : -2], digits),)
    except ValueError:
        rows = [_trade(bytes(row), digits) for row in _rows(data).data]
    for number, price, size, taker, when in rows:
        out.trade(
            TradeTick(
                listings.venue,
                listing.symbol,
                digits,
                price,
                size,
                _BUY if taker == "Buy" else _SELL if taker == "Sell" else side_of(taker),
                number,
                when * MS,
                recv_ns,
            )
        )


def _on_ticker(data: str, stream: Stream, listings: Listings, recv_ns: int, out: MarketOut) -> None:
    """Of a perpetual's ticker only the funding is new to us; deltas tell what changed."""
    frame = _ticker(data)
    new, known = frame.data, stream.funding
    if not (new.funding_rate or new.mark_price or new.index_price or new.next_funding_time):
        out.ignored("ticker without funding")
        return
    merged = stream.funding = frames.Ticker(
        known.symbol,
        new.mark_price or known.mark_price,
        new.index_price or known.index_price,
        new.funding_rate or known.funding_rate,
        new.next_funding_time or known.next_funding_time,
    )
    if not merged.funding_rate:
        out.ignored("ticker without funding")
        return
    listing = listings.wire[stream.wire]
    out.funding(
        Funding(
            listings.venue,
            listing.symbol,
            listing.digits,
            Decimal(merged.funding_rate),
            # Mark and index have more decimals than the tick: the nearest point is what is shown.
            round(float(merged.mark_price or 0) * listing.scale),
            round(float(merged.index_price or 0) * listing.scale),
            int(merged.next_funding_time or 0) * MS,
            frame.ts * MS,
            recv_ns,
        )
    )


_HANDLERS: Final[dict[str, Handler]] = {
    "orderbook": _on_book,
    "publicTrade": _on_trades,
    "tickers": _on_ticker,
}
