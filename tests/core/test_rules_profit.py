"""Profit, conversion, commission and the ways to close, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.desk import CENT, LOT, Desk, MakeEngine, both
from tests.core.world import UNIT
from tests.oracle.codes import At, Code
from tests.oracle.wire import make


def trading_desk(make_engine: MakeEngine, **group: Any) -> Desk:
    desk = Desk(make_engine)
    desk.currencies(USD=2, EUR=2, GBP=2, JPY=0)
    desk.instrument("EURUSD")
    desk.instrument("USDJPY", digits=3)
    desk.instrument("GBPUSD")
    desk.group(**group)
    desk.account(1, 200_000)
    desk.quote("EURUSD", 110_000, 110_010)
    desk.quote("USDJPY", 150_000, 150_012)
    desk.quote("GBPUSD", 125_000, 125_010)
    return desk


@both
@pytest.mark.parametrize(
    ("currency", "lots", "bid", "ask", "profit"),
    [
        # 0.500 × 100,000 JPY at the bid, as it is a buy
        ("USD", 100, 150_512, 150_524, 33_220 * CENT),  # 50,000 / 150.512 = 332.1994
        ("USD", -100, 149_488, 149_500, 33_445 * CENT),  # 50,000 / 149.500 = 334.4482
        ("GBP", 100, 150_512, 150_524, 26_576 * CENT),  # 332.19942330 / 1.25000
        ("JPY", 100, 150_512, 150_524, 50_000 * UNIT),
    ],
)
def test_profit_conversion(
    make_engine: MakeEngine, currency: str, lots: int, bid: int, ask: int, profit: int
) -> None:
    desk = trading_desk(make_engine)
    desk.group("home", currency=currency)
    desk.account(2, 1_000_000, "home")
    desk.order(2, "USDJPY", lots)
    position = desk.one("Position")["position"]
    desk.quote("USDJPY", bid, ask)
    desk.command("ClosePosition", 2, position=position, max_deviation=-1)
    assert desk.one("Fill")["profit"] == profit
    assert desk.moved(1) == desk.moved(4) == profit
    assert (
        desk.moved(2) == (-1 if lots > 0 else 1) * {100: 15_001_200, -100: 15_000_000}[lots] * UNIT
    )


@both
def test_no_way_to_convert(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    desk.currencies(CHF=2)
    desk.group("swiss", currency="CHF")
    desk.account(2, 1_000_000, "swiss")
    assert desk.refused(2, "USDJPY", 1) == (Code.TRADE_OFFQUOTES, At.CURRENCY)


@both
@pytest.mark.parametrize(
    ("commission", "entry", "leaving"),
    [
        ({"mode": "per_lot", "value": 35 * UNIT // 10}, 350, 350),
        ({"mode": "per_deal", "value": 123 * CENT, "when": "exit"}, 0, 123),
        # 110,010 × 0.00003 = 3.3003
        ({"mode": "turnover", "value": 3_000, "when": "entry"}, 330, 0),
        ({"mode": "none", "value": UNIT}, 0, 0),
    ],
)
def test_commission(
    make_engine: MakeEngine, commission: dict[str, Any], entry: int, leaving: int
) -> None:
    desk = trading_desk(make_engine, commission=commission)
    desk.order(1, "EURUSD", 100)
    assert desk.moved(1) == desk.moved(3) == -entry * CENT
    assert desk.one("Fill")["commission"] == entry * CENT
    desk.command("CloseAll", 1, instrument=0xFFFFFFFF)
    assert desk.moved(3) == -leaving * CENT
    assert desk.moved(1) == (-1_000 - leaving) * CENT  # the spread: one pip


@both
def test_markup_worsens_both_ends(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine, markup_points=3)
    desk.order(1, "EURUSD", 100)
    assert desk.one("Fill")["price"] == 110_013
    desk.command("CloseAll", 1, instrument=0xFFFFFFFF)
    assert desk.one("Fill")["price"] == 109_997
    assert desk.one("Fill")["profit"] == -16 * UNIT
    desk.order(1, "EURUSD", 100, terms=2, markup=0)
    assert desk.one("Fill")["price"] == 110_010


@both
def test_slippage_grows_with_volume(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    desk.instrument("EURUSD", slippage_points=1, slippage_points_per_lot=3)
    desk.order(1, "EURUSD", 50)  # 1 + ceil(1.5)
    assert desk.one("Fill")["price"] == 110_013
    assert desk.refused(1, "EURUSD", 50, price=110_010, max_deviation=2)[0] == Code.TRADE_REQUOTE
    desk.order(1, "EURUSD", 50, price=110_010, max_deviation=3)


@both
def test_partial_close_splits_cost(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine, mode="netting")
    desk.order(1, "EURUSD", 1)
    desk.quote("EURUSD", 110_010, 110_020)
    desk.order(1, "EURUSD", 2)
    position = desk.one("Position")
    assert position["cost"] == (110_010 + 2 * 110_020) * LOT // 100
    assert position["price"] == 110_017  # 110,016.67
    desk.command("ClosePosition", 1, position=position["position"], volume=LOT // 100)
    # cost part 330,050 / 3 = 110,016.666667: a loss of 6.67 points × 0.01 USD
    assert desk.one("Fill")["profit"] == -7 * CENT
    assert desk.one("Position")["cost"] == 330_050_000_000 - 110_016_666_667


@both
def test_netting_flip(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine, mode="netting")
    desk.order(1, "EURUSD", 100)
    first = desk.one("Position")["position"]
    desk.quote("EURUSD", 110_500, 110_510)
    desk.order(1, "EURUSD", -150)
    closed, opened = desk.all("Position")
    assert (closed["position"], closed["state"], closed["volume"]) == (first, 2, 0)
    assert (opened["state"], opened["side"], opened["volume"]) == (0, 1, LOT // 2)
    assert [fill["profit"] for fill in desk.all("Fill")] == [490 * UNIT, 0]
    names = [event.name for event in desk.events]
    half = ["Ledger", "Fill", "Position"]
    assert names == [*half, *half, "Order", "Result"]


@both
def test_close_by_pays_the_difference_once(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    desk.order(1, "EURUSD", 100)
    long = desk.one("Position")["position"]
    desk.quote("EURUSD", 111_000, 111_010)
    desk.order(1, "EURUSD", -40)
    short = desk.one("Position")["position"]
    desk.command("CloseBy", 1, position=long, position_by=short)
    assert [fill["profit"] for fill in desk.all("Fill")] == [396 * UNIT, 0]
    assert [fill["price"] for fill in desk.all("Fill")] == [111_000, 111_000]
    assert [p["volume"] for p in desk.all("Position")] == [60 * LOT // 100, 0]


@both
@pytest.mark.parametrize("mode", ["hedging", "netting"])
def test_reverse(make_engine: MakeEngine, mode: str) -> None:
    desk = trading_desk(make_engine, mode=mode)
    desk.order(1, "EURUSD", 100, sl=109_000)
    position = desk.one("Position")["position"]
    desk.command("Reverse", 1, position=position)
    closed, opened = desk.all("Position")
    assert closed["state"] == 2
    assert (opened["side"], opened["volume"], opened["sl"]) == (1, LOT, 0)
    assert desk.moved(1) == -10 * UNIT


@both
def test_ids_are_remembered(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    named = make("Balance", desk.now, 1, b"pay-1", amount=UNIT)
    assert len(desk.send(named)) == 2
    (again,) = desk.send(named)
    assert (again.flags, again.seq, again.fields["code"]) == (2, 0, 0)
    (other,) = desk.send(make("Balance", desk.now, 1, b"pay-1", amount=2 * UNIT))
    assert (other.flags, other.fields["code"]) == (1, Code.DUPLICATE_ID)
