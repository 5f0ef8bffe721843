"""Binance's market streams: names, subscriptions, and the decoding of every frame.

A frame of a combined stream begins with its stream's name, so the right typed decoder is chosen
without looking further. A name is looked up once and remembered with its listing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from tradeloom._core import FrameReader
from tradeloom.connectors.dialect import Dialect, MarketOut, OddFrame, Wanted
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.limits import BOOK_BUFFER_MAX
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.scaling import OffGrid, points, sizes
from tradeloom.connectors.venues.binance import frames as f
from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, Funding, Level, Topic, TradeTick

_MS: Final = 1_000_000
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
SHUTDOWN: Final = "Binance is about to shut this server down"
_HEAD: Final = '{"stream":"'
_AT: Final = len(_HEAD)
# Liquidations and the like are not the market's price.
_NOT_MARKET: Final = frozenset({"INSURANCE_FUND", "ADL"})

_quote: Final = FrameReader(
    ["data"],
    [
        ("u", "int", True),
        ("b", "price", True),
        ("a", "price", True),
        ("B", "size", True),
        ("A", "size", True),
        ("T", "int", False),  # futures only
    ],
    OffGrid,
).read
_trade: Final = FrameReader(
    ["data"],
    [
        ("t", "int", True),
        ("p", "price", True),
        ("q", "size", True),
        ("T", "int", True),
        ("m", "bool", True),
        ("X", "text", False),  # futures only
    ],
    OffGrid,
).read
_depth: Final = FrameReader(
    ["data"],
    [
        ("b", "levels", True),
        ("a", "levels", True),
        ("E", "int", True),
        ("U", "int", True),
        ("u", "int", True),
        ("pu", "int", False),  # futures only
    ],
    OffGrid,
).read
_mark: Final = msgspec.json.Decoder(f.Combined[f.MarkPrice], strict=False).decode

Handler = Callable[[Any, "Stream", int, MarketOut], None]


class Stream:
    """One stream by name: its listing, the decoder, and the newest id seen."""

    __slots__ = ("handle", "last", "listing")

    def __init__(self, listing: Listing, handle: Handler) -> None:
        self.listing: Final = listing
        self.handle: Final = handle
        self.last = 0


class BinanceMarket(Dialect):
    """The market half, shared by spot and futures."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._streams: dict[str, Stream] = {}
        self._ids = 0

    # -- links and names -------------------------------------------------------------------------

    def market_links(self, wanted: Wanted) -> list[LinkPlan]:
        """As many sockets as the streams need."""
        most = int(str(self.profile.quirks["streams_per_link_max"]))
        return [
            LinkPlan(
                name=f"{self.venue} {place} {index + 1}",
                url=self.context.urls[place],
                silence_s=float(str(self.profile.quirks["silence_s"])),
                frames_per_s=int(str(self.profile.quirks["frames_per_s"])) - 1,
                age_max_s=float(str(self.profile.quirks["age_max_s"])),
                key=f"{place}:{index}",
            )
            for place, topics in self.places().items()
            for index in range(-(-len(self._names(wanted, topics)) // most))
        ]

    def places(self) -> dict[str, frozenset[Topic]]:
        """Address -> the topics it carries."""
        return {"stream": frozenset(Topic)}

    def subscriptions(self, plan: LinkPlan, wanted: Wanted) -> list[str]:
        """Stream names of this link."""
        place, _, index = plan.key.partition(":")
        most = int(str(self.profile.quirks["streams_per_link_max"]))
        names = self._names(wanted, self.places()[place])
        return names[int(index) * most : (int(index) + 1) * most]

    def subscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """SUBSCRIBE frames."""
        return self._requests("SUBSCRIBE", names)

    def unsubscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """UNSUBSCRIBE frames."""
        return self._requests("UNSUBSCRIBE", names)

    def _names(self, wanted: Wanted, topics: frozenset[Topic]) -> list[str]:
        suffixes = self.suffixes()
        return [
            f"{self.context.listings.named[symbol].wire.lower()}@{suffixes[topic]}"
            for symbol, them in wanted.items()
            for topic in sorted(them & topics)
            if topic in suffixes
        ]

    def suffixes(self) -> dict[Topic, str]:
        """Topic -> what follows the `@`."""
        return {Topic.QUOTES: "bookTicker", Topic.TRADES: "trade", Topic.BOOK: "depth@100ms"}

    def _requests(self, method: str, names: Sequence[str]) -> list[str]:
        size = int(str(self.profile.quirks["names_per_frame_max"]))
        made = []
        for at in range(0, len(names), size):
            self._ids += 1
            part = list(names[at : at + size])
            made.append(json.dumps({"method": method, "params": part, "id": self._ids}))
        return made

    # -- frames ----------------------------------------------------------------------------------

    def market_frame(self, data: str | bytes, recv_ns: int, out: MarketOut, link: Link) -> None:
        """Decode one frame of a combined stream."""
        if isinstance(data, bytes):
            data = data.decode()
        if data.startswith(_HEAD):
            name = data[_AT : data.index('"', _AT)]
            stream = self._streams.get(name)
            if stream is None:
                stream = self._stream(name, out)
                if stream is None:
                    return
            stream.handle(data, stream, recv_ns, out)
        else:
            self._other(data, out)

    def _stream(self, name: str, out: MarketOut) -> Stream | None:
        if name == "!serverShutdown":
            out.reconnect(SHUTDOWN)
            return None
        symbol, _, rest = name.partition("@")
        listing = self.context.listings.wire.get(symbol.upper())
        handle = _HANDLERS.get(rest.partition("@")[0])
        if listing is None or handle is None or len(self._streams) > BOOK_BUFFER_MAX * 10:
            raise OddFrame(f"stream {rest[:32] or name[:32]}")
        stream = self._streams[name] = Stream(listing, handle)
        return stream

    def _other(self, data: str, out: MarketOut) -> None:
        """Answers, errors and notices."""
        frame = msgspec.json.decode(data)
        if not isinstance(frame, dict):
            raise OddFrame("not an object")
        if frame.get("e") == "serverShutdown":
            out.reconnect(SHUTDOWN)
        elif "error" in frame or ("code" in frame and "msg" in frame):
            raise OddFrame("error answer")
        elif "result" in frame:
            out.ignored("subscription answer")
        else:
            raise OddFrame("unknown frame")


def _on_quote(data: str, stream: Stream, recv_ns: int, out: MarketOut) -> None:
    listing = stream.listing
    seq, bid, ask, bid_size, ask_size, when = _quote(data, listing.digits)
    if seq <= stream.last:
        out.ignored("old or doubled quote")
        return
    stream.last = seq
    out.quote(
        BookQuote(
            listing.venue,
            listing.symbol,
            listing.digits,
            bid,
            ask,
            bid_size,
            ask_size,
            when * _MS if when else 0,
            recv_ns,
            seq,
        ),
        listing,
    )


def _on_trade(data: str, stream: Stream, recv_ns: int, out: MarketOut) -> None:
    listing = stream.listing
    number, price, size, when, buyer_made, kind = _trade(data, listing.digits)
    if number <= stream.last:
        out.ignored("old or doubled trade")
        return
    if stream.last and number != stream.last + 1:
        out.ignored("trades missed")
    stream.last = number
    if kind in _NOT_MARKET:
        out.ignored("liquidation trade")
        return
    out.trade(
        TradeTick(
            listing.venue,
            listing.symbol,
            listing.digits,
            price,
            size,
            _SELL if buyer_made else _BUY,
            str(number),
            when * _MS,
            recv_ns,
        )
    )


def _on_depth(data: str, stream: Stream, recv_ns: int, out: MarketOut) -> None:
    listing = stream.listing
    bids, asks, when, first, last, previous = _depth(data, listing.digits)
    out.depth(
        BookDelta(
            listing.venue,
            listing.symbol,
            listing.digits,
            False,
            bids,
            asks,
            when * _MS,
            recv_ns,
            first,
            last,
            -1 if previous is None else previous,
        ),
        listing,
    )


def _on_mark(data: str, stream: Stream, recv_ns: int, out: MarketOut) -> None:
    frame = _mark(data).data
    listing = stream.listing
    # Mark and index have more decimals than the tick: the nearest point is what is shown.
    out.funding(
        Funding(
            listing.venue,
            listing.symbol,
            listing.digits,
            frame.r,
            round(frame.p * listing.scale),
            round(frame.i * listing.scale),
            frame.T * _MS,
            frame.E * _MS,
            recv_ns,
        )
    )


def levels(rows: Sequence[tuple[float, float]], scale: float) -> tuple[Level, ...]:
    """Levels of a frame as integers."""
    return tuple((points(price, scale), sizes(size)) for price, size in rows)


_HANDLERS: Final[dict[str, Handler]] = {
    "bookTicker": _on_quote,
    "trade": _on_trade,
    "depth": _on_depth,
    "markPrice": _on_mark,
}
