"""Fits the market generator to real recordings and prints `marketdata/fitted.py`.

Run as `python -m benchmarks.fit_market > src/tradeloom/marketdata/fitted.py` with
TRADELOOM_RECORDED naming the recordings. Only parameters are printed, no recorded row. Each
number's meaning is told in `marketdata/profile.py`; the fit of one market takes a few seconds.
"""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tradeloom.marketdata.calendar import HOUR_NS, Calendar, Opening
from tradeloom.marketdata.profile import (
    BLOCK_TICKS,
    GRID,
    ONE,
    REGIME_QUANTILES,
    REGIMES,
    Profile,
    Table,
)
from tradeloom.marketdata.quotes import Int64Array, QuoteRows
from tradeloom.marketdata.recordings import open_recording

# Profile -> recording under TRADELOOM_RECORDED, and when that market is open. OANDA's quotes are
# taken for FX because FXCM's cross themselves in one row of ten.
RECORDED = {
    "EURUSD": ("lean_apache2/forex/oanda/tick/eurusd", Opening.WEEKDAYS),
    "NZDUSD": ("lean_apache2/forex/oanda/tick/nzdusd", Opening.WEEKDAYS),
    "XAUUSD": ("lean_apache2/cfd/oanda/tick/xauusd", Opening.WEEKDAYS),
    "BTCUSDT": ("hftbacktest_mit/usdm/btcusdt_20240808.gz", Opening.ALWAYS),
    "ETHUSDT": ("hftbacktest_mit/spot/ethusdt_20240809.gz", Opening.ALWAYS),
}
# A recording shorter than this says nothing about hours of the day.
HOURS_RECORDED_MIN = 12
# Longer silences of an open market are holes in the recording.
GAP_NS_MAX = 240_000_000_000
# Steps tried for the spread's rank. A smaller one would need hours to visit every spread.
STIRS = (0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1, 0.2, 0.4)
# Horizon in ticks at which the generated price must have wandered as far as the recorded one.
WANDER_TICKS = 256
# Correlation of neighbours' directions; short recordings trend, and that is no habit.
PERSISTENCE_MIN, PERSISTENCE_MAX = -0.9, 0.5


def load(name: str, folder: Path) -> QuoteRows:
    """Return the quotes that profile `name` is fitted to."""
    return np.concatenate(list(open_recording(folder / RECORDED[name][0]).chunks()))


def fit(rows: QuoteRows, opening: Opening) -> Profile:
    """Measure the habits of one recorded market."""
    hours = _hours(rows["ts_ns"])
    gaps = np.diff(Calendar(opening, hours).to_busy(rows["ts_ns"]))
    gaps = np.minimum(gaps, GAP_NS_MAX)
    moves = np.abs(np.diff(rows["bid"]))
    spreads = (rows["ask"] - rows["bid"])[1:]
    blocks = len(moves) // BLOCK_TICKS
    regime = _regimes(moves[: blocks * BLOCK_TICKS].reshape(blocks, BLOCK_TICKS).sum(axis=1))
    of_tick = np.repeat(regime, BLOCK_TICKS)
    used = slice(0, len(of_tick))
    return Profile(
        hours=hours,
        turn=_turn(rows["bid"]),
        stir=_stir(spreads),
        chain=_chain(regime),
        gap_ns=_tables(gaps[used], of_tick),
        move=_tables(moves[used], of_tick),
        spread=_tables(spreads[used], of_tick),
    )


def _hours(ts_ns: Int64Array) -> tuple[int, ...]:
    """Tick rate of each UTC hour of the day in 1/1000 of the average."""
    hour = ts_ns // HOUR_NS
    ticks = np.bincount(hour % 24, minlength=24)
    times = np.bincount(np.unique(hour) % 24, minlength=24)
    if np.count_nonzero(times) < HOURS_RECORDED_MIN:
        return (1_000,) * 24
    rate = ticks / np.maximum(times, 1)
    rate[times == 0] = rate[times > 0].min()
    return tuple(round(1_000 * float(each / rate.mean())) for each in rate)


def _regimes(activity: Int64Array) -> npt.NDArray[np.int64]:
    calm, normal = np.quantile(activity, REGIME_QUANTILES)
    regime: npt.NDArray[np.int64] = (activity > calm).astype(np.int64) + (activity > normal)
    return regime


def _chain(regime: npt.NDArray[np.int64]) -> tuple[tuple[int, int, int], ...]:
    pairs = np.bincount(regime[:-1] * REGIMES + regime[1:], minlength=REGIMES**2)
    rows = []
    for counts in pairs.reshape(REGIMES, REGIMES):
        calm, normal = (int(count) * ONE // int(counts.sum()) for count in counts[:2])
        rows.append((calm, normal, ONE - calm - normal))
    return tuple(rows)


def _turn(bid: Int64Array) -> int:
    """Probability that a move goes against the one before, from how far the price wanders."""
    step = np.diff(bid).astype(float)
    size = np.abs(step[step != 0])
    far = (bid[WANDER_TICKS:] - bid[:-WANDER_TICKS]).astype(float)
    ratio = far.var() / (WANDER_TICKS * step.var())
    evenness = size.mean() ** 2 / (size**2).mean()
    # Signs that repeat with correlation c wander 1 + 2 * evenness * c / (1 - c) as far, squared.
    pull = (ratio - 1) / (2 * evenness)
    persistence = min(max(pull / (1 + pull), PERSISTENCE_MIN), PERSISTENCE_MAX)
    return int((1 - persistence) / 2 * ONE)


def _stir(spreads: Int64Array) -> int:
    """Longest step of the spread's rank, from how much spreads change from tick to tick."""
    ordered = np.sort(spreads)
    wanted = np.abs(np.diff(spreads)).mean()
    steps = np.random.default_rng(0).uniform(-1, 1, 1 << 20)
    misfits = []
    for stir in STIRS:
        rank = np.abs(np.cumsum(stir * steps) % 2 - 1)
        walked = ordered[np.minimum(rank * len(ordered), len(ordered) - 1).astype(np.int64)]
        misfits.append(abs(float(np.log(np.abs(np.diff(walked)).mean() / wanted))))
    return int(STIRS[int(np.argmin(misfits))] * ONE)


def _tables(values: Int64Array, regime: npt.NDArray[np.int64]) -> tuple[Table, Table, Table]:
    calm, normal, wild = (_table(values[regime == each]) for each in range(REGIMES))
    return calm, normal, wild


def _table(values: Int64Array) -> Table:
    knots = np.quantile(values, np.array(GRID) / ONE, method="inverted_cdf")
    return tuple(_short(int(knot)) for knot in knots)


def _short(value: int) -> int:
    """Round to four significant digits, finer than any of these samples can tell."""
    unit = int(10 ** max(len(str(value)) - 4, 0))
    return (value + unit // 2) // unit * unit


def _print(profiles: dict[str, Profile]) -> None:
    print('"""Parameters of recorded markets, written by `python -m benchmarks.fit_market`."""\n')
    print("from __future__ import annotations\n\nfrom typing import Final\n")
    print("from tradeloom.marketdata.profile import Profile\n")
    print("# One number a line would make this file unreadable.\n# fmt: off")
    for name, profile in profiles.items():
        print(f"_{name}: Final = Profile(")
        for field in Profile.__dataclass_fields__:
            text = f"{field}={getattr(profile, field)!r},"
            print(textwrap.fill(text, 99, initial_indent=" " * 4, subsequent_indent=" " * 8))
        print(")")
    print("\n# Profiles by the recorded instrument.\nPROFILES: Final = {")
    for name in profiles:
        print(f'    "{name}": _{name},')
    print("}")


def main() -> None:
    """Fit every market and print the module."""
    folder = os.environ.get("TRADELOOM_RECORDED")
    if not folder:
        sys.exit("fit_market: set TRADELOOM_RECORDED to the folder of recordings")
    _print({name: fit(load(name, Path(folder)), each[1]) for name, each in RECORDED.items()})


if __name__ == "__main__":
    main()
