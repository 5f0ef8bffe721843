"""Schwab's streamer: one connection for prices and account; level one merged field by field."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Final

import msgspec

from tradeloom.connectors.dialect import AccountOut, Context, MarketOut, OddFrame, Wanted
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.limits import LOGIN_TIMEOUT_S
from tradeloom.connectors.link import Link, LinkPlan, LoginRefused
from tradeloom.connectors.rest import NoAnswer, NotSent
from tradeloom.connectors.scaling import OffGrid, points, sizes
from tradeloom.connectors.venues.schwab import frames as f
from tradeloom.connectors.venues.schwab.calls import SchwabCalls
from tradeloom.connectors.venues.schwab.profile import KEYS_MAX, SILENCE_S, VENUE
from tradeloom.domain.market import BookDelta, BookQuote, FeedState, Level, Topic, TradeTick

log = logging.getLogger(__name__)

_MS: Final = 1_000_000
_L1: Final = "LEVELONE_EQUITIES"
_ACTIVITY: Final = "ACCT_ACTIVITY"
_BOOKS: Final = {"NASDAQ_BOOK", "NYSE_BOOK"}
_FIELDS: Final = {
    _L1: "0,1,2,3,4,5,8,9,34,35",
    "NASDAQ_BOOK": "0,1,2,3",
    "NYSE_BOOK": "0,1,2,3",
    _ACTIVITY: "0,1,2,3",
}
_LOGIN_DENIED: Final = 3
_TOO_MANY_CONNECTIONS: Final = 12
_STOPPED: Final = 30

_frame: Final = msgspec.json.Decoder(f.Frame).decode
_level_ones: Final = msgspec.json.Decoder(list[f.LevelOne]).decode
_books: Final = msgspec.json.Decoder(list[f.Book]).decode
_activities: Final = msgspec.json.Decoder(list[f.Activity]).decode
_activity: Final = msgspec.json.Decoder(f.ActivityText).decode


class _Top:
    """What is known of one equity: fields that were not sent keep their value."""

    __slots__ = ("ask", "ask_size", "bid", "bid_size", "last", "last_size", "traded", "volume")

    def __init__(self) -> None:
        self.bid = self.ask = self.last = 0.0
        self.bid_size = self.ask_size = self.last_size = 0.0
        self.volume = 0
        self.traded = 0


class SchwabStreamer(SchwabCalls):
    """The streamer half."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._info: f.StreamerInfo | None = None
        self._link: Link | None = None
        self._requests = itertools.count(1)
        self._out: MarketOut | None = None
        self._wanted: Wanted = {}
        self._subscribed: dict[str, frozenset[str]] = {}
        self._tops: dict[str, _Top] = {}
        self._stale: set[str] = set()
        self._exchanges: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._streaming = False
        self._denials = 0
        self._sending = asyncio.Lock()

    # -- connection ------------------------------------------------------------------------------

    def private_links(self) -> list[LinkPlan]:
        """The one connection that a user may have."""
        if self._info is None:
            return []
        return [
            LinkPlan(
                name=f"{VENUE} streamer",
                url=self._info.streamer_socket_url,
                silence_s=SILENCE_S,
                frames_per_s=5,
            )
        ]

    async def open_private(self, link: Link) -> None:
        """Log in, and subscribe to the account and to what is wanted."""
        self._link = link
        self._streaming = False
        self._subscribed.clear()
        self._tops.clear()
        await self._log_in(link)
        await self._command(link, _ACTIVITY, "SUBS", ["Account Activity"])
        self._streaming = True
        await self._follow(link)

    async def _log_in(self, link: Link) -> None:
        info = self._info
        if info is None:
            raise NotSent("schwab: the preferences are not known yet")
        parameters = {
            "Authorization": await self.token(fresh=self._denials > 0),
            "SchwabClientChannel": info.schwab_client_channel,
            "SchwabClientFunctionId": info.schwab_client_function_id,
        }
        answer = await self._ask(link, "ADMIN", "LOGIN", parameters)
        if answer.code == 0:
            self._denials = 0
            return
        told = f"{answer.code} {answer.msg}"
        if answer.code == _TOO_MANY_CONNECTIONS:
            raise NoAnswer(
                "Schwab allows one streaming connection per user, and there is another already "
                "(code 12); close the other program"
            )
        if answer.code != _LOGIN_DENIED:
            raise NoAnswer(f"Schwab's streamer refused the log-in ({told})")
        # The venue hangs up after a denial: the next connection comes with a fresh token.
        self._denials += 1
        if self._denials > 1:
            raise LoginRefused(
                f"Schwab's streamer denied a fresh token ({told}): the app may lack the market "
                "data product, or the user the right to stream"
            )
        raise NoAnswer(f"Schwab's streamer denied the token ({told}); it is renewed")

    async def _ask(
        self, link: Link, service: str, command: str, parameters: dict[str, str]
    ) -> f.Content:
        key, text = self._request(service, command, parameters)
        answer = _frame(await link.request(key, text, LOGIN_TIMEOUT_S))
        found = [each.content for each in answer.response if each.requestid == key]
        return found[0] if found else f.Content(-1, "no answer")

    def _request(self, service: str, command: str, parameters: dict[str, str]) -> tuple[str, str]:
        info = self._info
        key = str(next(self._requests))
        row = {
            "requestid": key,
            "service": service,
            "command": command,
            "SchwabClientCustomerId": info.schwab_client_customer_id if info else "",
            "SchwabClientCorrelId": info.schwab_client_correl_id if info else "",
            "parameters": parameters,
        }
        return key, json.dumps({"requests": [row]})

    async def _command(self, link: Link, service: str, command: str, keys: Iterable[str]) -> None:
        parameters = {"keys": ",".join(keys), "fields": _FIELDS[service]}
        if command == "UNSUBS":
            parameters.pop("fields")
        answer = await self._ask(link, service, command, parameters)
        if answer.code in (0, 26, 27, 28, 29):
            return
        told = f"{service} {command}: {answer.code} {answer.msg}"
        if service == _ACTIVITY:
            raise NoAnswer(f"Schwab's streamer refused {told}")
        for key in keys:
            listing = self.context.listings.wire.get(key)
            if listing is not None and self._out is not None:
                self._out.state(listing.symbol, FeedState.STALE, f"Schwab refused {told}")

    # -- what is wanted --------------------------------------------------------------------------

    def market_links(self, wanted: Wanted) -> list[LinkPlan]:
        """None of its own: prices come over the account's connection."""
        return []

    def subscriptions(self, plan: LinkPlan, wanted: Wanted) -> list[str]:
        """See `follow`."""
        return []

    def subscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """See `follow`."""
        return []

    def unsubscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """See `follow`."""
        return []

    def follow(self, wanted: Wanted, out: MarketOut) -> None:
        """What somebody wants changed."""
        self._wanted, self._out = wanted, out
        if self._streaming and self._link is not None:
            self.later(self._follow(self._link))

    async def _follow(self, link: Link) -> None:
        """Make the venue's subscriptions equal to what is wanted."""
        async with self._sending:
            services = self._services()
            for service in sorted(services | self._subscribed.keys()):
                want = services.get(service, frozenset())
                have = self._subscribed.get(service, frozenset())
                self._subscribed[service] = want
                if have - want:
                    await self._command(link, service, "UNSUBS", sorted(have - want))
                if want - have:
                    await self._command(link, service, "ADD", sorted(want - have))

    def _services(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for symbol, topics in self._wanted.items():
            wire = self.context.listings.named[symbol].wire
            if topics & {Topic.QUOTES, Topic.TRADES}:
                found.setdefault(_L1, set()).add(wire)
            if Topic.BOOK in topics:
                nyse = self._exchanges.get(wire, "").upper().startswith("NYSE")
                found.setdefault("NYSE_BOOK" if nyse else "NASDAQ_BOOK", set()).add(wire)
        for service, keys in found.items():
            for wire in sorted(keys)[KEYS_MAX:]:
                keys.discard(wire)
                if self._out is not None:
                    symbol = self.context.listings.wire[wire].symbol
                    why = f"Schwab streams {KEYS_MAX} symbols of {service} at most"
                    self._out.state(symbol, FeedState.STALE, why)
        return {service: frozenset(keys) for service, keys in found.items()}

    def private_lost(self, why: str) -> None:
        """Every price is old from now on."""
        self._streaming = False
        for symbol in self._wanted:
            self._stale.add(symbol)
            if self._out is not None:
                self._out.state(symbol, FeedState.STALE, why)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Something to do beside; a connection that is gone needs it no more."""

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            if error is not None and not isinstance(error, (NotSent, NoAnswer)):
                log.error("beside a connection of schwab", exc_info=error)

        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(ended)

    async def close(self) -> None:
        """End questions that are still being asked."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- frames ----------------------------------------------------------------------------------

    def private_frame(self, data: str | bytes, recv_ns: int, out: AccountOut, link: Link) -> None:
        """Answers, heartbeats, prices and news of the account."""
        frame = _frame(data)
        for answer in frame.response:
            if not link.answer(answer.requestid, data):
                out.ignored("answer")
            if answer.content.code == _STOPPED:
                out.reconnect("Schwab stopped the stream (code 30)")
        for notice in frame.notify:
            out.ignored("heartbeat" if notice.heartbeat else "notice")
            if notice.content is not None and notice.content.code == _STOPPED:
                out.reconnect("Schwab stopped the stream (code 30)")
        rows = frame.data
        if frame.service:
            rows = [f.Data(frame.service, frame.timestamp, "", frame.content)]
        for row in rows:
            self._data(row, recv_ns, out)
        if not (frame.response or frame.notify or rows):
            raise OddFrame("unknown frame")

    def market_frame(self, data: str | bytes, recv_ns: int, out: MarketOut, link: Link) -> None:
        """The prices of a frame of the streamer."""
        frame = _frame(data)
        if not frame.data:
            out.ignored("no data")
        for row in frame.data:
            self._prices(row, recv_ns, out)

    def _data(self, row: f.Data, recv_ns: int, out: AccountOut) -> None:
        if row.service == _ACTIVITY:
            for activity in _activities(bytes(row.content)):
                self._news(activity, out)
        elif self._out is None:
            out.ignored("prices that nobody wants")
        else:
            self._prices(row, recv_ns, self._out)

    def _prices(self, row: f.Data, recv_ns: int, out: MarketOut) -> None:
        content = bytes(row.content)
        try:
            if row.service == _L1:
                for changed in _level_ones(content):
                    self._level_one(changed, row.timestamp, recv_ns, out)
            elif row.service in _BOOKS:
                for book in _books(content):
                    self._book(book, row.timestamp, recv_ns, out)
            else:
                out.ignored(row.service[:32])
        except OffGrid:
            raise OddFrame("number") from None
        except msgspec.DecodeError:
            raise OddFrame(f"{row.service[:24]} of another shape") from None

    def _level_one(self, row: f.LevelOne, frame_ms: int, recv_ns: int, out: MarketOut) -> None:
        listing = self.context.listings.wire.get(row.key)
        if listing is None:
            out.ignored("another symbol")
            return
        top = self._tops.get(row.key)
        if top is None:
            top = self._tops[row.key] = _Top()
        quoted = False
        if row.bid is not None:
            top.bid, quoted = row.bid, True
        if row.ask is not None:
            top.ask, quoted = row.ask, True
        if row.bid_size is not None:
            top.bid_size, quoted = row.bid_size, True
        if row.ask_size is not None:
            top.ask_size, quoted = row.ask_size, True
        if quoted and top.bid and top.ask:
            self._alive(listing, out)
            out.quote(
                BookQuote(
                    VENUE,
                    listing.symbol,
                    listing.digits,
                    points(top.bid, listing.scale),
                    points(top.ask, listing.scale),
                    sizes(top.bid_size),
                    sizes(top.ask_size),
                    (row.quote_ms or frame_ms) * _MS,
                    recv_ns,
                ),
                listing,
            )
        self._last_trade(row, top, listing, frame_ms, recv_ns, out)

    def _last_trade(
        self,
        row: f.LevelOne,
        top: _Top,
        listing: Listing,
        frame_ms: int,
        recv_ns: int,
        out: MarketOut,
    ) -> None:
        """The last price changes with trades; trades in between are not told by the venue."""
        if row.last is not None:
            top.last = row.last
        if row.last_size is not None:
            top.last_size = row.last_size
        moved = row.volume is not None and row.volume > top.volume
        first = top.volume == 0
        if row.volume is not None:
            top.volume = row.volume
        if not moved or first or not top.last or not top.last_size:
            return  # the first volume is that of the day, not of a trade
        traded_ms = row.trade_ms or frame_ms
        out.trade(
            TradeTick(
                VENUE,
                listing.symbol,
                listing.digits,
                points(top.last, listing.scale),
                sizes(top.last_size),
                None,
                f"{traded_ms}-{top.volume}",
                traded_ms * _MS,
                recv_ns,
            )
        )

    def _book(self, row: f.Book, frame_ms: int, recv_ns: int, out: MarketOut) -> None:
        listing = self.context.listings.wire.get(row.key)
        if listing is None:
            out.ignored("another symbol")
            return
        self._alive(listing, out)
        out.depth(
            BookDelta(
                VENUE,
                listing.symbol,
                listing.digits,
                True,
                _levels(row.bids, listing.scale),
                _levels(row.asks, listing.scale),
                (row.time_ms or frame_ms) * _MS,
                recv_ns,
            ),
            listing,
        )

    def _alive(self, listing: Listing, out: MarketOut) -> None:
        if listing.symbol in self._stale:
            self._stale.discard(listing.symbol)
            out.state(listing.symbol, FeedState.LIVE, "prices arrive")

    def _news(self, activity: f.Activity, out: AccountOut) -> None:
        if not activity.text.startswith("{"):
            out.ignored("subscription of the account")
            return
        order_id = str(_activity(activity.text).schwab_order_id)
        self.look(order_id if order_id.isdigit() else "", out)

    def look(self, order_id: str, out: AccountOut) -> None:
        """Something happened to an order (empty: to which, was not told): ask what."""
        raise NotImplementedError


def _levels(rows: Sequence[f.BookLevel], scale: float) -> tuple[Level, ...]:
    return tuple((points(row.price, scale), sizes(row.size)) for row in rows)
