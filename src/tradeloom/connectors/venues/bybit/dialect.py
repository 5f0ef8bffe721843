"""Bybit: one unified account, spot or linear perpetuals by category."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from tradeloom.connectors.contract import (
    Amendment,
    OrderRequest,
    Unsupported,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenuePosition,
)
from tradeloom.connectors.dialect import (
    AccountOut,
    BookRule,
    Context,
    NoSuchOrder,
    OddFrame,
    Placed,
)
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.profile import Profile
from tradeloom.connectors.scaling import exact_points, exact_sizes
from tradeloom.connectors.venues.bybit import frames, profile
from tradeloom.connectors.venues.bybit.calls import BybitCalls
from tradeloom.connectors.venues.bybit.listing import instrument_of
from tradeloom.connectors.venues.bybit.market import BybitMarket, levels, ping
from tradeloom.connectors.venues.bybit.orders import (
    MS,
    balance_of,
    fill_of,
    order_of,
    position_of,
    terms,
)
from tradeloom.domain.enums import OrderType
from tradeloom.domain.market import BookDelta, HistoricBar, VenueInstrument

_INTERVALS: Final = {
    60: "1", 180: "3", 300: "5", 900: "15", 1_800: "30", 3_600: "60", 7_200: "120", 14_400: "240",
    21_600: "360", 43_200: "720", 86_400: "D",
}  # fmt: skip
# Executions are asked for in spans of a week at most.
_WEEK_MS: Final = 7 * 86_400_000

_envelope = msgspec.json.Decoder(frames.Envelope).decode
_orders = msgspec.json.Decoder(frames.Rows[frames.Order]).decode
_executions = msgspec.json.Decoder(frames.Rows[frames.Execution]).decode
_wallets = msgspec.json.Decoder(frames.Rows[frames.Wallet]).decode
_positions = msgspec.json.Decoder(frames.Rows[frames.Position]).decode


class BybitSpot(BybitMarket, BybitCalls):
    """Spot. What perpetuals do otherwise is asked of `category`."""

    profile: ClassVar[Profile] = profile.SPOT
    book_rule: ClassVar[BookRule] = BookRule(depth=200)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._streams = {}
        self._private: Link | None = None
        self._dead_man = False

    # -- market ----------------------------------------------------------------------------------

    async def load_instruments(self) -> list[VenueInstrument]:
        """instruments-info of the category."""
        params = {"category": self.category, "limit": "1000"}
        rows = await self.pages(
            "/v5/market/instruments-info", params, frames.Instrument, signed=False
        )
        made = (instrument_of(self.venue, row) for row in rows)
        return [each for each in made if each is not None]

    async def fetch_book(self, listing: Listing, depth: int) -> BookDelta:
        """The book by REST, 200 levels at most."""
        limit = str(min(depth, 200) or 200)
        params = {"category": self.category, "symbol": listing.wire, "limit": limit}
        book = await self.get("/v5/market/orderbook", params, frames.Levels)
        return BookDelta(
            self.venue,
            listing.symbol,
            listing.digits,
            True,
            levels(book.b, listing.scale),
            levels(book.a, listing.scale),
            book.ts * MS,
            time.time_ns(),
            book.u,
            book.u,
        )

    async def fetch_bars(
        self, listing: Listing, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """kline, newest first and page by page."""
        interval = _INTERVALS.get(interval_s)
        if interval is None:
            have = ", ".join(str(each) for each in _INTERVALS)
            raise Unsupported(f"{self.venue} has bars of {have} seconds")
        since, now = since_ns // MS, time.time_ns()
        until = until_ns // MS - 1
        bars: list[HistoricBar] = []
        page: Any = frames.Page[frames.Kline]
        while until >= since:
            params = {
                "category": self.category,
                "symbol": listing.wire,
                "interval": interval,
                "start": str(since),
                "end": str(until),
                "limit": "1000",
            }
            rows = (await self.get("/v5/market/kline", params, page)).rows
            for row in rows:
                if row.start * MS + interval_s * 10**9 <= now:
                    four = (row.open, row.high, row.low, row.close)
                    o, h, low, c = (exact_points(each, listing.digits) for each in four)
                    volume = exact_sizes(row.volume)
                    bars.append(HistoricBar(row.start * MS, o, h, low, c, volume))
            if len(rows) < 1_000:
                break
            until = rows[-1].start - 1
        return bars[::-1]

    # -- account ---------------------------------------------------------------------------------

    def private_links(self) -> list[LinkPlan]:
        """News of the account on one socket, orders on another."""
        quirks = self.profile.quirks
        return [
            LinkPlan(
                name=f"{self.venue} {place}",
                url=self.context.urls[place],
                ping=ping,
                ping_s=float(str(quirks["ping_s"])),
                silence_s=float(str(quirks["silence_s"])),
                frames_per_s=100,
            )
            for place in ("private", "trade")
        ]

    async def open_private(self, link: Link) -> None:
        """Log in; subscribe on the socket of the account."""
        await self.login(link)
        if link.plan.name.endswith("trade"):
            return
        self._private = link
        topics = [f"order.{self.category}", f"execution.{self.category}", "wallet"]
        if self.category != "spot":
            topics.append(f"position.{self.category}")
        if self._dead_man:
            topics.append(str(self.profile.quirks["dead_man_topic"]))
        await self.subscribe_private(link, topics)

    def private_frame(self, data: str | bytes, recv_ns: int, out: AccountOut, link: Link) -> None:
        """An answer, or rows of a topic."""
        frame = _envelope(data)
        if frame.topic:
            self._news(frame.topic.partition(".")[0], data, recv_ns, out)
        elif frame.op in ("ping", "pong"):
            out.ignored("pong")
        else:
            key = frame.request_id or frame.req_id or frame.op
            if not link.answer("auth" if frame.op == "auth" else key, data):
                out.ignored("late answer")

    def _news(self, topic: str, data: str | bytes, recv_ns: int, out: AccountOut) -> None:
        wire, account = self.context.listings.wire, self.context.account
        if topic == "order":
            for order in _orders(data).data:
                listing = wire.get(order.symbol)
                if listing is None or order.category not in ("", self.category):
                    out.ignored("order of another market")
                else:
                    out.order(order_of(self.venue, account, listing, order))
        elif topic == "execution":
            for row in _executions(data).data:
                listing = wire.get(row.symbol)
                ours = listing is not None and row.category in ("", self.category)
                fill = fill_of(self.venue, account, listing, row, recv_ns) if listing else None
                if ours and fill is not None:
                    out.fill(fill)
                else:
                    out.ignored("execution that is no trade here")
        elif topic == "wallet":
            for wallet in _wallets(data).data:
                for coin in wallet.coin:
                    out.balance(balance_of(self.venue, account, coin, recv_ns))
        elif topic == "position":
            for position in _positions(data).data:
                listing = wire.get(position.symbol)
                if listing is None or position.category not in ("", self.category):
                    out.ignored("position of another market")
                else:
                    out.position(position_of(self.venue, account, listing, position))
        elif topic in ("dcp", "greeks"):
            out.ignored(topic)
        else:
            raise OddFrame(f"topic {topic[:32]}")

    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """order.create: an answer means that it was taken, its fate comes on the private socket."""
        body = terms(request, listing, wire_id, self.category)
        ids = await self.command("order.create", body, "create")
        return Placed(ids.order_id)

    async def amend(
        self, change: Amendment, order: VenueOrder, listing: Listing, wire_id: str
    ) -> Placed:
        """order.amend."""
        body = self._which(order, listing, wire_id)
        if change.price is not None:
            body["price"] = format(change.price, "f")
        if change.volume is not None:
            body["qty"] = format(change.volume, "f")
        ids = await self.command("order.amend", body, "amend")
        return Placed(ids.order_id)

    async def cancel(self, order: VenueOrder, listing: Listing, wire_id: str) -> Placed:
        """order.cancel."""
        body = self._which(order, listing, wire_id)
        if self.category == "spot" and order.type in (OrderType.STOP, OrderType.STOP_LIMIT):
            body["orderFilter"] = "StopOrder"  # spot keeps them apart until they are triggered
        ids = await self.command("order.cancel", body, "cancel")
        return Placed(ids.order_id)

    async def cancel_every(self, listing: Listing | None) -> bool:
        """cancel-all of a symbol, or of the category."""
        body: dict[str, object] = {"category": self.category}
        if listing is not None:
            body["symbol"] = listing.wire
        elif self.category == "linear":
            body["settleCoin"] = "USDT"
        await self.order_call("/v5/order/cancel-all", body, dict[str, Any], "cancel")
        return True

    async def query(
        self, listing: Listing, wire_id: str, venue_order_id: str
    ) -> tuple[VenueOrder, Sequence[VenueFill]]:
        """Looks among the open orders, the newest closed ones, and the history, in this order."""
        which = self._which_params(listing, wire_id, venue_order_id)
        for path, more in (
            ("/v5/order/realtime", {"openOnly": "0"}),
            ("/v5/order/realtime", {"openOnly": "1"}),
            ("/v5/order/history", {}),
        ):
            rows = (await self.ask(path, {**which, **more}, frames.Page[frames.Order])).rows
            if rows:
                break
        else:
            raise NoSuchOrder("", "Bybit has no such order")
        order = order_of(self.venue, self.context.account, listing, rows[0])
        fills: list[VenueFill] = []
        if order.filled:
            params = {"category": self.category, "orderId": order.venue_order_id, "limit": "100"}
            fills = await self._executions(params)
        return order, fills

    async def open_orders(self) -> list[VenueOrder]:
        """Of all symbols of the category."""
        params = {"category": self.category, "openOnly": "0", "limit": "50"}
        if self.category == "linear":
            params["settleCoin"] = "USDT"
        rows = await self.pages("/v5/order/realtime", params, frames.Order)
        wire, account = self.context.listings.wire, self.context.account
        return [
            order_of(self.venue, account, wire[row.symbol], row)
            for row in rows
            if row.symbol in wire
        ]

    async def fills(self, since_ns: int, listings: Sequence[Listing]) -> list[VenueFill]:
        """Executions of all symbols, week by week."""
        found: list[VenueFill] = []
        now = self.context.clock.now_ms()
        at = max(since_ns // MS, now - 52 * _WEEK_MS)
        while at <= now:
            end = min(at + _WEEK_MS, now + 1_000)
            span = {"startTime": str(at), "endTime": str(end)}
            found += await self._executions({"category": self.category, "limit": "100", **span})
            at = end + 1
        return sorted(found, key=lambda fill: fill.venue_ns)

    async def positions(self) -> list[VenuePosition]:
        """Open positions; spot has none."""
        if self.category == "spot":
            return []
        params = {"category": self.category, "settleCoin": "USDT", "limit": "200"}
        rows = await self.pages("/v5/position/list", params, frames.Position)
        wire, account = self.context.listings.wire, self.context.account
        known = [row for row in rows if row.symbol in wire]
        made = [position_of(self.venue, account, wire[row.symbol], row) for row in known]
        return [each for each in made if each.volume]

    async def balances(self) -> list[VenueBalance]:
        """The unified account."""
        page = await self.ask(
            "/v5/account/wallet-balance", {"accountType": "UNIFIED"}, frames.Page[frames.Wallet]
        )
        now, account = self.context.clock.now_ns(), self.context.account
        rows = [balance_of(self.venue, account, c, now) for each in page.rows for c in each.coin]
        return [row for row in rows if row.total]

    async def cancel_on_disconnect(self, after_s: int | None) -> float | None:
        """Bybit watches our private socket: nothing has to be sent again. Raises Unsupported."""
        topic = str(self.profile.quirks["dead_man_topic"])
        if after_s is None:
            # Off is: no private socket of ours carries the topic that arms it.
            self._dead_man = False
            if self._private is not None and self._private.up.is_set():
                await self._private.send(f'{{"op":"unsubscribe","args":["{topic}"]}}')
            return None
        if not 3 <= after_s <= 300:
            raise Unsupported("Bybit cancels after 3 to 300 seconds without a connection")
        body = {"product": self.profile.quirks["dead_man_product"], "timeWindow": after_s}
        await self.order_call("/v5/order/disconnected-cancel-all", body, dict[str, Any], "cancel")
        self._dead_man = True
        if self._private is not None and self._private.up.is_set():
            await self.subscribe_private(self._private, [topic])
        return None

    # -- inside ----------------------------------------------------------------------------------

    def _which(self, order: VenueOrder, listing: Listing, wire_id: str) -> dict[str, object]:
        found = self._which_params(listing, wire_id, order.venue_order_id)
        return dict(found)

    def _which_params(self, listing: Listing, wire_id: str, venue_order_id: str) -> dict[str, str]:
        which = {"orderId": venue_order_id} if venue_order_id else {"orderLinkId": wire_id}
        return {"category": self.category, "symbol": listing.wire, **which}

    async def _executions(self, params: dict[str, str]) -> list[VenueFill]:
        rows = await self.pages("/v5/execution/list", params, frames.Execution)
        wire, now = self.context.listings.wire, time.time_ns()
        made = [
            fill_of(self.venue, self.context.account, wire[row.symbol], row, now)
            for row in rows
            if row.symbol in wire
        ]
        return [each for each in made if each is not None]


class BybitLinear(BybitSpot):
    """Linear perpetuals settled in USDT."""

    profile: ClassVar[Profile] = profile.LINEAR
