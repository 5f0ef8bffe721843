"""A paper account on any venue's live quotes: its prices, our book-keeping, no order leaves.

Market orders fill at the venue's touch, limit orders when the other side reaches them, at their
price or better; stops trigger on the touch. Sizes shown are not consumed, so large paper orders
look better than real ones would: the one thing a paper account cannot tell. Orders and fills are
kept like a real venue's; balances and positions are what the fills add up to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from tradeloom.connectors.checks import fault_of, price_fault, volume_fault
from tradeloom.connectors.contract import (
    AccountEvent,
    AccountSink,
    Amendment,
    Connector,
    Health,
    MarketSink,
    OrderAnswer,
    OrderRequest,
    Outcome,
    RateLimit,
    State,
    StateChange,
    Subscription,
    UnknownOrder,
    Unsupported,
    VenueBalance,
    VenueFill,
    VenueInfo,
    VenueOrder,
    VenuePosition,
)
from tradeloom.connectors.limits import PAPER_LEVERAGE, PAPER_QUOTE_WAIT_S
from tradeloom.connectors.orders import Known, OrderStore, StoreFull
from tradeloom.connectors.paper_books import PaperBooks
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    FeedState,
    FeedStatus,
    HistoricBar,
    MarketEvent,
    Topic,
    VenueInstrument,
)

_STOPS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_AT_ONCE: Final = frozenset({TimeInForce.IOC, TimeInForce.FOK})


class PaperConnector:
    """`market` brings the prices; it is started and stopped by its owner."""

    def __init__(
        self,
        market: Connector,
        *,
        money: Mapping[str, Decimal],
        fee: Decimal = Decimal("0.001"),
        account: str = "paper",
        path: Path | None = None,
    ) -> None:
        """`money` is what the account starts with; `fee` a share of the turnover."""
        self.market: Final = market
        self._account = account
        self._fee = fee
        self._store = OrderStore(path)
        self._money = dict(money)
        self._books = PaperBooks(self._money, PAPER_LEVERAGE)
        self._instruments: dict[str, VenueInstrument] = {}
        self._quotes: dict[str, BookQuote] = {}
        self._stale: dict[str, str] = {}
        self._watching: dict[str, Subscription] = {}
        self._quoted: dict[str, asyncio.Event] = {}
        self._listeners: list[AccountSink] = []
        self._state = State.STOPPED
        self._reason = "not started"
        self._trades = 0
        self._clock: asyncio.Task[None] | None = None

    # -- Admin -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read the instruments, add the fills up, watch what has orders."""
        for each in await self.market.instruments():
            self._instruments[each.symbol] = each
        for fill in self._store.fills(0, None):
            self._books.apply(fill, self._instruments[fill.symbol])
            self._trades = max(self._trades, int(fill.trade_id))
        for known in self._store.open():
            if known.order.state is OrderState.ROUTING:
                # Stored and never worked: the process ended in between.
                self._change(known, state=OrderState.REJECTED, reason="it never became active")
            else:
                await self._watch(known.order.symbol)
        self._clock = asyncio.create_task(self._expire())
        killed = self._store.fact("killed")
        self._become(State.KILLED if killed else State.READY, killed or "ready")

    async def stop(self) -> None:
        """Stop watching; orders and balances stay for the next start."""
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)
        for subscription in self._watching.values():
            await subscription.close()
        self._watching.clear()
        self._become(State.STOPPED, "stopped")
        await self._store.flush()

    async def close(self) -> None:
        """Stop for good."""
        await self.stop()
        await asyncio.to_thread(self._store.close)

    def info(self) -> VenueInfo:
        """The venue's, as a paper account."""
        real = self.market.info()
        return msgspec.structs.replace(
            real,
            title=f"{real.title}, paper account",
            account=self._account,
            trades=True,
            features=("amend", "cancel all", "paper"),
        )

    def health(self) -> Health:
        """The market's health with our state."""
        real = self.market.health()
        return msgspec.structs.replace(
            real,
            state=self._state,
            reason=self._reason,
            stale={**real.stale, **self._stale},
            unresolved=0,
        )

    def limits(self) -> list[RateLimit]:
        """Those of the market: paper orders cost none."""
        return self.market.limits()

    async def drain(self, timeout_s: float = 30.0) -> bool:
        """Take no new orders and wait for the working ones."""
        self._become(State.DRAINING, "draining: no new orders")
        until = time.monotonic() + timeout_s
        while self._store.open() and time.monotonic() < until:
            await asyncio.sleep(0.02)
        return not self._store.open()

    async def reconnect(self) -> None:
        """The market connects anew."""
        await self.market.reconnect()

    async def kill(self, reason: str) -> list[OrderAnswer]:
        """Refuse new orders (latched) and cancel all."""
        self._store.remember("killed", reason or "killed")
        self._become(State.KILLED, reason)
        return await self.cancel_all()

    async def reset(self, reason: str) -> None:
        """Trade again."""
        self._store.remember("killed", "")
        self._become(State.READY, f"reset: {reason}")

    async def cancel_on_disconnect(self, after_s: int | None) -> None:
        """There is nothing to be disconnected from."""
        raise Unsupported("a paper account has no connection whose loss would matter")

    # -- MarketData: the venue's -----------------------------------------------------------------

    async def instruments(self) -> list[VenueInstrument]:
        """What the venue lists."""
        return await self.market.instruments()

    async def snapshot(self, symbol: str, depth: int = 20) -> BookDelta:
        """The venue's book."""
        return await self.market.snapshot(symbol, depth)

    async def bars(
        self, symbol: str, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """The venue's history."""
        return await self.market.bars(symbol, interval_s, since_ns, until_ns)

    async def subscribe(
        self, symbols: Iterable[str], topics: Iterable[Topic], sink: MarketSink
    ) -> Subscription:
        """The venue's events."""
        return await self.market.subscribe(symbols, topics, sink)

    # -- TradeFlow -------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> OrderAnswer:
        """Place an order; the same request again gives the first answer again."""
        known = self._store.find(request.client_id)
        if known is not None:
            return self._again(request, known)
        at = self._instruments.get(request.symbol)
        if at is None:
            text = f"{self.info().venue} lists no {request.symbol!r}"
            return self._refused(request.client_id, ReturnCode.SYMBOL_NOT_FOUND, "symbol", text)
        fault = fault_of(request, at) or self._gate()
        if fault is not None:
            return self._refused(request.client_id, *fault)
        await self._watch(at.symbol)
        quote = await self._quote(at.symbol)
        if quote is None:
            why = self._stale.get(at.symbol, "no price yet")
            code = ReturnCode.TRADE_OFFQUOTES
            return self._refused(request.client_id, code, "symbol", f"its prices are stale: {why}")
        short = self._books.lacks(request, at, self._touch(request.side, quote), self._fee)
        if short:
            return self._refused(request.client_id, ReturnCode.TRADE_NO_MONEY, "volume", short)
        if request.post_only and self._crosses(request.side, request.price, quote):
            text = "it would trade at once"
            return self._refused(request.client_id, ReturnCode.TRADE_BAD_PRICES, "post_only", text)
        return await self._place(request, at)

    async def amend(self, change: Amendment) -> OrderAnswer:
        """Change price or volume of a working order."""
        known = self._store.find(change.client_id)
        if known is None or not known.open:
            return self._not_open(change.client_id, known)
        at, order = self._instruments[known.order.symbol], known.order
        fault = volume_fault(change.volume, at) if change.volume is not None else None
        if fault is None and change.price is not None:
            fault = price_fault(change.price, "price", at)
        if fault is not None:
            return self._refused(change.client_id, *fault)
        if change.volume is not None and change.volume <= order.filled:
            text = f"{order.filled} of it is filled already: cancel it instead"
            return self._refused(change.client_id, ReturnCode.TRADE_BAD_VOLUME, "volume", text)
        changed = msgspec.structs.replace(
            order, price=change.price or order.price, volume=change.volume or order.volume
        )
        self._books.reserve(changed, at, self._fee)
        self._put(known, changed)
        quote = self._quotes.get(at.symbol)
        if quote is not None:
            self._work(known, quote)
        return self._answer(known.order.client_id, known.order.venue_order_id)

    async def cancel(self, client_id: str) -> OrderAnswer:
        """Cancel one order."""
        known = self._store.find(client_id)
        if known is None or not known.open:
            return self._not_open(client_id, known)
        self._change(known, state=OrderState.CANCELLED)
        return self._answer(client_id, known.order.venue_order_id)

    async def cancel_all(self, symbol: str | None = None) -> list[OrderAnswer]:
        """Cancel what is open."""
        targets = [each for each in self._store.open() if symbol in (None, each.order.symbol)]
        return [await self.cancel(each.order.client_id) for each in targets]

    async def query(self, client_id: str) -> VenueOrder:
        """The order now."""
        known = self._store.find(client_id)
        if known is None:
            raise UnknownOrder(f"no order {client_id}")
        return known.order

    async def open_orders(self, symbol: str | None = None) -> list[VenueOrder]:
        """What works."""
        found = [each.order for each in self._store.open()]
        return [order for order in found if symbol in (None, order.symbol)]

    async def fills(self, since_ns: int = 0, symbol: str | None = None) -> list[VenueFill]:
        """Executions."""
        await self._store.flush()
        return self._store.fills(since_ns, symbol)

    async def positions(self) -> list[VenuePosition]:
        """Positions of derivatives."""
        return self._books.positions(self.info().venue, self._account, self._quotes)

    async def balances(self) -> list[VenueBalance]:
        """Money, and what open orders leave of it."""
        return self._books.balances(self.info().venue, self._account)

    def listen(self, sink: AccountSink) -> Callable[[], None]:
        """Deliver account events."""
        self._listeners.append(sink)
        return lambda: self._listeners.remove(sink) if sink in self._listeners else None

    # -- matching --------------------------------------------------------------------------------

    async def _place(self, request: OrderRequest, at: VenueInstrument) -> OrderAnswer:
        sent = time.time_ns()
        order = VenueOrder(
            venue=at.venue,
            account=self._account,
            client_id=request.client_id,
            venue_order_id=f"paper-{sent}",
            symbol=at.symbol,
            side=request.side,
            type=request.type,
            tif=request.tif,
            volume=request.volume,
            filled=Decimal(0),
            price=request.price,
            average=None,
            state=OrderState.ROUTING,
            venue_ns=sent,
        )
        try:
            known = await self._store.intend(order, request.client_id, request)
        except (StoreFull, OSError) as error:
            code = ReturnCode.JOURNAL_UNAVAILABLE
            return self._refused(request.client_id, code, "", f"{error}; nothing was placed")
        self._books.reserve(order, at, self._fee)
        self._change(known, state=OrderState.WORKING)
        quote = self._quotes.get(at.symbol)
        if quote is not None:
            self._work(known, quote)
        if (
            known.open
            and request.type not in _STOPS
            and (request.tif in _AT_ONCE or request.type is OrderType.MARKET)
        ):
            self._change(known, state=OrderState.CANCELLED, reason="not fillable at once")
        return self._answer(request.client_id, known.order.venue_order_id, sent)

    def _work(self, known: Known, quote: BookQuote) -> None:
        """Trigger and fill what the quote allows."""
        order, intent = known.order, known.intent
        touch = self._touch(order.side, quote)
        if order.type in _STOPS and order.state is not OrderState.TRIGGERED:
            stop = intent.stop_price if intent is not None else None
            if stop is None or not _reached(order.side, touch, stop):
                return
            self._change(known, state=OrderState.TRIGGERED)
            order = known.order
        if order.price is not None and not self._crosses(order.side, order.price, quote):
            return
        self._fill(known, touch)

    def _fill(self, known: Known, price: Decimal) -> None:
        order, at = known.order, self._instruments[known.order.symbol]
        volume = order.volume - order.filled
        self._trades += 1
        turnover, currency = self._books.turnover(at, volume, price)
        now = time.time_ns()
        fill = VenueFill(
            venue=at.venue,
            account=self._account,
            trade_id=str(self._trades),
            venue_order_id=order.venue_order_id,
            client_id=order.client_id,
            symbol=at.symbol,
            side=order.side,
            price=price,
            volume=volume,
            fee=turnover * self._fee,
            fee_currency=currency,
            maker=order.price is not None and price == order.price,
            venue_ns=now,
            recv_ns=now,
        )
        self._store.book(fill)
        self._books.apply(fill, at)
        known.booked += volume
        known.cost += volume * price
        self._tell(fill)
        self._change(
            known,
            state=OrderState.FILLED,
            filled=known.booked,
            average=known.cost / known.booked,
            venue_ns=now,
        )
        for balance in self._books.balances(at.venue, self._account):
            if balance.currency in (at.base, at.quote, at.settle):
                self._tell(balance)

    def _take(self, event: MarketEvent) -> None:
        if isinstance(event, BookQuote):
            self._quotes[event.symbol] = event
            self._stale.pop(event.symbol, None)
            self._quoted[event.symbol].set()
            for known in self._store.open():
                if known.order.symbol == event.symbol and known.order.state in (
                    OrderState.WORKING,
                    OrderState.TRIGGERED,
                ):
                    self._work(known, event)
        elif isinstance(event, FeedStatus) and event.state is not FeedState.LIVE:
            self._stale[event.symbol] = event.reason
            self._quoted[event.symbol].clear()

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            now = time.time_ns()
            for known in self._store.open():
                intent = known.intent
                if intent is not None and 0 < intent.expire_ns <= now:
                    self._change(known, state=OrderState.EXPIRED)

    # -- inside ----------------------------------------------------------------------------------

    async def _watch(self, symbol: str) -> None:
        if symbol not in self._watching:
            self._quoted[symbol] = asyncio.Event()
            self._watching[symbol] = await self.market.subscribe(
                [symbol], [Topic.QUOTES], self._take
            )

    async def _quote(self, symbol: str) -> BookQuote | None:
        try:
            await asyncio.wait_for(self._quoted[symbol].wait(), PAPER_QUOTE_WAIT_S)
        except TimeoutError:
            return None
        return self._quotes[symbol]

    def _gate(self) -> tuple[ReturnCode, str, str] | None:
        if self._state is State.KILLED:
            return ReturnCode.HALTED, "", f"killed: {self._reason}; reset it to trade again"
        if self._state is State.DRAINING:
            return ReturnCode.TRADE_DISABLE, "", "draining: no new orders are taken"
        if self._state is not State.READY:
            return ReturnCode.BUSY, "", "the paper account is not started"
        return None

    def _touch(self, side: Side, quote: BookQuote) -> Decimal:
        return Decimal(quote.ask if side is Side.BUY else quote.bid).scaleb(-quote.digits)

    def _crosses(self, side: Side, price: Decimal | None, quote: BookQuote) -> bool:
        if price is None:
            return True
        touch = self._touch(side, quote)
        return touch <= price if side is Side.BUY else touch >= price

    def _change(self, known: Known, **fields: object) -> None:
        self._put(known, msgspec.structs.replace(known.order, **fields))

    def _put(self, known: Known, order: VenueOrder) -> None:
        self._store.update(known, order)
        if not known.open:
            self._books.release(order.client_id)
        self._tell(order)

    def _tell(self, event: AccountEvent) -> None:
        for sink in tuple(self._listeners):
            sink(event)

    def _become(self, state: State, reason: str) -> None:
        self._state, self._reason = state, reason
        venue = self.market.info().venue
        self._tell(
            StateChange(
                venue=venue,
                account=self._account,
                state=state,
                reason=reason,
                recv_ns=time.time_ns(),
            )
        )

    def _again(self, request: OrderRequest, known: Known) -> OrderAnswer:
        if known.intent != request:
            text = "this id was used for another order; choose a new one"
            code = ReturnCode.DUPLICATE_ID
            return self._refused(request.client_id, code, "client_id", text)
        return self._answer(request.client_id, known.order.venue_order_id)

    def _answer(self, client_id: str, venue_order_id: str, sent_ns: int = 0) -> OrderAnswer:
        now = time.time_ns()
        return OrderAnswer(
            client_id=client_id,
            outcome=Outcome.ACCEPTED,
            venue_order_id=venue_order_id,
            sent_ns=sent_ns or now,
            answered_ns=now,
        )

    def _refused(self, client_id: str, code: ReturnCode, field: str, message: str) -> OrderAnswer:
        return msgspec.structs.replace(
            self._answer(client_id, ""),
            outcome=Outcome.REFUSED,
            code=code,
            field=field,
            message=message,
        )

    def _not_open(self, client_id: str, known: Known | None) -> OrderAnswer:
        if known is None:
            return self._refused(client_id, ReturnCode.ERR_NOTFOUND, "client_id", "no such order")
        text = f"the order is {known.order.state.name.lower()} already"
        return self._refused(client_id, ReturnCode.TRADE_INCORRECT_STATE, "client_id", text)


def _reached(side: Side, touch: Decimal, stop: Decimal) -> bool:
    return touch >= stop if side is Side.BUY else touch <= stop
