"""Commands, events and errors as a program and a person meet them."""

from __future__ import annotations

import pickle
from decimal import Decimal

import msgspec
import pytest

from tradeloom.domain import commands, events
from tradeloom.domain.enums import MarginLevel, ReturnCode, Side
from tradeloom.domain.errors import BadNumber, Refused, Rejected, TradeloomError, explain


def test_commands_travel_as_tagged_json() -> None:
    order = commands.PlaceOrder(
        id="a-1", account=1001, instrument="EURUSD", side=Side.BUY, volume=Decimal("0.10")
    )
    text = msgspec.json.encode(order)
    assert b'"kind":"place_order"' in text
    assert b'"volume":"0.10"' in text
    decoder = msgspec.json.Decoder(commands.AnyCommand)
    assert decoder.decode(text) == order


def test_events_travel_as_tagged_json() -> None:
    event = events.MarginUpdated(
        seq=1,
        ts=2,
        cause=3,
        account=4,
        level=MarginLevel.MARGIN_CALL,
        equity=Decimal("1.50"),
        margin=Decimal(2),
    )
    decoder = msgspec.json.Decoder(events.AnyEvent)
    assert b'"kind":"margin_updated"' in msgspec.json.encode(event)
    assert decoder.decode(msgspec.json.encode(event)) == event


def test_commands_cannot_be_changed() -> None:
    command = commands.Deposit(account=1, amount=Decimal(5))
    with pytest.raises(AttributeError):
        command.amount = Decimal(6)  # type: ignore[misc]


def test_every_code_is_explained() -> None:
    for code in ReturnCode:
        text = explain(code, "volume")
        assert text.startswith(f"{code.name} ({code.number}) in volume: ")
        if not code.good:
            assert "; " in text, f"{code.name} says what to do"


def test_errors_say_what_and_where_and_survive_pickling() -> None:
    error = Rejected(ReturnCode.TRADE_NO_MONEY, "volume")
    assert str(error) == (
        "TRADE_NO_MONEY (134) in volume: not enough free margin; "
        "deposit, close something, or trade a smaller volume"
    )
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (copy.code, copy.field, str(copy)) == (error.code, error.field, str(error))
    assert issubclass(BadNumber, Refused)
    assert issubclass(Refused, TradeloomError)
