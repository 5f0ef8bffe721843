"""Binance spot."""

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
)
from tradeloom.connectors.dialect import AccountOut, BookRule, OddFrame, Placed
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.profile import Profile
from tradeloom.connectors.scaling import exact_points, exact_sizes
from tradeloom.connectors.venues.binance import frames, profile
from tradeloom.connectors.venues.binance.calls import BinanceCalls
from tradeloom.connectors.venues.binance.listing import instruments_of, windows_of
from tradeloom.connectors.venues.binance.market import SHUTDOWN, BinanceMarket, levels
from tradeloom.connectors.venues.binance.orders import (
    SPOT_TYPES,
    fill_of_report,
    fill_of_trade,
    from_reply,
    from_report,
    text,
    tif_text,
)
from tradeloom.domain.enums import OrderType, TimeInForce
from tradeloom.domain.market import BookDelta, HistoricBar, VenueInstrument

_MS: Final = 1_000_000
_TIFS: Final = frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK})
INTERVALS: Final = {
    60: "1m", 300: "5m", 900: "15m", 1_800: "30m", 3_600: "1h", 14_400: "4h", 86_400: "1d",
}  # fmt: skip

_event = msgspec.json.Decoder(frames.Event).decode
_kind = msgspec.json.Decoder(frames.Kind).decode
_report = msgspec.json.Decoder(frames.ExecutionReport).decode
_money = msgspec.json.Decoder(frames.AccountPosition).decode
_ORDER: Final = {"weight": 1.0, "orders": 1.0, "orders a day": 1.0}


class BinanceSpot(BinanceMarket, BinanceCalls):
    """Market data over combined streams; orders and account over the socket API."""

    profile: ClassVar[Profile] = profile.SPOT
    book_rule: ClassVar[BookRule] = BookRule(rest_snapshot=True)

    def weight(self, name: str) -> float:
        """What a call costs, from the profile."""
        weights: Any = self.profile.quirks["weight"]
        return float(weights[name])

    # -- market ----------------------------------------------------------------------------------

    async def load_instruments(self) -> list[VenueInstrument]:
        """exchangeInfo, with the limits it publishes."""
        info = await self.get(
            self.path("exchangeInfo"), {}, self.weight("info"), frames.ExchangeInfo
        )
        names = {
            "REQUEST_WEIGHT 60": "weight",
            "ORDERS 10": "orders",
            "ORDERS 60": "orders a minute",
            "ORDERS 86400": "orders a day",
        }
        mine = {window.name for window in self.profile.windows}
        published = [each for each in windows_of(info, names) if each.name in mine]
        self.context.rest.budgets.replace(published)
        return instruments_of(self.venue, info)

    async def fetch_book(self, listing: Listing, depth: int) -> BookDelta:
        """The book by REST: all levels for depth 0."""
        deepest = 100 if 0 < depth <= 100 else self.deepest
        cost = self.weight("book 100" if deepest == 100 else "book")
        params = {"symbol": listing.wire, "limit": str(deepest)}
        book = await self.get(self.path("depth"), params, cost, frames.DepthSnapshot)
        recv_ns = time.time_ns()
        bids, asks = levels(book.bids, listing.scale), levels(book.asks, listing.scale)
        return BookDelta(
            self.venue,
            listing.symbol,
            listing.digits,
            True,
            bids[: depth or None],
            asks[: depth or None],
            book.E * _MS,
            recv_ns,
            book.lastUpdateId,
            book.lastUpdateId,
        )

    deepest: ClassVar[int] = 5_000

    async def fetch_bars(
        self, listing: Listing, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """klines, page by page."""
        interval = INTERVALS.get(interval_s)
        if interval is None:
            have = ", ".join(str(each) for each in INTERVALS)
            raise Unsupported(f"{self.venue} has bars of {have} seconds")
        bars: list[HistoricBar] = []
        at, now = since_ns // _MS, time.time_ns()
        while at * _MS < until_ns:
            params = {
                "symbol": listing.wire,
                "interval": interval,
                "startTime": str(at),
                "endTime": str(until_ns // _MS - 1),
                "limit": "1000",
            }
            rows = await self.get(self.path("klines"), params, 2, list[list[Any]])
            for row in rows:
                start = int(row[0]) * _MS
                if start + interval_s * 10**9 <= now:
                    four = [exact_points(row[i], listing.digits) for i in range(1, 5)]
                    bars.append(
                        HistoricBar(start, four[0], four[1], four[2], four[3], exact_sizes(row[5]))
                    )
            if len(rows) < 1_000:
                break
            at = int(rows[-1][0]) + 1
        return bars

    # -- account ---------------------------------------------------------------------------------

    def private_links(self) -> list[LinkPlan]:
        """One socket for orders and for account news."""
        return [
            LinkPlan(
                name=f"{self.venue} orders",
                url=self.context.urls["ws_api"],
                silence_s=120.0,
                frames_per_s=100,
                age_max_s=float(str(self.profile.quirks["age_max_s"])),
            )
        ]

    async def open_private(self, link: Link) -> None:
        """Subscribe to the account; the signature is the log-in."""
        await self.ask_on(link, "userDataStream.subscribe.signature", {}, dict[str, Any])

    def private_frame(self, data: str | bytes, recv_ns: int, out: AccountOut, link: Link) -> None:
        """An answer, or an event of the account."""
        if isinstance(data, bytes):
            data = data.decode()
        if data.startswith('{"id":"'):
            key = data[7 : data.index('"', 7)]
            if not link.answer(key, data):
                out.ignored("late answer")
            return
        if "subscriptionId" in data[:20]:
            self._account_event(bytes(_event(data).event), recv_ns, out)
            return
        answer = msgspec.json.decode(data, type=frames.ApiReply)
        if answer.shutdown:
            out.reconnect(SHUTDOWN)
        elif not (answer.id is not None and link.answer(str(answer.id), data)):
            raise OddFrame("unknown private frame")

    def _account_event(self, event: bytes, recv_ns: int, out: AccountOut) -> None:
        kind = _kind(event).e
        if kind == "executionReport":
            self._execution(_report(event), recv_ns, out)
        elif kind == "outboundAccountPosition":
            update = _money(event)
            for row in update.B:
                out.balance(self._balance(row.a, row.f, row.l, update.u * _MS))
        elif kind == "eventStreamTerminated":
            out.reconnect("Binance ended the account stream")
        elif kind == "serverShutdown":
            out.reconnect(SHUTDOWN)
        else:
            out.ignored(kind)

    def _execution(self, report: frames.ExecutionReport, recv_ns: int, out: AccountOut) -> None:
        listing = self.context.listings.wire[report.s]
        account = self.context.account
        out.order(from_report(self.venue, account, listing, report))
        if report.x == "TRADE":
            out.fill(fill_of_report(self.venue, account, listing, report, recv_ns))

    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """order.place; the answer tells the fills."""
        reply = await self.ask(
            "order.place", self.terms(request, listing, wire_id), _ORDER, frames.OrderReply
        )
        return self._placed(reply, listing)

    def terms(self, request: OrderRequest, listing: Listing, wire_id: str) -> dict[str, str]:
        """The parameters of a new order."""
        kind = SPOT_TYPES[request.type]
        params = {
            "symbol": listing.wire,
            "side": request.side.name,
            "type": "LIMIT_MAKER" if request.post_only else kind,
            "quantity": text(request.volume),
            "newClientOrderId": wire_id,
            "newOrderRespType": "FULL",
        }
        tif = tif_text(request, _TIFS)
        if request.price is not None:
            params["price"] = text(request.price)
            if not request.post_only:
                params["timeInForce"] = tif
        if request.stop_price is not None:
            params["stopPrice"] = text(request.stop_price)
        return params

    async def amend(
        self, change: Amendment, order: VenueOrder, listing: Listing, wire_id: str
    ) -> Placed:
        """Less volume keeps the place in the queue; anything else would be a new order."""
        if change.price is not None and change.price != order.price:
            raise Unsupported("Binance spot amends the volume only: cancel, and place a new order")
        if change.volume is None or change.volume >= order.volume:
            raise Unsupported("Binance spot amends to a smaller volume only")
        params = {
            "symbol": listing.wire,
            "origClientOrderId": wire_id,
            "newClientOrderId": wire_id,
            "newQty": text(change.volume),
        }
        await self.ask("order.amend.keepPriority", params, {"weight": 4.0}, dict[str, Any])
        fresh, fills = await self.query(listing, wire_id, order.venue_order_id)
        return Placed(fresh.venue_order_id, fresh, fills)

    async def cancel(self, order: VenueOrder, listing: Listing, wire_id: str) -> Placed:
        """order.cancel."""
        params = {"symbol": listing.wire} | self._which(wire_id, order.venue_order_id)
        reply = await self.ask("order.cancel", params, {"weight": 1.0}, frames.OrderReply)
        return self._placed(reply, listing)

    async def cancel_every(self, listing: Listing | None) -> bool:
        """One call for one symbol; Binance has none for all."""
        if listing is None:
            return False
        params = {"symbol": listing.wire}
        await self.ask("openOrders.cancelAll", params, {"weight": 1.0}, list[Any])
        return True

    async def query(
        self, listing: Listing, wire_id: str, venue_order_id: str
    ) -> tuple[VenueOrder, Sequence[VenueFill]]:
        """The order and, if it traded, its executions."""
        params = {"symbol": listing.wire} | self._which(wire_id, venue_order_id)
        costs = {"weight": self.weight("order")}
        reply = await self.signed("GET", self.path("order"), params, costs, frames.OrderReply)
        order = from_reply(self.venue, self.context.account, listing, reply)
        fills: list[VenueFill] = []
        if reply.executed_qty:
            params = {"symbol": listing.wire, "orderId": str(reply.order_id)}
            fills = await self._trades(listing, params)
        return order, fills

    async def open_orders(self) -> list[VenueOrder]:
        """Of all symbols."""
        costs = {"weight": self.weight("open")}
        rows = await self.signed("GET", self.path("openOrders"), {}, costs, list[frames.OrderReply])
        wire = self.context.listings.wire
        known = [row for row in rows if row.symbol in wire]
        return [
            from_reply(self.venue, self.context.account, wire[row.symbol], row) for row in known
        ]

    async def fills(self, since_ns: int, listings: Sequence[Listing]) -> list[VenueFill]:
        """Executions, symbol by symbol as Binance wants it."""
        found: list[VenueFill] = []
        for listing in listings:
            params = {"symbol": listing.wire, "startTime": str(max(since_ns // _MS, 0))}
            found += await self._trades(listing, params)
        return sorted(found, key=lambda fill: fill.venue_ns)

    async def balances(self) -> list[VenueBalance]:
        """Free and locked money."""
        account = await self.signed(
            "GET", self.path("account"), {"omitZeroBalances": "true"}, {"weight": 20},
            frames.Account,
        )  # fmt: skip
        now = time.time_ns()
        rows = [self._balance(row.asset, row.free, row.locked, now) for row in account.balances]
        return [row for row in rows if row.total]

    # -- inside ----------------------------------------------------------------------------------

    async def _trades(self, listing: Listing, params: dict[str, str]) -> list[VenueFill]:
        """myTrades, page by page."""
        found: list[VenueFill] = []
        costs = {"weight": self.weight("trades")}
        params = params | {"limit": "1000"}
        while True:
            rows = await self.signed(
                "GET", self.path(self.trades_path), params, costs, list[frames.MyTrade]
            )
            now, account = time.time_ns(), self.context.account
            found += [fill_of_trade(self.venue, account, listing, row, now) for row in rows]
            if len(rows) < 1_000:
                return found
            params = {"symbol": listing.wire, "limit": "1000", "fromId": str(rows[-1].id + 1)}

    trades_path: ClassVar[str] = "myTrades"

    def _which(self, wire_id: str, venue_order_id: str) -> dict[str, str]:
        """Their id for orders that are not ours: an adopted order may have a strange client id."""
        return {"orderId": venue_order_id} if venue_order_id else {"origClientOrderId": wire_id}

    def _placed(self, reply: frames.OrderReply, listing: Listing) -> Placed:
        account, now = self.context.account, time.time_ns()
        order = from_reply(self.venue, account, listing, reply)
        fills = [
            VenueFill(
                venue=self.venue,
                account=account,
                trade_id=str(fill.trade_id),
                venue_order_id=order.venue_order_id,
                client_id=order.client_id,
                symbol=listing.symbol,
                side=order.side,
                price=fill.price,
                volume=fill.qty,
                fee=fill.commission,
                fee_currency=fill.commission_asset,
                maker=False if order.type is OrderType.MARKET else None,
                venue_ns=order.venue_ns,
                recv_ns=now,
            )
            for fill in reply.fills
        ]
        return Placed(order.venue_order_id, order, fills)

    def _balance(self, currency: str, free: Any, locked: Any, venue_ns: int) -> VenueBalance:
        return VenueBalance(
            venue=self.venue,
            account=self.context.account,
            currency=currency,
            total=free + locked,
            free=free,
            venue_ns=venue_ns,
        )
