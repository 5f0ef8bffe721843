"""Events: everything the engine says, one frozen value per kind.

Common to all: `seq` counts events without gaps, `ts` is the engine's time (UTC ns), `cause` the
number of the input that made it. Answers that are not history (refusals, repeated answers) have
`seq` and `cause` 0. Prices are in the instrument's quotation (None: none), volumes in lots, money
in the account's currency unless said otherwise.
"""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from tradeloom.domain.currency import Currency
from tradeloom.domain.enums import (
    AccountFlag,
    Entry,
    FillFlag,
    Ledger,
    MarginLevel,
    OrderState,
    OrderType,
    PositionState,
    Posting,
    Reason,
    ReturnCode,
    RouteAction,
    Scope,
    Side,
    TimeInForce,
    TradingState,
)
from tradeloom.domain.group import Group
from tradeloom.domain.instrument import Instrument


def _tag(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=_tag):
    """What all events have."""

    seq: int
    ts: int
    cause: int


class Result(Event, frozen=True, kw_only=True):
    """The answer to one command.

    `index`: place of the input in its batch. `reference`: order, position or count it made.
    `refused`: it left no trace. `repeat`: this is the first answer given again.
    """

    index: int
    code: ReturnCode
    field: str
    account: int
    reference: int
    id: str
    refused: bool
    repeat: bool


class Defined(Event, frozen=True, kw_only=True):
    """A currency, instrument or group was defined (`new`) or changed."""

    definition: Currency | Instrument | Group
    new: bool


class AccountUpdated(Event, frozen=True, kw_only=True):
    """An account was opened, changed or closed. `leverage` 0: the group's."""

    account: int
    group: str
    leverage: int
    flags: AccountFlag
    currency: str
    opened: int


class Leg(msgspec.Struct, frozen=True):
    """`amount` moved from the house account to the customer's (negative: back). `sub` 1: credit."""

    ledger: Ledger
    sub: int
    reason: Posting
    currency: str
    amount: Decimal


class LedgerPosted(Event, frozen=True, kw_only=True):
    """Linked transfers of one account; `balance` and `credit` are those after it.

    A transfer's id is (`cause`, number of the leg), counted from `first_leg`. `reference`: the
    order or position they are about.
    """

    account: int
    reference: int
    balance: Decimal
    credit: Decimal
    first_leg: int
    legs: tuple[Leg, ...]


class OrderUpdated(Event, frozen=True, kw_only=True):
    """An order after something happened to it. `code`: why, when it ended badly."""

    order: int
    account: int
    instrument: str
    side: Side
    type: OrderType
    tif: TimeInForce
    state: OrderState
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


class Fill(Event, frozen=True, kw_only=True):
    """A fill; its id is `seq`. `trade`: the venue's id, empty for the engine's own."""

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


class PositionUpdated(Event, frozen=True, kw_only=True):
    """A position after a change. `price`: average open price. `trailing`: points."""

    position: int
    account: int
    instrument: str
    side: Side
    state: PositionState
    reason: Reason
    isolated: bool
    volume: Decimal
    price: Decimal
    cost: Decimal
    sl: Decimal | None
    tp: Decimal | None
    trailing: int
    margin: Decimal
    swap: Decimal
    order: int
    opened: int
    tag: int


class MarginUpdated(Event, frozen=True, kw_only=True):
    """The margin state of an account changed."""

    account: int
    level: MarginLevel
    equity: Decimal
    margin: Decimal


class RouteIntent(Event, frozen=True, kw_only=True):
    """What a venue shall do; `order` is the client order id. `limit` None: a plain market order."""

    order: int
    account: int
    instrument: str
    side: Side
    action: RouteAction
    tif: TimeInForce
    reason: Reason
    volume: Decimal
    limit: Decimal | None
    position: int
    tag: int


class TradingStateUpdated(Event, frozen=True, kw_only=True):
    """A trading state was set. `target`: account number, group name or symbol; 0 for the shard."""

    scope: Scope
    state: TradingState
    target: str | int


AnyEvent = (
    Result
    | Defined
    | AccountUpdated
    | LedgerPosted
    | OrderUpdated
    | Fill
    | PositionUpdated
    | MarginUpdated
    | RouteIntent
    | TradingStateUpdated
)
"""Every event: for `match`."""
