"""Kraken spot: the account half on top of the prices."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from tradeloom.connectors.contract import (
    Amendment,
    OrderRequest,
    VenueBalance,
    VenueFill,
    VenueOrder,
)
from tradeloom.connectors.dialect import AccountOut, Context, NoSuchOrder, OddFrame, Placed
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.limits import CLOSED_KEPT
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.orders import OPEN
from tradeloom.connectors.stamps import rfc3339_ns
from tradeloom.connectors.venues.kraken import frames, orders
from tradeloom.connectors.venues.kraken.market import KrakenMarket
from tradeloom.domain.enums import Side

_PAGE: Final = 50  # executions of one TradesHistory
# A page costs two of the fifteen calls there are, and three seconds bring one back: a busy hour
# takes its time, but must not start over.
_HISTORY_WAIT_S: Final = 60.0
_QUERY_MAX: Final = 20  # ids of one QueryTrades
# What a change of an order costs at the pair's counter, by the order's age in seconds.
_CANCEL_COSTS: Final = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
_AMEND_COSTS: Final = ((5, 4), (10, 3), (15, 2))

_envelope = msgspec.json.Decoder(frames.Envelope).decode
_executions = msgspec.json.Decoder(list[frames.Execution]).decode
_balances = msgspec.json.Decoder(list[frames.Balance]).decode


class Kraken(KrakenMarket):
    """Orders and account news over the private socket, queries by REST."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        # By order id, the newest last: executions name only what changed.
        self._orders: OrderedDict[str, VenueOrder] = OrderedDict()
        self._born: dict[str, float] = {}
        self._traded: OrderedDict[str, None] = OrderedDict()
        self._sequences: dict[str, int] = {}

    # -- the private stream ----------------------------------------------------------------------

    def private_links(self) -> list[LinkPlan]:
        """One socket for orders and account news."""
        return [
            LinkPlan(
                name=f"{self.venue} orders",
                url=self.context.urls["private"],
                ping=self._ping,
                ping_s=20.0,
                silence_s=float(str(self.profile.quirks["silence_s"])),
                frames_per_s=60,
            )
        ]

    async def open_private(self, link: Link) -> None:
        """A token by REST, then both channels with it."""
        await self.new_token()
        self._sequences.clear()
        wanted: dict[str, Any] = {"snap_orders": True, "snap_trades": True, "order_status": True}
        await self.ask_on(link, "subscribe", {"channel": "executions", **wanted}, dict[str, Any])
        await self.ask_on(link, "subscribe", {"channel": "balances"}, dict[str, Any])

    def private_frame(self, data: str | bytes, recv_ns: int, out: AccountOut, link: Link) -> None:
        """An answer, or news of a channel."""
        frame = _envelope(data)
        if frame.method:
            if frame.method == "pong":
                out.ignored("pong")
            elif frame.req_id is None or not link.answer(str(frame.req_id), data):
                out.ignored("late answer")
        elif frame.channel == "executions":
            self._in_sequence(frame, out)
            for row in _executions(frame.data):
                self._execution(row, recv_ns, out)
        elif frame.channel == "balances":
            self._in_sequence(frame, out)
            for balance in _balances(frame.data):
                self._money(balance, recv_ns, out)
        elif frame.channel in ("heartbeat", "status"):
            out.ignored(frame.channel)
        else:
            raise OddFrame(f"private channel {frame.channel[:32]}")

    def _in_sequence(self, frame: frames.Envelope, out: AccountOut) -> None:
        last = self._sequences.get(frame.channel)
        self._sequences[frame.channel] = frame.sequence
        if frame.type == "update" and last is not None and frame.sequence > last + 1:
            out.reconcile(f"{frame.channel} skipped from {last} to {frame.sequence}")

    def _execution(self, row: frames.Execution, recv_ns: int, out: AccountOut) -> None:
        known = self._orders.get(row.order_id)
        listings = self.context.listings
        listing = listings.wire.get(row.symbol) if row.symbol else None
        if listing is None and known is not None:
            listing = listings.named.get(known.symbol)
        if listing is None or (known is None and not row.side):
            out.reconcile("news of an order that was never described")
            return
        order = orders.from_execution(known, self.venue, self.context.account, listing, row)
        if row.exec_type == "trade":
            fill = orders.fill_of(order, row, recv_ns)
            if fill is None:
                out.reconcile("a trade without its numbers")
            else:
                out.fill(fill)
                order = self._progress(order, row)
            if known is None and not order.volume:
                return  # from the snapshot of trades: the order itself is long gone
        self._remember(order)
        out.order(order)

    def _progress(self, order: VenueOrder, row: frames.Execution) -> VenueOrder:
        """What a trade adds, once, where it does not tell the whole volume traded so far."""
        if row.cum_qty is not None or row.last_qty is None or row.exec_id in self._traded:
            return order
        self._traded[row.exec_id] = None
        if len(self._traded) > CLOSED_KEPT:
            self._traded.popitem(last=False)
        return msgspec.structs.replace(order, filled=order.filled + row.last_qty)

    def _remember(self, order: VenueOrder) -> None:
        memory, key = self._orders, order.venue_order_id
        memory[key] = order
        memory.move_to_end(key)
        self._born.setdefault(key, time.monotonic())
        while len(memory) > CLOSED_KEPT:
            old, _ = memory.popitem(last=False)
            self._born.pop(old, None)

    def _money(self, row: frames.Balance, recv_ns: int, out: AccountOut) -> None:
        total = row.balance
        if row.wallets:
            total = sum((w.balance for w in row.wallets if w.type == "spot"), Decimal(0))
        elif row.wallet_type != "spot":
            out.ignored("balance of another wallet")
            return
        held = self._held(row.asset)
        venue_ns = rfc3339_ns(row.timestamp) or recv_ns
        out.balance(self._balance(row.asset, total, max(total - held, Decimal(0)), venue_ns))

    def _held(self, asset: str) -> Decimal:
        """What open orders hold of an asset: the stream tells totals only."""
        held = Decimal(0)
        named = self.context.listings.named
        for order in self._orders.values():
            listing = named.get(order.symbol)
            if order.state not in OPEN or listing is None:
                continue
            left = order.volume - order.filled
            if order.side is Side.SELL and listing.instrument.base == asset:
                held += left
            elif order.side is Side.BUY and listing.instrument.quote == asset:
                held += left * (order.price or Decimal(0))
        return held

    def _balance(self, currency: str, total: Decimal, free: Decimal, venue_ns: int) -> VenueBalance:
        return VenueBalance(
            venue=self.venue,
            account=self.context.account,
            currency=currency,
            total=total,
            free=free,
            venue_ns=venue_ns,
        )

    # -- orders ----------------------------------------------------------------------------------

    def wire_id(self, client_id: str) -> str:
        """At most 18 characters, or a UUID."""
        return orders.wire_id(client_id, int(str(self.profile.quirks["client_id_text_max"])))

    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """add_order."""
        params = orders.terms(request, listing, wire_id)
        await self.context.rest.budgets.take({self.orders_window(listing.symbol): 1.0})
        placed = await self.ask("add_order", params, frames.Placed, listing.symbol)
        return Placed(placed.order_id)

    async def amend(
        self, change: Amendment, order: VenueOrder, listing: Listing, wire_id: str
    ) -> Placed:
        """amend_order: the place in the queue is kept where that is possible."""
        params = _which(wire_id, order.venue_order_id)
        if change.volume is not None:
            params["order_qty"] = orders.number(change.volume)
        if change.price is not None:
            params["limit_price"] = orders.number(change.price)
        cost = self._cost(_AMEND_COSTS, order.venue_order_id, 1)
        await self.context.rest.budgets.take({self.orders_window(listing.symbol): cost})
        await self.ask("amend_order", params, frames.Placed, listing.symbol)
        changed = msgspec.structs.replace(
            order,
            client_id=wire_id,
            price=change.price if change.price is not None else order.price,
            volume=change.volume if change.volume is not None else order.volume,
        )
        return Placed(order.venue_order_id, changed)

    async def cancel(self, order: VenueOrder, listing: Listing, wire_id: str) -> Placed:
        """cancel_order."""
        which = {name: [value] for name, value in _which(wire_id, order.venue_order_id).items()}
        self.charge(listing.symbol, self._cost(_CANCEL_COSTS, order.venue_order_id, 0))
        await self.ask("cancel_order", which, dict[str, Any], listing.symbol)
        return Placed(order.venue_order_id)

    async def cancel_every(self, listing: Listing | None) -> bool:
        """cancel_all takes no pair."""
        if listing is not None:
            return False
        await self.ask("cancel_all", {}, dict[str, Any])
        return True

    async def cancel_on_disconnect(self, after_s: int | None) -> float | None:
        """cancel_all_orders_after: renewed three times within its time."""
        await self.ask("cancel_all_orders_after", {"timeout": after_s or 0}, frames.DeadMan)
        return after_s / 3 if after_s else None

    def _cost(self, costs: Sequence[tuple[int, int]], order_id: str, late: int) -> float:
        born = self._born.get(order_id)
        age = time.monotonic() - born if born is not None else 3_600.0
        return float(next((cost for below, cost in costs if age < below), late))

    # -- queries ---------------------------------------------------------------------------------

    async def query(
        self, listing: Listing, wire_id: str, venue_order_id: str
    ) -> tuple[VenueOrder, Sequence[VenueFill]]:
        """By Kraken's id in one call; by ours among the open, then the closed orders."""
        if venue_order_id:
            params = {"txid": venue_order_id, "trades": "true"}
            found = await self.post("QueryOrders", params, dict[str, frames.Order])
        else:
            params = {"cl_ord_id": wire_id, "trades": "true"}
            found = (await self.post("OpenOrders", params, frames.OpenOrders)).open
            if not found:
                closed = await self.post("ClosedOrders", params, frames.ClosedOrders)
                found = closed.closed
        for order_id, row in found.items():
            if order_id == venue_order_id or row.cl_ord_id == wire_id:
                order = orders.from_rest(self.venue, self.context.account, order_id, listing, row)
                return order, await self._executions(row.trades)
        raise NoSuchOrder("EOrder:Unknown order", "Kraken has no such order")

    async def _executions(self, ids: Sequence[str]) -> list[VenueFill]:
        fills: list[VenueFill] = []
        for at in range(0, len(ids), _QUERY_MAX):
            params = {"txid": ",".join(ids[at : at + _QUERY_MAX])}
            rows = await self.post(
                "QueryTrades", params, dict[str, frames.MyTrade], 2.0, _HISTORY_WAIT_S
            )
            fills += self._fills(rows)
        return fills

    async def open_orders(self) -> list[VenueOrder]:
        """OpenOrders."""
        found = (await self.post("OpenOrders", {}, frames.OpenOrders)).open
        account = self.context.account
        made = []
        for order_id, row in found.items():
            listing = self._listing(row.descr.pair)
            if listing is not None:
                order = orders.from_rest(self.venue, account, order_id, listing, row)
                self._remember(order)
                made.append(order)
        return made

    async def fills(self, since_ns: int, listings: Sequence[Listing]) -> list[VenueFill]:
        """TradesHistory, the newest first, page by page."""
        found: dict[str, frames.MyTrade] = {}
        start = str(max(since_ns // 10**9 - 1, 0))
        at = 0
        while True:
            params = {"start": start, "ofs": str(at), "without_count": "true"}
            answer = await self.post(
                "TradesHistory", params, frames.TradesHistory, 2.0, _HISTORY_WAIT_S
            )
            page = answer.trades
            found |= page
            at += _PAGE
            if len(page) < _PAGE:
                break
        fills = [fill for fill in self._fills(found) if fill.venue_ns >= since_ns]
        return sorted(fills, key=lambda fill: fill.venue_ns)

    async def balances(self) -> list[VenueBalance]:
        """BalanceEx: totals, and what orders hold."""
        rows = await self.post("BalanceEx", {}, dict[str, frames.Holding])
        now = time.time_ns()
        return [
            self._balance(self._names.asset(name), row.balance, row.balance - row.hold_trade, now)
            for name, row in rows.items()
            if row.balance
        ]

    def _fills(self, rows: Mapping[str, frames.MyTrade]) -> list[VenueFill]:
        now, account = time.time_ns(), self.context.account
        made = []
        for trade_id, row in rows.items():
            listing = self._listing(row.pair)
            if listing is not None:
                made.append(
                    orders.fill_of_history(self.venue, account, trade_id, listing, row, now)
                )
        return made

    def _listing(self, rest_name: str) -> Listing | None:
        """A pair by any REST name; None for the dark pool and what is no longer listed."""
        wire = self._names.wire.get(rest_name)
        return self.context.listings.wire.get(wire) if wire else None


def _which(wire_id: str, venue_order_id: str) -> dict[str, Any]:
    """Kraken's id where it is known: an adopted order may have none of ours."""
    return {"order_id": venue_order_id} if venue_order_id else {"cl_ord_id": wire_id}
