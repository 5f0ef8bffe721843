"""Trading by plain calls: every command as a method, prices and volumes as text or `Decimal`.

A desk builds the command, has the engine execute it, and, unless `check=False`, raises `Refused` or
`Rejected` when the answer is bad. `id` is the sender's id: the same call with the same id has one
effect. `sl`, `tp` and prices are in the instrument's quotation, volumes in lots, and distances in
points.
"""

# ruff: noqa: A002 - `id` and `type` are the words of the trade

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TypedDict, Unpack

from tradeloom.domain import commands as c
from tradeloom.domain import numbers, presets
from tradeloom.domain.currency import Currency
from tradeloom.domain.enums import (
    AccountFlag,
    OrderType,
    ReturnCode,
    Scope,
    Side,
    TimeInForce,
    TradingState,
)
from tradeloom.domain.errors import Refused
from tradeloom.domain.group import Group
from tradeloom.domain.instrument import Instrument
from tradeloom.domain.numbers import Number
from tradeloom.engine.answer import Answer, refusal
from tradeloom.engine.names import Names
from tradeloom.engine.reads import Reads

Definition = Currency | Instrument | Group


class OrderFields(TypedDict, total=False):
    """What a market order may carry besides its volume, as in `commands.PlaceOrder`."""

    tif: TimeInForce
    price: Number | None
    sl: Number | None
    tp: Number | None
    trailing: int
    trailing_step: int
    max_deviation: int | None
    position: int
    tag: int
    leverage: int
    terms: c.Terms | None
    id: str
    check: bool


class Desk(ABC):
    """The calls of an engine; what executes them is left to the engine."""

    names: Names
    reads: Reads

    @abstractmethod
    def execute(self, command: c.Command, *, ts: int | None = None) -> Answer:
        """Execute one command."""

    def define(self, *definitions: Definition, check: bool = True) -> Answer:
        """Define or change currencies, instruments and groups, in this order of calls.

        Currencies that an instrument or group names and that are among `presets.CURRENCIES` are
        defined along with it. Returns the last answer.
        """
        answer = Answer(code=ReturnCode.OK)
        for definition in definitions:
            for code in self.names.missing_currencies(_currencies(definition)):
                if code in presets.CURRENCIES:
                    self._do(c.DefineCurrency(currency=presets.CURRENCIES[code]), check)
            answer = self._do(_define(definition), check)
        return answer

    def open_account(
        self,
        account: int,
        *,
        group: str,
        leverage: int = 0,
        flags: AccountFlag = AccountFlag.NONE,
        id: str = "",
        check: bool = True,
    ) -> Answer:
        """Open an account under its number; `leverage` 0 takes the group's."""
        return self._do(
            c.OpenAccount(id=id, account=account, group=group, leverage=leverage, flags=flags),
            check,
        )

    def deposit(self, account: int, amount: Number, *, id: str = "", check: bool = True) -> Answer:
        """Put money in, in the account's currency."""
        return self._try(
            lambda: c.Deposit(id=id, account=account, amount=numbers.parse(amount, "amount")), check
        )

    def withdraw(self, account: int, amount: Number, *, id: str = "", check: bool = True) -> Answer:
        """Take money out, up to what is free."""
        return self._try(
            lambda: c.Withdraw(id=id, account=account, amount=numbers.parse(amount, "amount")),
            check,
        )

    def buy(
        self, account: int, symbol: str, volume: Number, **order: Unpack[OrderFields]
    ) -> Answer:
        """Buy at the market; `order` as in `place`."""
        return self.place(account, symbol, Side.BUY, volume, **order)

    def sell(
        self, account: int, symbol: str, volume: Number, **order: Unpack[OrderFields]
    ) -> Answer:
        """Sell at the market; `order` as in `place`."""
        return self.place(account, symbol, Side.SELL, volume, **order)

    def place(
        self,
        account: int,
        symbol: str,
        side: Side,
        volume: Number,
        *,
        type: OrderType = OrderType.MARKET,
        tif: TimeInForce = TimeInForce.GTC,
        price: Number | None = None,
        limit_price: Number | None = None,
        sl: Number | None = None,
        tp: Number | None = None,
        trailing: int = 0,
        trailing_step: int = 0,
        max_deviation: int | None = None,
        expire: int = 0,
        oco: int = 0,
        position: int = 0,
        tag: int = 0,
        leverage: int = 0,
        terms: c.Terms | None = None,
        id: str = "",
        check: bool = True,
    ) -> Answer:
        """Place any order; the fields are those of `commands.PlaceOrder`."""
        return self._try(
            lambda: c.PlaceOrder(
                id=id,
                account=account,
                instrument=symbol,
                side=side,
                volume=numbers.parse(volume, "volume"),
                type=type,
                tif=tif,
                price=_optional(price, "price"),
                limit_price=_optional(limit_price, "limit_price"),
                sl=_optional(sl, "sl"),
                tp=_optional(tp, "tp"),
                trailing=trailing,
                trailing_step=trailing_step,
                max_deviation=max_deviation,
                expire=expire,
                oco=oco,
                position=position,
                tag=tag,
                leverage=leverage,
                terms=terms or c.Terms(),
            ),
            check,
        )

    def modify_order(
        self,
        account: int,
        order: int,
        price: Number,
        *,
        limit_price: Number | None = None,
        sl: Number | None = None,
        tp: Number | None = None,
        expire: int = 0,
        id: str = "",
        check: bool = True,
    ) -> Answer:
        """Set price, stops and expiry of a working order; what is left out is removed."""
        return self._try(
            lambda: c.ModifyOrder(
                id=id,
                account=account,
                order=order,
                price=numbers.parse(price, "price"),
                limit_price=_optional(limit_price, "limit_price"),
                sl=_optional(sl, "sl"),
                tp=_optional(tp, "tp"),
                expire=expire,
            ),
            check,
        )

    def cancel(self, account: int, order: int, *, id: str = "", check: bool = True) -> Answer:
        """Cancel a working order."""
        return self._do(c.CancelOrder(id=id, account=account, order=order), check)

    def cancel_all(self, account: int, symbol: str = "", *, check: bool = True) -> Answer:
        """Cancel every working order, or those of one symbol."""
        return self._do(c.CancelAll(account=account, instrument=symbol), check)

    def close_position(
        self,
        account: int,
        position: int,
        volume: Number | None = None,
        *,
        price: Number | None = None,
        max_deviation: int | None = None,
        id: str = "",
        check: bool = True,
    ) -> Answer:
        """Close a position, or `volume` lots of it."""
        return self._try(
            lambda: c.ClosePosition(
                id=id,
                account=account,
                position=position,
                volume=_optional(volume, "volume"),
                price=_optional(price, "price"),
                max_deviation=max_deviation,
            ),
            check,
        )

    def close_by(self, account: int, position: int, by: int, *, check: bool = True) -> Answer:
        """Close two opposite positions of one instrument against each other."""
        return self._do(c.CloseBy(account=account, position=position, position_by=by), check)

    def close_all(self, account: int, symbol: str = "", *, check: bool = True) -> Answer:
        """Close every position that can be closed now, or those of one symbol."""
        return self._do(c.CloseAll(account=account, instrument=symbol), check)

    def reverse(self, account: int, position: int, *, id: str = "", check: bool = True) -> Answer:
        """Turn a position around at the market, all or nothing."""
        return self._do(c.Reverse(id=id, account=account, position=position), check)

    def modify_position(
        self,
        account: int,
        position: int,
        *,
        sl: Number | None = None,
        tp: Number | None = None,
        trailing: int = 0,
        trailing_step: int = 0,
        id: str = "",
        check: bool = True,
    ) -> Answer:
        """Set stop loss, take profit and trailing; what is left out is removed."""
        return self._try(
            lambda: c.ModifyPosition(
                id=id,
                account=account,
                position=position,
                sl=_optional(sl, "sl"),
                tp=_optional(tp, "tp"),
                trailing=trailing,
                trailing_step=trailing_step,
            ),
            check,
        )

    def set_trading_state(
        self, scope: Scope, state: TradingState, target: str | int = 0, *, check: bool = True
    ) -> Answer:
        """Set what may be done by the shard, a group, an account or an instrument."""
        return self._do(c.SetTradingState(scope=scope, state=state, target=target), check)

    def rollover(self, day: date, account: int = 0, *, check: bool = True) -> Answer:
        """Charge the swaps of a trading day, to every account (0) or one."""
        return self._do(c.Rollover(day=day, account=account), check)

    def funding(self, symbol: str, rate: Number, *, check: bool = True) -> Answer:
        """Exchange the funding of a perpetual: longs pay `rate` (0.0001 is 1 bp) to shorts."""
        return self._try(
            lambda: c.Funding(instrument=symbol, rate=numbers.parse(rate, "rate")), check
        )

    def _do(self, command: c.Command, check: bool) -> Answer:
        answer = self.execute(command)
        return answer.checked() if check else answer

    def _try(self, make: Callable[[], c.Command], check: bool) -> Answer:
        try:
            command = make()
        except Refused as error:
            if check:
                raise
            return refusal(error)
        return self._do(command, check)


def _optional(value: Number | None, field: str) -> Decimal | None:
    return None if value is None else numbers.parse(value, field)


def _currencies(definition: Definition) -> tuple[str, ...]:
    match definition:
        case Instrument():
            return definition.base, definition.profit, definition.margin
        case Group():
            return (definition.currency,)
    return ()


def _define(definition: Definition) -> c.Command:
    match definition:
        case Instrument():
            return c.DefineInstrument(instrument=definition)
        case Group():
            return c.DefineGroup(group=definition)
    return c.DefineCurrency(currency=definition)
