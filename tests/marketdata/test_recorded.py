"""Real recordings: read as documented, and the generated market ticks as they do."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fit_market import RECORDED, fit, load
from tradeloom.marketdata.fitted import PROFILES
from tradeloom.marketdata.generator import MarketGenerator
from tradeloom.marketdata.merge import merge_recordings
from tradeloom.marketdata.profile import BLOCK_TICKS
from tradeloom.marketdata.quotes import Int64Array, QuoteRows
from tradeloom.marketdata.recordings import open_recording, open_recordings

FOLDER = Path(os.environ.get("TRADELOOM_RECORDED", ""))
pytestmark = [
    pytest.mark.recorded,
    pytest.mark.skipif(
        not os.environ.get("TRADELOOM_RECORDED"),
        reason="TRADELOOM_RECORDED does not name a folder of recordings",
    ),
]
# Ticks generated per market: spreads wander slowly, so a sample of them must be long.
GENERATED_TICKS = 1_000_000
# Largest distance between the two distributions, as Kolmogorov and Smirnov measure it. A random
# draw of this size would differ by 0.01; the rest is what the model leaves out.
GAP_MAX = 0.05
SPREAD_MAX = 0.05
BID_MOVE_MAX = 0.02
ASK_MOVE_MAX = 0.12
# The sum of moves over a block: whether calm and wild times come in stretches as they should.
BLOCK_ACTIVITY_MAX = 0.13
# How far the price wanders in 256 ticks, generated over recorded.
WANDER_RATIO = (0.6, 1.5)
# How often a move is over eight times the usual, generated over recorded.
JUMP_RATIO = (0.6, 1.6)
JUMP_TIMES = 8
JUMPS_MIN = 20


def _distance(one: Int64Array, other: Int64Array) -> float:
    one, other = np.sort(one), np.sort(other)
    places = np.concatenate([one, other])
    below = np.searchsorted(one, places, "right") / len(one)
    below_other = np.searchsorted(other, places, "right") / len(other)
    return float(np.abs(below - below_other).max())


def _activity(moves: Int64Array) -> Int64Array:
    whole = len(moves) // BLOCK_TICKS * BLOCK_TICKS
    return np.asarray(moves[:whole].reshape(-1, BLOCK_TICKS).sum(axis=1))


def _wander(bids: Int64Array) -> float:
    return float((bids[256:] - bids[:-256]).std())


@pytest.fixture(scope="module", params=list(RECORDED))
def pair(request: pytest.FixtureRequest) -> tuple[str, QuoteRows, QuoteRows]:
    """Name, recorded rows, generated rows that start when the recording starts."""
    name: str = request.param
    recorded = load(name, FOLDER)
    start_ns = int(recorded["ts_ns"][0])
    generated = np.empty(GENERATED_TICKS, recorded.dtype)
    at = 0
    for chunk in MarketGenerator(7, (name,), start_ns).chunks(GENERATED_TICKS):
        part = generated[at : at + len(chunk.ts_ns)]
        part["ts_ns"], part["bid"], part["ask"] = chunk.ts_ns, chunk.bid, chunk.ask
        at += len(part)
    return name, recorded, generated


def test_generated_ticks_are_like_recorded_ones(pair: tuple[str, QuoteRows, QuoteRows]) -> None:
    _, recorded, generated = pair
    gaps = [np.diff(rows["ts_ns"]) for rows in (generated, recorded)]
    spreads = [rows["ask"] - rows["bid"] for rows in (generated, recorded)]
    bids = [np.abs(np.diff(rows["bid"])) for rows in (generated, recorded)]
    asks = [np.abs(np.diff(rows["ask"])) for rows in (generated, recorded)]
    assert _distance(*gaps) < GAP_MAX
    assert _distance(*spreads) < SPREAD_MAX
    assert _distance(*bids) < BID_MOVE_MAX
    assert _distance(*asks) < ASK_MOVE_MAX
    assert _distance(*(_activity(moves) for moves in bids)) < BLOCK_ACTIVITY_MAX


def test_generated_prices_wander_and_jump_like_recorded_ones(
    pair: tuple[str, QuoteRows, QuoteRows],
) -> None:
    _, recorded, generated = pair
    low, high = WANDER_RATIO
    assert low < _wander(generated["bid"]) / _wander(recorded["bid"]) < high
    moves, usual = np.abs(np.diff(recorded["bid"])), np.abs(np.diff(recorded["bid"])).mean()
    if (moves > JUMP_TIMES * usual).sum() >= JUMPS_MIN:
        jumps = [
            (np.abs(np.diff(rows["bid"])) > JUMP_TIMES * usual).mean()
            for rows in (generated, recorded)
        ]
        assert JUMP_RATIO[0] < jumps[0] / jumps[1] < JUMP_RATIO[1]


def test_the_measure_can_fail(pair: tuple[str, QuoteRows, QuoteRows]) -> None:
    name, recorded, generated = pair
    wider = 2 * (generated["ask"] - generated["bid"])
    assert _distance(wider, recorded["ask"] - recorded["bid"]) > SPREAD_MAX
    slower = 2 * np.diff(generated["ts_ns"])
    assert _distance(slower, np.diff(recorded["ts_ns"])) > GAP_MAX, name


def test_constants_are_those_of_the_fit(pair: tuple[str, QuoteRows, QuoteRows]) -> None:
    name, recorded, _ = pair
    assert fit(recorded, RECORDED[name][1]) == PROFILES[name]


def test_what_the_folder_holds() -> None:
    found = open_recordings([FOLDER])
    rows = {(each.source, each.symbol): each for each in found.recordings}
    counts = {key: (each.rows + each.faults.total, each.price_digits) for key, each in rows.items()}
    assert counts == {
        ("binance-spot", "BTCUSDT"): (28_040, 2),
        ("binance-spot", "ETHUSDT"): (58_758, 2),
        ("binance-usdm", "BTCUSDT"): (66_089, 1),
        ("lean-fxcm", "EURUSD"): (667_376, 5),
        ("lean-fxcm", "NZDUSD"): (444_856, 5),
        ("lean-oanda", "EURUSD"): (320_395, 5),
        ("lean-oanda", "NZDUSD"): (200_182, 5),
        ("lean-oanda", "XAUUSD"): (141_299, 3),
    }
    assert found.skipped


def test_two_brokers_agree_once_both_are_in_utc() -> None:
    """Five hours of shift are right: the mids differ by a fraction of a pip, not by several."""
    folder = FOLDER / "lean_apache2/forex"
    brokers = [open_recording(folder / name / "tick/eurusd") for name in ("fxcm", "oanda")]
    latest = [np.zeros(0, np.int64), np.zeros(0, np.int64)]
    seconds = np.arange(1_399_285_000, 1_399_320_000) * 10**9  # a Monday's European hours
    for index, broker in enumerate(brokers):
        rows = np.concatenate(list(broker.chunks()))
        at = np.searchsorted(rows["ts_ns"], seconds) - 1
        latest[index] = (rows["bid"] + rows["ask"])[at]
    points = np.abs(latest[0] - latest[1]).mean() / 2
    assert points < 2


def test_all_recordings_merge_into_one_stream() -> None:
    found = open_recordings([FOLDER]).recordings
    counts = np.zeros(len(found), np.int64)
    last_ns = 0
    for chunk in merge_recordings(found):
        assert chunk.ts_ns[0] >= last_ns
        assert (np.diff(chunk.ts_ns) >= 0).all()
        last_ns = int(chunk.ts_ns[-1])
        counts += np.bincount(chunk.instrument, minlength=len(found))
    assert counts.tolist() == [each.rows for each in found]
