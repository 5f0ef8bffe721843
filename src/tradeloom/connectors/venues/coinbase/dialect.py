"""Coinbase spot: the account half on top of the prices."""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from tradeloom.connectors.contract import (
    Amendment,
    OrderRequest,
    Unsupported,
    VenueBalance,
    VenueFill,
    VenueOrder,
)
from tradeloom.connectors.dialect import AccountOut, Context, NoSuchOrder, OddFrame, Placed
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.limits import CLOSED_KEPT, LOGIN_TIMEOUT_S
from tradeloom.connectors.link import Link, LinkPlan, LoginRefused
from tradeloom.connectors.stamps import rfc3339_ns, rfc3339_text
from tradeloom.connectors.venues.coinbase import errors, frames, orders
from tradeloom.connectors.venues.coinbase.market import CoinbaseMarket

# Orders are asked for by our id among those of so long; the list has no filter for it.
_LOOK_BACK_NS: Final = 24 * 3_600 * 10**9
_PAGE: Final = 250
_PAGES_MAX: Final = 40
# Executions appear a little after the order's own figures.
_FILLS_AGAIN_S: Final = 0.25
_FILLS_TRIES: Final = 20

_envelope = msgspec.json.Decoder(frames.Envelope).decode
_user_events = msgspec.json.Decoder(list[frames.UserEvent]).decode


class Coinbase(CoinbaseMarket):
    """Orders and queries by REST, news of orders over the user socket."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._user_sequence = -1
        # Orders whose executions are to be fetched: what the stream told was filled, and tries.
        self._unread: dict[str, tuple[Decimal, int]] = {}
        self._read: OrderedDict[str, Decimal] = OrderedDict()
        self._news = asyncio.Event()
        self._out: AccountOut | None = None

    # -- the private stream ----------------------------------------------------------------------

    def private_links(self) -> list[LinkPlan]:
        """The user socket."""
        quirks = self.profile.quirks
        return [
            LinkPlan(
                name=f"{self.venue} user",
                url=self.context.urls["user"],
                silence_s=float(str(quirks["silence_s"])),
                frames_per_s=int(str(quirks["frames_per_s"])),
            )
        ]

    async def open_private(self, link: Link) -> None:
        """Subscribe; each message has a token of its own. Keys are proved by REST first, as the
        socket only says `authentication failure`."""
        await self.signed("GET", "/accounts", {"limit": "1"}, frames.Accounts)
        self._user_sequence = -1
        wanted = {"type": "subscribe", "channel": "user", "jwt": self.token()}
        frame = _envelope(await link.request("user", json.dumps(wanted), LOGIN_TIMEOUT_S))
        if frame.type == "error":
            raise LoginRefused(f"Coinbase does not open the account's stream: {frame.message[:80]}")
        heartbeats = {"type": "subscribe", "channel": "heartbeats", "jwt": self.token()}
        await link.send(json.dumps(heartbeats))

    def private_frame(self, data: str | bytes, recv_ns: int, out: AccountOut, link: Link) -> None:
        """Orders, or the proof that we are subscribed."""
        self._out = out
        frame = _envelope(data)
        if frame.type == "error":
            if not link.answer("user", data):
                raise OddFrame("error on the user socket")
            return
        if not self._in_user_sequence(frame.sequence_num, out):
            return
        if frame.channel == "user":
            for event in _user_events(frame.events):
                for row in event.orders:
                    self._order_news(row, rfc3339_ns(frame.timestamp), out)
        elif frame.channel == "subscriptions":
            if b'"user"' not in bytes(frame.events) or not link.answer("user", data):
                out.ignored("subscriptions")
        elif frame.channel == "heartbeats":
            out.ignored("heartbeats")
        else:
            raise OddFrame(f"private channel {frame.channel[:32]}")

    def _in_user_sequence(self, number: int, out: AccountOut) -> bool:
        last = self._user_sequence
        if number <= last:
            out.ignored("doubled or late frame")
            return False
        self._user_sequence = number
        if last >= 0 and number != last + 1:
            out.reconcile(f"account frames {last + 1} to {number - 1} are lost")
        return True

    def _order_news(self, row: frames.UserOrder, venue_ns: int, out: AccountOut) -> None:
        listing = self.context.listings.wire.get(row.product_id)
        if listing is None:
            out.ignored("order of a product that is not listed")
            return
        if row.status not in orders.STATES or not row.order_side:
            out.reconcile("an order in a state we do not know")
            return
        order = orders.from_user(self.venue, self.context.account, listing, row, venue_ns)
        out.order(order)
        if order.filled > self._read.get(order.venue_order_id, Decimal(0)):
            self._unread[order.venue_order_id] = order.filled, 0
            self._news.set()

    async def keep_private(self) -> float:
        """Fetch the executions that the stream only adds up."""
        await self._news.wait()
        for order_id in list(self._unread):
            await self._read_fills(order_id)
        if self._unread:  # the event stays set: come back soon
            return _FILLS_AGAIN_S
        self._news.clear()
        return 0.0

    async def _read_fills(self, order_id: str) -> None:
        fills = await self._fills_of(order_id)
        if self._out is not None:
            for fill in fills:
                self._out.fill(fill)
        read = sum((fill.volume for fill in fills), Decimal(0))
        self._read[order_id] = read
        self._read.move_to_end(order_id)
        if len(self._read) > CLOSED_KEPT:
            self._read.popitem(last=False)
        filled, tries = self._unread[order_id]
        if read >= filled or tries >= _FILLS_TRIES:
            del self._unread[order_id]
        else:
            self._unread[order_id] = filled, tries + 1

    # -- orders ----------------------------------------------------------------------------------

    def wire_id(self, client_id: str) -> str:
        """A UUID."""
        return orders.wire_id(client_id)

    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """orders; refusals come under HTTP 200."""
        body = {
            "client_order_id": wire_id,
            "product_id": listing.wire,
            "side": request.side.name,
            "order_configuration": orders.configuration(request),
        }
        answer = await self.signed("POST", "/orders", {}, frames.PlaceAnswer, body)
        if not answer.success or answer.success_response is None:
            errors.refuse_order(answer.error_response or frames.PlaceError())
        return Placed(answer.success_response.order_id)

    async def amend(
        self, change: Amendment, order: VenueOrder, listing: Listing, wire_id: str
    ) -> Placed:
        """orders/edit wants both price and size."""
        price = change.price if change.price is not None else order.price
        if price is None:
            raise Unsupported("Coinbase changes limit orders only: cancel, and place a new order")
        volume = change.volume if change.volume is not None else order.volume
        order_id = order.venue_order_id or await self._id_of(listing, wire_id)
        body = {"order_id": order_id, "price": orders.text(price), "size": orders.text(volume)}
        answer = await self.signed("POST", "/orders/edit", {}, frames.EditAnswer, body)
        if not answer.success:
            told = answer.errors if isinstance(answer.errors, list) else [answer.errors]
            first = told[0] if told else frames.EditError()
            errors.refuse_order(
                frames.PlaceError(
                    error=first.edit_failure_reason,
                    preview_failure_reason=first.preview_failure_reason,
                )
            )
        changed = msgspec.structs.replace(order, client_id=wire_id, price=price, volume=volume)
        return Placed(order_id, changed)

    async def cancel(self, order: VenueOrder, listing: Listing, wire_id: str) -> Placed:
        """orders/batch_cancel of one."""
        order_id = order.venue_order_id or await self._id_of(listing, wire_id)
        for result in await self._cancel([order_id]):
            if not result.success and result.failure_reason != "DUPLICATE_CANCEL_REQUEST":
                errors.refuse_reason(result.failure_reason)
        return Placed(order_id)

    async def cancel_every(self, listing: Listing | None) -> bool:
        """batch_cancel of what is open."""
        wire = listing.wire if listing else ""
        working = [each.order_id for each in await self._open(wire)]
        size = int(str(self.profile.quirks["cancels_per_call_max"]))
        for at in range(0, len(working), size):
            await self._cancel(working[at : at + size])
        return True

    async def _cancel(self, ids: Sequence[str]) -> list[frames.CancelResult]:
        body = {"order_ids": list(ids)}
        answer = await self.signed("POST", "/orders/batch_cancel", {}, frames.CancelAnswer, body)
        return answer.results

    # -- queries ---------------------------------------------------------------------------------

    async def query(
        self, listing: Listing, wire_id: str, venue_order_id: str
    ) -> tuple[VenueOrder, Sequence[VenueFill]]:
        """By Coinbase's id; by ours among the orders of a day."""
        order_id = venue_order_id or await self._id_of(listing, wire_id)
        path = f"/orders/historical/{order_id}"
        row = (await self.signed("GET", path, {}, frames.OneOrder)).order
        order = orders.from_rest(self.venue, self.context.account, listing, row)
        return order, await self._fills_of(order_id) if order.filled else []

    async def _id_of(self, listing: Listing, wire_id: str) -> str:
        since = rfc3339_text(self.context.clock.now_ns() - _LOOK_BACK_NS)
        params = {"product_ids": listing.wire, "start_date": since}
        for row in await self._open(listing.wire) + await self._orders(params):
            if row.client_order_id == wire_id:
                return row.order_id
        raise NoSuchOrder("ORDER_NOT_FOUND", "Coinbase has no such order")

    async def open_orders(self) -> list[VenueOrder]:
        """Everything that works."""
        wire, account = self.context.listings.wire, self.context.account
        return [
            orders.from_rest(self.venue, account, wire[row.product_id], row)
            for row in await self._open("")
            if row.product_id in wire
        ]

    async def _open(self, wire: str) -> list[frames.Order]:
        params = {"order_status": "OPEN"}
        return await self._orders(params | ({"product_ids": wire} if wire else {}))

    async def _orders(self, params: dict[str, str]) -> list[frames.Order]:
        found: list[frames.Order] = []
        params = {**params, "limit": str(_PAGE)}
        for _ in range(_PAGES_MAX):
            page = await self.signed("GET", "/orders/historical/batch", params, frames.Orders)
            found += page.orders
            if not page.has_next or not page.cursor:
                break
            params["cursor"] = page.cursor
        return found

    async def fills(self, since_ns: int, listings: Sequence[Listing]) -> list[VenueFill]:
        """Executions of all products."""
        params = {"start_sequence_timestamp": rfc3339_text(max(since_ns, 0))}
        found = [fill for fill in await self._fills(params) if fill.venue_ns >= since_ns]
        return sorted(found, key=lambda fill: fill.venue_ns)

    async def _fills_of(self, order_id: str) -> list[VenueFill]:
        # Filtered here, too: the filter's name has changed once at Coinbase already.
        found = await self._fills({"order_ids": order_id})
        return [fill for fill in found if fill.venue_order_id == order_id]

    async def _fills(self, params: dict[str, str]) -> list[VenueFill]:
        rows: list[frames.Fill] = []
        params = {**params, "limit": str(_PAGE)}
        for _ in range(_PAGES_MAX):
            page = await self.signed("GET", "/orders/historical/fills", params, frames.Fills)
            rows += page.fills
            if not page.cursor or not page.fills:
                break
            params["cursor"] = page.cursor
        wire, account, now = self.context.listings.wire, self.context.account, time.time_ns()
        return [
            orders.fill_of(self.venue, account, wire[row.product_id], row, now)
            for row in rows
            if row.product_id in wire and row.trade_type == "FILL"
        ]

    async def balances(self) -> list[VenueBalance]:
        """Wallets, page by page."""
        found: list[VenueBalance] = []
        params = {"limit": str(_PAGE)}
        for _ in range(_PAGES_MAX):
            page = await self.signed("GET", "/accounts", params, frames.Accounts)
            now = time.time_ns()
            for row in page.accounts:
                free, held = row.available_balance.value, row.hold.value
                if free or held:
                    found.append(
                        VenueBalance(
                            venue=self.venue,
                            account=self.context.account,
                            currency=row.currency,
                            total=free + held,
                            free=free,
                            venue_ns=now,
                        )
                    )
            if not page.has_next or not page.cursor:
                break
            params["cursor"] = page.cursor
        return found
