"""How a market ticks, as numbers: what the fit measures and the generator draws from.

A market is cut into blocks of ticks. Each block is in one regime (calm, normal, wild), and the
regimes of consecutive blocks form a Markov chain. Inside a block three things are drawn for every
tick, each from the regime's own distribution: the gap to the next tick, the size of the bid's
move, and the spread. Jumps are the far end of the move distribution, which keeps its shape down to
one tick in a hundred thousand. Two numbers tie ticks together: the probability that a move goes
against the one before it, and how far a spread's rank among all spreads strays at a tick. The
clock runs faster in the busy hours of the day.

Distributions are quantile tables over one grid of probabilities, straight lines between the knots,
all in integers: probabilities are counted in 1/2**24.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PROBABILITY_BITS: Final = 24
ONE: Final = 1 << PROBABILITY_BITS
# Long enough to measure a regime, short enough that a burst of news is several blocks.
BLOCK_TICKS: Final = 64
REGIMES: Final = 3
# The calm half of the blocks, then the rest up to the wildest tenth.
REGIME_QUANTILES: Final = (0.5, 0.9)

_MIDDLE: Final = tuple(range(20_000, 1_000_000, 20_000))
_LOW: Final = (0, 1_000, 5_000, 10_000)
_HIGH: Final = (990_000, 995_000, 998_000, 999_000, 999_500, 999_900, 999_990, 1_000_000)
# Knots of every quantile table: 2 % apart, denser towards both ends, densest where jumps are.
GRID: Final = tuple(part * ONE // 1_000_000 for part in (*_LOW, *_MIDDLE, *_HIGH))

Table = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """The measured habits of one market; tables have one value per knot of `GRID`.

    `hours`: tick rate of each UTC hour in 1/1000 of the average. `turn`: a probability.
    `stir`: the longest step of a spread's rank, in 1/2**24 of all ranks.
    `chain[r]`: probabilities of the next block's regimes after regime r. `gap_ns`, `move`,
    `spread`: one table per regime; moves and spreads are in points of the instrument.
    """

    hours: tuple[int, ...]
    turn: int
    stir: int
    chain: tuple[tuple[int, int, int], ...]
    gap_ns: tuple[Table, Table, Table]
    move: tuple[Table, Table, Table]
    spread: tuple[Table, Table, Table]
