"""Deribit's market side: channels, and frames into events."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from tradeloom._core import FrameReader
from tradeloom.connectors.contract import VenueUnavailable
from tradeloom.connectors.dialect import Context, Dialect, MarketOut, OddFrame, Wanted
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.limits import LOGIN_TIMEOUT_S
from tradeloom.connectors.link import Link, LinkPlan, LoginRefused
from tradeloom.connectors.profile import Need
from tradeloom.connectors.rest import NoAnswer, NotSent
from tradeloom.connectors.scaling import OffGrid, points, sizes
from tradeloom.connectors.venues.deribit import frames as f
from tradeloom.connectors.venues.deribit.errors import BAD_CREDENTIALS, details, failure, key_advice
from tradeloom.connectors.venues.deribit.profile import (
    CHANNELS_PER_CALL,
    HEARTBEAT_S,
    SILENCE_S,
    VENUE,
)
from tradeloom.connectors.venues.deribit.signing import client_signature
from tradeloom.domain.enums import Side
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    FeedState,
    Funding,
    Level,
    Topic,
    TradeTick,
)

log = logging.getLogger(__name__)

MS: Final = 1_000_000
# A side that is empty has no price.
_quote: Final = FrameReader(
    ["params", "data"],
    [
        ("best_bid_price", "price", False),
        ("best_ask_price", "price", False),
        ("best_bid_amount", "size", False),
        ("best_ask_amount", "size", False),
        ("timestamp", "int", True),
    ],
    OffGrid,
).read
_CHANNELS: Final = {
    Topic.QUOTES: "quote.{}",
    Topic.TRADES: "trades.{}.{}",
    Topic.BOOK: "book.{}.{}",
    Topic.FUNDING: "ticker.{}.100ms",
}
_PLATFORM: Final = "platform_state"
# A clock that the venue corrected by this much while we signed in explains a refused signature.
_CLOCK_MOVED_MS: Final = 1_000.0


class DeribitMarket(Dialect):
    """The market half; the socket's own housekeeping is shared with the account half."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._ids = itertools.count(1)
        self._subscribing: dict[str, list[str]] = {}
        self._trade_seqs: dict[str, int] = {}
        self._halted: dict[str, str] = {}
        self._work: set[asyncio.Task[None]] = set()
        raw = context.options.get("raw_streams", "off") == "on"
        if raw and context.credentials is None:
            raise ValueError("deribit: raw_streams=on needs a key; leave it off for 100 ms streams")
        self._raw: Final = raw

    # -- links and names -------------------------------------------------------------------------

    def market_links(self, wanted: Wanted) -> list[LinkPlan]:
        """One socket for everything."""
        return [self.plan("market")] if wanted else []

    def plan(self, what: str) -> LinkPlan:
        """A socket; the venue's heartbeat keeps it alive."""
        return LinkPlan(
            name=f"{VENUE} {what}",
            url=self.context.urls["ws"],
            silence_s=SILENCE_S,
            frames_per_s=100,
            key=what,
        )

    def subscriptions(self, plan: LinkPlan, wanted: Wanted) -> list[str]:
        """Channel names, and the one that tells of maintenance."""
        pace = "raw" if self._raw else "100ms"
        names = [
            _CHANNELS[topic].format(self.context.listings.named[symbol].wire, pace)
            for symbol, topics in wanted.items()
            for topic in sorted(topics)
        ]
        whole = any(topics - {Topic.BOOK} for topics in wanted.values())
        return [*names, _PLATFORM] if names and whole else names

    def subscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """public/subscribe."""
        return self._channel_calls("public/subscribe", names, remember=True)

    def unsubscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """public/unsubscribe."""
        for name in names:
            if name.startswith("trades."):
                self._trade_seqs.pop(name.split(".")[1], None)
        return self._channel_calls("public/unsubscribe", names, remember=False)

    def _channel_calls(self, method: str, names: Sequence[str], *, remember: bool) -> list[str]:
        made = []
        for at in range(0, len(names), CHANNELS_PER_CALL):
            part = list(names[at : at + CHANNELS_PER_CALL])
            key, text = self.request(method, {"channels": part})
            if remember:
                self._subscribing[key] = part
                if len(self._subscribing) > 1_000:
                    self._subscribing.pop(next(iter(self._subscribing)))
            made.append(text)
        return made

    def request(self, method: str, params: dict[str, Any]) -> tuple[str, str]:
        """A request frame, and the key its answer comes under."""
        number = next(self._ids)
        frame = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        return str(number), f.request_text(frame).decode()

    # -- opening ---------------------------------------------------------------------------------

    async def open_market(self, link: Link) -> None:
        """Heartbeat, and the sign-in that raw channels need."""
        self._trade_seqs.clear()
        if self._raw:
            await self.sign_in(link)
        await self.set_heartbeat(link)

    async def set_heartbeat(self, link: Link) -> None:
        """Ask the venue to test this connection; it also cuts the ones that do not answer."""
        await self.ask_on(link, "public/set_heartbeat", {"interval": HEARTBEAT_S})

    async def sign_in(self, link: Link) -> f.Auth:
        """`public/auth` with a signature. Raises LoginRefused, VenueUnavailable."""
        for attempt in (1, 2):
            answer = await self.asked_on(link, "public/auth", self._signature())
            if answer.error is None:
                return f.auth(answer.result)
            if answer.error.code == BAD_CREDENTIALS:
                if attempt == 1 and await self._clock_moved():
                    continue
                told = details(answer.error).reason
                raise LoginRefused(key_advice("13004", f"{answer.error.message} {told}".strip()))
            raise failure(answer.error)
        raise NoAnswer(f"{VENUE}: sign-in did not end")

    def _signature(self) -> dict[str, Any]:
        keys = self.context.credentials
        if keys is None:
            raise LoginRefused("no key in the vault for Deribit; add one")
        nonce, at_ms = secrets.token_hex(8), self.context.clock.now_ms()
        return {
            "grant_type": "client_signature",
            "client_id": keys[Need.KEY],
            "timestamp": at_ms,
            "nonce": nonce,
            "data": "",
            "signature": client_signature(keys[Need.SECRET], at_ms, nonce),
        }

    async def _clock_moved(self) -> bool:
        """Whether the clocks came apart since the last look, which explains a bad signature."""
        before = self.context.clock.offset_ms or 0.0
        try:
            fresh = await self.server_time()
        except VenueUnavailable:
            return False
        self.context.clock.sample(*fresh)
        return abs((self.context.clock.offset_ms or 0.0) - before) > _CLOCK_MOVED_MS

    async def asked_on(
        self, link: Link, method: str, params: dict[str, Any], timeout_s: float = LOGIN_TIMEOUT_S
    ) -> f.AnyFrame:
        """Send a request on a link and wait for its answer. Raises NotSent, NoAnswer."""
        key, text = self.request(method, params)
        return f.any_frame(await link.request(key, text, timeout_s))

    async def ask_on(
        self, link: Link, method: str, params: dict[str, Any], timeout_s: float = LOGIN_TIMEOUT_S
    ) -> Any:
        """The result of a request, as raw JSON; raises what its error means."""
        answer = await self.asked_on(link, method, params, timeout_s)
        if answer.error is not None:
            raise failure(answer.error)
        return answer.result

    def tested(self, link: Link) -> None:
        """Answer a test request at once: silence would get the connection cut."""
        self.later(link.send(self.request("public/test", {})[1]))

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Send something without waiting; a connection that is gone needs no answer."""

        def ended(task: asyncio.Task[None]) -> None:
            self._work.discard(task)
            error = None if task.cancelled() else task.exception()
            if error is not None and not isinstance(error, (NotSent, NoAnswer)):
                log.error("beside a connection of deribit", exc_info=error)

        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(ended)

    async def close(self) -> None:
        """End answers that are still being sent."""
        for task in tuple(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    # -- frames ----------------------------------------------------------------------------------

    def market_frame(self, data: str | bytes, recv_ns: int, out: MarketOut, link: Link) -> None:
        """Decode one frame; the usual order of its keys is told by a prefix."""
        text = data if isinstance(data, str) else data.decode()
        if text.startswith(f.QUOTE):
            self._on_quote(text, recv_ns, out)
            return
        if text.startswith(f.NOTIFICATION):
            self._notification(text, text[f.CHANNEL_AT : f.CHANNEL_AT + 6], recv_ns, out)
            return
        frame = f.any_frame(text)
        if frame.method == "subscription" and frame.params is not None:
            self._notification(text, frame.params.channel[:6], recv_ns, out)
        elif frame.method == "heartbeat":
            if frame.params is not None and frame.params.type == "test_request":
                self.tested(link)
            out.ignored("heartbeat")
        elif frame.id is not None:
            self._answer(text, frame, out, link)
        else:
            raise OddFrame(f"method {frame.method[:32]}")

    def _notification(self, text: str, head: str, recv_ns: int, out: MarketOut) -> None:
        if head == "quote.":
            self._on_quote(text, recv_ns, out)
        elif head == "trades":
            self._on_trades(text, recv_ns, out)
        elif head.startswith("book."):
            self._on_book(text, recv_ns, out)
        elif head == "ticker":
            self._on_ticker(text, recv_ns, out)
        elif head == "platfo":
            self._on_platform(text, out)
        else:
            out.ignored("another channel")

    def _on_quote(self, text: str, recv_ns: int, out: MarketOut) -> None:
        end = text.find('"', f.QUOTE_AT)
        listing = self.context.listings.wire.get(text[f.QUOTE_AT : end])
        if listing is None:  # another instrument, or keys in another order
            params = f.any_frame(text).params
            name = params.channel.removeprefix("quote.") if params is not None else ""
            listing = self.context.listings.wire.get(name)
        if listing is None:
            out.ignored("another instrument")
            return
        bid, ask, bid_size, ask_size, at_ms = _quote(text, listing.digits)
        out.quote(
            BookQuote(
                VENUE,
                listing.symbol,
                listing.digits,
                bid or 0,
                ask or 0,
                bid_size or 0,
                ask_size or 0,
                at_ms * MS,
                recv_ns,
            ),
            listing,
        )

    def _on_trades(self, text: str, recv_ns: int, out: MarketOut) -> None:
        for data in f.trades_frame(text).params.data:
            listing = self.context.listings.wire.get(data.instrument_name)
            if listing is None:
                out.ignored("another instrument")
                continue
            last = self._trade_seqs.get(listing.wire)
            if last is not None and data.trade_seq <= last:
                out.ignored("old or doubled trade")
                continue
            if last is not None and data.trade_seq != last + 1:
                out.ignored("trades missed")
            self._trade_seqs[listing.wire] = data.trade_seq
            out.trade(
                TradeTick(
                    VENUE,
                    listing.symbol,
                    listing.digits,
                    points(data.price, listing.scale),
                    sizes(data.amount),
                    Side.BUY if data.direction == "buy" else Side.SELL,
                    data.trade_id,
                    data.timestamp * MS,
                    recv_ns,
                )
            )

    def _on_book(self, text: str, recv_ns: int, out: MarketOut) -> None:
        if ".none." in text[f.CHANNEL_AT : f.CHANNEL_AT + 64]:
            out.ignored("grouped book")
            return
        data = f.book_frame(text).params.data
        listing = self.context.listings.wire.get(data.instrument_name)
        if listing is None:
            out.ignored("another instrument")
            return
        if data.type not in ("snapshot", "change"):
            raise OddFrame("book of unknown type")
        snapshot = data.type == "snapshot"
        out.depth(
            BookDelta(
                VENUE,
                listing.symbol,
                listing.digits,
                snapshot,
                _levels(data.bids, listing.scale),
                _levels(data.asks, listing.scale),
                data.timestamp * MS,
                recv_ns,
                data.change_id,
                data.change_id,
                -1 if snapshot else data.prev_change_id,
            ),
            listing,
        )

    def _on_ticker(self, text: str, recv_ns: int, out: MarketOut) -> None:
        data = f.ticker_frame(text).params.data
        listing = self.context.listings.wire.get(data.instrument_name)
        if listing is None:
            out.ignored("another instrument")
            return
        self._open_or_halted(listing, "" if data.state == "open" else data.state, out)
        if data.mark_price is None or data.index_price is None or data.current_funding is None:
            out.ignored("ticker without funding")
            return
        # Mark and index have more decimals than the tick: the nearest point is what is shown.
        # Funding runs all the time here, so there is no next moment to name.
        out.funding(
            Funding(
                VENUE,
                listing.symbol,
                listing.digits,
                data.current_funding,
                round(data.mark_price * listing.scale),
                round(data.index_price * listing.scale),
                0,
                data.timestamp * MS,
                recv_ns,
            )
        )

    def _on_platform(self, text: str, out: MarketOut) -> None:
        params = f.any_frame(text).params
        if params is None or params.channel != _PLATFORM:
            out.ignored("another platform channel")
            return
        state = f.platform_state(params.data)
        why = "maintenance" if state.maintenance else "locked" if state.locked else ""
        coin, _, quote = state.price_index.partition("_")
        for listing in self.context.listings:
            instrument = listing.instrument
            index = instrument.base.lower(), instrument.quote.lower()
            if not state.price_index or index == (coin, quote):
                self._open_or_halted(listing, why, out)

    def _open_or_halted(self, listing: Listing, why: str, out: MarketOut) -> None:
        known = self._halted.get(listing.symbol, "")
        if why == known:
            return
        if why:
            self._halted[listing.symbol] = why
            out.state(listing.symbol, FeedState.HALTED, f"Deribit: {why}")
        else:
            del self._halted[listing.symbol]
            out.state(listing.symbol, FeedState.LIVE, "trades again")

    def _answer(self, text: str, frame: f.AnyFrame, out: MarketOut, link: Link) -> None:
        key = str(frame.id)
        asked = self._subscribing.pop(key, None)
        if asked is None:
            if not link.answer(key, text):
                out.ignored("answer")
            return
        if frame.error is not None:
            taken, why = set[str](), f"{frame.error.code} {frame.error.message}"
        else:
            taken, why = set(f.names(frame.result)), "it is not among the accepted channels"
        for name in asked:
            parts = name.split(".")
            listing = self.context.listings.wire.get(parts[1]) if len(parts) > 1 else None
            if name not in taken and listing is not None:
                out.state(listing.symbol, FeedState.STALE, f"Deribit refused {name}: {why}")
        out.ignored("subscription answer")


def _levels(rows: Sequence[f.RawLevel], scale: float) -> tuple[Level, ...]:
    return tuple(
        (points(price, scale), 0 if what == "delete" else sizes(size)) for what, price, size in rows
    )
