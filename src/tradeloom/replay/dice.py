"""Repeatable randomness for the scripts: numbers that depend on seed, step and lane alone.

SplitMix64's finaliser (Steele, Lea, Flood, 2014) over a counter: integers only, so the same seed
makes the same decisions on every machine and with every version of every library.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]

_LANE: Final = np.uint64(0x9E3779B97F4A7C15)
_STEP: Final = 0xD1B54A32D192ED03
_SEED: Final = 0x8CB92BA72F3D8DD7
_MASK: Final = 2**64 - 1


def roll(seed: int, step: int, lanes: U64) -> U64:
    """One u64 per lane, uniform; equal arguments give equal numbers."""
    start = np.uint64((seed * _SEED + step * _STEP) & _MASK)
    word = lanes * _LANE + start
    word ^= word >> np.uint64(30)
    word *= np.uint64(0xBF58476D1CE4E5B9)
    word ^= word >> np.uint64(27)
    word *= np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def below(numbers: U64, bound: int, shift: int = 0) -> NDArray[np.int64]:
    """16 bits of each number, from bit `shift`, as 0 to `bound` - 1; `bound` up to 65536."""
    bits = (numbers >> np.uint64(shift)) & np.uint64(0xFFFF)
    return ((bits * np.uint64(bound)) >> np.uint64(16)).astype(np.int64)
