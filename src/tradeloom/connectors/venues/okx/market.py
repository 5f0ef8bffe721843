"""The market side of OKX: channels, books with sequence and checksum, quotes, trades, funding.

Frames begin with their channel and instrument. Each pair in use has a `Stream`, found by that text,
that remembers what was told last.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import msgspec

from tradeloom._core import FrameReader
from tradeloom.connectors.dialect import BookRule, Context, Dialect, MarketOut, OddFrame, Wanted
from tradeloom.connectors.limits import BOOK_BUFFER_MAX
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.scaling import OffGrid, points, sizes
from tradeloom.connectors.venues.okx import frames
from tradeloom.connectors.venues.okx.orders import MS, side_of
from tradeloom.domain.enums import Side
from tradeloom.domain.market import (
    SIZE_DIGITS,
    BookDelta,
    BookQuote,
    Funding,
    Level,
    Topic,
    TradeTick,
)

_top: Final = FrameReader(
    [],
    [
        ("asks", "levels", True),
        ("bids", "levels", True),
        ("ts", "int", True),
        ("seqId", "int", False),
    ],
    OffGrid,
).read
_depth: Final = FrameReader(
    [],
    [
        ("asks", "levels", True),
        ("bids", "levels", True),
        ("ts", "int", True),
        ("seqId", "int", False),
        ("prevSeqId", "int", False),
        ("checksum", "int", False),
    ],
    OffGrid,
).read
_trade: Final = FrameReader(
    [],
    [
        ("tradeId", "text", True),
        ("px", "price", True),
        ("sz", "size", True),
        ("side", "text", True),
        ("ts", "int", True),
    ],
    OffGrid,
).read
_rows = msgspec.json.Decoder(frames.Data[msgspec.Raw]).decode
_rates = msgspec.json.Decoder(frames.Data[frames.FundingRate], strict=False).decode
_marks = msgspec.json.Decoder(frames.Data[frames.Mark], strict=False).decode
_indexes = msgspec.json.Decoder(frames.Data[frames.Index], strict=False).decode
_envelope = msgspec.json.Decoder(frames.Envelope).decode
_HEAD: Final = '{"arg":{"channel":"'
_AT: Final = len(_HEAD)
_DATA: Final = '"data":['
_IN: Final = len(_DATA)
_ROW: Final = len('},"data":[')
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_CHECKED: Final = 25  # levels of a side that the checksum covers
# Channels that exist and carry nothing for us.
_IDLE: Final = ("tickers", "books5", "candle", "price-limit", "open-interest", "status")


class Stream:
    """One channel of one instrument: how it is read, and what it told last."""

    __slots__ = ("handle", "last", "ts", "wire")

    def __init__(self, wire: str, handle: Handler) -> None:
        self.wire: Final = wire
        self.handle: Final = handle
        self.last = 0
        self.ts = 0


class Perpetual:
    """What is known of a swap's funding; parts come on three channels."""

    __slots__ = ("index", "mark", "rate")

    def __init__(self) -> None:
        self.rate: frames.FundingRate | None = None
        self.mark = 0.0
        self.index = 0.0


class OkxMarket(Dialect):
    """Channels of one kind of instrument on as many sockets as they need."""

    book_rule: ClassVar[BookRule] = BookRule(depth=400, checksum=True)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._wire: Final = context.listings.wire
        self._streams: Final[dict[str, Stream]] = {}
        self._checksums: Final[dict[str, int]] = {}
        self._perpetuals: Final[dict[str, Perpetual]] = {}

    # -- links and subscriptions -----------------------------------------------------------------

    def market_links(self, wanted: Wanted) -> list[LinkPlan]:
        """One socket for 100 symbols; a symbol keeps its socket while their number stays."""
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
        """`channel:instrument` of this link, symbol by symbol."""
        found = []
        for symbol in self.symbols_on(plan, wanted):
            at = self.context.listings.named[symbol].instrument
            topics = wanted[symbol]
            if Topic.QUOTES in topics:
                found.append(f"bbo-tbt:{at.wire}")
            if Topic.TRADES in topics:
                found.append(f"trades:{at.wire}")
            if Topic.BOOK in topics:
                found.append(f"books:{at.wire}")
            if Topic.FUNDING in topics:
                index = f"index-tickers:{at.wire.removesuffix('-SWAP')}"
                found += [index, f"mark-price:{at.wire}", f"funding-rate:{at.wire}"]
        return found

    def subscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """Frames of up to 100 channels; what was told before is forgotten."""
        for name in names:
            self._streams.pop(name.replace(":", '","instId":"') + '"', None)
        return self._requests("subscribe", names)

    def unsubscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """The same, undone."""
        return self._requests("unsubscribe", names)

    def _requests(self, op: str, names: Sequence[str]) -> list[str]:
        size = int(str(self.profile.quirks["args_per_frame_max"]))
        args = [dict(zip(("channel", "instId"), name.split(":"), strict=True)) for name in names]
        return [
            json.dumps({"op": op, "args": args[at : at + size]}) for at in range(0, len(args), size)
        ]

    # -- frames ----------------------------------------------------------------------------------

    def market_frame(self, data: str | bytes, recv_ns: int, out: MarketOut, link: Link) -> None:
        """Decode one frame."""
        if isinstance(data, bytes):
            data = data.decode()
        end = data.find("}", _AT)
        stream = self._streams.get(data[_AT:end])
        if stream is not None:
            # Where the row of a frame begins that has but one, and nothing before its data.
            stream.handle(self, data, end + _ROW, stream, recv_ns, out)
            return
        if data == "pong":
            out.ignored("pong")
            return
        frame = _envelope(data)
        if frame.event or not frame.arg.channel:
            self._event(frame, out)
            return
        found = self._stream(frame.arg, data, out)
        if found is not None:
            found.handle(self, data, end + _ROW, found, recv_ns, out)

    def _stream(self, arg: frames.Arg, data: str, out: MarketOut) -> Stream | None:
        handle = _HANDLERS.get(arg.channel)
        if handle is None:
            if arg.channel.startswith(_IDLE):
                out.ignored(f"channel {arg.channel[:24]}")
                return None
            raise OddFrame(f"channel {arg.channel[:32]}")
        wire = f"{arg.inst_id}-SWAP" if arg.channel == "index-tickers" else arg.inst_id
        if wire not in self._wire:
            raise OddFrame("instrument that is not listed")
        # The text as OKX writes it is the name; written otherwise it is found the slow way.
        name = (
            data[_AT : data.index("}", _AT)] if data.startswith(_HEAD) else f"{arg.channel}:{wire}"
        )
        known = self._streams.get(name)
        if known is not None:
            return known
        if len(self._streams) > BOOK_BUFFER_MAX * 10 or len(name) > 128:
            raise OddFrame("too many channels")
        stream = self._streams[name] = Stream(wire, handle)
        return stream

    def _event(self, frame: frames.Envelope, out: MarketOut) -> None:
        if frame.event in ("subscribe", "unsubscribe", "channel-conn-count", "login"):
            out.ignored(frame.event)
        elif frame.event == "notice":
            out.reconnect(f"OKX is about to close this connection ({frame.code})")
        elif frame.event == "error":
            raise OddFrame(f"error answer {frame.code[:8]}")
        else:
            raise OddFrame("unknown frame")

    def checksum_fails(self, delta: BookDelta, bids: Sequence[Level], asks: Sequence[Level]) -> str:
        """CRC32 over the best 25 levels, bid and ask in turn; 0 is what OKX sends since 2026."""
        told = self._checksums.pop(delta.symbol, 0)
        if not told:
            return ""
        parts = []
        for index in range(_CHECKED):
            for side in (bids, asks):
                if index < len(side):
                    price, size = side[index]
                    parts.append(f"{plain(price, delta.digits)}:{plain(size, SIZE_DIGITS)}")
        made = zlib.crc32(":".join(parts).encode())
        return "" if made == told % 2**32 else "the checksum differs"

    # -- handlers --------------------------------------------------------------------------------

    def on_quote(self, data: str, at: int, stream: Stream, recv_ns: int, out: MarketOut) -> None:
        """`bbo-tbt`."""
        listing = self._wire[stream.wire]
        for asks, bids, ts, seq in read_rows(data, at, _top, listing.digits):
            if seq and (seq == stream.last or (seq < stream.last and ts <= stream.ts)):
                out.ignored("old or doubled quote")
                continue
            stream.last, stream.ts = seq or 0, ts
            if not bids or not asks:
                out.ignored("one-sided quote")
                continue
            bid, bid_size = bids[0]
            ask, ask_size = asks[0]
            out.quote(
                BookQuote(
                    listing.instrument.venue,
                    listing.symbol,
                    listing.digits,
                    bid,
                    ask,
                    bid_size,
                    ask_size,
                    ts * MS,
                    recv_ns,
                    seq or 0,
                ),
                listing,
            )

    def on_book(self, data: str, at: int, stream: Stream, recv_ns: int, out: MarketOut) -> None:
        """`books`: each update names the one it follows; a quiet book repeats its own."""
        listing = self._wire[stream.wire]
        at = data.index(_DATA) + _IN  # behind the action
        whole = '"action":"update"' not in data[:at]
        for asks, bids, ts, seq, previous, checksum in read_rows(data, at, _depth, listing.digits):
            self._checksums[listing.symbol] = checksum or 0
            out.depth(
                BookDelta(
                    listing.instrument.venue,
                    listing.symbol,
                    listing.digits,
                    whole,
                    tuple(bids),
                    tuple(asks),
                    ts * MS,
                    recv_ns,
                    seq or 0,
                    seq or 0,
                    -1 if previous is None else previous,
                ),
                listing,
            )

    def on_trades(self, data: str, at: int, stream: Stream, recv_ns: int, out: MarketOut) -> None:
        """`trades`: one row for a taker order and price."""
        listing = self._wire[stream.wire]
        for number, price, size, taker, ts in read_rows(data, at, _trade, listing.digits):
            out.trade(
                TradeTick(
                    listing.instrument.venue,
                    listing.symbol,
                    listing.digits,
                    price,
                    size,
                    _BUY if taker == "buy" else _SELL if taker == "sell" else side_of(taker),
                    number,
                    ts * MS,
                    recv_ns,
                )
            )

    def on_rate(self, data: str, at: int, stream: Stream, recv_ns: int, out: MarketOut) -> None:
        """`funding-rate`."""
        for row in _rates(data).data:
            self._perpetual(stream).rate = row
            self._tell_funding(stream, row.ts, recv_ns, out)

    def on_mark(self, data: str, at: int, stream: Stream, recv_ns: int, out: MarketOut) -> None:
        """`mark-price`."""
        for row in _marks(data).data:
            self._perpetual(stream).mark = row.mark_px
            self._tell_funding(stream, row.ts, recv_ns, out)

    def on_index(self, data: str, at: int, stream: Stream, recv_ns: int, out: MarketOut) -> None:
        """`index-tickers`: told with the next mark price."""
        for row in _indexes(data).data:
            self._perpetual(stream).index = row.idx_px
            out.ignored("index price, told with the next mark price")

    def _perpetual(self, stream: Stream) -> Perpetual:
        return self._perpetuals.setdefault(stream.wire, Perpetual())

    def _tell_funding(self, stream: Stream, ts: int, recv_ns: int, out: MarketOut) -> None:
        known, listing = self._perpetual(stream), self._wire[stream.wire]
        if known.rate is None:
            out.ignored("mark price before the funding rate")
            return
        out.funding(
            Funding(
                listing.instrument.venue,
                listing.symbol,
                listing.digits,
                known.rate.funding_rate,
                # Mark and index have more decimals than the tick: the nearest point is shown.
                round(known.mark * listing.scale),
                round(known.index * listing.scale),
                known.rate.funding_time * MS,
                ts * MS,
                recv_ns,
            )
        )


Handler = Callable[[OkxMarket, str, int, Stream, int, MarketOut], None]

_HANDLERS: Final[dict[str, Handler]] = {
    "bbo-tbt": OkxMarket.on_quote,
    "trades": OkxMarket.on_trades,
    "books": OkxMarket.on_book,
    "books-l2-tbt": OkxMarket.on_book,
    "books50-l2-tbt": OkxMarket.on_book,
    "funding-rate": OkxMarket.on_rate,
    "mark-price": OkxMarket.on_mark,
    "index-tickers": OkxMarket.on_index,
}


Reader = Callable[[str | bytes, int], tuple[Any, ...]]


def read_rows(data: str, at: int, read: Reader, digits: int) -> Sequence[tuple[Any, ...]]:
    """The rows of a frame as integers: one row in one pass, several are told apart first."""
    try:
        return (read(data[at:-2], digits),)
    except ValueError:
        return [read(bytes(row), digits) for row in _rows(data).data]


def ping() -> str:
    """What keeps a socket open."""
    return "ping"


def levels(rows: Sequence[frames.Level], scale: float) -> tuple[Level, ...]:
    """Levels of a frame as integers."""
    return tuple((points(row.px, scale), sizes(row.sz)) for row in rows)


def plain(value: int, digits: int) -> str:
    """`value` × 10^-digits as OKX writes it: no trailing zeros, no exponent."""
    whole, part = divmod(value, 10**digits)
    return f"{whole}.{part:0{digits}d}".rstrip("0") if part else str(whole)
