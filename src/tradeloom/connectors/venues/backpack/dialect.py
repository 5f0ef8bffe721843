"""Backpack Exchange: the account half, and what is asked by REST."""

from __future__ import annotations

import json
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
from tradeloom.connectors.profile import Need, Profile
from tradeloom.connectors.rest import NoAnswer
from tradeloom.connectors.scaling import exact_points, exact_sizes
from tradeloom.connectors.venues.backpack import frames as f
from tradeloom.connectors.venues.backpack import orders
from tradeloom.connectors.venues.backpack.errors import ClockOff, refuse
from tradeloom.connectors.venues.backpack.market import US, BackpackMarket, any_frame, levels
from tradeloom.connectors.venues.backpack.profile import (
    BARS_PER_CALL,
    PAGE_ROWS,
    PROFILE,
    SUBSCRIBE_WAIT_S,
    VENUE,
    WINDOW_MS,
)
from tradeloom.connectors.venues.backpack.signing import Signer
from tradeloom.domain.market import BookDelta, HistoricBar, VenueInstrument

T = TypeVar("T")

_COST: Final = {"requests": 1.0}
_MS: Final = 1_000_000
_INTERVALS: Final = {
    60: "1m", 180: "3m", 300: "5m", 900: "15m", 1_800: "30m", 3_600: "1h", 7_200: "2h",
    14_400: "4h", 21_600: "6h", 28_800: "8h", 43_200: "12h", 86_400: "1d",
}  # fmt: skip
_STREAMS: Final = ("account.orderUpdate", "account.positionUpdate")
_BALANCES: Final = ("account.balanceUpdate",)


class Backpack(BackpackMarket):
    """Orders by REST, account news over a signed subscription."""

    profile: ClassVar[Profile] = PROFILE
    book_rule: ClassVar[BookRule] = BookRule(rest_snapshot=True)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._signer: Signer | None = None

    # -- public queries --------------------------------------------------------------------------

    async def load_instruments(self) -> list[VenueInstrument]:
        """Spot markets and perpetuals."""
        rows = await self._get("/api/v1/markets", {}, list[f.Market])
        made = [orders.instrument_of(row) for row in rows]
        return [each for each in made if each is not None]

    async def fetch_book(self, listing: Listing, depth: int) -> BookDelta:
        """The book by REST; its lists ascend."""
        book = await self._get("/api/v1/depth", {"symbol": listing.wire}, f.Snapshot)
        bids = tuple(sorted(levels(book.bids, listing.scale), reverse=True))
        asks = tuple(sorted(levels(book.asks, listing.scale)))
        return BookDelta(
            VENUE,
            listing.symbol,
            listing.digits,
            True,
            bids[: depth or None],
            asks[: depth or None],
            book.timestamp * US,
            time.time_ns(),
            book.last_update_id,
            book.last_update_id,
        )

    async def fetch_bars(
        self, listing: Listing, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """Klines, page by page; spans without trades have no prices and are left out."""
        interval = _INTERVALS.get(interval_s)
        if interval is None:
            have = ", ".join(str(each) for each in _INTERVALS)
            raise Unsupported(f"Backpack has bars of {have} seconds")
        bars: list[HistoricBar] = []
        now = self.context.clock.now_ns()
        at, end = since_ns // 10**9, min(until_ns, now) // 10**9
        while at < end:
            page_end = min(end, at + BARS_PER_CALL * interval_s)
            params = {
                "symbol": listing.wire,
                "interval": interval,
                "startTime": str(at),
                "endTime": str(page_end),
            }
            for row in await self._get("/api/v1/klines", params, list[f.Kline]):
                bar = _bar(row, listing)
                if bar is None or not since_ns <= bar.start_ns <= now - interval_s * 10**9:
                    continue
                if bar.start_ns < until_ns and not (bars and bars[-1].start_ns >= bar.start_ns):
                    bars.append(bar)
            at = page_end
        return bars

    async def server_time(self) -> tuple[int, int, int]:
        """The clock in milliseconds, as text."""
        before = time.time_ns()
        told = await self._get("/api/v1/time", {}, int)
        return before, told * _MS, time.time_ns()

    async def maintenance(self) -> str:
        """The venue's own status."""
        status = await self._get("/api/v1/status", {}, f.Status)
        return "" if status.status == "Ok" else (status.message or status.status)

    # -- account ---------------------------------------------------------------------------------

    def private_links(self) -> list[LinkPlan]:
        """One socket for account news."""
        return [self.plan("account")]

    async def open_private(self, link: Link) -> None:
        """Check the key, then subscribe: the venue acknowledges a subscription or says nothing."""
        await self.balances()
        await self._subscribe_private(link, _STREAMS, needed=True)
        await self._subscribe_private(link, _BALANCES, needed=False)

    async def _subscribe_private(self, link: Link, streams: Sequence[str], *, needed: bool) -> None:
        self._ids += 1
        at_ms = self.context.clock.now_ms()
        signer = self._signing()
        frame = {
            "method": "SUBSCRIBE",
            "params": list(streams),
            "id": self._ids,
            "signature": [
                signer.key,
                signer.sign("subscribe", {}, at_ms, WINDOW_MS),
                str(at_ms),
                str(WINDOW_MS),
            ],
        }
        try:
            answer = any_frame(await link.request("subscribe", json.dumps(frame), SUBSCRIBE_WAIT_S))
        except NoAnswer:
            return  # the documented behaviour: silence is consent
        if answer.error is not None and needed:
            told = f"{answer.error.code} {answer.error.message}"
            raise LoginRefused(
                f"Backpack refused the account's streams ({told}): give the key the right to read"
            )

    def private_frame(self, data: str | bytes, recv_ns: int, out: AccountOut, link: Link) -> None:
        """News of orders, positions and money, or what became of a subscription."""
        frame = any_frame(data)
        if frame.stream.startswith("account.orderUpdate"):
            self._order_update(bytes(frame.data), recv_ns, out)
        elif frame.stream.startswith("account.positionUpdate"):
            self._position_update(bytes(frame.data), recv_ns, out)
        elif frame.stream.startswith("account.balanceUpdate"):
            row = _read(bytes(frame.data), f.BalanceUpdate)
            money = f.Capital(row.A, row.L, row.S)
            out.balance(orders.balance_of(self.context.account, row.a, money, row.E * US))
        elif frame.stream:
            out.ignored("another stream")
        elif frame.error is not None or frame.id is not None:
            if not link.answer("subscribe", data):
                out.ignored("error" if frame.error is not None else "answer")
        else:
            raise OddFrame("unknown private frame")

    def _order_update(self, data: bytes, recv_ns: int, out: AccountOut) -> None:
        row = _read(data, f.OrderUpdate)
        listing = self.context.listings.wire[row.s]
        out.order(orders.from_update(self.context.account, listing, row))
        if row.e == "orderFill":
            out.fill(orders.fill_of_update(self.context.account, listing, row, recv_ns))

    def _position_update(self, data: bytes, recv_ns: int, out: AccountOut) -> None:
        # A snapshot may hold several rows, an event holds one.
        kind: Any = list[f.PositionUpdate] if data.startswith(b"[") else f.PositionUpdate
        read = _read(data, kind)
        for row in read if isinstance(read, list) else [read]:
            listing = self.context.listings.wire[row.s]
            volume = Decimal(0) if row.e == "positionClosed" else row.q
            account, at_ns = self.context.account, row.T * US or recv_ns
            out.position(orders.position_of(account, listing, volume, row.B, row.P, at_ns))

    def wire_id(self, client_id: str) -> str:
        """The venue takes 32-bit numbers."""
        return orders.wire_id(client_id)

    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """orderExecute."""
        params = orders.terms(request, listing, wire_id)
        reply = await self._signed("POST", "/api/v1/order", "orderExecute", params, f.Order)
        return self._placed(reply, listing)

    async def amend(
        self, change: Amendment, order: VenueOrder, listing: Listing, wire_id: str
    ) -> Placed:
        """There is none."""
        raise Unsupported("Backpack cannot change an order: cancel it, and place a new one")

    async def cancel(self, order: VenueOrder, listing: Listing, wire_id: str) -> Placed:
        """orderCancel; the venue may accept it before it is done."""
        params: dict[str, Any] = {"symbol": listing.wire}
        if order.venue_order_id:
            params["orderId"] = order.venue_order_id
        else:
            params["clientId"] = int(wire_id)
        reply = await self._signed("DELETE", "/api/v1/order", "orderCancel", params, f.Order | None)
        return self._placed(reply, listing) if reply is not None else Placed()

    async def cancel_every(self, listing: Listing | None) -> bool:
        """One call for one symbol; there is none for all."""
        if listing is None:
            return False
        params = {"symbol": listing.wire}
        await self._signed("DELETE", "/api/v1/orders", "orderCancelAll", params, msgspec.Raw)
        return True

    async def query(
        self, listing: Listing, wire_id: str, venue_order_id: str
    ) -> tuple[VenueOrder, Sequence[VenueFill]]:
        """An open order, else one of the history; and its executions."""
        params: dict[str, Any] = {"symbol": listing.wire}
        if venue_order_id:
            params["orderId"] = venue_order_id
        else:
            params["clientId"] = wire_id
        try:
            row = await self._signed("GET", "/api/v1/order", "orderQuery", params, f.Order)
        except NoSuchOrder:
            row = await self._finished(listing, wire_id, venue_order_id)
        fills: list[VenueFill] = []
        if row.executed_quantity:
            fills = await self._history({"orderId": row.id, "symbol": listing.wire})
        return orders.from_reply(self.context.account, listing, row), fills

    async def _finished(self, listing: Listing, wire_id: str, venue_order_id: str) -> f.Order:
        params: dict[str, Any] = {"symbol": listing.wire, "limit": PAGE_ROWS}
        if venue_order_id:
            params["orderId"] = venue_order_id
        rows: list[f.Order] = await self._signed(
            "GET", "/wapi/v1/history/orders", "orderHistoryQueryAll", params, list[f.Order]
        )
        for row in rows:
            if row.id == venue_order_id or (
                not venue_order_id and row.client_id is not None and str(row.client_id) == wire_id
            ):
                return row
        raise NoSuchOrder("RESOURCE_NOT_FOUND", "neither open nor in the history")

    async def open_orders(self) -> list[VenueOrder]:
        """Of every market, spot and perpetual."""
        rows = await self._signed("GET", "/api/v1/orders", "orderQueryAll", {}, list[f.Order])
        wire, account = self.context.listings.wire, self.context.account
        return [
            orders.from_reply(account, wire[row.symbol], row) for row in rows if row.symbol in wire
        ]

    async def fills(self, since_ns: int, listings: Sequence[Listing]) -> list[VenueFill]:
        """Executions of every market."""
        end_ms = self.context.clock.now_ms() + 60_000
        return await self._history({"from": max(since_ns // _MS, 0), "to": end_ms})

    async def positions(self) -> list[VenuePosition]:
        """Open positions."""
        try:
            rows = await self._signed(
                "GET", "/api/v1/position", "positionQuery", {}, list[f.Position]
            )
        except NoSuchOrder:
            return []  # the venue's word for none
        wire, account, now = self.context.listings.wire, self.context.account, time.time_ns()
        return [
            orders.position_of(
                account,
                wire[row.symbol],
                row.net_quantity,
                row.entry_price,
                row.pnl_unrealized,
                now,
            )
            for row in rows
            if row.symbol in wire and row.net_quantity
        ]

    async def balances(self) -> list[VenueBalance]:
        """Money that is not zero."""
        rows = await self._signed(
            "GET", "/api/v1/capital", "balanceQuery", {}, dict[str, f.Capital]
        )
        account, now = self.context.account, time.time_ns()
        made = [orders.balance_of(account, name, row, now) for name, row in rows.items()]
        return [each for each in made if each.total]

    # -- calls -----------------------------------------------------------------------------------

    async def _history(self, params: dict[str, Any]) -> list[VenueFill]:
        """fillHistoryQueryAll, page by page, oldest first."""
        wire, account = self.context.listings.wire, self.context.account
        found: list[VenueFill] = []
        offset = 0
        while True:
            page = {**params, "limit": PAGE_ROWS, "offset": offset}
            rows = await self._signed(
                "GET", "/wapi/v1/history/fills", "fillHistoryQueryAll", page, list[f.Fill]
            )
            now = time.time_ns()
            found += [
                orders.fill_of(account, wire[row.symbol], row, now)
                for row in rows
                if row.symbol in wire
            ]
            if len(rows) < PAGE_ROWS:
                return sorted(found, key=lambda fill: fill.venue_ns)
            offset += len(rows)

    async def _get(self, path: str, params: Mapping[str, str], kind: type[T]) -> T:
        query = f"?{urlencode(params)}" if params else ""
        url = f"{self.context.urls['rest']}{path}{query}"
        reply = await self.context.rest.call("GET", url, costs=_COST)
        if reply.status != 200:
            found = refuse(reply, self.context.rest.budgets)
            raise found if isinstance(found, (Refusal, NoAnswer)) else VenueUnavailable(str(found))
        answer: T = _read(reply.body, kind)
        return answer

    async def _signed(
        self, method: str, path: str, instruction: str, params: Mapping[str, Any], kind: Any
    ) -> Any:
        """A signed call. A refused time has changed nothing: look at the clock, once more."""
        try:
            return await self._signed_once(method, path, instruction, params, kind)
        except ClockOff:
            self.context.clock.sample(*await self.server_time())
            return await self._signed_once(method, path, instruction, params, kind)

    async def _signed_once(
        self, method: str, path: str, instruction: str, params: Mapping[str, Any], kind: Any
    ) -> Any:
        at_ms = self.context.clock.now_ms()
        headers = self._signing().headers(instruction, params, at_ms, WINDOW_MS)
        url, body = f"{self.context.urls['rest']}{path}", None
        if method == "GET":
            url += f"?{urlencode(params)}" if params else ""
        else:
            headers["Content-Type"] = "application/json"
            body = json.dumps(params).encode()
        order = method != "GET"
        reply = await self.context.rest.call(
            method, url, headers=headers, body=body, costs=_COST,
            timeout_s=ORDER_TIMEOUT_S if order else QUERY_TIMEOUT_S,
        )  # fmt: skip
        if reply.status == 202:
            return None
        if reply.status != 200:
            raise refuse(reply, self.context.rest.budgets)
        return _read(reply.body, kind)

    def _signing(self) -> Signer:
        if self._signer is None:
            keys = self.context.credentials
            if keys is None:
                raise LoginRefused("no key in the vault for Backpack; add one")
            self._signer = Signer(keys[Need.KEY], keys[Need.SECRET])
        return self._signer

    def _placed(self, row: f.Order, listing: Listing) -> Placed:
        # A filled order's executions come over the stream, or by reconciling.
        return Placed(row.id, orders.from_reply(self.context.account, listing, row))


def _bar(row: f.Kline, listing: Listing) -> HistoricBar | None:
    if row.open is None or row.high is None or row.low is None or row.close is None:
        return None
    digits = listing.digits
    return HistoricBar(
        orders.utc_ns(row.start),
        exact_points(row.open, digits),
        exact_points(row.high, digits),
        exact_points(row.low, digits),
        exact_points(row.close, digits),
        exact_sizes(row.volume),
    )


def _read(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.DecodeError as error:
        raise NoAnswer(f"Backpack: an answer cannot be read ({error})") from None
