"""Commands into the core's records, and the core's events back into values.

Names become indices and decimals become integers here, exactly; what does not fit is `Refused`
before the core sees it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from tradeloom.domain import commands as c
from tradeloom.domain import numbers
from tradeloom.domain.enums import (
    BalanceOp,
    CommissionMode,
    CommissionWhen,
    ReturnCode,
    Scope,
)
from tradeloom.domain.errors import Refused, explain
from tradeloom.engine.names import Names
from tradeloom.engine.records import (
    CLOCK_KIND,
    COMMAND_HEADER,
    EVERY_INSTRUMENT,
    ID_BYTES,
    INPUT_HEADER,
    INPUTS,
)

U32_MAX: Final = 2**32 - 1
U64_MAX: Final = 2**64 - 1

InstrumentOf = Callable[[int, int, int], int | None]
"""Account, order, position (one of them 0) -> index of the instrument, None when there is none."""

_MODES: Final = tuple(CommissionMode)
_WHENS: Final = tuple(CommissionWhen)
_EPOCH: Final = date(1970, 1, 1)


class Encoder:
    """Turns commands into input records with the names of one engine.

    `instrument_of` finds the instrument of an open order or position, for the digits of its prices.
    """

    def __init__(self, names: Names, instrument_of: InstrumentOf) -> None:
        self._names = names
        self._instrument_of = instrument_of
        self._bodies: dict[type[c.Command], Callable[[Any], bytes]] = {
            c.DefineCurrency: lambda x: _json(x.currency.to_core()),
            c.DefineInstrument: lambda x: _json(x.instrument.to_core()),
            c.DefineGroup: lambda x: _json(x.group.to_core()),
            c.OpenAccount: self._account,
            c.UpdateAccount: self._account,
            c.Deposit: lambda x: _balance(BalanceOp.DEPOSIT, x.amount),
            c.Withdraw: lambda x: _balance(BalanceOp.WITHDRAWAL, x.amount),
            c.CreditIn: lambda x: _balance(BalanceOp.CREDIT_IN, x.amount),
            c.CreditOut: lambda x: _balance(BalanceOp.CREDIT_OUT, x.amount),
            c.Correct: lambda x: _balance(BalanceOp.CORRECTION, x.amount),
            c.PlaceOrder: self._place,
            c.ModifyOrder: self._modify_order,
            c.CancelOrder: lambda x: _body(x, order=_unsigned(x.order, "order")),
            c.CancelAll: self._every,
            c.ClosePosition: self._close,
            c.CloseBy: lambda x: _body(
                x,
                position=_unsigned(x.position, "position"),
                position_by=_unsigned(x.position_by, "position_by"),
            ),
            c.CloseAll: self._every,
            c.Reverse: lambda x: _body(x, position=_unsigned(x.position, "position")),
            c.ModifyPosition: self._modify_position,
            c.SetTradingState: self._state,
            c.Rollover: self._rollover,
            c.Funding: self._funding,
            c.VenueReport: self._report,
        }

    def encode(self, command: c.Command, ts: int) -> bytes:
        """The input record of a command at time `ts` (UTC ns).

        Raises `Refused` for names that are not defined and numbers that do not fit.
        """
        make = self._bodies.get(type(command))
        body = make(command) if make else b""
        record = INPUTS[command.RECORD]
        account = _unsigned(getattr(command, "account", 0), "account")
        header = COMMAND_HEADER.pack(account, _id(command.id, "id"))
        length = INPUT_HEADER.size + len(header) + len(body)
        return INPUT_HEADER.pack(length, record.kind, 0, _time(ts, "ts")) + header + body

    def quote(self, symbol: str, bid: numbers.Number, ask: numbers.Number, ts: int) -> bytes:
        """The input record of a quote; raises `Refused`."""
        index = self._names.instrument(symbol)
        digits = self._names.digits(index)
        record = INPUTS["Quote"]
        body = record.pack(
            {
                "instrument": index,
                "bid": numbers.mantissa(bid, digits, "bid"),
                "ask": numbers.mantissa(ask, digits, "ask"),
            }
        )
        length = INPUT_HEADER.size + len(body)
        return INPUT_HEADER.pack(length, record.kind, 0, _time(ts, "ts")) + body

    def _account(self, x: c.OpenAccount | c.UpdateAccount) -> bytes:
        return _body(
            x,
            group=self._names.group(x.group),
            leverage=_unsigned(x.leverage, "leverage", U32_MAX),
            flags=_unsigned(int(x.flags), "flags", U32_MAX),
        )

    def _place(self, x: c.PlaceOrder) -> bytes:
        index = self._names.instrument(x.instrument)
        digits = self._names.digits(index)
        return _body(
            x,
            instrument=index,
            side=_unsigned(x.side, "side", 255),
            type_=_unsigned(x.type, "type", 255),
            tif=_unsigned(x.tif, "tif", 255),
            flags=1 if x.leverage else 0,
            volume=numbers.volume(x.volume),
            price=_price(x.price, digits, "price"),
            limit_price=_price(x.limit_price, digits, "limit_price"),
            sl=_price(x.sl, digits, "sl"),
            tp=_price(x.tp, digits, "tp"),
            trailing=_points(x.trailing, "trailing"),
            trailing_step=_points(x.trailing_step, "trailing_step"),
            max_deviation=_deviation(x.max_deviation),
            expire=_time(x.expire, "expire"),
            oco=_unsigned(x.oco, "oco"),
            position=_unsigned(x.position, "position"),
            tag=_unsigned(x.tag, "tag"),
            leverage=_unsigned(x.leverage, "leverage", U32_MAX),
            **_terms(x.terms),
        )

    def _modify_order(self, x: c.ModifyOrder) -> bytes:
        digits = self._digits(x.account, x.order, 0, x.instrument)
        return _body(
            x,
            order=_unsigned(x.order, "order"),
            price=_price(x.price, digits, "price"),
            limit_price=_price(x.limit_price, digits, "limit_price"),
            sl=_price(x.sl, digits, "sl"),
            tp=_price(x.tp, digits, "tp"),
            expire=_time(x.expire, "expire"),
        )

    def _modify_position(self, x: c.ModifyPosition) -> bytes:
        plain = x.sl is None and x.tp is None
        digits = 0 if plain else self._digits(x.account, 0, x.position, x.instrument)
        return _body(
            x,
            position=_unsigned(x.position, "position"),
            sl=_price(x.sl, digits, "sl"),
            tp=_price(x.tp, digits, "tp"),
            trailing=_points(x.trailing, "trailing"),
            trailing_step=_points(x.trailing_step, "trailing_step"),
        )

    def _close(self, x: c.ClosePosition) -> bytes:
        plain = x.price is None
        digits = 0 if plain else self._digits(x.account, 0, x.position, x.instrument)
        return _body(
            x,
            position=_unsigned(x.position, "position"),
            volume=0 if x.volume is None else _some_volume(x.volume),
            price=_price(x.price, digits, "price"),
            max_deviation=_deviation(x.max_deviation),
        )

    def _every(self, x: c.CancelAll | c.CloseAll) -> bytes:
        every = x.instrument == ""
        return _body(
            x, instrument=EVERY_INSTRUMENT if every else self._names.instrument(x.instrument)
        )

    def _state(self, x: c.SetTradingState) -> bytes:
        match x.scope:
            case Scope.GROUP:
                target = self._names.group(str(x.target))
            case Scope.INSTRUMENT:
                target = self._names.instrument(str(x.target))
            case _:
                target = _unsigned(x.target, "target")
        return _body(
            x,
            target=target,
            scope=_unsigned(x.scope, "scope", 255),
            state=_unsigned(x.state, "state", 255),
        )

    def _rollover(self, x: c.Rollover) -> bytes:
        return _body(x, day=_unsigned((x.day - _EPOCH).days, "day", U32_MAX))

    def _funding(self, x: c.Funding) -> bytes:
        index = self._names.instrument(x.instrument)
        return _body(x, instrument=index, rate=numbers.mantissa(x.rate, 8, "rate"))

    def _report(self, x: c.VenueReport) -> bytes:
        digits = self._names.digits(self._names.instrument(x.instrument))
        return _body(
            x,
            order=_unsigned(x.order, "order"),
            kind=_unsigned(x.report, "kind", 255),
            volume=0 if x.volume is None else numbers.volume(x.volume),
            price=_price(x.price, digits, "price"),
            trade=_id(x.trade, "trade"),
        )

    def _digits(self, account: int, order: int, position: int, symbol: str) -> int:
        named = self._names.instrument(symbol) if symbol else None
        found = self._instrument_of(account, order, position)
        index = named if found is None else found
        if index is None or named not in (None, index):
            field = "order" if order else "position"
            raise Refused(ReturnCode.TRADE_INCORRECT_ORDER, field)
        return self._names.digits(index)


def clock(ts: int) -> bytes:
    """The input record that only lets time pass to `ts` (UTC ns): expiries run."""
    return INPUT_HEADER.pack(INPUT_HEADER.size, CLOCK_KIND, 0, _time(ts, "ts"))


def _body(command: c.Command, **values: int | bytes) -> bytes:
    return INPUTS[command.RECORD].pack(values)


def _balance(op: BalanceOp, amount: Decimal) -> bytes:
    return INPUTS["Balance"].pack({"op": int(op), "amount": numbers.money(amount)})


def _json(body: dict[str, Any]) -> bytes:
    text = json.dumps(body, separators=(",", ":")).encode()
    return text + bytes(-len(text) % 8)


def _terms(terms: c.Terms) -> dict[str, int]:
    values: dict[str, int] = {}
    given = 0
    if terms.commission is not None:
        given |= 1
        values["commission_mode"] = _MODES.index(terms.commission.mode)
        values["commission_when"] = _WHENS.index(terms.commission.when)
        values["commission_value"] = numbers.mantissa(terms.commission.value, 8, "terms")
    if terms.markup_points is not None:
        given |= 2
        values["markup"] = _points(terms.markup_points, "terms")
    if terms.swap is not None:
        given |= 4
        values["swap_long"] = numbers.mantissa(terms.swap.long, 8, "terms")
        values["swap_short"] = numbers.mantissa(terms.swap.short, 8, "terms")
    values["terms"] = given
    return values


def _price(value: Decimal | None, digits: int, field: str) -> int:
    return 0 if value is None else numbers.mantissa(value, digits, field)


def _some_volume(value: Decimal) -> int:
    """A volume that was given; zero would mean all of the position to the core."""
    number = numbers.volume(value)
    if number == 0:
        raise Refused(ReturnCode.TRADE_BAD_VOLUME, "volume")
    return number


def _deviation(value: int | None) -> int:
    return -1 if value is None else _points(value, "max_deviation")


def _points(value: int, field: str) -> int:
    return numbers.mantissa(value, 0, field)


def _time(value: int, field: str) -> int:
    if _is_int(value) and abs(value) <= numbers.I64_MAX:
        return value
    code = ReturnCode.OVERFLOW if _is_int(value) else ReturnCode.ERR_PARAMS
    raise Refused(code, field, explain(code, field, f"{value!r} is not a time in UTC nanoseconds"))


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _unsigned(value: int | str, field: str, limit: int = U64_MAX) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= limit:
        return value
    code = ReturnCode.ERR_PARAMS
    raise Refused(code, field, explain(code, field, f"{value!r} is not a number of 0 to {limit}"))


def _id(text: str, field: str) -> bytes:
    code = ReturnCode.BAD_RECORD
    try:
        data = text.encode("ascii")
    except (UnicodeEncodeError, AttributeError):
        data = b"?"
    if len(data) > ID_BYTES or b"?" in data or b"\0" in data:
        raise Refused(
            code, field, explain(code, field, "an id is at most 32 of A-Z a-z 0-9 _ and -")
        )
    return data
