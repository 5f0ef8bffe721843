"""The trading side of a connector: intents first, three outcomes, nothing sent twice.

Every order is on disk before its first byte leaves. A call whose answer is missing leaves the order
UNRESOLVED: a task asks for it by its client id until the venue tells. What the private stream and
the answers say is merged so that late or doubled news never moves an order backwards.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from tradeloom.connectors.backoff import Backoff
from tradeloom.connectors.budgets import BudgetSpent
from tradeloom.connectors.checks import fault_of, price_fault, volume_fault
from tradeloom.connectors.contract import (
    AccountEvent,
    AccountSink,
    Amendment,
    OrderAnswer,
    OrderRequest,
    Outcome,
    UnknownOrder,
    UnknownSymbol,
    Unsupported,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenuePosition,
    VenueUnavailable,
)
from tradeloom.connectors.dialect import Context, Dialect, NoSuchOrder, Placed, Refusal
from tradeloom.connectors.limits import (
    FILLS_BACK_NS,
    FILLS_OVERLAP_NS,
    ORDER_TIMEOUT_S,
    RESOLVE_FIRST_S,
    RESOLVE_MAX_S,
    RESOLVE_UNKNOWN_S,
)
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.orders import OPEN, Known, OrderStore, StoreFull
from tradeloom.connectors.rest import NotSent
from tradeloom.domain.enums import OrderState, ReturnCode

log = logging.getLogger(__name__)

Gate = Callable[[OrderRequest], tuple[ReturnCode, str, str] | None]
"""Why an order may not go out now (code, field, message); None when it may."""


class TradeDesk:
    """Orders of one account; it is also where the dialect puts private news."""

    def __init__(self, dialect: Dialect, context: Context, store: OrderStore, gate: Gate) -> None:
        self.store: Final = store
        self.counts: Final[Counter[str]] = Counter()
        self.on_reconcile: Callable[[str], None] = lambda why: None
        self.on_reconnect: Callable[[str], None] = lambda why: None
        self.on_refused: Callable[[str], None] = lambda why: None
        self._dialect = dialect
        self._context = context
        self._gate = gate
        self._listeners: list[AccountSink] = []
        self._answers: dict[str, OrderAnswer] = {}
        self._resolvers: dict[str, asyncio.Task[None]] = {}
        self._waiting: list[VenueFill] = []

    def listen(self, sink: AccountSink) -> Callable[[], None]:
        """Deliver account events until the returned function is called."""
        self._listeners.append(sink)

        def stop() -> None:
            if sink in self._listeners:
                self._listeners.remove(sink)

        return stop

    def tell(self, event: AccountEvent) -> None:
        """Give an event to everyone who listens."""
        for sink in tuple(self._listeners):
            try:
                sink(event)
            except Exception:
                log.exception("a listener of %s failed", self._dialect.venue)

    @property
    def unresolved(self) -> int:
        """Orders whose fate is being asked for."""
        return sum(1 for task in self._resolvers.values() if not task.done())

    # -- order calls -----------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> OrderAnswer:
        """Place an order; the same request again gives the first answer again."""
        known = self.store.find(request.client_id)
        if known is not None:
            return self._again(request, known)
        try:
            listing = self._context.listings.find(request.symbol)
        except UnknownSymbol as error:
            return _refused(request.client_id, ReturnCode.SYMBOL_NOT_FOUND, "symbol", str(error))
        fault = fault_of(request, listing.instrument) or self._gate(request)
        if fault is not None:
            return _refused(request.client_id, *fault)
        wire_id = self._dialect.wire_id(request.client_id)
        if self.store.by_wire(wire_id, "") is not None:
            text = "the venue's form of this id is taken; choose another"
            return _refused(request.client_id, ReturnCode.DUPLICATE_ID, "client_id", text)
        order = VenueOrder(
            venue=self._dialect.venue,
            account=self._context.account,
            client_id=request.client_id,
            venue_order_id="",
            symbol=listing.symbol,
            side=request.side,
            type=request.type,
            tif=request.tif,
            volume=request.volume,
            filled=Decimal(0),
            price=request.price,
            average=None,
            state=OrderState.ROUTING,
            venue_ns=time.time_ns(),
        )
        try:
            known = await self.store.intend(order, wire_id, request)
        except (StoreFull, OSError) as error:
            code = ReturnCode.JOURNAL_UNAVAILABLE
            return _refused(request.client_id, code, "", f"{error}; nothing was sent")
        self.tell(order)
        call = asyncio.wait_for(self._dialect.place(request, listing, wire_id), ORDER_TIMEOUT_S)
        return await self._finish(known, call, placing=True)

    async def amend(self, change: Amendment) -> OrderAnswer:
        """Change price or volume of a working order."""
        known = self.store.find(change.client_id)
        if known is None or not known.open:
            return _not_open(change.client_id, known)
        instrument = (listing := self._context.listings.find(known.order.symbol)).instrument
        fault = None
        if change.volume is not None:
            fault = volume_fault(change.volume, instrument)
        if fault is None and change.price is not None:
            fault = price_fault(change.price, "price", instrument)
        if fault is None and change.price is None and change.volume is None:
            return _refused(change.client_id, ReturnCode.ERR_PARAMS, "", "nothing to change")
        if fault is not None:
            return _refused(change.client_id, *fault)
        call = asyncio.wait_for(
            self._dialect.amend(change, known.order, listing, known.wire_id), ORDER_TIMEOUT_S
        )
        return await self._finish(known, call, placing=False)

    async def cancel(self, client_id: str) -> OrderAnswer:
        """Cancel one order. Allowed in every state: a cancel only lowers risk."""
        known = self.store.find(client_id)
        if known is None or not known.open:
            return _not_open(client_id, known)
        listing = self._context.listings.find(known.order.symbol)
        call = asyncio.wait_for(
            self._dialect.cancel(known.order, listing, known.wire_id), ORDER_TIMEOUT_S
        )
        return await self._finish(known, call, placing=False)

    async def cancel_all(self, symbol: str | None) -> list[OrderAnswer]:
        """Cancel what is open, by one call where the venue has one, else one by one."""
        listing = self._context.listings.find(symbol) if symbol is not None else None
        name = listing.symbol if listing is not None else None
        targets = [each for each in self.store.open() if name is None or each.order.symbol == name]
        sent = time.time_ns()
        try:
            at_once = await asyncio.wait_for(self._dialect.cancel_every(listing), ORDER_TIMEOUT_S)
        except (VenueUnavailable, BudgetSpent, Refusal, TimeoutError) as error:
            log.warning("%s: cancel-all failed (%s); one by one", self._dialect.venue, error)
            at_once = False
        if not at_once:
            return list(
                await asyncio.gather(*(self.cancel(each.order.client_id) for each in targets))
            )
        now = time.time_ns()
        for each in targets:
            self._resolve(each, "cancel-all was sent")
        return [
            OrderAnswer(
                client_id=each.order.client_id,
                outcome=Outcome.ACCEPTED,
                venue_order_id=each.order.venue_order_id,
                sent_ns=sent,
                answered_ns=now,
            )
            for each in targets
        ]

    async def query(self, client_id: str) -> VenueOrder:
        """The order as the venue has it now."""
        known = self.store.find(client_id)
        if known is None:
            raise UnknownOrder(f"no order {client_id}")
        listing = self._context.listings.find(known.order.symbol)
        try:
            order, fills = await self._dialect.query(
                listing, known.wire_id, known.order.venue_order_id
            )
        except NoSuchOrder:
            if known.open:
                raise UnknownOrder(f"{self._dialect.venue} has no order {client_id}") from None
            return known.order
        except Refusal as error:
            raise VenueUnavailable(error.message) from None
        self._news(known, order)
        self._fills_of(known, fills)
        return known.order

    # -- AccountOut: called by the dialect -------------------------------------------------------

    def order(self, order: VenueOrder) -> None:
        """What the venue says of an order now. Its `client_id` is the venue's form of the id."""
        known = self.store.by_wire(order.client_id, order.venue_order_id)
        if known is None:
            self._adopt(order)
        else:
            self._news(known, order)

    def fill(self, fill: VenueFill) -> None:
        """An execution: booked once, whoever told first."""
        known = self.store.by_wire(fill.client_id, fill.venue_order_id)
        if known is not None:
            fill = msgspec.structs.replace(
                fill,
                client_id=known.order.client_id,
                venue_order_id=fill.venue_order_id or known.order.venue_order_id,
            )
        if not self.store.book(fill):
            self.counts["fills told twice"] += 1
            return
        self.counts["fills"] += 1
        newest = self.store.fact("newest_fill_ns")
        if fill.venue_ns > int(newest or 0):
            self.store.remember("newest_fill_ns", str(fill.venue_ns))
        self.tell(fill)
        if known is not None:
            self._fill_moves(known, fill)

    def balance(self, balance: VenueBalance) -> None:
        """Money."""
        self.tell(balance)

    def position(self, position: VenuePosition) -> None:
        """A position."""
        self.tell(position)

    def reconcile(self, why: str) -> None:
        """Compare with the venue."""
        self.on_reconcile(why)

    def reconnect(self, why: str) -> None:
        """The private side needs a new connection."""
        self.on_reconnect(why)

    def ignored(self, kind: str) -> None:
        """Nothing for us."""
        self.counts[f"ignored: {kind}"] += 1

    # -- reconciliation --------------------------------------------------------------------------

    async def compare(self) -> None:
        """Make our orders, fills and money agree with the venue's. Raises VenueUnavailable.

        The order matters: orders without the venue's id first, as fills may carry that id alone;
        fills before the fate of missing orders, so that an order which left the book by filling is
        known as filled.
        """
        try:
            for known in self.store.open():
                self._dialect.expect(known.wire_id, known.order)
            for known in self.store.open():
                if not known.order.venue_order_id and not await self._settle(known):
                    self._resolve(known, "the venue does not know the order yet")
            at_venue = await self._dialect.open_orders()
            for order in at_venue:
                self.order(order)
            symbols = {each.order.symbol for each in self.store.open()}
            symbols |= {order.symbol for order in at_venue}
            listings = [self._context.listings.find(symbol) for symbol in sorted(symbols)]
            self.found(await self._dialect.fills(self._fills_since(), listings))
            there = {order.venue_order_id for order in at_venue}
            for known in self.store.open():
                if known.order.venue_order_id and known.order.venue_order_id not in there:
                    await self._settle(known)
            for balance in await self._dialect.balances():
                self.tell(balance)
            for position in await self._dialect.positions():
                self.tell(position)
        except Refusal as error:
            raise VenueUnavailable(f"{error.venue_code} {error.message}".strip()) from error
        except BudgetSpent as error:
            raise VenueUnavailable(str(error)) from error

    def found(self, fills: Sequence[VenueFill]) -> None:
        """Executions that the venue listed. One of an order that we do not know yet may be of an
        order in flight, whose venue id we do not know yet: it waits for the next comparison.
        """
        waiting, self._waiting = self._waiting, []
        flying = {k.order.symbol for k in self.store.open() if not k.order.venue_order_id}
        for fill in (*waiting, *fills):
            known = self.store.by_wire(fill.client_id, fill.venue_order_id)
            if known is None and fill.symbol in flying:
                self._waiting.append(fill)
            else:
                self.fill(fill)

    async def close(self) -> None:
        """End what is being asked for."""
        tasks = list(self._resolvers.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- inside ----------------------------------------------------------------------------------

    def _fills_since(self) -> int:
        newest = self.store.fact("newest_fill_ns")
        return int(newest) - FILLS_OVERLAP_NS if newest else time.time_ns() - FILLS_BACK_NS

    def _again(self, request: OrderRequest, known: Known) -> OrderAnswer:
        if known.intent != request:
            text = "this id was used for another order; choose a new one"
            return _refused(request.client_id, ReturnCode.DUPLICATE_ID, "client_id", text)
        answer = self._answers.get(request.client_id)
        if answer is not None and answer.outcome is not Outcome.UNRESOLVED:
            return answer
        order = known.order
        outcome = Outcome.ACCEPTED
        if order.state in (OrderState.ROUTING, OrderState.UNRESOLVED):
            outcome = Outcome.UNRESOLVED
        elif order.state is OrderState.REJECTED:
            outcome = Outcome.REFUSED
        return OrderAnswer(
            client_id=order.client_id,
            outcome=outcome,
            venue_order_id=order.venue_order_id,
            message=order.reason,
        )

    async def _finish(self, known: Known, call: Awaitable[Placed], *, placing: bool) -> OrderAnswer:
        """Await an order call and name its outcome."""
        client_id = known.order.client_id
        sent = time.time_ns()
        outcome, code, field, venue_code, message = Outcome.ACCEPTED, ReturnCode.OK, "", "", ""
        try:
            placed = await call
            self._took(known, placed, placing)
        except NoSuchOrder as error:
            outcome, code, field = Outcome.REFUSED, error.code, error.field
            venue_code, message = error.venue_code, error.message
            self._resolve(known, "the venue does not know the order")
        except Refusal as error:
            outcome, code, field = Outcome.REFUSED, error.code, error.field
            venue_code, message = error.venue_code, error.message
        except (NotSent, BudgetSpent) as error:
            spent = isinstance(error, BudgetSpent)
            outcome, code = Outcome.REFUSED, ReturnCode.TOO_FREQUENT if spent else ReturnCode.BUSY
            message = str(error)
        except LoginRefused as error:
            outcome, code, message = Outcome.REFUSED, ReturnCode.TRADE_DISABLE, str(error)
            self.on_refused(message)
        except Unsupported as error:
            outcome, code, message = Outcome.REFUSED, ReturnCode.TRADE_INCORRECT_CMD, str(error)
        except (VenueUnavailable, TimeoutError) as error:
            outcome, code = Outcome.UNRESOLVED, ReturnCode.BUSY
            message = f"{str(error) or 'no answer in time'}; the venue is asked what became of it"
            self.counts["unresolved"] += 1
            if placing:
                self._change(known, OrderState.UNRESOLVED, message)
            self._resolve(known, message)
        if placing and outcome is Outcome.REFUSED:
            self.counts["refused"] += 1
            self._change(known, OrderState.REJECTED, message)
        answer = OrderAnswer(
            client_id=client_id,
            outcome=outcome,
            venue_order_id=known.order.venue_order_id,
            code=code,
            field=field,
            venue_code=venue_code,
            message=message,
            sent_ns=sent,
            answered_ns=time.time_ns(),
        )
        if placing:
            self._answers[client_id] = answer
            if len(self._answers) > 10_000:
                self._answers.pop(next(iter(self._answers)))
        return answer

    def _took(self, known: Known, placed: Placed, placing: bool) -> None:
        if placed.order is not None:
            self._news(known, placed.order)
        elif placed.venue_order_id or placing:
            order = known.order
            state = OrderState.ROUTED if order.state is OrderState.ROUTING else order.state
            new_id = placed.venue_order_id or order.venue_order_id
            if (state, new_id) != (order.state, order.venue_order_id):
                self._put(known, msgspec.structs.replace(order, state=state, venue_order_id=new_id))
        self._fills_of(known, placed.fills)

    def _adopt(self, order: VenueOrder) -> None:
        """An order that we did not make, or made before our memory began."""
        client_id = f"ext-{order.venue_order_id}"[:32]
        adopted = self.store.adopt(
            msgspec.structs.replace(order, client_id=client_id), order.client_id
        )
        self.counts["external orders adopted"] += 1
        self.tell(adopted.order)

    def _news(self, known: Known, new: VenueOrder) -> None:
        merged = merge(known.order, new)
        if merged != known.order:
            self._put(known, merged)

    def _change(self, known: Known, state: OrderState, reason: str) -> None:
        if known.order.state in OPEN:
            self._put(known, msgspec.structs.replace(known.order, state=state, reason=reason))

    def _put(self, known: Known, order: VenueOrder) -> None:
        self.store.update(known, order)
        self.tell(order)

    def _fill_moves(self, known: Known, fill: VenueFill) -> None:
        """A fill may be the first news of an order's progress."""
        known.booked += fill.volume
        known.cost += fill.volume * fill.price
        order = known.order
        if known.booked <= order.filled:
            return
        state = OrderState.FILLED if known.booked >= order.volume else OrderState.PARTIAL
        if order.state not in OPEN:
            state = order.state if state is OrderState.PARTIAL else state
        self._put(
            known,
            msgspec.structs.replace(
                order,
                filled=known.booked,
                average=known.cost / known.booked,
                state=state,
                venue_order_id=order.venue_order_id or fill.venue_order_id,
                venue_ns=max(order.venue_ns, fill.venue_ns),
            ),
        )

    def _fills_of(self, known: Known, fills: Sequence[VenueFill]) -> None:
        """Executions that the venue named as this order's: some carry no id of ours."""
        for fill in fills:
            self.fill(msgspec.structs.replace(fill, client_id=known.wire_id))

    def _resolve(self, known: Known, why: str) -> None:
        client_id = known.order.client_id
        running = self._resolvers.get(client_id)
        if running is None or running.done():
            self._resolvers[client_id] = asyncio.create_task(self._ask(known, why))

    async def _ask(self, known: Known, why: str) -> None:
        """Ask for an order until the venue tells."""
        log.warning("%s %s: asking (%s)", self._dialect.venue, known.order.client_id, why)
        backoff = Backoff(RESOLVE_FIRST_S, RESOLVE_MAX_S)
        try:
            while known.open:
                await asyncio.sleep(backoff.next_s())
                try:
                    if await self._settle(known):
                        return
                except (VenueUnavailable, BudgetSpent, Refusal) as error:
                    log.info(
                        "%s %s: still unknown (%s)",
                        self._dialect.venue,
                        known.order.client_id,
                        error,
                    )
                except Exception:
                    log.exception("asking for %s", known.order.client_id)
        finally:
            self._resolvers.pop(known.order.client_id, None)

    async def _settle(self, known: Known) -> bool:
        """Ask once; True when the order's state is certain now."""
        listing = self._context.listings.find(known.order.symbol)
        asked = time.time_ns()
        try:
            order, fills = await self._dialect.query(
                listing, known.wire_id, known.order.venue_order_id
            )
        except NoSuchOrder:
            return self._missing(known, asked)
        self._fills_of(known, fills)
        before = known.order.state
        merged = merge(known.order, order)
        if before is OrderState.UNRESOLVED and merged.state is OrderState.UNRESOLVED:
            merged = msgspec.structs.replace(merged, state=order.state, reason=order.reason)
        if merged != known.order:
            self._put(known, merged)
        return True

    def _missing(self, known: Known, asked_ns: int) -> bool:
        """The venue has no such order: it never came, or it is gone."""
        order = known.order
        if order.venue_order_id or order.filled:
            self._change(known, OrderState.CANCELLED, "no longer known to the venue")
            return True
        intent_ns = order.venue_ns
        if asked_ns - intent_ns > RESOLVE_UNKNOWN_S * 1e9:
            self._change(known, OrderState.REJECTED, "it never reached the venue")
            return True
        return False


def merge(old: VenueOrder, new: VenueOrder) -> VenueOrder:
    """What is known after hearing `new`: ids and origin of `old`, and never a step backwards."""
    state = new.state
    filled = max(old.filled, new.filled)
    if old.state not in OPEN and (new.state in OPEN or new.venue_ns < old.venue_ns):
        state = old.state
    if filled >= (new.volume or old.volume) and filled > 0:
        state = OrderState.FILLED
    elif filled > 0 and state in (OrderState.WORKING, OrderState.ROUTED):
        state = OrderState.PARTIAL
    elif old.state is OrderState.WORKING and state is OrderState.ROUTED:
        state = old.state
    newer = new if new.filled >= old.filled else old
    return msgspec.structs.replace(
        old,
        venue_order_id=new.venue_order_id or old.venue_order_id,
        state=state,
        filled=filled,
        volume=new.volume or old.volume,
        price=new.price if new.price is not None else old.price,
        average=newer.average if newer.average is not None else old.average,
        reason=new.reason or (old.reason if state is old.state else ""),
        venue_ns=max(old.venue_ns, new.venue_ns),
    )


def _refused(client_id: str, code: ReturnCode, field: str, message: str) -> OrderAnswer:
    now = time.time_ns()
    return OrderAnswer(
        client_id=client_id,
        outcome=Outcome.REFUSED,
        code=code,
        field=field,
        message=message,
        sent_ns=now,
        answered_ns=now,
    )


def _not_open(client_id: str, known: Known | None) -> OrderAnswer:
    if known is None:
        return _refused(client_id, ReturnCode.ERR_NOTFOUND, "client_id", "no such order")
    state = known.order.state.name.lower()
    return _refused(
        client_id, ReturnCode.TRADE_INCORRECT_STATE, "client_id", f"the order is {state} already"
    )
