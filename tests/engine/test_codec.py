"""Records are what the core's layout tables say, and enums are what its tables of codes say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tradeloom import _core
from tradeloom.domain import commands as c
from tradeloom.domain import enums, presets
from tradeloom.domain.enums import OrderType, ReportKind, Scope, Side, TimeInForce, TradingState
from tradeloom.domain.errors import Refused
from tradeloom.engine.batches import closes_batch, fill, orders_batch, quotes_batch
from tradeloom.engine.codec import Encoder
from tradeloom.engine.names import Names
from tradeloom.engine.records import COMMAND_HEADER, INPUT_HEADER, INPUTS, Record

ENUMS: dict[str, Any] = {
    "Code": enums.ReturnCode,
    "At": enums.Field,
    "Side": enums.Side,
    "OrderType": enums.OrderType,
    "Tif": enums.TimeInForce,
    "OrderState": enums.OrderState,
    "Reason": enums.Reason,
    "PositionState": enums.PositionState,
    "Entry": enums.Entry,
    "BalanceOp": enums.BalanceOp,
    "Scope": enums.Scope,
    "Trading": enums.TradingState,
    "ReportKind": enums.ReportKind,
    "Ledger": enums.Ledger,
    "Posting": enums.Posting,
}


def _names() -> Names:
    names = Names()
    for number, currency in enumerate(presets.CURRENCIES.values()):
        names.set(number, currency)
    for number, instrument in enumerate(presets.INSTRUMENTS.values()):
        names.set(number, instrument)
    for number, group in enumerate(presets.GROUPS.values()):
        names.set(number, group)
    return names


@pytest.fixture
def encoder() -> Encoder:
    return Encoder(_names(), lambda account, order, position: 0 if account == 1 else None)


def _fields(data: bytes, name: str) -> dict[str, Any]:
    return INPUTS[name].unpack(data, INPUT_HEADER.size + COMMAND_HEADER.size)


def _plain(word: str) -> str:
    return word.replace("_", "").lower()


@pytest.mark.parametrize("name", ENUMS)
def test_enums_are_those_of_the_core(name: str) -> None:
    theirs = {_plain(word): number for word, number in _core.codes()[name].items()}
    ours = {_plain(member.name): int(member) for member in ENUMS[name]}
    assert ours == theirs


def test_no_enum_of_the_core_is_missing() -> None:
    assert set(_core.codes()) == set(ENUMS)


def test_an_order_with_everything(encoder: Encoder) -> None:
    order = c.PlaceOrder(
        id="abc",
        account=1,
        instrument="XAUUSD",
        side=Side.SELL,
        volume=Decimal("1.5"),
        type=OrderType.STOP_LIMIT,
        tif=TimeInForce.GTD,
        price=Decimal("2600.10"),
        limit_price=Decimal(2601),
        sl=Decimal("2700.00"),
        tp=Decimal(2500),
        trailing=50,
        trailing_step=5,
        max_deviation=3,
        expire=9,
        oco=11,
        tag=12,
        leverage=20,
        terms=c.Terms(
            commission=presets.PRO.commission,
            markup_points=2,
            swap=c.SwapTerms(Decimal("-1.5"), Decimal(1)),
        ),
    )
    data = encoder.encode(order, 7)
    length, kind, flags, ts = INPUT_HEADER.unpack_from(data)
    assert (length, kind, flags, ts) == (len(data), 30, 0, 7)
    assert COMMAND_HEADER.unpack_from(data, INPUT_HEADER.size) == (1, b"abc".ljust(32, b"\0"))
    assert _fields(data, "PlaceOrder") == {
        "instrument": 4,
        "side": 1,
        "type_": 3,
        "tif": 2,
        "flags": 1,
        "volume": 150_000_000,
        "price": 260010,
        "limit_price": 260100,
        "sl": 270000,
        "tp": 250000,
        "trailing": 50,
        "trailing_step": 5,
        "max_deviation": 3,
        "expire": 9,
        "oco": 11,
        "position": 0,
        "tag": 12,
        "leverage": 20,
        "terms": 7,
        "commission_mode": 1,
        "commission_when": 0,
        "reserved": 0,
        "commission_value": 350_000_000,
        "markup": 2,
        "swap_long": -150_000_000,
        "swap_short": 100_000_000,
    }


def test_other_commands(encoder: Encoder) -> None:
    correction = encoder.encode(c.Correct(account=1, amount=Decimal("-12.5")), 1)
    assert _fields(correction, "Balance")["amount"] == -1_250_000_000
    close = c.ClosePosition(account=1, position=5, price=Decimal("1.1"), max_deviation=2)
    assert _fields(encoder.encode(close, 1), "ClosePosition") == {
        "position": 5,
        "volume": 0,
        "price": 110000,
        "max_deviation": 2,
    }
    everything = encoder.encode(c.CancelAll(account=1), 1)
    assert _fields(everything, "CancelAll")["instrument"] == 0xFFFFFFFF
    rollover = encoder.encode(c.Rollover(day=date(2026, 1, 7)), 1)
    assert _fields(rollover, "Rollover")["day"] == 20460
    state = c.SetTradingState(scope=Scope.GROUP, state=TradingState.HALTED, target="pro")
    assert _fields(encoder.encode(state, 1), "SetTradingState")["target"] == 2
    report = c.VenueReport(
        order=3,
        instrument="EURUSD",
        report=ReportKind.FILL,
        volume=Decimal("0.1"),
        price=Decimal("1.1"),
        trade="t-1",
    )
    fields = _fields(encoder.encode(report, 1), "Report")
    assert (fields["kind"], fields["price"], fields["trade"].rstrip(b"\0")) == (1, 110000, b"t-1")


def test_digits_of_an_order_that_is_gone(encoder: Encoder) -> None:
    modify = c.ModifyOrder(account=2, order=5, price=Decimal("1.1"))
    with pytest.raises(Refused, match="TRADE_INCORRECT_ORDER"):
        encoder.encode(modify, 1)
    named = c.ModifyOrder(account=2, order=5, price=Decimal("1.1"), instrument="EURUSD")
    assert _fields(encoder.encode(named, 1), "ModifyOrder")["price"] == 110000
    wrong = c.ModifyOrder(account=1, order=5, price=Decimal("1.1"), instrument="XAUUSD")
    with pytest.raises(Refused, match="TRADE_INCORRECT_ORDER"):
        encoder.encode(wrong, 1)


@pytest.mark.parametrize("number", [0, 1, -1, 2**64, -(2**64), 2**127 - 1, -(2**127)])
def test_wide_numbers(number: int) -> None:
    record = Record(0, 16, [("amount", "n")])
    data = record.pack({"amount": number})
    assert data == number.to_bytes(16, "little", signed=True)
    assert record.unpack(data, 0) == {"amount": number}


def test_batches_are_the_records_one_by_one(encoder: Encoder) -> None:
    quote = encoder.quote("EURUSD", "1.10000", "1.10002", 5)
    assert quotes_batch(5, 0, 110000, 110002) == quote
    ts = np.arange(5, 8)
    many = quotes_batch(ts, 0, 110000, np.array([110002, 110003, 110004]))
    assert many[:40] == quote
    assert len(many) == 120
    order = c.PlaceOrder(account=1, instrument="EURUSD", side=Side.BUY, volume=Decimal("0.1"))
    batch = orders_batch(5, 1, 0, int(Side.BUY), 10_000_000)
    assert batch == encoder.encode(order, 5)
    close = encoder.encode(c.ClosePosition(account=1, position=9), 5)
    assert closes_batch(5, np.array([1], np.uint64), 9) == close
    assert fill("Clock", {"ts": ts}).tobytes()[:16] == INPUT_HEADER.pack(16, 2, 0, 5)
