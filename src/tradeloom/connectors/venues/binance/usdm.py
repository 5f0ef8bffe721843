"""Binance USD-M futures: what differs from spot."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
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
from tradeloom.connectors.dialect import AccountOut, BookRule, OddFrame, Placed
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.profile import Profile
from tradeloom.connectors.venues.binance import frames, profile
from tradeloom.connectors.venues.binance.dialect import BinanceSpot
from tradeloom.connectors.venues.binance.market import SHUTDOWN
from tradeloom.connectors.venues.binance.orders import (
    fill_of_report,
    from_report,
    side_of,
    text,
    tif_text,
)
from tradeloom.domain.enums import OrderState, OrderType, TimeInForce
from tradeloom.domain.market import BookDelta, Topic

_MS: Final = 1_000_000
_TIFS: Final = frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD})
_ORDER: Final = {"orders": 1.0, "orders a minute": 1.0}
_CONDITIONAL: Final = {OrderType.STOP: "STOP_MARKET", OrderType.STOP_LIMIT: "STOP"}
_ALGO: Final = "algo:"
"""Conditional orders live apart from others; their ids are told apart by this."""
_ALGO_STATES: Final = {
    "NEW": OrderState.WORKING,
    "TRIGGERING": OrderState.TRIGGERED,
    "TRIGGERED": OrderState.TRIGGERED,
    "FINISHED": OrderState.TRIGGERED,
    "CANCELED": OrderState.CANCELLED,
    "EXPIRED": OrderState.EXPIRED,
    "REJECTED": OrderState.REJECTED,
}

_kind = msgspec.json.Decoder(frames.Kind).decode
_update = msgspec.json.Decoder(frames.OrderUpdate).decode
_lite = msgspec.json.Decoder(frames.TradeLite).decode
_account = msgspec.json.Decoder(frames.AccountUpdate).decode


class _Algo(msgspec.Struct, rename="camel"):
    """A conditional order."""

    algo_id: int
    client_algo_id: str
    symbol: str
    side: str
    algo_status: str = "NEW"
    order_type: str = "STOP_MARKET"
    quantity: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    update_time: int = 0


class BinanceUsdm(BinanceSpot):
    """Streams split by path, a listen key for the account, orders over the socket API."""

    profile: ClassVar[Profile] = profile.USDM
    book_rule: ClassVar[BookRule] = BookRule(rest_snapshot=True)
    deepest: ClassVar[int] = 1_000
    trades_path: ClassVar[str] = "userTrades"

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._listen_key = ""

    def path(self, name: str) -> str:
        """The REST path of a call."""
        return f"/fapi/v1/{name}"

    # -- market ----------------------------------------------------------------------------------

    def places(self) -> dict[str, frozenset[Topic]]:
        """Quotes, books and trades are public streams, funding is a market stream."""
        return {
            "public": frozenset({Topic.QUOTES, Topic.TRADES, Topic.BOOK}),
            "market": frozenset({Topic.FUNDING}),
        }

    def suffixes(self) -> dict[Topic, str]:
        """Funding comes with the mark price."""
        return super().suffixes() | {Topic.FUNDING: "markPrice@1s"}

    def symbols_on(self, plan: LinkPlan, wanted: Any) -> list[str]:
        """Losing the funding link makes no price stale."""
        return list(wanted) if plan.key.startswith("public") else []

    def joins(self, snapshot: BookDelta, delta: BookDelta) -> bool:
        """The first delta contains the snapshot's id."""
        return delta.first_seq <= snapshot.seq <= delta.seq

    def too_old(self, snapshot: BookDelta, delta: BookDelta) -> bool:
        """Ended before the snapshot, or was applied already."""
        return delta.seq < snapshot.seq if snapshot.snapshot else delta.seq <= snapshot.seq

    def follows(self, last: BookDelta, delta: BookDelta) -> bool:
        """`pu` is the previous event's `u`, except right after a snapshot."""
        return self.joins(last, delta) if last.snapshot else delta.previous == last.seq

    # -- account ---------------------------------------------------------------------------------

    def private_links(self) -> list[LinkPlan]:
        """The account stream, and the socket for orders."""
        age = float(str(self.profile.quirks["age_max_s"]))
        return [
            LinkPlan(
                name=f"{self.venue} account",
                url=self.context.urls["private"],
                silence_s=600.0,
                age_max_s=age,
            ),
            LinkPlan(
                name=f"{self.venue} orders",
                url=self.context.urls["ws_api"],
                silence_s=600.0,
                frames_per_s=100,
                age_max_s=age,
            ),
        ]

    async def address(self, plan: LinkPlan) -> str:
        """The account stream's address carries its listen key."""
        if not plan.name.endswith("account"):
            return plan.url
        told = await self.keyed("POST", self.path("listenKey"), dict[str, str])
        self._listen_key = told["listenKey"]
        return f"{plan.url}/{self._listen_key}"

    async def open_private(self, link: Link) -> None:
        """The listen key is the log-in of one link, each request's signature of the other."""
        if link.plan.name.endswith("orders"):
            await self.ask_on(link, "account.balance", {}, list[Any])

    async def keep_private(self) -> float:
        """A listen key lives for an hour after its last renewal."""
        if self._listen_key:
            await self.keyed("PUT", self.path("listenKey"), dict[str, Any])
        return float(str(self.profile.quirks["listen_key_every_s"]))

    def private_frame(self, data: str | bytes, recv_ns: int, out: AccountOut, link: Link) -> None:
        """An answer of the order socket, or an event of the account."""
        raw = data.encode() if isinstance(data, str) else data
        if link.plan.name.endswith("orders"):
            answer = msgspec.json.decode(raw, type=frames.ApiReply)
            if answer.shutdown:
                out.reconnect(SHUTDOWN)
                return
            if answer.id is None:
                raise OddFrame("unknown private frame")
            if not link.answer(str(answer.id), raw):
                out.ignored("late answer")
            return
        self._account_event(raw, recv_ns, out)

    def _account_event(self, event: bytes, recv_ns: int, out: AccountOut) -> None:
        kind = _kind(event).e
        if kind == "ORDER_TRADE_UPDATE":
            report = msgspec.json.decode(bytes(_update(event).o), type=frames.ExecutionReport)
            self._execution(report, recv_ns, out)
        elif kind == "TRADE_LITE":
            self._early_fill(_lite(event), recv_ns, out)
        elif kind == "ACCOUNT_UPDATE":
            self._money_and_positions(_account(event), out)
        elif kind == "listenKeyExpired":
            out.reconnect("the listen key expired")
        elif kind == "serverShutdown":
            out.reconnect(SHUTDOWN)
        else:
            out.ignored(kind)

    def _execution(self, report: frames.ExecutionReport, recv_ns: int, out: AccountOut) -> None:
        listing = self.context.listings.wire[report.s]
        account = self.context.account
        out.order(from_report(self.venue, account, listing, report))
        if report.x in ("TRADE", "CALCULATED") and report.l:
            out.fill(fill_of_report(self.venue, account, listing, report, recv_ns))

    def _early_fill(self, lite: frames.TradeLite, recv_ns: int, out: AccountOut) -> None:
        """TRADE_LITE has no fee: it only tells that the order moved; the full report books it."""
        listing = self.context.listings.wire.get(lite.s)
        if listing is None or recv_ns <= 0:
            raise OddFrame("TRADE_LITE of an unknown symbol")
        out.ignored("TRADE_LITE")

    def _money_and_positions(self, update: frames.AccountUpdate, out: AccountOut) -> None:
        when = update.T * _MS
        for row in update.a.B:
            out.balance(self._wallet(row.a, row.wb, row.cw, when))
        for position in update.a.P:
            listing = self.context.listings.wire.get(position.s)
            if listing is not None:
                out.position(
                    VenuePosition(
                        venue=self.venue,
                        account=self.context.account,
                        symbol=listing.symbol,
                        volume=position.pa,
                        entry_price=position.ep or None,
                        unrealised=position.up,
                        venue_ns=when,
                    )
                )

    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """order.place; conditional orders have their own place."""
        if request.type in _CONDITIONAL:
            return await self._place_algo(request, listing, wire_id)
        params = {
            "symbol": listing.wire,
            "side": request.side.name,
            "type": request.type.name,
            "quantity": text(request.volume),
            "newClientOrderId": wire_id,
            "newOrderRespType": "RESULT",
        }
        if request.reduce_only:
            params["reduceOnly"] = "true"
        if request.price is not None:
            params["price"] = text(request.price)
            params["timeInForce"] = "GTX" if request.post_only else tif_text(request, _TIFS)
            if request.tif is TimeInForce.GTD:
                params["goodTillDate"] = str(request.expire_ns // _MS)
        reply = await self.ask("order.place", params, _ORDER, frames.OrderReply)
        return self._placed(reply, listing)

    async def _place_algo(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        params = {
            "algoType": "CONDITIONAL",
            "symbol": listing.wire,
            "side": request.side.name,
            "type": _CONDITIONAL[request.type],
            "quantity": text(request.volume),
            "triggerPrice": text(request.stop_price or Decimal(0)),
            "clientAlgoId": wire_id,
        }
        if request.price is not None:
            params["price"] = text(request.price)
            params["timeInForce"] = tif_text(request, _TIFS)
        if request.reduce_only:
            params["reduceOnly"] = "true"
        reply = await self.signed("POST", self.path("algoOrder"), params, _ORDER, _Algo)
        return Placed(f"{_ALGO}{reply.algo_id}", self._from_algo(reply, listing))

    async def amend(
        self, change: Amendment, order: VenueOrder, listing: Listing, wire_id: str
    ) -> Placed:
        """order.modify; limit orders only."""
        if order.type is not OrderType.LIMIT:
            raise Unsupported("Binance USD-M amends limit orders only: cancel, and place a new one")
        params = {
            "symbol": listing.wire,
            "side": order.side.name,
            "quantity": text(change.volume if change.volume is not None else order.volume),
            "price": text(change.price or order.price or Decimal(0)),
        } | self._which(wire_id, order.venue_order_id)
        reply = await self.ask("order.modify", params, _ORDER, frames.OrderReply)
        return self._placed(reply, listing)

    async def cancel(self, order: VenueOrder, listing: Listing, wire_id: str) -> Placed:
        """order.cancel, or the algo call for conditional orders."""
        if not order.venue_order_id.startswith(_ALGO):
            return await super().cancel(order, listing, wire_id)
        params = {"algoId": order.venue_order_id.removeprefix(_ALGO)}
        await self.signed("DELETE", self.path("algoOrder"), params, {"weight": 1.0}, dict[str, Any])
        return Placed(order.venue_order_id)

    async def cancel_every(self, listing: Listing | None) -> bool:
        """One call for one symbol."""
        if listing is None:
            return False
        params = {"symbol": listing.wire}
        for name in ("allOpenOrders", "algoOpenOrders"):
            await self.signed("DELETE", self.path(name), params, {"weight": 1.0}, dict[str, Any])
        return True

    async def query(
        self, listing: Listing, wire_id: str, venue_order_id: str
    ) -> tuple[VenueOrder, Sequence[VenueFill]]:
        """The order; conditional ones are asked for at their own place."""
        if not venue_order_id.startswith(_ALGO):
            return await super().query(listing, wire_id, venue_order_id)
        params = {"algoId": venue_order_id.removeprefix(_ALGO)}
        reply = await self.signed("GET", self.path("algoOrder"), params, {"weight": 1.0}, _Algo)
        return self._from_algo(reply, listing), []

    async def open_orders(self) -> list[VenueOrder]:
        """Plain and conditional ones."""
        plain = await super().open_orders()
        path = self.path("openAlgoOrders")
        rows = await self.signed("GET", path, {}, {"weight": 40.0}, list[_Algo])
        wire = self.context.listings.wire
        return plain + [
            self._from_algo(row, wire[row.symbol]) for row in rows if row.symbol in wire
        ]

    async def balances(self) -> list[VenueBalance]:
        """Wallets."""
        account = await self.signed(
            "GET", "/fapi/v3/account", {}, {"weight": 5.0}, frames.FuturesAccount
        )
        now = time.time_ns()
        rows = [
            self._wallet(row.asset, row.wallet_balance, row.available_balance, now)
            for row in account.assets
        ]
        return [row for row in rows if row.total]

    async def positions(self) -> list[VenuePosition]:
        """Open positions."""
        rows = await self.signed(
            "GET", "/fapi/v3/positionRisk", {}, {"weight": 5.0}, list[frames.PositionRisk]
        )
        wire, now = self.context.listings.wire, time.time_ns()
        return [
            VenuePosition(
                venue=self.venue,
                account=self.context.account,
                symbol=wire[row.symbol].symbol,
                volume=row.position_amt,
                entry_price=row.entry_price or None,
                unrealised=row.un_realized_profit,
                venue_ns=now,
            )
            for row in rows
            if row.position_amt and row.symbol in wire
        ]

    async def cancel_on_disconnect(self, after_s: int | None) -> float | None:
        """countdownCancelAll for every symbol with an open order; renewed at a third of it."""
        wires = {order.symbol for order in await super().open_orders()}
        for symbol in sorted(wires):
            wire = self.context.listings.named[symbol].wire
            params = {"symbol": wire, "countdownTime": str((after_s or 0) * 1_000)}
            path = self.path("countdownCancelAll")
            await self.signed("POST", path, params, {"weight": 10.0}, dict[str, Any])
        return None if after_s is None else after_s / 3

    # -- inside ----------------------------------------------------------------------------------

    def _from_algo(self, reply: _Algo, listing: Listing) -> VenueOrder:
        return VenueOrder(
            venue=self.venue,
            account=self.context.account,
            client_id=reply.client_algo_id,
            venue_order_id=f"{_ALGO}{reply.algo_id}",
            symbol=listing.symbol,
            side=side_of(reply.side),
            type=OrderType.STOP if reply.order_type == "STOP_MARKET" else OrderType.STOP_LIMIT,
            tif=TimeInForce.GTC,
            volume=reply.quantity,
            filled=Decimal(0),
            price=reply.price or None,
            average=None,
            state=_ALGO_STATES.get(reply.algo_status, OrderState.WORKING),
            venue_ns=reply.update_time * _MS,
        )

    def _wallet(self, currency: str, total: Decimal, free: Decimal, when: int) -> VenueBalance:
        return VenueBalance(
            venue=self.venue,
            account=self.context.account,
            currency=currency,
            total=total,
            free=free,
            venue_ns=when,
        )
