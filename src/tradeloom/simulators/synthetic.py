"""A made market: a book of some depth that breathes around a wandering price, and trades.

Everything comes from the seed, so the same seed is the same market, event by event. The pace is
`events_per_s` per instrument on average, in bursts as real markets have them.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterable, Iterator
from typing import Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, Level, TradeTick, VenueInstrument
from tradeloom.simulators.figures import scaled
from tradeloom.simulators.player import Tape
from tradeloom.simulators.references import reference

LEVELS: Final = 20
_DAY_S: Final = 86_400.0


def synthetic(
    instruments: Iterable[VenueInstrument],
    seed: int,
    start_ns: int,
    events_per_s: float = 10.0,
) -> Iterator[Tape]:
    """The merged market of all instruments, for ever; times start at `start_ns`."""
    markets = [_Made(each, seed, start_ns, events_per_s) for each in instruments]
    streams = [each.events() for each in markets]
    return heapq.merge(*streams, key=lambda tape: tape.ts_ns)


class _Made:
    """One instrument."""

    def __init__(self, at: VenueInstrument, seed: int, start_ns: int, events_per_s: float) -> None:
        known = reference(at.base)
        self.at: Final = at
        self.dice: Final = random.Random(f"{seed}/{at.venue}/{at.symbol}")  # noqa: S311
        self.now_ns = start_ns
        self.gap_s: Final = 1.0 / events_per_s
        self.tick: Final = max(1, at.tick)
        self.step: Final = max(1, at.step)
        self.middle = scaled(known.price, 12) // 10 ** (12 - at.digits)
        # A log-normal walk whose day has the reference's swing.
        self.sigma: Final = known.daily_percent / 100 * math.sqrt(self.gap_s / _DAY_S)
        # Levels a few basis points apart make a book that is deep enough to trade on.
        self.spacing: Final = max(self.tick, self.middle // 20_000 // self.tick * self.tick)
        self.unit: Final = self._unit()
        self.shown: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}

    def _unit(self) -> int:
        """A usual size: some five thousand dollars' worth, in whole steps."""
        worth = 5_000 * 10**8 * 10**self.at.digits // max(1, self.middle)
        top, bottom = self.at.contract_size.as_integer_ratio()
        size = 5_000 * 10**8 * bottom // top if self.at.inverse else worth * bottom // top
        return max(self.step, size // self.step * self.step)

    def events(self) -> Iterator[Tape]:
        yield self._tape(self._delta(snapshot=True))
        while True:
            burst = self.dice.random() < 0.2
            gap_s = self.dice.expovariate(1.0 / self.gap_s) * (0.1 if burst else 1.225)
            self.now_ns += max(1_000, round(gap_s * 1e9))
            if self.dice.random() < 0.3:
                yield self._tape(self._trade())
                continue
            self.middle = max(
                self.spacing * (LEVELS + 2),
                round(self.middle * math.exp(self.dice.gauss(0.0, self.sigma))),
            )
            delta = self._delta(snapshot=False)
            if delta.bids or delta.asks:
                yield self._tape(delta)

    def _tape(self, event: BookDelta | BookQuote | TradeTick) -> Tape:
        return Tape(self.now_ns, event)

    def _best(self, side: Side) -> int:
        """The inner price of a side: at least a tick apart, on the tick."""
        half = max(self.tick, self.spacing // 4)
        if side is Side.BUY:
            best: int = (self.middle - half) // self.tick * self.tick
        else:
            best = -(-(self.middle + half) // self.tick) * self.tick
        return best

    def _delta(self, snapshot: bool) -> BookDelta:
        changed: dict[Side, tuple[Level, ...]] = {}
        for side in (Side.BUY, Side.SELL):
            wanted = self._wanted(side)
            shown = self.shown[side]
            rows = [(price, 0) for price in shown if price not in wanted]
            rows += [(price, size) for price, size in wanted.items() if shown.get(price) != size]
            self.shown[side] = wanted
            changed[side] = tuple(rows)
        return BookDelta(
            self.at.venue, self.at.symbol, self.at.digits, snapshot,
            changed[Side.BUY], changed[Side.SELL], self.now_ns, self.now_ns,
        )  # fmt: skip

    def _wanted(self, side: Side) -> dict[int, int]:
        best, shown = self._best(side), self.shown[side]
        away = -1 if side is Side.BUY else 1
        # Levels lie on a fixed grid, so that a small move of the middle leaves most in place.
        first = best // self.spacing * self.spacing if side is Side.BUY else (
            -(-best // self.spacing) * self.spacing
        )  # fmt: skip
        prices = {best, *(first + away * n * self.spacing for n in range(LEVELS))}
        wanted = {}
        for price in prices:
            keep = price in shown and self.dice.random() < 0.9
            wanted[price] = shown[price] if keep else self._size()
        return wanted

    def _size(self) -> int:
        size = round(self.unit * self.dice.lognormvariate(0.0, 1.0))
        return max(self.step, size // self.step * self.step)

    def _trade(self) -> TradeTick:
        taker = self.dice.choice((Side.BUY, Side.SELL))
        book = self.shown[Side.SELL if taker is Side.BUY else Side.BUY]
        price = min(book) if taker is Side.BUY else max(book)
        size = min(book[price], max(self.step, self._size() // 4 // self.step * self.step))
        return TradeTick(
            self.at.venue, self.at.symbol, self.at.digits, price, size, taker, "",
            self.now_ns, self.now_ns,
        )  # fmt: skip
