"""What Bybit's codes become: refusals, unknown outcomes, waits, log-ins that a person must see."""

from __future__ import annotations

import pytest

from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import NoAnswer
from tradeloom.connectors.venues.bybit.errors import login_refused, refuse
from tradeloom.connectors.venues.bybit.profile import SPOT
from tradeloom.domain.enums import ReturnCode


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (200, 10000, NoAnswer),
        (200, 10016, NoAnswer),
        (200, 170146, NoAnswer),
        (503, 0, NoAnswer),
        (403, 0, BudgetSpent),
        (200, 10006, BudgetSpent),
        (200, 10403, BudgetSpent),
        (200, 170213, NoSuchOrder),
        (200, 110001, NoSuchOrder),
        (200, 10002, LoginRefused),
        (200, 10003, LoginRefused),
        (200, 10004, LoginRefused),
        (200, 170131, Refusal),
        (200, 199999, Refusal),
    ],
)
def test_each_code_is_one_outcome(status: int, code: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        refuse(status, code, "what Bybit says", Budgets(SPOT.windows), "create", 0.0)


def test_a_refusal_names_the_field() -> None:
    with pytest.raises(Refusal) as told:
        refuse(200, 170134, "decimals", Budgets(SPOT.windows), "create", 0.0)
    assert (told.value.code, told.value.field) == (ReturnCode.TRADE_BAD_PRICES, "price")


def test_a_banned_address_sends_nothing_for_ten_minutes() -> None:
    budgets = Budgets(SPOT.windows)
    with pytest.raises(BudgetSpent):
        refuse(403, 0, "", budgets, "create", 0.0)
    assert all(each.blocked_s > 590 for each in budgets.limits())


@pytest.mark.parametrize(
    ("code", "text", "word"),
    [
        (None, "Request expired: the expires parameter", "clock"),
        (None, "error sign! origin_string[GET/realtime1]", "secret"),
        (None, "API key is invalid.", "API key"),
        (10004, "", "secret"),
        (None, "Params Error [SECRETKEY]", "check key and secret"),
    ],
)
def test_a_refused_log_in_says_what_to_do(code: int | None, text: str, word: str) -> None:
    told = str(login_refused(code, text))
    assert word in told
    assert "SECRETKEY" not in told
