"""Backpack's market side: streams, and frames into events."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from tradeloom._core import FrameReader
from tradeloom.connectors.dialect import Context, Dialect, MarketOut, OddFrame, Wanted
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.scaling import OffGrid, points, sizes
from tradeloom.connectors.venues.backpack import frames as f
from tradeloom.connectors.venues.backpack.profile import (
    HEARTBEAT_S,
    SILENCE_S,
    STREAMS_PER_FRAME,
    VENUE,
)
from tradeloom.domain.enums import Side
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    Funding,
    InstrumentKind,
    Level,
    Topic,
    TradeTick,
)

US: Final = 1_000
_HEAD: Final = '{"stream":"'
_AT: Final = len(_HEAD)
_TAIL: Final = '"stream":"'
_STREAMS_KEPT: Final = 10_000
# Times beyond this are microseconds, below it milliseconds (the year 2286 in ms).
_MICRO: Final = 10**13
_NAMES: Final = {
    Topic.QUOTES: "bookTicker",
    Topic.TRADES: "trade",
    Topic.BOOK: "depth",
    Topic.FUNDING: "markPrice",
}

_quote: Final = FrameReader(
    ["data"],
    [
        ("u", "int", True),
        ("b", "price", True),
        ("a", "price", True),
        ("B", "size", True),
        ("A", "size", True),
        ("T", "int", True),  # the engine's time in µs
    ],
    OffGrid,
).read
_trade: Final = FrameReader(
    ["data"],
    [
        ("t", "int", True),
        ("p", "price", True),
        ("q", "size", True),
        ("m", "bool", True),  # the buyer was the maker
        ("T", "int", True),
    ],
    OffGrid,
).read
_depth: Final = FrameReader(
    ["data"],
    [
        ("b", "levels", True),
        ("a", "levels", True),
        ("T", "int", True),
        ("U", "int", True),
        ("u", "int", True),
    ],
    OffGrid,
).read
_mark: Final = msgspec.json.Decoder(f.Streamed[f.MarkPrice], strict=False).decode
any_frame: Final = msgspec.json.Decoder(f.Any).decode

_Handler = Callable[[str, "_Stream", int, MarketOut], None]


class _Stream:
    """One stream by name: its listing, its decoder, and the newest id seen."""

    __slots__ = ("handle", "last", "listing")

    def __init__(self, listing: Listing, handle: _Handler) -> None:
        self.listing: Final = listing
        self.handle: Final = handle
        self.last = 0


class BackpackMarket(Dialect):
    """The market half."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._streams: dict[str, _Stream] = {}
        self._ids = 0

    # -- links and names -------------------------------------------------------------------------

    def market_links(self, wanted: Wanted) -> list[LinkPlan]:
        """One socket for everything."""
        return [self.plan("market")] if wanted else []

    def plan(self, what: str) -> LinkPlan:
        """A socket, kept by pings of ours."""
        return LinkPlan(
            name=f"{VENUE} {what}",
            url=self.context.urls["ws"],
            silence_s=SILENCE_S,
            frames_per_s=20,
            key=what,
            heartbeat_s=HEARTBEAT_S,
        )

    def subscriptions(self, plan: LinkPlan, wanted: Wanted) -> list[str]:
        """Stream names; only perpetuals have funding."""
        names = []
        for symbol, topics in wanted.items():
            instrument = self.context.listings.named[symbol].instrument
            names += [
                f"{_NAMES[topic]}.{instrument.wire}"
                for topic in sorted(topics)
                if topic is not Topic.FUNDING or instrument.kind is InstrumentKind.PERPETUAL
            ]
        return names

    def subscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """SUBSCRIBE frames."""
        return self._requests("SUBSCRIBE", names)

    def unsubscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """UNSUBSCRIBE frames."""
        return self._requests("UNSUBSCRIBE", names)

    def _requests(self, method: str, names: Sequence[str]) -> list[str]:
        made = []
        for at in range(0, len(names), STREAMS_PER_FRAME):
            self._ids += 1
            part = list(names[at : at + STREAMS_PER_FRAME])
            made.append(json.dumps({"method": method, "params": part, "id": self._ids}))
        return made

    async def open_market(self, link: Link) -> None:
        """Ids start over with a connection: the venue may have restarted."""
        self._streams.clear()

    def joins(self, snapshot: BookDelta, delta: BookDelta) -> bool:
        """A delta that touches the snapshot continues it."""
        return delta.first_seq <= snapshot.seq + 1

    # -- frames ----------------------------------------------------------------------------------

    def market_frame(self, data: str | bytes, recv_ns: int, out: MarketOut, link: Link) -> None:
        """Decode one frame; the stream's name leads it, or ends it."""
        text = data if isinstance(data, str) else data.decode()
        if text.startswith(_HEAD):
            name = text[_AT : text.index('"', _AT)]
        else:
            at = text.rfind(_TAIL)
            if at < 0:
                self._other(text, out)
                return
            name = text[at + len(_TAIL) : text.index('"', at + len(_TAIL))]
        stream = self._streams.get(name)
        if stream is None:
            stream = self._stream(name)
        stream.handle(text, stream, recv_ns, out)

    def _stream(self, name: str) -> _Stream:
        kind, _, rest = name.partition(".")
        listing = self.context.listings.wire.get(rest.rpartition(".")[2])
        handle = _HANDLERS.get(kind)
        if listing is None or handle is None or len(self._streams) >= _STREAMS_KEPT:
            raise OddFrame(f"stream {name[:32]}")
        stream = self._streams[name] = _Stream(listing, handle)
        return stream

    def _other(self, text: str, out: MarketOut) -> None:
        frame = any_frame(text)
        if frame.error is not None:
            raise OddFrame(f"error {frame.error.code}")
        if frame.id is None:
            raise OddFrame("unknown frame")
        out.ignored("subscription answer")


def _on_quote(text: str, stream: _Stream, recv_ns: int, out: MarketOut) -> None:
    listing = stream.listing
    seq, bid, ask, bid_size, ask_size, at_us = _quote(text, listing.digits)
    if seq <= stream.last:
        out.ignored("old or doubled quote")
        return
    stream.last = seq
    out.quote(
        BookQuote(
            VENUE,
            listing.symbol,
            listing.digits,
            bid,
            ask,
            bid_size,
            ask_size,
            at_us * US,
            recv_ns,
            seq,
        ),
        listing,
    )


def _on_trade(text: str, stream: _Stream, recv_ns: int, out: MarketOut) -> None:
    listing = stream.listing
    number, price, size, buyer_made, at_us = _trade(text, listing.digits)
    if number <= stream.last:
        out.ignored("old or doubled trade")
        return
    if stream.last and number != stream.last + 1:
        out.ignored("trades missed")
    stream.last = number
    out.trade(
        TradeTick(
            VENUE,
            listing.symbol,
            listing.digits,
            price,
            size,
            Side.SELL if buyer_made else Side.BUY,
            str(number),
            at_us * US,
            recv_ns,
        )
    )


def _on_depth(text: str, stream: _Stream, recv_ns: int, out: MarketOut) -> None:
    listing = stream.listing
    bids, asks, at_us, first, last = _depth(text, listing.digits)
    out.depth(
        BookDelta(
            VENUE,
            listing.symbol,
            listing.digits,
            False,
            bids,
            asks,
            at_us * US,
            recv_ns,
            first,
            last,
        ),
        listing,
    )


def _on_mark(text: str, stream: _Stream, recv_ns: int, out: MarketOut) -> None:
    data = _mark(text).data
    listing = stream.listing
    # Mark and index have more decimals than the tick: the nearest point is what is shown.
    out.funding(
        Funding(
            VENUE,
            listing.symbol,
            listing.digits,
            data.f,
            round(data.p * listing.scale),
            round(data.i * listing.scale),
            data.n * (US if data.n > _MICRO else 1_000_000),
            data.E * US,
            recv_ns,
        )
    )


def _nothing(text: str, stream: _Stream, recv_ns: int, out: MarketOut) -> None:
    any_frame(text)
    out.ignored("another stream")


def levels(rows: Sequence[tuple[float, float]], scale: float) -> tuple[Level, ...]:
    """Levels of a frame as integers."""
    return tuple((points(price, scale), sizes(size)) for price, size in rows)


_HANDLERS: Final[dict[str, _Handler]] = {
    "bookTicker": _on_quote,
    "trade": _on_trade,
    "depth": _on_depth,
    "markPrice": _on_mark,
    "kline": _nothing,
    "ticker": _nothing,
    "openInterest": _nothing,
}
