"""Deribit perpetuals: the account half, and what is asked by REST."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import urlencode

import msgspec

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
    AccountOut,
    BookRule,
    Context,
    NoSuchOrder,
    OddFrame,
    Placed,
    Refusal,
)
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.limits import ORDER_TIMEOUT_S, QUERY_TIMEOUT_S
from tradeloom.connectors.link import Link, LinkPlan, LoginRefused
from tradeloom.connectors.profile import Profile
from tradeloom.connectors.rest import NoAnswer, NotSent
from tradeloom.connectors.scaling import exact_points, exact_sizes, points, sizes
from tradeloom.connectors.venues.deribit import frames as f
from tradeloom.connectors.venues.deribit import orders
from tradeloom.connectors.venues.deribit.errors import (
    TOO_MANY,
    TOO_MANY_WAIT_S,
    UNAUTHORISED,
    details,
    failure,
)
from tradeloom.connectors.venues.deribit.market import MS, DeribitMarket
from tradeloom.connectors.venues.deribit.profile import (
    BARS_PER_CALL,
    CALL_CREDITS,
    PROFILE,
    RECENT_TRADES_MS,
    SIGN_IN_LOOK_S,
    SUBSCRIBE_CREDITS,
    TRADES_PER_CALL,
)
from tradeloom.domain.market import BookDelta, HistoricBar, VenueInstrument

T = TypeVar("T")

_QUERY: Final = {"credits": CALL_CREDITS}
_MATCHING: Final = {"matching": 1.0}
_RESOLUTIONS: Final = {
    60: "1", 180: "3", 300: "5", 600: "10", 900: "15", 1_800: "30", 3_600: "60",
    7_200: "120", 10_800: "180", 21_600: "360", 43_200: "720", 86_400: "1D",
}  # fmt: skip
_DEPTHS: Final = (1, 5, 10, 20, 50, 100, 1_000, 10_000)
# A renewal this far before the end leaves time for a second try.
_RENEW_SHARE: Final = 0.6


class _Reply(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: f.RpcError | None = None
    usIn: int | None = None  # noqa: N815 - the venue's name


class Deribit(DeribitMarket):
    """Orders and account news over one signed-in socket."""

    profile: ClassVar[Profile] = PROFILE
    book_rule: ClassVar[BookRule] = BookRule()

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._socket: Link | None = None
        self._refresh_token = ""
        self._renew_at = 0.0
        self._armed = False
        self._signing_in = asyncio.Lock()

    # -- public queries --------------------------------------------------------------------------

    async def load_instruments(self) -> list[VenueInstrument]:
        """Perpetuals of every currency, in one call."""
        params = {"currency": "any", "kind": "future", "expired": "false"}
        costs = {"instruments": 1.0, **_QUERY}
        rows = await self._get("get_instruments", params, list[f.Instrument], costs)
        made = [orders.instrument_of(row) for row in rows]
        return [each for each in made if each is not None]

    async def fetch_book(self, listing: Listing, depth: int) -> BookDelta:
        """public/get_order_book: its depth goes up in steps."""
        want = next((each for each in _DEPTHS if each >= depth), _DEPTHS[-1]) if depth else 10_000
        params = {"instrument_name": listing.wire, "depth": str(want)}
        book = await self._get("get_order_book", params, f.OrderBook)
        sides = [
            tuple((points(price, listing.scale), sizes(size)) for price, size in rows)
            for rows in (book.bids, book.asks)
        ]
        return BookDelta(
            self.venue,
            listing.symbol,
            listing.digits,
            True,
            sides[0][: depth or None],
            sides[1][: depth or None],
            book.timestamp * MS,
            time.time_ns(),
            book.change_id,
            book.change_id,
        )

    async def fetch_bars(
        self, listing: Listing, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """Chart data, page by page; the volume is in units of the instrument's amount."""
        resolution = _RESOLUTIONS.get(interval_s)
        if resolution is None:
            have = ", ".join(str(each) for each in _RESOLUTIONS)
            raise Unsupported(f"Deribit has bars of {have} seconds")
        bars: list[HistoricBar] = []
        step_ms, now_ms = interval_s * 1_000, self.context.clock.now_ms()
        at, end = since_ns // MS, min(until_ns // MS - 1, now_ms)
        while at <= end:
            page_end = min(end, at + BARS_PER_CALL * step_ms - 1)
            params = {
                "instrument_name": listing.wire,
                "resolution": resolution,
                "start_timestamp": str(at),
                "end_timestamp": str(page_end),
            }
            chart = await self._get("get_tradingview_chart_data", params, f.Chart)
            bars += self._bars(listing, chart, since_ns // MS, now_ms - step_ms)
            at = page_end + 1
        return bars

    def _bars(
        self, listing: Listing, chart: f.Chart, first_ms: int, last_ms: int
    ) -> list[HistoricBar]:
        if chart.status != "ok":
            return []
        # Inverse amounts are USD, which the venue calls the cost of a bar.
        volumes = chart.cost if listing.instrument.inverse else chart.volume
        rows = zip(
            chart.ticks, chart.open, chart.high, chart.low, chart.close, volumes, strict=True
        )
        made = []
        for tick, *prices, volume in rows:
            if first_ms <= tick <= last_ms:
                four = [exact_points(price, listing.digits) for price in prices]
                made.append(
                    HistoricBar(tick * MS, four[0], four[1], four[2], four[3], exact_sizes(volume))
                )
        return made

    async def server_time(self) -> tuple[int, int, int]:
        """public/get_time, refined by the microseconds that every answer carries."""
        before = time.time_ns()
        url = f"{self.context.urls['rest']}/public/get_time"
        reply = await self.context.rest.call("GET", url, costs=_QUERY)
        answer = self._read(reply.body, _Reply)
        if answer.error is not None or reply.status != 200:
            raise VenueUnavailable(f"Deribit does not tell the time (HTTP {reply.status})")
        told = self._read(bytes(answer.result), int) * MS
        return before, answer.usIn * 1_000 if answer.usIn else told, time.time_ns()

    async def maintenance(self) -> str:
        """public/status: locks of everything or of some indices."""
        status = await self._get("status", {}, f.Status)
        word = str(status.locked).lower()
        if word == "true":
            return "Deribit is locked for trading"
        if word == "partial":
            names = ", ".join(status.locked_indices or status.locked_currencies)
            return f"Deribit is locked for: {names}"
        return ""

    # -- account ---------------------------------------------------------------------------------

    def private_links(self) -> list[LinkPlan]:
        """One socket for orders and account news."""
        return [self.plan("account")]

    def bind(self, links: Mapping[str, Link]) -> None:
        """Orders go over the account's socket."""
        self._socket = links.get(self.plan("account").name)

    async def open_private(self, link: Link) -> None:
        """Heartbeat, sign in, subscribe, and arm again what was armed."""
        await self.set_heartbeat(link)
        await self._sign_in_and_subscribe(link)

    async def _sign_in_and_subscribe(self, link: Link) -> None:
        self._signed_in(await self.sign_in(link))
        coins = sorted({each.instrument.settle.lower() for each in self.context.listings})
        channels = ["user.changes.any.any.raw", *(f"user.portfolio.{coin}" for coin in coins)]
        await self.context.rest.budgets.take({"credits": SUBSCRIBE_CREDITS})
        taken = f.names(await self.ask_on(link, "private/subscribe", {"channels": channels}))
        lacking = sorted(set(channels) - set(taken))
        if lacking:
            raise LoginRefused(
                f"Deribit refused the channels {', '.join(lacking)}: give the key the scopes "
                "account:read and trade:read_write"
            )
        if self._armed:
            await self.ask_on(link, "private/enable_cancel_on_disconnect", {"scope": "connection"})

    def _signed_in(self, auth: f.Auth) -> None:
        self._refresh_token = auth.refresh_token
        self._renew_at = time.monotonic() + auth.expires_in * _RENEW_SHARE

    async def keep_private(self) -> float:
        """Renew the token before its time is over."""
        link = self._socket
        if link is None or not link.up.is_set() or not self._refresh_token:
            return SIGN_IN_LOOK_S
        left = self._renew_at - time.monotonic()
        if left > 0:
            return min(left, 60.0)
        params = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        try:
            self._signed_in(f.auth(await self.ask_on(link, "public/auth", params)))
        except (Refusal, LoginRefused):
            # The refresh token is over; the key itself may well be good.
            self._signed_in(await self.sign_in(link))
        return SIGN_IN_LOOK_S

    def private_frame(self, data: str | bytes, recv_ns: int, out: AccountOut, link: Link) -> None:
        """An answer, a heartbeat, or news of the account."""
        frame = f.any_frame(data)
        params = frame.params
        if frame.method == "subscription" and params is not None:
            self._news(params.channel, bytes(params.data), recv_ns, out)
        elif frame.method == "heartbeat" and params is not None:
            if params.type == "test_request":
                self.tested(link)
            out.ignored("heartbeat")
        elif frame.id is not None:
            if not link.answer(str(frame.id), data):
                out.ignored("answer")
        else:
            raise OddFrame("unknown private frame")

    def _news(self, channel: str, data: bytes, recv_ns: int, out: AccountOut) -> None:
        account, wire = self.context.account, self.context.listings.wire
        changes = f.Changes()
        if channel.startswith("user.changes."):
            changes = f.changes(data)
        elif channel.startswith("user.orders."):
            changes.orders = f.orders(data if data.startswith(b"[") else b"[" + data + b"]")
        elif channel.startswith("user.trades."):
            changes.trades = f.user_trades(data)
        elif channel.startswith("user.portfolio."):
            out.balance(orders.balance_of(account, f.portfolio(data), recv_ns))
            return
        else:
            out.ignored("another channel")
            return
        for row in changes.orders:
            if row.instrument_name in wire:
                out.order(orders.order_of(account, wire[row.instrument_name], row))
        for trade in changes.trades:
            if trade.instrument_name in wire:
                out.fill(orders.fill_of(account, wire[trade.instrument_name], trade, recv_ns))
        for position in changes.positions:
            if position.instrument_name in wire:
                listing = wire[position.instrument_name]
                out.position(orders.position_of(account, listing, position, recv_ns))

    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """private/buy or private/sell; the answer tells the fills."""
        method = f"private/{request.side.name.lower()}"
        params = orders.terms(request, listing, wire_id)
        return self._placed(await self._ask(method, params, f.Placement, _MATCHING), listing)

    async def amend(
        self, change: Amendment, order: VenueOrder, listing: Listing, wire_id: str
    ) -> Placed:
        """private/edit: a lower amount at the same price keeps its place in the queue."""
        params: dict[str, Any] = {
            "amount": order.volume if change.volume is None else change.volume
        }
        price = order.price if change.price is None else change.price
        if price is not None:
            params["price"] = price
        method = "private/edit"
        if order.venue_order_id:
            params["order_id"] = order.venue_order_id
        else:
            method = "private/edit_by_label"
            params |= {"label": wire_id, "instrument_name": listing.wire}
        return self._placed(await self._ask(method, params, f.Placement, _MATCHING), listing)

    async def cancel(self, order: VenueOrder, listing: Listing, wire_id: str) -> Placed:
        """private/cancel, by label while the venue's id is not known."""
        account = self.context.account
        if order.venue_order_id:
            params = {"order_id": order.venue_order_id}
            row = await self._ask("private/cancel", params, f.Order, _MATCHING)
            return Placed(row.order_id, orders.order_of(account, listing, row))
        params = {"label": wire_id, "currency": listing.instrument.settle}
        if not await self._ask("private/cancel_by_label", params, int, _MATCHING):
            raise NoSuchOrder("cancel_by_label 0", "Deribit has no open order of this label")
        return Placed()

    async def cancel_every(self, listing: Listing | None) -> bool:
        """One call, for one instrument or all."""
        if listing is None:
            await self._ask("private/cancel_all", {}, int, _MATCHING)
        else:
            params = {"instrument_name": listing.wire}
            await self._ask("private/cancel_all_by_instrument", params, int, _MATCHING)
        return True

    async def query(
        self, listing: Listing, wire_id: str, venue_order_id: str
    ) -> tuple[VenueOrder, Sequence[VenueFill]]:
        """The order by id or label and, if it traded, its executions."""
        if venue_order_id:
            params = {"order_id": venue_order_id}
            row = await self._ask("private/get_order_state", params, f.Order)
        else:
            params = {"label": wire_id, "currency": listing.instrument.settle}
            rows = await self._ask("private/get_order_state_by_label", params, list[f.Order])
            if not rows:
                raise NoSuchOrder("label", "Deribit has no order of this label")
            row = max(rows, key=lambda each: each.last_update_timestamp)
        fills: list[VenueFill] = []
        if row.filled_amount:
            params = {"order_id": row.order_id}
            raw = bytes(await self._ask("private/get_user_trades_by_order", params, msgspec.Raw))
            fills = self._fills_of(f.user_trades(raw) if raw[:1] == b"[" else f.trades(raw).trades)
        return orders.order_of(self.context.account, listing, row), fills

    async def open_orders(self) -> list[VenueOrder]:
        """Of every instrument that we list."""
        rows = await self._ask("private/get_open_orders", {"kind": "future"}, list[f.Order])
        wire, account = self.context.listings.wire, self.context.account
        return [
            orders.order_of(account, wire[row.instrument_name], row)
            for row in rows
            if row.instrument_name in wire
        ]

    async def fills(self, since_ns: int, listings: Sequence[Listing]) -> list[VenueFill]:
        """Executions of every settlement currency; old ones come from the venue's archive."""
        coins = sorted({each.instrument.settle for each in self.context.listings})
        now_ms = self.context.clock.now_ms()
        archives = ["false"]
        if since_ns // MS < now_ms - RECENT_TRADES_MS:
            archives.insert(0, "true")
        found: dict[tuple[str, str], VenueFill] = {}
        for coin in coins:
            for archive in archives:
                for fill in await self._trades(coin, max(since_ns // MS, 0), now_ms, archive):
                    found[fill.symbol, fill.trade_id] = fill
        return sorted(found.values(), key=lambda fill: fill.venue_ns)

    async def _trades(self, coin: str, start_ms: int, now_ms: int, archive: str) -> list[VenueFill]:
        found: list[VenueFill] = []
        while True:
            params: dict[str, Any] = {
                "currency": coin,
                "start_timestamp": start_ms,
                "end_timestamp": now_ms + 60_000,
                "count": TRADES_PER_CALL,
                "sorting": "asc",
                "historical": archive == "true",
            }
            method = "private/get_user_trades_by_currency_and_time"
            page = await self._ask(method, params, f.Trades)
            found += self._fills_of(page.trades)
            newest = max((trade.timestamp for trade in page.trades), default=start_ms)
            if not page.has_more or newest <= start_ms:
                return found
            start_ms = newest  # that millisecond again: it may hold more, and doubles are fine

    async def positions(self) -> list[VenuePosition]:
        """Open positions of every currency."""
        params = {"currency": "any", "kind": "future"}
        rows = await self._ask("private/get_positions", params, list[f.Position])
        wire, account, now = self.context.listings.wire, self.context.account, time.time_ns()
        return [
            orders.position_of(account, wire[row.instrument_name], row, now)
            for row in rows
            if row.instrument_name in wire and row.size
        ]

    async def balances(self) -> list[VenueBalance]:
        """Money of every currency that is not zero."""
        answer = await self._ask("private/get_account_summaries", {}, f.Summaries)
        account, now = self.context.account, time.time_ns()
        rows = [orders.balance_of(account, row, now) for row in answer.summaries]
        return [row for row in rows if row.total or row.free > Decimal(0)]

    async def cancel_on_disconnect(self, after_s: int | None) -> float | None:
        """The venue cancels what this connection placed as soon as it breaks; no time is set."""
        self._armed = after_s is not None
        word = "enable" if self._armed else "disable"
        params = {"scope": "connection"}
        await self._ask(f"private/{word}_cancel_on_disconnect", params, msgspec.Raw)
        return None

    # -- calls -----------------------------------------------------------------------------------

    async def _ask(
        self,
        method: str,
        params: dict[str, Any],
        kind: type[T],
        costs: Mapping[str, float] = _QUERY,
    ) -> T:
        """A private call. A sign-in that ended changed nothing: sign in, and ask once more."""
        link = self._socket
        if link is None or not link.up.is_set():
            raise NotSent("deribit: the account's socket is not connected")
        timeout_s = ORDER_TIMEOUT_S if costs is _MATCHING else QUERY_TIMEOUT_S
        for attempt in (1, 2):
            await self.context.rest.budgets.take(costs)
            answer = await self.asked_on(link, method, params, timeout_s)
            if answer.error is None:
                return self._read(bytes(answer.result), kind)
            if answer.error.code == UNAUTHORISED and attempt == 1:
                async with self._signing_in:
                    await self._sign_in_and_subscribe(link)
                continue
            self._slow_down(answer.error)
            raise failure(answer.error)
        raise NoAnswer(f"deribit: {method} was not answered")

    def _slow_down(self, error: f.RpcError) -> None:
        if error.code == TOO_MANY:
            self.context.rest.budgets.block("*", details(error).wait or TOO_MANY_WAIT_S)

    async def _get(
        self,
        method: str,
        params: Mapping[str, str],
        kind: type[T],
        costs: Mapping[str, float] = _QUERY,
    ) -> T:
        """A public call by REST."""
        query = f"?{urlencode(params)}" if params else ""
        url = f"{self.context.urls['rest']}/public/{method}{query}"
        reply = await self.context.rest.call("GET", url, costs=costs)
        if reply.status == 429:
            after = reply.headers.get("Retry-After", "")
            wait = float(after) if after.replace(".", "", 1).isdigit() else TOO_MANY_WAIT_S
            self.context.rest.budgets.block("*", wait)
            raise VenueUnavailable(f"Deribit: too many requests; waiting {wait:g} s")
        try:
            answer = msgspec.json.decode(reply.body, type=_Reply)
        except msgspec.DecodeError:
            raise VenueUnavailable(f"Deribit: HTTP {reply.status} without an answer") from None
        if answer.error is not None:
            self._slow_down(answer.error)
            found = failure(answer.error)
            raise found if isinstance(found, Refusal) else VenueUnavailable(str(found))
        if reply.status != 200:
            raise VenueUnavailable(f"Deribit: HTTP {reply.status}")
        return self._read(bytes(answer.result), kind)

    def _read(self, body: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:
            raise NoAnswer(f"Deribit: an answer cannot be read ({error})") from None

    # -- inside ----------------------------------------------------------------------------------

    def _placed(self, answer: f.Placement, listing: Listing) -> Placed:
        order = orders.order_of(self.context.account, listing, answer.order)
        return Placed(order.venue_order_id, order, self._fills_of(answer.trades))

    def _fills_of(self, rows: Sequence[f.UserTrade]) -> list[VenueFill]:
        wire, account, now = self.context.listings.wire, self.context.account, time.time_ns()
        return [
            orders.fill_of(account, wire[row.instrument_name], row, now)
            for row in rows
            if row.instrument_name in wire
        ]
