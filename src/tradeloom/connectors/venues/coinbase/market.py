"""Prices of Coinbase: books and trades of the sockets; best prices are the tops of the books."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final

import msgspec

from tradeloom.connectors.contract import Unsupported
from tradeloom.connectors.dialect import BookRule, Context, MarketOut, OddFrame, Wanted
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.profile import Profile
from tradeloom.connectors.scaling import digits_of, exact_points, exact_sizes, points, sizes
from tradeloom.connectors.stamps import rfc3339_ns
from tradeloom.connectors.venues.coinbase import frames
from tradeloom.connectors.venues.coinbase.calls import CoinbaseCalls
from tradeloom.connectors.venues.coinbase.profile import SPOT
from tradeloom.domain.enums import Side
from tradeloom.domain.market import (
    BookDelta,
    HistoricBar,
    InstrumentKind,
    Level,
    Topic,
    TradeTick,
    VenueInstrument,
)

_SECOND: Final = 10**9
GRANULARITIES: Final = {
    60: "ONE_MINUTE", 300: "FIVE_MINUTE", 900: "FIFTEEN_MINUTE", 1_800: "THIRTY_MINUTE",
    3_600: "ONE_HOUR", 7_200: "TWO_HOUR", 21_600: "SIX_HOUR", 86_400: "ONE_DAY",
}  # fmt: skip
_CHANNELS: Final = {
    Topic.QUOTES: "level2",
    Topic.BOOK: "level2",
    Topic.TRADES: "market_trades",
}
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL

_books = msgspec.json.Decoder(frames.Books, strict=False).decode
_trades = msgspec.json.Decoder(frames.Trades, strict=False).decode
_envelope = msgspec.json.Decoder(frames.Envelope).decode


class CoinbaseMarket(CoinbaseCalls):
    """The market half."""

    profile: ClassVar[Profile] = SPOT
    book_rule: ClassVar[BookRule] = BookRule(quotes=True)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        # Product of the market data -> who wants it: BTC-USDC has no data but that of BTC-USD.
        self._routes: dict[str, tuple[Listing, ...]] = {}
        self._aliases: dict[str, str] = {}
        self._last_trade: dict[str, int] = {}
        self._sequence = -1
        taker = self.profile.quirks["trade_side"] == "taker"
        self._taker: Final = {"BUY": _BUY, "SELL": _SELL} if taker else {"BUY": _SELL, "SELL": _BUY}

    # -- REST ------------------------------------------------------------------------------------

    async def load_instruments(self) -> list[VenueInstrument]:
        """Products of spot."""
        found = await self.get("/market/products", {"product_type": "SPOT"}, frames.Products)
        listed = [each for each in found.products if each.product_type == "SPOT"]
        self._aliases = {each.product_id: each.alias for each in listed if each.alias}
        return [_instrument(self.venue, each) for each in listed if each.base_currency_id]

    async def fetch_book(self, listing: Listing, depth: int) -> BookDelta:
        """product_book."""
        params = {"product_id": listing.wire}
        if depth:
            params["limit"] = str(depth)
        book = (await self.get("/market/product_book", params, frames.ProductBook)).pricebook
        bids, asks = (
            tuple((exact_points(r.price, listing.digits), exact_sizes(r.size)) for r in side)
            for side in (book.bids, book.asks)
        )
        when, now = rfc3339_ns(book.time), time.time_ns()
        return BookDelta(self.venue, listing.symbol, listing.digits, True, bids, asks, when, now)

    async def fetch_bars(
        self, listing: Listing, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """candles, 300 at a time."""
        granularity = GRANULARITIES.get(interval_s)
        if granularity is None:
            have = ", ".join(str(each) for each in GRANULARITIES)
            raise Unsupported(f"Coinbase has bars of {have} seconds")
        page = int(str(self.profile.quirks["candles_per_call_max"])) * interval_s
        finished = min(until_ns, self.context.clock.now_ns() - interval_s * _SECOND + 1)
        at, end = max(since_ns // _SECOND, 0), -(-until_ns // _SECOND)
        path = f"/market/products/{listing.wire}/candles"
        bars: dict[int, HistoricBar] = {}
        while at < end:
            params = {
                "start": str(at),
                "end": str(min(at + page, end)),
                "granularity": granularity,
            }
            for row in (await self.get(path, params, frames.Candles)).candles:
                start = row.start * _SECOND
                if since_ns <= start < finished:
                    four = [
                        exact_points(each, listing.digits)
                        for each in (row.open, row.high, row.low, row.close)
                    ]
                    size = exact_sizes(row.volume)
                    bars[start] = HistoricBar(start, four[0], four[1], four[2], four[3], size)
            at += page
        return [bars[start] for start in sorted(bars)]

    # -- subscriptions ---------------------------------------------------------------------------

    def market_links(self, wanted: Wanted) -> list[LinkPlan]:
        """One socket carries all products."""
        routes: dict[str, list[Listing]] = {}
        for symbol in wanted:
            listing = self.context.listings.named[symbol]
            routes.setdefault(self._product(listing), []).append(listing)
        self._routes = {product: tuple(those) for product, those in routes.items()}
        quirks = self.profile.quirks
        return [
            LinkPlan(
                name=f"{self.venue} prices",
                url=self.context.urls["stream"],
                silence_s=float(str(quirks["silence_s"])),
                frames_per_s=int(str(quirks["frames_per_s"])),
            )
        ]

    def _product(self, listing: Listing) -> str:
        return self._aliases.get(listing.wire, listing.wire)

    def subscriptions(self, plan: LinkPlan, wanted: Wanted) -> list[str]:
        """`channel PRODUCT`, each once, channel by channel."""
        named = self.context.listings.named
        names = {
            f"{channel} {self._product(named[symbol])}": None
            for channel in ("level2", "market_trades")
            for symbol, topics in wanted.items()
            if any(_CHANNELS.get(topic) == channel for topic in topics)
        }
        return list(names)

    def subscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """One channel a frame."""
        return self._requests("subscribe", names)

    def unsubscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """The same the other way round."""
        return self._requests("unsubscribe", names)

    def _requests(self, kind: str, names: Sequence[str]) -> list[str]:
        size = int(str(self.profile.quirks["products_per_frame_max"]))
        made = []
        for channel in dict.fromkeys(name.partition(" ")[0] for name in names):
            products = [
                product for each, _, product in (n.partition(" ") for n in names) if each == channel
            ]
            for at in range(0, len(products), size):
                part = products[at : at + size]
                made.append(json.dumps({"type": kind, "product_ids": part, "channel": channel}))
        return made

    async def open_market(self, link: Link) -> None:
        """Heartbeats keep quiet products from being closed, and count lost frames."""
        self._sequence = -1
        await link.send('{"type":"subscribe","channel":"heartbeats"}')

    # -- frames ----------------------------------------------------------------------------------

    def market_frame(self, data: str | bytes, recv_ns: int, out: MarketOut, link: Link) -> None:
        """Decode one frame."""
        if isinstance(data, bytes):
            data = data.decode()
        if data.startswith('{"channel":"l2_data"'):
            self._on_books(data, recv_ns, out)
        elif data.startswith('{"channel":"market_trades"'):
            self._on_trades(data, recv_ns, out)
        else:
            self._on_other(data, recv_ns, out)

    def _in_sequence(self, number: int, out: MarketOut) -> bool:
        """Whether the frame is new. A number left out is a lost frame of nobody knows which
        product: every book starts over."""
        last = self._sequence
        if number <= last:
            out.ignored("doubled or late frame")
            return False
        self._sequence = number
        if last >= 0 and number != last + 1:
            for listings in self._routes.values():
                for listing in listings:
                    out.gap(listing.symbol, f"frames {last + 1} to {number - 1} are lost")
        return True

    def _on_books(self, data: str, recv_ns: int, out: MarketOut) -> None:
        frame = _books(data)
        if not self._in_sequence(frame.sequence_num, out):
            return
        venue_ns = rfc3339_ns(frame.timestamp)
        for event in frame.events:
            for listing in self._listings(event.product_id, out):
                bids: list[Level] = []
                asks: list[Level] = []
                scale = listing.scale
                for row in event.updates:
                    side = bids if row.side == "bid" else asks
                    side.append((points(row.price_level, scale), sizes(row.new_quantity)))
                out.depth(
                    BookDelta(
                        listing.venue,
                        listing.symbol,
                        listing.digits,
                        event.type == "snapshot",
                        tuple(bids),
                        tuple(asks),
                        venue_ns,
                        recv_ns,
                    ),
                    listing,
                )

    def _on_trades(self, data: str, recv_ns: int, out: MarketOut) -> None:
        """Trades. A snapshot fills the hole that a lost connection left."""
        frame = _trades(data)
        if not self._in_sequence(frame.sequence_num, out):
            return
        for event in frame.events:
            rows = event.trades
            if len(rows) > 1:  # told newest first
                rows = sorted(rows, key=lambda row: int(row.trade_id))
            lasts = self._last_trade
            met = set(lasts) if event.type == "snapshot" else None
            for row in rows:
                for listing in self._listings(row.product_id, out):
                    if met is not None and listing.symbol not in met:
                        out.ignored("trade before we came")
                        lasts[listing.symbol] = int(row.trade_id)
                    else:
                        self._tell_trade(listing, row, recv_ns, out)

    def _tell_trade(
        self, listing: Listing, row: frames.Trade, recv_ns: int, out: MarketOut
    ) -> None:
        number, last = int(row.trade_id), self._last_trade.get(listing.symbol, 0)
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
                points(row.price, listing.scale),
                sizes(row.size),
                self._taker.get(row.side),
                row.trade_id,
                rfc3339_ns(row.time),
                recv_ns,
            )
        )

    def _listings(self, product: str, out: MarketOut) -> tuple[Listing, ...]:
        found = self._routes.get(product)
        if found is None:
            out.ignored("product that nobody wants")
            return ()
        return found

    def _on_other(self, data: str, recv_ns: int, out: MarketOut) -> None:
        frame = _envelope(data)
        if frame.channel == "l2_data":
            self._on_books(data, recv_ns, out)
        elif frame.channel == "market_trades":
            self._on_trades(data, recv_ns, out)
        elif frame.channel in ("heartbeats", "subscriptions"):
            if self._in_sequence(frame.sequence_num, out):
                out.ignored(frame.channel)
        elif frame.type == "error":
            raise OddFrame(f"error: {frame.message[:80]}")
        else:
            raise OddFrame(f"channel {frame.channel[:32]}")


def _instrument(venue: str, row: frames.Product) -> VenueInstrument:
    tick = row.price_increment or row.quote_increment
    digits = digits_of(tick)
    base, quote = row.base_currency_id, row.quote_currency_id
    closed = (
        row.is_disabled or row.trading_disabled or row.cancel_only or row.view_only
        or row.auction_mode or row.status not in ("", "online")
    )  # fmt: skip
    return VenueInstrument(
        venue=venue,
        symbol=f"{base}{quote}",
        wire=row.product_id,
        kind=InstrumentKind.SPOT,
        base=base,
        quote=quote,
        settle=quote,
        digits=digits,
        tick=exact_points(tick, digits),
        step=max(exact_sizes(row.base_increment), 1),
        volume_min=exact_sizes(row.base_min_size),
        volume_max=exact_sizes(row.base_max_size),
        notional_min=Decimal(row.quote_min_size),
        contract_currency=base,
        trading=not closed,
    )
