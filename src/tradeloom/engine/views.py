"""What a reader of the engine sees: accounts, positions, orders, ledgers, in natural units."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloom.domain.enums import (
    AccountFlag,
    Ledger,
    MarginLevel,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
    TradingState,
)


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account now; money in its currency.

    `equity` and `margin` include isolated positions; `free_margin` is what may still be used;
    `level` is cross equity over cross margin in percent, None when no margin is used.
    """

    id: int
    group: str
    currency: str
    leverage: int
    flags: AccountFlag
    state: TradingState
    margin_level: MarginLevel
    balance: Decimal
    credit: Decimal
    equity: Decimal
    margin: Decimal
    isolated: Decimal
    free_margin: Decimal
    level: Decimal | None
    fees: Decimal
    realised: Decimal
    funding: Decimal


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """An open position now. `current`: what it would close at; `profit`: floating, converted."""

    id: int
    account: int
    instrument: str
    side: Side
    volume: Decimal
    price: Decimal
    current: Decimal | None
    profit: Decimal
    sl: Decimal | None
    tp: Decimal | None
    trailing: int
    margin: Decimal
    swap: Decimal
    isolated: bool
    order: int
    opened: int
    tag: int


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """A working order."""

    id: int
    account: int
    instrument: str
    side: Side
    type: OrderType
    tif: TimeInForce
    state: OrderState
    volume: Decimal
    filled: Decimal
    price: Decimal | None
    limit_price: Decimal | None
    sl: Decimal | None
    tp: Decimal | None
    expire: int
    oco: int
    position: int
    leverage: int
    tag: int


class QuoteView(msgspec.Struct, frozen=True):
    """The last quote of an instrument; `ts` is its time, UTC ns."""

    bid: Decimal
    ask: Decimal
    ts: int


class TradingStates(msgspec.Struct, frozen=True):
    """What may be done where; only what is not ACTIVE is listed, by name or account number."""

    shard: TradingState
    groups: dict[str, TradingState]
    instruments: dict[str, TradingState]
    accounts: dict[int, TradingState]


class LedgerRow(msgspec.Struct, frozen=True):
    """One balance of a customer. `sub` 1 is the credit part of Cash."""

    ledger: Ledger
    sub: int
    currency: str
    amount: Decimal


class TrialRow(msgspec.Struct, frozen=True):
    """One ledger in one currency: all customers together and the house; the two cancel out."""

    ledger: Ledger
    currency: str
    customers: Decimal
    house: Decimal
