"""Accounts, balance operations, definitions and trading states (sections 3, 4, 11)."""

from __future__ import annotations

from typing import TypeVar

from tests.oracle.codes import At, BalanceOp, Code, Ledger, Posting, RefusedError, Scope
from tests.oracle.config import Currency, Group, Instrument
from tests.oracle.margin import equity, isolated_locked, margin
from tests.oracle.state import CLOSED, Account, State
from tests.oracle.trading import Answer, field
from tests.oracle.wire import InputRecord

T = TypeVar("T")
POSTING = {
    BalanceOp.DEPOSIT: (Posting.DEPOSIT, 0, 1),
    BalanceOp.WITHDRAWAL: (Posting.WITHDRAWAL, 0, -1),
    BalanceOp.CREDIT_IN: (Posting.CREDIT_IN, 1, 1),
    BalanceOp.CREDIT_OUT: (Posting.CREDIT_OUT, 1, -1),
    BalanceOp.CORRECTION: (Posting.CORRECTION, 0, 1),
}


def _emit_account(state: State, account: Account) -> None:
    state.emit(
        "Account",
        {
            "account": account.id,
            "group": account.group,
            "leverage": account.leverage,
            "flags": account.flags,
            "currency": state.currency_of(account),
            "opened": account.opened,
        },
    )


def open_account(state: State, record: InputRecord) -> Answer:
    """OPEN_ACCOUNT."""
    account = Account(
        record.account,
        field(record, "group"),
        field(record, "leverage"),
        field(record, "flags"),
        state.time,
    )
    state.accounts[account.id] = account
    _emit_account(state, account)
    return Code.OK, account.id


def update_account(state: State, record: InputRecord) -> Answer:
    """UPDATE_ACCOUNT."""
    account = state.accounts[record.account]
    account.group = field(record, "group")
    account.leverage = field(record, "leverage")
    account.flags = field(record, "flags")
    _emit_account(state, account)
    return Code.OK, account.id


def close_account(state: State, record: InputRecord) -> Answer:
    """CLOSE_ACCOUNT."""
    account = state.accounts[record.account]
    account.flags |= CLOSED
    _emit_account(state, account)
    return Code.OK, account.id


def balance(state: State, record: InputRecord) -> Answer:
    """BALANCE."""
    account = state.accounts[record.account]
    op, amount = BalanceOp(field(record, "op")), field(record, "amount")
    if op == BalanceOp.WITHDRAWAL:
        own = state.balance(account.id) - isolated_locked(state, account.id)
        free = equity(state, account) - margin(state, account)
        if amount > own or amount > free:
            raise RefusedError(Code.TRADE_NO_MONEY, At.AMOUNT)
    if op == BalanceOp.CREDIT_OUT and amount > state.credit(account.id):
        raise RefusedError(Code.TRADE_NO_MONEY, At.AMOUNT)
    posting, sub, sign = POSTING[op]
    currency = state.currency_of(account)
    state.ledger(account.id, 0, [(Ledger.CASH, sub, posting, currency, sign * amount)])
    return Code.OK, account.id


def define(state: State, record: InputRecord, made: Currency | Instrument | Group) -> Answer:
    """DEFINE_*: adds or replaces; quotes and states stay."""
    if isinstance(made, Currency):
        index, new = _put(state.currencies, made, [c.code for c in state.currencies], made.code)
    elif isinstance(made, Instrument):
        names = [i.symbol for i in state.instruments]
        if made.symbol in names:
            old = state.instruments[names.index(made.symbol)]
            if made.digits == old.digits:
                made.bid, made.ask, made.quote_ns = old.bid, old.ask, old.quote_ns
            made.funding_ns, made.state = old.funding_ns, old.state
        index, new = _put(state.instruments, made, names, made.symbol)
        made.index = index
    else:
        names = [g.name for g in state.groups]
        if made.name in names:
            made.state = state.groups[names.index(made.name)].state
        index, new = _put(state.groups, made, names, made.name)
        made.index = index
        state.touched |= {a.id for a in state.accounts.values() if a.group == index}
    fields = {"kind": record.kind, "new": int(new), "index": index, "bytes": len(record.json)}
    state.emit("Config", fields, json=record.json)
    return Code.OK, index


def _put(items: list[T], item: T, names: list[str], name: str) -> tuple[int, bool]:
    if name in names:
        items[names.index(name)] = item
        return names.index(name), False
    items.append(item)
    return len(items) - 1, True


def set_trading_state(state: State, record: InputRecord) -> Answer:
    """SET_TRADING_STATE; the accounts concerned are evaluated."""
    scope, target = Scope(field(record, "scope")), field(record, "target")
    value = field(record, "state")
    concerned = set(state.accounts)
    if scope == Scope.SHARD:
        state.trading = value
    elif scope == Scope.GROUP:
        state.groups[target].state = value
        concerned = {a.id for a in state.accounts.values() if a.group == target}
    elif scope == Scope.ACCOUNT:
        state.accounts[target].state = value
        concerned = {target}
    else:
        state.instruments[target].state = value
        concerned = {p.account for p in state.positions.values() if p.instrument == target}
    state.touched |= concerned
    state.emit("State", {"target": target, "scope": int(scope), "state": value})
    return Code.OK, target
