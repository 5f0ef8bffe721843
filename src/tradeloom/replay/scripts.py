"""What the scripted accounts do: at every step, some of them turn market and dice into commands.

Decisions see the quotes before them and nothing else; they are integers throughout, so the same
seed and the same ticks make the same commands everywhere.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tradeloom.domain.enums import OrderType, Side, TimeInForce
from tradeloom.engine.batches import Batch, rows
from tradeloom.replay.cast import Cast, Int64, Script
from tradeloom.replay.dice import below, roll

# Each account acts once in so many steps.
PERIOD: Final = 8
_LIFETIME_NS: Final = 600_000_000_000  # of a pending order: ten minutes
# A step's typical distance is at least this part of the price: 1/5000 is two basis points.
_DISTANCE: Final = 5000
_SLOWNESS: Final = 4  # the slow average takes 1/16 of the way to the price at every step
_LEVERAGES: Final = np.array([20, 50, 100, 125])


class Scripts:
    """Carries what the scripts remember of the market; `commands` is called once per step."""

    def __init__(self, cast: Cast, index: Int64, thousand: Int64, volume_max: Int64, seed: int):
        self._cast = cast
        self._index = index  # of each market instrument in the engine
        self._thousand = thousand
        self._volume_max = volume_max
        self._seed = seed
        self._slow = np.zeros(len(index), np.int64)

    def commands(self, step: int, ts: int, bid: Int64, ask: Int64) -> list[Batch]:
        """Commands of one step at `ts` (UTC ns); quotes of 0 are instruments not seen yet."""
        mid = (bid + ask) // 2
        self._slow += np.where(self._slow == 0, mid, (mid - self._slow) >> _SLOWNESS)
        lanes = np.arange(step % PERIOD, len(self._cast.account), PERIOD)
        lanes = lanes[bid[self._cast.home[lanes]] > 0]
        if not len(lanes):
            return []
        turn = _Turn(self, step, ts, lanes, bid, ask)
        return [batch for batch in turn.play() if len(batch)]

    @property
    def cast(self) -> Cast:
        """Who trades."""
        return self._cast


class _Turn:
    """One step: columns with a row for each account whose turn it is."""

    def __init__(
        self, scripts: Scripts, step: int, ts: int, lanes: Int64, bid: Int64, ask: Int64
    ) -> None:
        cast = scripts._cast
        self.ts = ts
        self.account = cast.account[lanes]
        self.script = cast.script[lanes]
        self.home = cast.home[lanes]
        self.dollars = cast.dollars[lanes]
        self.bid, self.ask = bid[self.home], ask[self.home]
        self.instrument = scripts._index[self.home]
        self.thousand = scripts._thousand[self.home]
        self.volume_max = scripts._volume_max[self.home]
        self.dice = roll(scripts._seed, step, self.account)
        self.rising = self.bid + self.ask >= 2 * scripts._slow[self.home]
        # A distance that the spread does not eat at once, in points.
        self.unit = np.maximum(2 * (self.ask - self.bid), self.bid // _DISTANCE) + 1

    def play(self) -> list[Batch]:
        """The commands, those that make room first."""
        leaving = (
            (self._is(Script.TREND) & self._chance(8, 0))
            | (self._is(Script.HEDGER) & self._chance(3, 0))
            | (self._is(Script.GAMBLER) & self._chance(10, 0))
        )
        grid = self._is(Script.GRID)
        entering = ~leaving & ~grid
        return [
            self._plain("CancelAll", np.flatnonzero(grid & self._chance(2, 0))),
            self._plain("CloseAll", np.flatnonzero(leaving | (grid & self._chance(4, 16)))),
            self._market(np.flatnonzero(entering)),
            self._ladder(np.flatnonzero(grid)),
        ]

    def _is(self, script: Script) -> NDArray[np.bool_]:
        return np.asarray(self.script == script)

    def _chance(self, one_in: int, shift: int) -> NDArray[np.bool_]:
        return np.asarray(below(self.dice, one_in, shift) == 0)

    def _plain(self, name: str, who: Int64) -> Batch:
        batch = self._rows(name, who)
        batch["instrument"] = self.instrument[who]
        return batch

    def _rows(self, name: str, who: Int64) -> Batch:
        batch = rows(name, len(who))
        batch["ts"] = self.ts
        batch["account"] = self.account[who]
        return batch

    def _volume(self, who: Int64, thousands: Any) -> Int64:
        wanted = self.thousand[who] * np.maximum(thousands, 1)
        return np.asarray(np.minimum(wanted, self.volume_max[who]), np.int64)

    def _market(self, who: Int64) -> Batch:
        script, dice, unit = self.script[who], self.dice[who], self.unit[who]
        coin = below(dice, 2, 32) == 0
        stubborn = self.account[who] % np.uint64(2) == 0  # gamblers never change their mind
        buys = np.select(
            [script == Script.TREND, script == Script.GAMBLER], [self.rising[who], stubborn], coin
        )
        price = np.where(buys, self.bid[who], self.ask[who])  # where it would close
        away = np.where(buys, 1, -1)
        batch = self._rows("PlaceOrder", who)
        batch["instrument"] = self.instrument[who]
        batch["side"] = np.where(buys, int(Side.BUY), int(Side.SELL))
        batch["type_"], batch["tif"] = int(OrderType.MARKET), int(TimeInForce.GTC)
        batch["max_deviation"] = -1
        trend, scalper = script == Script.TREND, script == Script.SCALPER
        loss = np.select([trend, scalper], [12 * unit, 3 * unit], 0)
        gain = np.select([trend, scalper], [40 * unit, 2 * unit], 0)
        batch["sl"] = np.where(loss > 0, np.maximum(price - away * loss, 1), 0)
        batch["tp"] = np.where(gain > 0, np.maximum(price + away * gain, 1), 0)
        batch["trailing"] = np.where(trend & (below(dice, 2, 48) == 0), 8 * unit, 0)
        batch["trailing_step"] = np.where(batch["trailing"] > 0, unit, 0)
        # Scalpers take nothing worse than what they saw.
        batch["price"] = np.where(scalper, np.where(buys, self.ask[who], self.bid[who]), 0)
        batch["max_deviation"] = np.where(scalper, unit, -1)
        isolated = script == Script.ISOLATED
        leverage = np.where(isolated, _LEVERAGES[below(dice, len(_LEVERAGES), 48)], 0)
        batch["leverage"] = leverage
        batch["flags_"] = isolated
        dollars = self.dollars[who]
        thousands = np.select(
            [script == Script.GAMBLER, isolated],
            [dollars * 600 // 1000, dollars * leverage // 20_000],
            1 + below(dice, 5, 16) * dollars // 3000,
        )
        batch["volume"] = self._volume(who, thousands)
        return batch

    def _ladder(self, who: Int64) -> Batch:
        """Two limits and two stops around the price, on each side; half of them as OCO."""
        batch = self._rows("PlaceOrder", np.tile(who, len(_RUNGS)))
        bid, ask, unit, dice = self.bid[who], self.ask[who], self.unit[who], self.dice[who]
        batch["tif"] = int(TimeInForce.GTD)
        batch["expire"] = self.ts + _LIFETIME_NS
        batch["max_deviation"] = -1
        paired = below(dice, 2, 48) == 0
        oco = np.where(paired, dice >> np.uint64(1), np.uint64(0))
        volume = self._volume(who, 1 + below(dice, 3, 32))
        for number, (kind, side) in enumerate(_RUNGS):
            rung = batch[number * len(who) : (number + 1) * len(who)]
            lower = (kind is OrderType.LIMIT) == (side is Side.BUY)
            price = (bid if lower else ask) + (-1 if lower else 1) * unit * (2 + number)
            out = 1 if side is Side.BUY else -1
            rung["instrument"] = self.instrument[who]
            rung["side"], rung["type_"] = int(side), int(kind)
            rung["price"] = np.maximum(price, 1)
            rung["sl"] = np.maximum(price - out * 10 * unit, 1)
            rung["tp"] = np.maximum(price + out * 6 * unit, 1)
            rung["oco"], rung["volume"] = oco, volume
        return batch


_RUNGS: Final = (
    (OrderType.LIMIT, Side.BUY),
    (OrderType.LIMIT, Side.SELL),
    (OrderType.STOP, Side.BUY),
    (OrderType.STOP, Side.SELL),
)
