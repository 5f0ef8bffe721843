"""The matching engine against a naive one, and its money against arithmetic."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulators.naive import BUY, SELL, NaiveBook
from tests.simulators.tools import Heard, exchange
from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick
from tradeloom.simulators.exchange import Exchange
from tradeloom.simulators.orders import (
    Fill,
    Force,
    NewOrder,
    Order,
    OrderEvent,
    OrderKind,
    Refused,
)

SIDE = {BUY: Side.BUY, SELL: Side.SELL}
_prices = st.integers(95, 105)
_sizes = st.integers(1, 9)
_sides = st.sampled_from((BUY, SELL))
_orders = st.tuples(
    st.sampled_from(("limit", "ioc", "fok", "post", "market")),
    st.sampled_from(("a", "b")), _sides, _prices, _sizes,
)  # fmt: skip
_operations = st.lists(
    st.one_of(
        st.tuples(st.just("order"), _orders),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("amend"), st.tuples(st.integers(0, 30), _prices, _sizes)),
        st.tuples(st.just("level"), st.tuples(_sides, _prices, st.integers(0, 9))),
        st.tuples(st.just("best"), st.tuples(_prices, st.integers(1, 3), _sizes, _sizes)),
        st.tuples(st.just("trade"), st.tuples(_sides, _prices, _sizes)),
    ),
    max_size=40,
)


class Duel:
    """Both engines, given the same operations."""

    def __init__(self) -> None:
        self.made, self.heard, _ = exchange()
        self.naive = NaiveBook()
        self.placed: list[tuple[Order, str]] = []

    def run(self, kind: str, what: object) -> None:
        getattr(self, f"_{kind}")(what)
        book = self.made.markets["BTCUSDT"].book
        for side in (BUY, SELL):
            assert book.levels(SIDE[side]) == self.naive.shown(side)
        resting = {
            each.id: each.left for name in ("a", "b") for each in self.made.open_orders(name)
        }
        assert resting == self.naive.left()
        assert _fills(self.heard) == self.naive.fills

    def _order(self, what: tuple[str, str, str, int, int]) -> None:
        kind, owner, side, price, size = what
        asked = NewOrder(
            symbol="BTCUSDT", side=SIDE[side], size=size,
            kind=OrderKind.MARKET if kind == "market" else OrderKind.LIMIT,
            price=0 if kind == "market" else price, post_only=kind == "post",
            force={"ioc": Force.IOC, "fok": Force.FOK}.get(kind, Force.GTC),
        )  # fmt: skip
        limit = None if kind == "market" else price
        if kind == "post" and self.naive.crosses(side, price):
            assert _refused(self.made, owner, asked)
            return
        order = self.made.place(owner, asked)
        self.placed.append((order, side))
        if kind == "fok" and self.naive.available(side, limit, owner) < size:
            return
        left = self.naive.take(order.id, side, limit, size)
        if left and kind in ("limit", "post"):
            self.naive.rest(order.id, owner, side, price, left)

    def _cancel(self, number: int) -> None:
        if number < len(self.placed) and self.placed[number][0].status.open:
            order = self.placed[number][0]
            self.made.cancel(order)
            self.naive.drop(order.id)

    def _amend(self, what: tuple[int, int, int]) -> None:
        number, price, size = what
        if number >= len(self.placed) or not self.placed[number][0].status.open:
            return
        order, side = self.placed[number]
        before, filled = (order.price, order.size), order.filled
        if size <= filled:
            return
        if order.asked.post_only and self.naive_would_take(order, side, price, size):
            return
        self.made.amend(order, price=price, size=size)
        if price == before[0] and size <= before[1]:
            self.naive.shrink(order.id, size - filled)
            return
        self.naive.drop(order.id)
        left = self.naive.take(order.id, side, price, size - filled)
        if left:
            self.naive.rest(order.id, order.account, side, price, left)

    def naive_would_take(self, order: Order, side: str, price: int, size: int) -> bool:
        keeps = price == order.price and size <= order.size
        return not keeps and self.naive.crosses(side, price)

    def _level(self, what: tuple[str, int, int]) -> None:
        side, price, size = what
        rows = ((price, size),)
        self.made.apply(
            BookDelta(
                "test", "BTCUSDT", 2, False, rows if side == BUY else (),
                rows if side == SELL else (), 0, 0,
            )
        )  # fmt: skip
        self.naive.outside(side, price, size)
        self.naive.cross()

    def _best(self, what: tuple[int, int, int, int]) -> None:
        bid, gap, bid_size, ask_size = what
        self.made.apply(BookQuote("test", "BTCUSDT", 2, bid, bid + gap, bid_size, ask_size, 0, 0))
        self.naive.outside_best(BUY, bid, bid_size)
        self.naive.outside_best(SELL, bid + gap, ask_size)
        self.naive.cross()

    def _trade(self, what: tuple[str, int, int]) -> None:
        side, price, size = what
        self.made.apply(TradeTick("test", "BTCUSDT", 2, price, size, SIDE[side], "", 0, 0))
        self.naive.trade(side, price, size)


def _refused(made: Exchange, owner: str, asked: NewOrder) -> bool:
    try:
        made.place(owner, asked)
    except Refused:
        return True
    return False


def _fills(heard: Heard) -> list[tuple[int | None, int | None, int, int]]:
    """(taker, maker, price, size) per trade, from the events of both sides."""
    trades: dict[int, dict[bool, Fill]] = {}
    for event in heard.account:
        if isinstance(event, OrderEvent) and event.fill is not None:
            trades.setdefault(event.fill.trade_id, {})[event.fill.maker] = event.fill
    return [
        (
            sides[False].order_id if False in sides else None,
            sides[True].order_id if True in sides else None,
            next(iter(sides.values())).price,
            next(iter(sides.values())).size,
        )
        for _, sides in sorted(trades.items())
    ]


@settings(max_examples=300, deadline=None)
@given(_operations)
def test_it_matches_as_the_naive_one_does(operations: list[tuple[str, object]]) -> None:
    duel = Duel()
    for kind, what in operations:
        duel.run(kind, what)
    _money_adds_up(duel)


def _money_adds_up(duel: Duel) -> None:
    """Every asset of both accounts is what their fills say, and locked is what is open."""
    made = duel.made
    for name, account in made.accounts.items():
        fills = made.fills(name)
        signed = [(each, 1 if each.side is Side.BUY else -1) for each in fills]
        base, quoted = account.balance("BTC"), account.balance("USDT")
        start = 10**9 * 10**8
        assert base.free + base.locked == start + sum(sign * each.size for each, sign in signed)
        assert quoted.free + quoted.locked == start - sum(sign * each.cost for each, sign in signed)
        open_orders = made.open_orders(name)
        assert base.locked == sum(each.left for each in open_orders if each.side is Side.SELL)
        assert quoted.locked == sum(each.locked for each in open_orders if each.side is Side.BUY)
    assert [each.id for each, _ in duel.placed] == sorted(each.id for each, _ in duel.placed)
