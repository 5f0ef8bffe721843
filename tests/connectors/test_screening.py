"""Quotes that cannot be true are kept out, by rule; a market that did move is believed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.ears import spot
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.limits import JUMP_AGREEING, JUMP_MAX
from tradeloom.connectors.screening import Screen


def listing() -> Listing:
    return Listing(spot("v", "BTCUSDT", "BTC", "USDT", 2))


def test_each_rule_is_counted() -> None:
    screen, at = Screen(), listing()
    assert screen.passes(at, 10_000, 10_001)
    for bid, ask in ((0, 10_001), (-1, 10_001), (10_000, 0)):
        assert not screen.passes(at, bid, ask)
    assert not screen.passes(at, 10_002, 10_001)
    assert not screen.passes(at, 20_000, 20_001)
    assert screen.counts == {"zero or negative": 3, "crossed": 1, "jump": 1}
    assert screen.passes(at, 10_000, 10_000)  # locked is not crossed


def test_a_single_wild_quote_changes_nothing() -> None:
    screen, at = Screen(), listing()
    for wild in (100_000, 5, 50_000, 1_000_000):
        assert screen.passes(at, 10_000, 10_002)
        assert not screen.passes(at, wild, wild + 2)
    assert screen.passes(at, 10_000, 10_002)
    assert screen.counts["jump"] == 4


def test_a_jump_on_which_several_agree_is_the_market() -> None:
    screen, at = Screen(), listing()
    assert screen.passes(at, 10_000, 10_002)
    answers = [screen.passes(at, 15_000 + step, 15_002 + step) for step in range(JUMP_AGREEING)]
    assert answers == [False] * (JUMP_AGREEING - 1) + [True]
    assert screen.passes(at, 15_010, 15_012)
    assert not screen.passes(at, 10_000, 10_002)  # and back is a jump again


@given(st.lists(st.tuples(st.integers(-5, 10**6), st.integers(-5, 10**6)), max_size=60))
def test_nothing_impossible_ever_passes(quotes: list[tuple[int, int]]) -> None:
    screen, at = Screen(), listing()
    for bid, ask in quotes:
        if screen.passes(at, bid, ask):
            assert 0 < bid <= ask
    assert screen.counts.total() <= len(quotes)


@given(
    st.integers(10**4, 10**7),
    st.lists(st.floats(-JUMP_MAX / 3, JUMP_MAX / 3), min_size=1, max_size=60),
)
def test_a_market_that_moves_within_the_rule_is_never_stopped(
    start: int, moves: list[float]
) -> None:
    screen, at, price = Screen(), listing(), start
    for move in moves:
        price = max(round(price * (1 + move)), 1_000)
        assert screen.passes(at, price, price + 1)
    assert not screen.counts
