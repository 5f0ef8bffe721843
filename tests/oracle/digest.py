"""The state hash: SHA-256 over rows of 16-byte numbers (section 14)."""

from __future__ import annotations

import hashlib

from tests.oracle.codes import Ledger
from tests.oracle.margin import isolated_locked, margin
from tests.oracle.state import Account, Order, Position, State


def rows(state: State) -> list[tuple[str, list[int]]]:
    """Every row in order: its tag and its numbers."""
    found: list[tuple[str, list[int]]] = []

    def row(tag: str, *numbers: int) -> None:
        found.append((tag, [int(number) for number in numbers]))

    seqs = (state.input_seq, state.event_seq, state.time, state.last_id)
    row("S", state.shard, *seqs, state.trading)
    for currency in state.currencies:
        row("C", currency.digits)
    for i in state.instruments:
        row("I", i.bid, i.ask, i.quote_ns, i.funding_ns, i.state)
    for group in state.groups:
        row("G", group.state)
    for account in state.accounts.values():
        row("A", *_account(state, account))
        for index in range(len(state.currencies)):
            amount = state.customer.get((Ledger.POSITION, 0, index, account.id), 0)
            if amount:
                row("L", index, amount)
        for p in sorted(state.positions_of(account.id), key=lambda p: p.id):
            row("P", *_position(p))
        for order in sorted(state.orders_of(account.id), key=lambda o: o.id):
            row("O", *_order(order))
    for ledger in Ledger:
        for index in range(len(state.currencies)):
            row("H", state.house.get((ledger, index), 0))
    return found


def _account(state: State, account: Account) -> list[int]:
    currency = state.currency_of(account)

    def own(ledger: Ledger) -> int:
        return state.customer.get((ledger, 0, currency, account.id), 0)

    locked = isolated_locked(state, account.id)
    return [
        account.id,
        account.group,
        account.leverage,
        account.flags,
        account.state,
        state.balance(account.id),
        state.credit(account.id),
        locked,
        margin(state, account) + locked,
        account.level,
        own(Ledger.FEES),
        own(Ledger.REALISED_PNL),
        own(Ledger.FUNDING_PNL),
    ]


def _position(p: Position) -> list[int]:
    return [
        p.id,
        p.instrument,
        p.side,
        int(p.isolated),
        p.volume,
        p.cost,
        p.sl,
        p.tp,
        p.trailing,
        p.trailing_step,
        p.markup,
        p.margin,
        p.ledger_cost,
        p.swap,
        p.last_swap_day,
        p.closing,
        p.tag,
    ]


def _order(o: Order) -> list[int]:
    return [
        o.id,
        o.instrument,
        o.side,
        o.type,
        o.state,
        o.tif,
        o.volume,
        o.filled,
        o.price,
        o.limit_price,
        o.sl,
        o.tp,
        o.trailing,
        o.trailing_step,
        o.expire,
        o.oco,
        o.position,
        o.leverage,
        o.markup,
        o.margin,
        o.tag,
    ]


def digest(state: State) -> bytes:
    """The hash of the rows."""
    sha = hashlib.sha256()
    for tag, numbers in rows(state):
        sha.update(tag.encode("ascii"))
        for number in numbers:
            sha.update(number.to_bytes(16, "little", signed=True))
    return sha.digest()
