"""What must hold after every input, whatever the rules did."""

from __future__ import annotations

from tests.oracle.codes import Ledger
from tests.oracle.margin import (
    equity,
    floating,
    isolated_locked,
    margin,
    parts_of,
    posted_leg,
    used_margin,
)
from tests.oracle.positions import ledger_cost, leg_rules
from tests.oracle.state import Account, State


def check(state: State) -> None:
    """Debits are credits, and positions, orders and accounts agree with the ledgers."""
    sums: dict[tuple[int, int], int] = {}
    for (ledger, _, currency, _), amount in state.customer.items():
        sums[ledger, currency] = sums.get((ledger, currency), 0) + amount
    for key, amount in sums.items():
        assert amount + state.house.get(key, 0) == 0, f"debits differ from credits: {key}"
    for account in state.accounts.values():
        _check_account(state, account)


def _check_account(state: State, account: Account) -> None:
    money = state.balance(account.id) + state.credit(account.id)
    locked = isolated_locked(state, account.id)
    assert equity(state, account) == money - locked + floating(state, account)
    assert margin(state, account) + locked == used_margin(state, account)
    costs = [0] * len(state.currencies)
    for p in state.positions_of(account.id):
        assert p.volume > 0
        assert p.ledger_cost == ledger_cost(state, p)
        costs[state.instruments[p.instrument].profit] += p.ledger_cost
    for index, cost in enumerate(costs):
        assert state.customer.get((Ledger.POSITION, 0, index, account.id), 0) == cost
    legs = {p.instrument for p in state.cross(account.id)}
    assert set(account.legs) == set(account.paths) == legs
    for index in legs:
        instrument = state.instruments[index]
        if account.leg_rules[index] == leg_rules(state, account, instrument):
            parts = parts_of(state.cross(account.id, index))
            assert account.legs[index] == posted_leg(state, account, instrument, parts)
    if state.group_of(account).mode == "netting":
        kinds = [(p.instrument, p.isolated) for p in state.positions_of(account.id)]
        assert len(kinds) == len(set(kinds)), "two positions of one kind in netting"
