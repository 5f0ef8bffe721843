"""The endless, reproducible ticks of one generated instrument, a batch at a time.

Nothing here depends on a library's random numbers or on floating point: numbers come from
SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014)
counted from the seed, and everything after them is integer arithmetic. The same seed gives the
same ticks on every machine.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tradeloom.marketdata.calendar import Calendar
from tradeloom.marketdata.profile import (
    BLOCK_TICKS,
    GRID,
    ONE,
    PROBABILITY_BITS,
    REGIMES,
    Profile,
    Table,
)
from tradeloom.marketdata.quotes import Int64Array

UInt64Array = npt.NDArray[np.uint64]

_PERCENT: Final = 100
# Blocks drawn together: enough ticks that numpy's cost per call vanishes, few enough that an
# instrument which ticks once a second is not drawn for a day ahead.
_BLOCKS: Final = 128
_TICKS: Final = _BLOCKS * BLOCK_TICKS
# Random words per batch: two for every tick, one for every block.
_WORDS: Final = 2 * _TICKS + _BLOCKS
# Quantile tables are looked up by the top 12 of 24 bits.
_BUCKET_BITS: Final = PROBABILITY_BITS - 12
_HALF_16: Final = 1 << 15
_MASK_64: Final = 2**64 - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_WORD_NUMBERS: Final = np.arange(1, _WORDS + 1, dtype=np.uint64) * np.uint64(_GOLDEN)


class Ticks(NamedTuple):
    """A batch: UTC nanoseconds, moves of the bid, and spreads, the latter two in points."""

    ts_ns: Int64Array
    move: Int64Array
    spread: Int64Array


class Tape:
    """Draws one instrument's ticks for ever, from `start_ns` (UTC) on.

    `pace`, `move` and `spread` are percentages of the profile's; `seed` is any u64.
    """

    def __init__(
        self,
        profile: Profile,
        calendar: Calendar,
        *,
        seed: int,
        start_ns: int,
        pace: int,
        move: int,
        spread: int,
    ) -> None:
        self._calendar = calendar
        self._word = seed & _MASK_64
        self._busy_ns = int(calendar.to_busy(np.array([start_ns], np.int64))[0])
        self._percent = (pace, move, spread)
        self._turn = profile.turn
        self._stir = profile.stir
        self._chain = [(calm, calm + normal) for calm, normal, _ in profile.chain]
        self._gap = _Quantiles(profile.gap_ns)
        self._move = _Quantiles(profile.move)
        self._spread = _Quantiles(profile.spread)
        self._regime = 0
        self._falling = 0
        self._place = seed & (ONE - 1)

    def draw(self) -> Ticks:
        """Return the next batch; it never starts before the end of the last one."""
        words = self._words()
        first, second = words[:_TICKS], words[_TICKS : 2 * _TICKS]
        regime = np.repeat(self._regimes(words[2 * _TICKS :]), BLOCK_TICKS)
        pace, move_percent, spread_percent = self._percent
        gap = self._gap.draw(regime, _bits(first, 0, PROBABILITY_BITS))
        size = self._move.draw(regime, _bits(first, 24, PROBABILITY_BITS))
        # Scaling to a coarser instrument rounds up or down at random: the average stays.
        dither = _bits(second, 0, 16) * _PERCENT >> 16
        if move_percent != _PERCENT:
            size = (size * move_percent + dither) // _PERCENT
        busy = self._busy_ns + np.cumsum(gap * _PERCENT // pace)
        self._busy_ns = int(busy[-1])
        move = self._directed(size, _bits(second, 40, PROBABILITY_BITS))
        spread = self._spread.draw(regime, self._stirred(_bits(first, 48, 16)))
        if spread_percent != _PERCENT:
            spread = (spread * spread_percent + dither) // _PERCENT
        return Ticks(self._calendar.to_clock(busy), move, np.maximum(spread, 1))

    def _words(self) -> UInt64Array:
        """Return the next words of SplitMix64; wrapping at 2**64 is part of it."""
        word = _WORD_NUMBERS + np.uint64(self._word)
        self._word = (self._word + _WORDS * _GOLDEN) & _MASK_64
        word ^= word >> np.uint64(30)
        word *= _MIX_1
        word ^= word >> np.uint64(27)
        word *= _MIX_2
        word ^= word >> np.uint64(31)
        return word

    def _regimes(self, words: UInt64Array) -> Int64Array:
        found = []
        regime = self._regime
        for chance in (words >> np.uint64(64 - PROBABILITY_BITS)).tolist():
            calm, normal = self._chain[regime]
            regime = (chance >= calm) + (chance >= normal)
            found.append(regime)
        self._regime = regime
        return np.array(found, np.int64)

    def _directed(self, size: Int64Array, chance: Int64Array) -> Int64Array:
        """Give sizes a direction, which turns with the profile's probability at every real move."""
        turns = (chance < self._turn) & (size > 0)
        falling = (self._falling + np.cumsum(turns)) & 1
        self._falling = int(falling[-1])
        return np.where(falling == 1, -size, size)

    def _stirred(self, steps: Int64Array) -> Int64Array:
        """Walk between 0 and 1, reflected at both, so that every place is visited equally."""
        walk = self._place + np.cumsum((steps - _HALF_16) * self._stir >> 15)
        self._place = int(walk[-1]) % (2 * ONE)
        inside = walk & (2 * ONE - 1)
        return np.asarray(np.minimum(inside, 2 * ONE - 1 - inside))


def _bits(words: UInt64Array, shift: int, count: int) -> Int64Array:
    """Cut the same `count` bits out of every word."""
    return np.asarray(words >> np.uint64(shift) & np.uint64((1 << count) - 1), np.int64)


class _Quantiles:
    """Draws from one quantile table per regime, with straight lines between the knots."""

    def __init__(self, tables: tuple[Table, Table, Table]) -> None:
        grid = np.array(GRID, np.int64)
        low = [np.array(table[:-1], np.int64) for table in tables]
        high = [np.array(table[1:], np.int64) for table in tables]
        self._start = np.concatenate([grid[:-1] + regime * ONE for regime in range(REGIMES)])
        # The knot below the start of every bucket, and how many knots one bucket can hold: a table
        # look-up and a few comparisons are several times faster than a binary search.
        buckets = np.arange(0, REGIMES * ONE, 1 << _BUCKET_BITS)
        self._knot = np.searchsorted(self._start, buckets, side="right") - 1
        below = self._knot[1:] - self._knot[:-1]
        self._steps = int(max(below.max(), len(self._start) - 1 - self._knot[-1]))
        self._next = np.append(self._start[1:], REGIMES * ONE)
        self._width = np.tile(np.diff(grid), REGIMES)
        self._low = np.concatenate(low)
        self._rise = np.concatenate(high) - self._low

    def draw(self, regime: Int64Array, chance: Int64Array) -> Int64Array:
        """Return one value per tick, at its chance of 0 to `ONE`; ties between integers go up."""
        chance = chance + regime * ONE
        knot = self._knot[chance >> _BUCKET_BITS]
        for _ in range(self._steps):
            knot = knot + (chance >= self._next[knot])
        width = self._width[knot]
        into = (chance - self._start[knot]) * self._rise[knot] + (width >> 1)
        return np.asarray(self._low[knot] + into // width)
