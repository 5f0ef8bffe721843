"""Budgets of venues that count anew each interval: no span of it may hold more than the limit."""

from __future__ import annotations

import time

import pytest

from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.limits import BUDGET_SHARE
from tradeloom.connectors.profile import Window

PER_S = 0.2


async def test_no_span_holds_more_than_the_limit_and_little_is_given_away() -> None:
    budgets = Budgets([Window("calls", 20, PER_S, fixed=True)])
    spent: list[float] = []
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        await budgets.take({"calls": 1})
        spent.append(time.monotonic())
    most = max(sum(1 for at in spent if begin <= at < begin + PER_S) for begin in spent)
    assert most <= 20 * BUDGET_SHARE
    assert len(spent) >= 4 * 20 * BUDGET_SHARE * 0.7


async def test_what_is_spent_is_told_and_too_long_a_wait_is_refused() -> None:
    budgets = Budgets([Window("calls", 10, 30.0, fixed=True)])
    for _ in range(9):
        await budgets.take({"calls": 1})
    (told,) = budgets.limits()
    assert (told.limit, told.used) == (10, 9)
    with pytest.raises(BudgetSpent) as refused:
        await budgets.take({"calls": 1})
    assert 25 < refused.value.wait_s < 32


async def test_the_venues_count_is_believed_when_it_is_higher() -> None:
    budgets = Budgets([Window("calls", 10, 30.0, fixed=True)])
    await budgets.take({"calls": 1})
    budgets.used("calls", 7)
    budgets.used("calls", 3)
    (told,) = budgets.limits()
    assert told.used == 7
