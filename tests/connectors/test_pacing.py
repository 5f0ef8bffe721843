"""Budgets that refill, waits between tries, and the venue's clock."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeloom.connectors import backoff as backoff_module
from tradeloom.connectors.backoff import Backoff
from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.clock import VenueClock
from tradeloom.connectors.limits import (
    BACKOFF_FIRST_S,
    BACKOFF_JITTER,
    BACKOFF_MAX_S,
    BACKOFF_RESET_S,
    BUDGET_SHARE,
)
from tradeloom.connectors.profile import Window


async def test_a_full_bucket_goes_at_once_and_the_next_call_waits_its_turn() -> None:
    budgets = Budgets([Window("calls", 10, 1.0)])
    full = int(10 * BUDGET_SHARE)
    begun = time.monotonic()
    for _ in range(full):
        await budgets.take({"calls": 1})
    assert time.monotonic() - begun < 0.1
    await budgets.take({"calls": 1})
    assert time.monotonic() - begun >= 0.9 / full
    assert budgets.waits >= 1


async def test_what_does_not_open_soon_is_refused_and_spends_nothing() -> None:
    budgets = Budgets([Window("calls", 10, 600.0), Window("other", 10, 1.0)])
    await budgets.take({"calls": 9})
    with pytest.raises(BudgetSpent, match=r"rate limit calls: open again in .* nothing was sent"):
        await budgets.take({"other": 1, "calls": 1})
    used = {row.name: row.used for row in budgets.limits()}
    assert used["other"] == 0


async def test_a_call_dearer_than_the_window_waits_for_a_full_one_and_goes() -> None:
    budgets = Budgets([Window("weight", 10, 0.2)])
    await budgets.take({"weight": 50})
    begun = time.monotonic()
    await budgets.take({"weight": 1})
    assert 0.2 < time.monotonic() - begun < 2.0


async def test_the_venues_word_counts() -> None:
    budgets = Budgets([Window("weight", 100, 60.0), Window("orders", 10, 1.0)])
    await budgets.take({"weight": 5})
    budgets.used("weight", 60)
    assert 59 < {row.name: row.used for row in budgets.limits()}["weight"] <= 60
    budgets.used("weight", 10)  # an older count: the higher number stands
    assert {row.name: row.used for row in budgets.limits()}["weight"] > 59
    budgets.used("unknown", 10)
    budgets.block("orders", 30)
    with pytest.raises(BudgetSpent) as spent:
        await budgets.take({"orders": 1})
    assert 29 < spent.value.wait_s <= 30
    await budgets.take({"weight": 1})  # another window
    budgets.block("*", 30)
    with pytest.raises(BudgetSpent):
        await budgets.take({"weight": 1})
    budgets.block("*", 1)  # a shorter word does not open it earlier
    assert all(row.blocked_s > 28 for row in budgets.limits())


async def test_published_windows_replace_the_profiles() -> None:
    budgets = Budgets([Window("weight", 100, 60.0)])
    await budgets.take({"weight": 50})
    budgets.replace([Window("weight", 100, 60.0)])
    assert budgets.limits()[0].used > 49
    budgets.replace([Window("weight", 6_000, 60.0)])
    assert (budgets.limits()[0].limit, budgets.limits()[0].used) == (6_000, 0)


class Hands:
    """A monotonic clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    made = Hands()
    monkeypatch.setattr(backoff_module, "time", made)
    return made


def test_waits_double_are_bounded_and_jittered(hands: Hands) -> None:
    backoff = Backoff()
    for step in range(40):
        longest = min(BACKOFF_FIRST_S * 2**step, BACKOFF_MAX_S)
        assert longest * (1 - BACKOFF_JITTER) <= backoff.next_s() <= longest
    waits = {Backoff().next_s() for _ in range(20)}
    assert len(waits) > 10  # a fleet does not come back in one wave


def test_only_a_connection_that_lived_starts_over(hands: Hands) -> None:
    backoff = Backoff()
    for _ in range(10):
        backoff.next_s()
    backoff.up()
    hands.now += BACKOFF_RESET_S / 2
    assert backoff.next_s() >= BACKOFF_MAX_S * (1 - BACKOFF_JITTER)
    backoff.up()
    hands.now += BACKOFF_RESET_S
    assert backoff.next_s() <= BACKOFF_FIRST_S


@given(
    st.integers(-(10**11), 10**11),
    st.lists(
        st.tuples(st.integers(10**4, 10**9), st.integers(10**4, 10**9)), min_size=1, max_size=20
    ),
)
def test_the_offset_is_within_half_the_shortest_trip(
    offset_ns: int, trips: list[tuple[int, int]]
) -> None:
    clock = VenueClock()
    assert clock.offset_ms is None
    now = 10**18
    for there, back in trips:
        clock.sample(now, now + there + offset_ns, now + there + back)
        now += 10**10
    shortest = min(there + back for there, back in trips[-8:])
    assert clock.offset_ms is not None
    assert abs(clock.offset_ms * 1e6 - offset_ns) <= shortest / 2 + 1_000
    assert clock.round_trip_ms == shortest / 1e6


def test_a_clock_that_was_set_is_believed_at_once() -> None:
    clock = VenueClock()
    for number in range(5):
        at = number * 10**9
        clock.sample(at, at + 500_000, at + 10**6)
    assert clock.offset_ms == 0
    clock.sample(10**10, 10**10 + 5 * 10**9 + 10**7, 10**10 + 2 * 10**7)
    assert clock.offset_ms == pytest.approx(5_000)
