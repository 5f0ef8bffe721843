"""One adapter for the venues that have none of ours: ccxt behind the contract, as `ccxt:NAME`.

Breadth before depth. ccxt hands on the newest state and drops what came in between, so quotes are
conflated and the info says so. There is no private stream here: orders, fills and money are polled.
What protects orders is the shared connector's: intents on disk first, the checks, three outcomes,
and asking for an unresolved order by its client id instead of sending it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, ClassVar, Final, NoReturn, TypeVar

from tradeloom.connectors.backoff import Backoff
from tradeloom.connectors.budgets import BudgetSpent
from tradeloom.connectors.ccxt_rows import (
    bar_of,
    book_of,
    fill_of,
    instruments_of,
    order_of,
    position_of,
    quote_of,
    trade_of,
)
from tradeloom.connectors.contract import (
    Amendment,
    OrderRequest,
    Unsupported,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenuePosition,
    VenueUnavailable,
)
from tradeloom.connectors.dialect import (
    Context,
    Dialect,
    MarketOut,
    NoSuchOrder,
    Placed,
    Refusal,
    Wanted,
)
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.limits import CCXT_POLL_S, QUERY_TIMEOUT_S
from tradeloom.connectors.link import Link, LinkPlan, LoginRefused
from tradeloom.connectors.profile import Need, Profile, Window
from tradeloom.connectors.rest import NoAnswer
from tradeloom.connectors.scaling import OffGrid
from tradeloom.domain.enums import OrderType, ReturnCode, TimeInForce
from tradeloom.domain.market import BookDelta, FeedState, HistoricBar, Topic, VenueInstrument
from tradeloom.security.redaction import redact_text

log = logging.getLogger(__name__)

T = TypeVar("T")
_NEEDS: Final = {
    "apiKey": Need.KEY, "secret": Need.SECRET, "password": Need.PASSPHRASE, "uid": Need.ACCOUNT,
}  # fmt: skip
_TYPES: Final = {OrderType.MARKET: "market", OrderType.LIMIT: "limit"}
_FRAMES: Final = {
    60: "1m", 300: "5m", 900: "15m", 1_800: "30m", 3_600: "1h", 14_400: "4h", 86_400: "1d",
}  # fmt: skip
# A venue that says stop without saying for how long is left alone for this long.
_STOP_S: Final = 5.0
_PAGE: Final = 500


class NeedsSymbol(VenueUnavailable):
    """The venue wants to be asked about one symbol at a time."""


def library() -> Any:
    """ccxt with its streaming half, `pro`. Raises ValueError when the extra is not installed."""
    try:
        import ccxt.pro
    except ImportError:
        raise ValueError("ccxt is not installed: pip install tradeloom[ccxt]") from None
    return ccxt


@lru_cache(256)
def ccxt_dialect(name: str) -> type[Dialect]:
    """The dialect of one of ccxt's venues; raises ValueError for a name it does not have."""
    found = library()
    if name not in found.pro.exchanges:
        near = get_close_matches(name, found.pro.exchanges, 3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise ValueError(f"ccxt has no venue {name!r} with streams{hint}")
    sample = getattr(found.pro, name)()
    has, lacking = sample.has, [
        each for each, wanted in sample.requiredCredentials.items()
        if wanted and each not in _NEEDS
    ]  # fmt: skip
    offered = {
        Topic.QUOTES: bool(has.get("watchBidsAsks") or has.get("watchTicker")),
        Topic.TRADES: bool(has.get("watchTrades")),
        Topic.BOOK: bool(has.get("watchOrderBook")),
    }
    profile = Profile(
        venue=f"ccxt-{name}",
        title=f"{sample.name} through ccxt (conflated quotes)",
        date=f"ccxt {found.__version__}",
        port=5_099,
        urls=dict(_flat(sample.urls.get("api", {}))),
        windows=(Window("calls", max(int(1_000 / max(sample.rateLimit, 1)), 1), 1.0),),
        topics=tuple(topic for topic, there in offered.items() if there),
        needs=tuple(need for each, need in _NEEDS.items() if sample.requiredCredentials.get(each)),
        features=("conflated quotes", "polled orders", "order queries"),
        quirks={"name": name, "keys we cannot give": lacking},
    )
    return type(f"Ccxt_{name}", (CcxtDialect,), {"profile": profile})


def _flat(urls: Any, at: str = "") -> list[tuple[str, str]]:
    """Addresses by dotted name: `ws.spot`."""
    if isinstance(urls, str):
        return [(at or "api", urls)]
    found = []
    for name, inside in urls.items() if isinstance(urls, dict) else ():
        found += _flat(inside, f"{at}.{name}" if at else str(name))
    return found


class CcxtDialect(Dialect):
    """A venue of ccxt's; the classes are made by `ccxt_dialect`."""

    compare_every_s: ClassVar[float | None] = CCXT_POLL_S

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._ccxt: Final = library()
        self._loops: Final[dict[tuple[str, Topic], asyncio.Task[None]]] = {}
        self._derivatives = False
        self._expected: Final[set[str]] = set()
        self._exchange: Any = None

    @property
    def exchange(self) -> Any:
        """ccxt's own object, made when it is first wanted."""
        if self._exchange is None:
            self._exchange = self._made()
        return self._exchange

    def _made(self) -> Any:
        keys = self.context.credentials
        given: dict[str, Any] = {
            "enableRateLimit": True,
            "timeout": int(QUERY_TIMEOUT_S * 1_000),
            "options": {"maxRetriesOnFailure": 0, "fetchMargins": False},
        }
        for theirs, ours in _NEEDS.items():
            if keys is not None and ours in keys.values:
                given[theirs] = keys[ours]
        made = getattr(self._ccxt.pro, str(self.profile.quirks["name"]))(given)
        made.options["maxRetriesOnFailure"] = 0  # it would send an order again
        made.options["warnOnFetchOpenOrdersWithoutSymbol"] = False  # our own budget paces it
        # Currencies are private calls of other hosts at some venues, and nothing here needs them.
        made.has["fetchCurrencies"] = False
        kinds = self.context.options.get("types", "")
        if kinds:
            made.options["fetchMarkets"] = {"types": kinds.split(",")}
            made.options["defaultType"] = kinds.split(",")[0]
        for name, url in self.context.urls.items():
            place = made.urls["api"]
            if isinstance(place, str):
                made.urls["api"] = url
                continue
            *path, last = name.split(".")
            for step in path:
                place = place[step]
            place[last] = url
        return made

    # -- market ----------------------------------------------------------------------------------

    async def load_instruments(self) -> list[VenueInstrument]:
        """Spot pairs and linear perpetuals that are active."""
        markets = await self._asked(self.exchange.load_markets(True))
        tick_sizes = self.exchange.precisionMode == self._ccxt.TICK_SIZE
        found = instruments_of(self.venue, markets.values(), tick_sizes=tick_sizes)
        self._derivatives = any(each.symbol.endswith("-PERP") for each in found)
        return found

    async def fetch_book(self, listing: Listing, depth: int) -> BookDelta:
        """The book by REST."""
        row = await self._asked(self.exchange.fetch_order_book(listing.wire, depth or None))
        return book_of(listing, row, time.time_ns())

    async def fetch_bars(
        self, listing: Listing, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """OHLCV, page by page."""
        frame = _FRAMES.get(interval_s)
        if frame is None or not self.exchange.has.get("fetchOHLCV"):
            have = ", ".join(str(each) for each in _FRAMES)
            raise Unsupported(f"{self.venue} has bars of {have} seconds, if at all")
        bars: list[HistoricBar] = []
        at, now = since_ns, time.time_ns()
        while at < until_ns:
            asked = self.exchange.fetch_ohlcv(listing.wire, frame, at // 1_000_000, _PAGE)
            rows = [bar_of(listing, row) for row in await self._asked(asked)]
            ends = min(until_ns, now - interval_s * 10**9 + 1)
            new = [row for row in rows if at <= row.start_ns < ends]
            bars += new
            if len(rows) < _PAGE or not new:
                break
            at = new[-1].start_ns + 1
        return bars

    def market_links(self, wanted: Wanted) -> list[LinkPlan]:
        """None of ours: ccxt keeps its own sockets."""
        return []

    def subscriptions(self, plan: LinkPlan, wanted: Wanted) -> list[str]:
        """None."""
        return []

    def subscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """None."""
        return []

    def unsubscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """None."""
        return []

    def market_frame(self, data: str | bytes, recv_ns: int, out: MarketOut, link: Link) -> None:
        """Never called."""

    def follow(self, wanted: Wanted, out: MarketOut) -> None:
        """One loop for each topic of each symbol."""
        keys = {(symbol, topic) for symbol, topics in wanted.items() for topic in topics}
        for key in [each for each in self._loops if each not in keys]:
            self._loops.pop(key).cancel()
        for symbol, topic in sorted(keys - set(self._loops)):
            listing = self.context.listings.find(symbol)
            out.state(symbol, FeedState.STALE, "no prices yet")
            self._loops[symbol, topic] = asyncio.create_task(
                self._watch(listing, topic, out), name=f"{self.venue} {symbol} {topic.name}"
            )

    async def _watch(self, listing: Listing, topic: Topic, out: MarketOut) -> None:
        """Deliver what ccxt has next, for ever; a lost connection makes the symbol stale."""
        backoff, live = Backoff(), False
        step = {Topic.QUOTES: self._quotes, Topic.TRADES: self._trades, Topic.BOOK: self._book}
        while True:
            try:
                await step[topic](listing, out)
            except OffGrid:
                out.ignored("off the price grid")
            except (TypeError, KeyError, ValueError, IndexError, AttributeError) as error:
                out.ignored(f"unreadable {topic.name.lower()} ({type(error).__name__})")
                await asyncio.sleep(backoff.next_s())
            except self._ccxt.BaseError as error:
                # The text may hold an address with a signature; the kind of error says enough.
                live = False
                out.state(listing.symbol, FeedState.STALE, f"ccxt: {type(error).__name__}")
                await asyncio.sleep(backoff.next_s())
            else:
                if not live:
                    live = True
                    backoff.up()
                    out.state(listing.symbol, FeedState.LIVE, "prices arrive")

    async def _quotes(self, listing: Listing, out: MarketOut) -> None:
        if self.exchange.has.get("watchBidsAsks"):
            row = (await self.exchange.watch_bids_asks([listing.wire]))[listing.wire]
        else:
            row = await self.exchange.watch_ticker(listing.wire)
        out.quote(quote_of(listing, row, time.time_ns()), listing)

    async def _trades(self, listing: Listing, out: MarketOut) -> None:
        rows = await self.exchange.watch_trades(listing.wire)
        now = time.time_ns()
        for row in rows:
            out.trade(trade_of(listing, row, now))

    async def _book(self, listing: Listing, out: MarketOut) -> None:
        row = await self.exchange.watch_order_book(listing.wire)
        out.depth(book_of(listing, row, time.time_ns()), listing)

    # -- account ---------------------------------------------------------------------------------

    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """create_order, sent once."""
        kind = _TYPES.get(request.type)
        if kind is None:
            raise Unsupported("through ccxt only market and limit orders are sent")
        if request.tif not in (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK):
            raise Unsupported("through ccxt only GTC, IOC and FOK orders are sent")
        params: dict[str, Any] = {"clientOrderId": wire_id}
        if kind == "limit" and request.tif is not TimeInForce.GTC:
            params["timeInForce"] = request.tif.name
        if request.post_only:
            params["postOnly"] = True
        if request.reduce_only:
            params["reduceOnly"] = True
        price = None if request.price is None else float(request.price)
        row = await self._sent(
            self.exchange.create_order(
                listing.wire, kind, request.side.name.lower(), float(request.volume), price, params
            )
        )
        order = self._order(row, listing)
        return Placed(str(row.get("id") or ""), order)

    async def amend(
        self, change: Amendment, order: VenueOrder, listing: Listing, wire_id: str
    ) -> Placed:
        """Not through ccxt: at many venues it would be a cancel and a new order."""
        raise Unsupported("through ccxt orders are not amended: cancel, and place a new one")

    async def cancel(self, order: VenueOrder, listing: Listing, wire_id: str) -> Placed:
        """cancel_order, by the venue's id where it is known."""
        params = {} if order.venue_order_id else {"clientOrderId": wire_id}
        number = order.venue_order_id or None
        await self._sent(self.exchange.cancel_order(number, listing.wire, params))
        fresh, fills = await self.query(listing, wire_id, order.venue_order_id)
        return Placed(fresh.venue_order_id, fresh, fills)

    async def query(
        self, listing: Listing, wire_id: str, venue_order_id: str
    ) -> tuple[VenueOrder, Sequence[VenueFill]]:
        """One order: by the venue's id, else looked for among the newest by ours."""
        if venue_order_id:
            row = await self._asked(self.exchange.fetch_order(venue_order_id, listing.wire))
        else:
            row = await self._by_client_id(listing, wire_id)
        order = self._order(row, listing)
        if order is None:
            raise VenueUnavailable(f"{self.venue} does not tell the order's state")
        fills = await self.fills(0, [listing]) if order.filled else []
        return order, [each for each in fills if each.venue_order_id == order.venue_order_id]

    async def _by_client_id(self, listing: Listing, wire_id: str) -> dict[str, Any]:
        has, exchange = self.exchange.has, self.exchange
        if has.get("fetchOrders"):
            calls = [exchange.fetch_orders]
        elif has.get("fetchOpenOrders") and has.get("fetchClosedOrders"):
            calls = [exchange.fetch_open_orders, exchange.fetch_closed_orders]
        else:
            raise VenueUnavailable(f"{self.venue} cannot be asked for an order by our id")
        for call in calls:
            for row in await self._asked(call(listing.wire)):
                if row.get("clientOrderId") == wire_id:
                    found: dict[str, Any] = row
                    return found
        raise NoSuchOrder("", f"{self.venue} lists no order {wire_id}")

    def expect(self, wire_id: str, order: VenueOrder) -> None:
        """Symbols to ask about where a venue wants to be asked one by one."""
        self._expected.add(self.context.listings.find(order.symbol).wire)

    async def open_orders(self) -> list[VenueOrder]:
        """Everything that works."""
        try:
            rows = await self._asked(self.exchange.fetch_open_orders())
        except NeedsSymbol:
            rows = []
            for symbol in sorted(self._expected):
                rows += await self._asked(self.exchange.fetch_open_orders(symbol))
        wire = self.context.listings.wire
        found = [self._order(row, wire[row["symbol"]]) for row in rows if row["symbol"] in wire]
        return [each for each in found if each is not None]

    async def fills(self, since_ns: int, listings: Sequence[Listing]) -> list[VenueFill]:
        """Executions, symbol by symbol."""
        if not self.exchange.has.get("fetchMyTrades"):
            return []
        found: list[VenueFill] = []
        since = since_ns // 1_000_000 or None
        for listing in listings:
            rows = await self._asked(self.exchange.fetch_my_trades(listing.wire, since, _PAGE))
            now, account = time.time_ns(), self.context.account
            found += [fill_of(self.venue, account, listing, row, now) for row in rows]
        return sorted(found, key=lambda fill: fill.venue_ns)

    async def balances(self) -> list[VenueBalance]:
        """Free and used money."""
        return self._money(await self._asked(self.exchange.fetch_balance()))

    def _money(self, told: Mapping[str, Any]) -> list[VenueBalance]:
        now = time.time_ns()
        free: Mapping[str, Any] = told.get("free") or {}
        return [
            VenueBalance(
                venue=self.venue,
                account=self.context.account,
                currency=currency,
                total=Decimal(repr(total)),
                free=Decimal(repr(free.get(currency) or 0)),
                venue_ns=now,
            )
            for currency, total in (told.get("total") or {}).items()
            if total
        ]

    async def positions(self) -> list[VenuePosition]:
        """Open positions of perpetuals."""
        if not self._derivatives or not self.exchange.has.get("fetchPositions"):
            return []
        rows = await self._asked(self.exchange.fetch_positions())
        wire, now = self.context.listings.wire, time.time_ns()
        found = [
            position_of(self.venue, self.context.account, wire[row["symbol"]], row, now)
            for row in rows
            if row["symbol"] in wire
        ]
        return [each for each in found if each.volume]

    async def server_time(self) -> tuple[int, int, int]:
        """The venue's clock where it shows one; else ours."""
        before = time.time_ns()
        if not self.exchange.has.get("fetchTime"):
            return before, before, before
        told = await self._asked(self.exchange.fetch_time())
        return before, int(told) * 1_000_000, time.time_ns()

    async def close(self) -> None:
        """End the loops and ccxt's connections."""
        loops = list(self._loops.values())
        self._loops.clear()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            with contextlib.suppress(Exception):
                await exchange.close()

    # -- inside ----------------------------------------------------------------------------------

    def _order(self, row: Mapping[str, Any], listing: Listing) -> VenueOrder | None:
        return order_of(self.venue, self.context.account, listing, row)

    async def _asked(self, call: Awaitable[T]) -> T:
        """A query: what fails is unknown, never empty."""
        return await self._called(call, self._query_failed)

    async def _sent(self, call: Awaitable[T]) -> T:
        """An order call: refused only when the venue named the reason."""
        return await self._called(call, self._order_failed)

    async def _called(self, call: Awaitable[T], failed: Callable[[Exception], NoReturn]) -> T:
        try:
            await self.context.rest.budgets.take({"calls": 1})
        except BudgetSpent:
            if asyncio.iscoroutine(call):
                call.close()
            raise
        try:
            return await call
        except self._ccxt.BaseError as error:
            failed(error)

    def _common(self, error: Exception) -> None:
        """What means the same for queries and orders. Texts of network errors are not passed on:
        they hold addresses, which may be signed.
        """
        c, name = self._ccxt, self.profile.title
        if isinstance(error, c.RateLimitExceeded | c.DDoSProtection):
            self.context.rest.budgets.block("*", _STOP_S)
            raise BudgetSpent(f"{self.venue} {type(error).__name__}", _STOP_S)
        if isinstance(error, c.InvalidNonce):
            raise LoginRefused(
                f"{name} refuses our timestamps: this machine's clock is wrong; synchronise it "
                "(NTP)"
            )
        if isinstance(error, c.PermissionDenied):
            raise LoginRefused(f"{name}: the key may not do this: check its permissions and IPs")
        if isinstance(error, c.AuthenticationError):
            raise LoginRefused(f"{name}: the key or its secret is wrong: check both")
        if isinstance(error, c.OrderNotFound):
            raise NoSuchOrder(type(error).__name__, "the venue has no such order")
        if isinstance(error, c.NotSupported):
            raise Unsupported(f"{name} does not offer this through ccxt")

    def _query_failed(self, error: Exception) -> NoReturn:
        self._common(error)
        kind = type(error).__name__
        if isinstance(error, self._ccxt.ArgumentsRequired):
            raise NeedsSymbol(f"{self.venue}: {kind}") from None
        network = isinstance(error, self._ccxt.NetworkError)
        text = "" if network else redact_text(f" {str(error)[:200]}")
        raise VenueUnavailable(f"{self.venue}: {kind}{text}") from None

    def _order_failed(self, error: Exception) -> NoReturn:
        self._common(error)
        c, kind = self._ccxt, type(error).__name__
        if isinstance(error, c.InsufficientFunds):
            raise Refusal(kind, "not enough money", ReturnCode.TRADE_NO_MONEY, "volume")
        if isinstance(error, c.DuplicateOrderId):
            raise Refusal(kind, "the id was used before", ReturnCode.DUPLICATE_ID, "client_id")
        if isinstance(error, c.InvalidOrder | c.BadRequest | c.ArgumentsRequired):
            raise Refusal(kind, redact_text(f"the venue refused the order: {str(error)[:200]}"))
        # Network errors, time-outs, unreadable answers and codes that ccxt has no name for: the
        # order may be there.
        raise NoAnswer(f"{self.venue}: {kind}; what became of the order is unknown") from None
