"""The made-up past is one market: the same every time, in every period, meeting the present."""

from __future__ import annotations

import itertools
import math
import statistics

import pytest

from tradeloom.marketdata.bars import MINUTE_NS, PERIODS, Bar
from tradeloom.marketdata.past import Joint, Past

NOW = 1_795_230_840 * 10**9  # 2026-11-21 03:14 UTC
JOINT = Joint(NOW, 110_000)


def bars(period: str = "M1", limit: int = 500, until: int = NOW, seed: int = 1) -> list[Bar]:
    return Past(seed).before("EURUSD", JOINT, PERIODS[period], until, limit)


@pytest.mark.parametrize("period", PERIODS)
def test_candles_are_sound_and_without_gaps(period: str) -> None:
    made = bars(period)
    length = PERIODS[period] * MINUTE_NS
    for one, two in itertools.pairwise(made):
        assert two.start_ns - one.start_ns == length
        assert two.open == one.close
    assert made[-1].start_ns < NOW <= made[-1].start_ns + length
    for each in made:
        assert 0 < each.low <= min(each.open, each.close)
        assert each.high >= max(each.open, each.close)
        assert each.ticks > 0


def test_pages_join_and_repeat() -> None:
    whole = bars(limit=400)
    page = bars(limit=100, until=whole[100].start_ns)
    assert page == whole[:100]
    assert bars(limit=400) == whole
    assert bars(limit=400, seed=2) != whole


def test_it_meets_the_first_real_price() -> None:
    assert bars()[-1].close == pytest.approx(JOINT.price, rel=1e-9, abs=1)


def test_periods_show_one_market() -> None:
    minutes = {each.start_ns: each for each in bars("M1", 3000)}
    for hour in bars("H1", 20)[:-1]:
        assert hour.open == minutes[hour.start_ns].open
        assert hour.close == minutes[hour.start_ns + 59 * MINUTE_NS].close


def test_it_moves_like_a_currency() -> None:
    closes = [each.close for each in bars("D1", 700)]
    moves = [math.log(b / a) for a, b in itertools.pairwise(closes)]
    assert 0.002 < statistics.pstdev(moves) < 0.012
    assert min(closes) / JOINT.price > 0.3
    assert max(closes) / JOINT.price < 3


def test_nothing_is_made_up_from_before_2000() -> None:
    made = bars("W1", 5000)
    assert made[0].start_ns >= 946_684_800 * 10**9
    assert bars("W1", 10, until=946_684_800 * 10**9) == []
