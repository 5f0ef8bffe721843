"""The order book of one instrument: the outside market's size per price, and our clients' orders.

The outside market (a recording, or a made one) is known per price only, not per order. Our
clients' orders queue in it by price, then time: an order that joins a price stands behind the
outside size there (`Order.ahead`), moves up when trades at that price or a shrinking outside size
eat what is ahead of it, and fills when its turn comes. Nothing here knows accounts or wires.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final, NamedTuple

from tradeloom.domain.enums import Side
from tradeloom.simulators.orders import Order, opposite


class Take(NamedTuple):
    """A piece of a match; `maker` is None where the outside market was the other side."""

    price: int
    size: int
    maker: Order | None


class _Level:
    __slots__ = ("orders", "outside")

    def __init__(self) -> None:
        self.outside = 0
        self.orders: list[Order] = []

    @property
    def size(self) -> int:
        return self.outside + sum(order.left for order in self.orders)

    def eat_outside(self, size: int) -> None:
        self.outside -= size
        for order in self.orders:
            order.ahead = max(0, order.ahead - size)


class _Half:
    """One side; keys grow toward the best price, which is last."""

    def __init__(self, sign: int) -> None:
        self.sign: Final = sign
        self.keys: list[int] = []
        self.levels: dict[int, _Level] = {}

    def best(self) -> int | None:
        return self.sign * self.keys[-1] if self.keys else None

    def at(self, price: int) -> _Level:
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = _Level()
            insort(self.keys, self.sign * price)
        return level

    def drop_if_empty(self, price: int) -> None:
        level = self.levels.get(price)
        if level is not None and not level.orders and not level.outside:
            del self.levels[price]
            del self.keys[bisect_left(self.keys, self.sign * price)]

    def from_best(self) -> Iterator[tuple[int, _Level]]:
        # By index from the end: a reader may remove the level it was given, never a worse one.
        for at in range(len(self.keys) - 1, -1, -1):
            price = self.sign * self.keys[at]
            yield price, self.levels[price]

    def reaches(self, price: int, limit: int) -> bool:
        """Whether `price` of this side is at least as good for a taker as `limit`."""
        return self.sign * price >= self.sign * limit


class Book:
    """Bids and asks of one instrument. `touched` collects changed prices until they are told."""

    def __init__(self) -> None:
        self._halves = {Side.BUY: _Half(1), Side.SELL: _Half(-1)}
        self.touched: set[tuple[Side, int]] = set()

    # ---- looking -----------------------------------------------------------------------------

    def best(self, side: Side) -> tuple[int, int] | None:
        """The best price of a side and the whole size there."""
        half = self._halves[side]
        price = half.best()
        return None if price is None else (price, half.levels[price].size)

    def size_at(self, side: Side, price: int) -> int:
        """The whole size at a price: outside and ours."""
        level = self._halves[side].levels.get(price)
        return level.size if level else 0

    def outside_at(self, side: Side, price: int) -> int:
        """The outside market's size at a price."""
        level = self._halves[side].levels.get(price)
        return level.outside if level else 0

    def levels(self, side: Side, depth: int | None = None) -> list[tuple[int, int]]:
        """Prices and sizes of a side, best first."""
        found: list[tuple[int, int]] = []
        for price, level in self._halves[side].from_best():
            if depth is not None and len(found) >= depth:
                break
            found.append((price, level.size))
        return found

    def crosses(self, side: Side, price: int) -> bool:
        """Whether an order of `side` at `price` would trade at once."""
        other = self._halves[opposite(side)]
        best = other.best()
        return best is not None and other.reaches(best, price)

    def available(self, side: Side, limit: int | None, account: str | None = None) -> int:
        """The size an order of `side` could take up to `limit`, `account`'s own orders left out."""
        other = self._halves[opposite(side)]
        total = 0
        for price, level in other.from_best():
            if limit is not None and not other.reaches(price, limit):
                break
            total += level.outside
            total += sum(order.left for order in level.orders if order.account != account)
        return total

    # ---- our orders --------------------------------------------------------------------------

    def rest(self, order: Order) -> None:
        """Put an order at the end of the queue of its price."""
        level = self._halves[order.side].at(order.price)
        order.ahead = level.outside
        level.orders.append(order)
        self.touched.add((order.side, order.price))

    def remove(self, order: Order) -> None:
        """Take a resting order out."""
        half = self._halves[order.side]
        half.levels[order.price].orders.remove(order)
        half.drop_if_empty(order.price)
        self.touched.add((order.side, order.price))

    def touch(self, order: Order) -> None:
        """Say that the size of a resting order changed."""
        self.touched.add((order.side, order.price))

    def queue(self, side: Side, price: int) -> list[Order]:
        """Our resting orders at a price, first to trade first."""
        level = self._halves[side].levels.get(price)
        return level.orders if level else []

    def next_take(self, side: Side, limit: int | None) -> Take | None:
        """What a taker of `side` would trade with next, at `limit` or better; takes nothing."""
        other = self._halves[opposite(side)]
        price = other.best()
        if price is None or (limit is not None and not other.reaches(price, limit)):
            return None
        level = other.levels[price]
        if not level.orders:
            return Take(price, level.outside, None)
        first = level.orders[0]
        before = min(first.ahead, level.outside)
        return Take(price, before, None) if before else Take(price, first.left, first)

    def take_outside(self, side: Side, price: int, size: int) -> None:
        """A taker of `side` consumed outside size at `price`."""
        half = self._halves[opposite(side)]
        half.levels[price].eat_outside(size)
        half.drop_if_empty(price)
        self.touched.add((opposite(side), price))

    # ---- the outside market ------------------------------------------------------------------

    def set_outside(self, side: Side, price: int, size: int) -> None:
        """The outside market now shows `size` at `price`; 0 removes it."""
        half = self._halves[side]
        level = half.levels.get(price)
        if level is None:
            if size:
                half.at(price).outside = size
                self.touched.add((side, price))
            return
        if level.outside == size:
            return
        level.outside = size
        for order in level.orders:
            order.ahead = min(order.ahead, size)
        half.drop_if_empty(price)
        self.touched.add((side, price))

    def set_outside_best(self, side: Side, price: int, size: int) -> None:
        """The outside market's best of `side` is `price`: whatever was better is gone."""
        half = self._halves[side]
        for better, level in half.from_best():
            if better == price or not half.reaches(better, price):
                break
            if level.outside:
                self.set_outside(side, better, 0)
        self.set_outside(side, price, size)
        other = self._halves[opposite(side)]
        for crossed, level in other.from_best():
            if not other.reaches(crossed, price):
                break
            if level.outside:
                self.set_outside(opposite(side), crossed, 0)

    def clear_outside(self) -> None:
        """Forget the outside market; our clients' orders stay."""
        for side, half in self._halves.items():
            for price, level in half.from_best():
                if level.outside:
                    self.set_outside(side, price, 0)

    def hit_by(self, taker: Side, price: int, size: int) -> Iterator[tuple[Order, int]]:
        """Our orders that a trade of the outside market would have filled, and by how much.

        Orders priced better than `price` stood in its way and come first; at `price` the outside
        size ahead is eaten first. The caller fills each order before it asks for the next.
        """
        half = self._halves[opposite(taker)]
        for at, level in half.from_best():
            if not half.reaches(at, price) or size <= 0:
                return
            for order in level.orders.copy():
                if at == price:
                    before = min(order.ahead, size)
                    # Everyone in the queue moves up by what traded ahead of this order.
                    for each in level.orders:
                        each.ahead = max(0, each.ahead - before)
                    size -= before
                if size <= 0:
                    return
                part = min(order.left, size)
                size -= part
                yield order, part
            if at == price:
                for each in level.orders:
                    each.ahead = max(0, each.ahead - size)
                return

    def crossed_orders(self) -> Iterator[tuple[Order, int, int]]:
        """Our orders that the outside market crosses: order, size, and the outside price.

        The caller fills the order and consumes that outside size before it asks for the next.
        """
        for side, half in self._halves.items():
            other = self._halves[opposite(side)]
            while True:
                found = self._first_crossed(half, other)
                if found is None:
                    break
                yield found

    @staticmethod
    def _first_crossed(half: _Half, other: _Half) -> tuple[Order, int, int] | None:
        outside = next(((price, lv) for price, lv in other.from_best() if lv.outside), None)
        if outside is None:
            return None
        for price, level in half.from_best():
            if not other.reaches(outside[0], price):
                return None
            if level.orders:
                order = level.orders[0]
                return order, min(order.left, outside[1].outside), outside[0]
        return None
