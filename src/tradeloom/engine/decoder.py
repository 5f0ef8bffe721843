"""The core's event records back into values with names and decimals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

from tradeloom.domain import events as e
from tradeloom.domain import numbers
from tradeloom.domain.currency import Currency
from tradeloom.domain.enums import (
    AccountFlag,
    Entry,
    Field,
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
from tradeloom.engine.names import Names
from tradeloom.engine.records import EVENT_HEADER, EVENTS, LEG

REFUSED: Final = 1
REPEAT: Final = 2
ISOLATED: Final = 1
_BY_KIND: Final = {record.kind: name for name, record in EVENTS.items() if record.kind}
_RESULT: Final = EVENTS["EventResult"].kind
_CONFIG: Final = EVENTS["EventConfig"].kind
_DEFINITIONS: Final[dict[int, type[Currency] | type[Instrument] | type[Group]]] = {
    10: Currency,
    11: Instrument,
    12: Group,
}

Values = dict[str, Any]


class Decoder:
    """Turns event records into values with the names of one engine, which it keeps up to date."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._makers: dict[str, Callable[[Values, Values, memoryview], e.AnyEvent]] = {
            "EventResult": self._result,
            "EventConfig": self._config,
            "EventAccount": self._account,
            "EventLedger": self._ledger,
            "EventOrder": self._order,
            "EventFill": self._fill,
            "EventPosition": self._position,
            "EventMargin": self._margin,
            "EventRoute": self._route,
            "EventState": self._state,
        }

    def decode(self, data: bytes | memoryview) -> Iterator[e.AnyEvent]:
        """The events of a batch, in their order."""
        view = memoryview(data)
        at, end = 0, len(view)
        while at < end:
            length, kind, flags, seq, ts, cause = EVENT_HEADER.unpack_from(view, at)
            name = _BY_KIND[kind]
            record = EVENTS[name]
            start = at + EVENT_HEADER.size
            values = record.unpack(view, start)
            values["record_flags"] = flags
            head = {"seq": seq, "ts": ts, "cause": cause}
            yield self._makers[name](values, head, view[start + record.size : at + length])
            at += length

    def result(self, data: bytes) -> e.Result | None:
        """The RESULT of a single input, without making values of its other events.

        Definitions among them are learned.
        """
        at, end, found = 0, len(data), None
        while at < end:
            length, kind, *_ = EVENT_HEADER.unpack_from(data, at)
            if kind in (_RESULT, _CONFIG):
                for event in self.decode(memoryview(data)[at : at + length]):
                    found = event if isinstance(event, e.Result) else found
            at += length
        return found

    def _result(self, v: Values, head: Values, _rest: memoryview) -> e.Result:
        field = Field(v["field"])
        return e.Result(
            **head,
            index=v["index"],
            code=ReturnCode(v["code"]),
            field=field.name.lower() if field else "",
            account=v["account"],
            reference=v["reference"],
            id=_text(v["id"]),
            refused=bool(v["record_flags"] & REFUSED),
            repeat=bool(v["record_flags"] & REPEAT),
        )

    def _config(self, v: Values, head: Values, rest: memoryview) -> e.Defined:
        body = json.loads(bytes(rest[: v["bytes"]]))
        definition = _DEFINITIONS[v["kind"]].from_core(body)
        self._names.learn(v["index"], definition, head["seq"])
        return e.Defined(**head, definition=definition, new=bool(v["new"]))

    def _account(self, v: Values, head: Values, _rest: memoryview) -> e.AccountUpdated:
        return e.AccountUpdated(
            **head,
            account=v["account"],
            group=self._names.groups[v["group"]].name,
            leverage=v["leverage"],
            flags=AccountFlag(v["flags"]),
            currency=self._names.currencies[v["currency"]].code,
            opened=v["opened"],
        )

    def _ledger(self, v: Values, head: Values, rest: memoryview) -> e.LedgerPosted:
        legs = (LEG.unpack(rest, number * LEG.size) for number in range(v["count"]))
        return e.LedgerPosted(
            **head,
            account=v["account"],
            reference=v["reference"],
            balance=numbers.amount(v["balance"]),
            credit=numbers.amount(v["credit"]),
            first_leg=v["first_leg"],
            legs=tuple(
                e.Leg(
                    Ledger(leg["ledger"]),
                    leg["sub"],
                    Posting(leg["reason"]),
                    self._names.currencies[leg["currency"]].code,
                    numbers.amount(leg["amount"]),
                )
                for leg in legs
            ),
        )

    def _order(self, v: Values, head: Values, rest: memoryview) -> e.OrderUpdated:
        digits = self._names.digits(v["instrument"], head["seq"])
        return e.OrderUpdated(
            **head,
            order=v["order"],
            account=v["account"],
            instrument=self._names.symbol(v["instrument"]),
            side=Side(v["side"]),
            type=OrderType(v["type_"]),
            tif=TimeInForce(v["tif"]),
            state=OrderState(v["state"]),
            reason=Reason(v["reason"]),
            code=ReturnCode(v["code"]),
            leverage=v["leverage"],
            volume=numbers.lots(v["volume"]),
            filled=numbers.lots(v["filled"]),
            price=_price(v["price"], digits),
            limit_price=_price(v["limit_price"], digits),
            sl=_price(v["sl"], digits),
            tp=_price(v["tp"], digits),
            expire=v["expire"],
            position=v["position"],
            oco=v["oco"],
            tag=v["tag"],
            comment=_text(bytes(rest[: v["comment"]])),
        )

    def _fill(self, v: Values, head: Values, _rest: memoryview) -> e.Fill:
        return e.Fill(
            **head,
            order=v["order"],
            position=v["position"],
            account=v["account"],
            instrument=self._names.symbol(v["instrument"]),
            side=Side(v["side"]),
            entry=Entry(v["entry"]),
            reason=Reason(v["reason"]),
            flags=FillFlag(v["flags"]),
            volume=numbers.lots(v["volume"]),
            price=numbers.decimal(v["price"], self._names.digits(v["instrument"], head["seq"])),
            profit=numbers.amount(v["profit"]),
            commission=numbers.amount(v["commission"]),
            trade=_text(v["trade"]),
        )

    def _position(self, v: Values, head: Values, _rest: memoryview) -> e.PositionUpdated:
        digits = self._names.digits(v["instrument"], head["seq"])
        return e.PositionUpdated(
            **head,
            position=v["position"],
            account=v["account"],
            instrument=self._names.symbol(v["instrument"]),
            side=Side(v["side"]),
            state=PositionState(v["state"]),
            reason=Reason(v["reason"]),
            isolated=bool(v["flags"] & ISOLATED),
            volume=numbers.lots(v["volume"]),
            price=numbers.decimal(v["price"], digits),
            cost=numbers.decimal(v["cost"], digits + numbers.VOLUME_DIGITS, keep=digits),
            sl=_price(v["sl"], digits),
            tp=_price(v["tp"], digits),
            trailing=v["trailing"],
            margin=numbers.amount(v["margin"]),
            swap=numbers.amount(v["swap"]),
            order=v["order"],
            opened=v["opened"],
            tag=v["tag"],
        )

    def _margin(self, v: Values, head: Values, _rest: memoryview) -> e.MarginUpdated:
        return e.MarginUpdated(
            **head,
            account=v["account"],
            level=MarginLevel(v["level"]),
            equity=numbers.amount(v["equity"]),
            margin=numbers.amount(v["margin"]),
        )

    def _route(self, v: Values, head: Values, _rest: memoryview) -> e.RouteIntent:
        return e.RouteIntent(
            **head,
            order=v["order"],
            account=v["account"],
            instrument=self._names.symbol(v["instrument"]),
            side=Side(v["side"]),
            action=RouteAction(v["action"]),
            tif=TimeInForce(v["tif"]),
            reason=Reason(v["reason"]),
            volume=numbers.lots(v["volume"]),
            limit=_price(v["limit"], self._names.digits(v["instrument"], head["seq"])),
            position=v["position"],
            tag=v["tag"],
        )

    def _state(self, v: Values, head: Values, _rest: memoryview) -> e.TradingStateUpdated:
        scope = Scope(v["scope"])
        target: str | int = v["target"]
        if scope is Scope.GROUP:
            target = self._names.groups[v["target"]].name
        elif scope is Scope.INSTRUMENT:
            target = self._names.symbol(v["target"])
        return e.TradingStateUpdated(
            **head, scope=scope, state=TradingState(v["state"]), target=target
        )


def _price(mantissa: int, digits: int) -> Decimal | None:
    return numbers.decimal(mantissa, digits) if mantissa else None


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "replace")
