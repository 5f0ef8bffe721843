"""OKX: spot and perpetual swaps of one trading account."""

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
    VenueUnavailable,
)
from tradeloom.connectors.dialect import AccountOut, Context, NoSuchOrder, OddFrame, Placed
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.profile import Profile
from tradeloom.connectors.scaling import exact_points, exact_sizes
from tradeloom.connectors.venues.okx import frames, profile
from tradeloom.connectors.venues.okx.calls import OkxCalls
from tradeloom.connectors.venues.okx.listing import instrument_of
from tradeloom.connectors.venues.okx.market import OkxMarket, levels, ping
from tradeloom.connectors.venues.okx.orders import (
    MS,
    balance_of,
    client_text,
    fill_of,
    fill_of_order,
    order_of,
    position_of,
    terms,
)
from tradeloom.domain.market import BookDelta, HistoricBar, VenueInstrument

_INTERVALS: Final = {
    1: "1s", 60: "1m", 180: "3m", 300: "5m", 900: "15m", 1_800: "30m", 3_600: "1H", 7_200: "2H",
    14_400: "4H", 21_600: "6Hutc", 43_200: "12Hutc", 86_400: "1Dutc",
}  # fmt: skip
# `/trade/fills` reaches three days back; older ones are in its history.
_RECENT_NS: Final = 70 * 3_600 * 10**9
_BATCH: Final = 20

_envelope = msgspec.json.Decoder(frames.Envelope).decode
_orders = msgspec.json.Decoder(frames.Data[frames.Order]).decode
_accounts = msgspec.json.Decoder(frames.Data[frames.Account]).decode
_positions = msgspec.json.Decoder(frames.Data[frames.Position]).decode


class OkxSpot(OkxMarket, OkxCalls):
    """Spot; what swaps do otherwise is asked of `kind`."""

    profile: ClassVar[Profile] = profile.SPOT

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.kind: Final = str(self.profile.quirks["inst_type"])
        self._hedged = False

    # -- market ----------------------------------------------------------------------------------

    async def load_instruments(self) -> list[VenueInstrument]:
        """/public/instruments of the kind."""
        rows = await self.get("/public/instruments", {"instType": self.kind}, frames.Instrument)
        made = (instrument_of(self.venue, row) for row in rows)
        return [each for each in made if each is not None]

    async def fetch_book(self, listing: Listing, depth: int) -> BookDelta:
        """The book by REST, 400 levels at most."""
        params = {"instId": listing.wire, "sz": str(min(depth, 400) or 400)}
        rows = await self.get("/market/books", params, frames.Depth)
        if not rows:
            raise VenueUnavailable(f"{self.venue}: no book in the answer")
        book = rows[0]
        return BookDelta(
            self.venue,
            listing.symbol,
            listing.digits,
            True,
            levels(book.bids, listing.scale),
            levels(book.asks, listing.scale),
            book.ts * MS,
            time.time_ns(),
            book.seqId,
            book.seqId,
        )

    async def fetch_bars(
        self, listing: Listing, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """history-candles, newest first and page by page."""
        interval = _INTERVALS.get(interval_s)
        if interval is None:
            have = ", ".join(str(each) for each in _INTERVALS)
            raise Unsupported(f"{self.venue} has bars of {have} seconds")
        since, now = since_ns // MS, self.context.clock.now_ns()
        until = -(-until_ns // MS)
        bars: list[HistoricBar] = []
        while until > since:
            params = {
                "instId": listing.wire,
                "bar": interval,
                "after": str(until),
                "before": str(since - 1),
                "limit": "100",
            }
            rows = await self.get("/market/history-candles", params, frames.Candle)
            for row in rows:
                finished = row.confirm == "1" and row.ts * MS + interval_s * 10**9 <= now
                if finished and since <= row.ts < until:
                    four = (row.o, row.h, row.l, row.c)
                    o, h, low, c = (exact_points(each, listing.digits) for each in four)
                    bars.append(HistoricBar(row.ts * MS, o, h, low, c, exact_sizes(row.vol)))
            if len(rows) < 100:
                break
            until = rows[-1].ts
        return bars[::-1]

    # -- account ---------------------------------------------------------------------------------

    def wire_id(self, client_id: str) -> str:
        """Letters and digits only."""
        return client_text(client_id)

    def private_links(self) -> list[LinkPlan]:
        """One socket for orders and for news of the account."""
        quirks = self.profile.quirks
        return [
            LinkPlan(
                name=f"{self.venue} private",
                url=self.context.urls["private"],
                ping=ping,
                ping_s=float(str(quirks["ping_s"])),
                silence_s=float(str(quirks["silence_s"])),
                frames_per_s=100,
            )
        ]

    async def open_private(self, link: Link) -> None:
        """Log in and subscribe."""
        await self.login(link)
        channels = [{"channel": "orders", "instType": self.kind}, {"channel": "account"}]
        if self.kind == "SWAP":
            config = await self.ask("/account/config", {}, frames.Config, "account")
            self._hedged = bool(config) and config[0].pos_mode == "long_short_mode"
            channels.append({"channel": "positions", "instType": self.kind})
        await self.subscribe_private(link, channels)

    def private_frame(self, data: str | bytes, recv_ns: int, out: AccountOut, link: Link) -> None:
        """An answer, an event, or rows of a channel."""
        if data in ("pong", b"pong"):
            out.ignored("pong")
            return
        frame = _envelope(data)
        if frame.op:
            if not link.answer(frame.id, data):
                out.ignored("late answer")
        elif frame.event in ("login", "subscribe", "error"):
            if not link.answer(self._opening, data):
                out.ignored(f"{frame.event} nobody waits for")
        elif frame.event == "notice":
            out.reconnect(f"OKX is about to close this connection ({frame.code})")
        elif frame.event:
            out.ignored(frame.event)
        else:
            self._news(frame.arg.channel, data, recv_ns, out)

    def _news(self, channel: str, data: str | bytes, recv_ns: int, out: AccountOut) -> None:
        account = self.context.account
        if channel == "orders":
            for order in _orders(data).data:
                listing = self._wire.get(order.inst_id)
                if listing is None:
                    out.ignored("order of another market")
                    continue
                out.order(order_of(self.venue, account, listing, order))
                fill = fill_of_order(self.venue, account, listing, order, recv_ns)
                if fill is not None:
                    out.fill(fill)
        elif channel == "account":
            for each in _accounts(data).data:
                for row in each.details:
                    out.balance(balance_of(self.venue, account, row, recv_ns))
        elif channel == "positions":
            for position in _positions(data).data:
                listing = self._wire.get(position.inst_id)
                if listing is None:
                    out.ignored("position of another market")
                else:
                    out.position(position_of(self.venue, account, listing, position))
        else:
            raise OddFrame(f"channel {channel[:32]}")

    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """Place: an answer means that it was taken, its fate comes on the private socket."""
        mode = self.context.options.get("margin", "cross") if self.kind == "SWAP" else "cash"
        order = terms(request, listing, wire_id, mode, self._hedged)
        at = listing.instrument
        done = await self.command("order", order, at.wire_code, at.wire)
        return Placed(done.ord_id)

    async def amend(
        self, change: Amendment, order: VenueOrder, listing: Listing, wire_id: str
    ) -> Placed:
        """amend-order."""
        terms = _which(wire_id, order.venue_order_id)
        if change.price is not None:
            terms["newPx"] = format(change.price, "f")
        if change.volume is not None:
            terms["newSz"] = format(change.volume, "f")
        at = listing.instrument
        done = await self.command("amend-order", terms, at.wire_code, at.wire)
        return Placed(done.ord_id)

    async def cancel(self, order: VenueOrder, listing: Listing, wire_id: str) -> Placed:
        """cancel-order."""
        at, which = listing.instrument, _which(wire_id, order.venue_order_id)
        done = await self.command("cancel-order", which, at.wire_code, at.wire)
        return Placed(done.ord_id)

    async def cancel_every(self, listing: Listing | None) -> bool:
        """In batches of 20 of what is open at the venue."""
        params = {"instType": self.kind} | ({"instId": listing.wire} if listing else {})
        rows = await self.pages("/trade/orders-pending", params, frames.Order, "ord_id")
        for at in range(0, len(rows), _BATCH):
            batch = [{"instId": r.inst_id, "ordId": r.ord_id} for r in rows[at : at + _BATCH]]
            try:
                await self.post("/trade/cancel-batch-orders", batch, frames.Done, "cancel")
            except NoSuchOrder:
                continue  # they went by themselves
        return True

    async def query(
        self, listing: Listing, wire_id: str, venue_order_id: str
    ) -> tuple[VenueOrder, Sequence[VenueFill]]:
        """The order and, if it traded, its executions."""
        which = {"instId": listing.wire} | _which(wire_id, venue_order_id)
        rows = await self.ask("/trade/order", which, frames.Order)
        if not rows:
            raise NoSuchOrder("", "OKX has no such order")
        order = order_of(self.venue, self.context.account, listing, rows[0])
        fills: list[VenueFill] = []
        if order.filled:
            params = {"instType": self.kind, "ordId": order.venue_order_id}
            fills = await self._fills("/trade/fills", params)
        return order, fills

    async def open_orders(self) -> list[VenueOrder]:
        """Of all instruments of the kind."""
        params = {"instType": self.kind}
        rows = await self.pages("/trade/orders-pending", params, frames.Order, "ord_id")
        known = [row for row in rows if row.inst_id in self._wire]
        account = self.context.account
        return [order_of(self.venue, account, self._wire[row.inst_id], row) for row in known]

    async def fills(self, since_ns: int, listings: Sequence[Listing]) -> list[VenueFill]:
        """Executions of all instruments of the kind."""
        recent = since_ns > self.context.clock.now_ns() - _RECENT_NS
        path = "/trade/fills" if recent else "/trade/fills-history"
        params = {"instType": self.kind, "begin": str(max(since_ns // MS, 0))}
        return sorted(await self._fills(path, params), key=lambda fill: fill.venue_ns)

    async def positions(self) -> list[VenuePosition]:
        """Open positions; spot has none."""
        if self.kind == "SPOT":
            return []
        params = {"instType": self.kind}
        rows = await self.ask("/account/positions", params, frames.Position, "account")
        known = [row for row in rows if row.inst_id in self._wire]
        account = self.context.account
        made = [position_of(self.venue, account, self._wire[row.inst_id], row) for row in known]
        return [each for each in made if each.volume]

    async def balances(self) -> list[VenueBalance]:
        """The trading account."""
        rows = await self.ask("/account/balance", {}, frames.Account, "account")
        now = self.context.clock.now_ns()
        money = (row for each in rows for row in each.details)
        made = [balance_of(self.venue, self.context.account, row, now) for row in money]
        return [each for each in made if each.total]

    async def cancel_on_disconnect(self, after_s: int | None) -> float | None:
        """cancel-all-after: a countdown that is set anew while we live. Raises Unsupported."""
        least, most = self._dead_man_s()
        if after_s is not None and not least <= after_s <= most:
            raise Unsupported(f"OKX counts down from {least} to {most} seconds")
        body = {"timeOut": str(after_s or 0)}
        await self.post("/trade/cancel-all-after", body, dict[str, Any], "cancel")
        return after_s / 4 if after_s else None

    # -- inside ----------------------------------------------------------------------------------

    def _dead_man_s(self) -> tuple[int, int]:
        told: Any = self.profile.quirks["dead_man_s"]
        return int(told[0]), int(told[1])

    async def _fills(self, path: str, params: dict[str, str]) -> list[VenueFill]:
        window = "account" if path.endswith("history") else "queries"
        rows = await self.pages(path, params, frames.Fill, "bill_id", window)
        now, account = time.time_ns(), self.context.account
        known = [row for row in rows if row.inst_id in self._wire]
        return [fill_of(self.venue, account, self._wire[row.inst_id], row, now) for row in known]


class OkxSwap(OkxSpot):
    """Perpetual swaps; volumes are contracts."""

    profile: ClassVar[Profile] = profile.SWAP


def _which(wire_id: str, venue_order_id: str) -> dict[str, str]:
    return {"ordId": venue_order_id} if venue_order_id else {"clOrdId": wire_id}
