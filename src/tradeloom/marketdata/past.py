"""The past of a made-up market: candles from before the service first ran, as far back as asked.

A new demo would show empty charts for hours. The price at a moment is a fixed function of that
moment, the symbol and the seed: noise of many lengths, from a minute to years, added up so that it
wanders like a random walk. So nothing is stored, every period shows the same market, and asking
again gives the same candles. It is bent to meet the first real candle.
"""

from __future__ import annotations

import math
import zlib
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tradeloom.marketdata.bars import MINUTE_NS, Bar
from tradeloom.marketdata.instruments import MARKET

Floats = npt.NDArray[np.float64]

# Waves from 2**-3 minutes to 2**21 minutes, four years: the longest a week chart shows.
_WAVES: Final = range(-3, 22)
# Prices looked at inside a candle for its high and low.
_LOOKS: Final = 8
# Typical move of a day as a part of the price, by class; of anything else that of a currency.
_DAY_MOVE: Final = {"crypto": 0.03, "stock": 0.018, "index": 0.011, "metal": 0.012, "energy": 0.02}
_FX_MOVE: Final = 0.005
_MINUTES_OF_DAY: Final = 1440
# Quotes in a made-up minute.
_TICKS: Final = 40
_MONDAY_NS: Final = 4 * _MINUTES_OF_DAY * MINUTE_NS
# Nothing is made up from before this: prices in points would wander out of any sense.
_EPOCH_NS: Final = 946_684_800 * 10**9  # 2000-01-01


class Joint(NamedTuple):
    """Where the made-up past meets the first real price (points)."""

    ts_ns: int
    price: int


class Past:
    """Made-up candles of one seeded market."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._moves = {each.symbol: _move(each.symbol) for each in MARKET}

    def before(
        self, symbol: str, joint: Joint, minutes: int, until_ns: int, limit: int
    ) -> list[Bar]:
        """The newest `limit` candles of so many minutes that start before `until_ns`."""
        length = minutes * MINUTE_NS
        last = until_ns - 1 - (until_ns - 1 - _MONDAY_NS) % length
        count = min(limit, max(0, (last - _EPOCH_NS) // length + 1))
        if count <= 0 or joint.price <= 0:
            return []
        starts = last - length * np.arange(count - 1, -1, -1, dtype=np.int64)
        looks = np.linspace(0.0, 1.0, _LOOKS + 1)
        moments = (starts[:, None] / MINUTE_NS) + looks[None, :] * minutes
        level = self._level(symbol, moments)
        here = self._level(symbol, np.array([joint.ts_ns / MINUTE_NS]))[0]
        prices = np.maximum(np.rint(joint.price * np.exp(level - here)), 1).astype(np.int64)
        busy = np.abs(np.diff(level, axis=1)).sum(axis=1)
        usual = self._move(symbol) * math.sqrt(minutes * _LOOKS)
        ticks = np.maximum(1, _TICKS * minutes * (0.5 + 0.5 * busy / usual)).astype(np.int64)
        rows = zip(
            starts.tolist(),
            prices[:, 0].tolist(),
            prices.max(axis=1).tolist(),
            prices.min(axis=1).tolist(),
            prices[:, -1].tolist(),
            ticks.tolist(),
            strict=True,
        )
        return [Bar(*row) for row in rows]

    def _move(self, symbol: str) -> float:
        """Typical move of a minute as a part of the price."""
        return self._moves.get(symbol, _FX_MOVE) / math.sqrt(_MINUTES_OF_DAY)

    def _level(self, symbol: str, minutes: Floats) -> Floats:
        """Logarithm of the price at moments (minutes since 1970), but for a constant."""
        key = np.uint64(zlib.crc32(symbol.encode()) ^ (self._seed << 32))
        move = self._move(symbol)
        level = np.zeros(minutes.shape)
        for wave in _WAVES:
            scale = 2.0**wave
            at = minutes / scale
            cell = np.floor(at)
            part = at - cell
            smooth = part * part * (3 - 2 * part)
            index = cell.astype(np.int64)
            left, right = _random(index, key, wave), _random(index + 1, key, wave)
            # Half a walk's deviation per wave: the waves shorter than a lag add up to all of it.
            level += 0.5 * move * np.sqrt(scale) * (left + (right - left) * smooth)
        return level


def _random(index: npt.NDArray[np.int64], key: np.uint64, wave: int) -> Floats:
    """A number of deviation one for each whole number: splitmix64 of it, the key and the wave."""
    with np.errstate(over="ignore"):
        x = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x += key + np.uint64(wave + 64) * np.uint64(0xD1B54A32D192ED03)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    # Uniform over [-√3, √3).
    made: Floats = ((x >> np.uint64(11)).astype(np.float64) / 2**53 - 0.5) * (2 * math.sqrt(3.0))
    return made


def _move(symbol: str) -> float:
    if symbol.startswith("XA"):
        return _DAY_MOVE["metal"]
    if symbol.endswith("USDT"):
        return _DAY_MOVE["crypto"]
    if symbol in ("WTI", "BRENT"):
        return _DAY_MOVE["energy"]
    if any(letter.isdigit() for letter in symbol):
        return _DAY_MOVE["index"]
    return _FX_MOVE if len(symbol) == 6 else _DAY_MOVE["stock"]
