"""What the store's listings are made of: rows with names and decimals, as people read them.

Prices None: none. Times are UTC nanoseconds, volumes lots, money in the account's currency unless
said otherwise.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloom.domain.enums import (
    Entry,
    FillFlag,
    Ledger,
    MarginLevel,
    OrderState,
    OrderType,
    Posting,
    Reason,
    ReturnCode,
    Side,
    TimeInForce,
)


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order and how it ended, if it did."""

    id: int
    account: int
    instrument: str
    side: Side
    type: OrderType
    tif: TimeInForce
    state: OrderState
    live: bool
    reason: Reason
    code: ReturnCode
    leverage: int
    volume: Decimal
    filled: Decimal
    price: Decimal | None
    limit_price: Decimal | None
    sl: Decimal | None
    tp: Decimal | None
    expire: int
    position: int
    oco: int
    tag: int
    comment: str
    created: int
    updated: int


class FillRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fill; `id` is the seq of its event, `trade` the venue's id, empty for the engine's own."""

    id: int
    ts: int
    order: int
    position: int
    account: int
    instrument: str
    side: Side
    entry: Entry
    reason: Reason
    flags: FillFlag
    volume: Decimal
    price: Decimal
    profit: Decimal
    commission: Decimal
    trade: str


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """An open position as it was last changed; its profit of the moment is the engine's to tell."""

    id: int
    account: int
    instrument: str
    side: Side
    volume: Decimal
    price: Decimal
    sl: Decimal | None
    tp: Decimal | None
    trailing: int
    isolated: bool
    margin: Decimal
    swap: Decimal
    order: int
    opened: int
    updated: int
    tag: int


class ClosedPositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A closed position: `volume` that was closed, average prices, what it brought in all."""

    id: int
    account: int
    instrument: str
    side: Side
    volume: Decimal
    price: Decimal
    close_price: Decimal
    profit: Decimal
    commission: Decimal
    swap: Decimal
    reason: Reason
    order: int
    opened: int
    closed: int
    tag: int


class BalanceRow(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came or went without a trade; `balance` and `credit` are those after it."""

    id: int
    ts: int
    account: int
    reason: Posting
    amount: Decimal
    balance: Decimal
    credit: Decimal
    reference: int


class MarginRow(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the margin state of an account."""

    id: int
    ts: int
    account: int
    level: MarginLevel
    equity: Decimal
    margin: Decimal


class TransferRow(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer between an account (`account`) and the house in one ledger and currency.

    A positive `amount` debits the house and credits the account. `after`: cash ledger only, what
    the account had then. Its id is shard, `input_seq` and `leg`; `seq` is that of its event.
    """

    shard: int
    input_seq: int
    leg: int
    seq: int
    ts: int
    account: int
    ledger: Ledger
    sub: int
    currency: str
    reason: Posting
    amount: Decimal
    after: Decimal | None
    reference: int


class LedgerAccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account of a ledger; `account` 0 is the house. `balance` = `credits` - `debits`."""

    shard: int
    account: int
    ledger: Ledger
    sub: int
    currency: str
    debits: Decimal
    credits: Decimal
    balance: Decimal


class TrialRow(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger and currency: customers and house add up to zero, debits equal credits."""

    ledger: Ledger
    currency: str
    customers: Decimal
    house: Decimal
    debits: Decimal
    credits: Decimal


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account as its events left it."""

    account: int
    shard: int
    group: str
    leverage: int
    flags: int
    currency: str
    opened: int
    balance: Decimal
    credit: Decimal
    level: MarginLevel
