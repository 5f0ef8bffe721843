"""A simulated exchange: the books of its instruments, its clients' orders and accounts, one clock.

Every method is synchronous and complete when it returns; what happened is told to `listener` in
order. Given the same instruments, clock readings and calls it does the same to the last digit.
A command that is not accepted raises `Refused` and changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, Literal, Protocol

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.accounts import Account, Fees, is_spot
from tradeloom.simulators.bars import Bars
from tradeloom.simulators.book import Book
from tradeloom.simulators.clock import Clock
from tradeloom.simulators.limits import FILLS_KEPT, ORDERS_KEPT, TRADES_KEPT
from tradeloom.simulators.orders import (
    AccountEvent,
    Change,
    Fill,
    NewOrder,
    Order,
    OrderEvent,
    Reason,
    Refused,
    Status,
)
from tradeloom.simulators.settlement import Settlement

SelfTrade = Literal["allow", "expire_taker", "expire_maker", "expire_both"]
MarketInput = BookQuote | TradeTick | BookDelta


class Listener(Protocol):
    """What a dialect hears, in order, while the exchange works; it must only take notes."""

    def on_account(self, event: AccountEvent) -> None:
        """An order or a balance of an account changed."""

    def on_quote(self, instrument: VenueInstrument, quote: BookQuote) -> None:
        """The best bid or ask changed."""

    def on_trade(self, instrument: VenueInstrument, trade: TradeTick) -> None:
        """A trade happened, of the outside market or of our clients."""

    def on_book(self, instrument: VenueInstrument, delta: BookDelta) -> None:
        """Levels changed; `seq` is `first_seq` here, dense per instrument."""


class Market:
    """One instrument of the exchange: its book and what was last seen."""

    def __init__(self, instrument: VenueInstrument, first_trade_id: int) -> None:
        self.instrument: Final = instrument
        self.book: Final = Book()
        self.seq = 0
        self.trade_id = first_trade_id
        self.last = 0
        self.quote: BookQuote | None = None
        self.trades: deque[TradeTick] = deque(maxlen=TRADES_KEPT)
        self.bars: Final = Bars()
        self.moved = False  # a position of an account changed since reduce-only orders were fitted
        self.waiting: Final[list[Order]] = []  # stops that were not triggered, oldest first
        self.halted = False
        self.funding_ppm = 100
        self.index_offset = 0

    @property
    def mark(self) -> int:
        """The mark price: the middle of the book, else the last price; 0 when nothing is known."""
        bid, ask = self.book.best(Side.BUY), self.book.best(Side.SELL)
        if bid and ask:
            return (bid[0] + ask[0]) // 2
        return self.last or (bid[0] if bid else ask[0] if ask else 0)


class Exchange:
    """The exchange of one simulated venue.

    `tape_only` means that the public streams carry a recording as it is: then changes of the
    books are not told to the listener, because ids of our own would not fit the recording's.
    """

    def __init__(
        self,
        venue: str,
        instruments: Iterable[VenueInstrument],
        clock: Clock,
        listener: Listener,
        *,
        self_trade: SelfTrade = "allow",
        first_id: int = 1_000_000,
    ) -> None:
        self.venue: Final = venue
        self.clock: Final = clock
        self.listener = listener
        self.self_trade: SelfTrade = self_trade
        self.markets: Final = {each.symbol: Market(each, first_id) for each in instruments}
        self.by_wire: Final = {each.instrument.wire: each for each in self.markets.values()}
        self.accounts: Final[dict[str, Account]] = {}
        self.tape_only = False
        self.books: Final = OrderBooks(first_id)
        self._settlement: Final = Settlement(self)

    # ---- looking -----------------------------------------------------------------------------

    def market(self, symbol: str) -> Market:
        """The market of a symbol, ours or the venue's; raises `Refused` UNKNOWN_SYMBOL."""
        found = self.markets.get(symbol) or self.by_wire.get(symbol)
        if found is None:
            raise Refused(Reason.UNKNOWN_SYMBOL, f"there is no instrument {symbol[:40]!r}")
        return found

    def open_account(self, name: str, balances: dict[str, int], fees: Fees) -> Account:
        """A new account with starting money per asset."""
        account = self.accounts[name] = Account(name, fees=fees)
        for asset, amount in balances.items():
            account.deposit(asset, amount)
        return account

    def order(self, account: str, *, order_id: int | None = None, client_id: str = "") -> Order:
        """An account's order by either id, the newest with a client id; raises UNKNOWN_ORDER."""
        found = self.books.find(account, order_id, client_id)
        if found is None:
            raise Refused(Reason.UNKNOWN_ORDER, "there is no such order")
        return found

    def orders(self, account: str, symbol: str | None = None) -> list[Order]:
        """Every remembered order of an account, oldest first."""
        wanted = self.market(symbol).instrument.symbol if symbol else None
        kept = self.books.of(account)
        return [each for each in kept if wanted is None or each.symbol == wanted]

    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]:
        """The open orders of an account, oldest first."""
        wanted = self.market(symbol).instrument.symbol if symbol else None
        found = self.books.open.get(account, {}).values()
        return [each for each in found if wanted is None or each.symbol == wanted]

    def fills(self, account: str, symbol: str | None = None) -> list[Fill]:
        """The remembered fills of an account, oldest first."""
        wanted = self.market(symbol).instrument.symbol if symbol else None
        found = self.books.fills.get(account, ())
        return [each for each in found if wanted is None or each.symbol == wanted]

    def available(self, account: str, asset: str) -> int:
        """Money that may be spent or bound as margin."""
        return self._settlement.available(self.accounts[account], asset)

    # ---- commands ----------------------------------------------------------------------------

    def check(self, account: str, asked: NewOrder) -> None:
        """Whether `place` would accept it; raises `Refused` if not. Nothing happens."""
        self._settlement.admit(self.accounts[account], self.market(asked.symbol), asked)

    def place(self, account: str, asked: NewOrder) -> Order:
        """Accept an order, match it, and rest or expire what is left."""
        holder, market = self.accounts[account], self.market(asked.symbol)
        admitted = self._settlement.admit(holder, market, asked)
        now = self.clock.now_ns()
        order = Order(
            id=self.books.next_id(),
            account=account,
            asked=asked,
            client_id=asked.client_id,
            symbol=market.instrument.symbol,
            side=asked.side,
            kind=asked.kind,
            price=asked.price,
            size=admitted.size,
            stop_price=asked.stop_price,
            created_ns=now,
            updated_ns=now,
            status=Status.WAITING if asked.stop_price else Status.NEW,
        )
        self.books.add(order)
        self._settlement.lock(holder, market, order)
        self.tell(order, Change.NEW)
        if order.locked:
            self._settlement.tell_balance(market, order)
        if order.status is Status.NEW:
            self._settlement.work(market, order)
        else:
            market.waiting.append(order)
        self._settlement.trigger(market)
        self._settlement.fit_positions(market)
        self.publish(market)
        return order

    def cancel(self, order: Order, reason: Reason = Reason.BY_CLIENT) -> Order:
        """Cancel an open order; raises NOT_OPEN when it is finished."""
        if not order.status.open:
            raise Refused(Reason.NOT_OPEN, "the order is finished", order)
        market = self.markets[order.symbol]
        self._settlement.end(market, order, Status.CANCELED, reason)
        self.publish(market)
        return order

    def cancel_all(
        self, account: str, symbol: str | None = None, reason: Reason = Reason.BY_CLIENT
    ) -> list[Order]:
        """Cancel an account's open orders, of one instrument or all; the ones cancelled."""
        return [self.cancel(order, reason) for order in self.open_orders(account, symbol)]

    def amend(
        self,
        order: Order,
        *,
        price: int | None = None,
        size: int | None = None,
        client_id: str | None = None,
        stop_price: int | None = None,
        must_reduce: bool = False,
    ) -> Order:
        """Change an open order. A smaller size at the same price keeps its place in the queue;
        anything else goes to the back and may trade at once. `must_reduce` refuses the rest.
        """
        if not order.status.open:
            raise Refused(Reason.NOT_OPEN, "the order is finished", order)
        market = self.markets[order.symbol]
        self._settlement.amend(market, order, price, size, client_id, stop_price, must_reduce)
        self._settlement.trigger(market)
        self._settlement.fit_positions(market)
        self.publish(market)
        return order

    def tick(self) -> None:
        """Expire orders whose time is over."""
        now = self.clock.now_ns()
        for held in list(self.books.open.values()):
            for order in list(held.values()):
                if 0 < order.asked.expires_ns <= now:
                    market = self.markets[order.symbol]
                    self._settlement.end(market, order, Status.EXPIRED, Reason.BY_VENUE)
                    self.publish(market)

    def charge_funding(self, symbol: str, rate_ppm: int) -> None:
        """Longs pay shorts `rate_ppm` of their position's worth at the mark price."""
        self._settlement.charge_funding(self.market(symbol), rate_ppm)

    # ---- the outside market ------------------------------------------------------------------

    def apply(self, event: MarketInput) -> None:
        """The outside market moved; its symbol and digits must be the instrument's own."""
        market = self.market(event.symbol)
        if isinstance(event, TradeTick):
            self._settlement.outside_trade(market, event)
        else:
            book = market.book
            if isinstance(event, BookQuote):
                if event.bid > 0:
                    book.set_outside_best(Side.BUY, event.bid, event.bid_size)
                if event.ask > 0:
                    book.set_outside_best(Side.SELL, event.ask, event.ask_size)
            else:
                if event.snapshot:
                    book.clear_outside()
                for price, size in event.bids:
                    book.set_outside(Side.BUY, price, size)
                for price, size in event.asks:
                    book.set_outside(Side.SELL, price, size)
                if self.tape_only:
                    market.seq = max(market.seq, event.seq)
            self._settlement.fill_crossed(market)
        self._settlement.trigger(market)
        self._settlement.fit_positions(market)
        self.publish(market, event.venue_ns)

    # ---- telling -----------------------------------------------------------------------------

    def tell(self, order: Order, change: Change, fill: Fill | None = None) -> None:
        """Tell the listener what happened to an order."""
        order.seq += 1
        order.updated_ns = self.clock.now_ns()
        event = OrderEvent(
            change=change,
            order=msgspec.structs.replace(order),
            fill=fill,
            ts_ns=order.updated_ns,
        )
        self.listener.on_account(event)

    def print_trade(
        self, market: Market, price: int, size: int, taker: Side, trade_id: int, ts_ns: int = 0
    ) -> None:
        """A public trade: remembered, in the bars, and told."""
        now = self.clock.now_ns()
        trade = TradeTick(
            self.venue, market.instrument.symbol, market.instrument.digits,
            price, size, taker, str(trade_id), ts_ns or now, now,
        )  # fmt: skip
        market.last = price
        market.trades.append(trade)
        market.bars.add(trade)
        if not self.tape_only:
            self.listener.on_trade(market.instrument, trade)

    def publish(self, market: Market, ts_ns: int = 0) -> None:
        """Tell what changed in a book since the last time, levels first, then the best prices."""
        book, instrument = market.book, market.instrument
        if not book.touched:
            return
        now = self.clock.now_ns()
        if self.tape_only:
            book.touched.clear()
            market.quote = self._quote(market, ts_ns or now, now)
            return
        changed = sorted(book.touched)
        book.touched.clear()
        market.seq += 1
        bids, asks = (
            tuple((price, book.size_at(side, price)) for side, price in changed if side is wanted)
            for wanted in (Side.BUY, Side.SELL)
        )
        delta = BookDelta(
            self.venue, instrument.symbol, instrument.digits, False, bids, asks,
            now, now, market.seq, market.seq, market.seq - 1,
        )  # fmt: skip
        before, market.quote = market.quote, self._quote(market, now, now)
        self.listener.on_book(instrument, delta)
        after = market.quote
        if before is None or _prices(before) != _prices(after):
            self.listener.on_quote(instrument, after)

    def _quote(self, market: Market, ts_ns: int, now: int) -> BookQuote:
        bid = market.book.best(Side.BUY) or (0, 0)
        ask = market.book.best(Side.SELL) or (0, 0)
        return BookQuote(
            self.venue, market.instrument.symbol, market.instrument.digits,
            bid[0], ask[0], bid[1], ask[1], ts_ns, now, market.seq,
        )  # fmt: skip

    def snapshot(self, symbol: str, depth: int | None = None) -> BookDelta:
        """The whole book, best prices first, at its newest `seq`."""
        market = self.market(symbol)
        now = self.clock.now_ns()
        return BookDelta(
            self.venue, market.instrument.symbol, market.instrument.digits, True,
            tuple(market.book.levels(Side.BUY, depth)), tuple(market.book.levels(Side.SELL, depth)),
            now, now, market.seq, market.seq,
        )  # fmt: skip

    def spot_assets(self) -> set[str]:
        """Every asset that can be held."""
        found: set[str] = set()
        for market in self.markets.values():
            each = market.instrument
            found |= {each.base, each.quote} if is_spot(each) else {each.settle}
        return found


def _prices(quote: BookQuote) -> tuple[int, int, int, int]:
    return quote.bid, quote.ask, quote.bid_size, quote.ask_size


class OrderBooks:
    """Who has which orders and fills: by id, by client id, open ones apart."""

    def __init__(self, first_id: int) -> None:
        self._last_id = first_id
        self._by_id: dict[int, Order] = {}
        self._by_client_id: dict[tuple[str, str], Order] = {}
        self._of: dict[str, deque[Order]] = {}
        self.open: Final[dict[str, dict[int, Order]]] = {}
        self.fills: Final[dict[str, deque[Fill]]] = {}

    def next_id(self) -> int:
        """A new order id."""
        self._last_id += 1
        return self._last_id

    def add(self, order: Order) -> None:
        """Remember an order; the oldest finished one of a full account is forgotten."""
        kept = self._of.setdefault(order.account, deque())
        if len(kept) >= ORDERS_KEPT:
            self._forget(kept)
        kept.append(order)
        self._by_id[order.id] = order
        self.name(order)
        self.open.setdefault(order.account, {})[order.id] = order

    def name(self, order: Order) -> None:
        """Make an order known by its client id."""
        if order.client_id:
            self._by_client_id[order.account, order.client_id] = order

    def rename(self, order: Order, client_id: str) -> None:
        """An amended order is known by its new client id only."""
        if self._by_client_id.get((order.account, order.client_id)) is order:
            del self._by_client_id[order.account, order.client_id]
        order.client_id = client_id
        self.name(order)

    def close(self, order: Order) -> None:
        """The order is no longer open."""
        self.open[order.account].pop(order.id, None)

    def find(self, account: str, order_id: int | None, client_id: str) -> Order | None:
        """By exchange id, else by client id; only the account's own."""
        if order_id is not None:
            found = self._by_id.get(order_id)
            return found if found is not None and found.account == account else None
        return self._by_client_id.get((account, client_id)) if client_id else None

    def of(self, account: str) -> Iterator[Order]:
        """The account's orders, oldest first."""
        return iter(self._of.get(account, ()))

    def add_fill(self, fill: Fill) -> None:
        """Remember a fill."""
        self.fills.setdefault(fill.account, deque(maxlen=FILLS_KEPT)).append(fill)

    def _forget(self, kept: deque[Order]) -> None:
        for order in kept:
            if not order.status.open:
                kept.remove(order)
                del self._by_id[order.id]
                if self._by_client_id.get((order.account, order.client_id)) is order:
                    del self._by_client_id[order.account, order.client_id]
                return
