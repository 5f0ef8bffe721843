"""The judge of the matching engine: the same rules over plain lists, written to be obvious.

A price is a list of pieces in the order of time: `["out", size]` of the outside market, or
`["order", id, left]` of a client. Everything is found by looking through everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BUY, SELL = "buy", "sell"
OTHER = {BUY: SELL, SELL: BUY}


@dataclass
class NaiveBook:
    sides: dict[str, dict[int, list[list[Any]]]] = field(
        default_factory=lambda: {BUY: {}, SELL: {}}
    )
    fills: list[tuple[int | None, int | None, int, int]] = field(default_factory=list)
    owner: dict[int, str] = field(default_factory=dict)

    def prices(self, side: str) -> list[int]:
        """Best first."""
        self._tidy()
        return sorted(self.sides[side], reverse=side == BUY)

    def _tidy(self) -> None:
        for levels in self.sides.values():
            for price, pieces in list(levels.items()):
                levels[price] = []
                for piece in pieces:
                    last = levels[price][-1] if levels[price] else None
                    if piece[0] == "out" and last and last[0] == "out":
                        last[1] += piece[1]  # neighbours of the outside market are one piece
                    elif piece[-1] > 0:
                        levels[price].append(piece)
                if not levels[price]:
                    del levels[price]

    def shown(self, side: str) -> list[tuple[int, int]]:
        return [
            (price, sum(piece[-1] for piece in self.sides[side][price]))
            for price in self.prices(side)
        ]

    def left(self) -> dict[int, int]:
        return {
            piece[1]: piece[2]
            for levels in self.sides.values()
            for pieces in levels.values()
            for piece in pieces
            if piece[0] == "order"
        }

    # ---- clients -----------------------------------------------------------------------------

    def reaches(self, side: str, price: int, limit: int | None) -> bool:
        """Whether a taker of `side` with `limit` would take `price`."""
        if limit is None:
            return True
        return price <= limit if side == BUY else price >= limit

    def available(self, side: str, limit: int | None, owner: str) -> int:
        return sum(
            piece[-1]
            for price in self.prices(OTHER[side])
            if self.reaches(side, price, limit)
            for piece in self.sides[OTHER[side]][price]
            if piece[0] == "out" or self.owner[piece[1]] != owner
        )

    def crosses(self, side: str, price: int) -> bool:
        best = self.prices(OTHER[side])
        return bool(best) and self.reaches(side, best[0], price)

    def take(self, taker: int, side: str, limit: int | None, size: int) -> int:
        """Match an order; what is left of it."""
        while size:
            prices = self.prices(OTHER[side])
            if not prices or not self.reaches(side, prices[0], limit):
                break
            piece = self.sides[OTHER[side]][prices[0]][0]
            part = min(size, piece[-1])
            piece[-1] -= part
            size -= part
            self.fills.append((taker, piece[1] if piece[0] == "order" else None, prices[0], part))
        return size

    def rest(self, order: int, owner: str, side: str, price: int, size: int) -> None:
        self.owner[order] = owner
        self.sides[side].setdefault(price, []).append(["order", order, size])

    def drop(self, order: int) -> None:
        for levels in self.sides.values():
            for pieces in levels.values():
                pieces[:] = [each for each in pieces if each[:2] != ["order", order]]

    def shrink(self, order: int, left: int) -> None:
        for levels in self.sides.values():
            for pieces in levels.values():
                for piece in pieces:
                    if piece[:2] == ["order", order]:
                        piece[2] = left

    # ---- the outside market ------------------------------------------------------------------

    def outside(self, side: str, price: int, size: int) -> None:
        """The level's outside size is now `size`: it grows and shrinks at the end of the queue."""
        pieces = self.sides[side].setdefault(price, [])
        missing = size - sum(each[1] for each in pieces if each[0] == "out")
        if missing > 0:
            pieces.append(["out", missing])
        for piece in reversed(pieces):
            if missing < 0 and piece[0] == "out":
                part = min(piece[1], -missing)
                piece[1] -= part
                missing += part
        self._tidy()

    def outside_best(self, side: str, price: int, size: int) -> None:
        for better in self.prices(side):
            if better != price and self.reaches(OTHER[side], better, price):
                self.outside(side, better, 0)
        self.outside(side, price, size)
        for crossed in self.prices(OTHER[side]):
            if self.reaches(side, crossed, price):
                self.outside(OTHER[side], crossed, 0)

    def trade(self, taker: str, price: int, size: int) -> None:
        """The tape shows a trade: orders in its way fill, those behind outside size move up."""
        maker = OTHER[taker]
        for at in self.prices(maker):
            if not self.reaches(taker, at, price):
                return
            pieces, behind = self.sides[maker][at], []
            for piece in pieces:
                if piece[0] == "out" and at != price:
                    continue  # a better outside size that the tape did not see: it is stale
                part = min(size, piece[-1])
                if piece[0] == "out":
                    # The tape does not take from the level: that is for its next update to say.
                    behind.append(["out", part])
                elif part:
                    self.fills.append((None, piece[1], at, part))
                piece[-1] -= part
                size -= part
            pieces += behind
            self._tidy()
            if at == price:
                return

    def cross(self) -> None:
        """The outside market moved over orders: they fill at their own price."""
        for side in (BUY, SELL):
            while True:
                outs = [
                    (price, piece)
                    for price in self.prices(OTHER[side])
                    for piece in self.sides[OTHER[side]][price]
                    if piece[0] == "out"
                ]
                orders = [
                    (price, piece)
                    for price in self.prices(side)
                    for piece in self.sides[side][price]
                    if piece[0] == "order"
                ]
                if not outs or not orders:
                    break
                (out_price, _), (price, order) = outs[0], orders[0]
                if not self.reaches(side, out_price, price):
                    break
                level = self.sides[OTHER[side]][out_price]
                whole = sum(each[1] for each in level if each[0] == "out")
                part = left = min(order[2], whole)
                for piece in level:
                    if piece[0] == "out":
                        eaten = min(left, piece[1])
                        piece[1] -= eaten
                        left -= eaten
                order[2] -= part
                self.fills.append((None, order[1], price, part))
