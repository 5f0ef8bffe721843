"""What OKX's codes become: refusals, unknown outcomes, waits, log-ins that a person must see."""

from __future__ import annotations

import pytest

from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import NoAnswer
from tradeloom.connectors.venues.okx.errors import refuse
from tradeloom.connectors.venues.okx.profile import SPOT
from tradeloom.domain.enums import ReturnCode


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (200, "50004", NoAnswer),
        (503, "50001", NoAnswer),
        (502, "", NoAnswer),
        (200, "51149", NoAnswer),
        (429, "50011", BudgetSpent),
        (200, "50061", BudgetSpent),
        (200, "51603", NoSuchOrder),
        (200, "51400", NoSuchOrder),
        (401, "50102", LoginRefused),
        (401, "50105", LoginRefused),
        (401, "50119", LoginRefused),
        (200, "51008", Refusal),
        (200, "59999", Refusal),
    ],
)
def test_each_code_is_one_outcome(status: int, code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        refuse(status, code, "what OKX says", Budgets(SPOT.windows), "place", 0.0)


def test_a_refusal_names_the_field() -> None:
    with pytest.raises(Refusal) as told:
        refuse(200, "51020", "minimum", Budgets(SPOT.windows), "place", 0.0)
    assert (told.value.code, told.value.field) == (ReturnCode.TRADE_BAD_VOLUME, "volume")


def test_too_many_closes_the_window_of_the_call() -> None:
    budgets = Budgets(SPOT.windows)
    with pytest.raises(BudgetSpent):
        refuse(429, "50011", "", budgets, "place", 3.0)
    closed = {each.name for each in budgets.limits() if each.blocked_s > 2.0}
    assert closed == {"place"}
