"""Commands: every intention a user, gateway or algorithm can send, one frozen value per kind.

Common to all: `id` is the sender's own id (up to 32 of A-Z a-z 0-9 _ -); the same id with the same
body gives the first answer again, with another body DUPLICATE_ID; empty is never remembered.
Prices are in the instrument's quotation, volumes in lots, amounts in the account's currency; a
price of None means none. Times are UTC nanoseconds since 1970.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import ClassVar

import msgspec

from tradeloom.domain.currency import Currency
from tradeloom.domain.enums import (
    AccountFlag,
    OrderType,
    ReportKind,
    Scope,
    Side,
    TimeInForce,
    TradingState,
)
from tradeloom.domain.group import Commission, Group
from tradeloom.domain.instrument import Instrument


def _tag(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=_tag):
    """What all commands have: the sender's id. `RECORD` names the record of `core/src/wire.rs`."""

    RECORD: ClassVar[str] = ""
    id: str = ""


class AccountCommand(Command, frozen=True, kw_only=True):
    """A command about one account."""

    account: int


class DefineCurrency(Command, frozen=True, kw_only=True):
    """Define a currency, or confirm it."""

    RECORD: ClassVar[str] = "DefineCurrency"
    currency: Currency


class DefineInstrument(Command, frozen=True, kw_only=True):
    """Define an instrument, or change its conditions."""

    RECORD: ClassVar[str] = "DefineInstrument"
    instrument: Instrument


class DefineGroup(Command, frozen=True, kw_only=True):
    """Define a group, or change its conditions; its accounts are evaluated at once."""

    RECORD: ClassVar[str] = "DefineGroup"
    group: Group


class OpenAccount(AccountCommand, frozen=True, kw_only=True):
    """Open an account under a number of its own. `leverage` 0 takes the group's."""

    RECORD: ClassVar[str] = "OpenAccount"
    group: str
    leverage: int = 0
    flags: AccountFlag = AccountFlag.NONE


class UpdateAccount(AccountCommand, frozen=True, kw_only=True):
    """Give an account another group, leverage (0: the group's) and flags; all three are set."""

    RECORD: ClassVar[str] = "UpdateAccount"
    group: str
    leverage: int = 0
    flags: AccountFlag = AccountFlag.NONE


class CloseAccount(AccountCommand, frozen=True, kw_only=True):
    """Close an account that has no trades, balance or credit; its number stays taken."""

    RECORD: ClassVar[str] = "CloseAccount"


class Deposit(AccountCommand, frozen=True, kw_only=True):
    """Money in."""

    RECORD: ClassVar[str] = "Balance"
    amount: Decimal


class Withdraw(AccountCommand, frozen=True, kw_only=True):
    """Money out, up to what is free."""

    RECORD: ClassVar[str] = "Balance"
    amount: Decimal


class CreditIn(AccountCommand, frozen=True, kw_only=True):
    """Grant credit: it carries margin but is not the customer's."""

    RECORD: ClassVar[str] = "Balance"
    amount: Decimal


class CreditOut(AccountCommand, frozen=True, kw_only=True):
    """Take credit back."""

    RECORD: ClassVar[str] = "Balance"
    amount: Decimal


class Correct(AccountCommand, frozen=True, kw_only=True):
    """Correct the balance by an amount of either sign."""

    RECORD: ClassVar[str] = "Balance"
    amount: Decimal


class SwapTerms(msgspec.Struct, frozen=True):
    """Overnight charge per lot of one order, in the unit of the instrument's swap mode."""

    long: Decimal
    short: Decimal


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions of one order instead of the group's; they stay with its position."""

    commission: Commission | None = None
    markup_points: int | None = None
    swap: SwapTerms | None = None


class PlaceOrder(AccountCommand, frozen=True, kw_only=True):
    """Place an order of any type.

    `price`: trigger or limit of a pending order; of a market order the price the sender saw, which
    `max_deviation` (points, None: any) is measured from. `limit_price`: of a stop-limit order.
    `trailing` and `trailing_step`: distances in points. `expire`: time, for GTD. `oco`: orders with
    the same number cancel each other. `position`: this market order reduces that position.
    `leverage` > 0 makes the position isolated. `tag`: the sender's mark, shown in events.
    """

    RECORD: ClassVar[str] = "PlaceOrder"
    instrument: str
    side: Side
    volume: Decimal
    type: OrderType = OrderType.MARKET
    tif: TimeInForce = TimeInForce.GTC
    price: Decimal | None = None
    limit_price: Decimal | None = None
    sl: Decimal | None = None
    tp: Decimal | None = None
    trailing: int = 0
    trailing_step: int = 0
    max_deviation: int | None = None
    expire: int = 0
    oco: int = 0
    position: int = 0
    tag: int = 0
    leverage: int = 0
    terms: Terms = Terms()


class ModifyOrder(AccountCommand, frozen=True, kw_only=True):
    """Set price, stops and expiry of a working order; what is None is removed.

    `instrument`: needed only to repeat the command under its id after the order is gone.
    """

    RECORD: ClassVar[str] = "ModifyOrder"
    order: int
    price: Decimal
    limit_price: Decimal | None = None
    sl: Decimal | None = None
    tp: Decimal | None = None
    expire: int = 0
    instrument: str = ""


class CancelOrder(AccountCommand, frozen=True, kw_only=True):
    """Cancel a working order."""

    RECORD: ClassVar[str] = "CancelOrder"
    order: int


class CancelAll(AccountCommand, frozen=True, kw_only=True):
    """Cancel every working order, or those of one instrument."""

    RECORD: ClassVar[str] = "CancelAll"
    instrument: str = ""


class ClosePosition(AccountCommand, frozen=True, kw_only=True):
    """Close a position, or `volume` lots of it.

    `price` and `max_deviation` (points) bound the fill, as in `PlaceOrder`.
    `instrument`: needed only to repeat a command with a price after the position is gone.
    """

    RECORD: ClassVar[str] = "ClosePosition"
    position: int
    volume: Decimal | None = None
    price: Decimal | None = None
    max_deviation: int | None = None
    instrument: str = ""


class CloseBy(AccountCommand, frozen=True, kw_only=True):
    """Close a position and an opposite one against each other, without a fill in the market."""

    RECORD: ClassVar[str] = "CloseBy"
    position: int
    position_by: int


class CloseAll(AccountCommand, frozen=True, kw_only=True):
    """Close every position that can be closed now, or those of one instrument."""

    RECORD: ClassVar[str] = "CloseAll"
    instrument: str = ""


class Reverse(AccountCommand, frozen=True, kw_only=True):
    """Turn a position around at the market, all or nothing."""

    RECORD: ClassVar[str] = "Reverse"
    position: int


class ModifyPosition(AccountCommand, frozen=True, kw_only=True):
    """Set stop loss, take profit and trailing (points) of a position; None and 0 remove them.

    `instrument`: needed only to repeat the command under its id after the position is gone.
    """

    RECORD: ClassVar[str] = "ModifyPosition"
    position: int
    sl: Decimal | None = None
    tp: Decimal | None = None
    trailing: int = 0
    trailing_step: int = 0
    instrument: str = ""


class SetTradingState(Command, frozen=True, kw_only=True):
    """Set what may be done. `target`: account number, group name or symbol."""

    RECORD: ClassVar[str] = "SetTradingState"
    scope: Scope
    state: TradingState
    target: str | int = 0


class Rollover(Command, frozen=True, kw_only=True):
    """Charge the swaps of a trading day, to every account (0) or to one."""

    RECORD: ClassVar[str] = "Rollover"
    day: date
    account: int = 0


class Funding(Command, frozen=True, kw_only=True):
    """Exchange the funding of a perpetual: longs pay `rate` (0.0001: 1 bp) to shorts."""

    RECORD: ClassVar[str] = "Funding"
    instrument: str
    rate: Decimal


class VenueReport(Command, frozen=True, kw_only=True):
    """What a venue said of a routed order; `trade` is the venue's id of a fill, booked once."""

    RECORD: ClassVar[str] = "Report"
    order: int
    instrument: str
    report: ReportKind
    volume: Decimal | None = None
    price: Decimal | None = None
    trade: str = ""


AnyCommand = (
    DefineCurrency
    | DefineInstrument
    | DefineGroup
    | OpenAccount
    | UpdateAccount
    | CloseAccount
    | Deposit
    | Withdraw
    | CreditIn
    | CreditOut
    | Correct
    | PlaceOrder
    | ModifyOrder
    | CancelOrder
    | CancelAll
    | ClosePosition
    | CloseBy
    | CloseAll
    | Reverse
    | ModifyPosition
    | SetTradingState
    | Rollover
    | Funding
    | VenueReport
)
"""Every command: for `match`, and for decoding tagged JSON with msgspec."""
