"""Swaps, the triple day and funding, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.desk import CENT, DAY, NOON, Desk, MakeEngine, both
from tests.core.world import UNIT
from tests.oracle.codes import At, Code

TUESDAY = NOON // DAY
METAL = {"base": "USD", "profit": "USD", "margin": "USD", "digits": 2, "contract_size": 100 * UNIT}


def with_position(make_engine: MakeEngine, symbol: str, lots: int, **settings: Any) -> Desk:
    desk = Desk(make_engine)
    desk.currencies(USD=2, EUR=2)
    calc = "forex" if symbol == "EURUSD" else "cfd_leverage"
    desk.instrument(symbol, calc, **({} if symbol == "EURUSD" else METAL), **settings)
    desk.group()
    desk.account(1, 100_000)
    desk.quote(symbol, *((110_000, 110_010) if symbol == "EURUSD" else (200_000, 200_030)))
    desk.order(1, symbol, lots)
    return desk


@both
def test_triple_day_and_weekend(make_engine: MakeEngine) -> None:
    desk = with_position(make_engine, "EURUSD", 100, swap_mode="points", swap_long=-70_000_000)
    paid = []
    for day in range(TUESDAY, TUESDAY + 6):  # Tuesday to Sunday
        desk.command("Rollover", 0, day=day)
        paid.append(desk.moved(1) // CENT)
        assert desk.moved(1) == desk.moved(6)
    assert paid == [-70, -210, -70, -70, 0, 0]
    desk.command("Rollover", 0, day=TUESDAY + 1)
    assert (desk.result["reference"], desk.legs()) == (0, [])


@both
def test_a_day_before_the_opening_costs_nothing(make_engine: MakeEngine) -> None:
    desk = with_position(make_engine, "EURUSD", 100, swap_mode="points", swap_long=-UNIT)
    desk.command("Rollover", 0, day=TUESDAY - 1)
    assert desk.result["reference"] == 0
    desk.command("Rollover", 0, day=TUESDAY)
    assert desk.result["reference"] == 1


@both
@pytest.mark.parametrize(
    ("symbol", "mode", "long", "short", "lots", "cents"),
    [
        ("EURUSD", "points", -70_000_000, 0, 100, -70),
        ("EURUSD", "base", -UNIT, 0, 100, -110),  # 1 EUR at the bid
        ("EURUSD", "base", 0, -UNIT, -100, -110),  # at the ask: 1.10010
        ("EURUSD", "margin", 0, 2 * UNIT, -50, 110),
        ("EURUSD", "deposit", -UNIT, 0, 200, -200),
        ("EURUSD", "profit", -UNIT, 0, 200, -200),
        # 200,000 × 2.5 % / 360 = 13.8889; the open price is 2,000.30: 13.8910
        ("XAUUSD", "interest_current", -25 * UNIT // 10, 0, 100, -1_389),
        ("XAUUSD", "interest_open", -25 * UNIT // 10, 0, 1_000, -13_891),
        ("EURUSD", "disabled", -UNIT, 0, 100, 0),
    ],
)
def test_swap_modes(
    make_engine: MakeEngine, symbol: str, mode: str, long: int, short: int, lots: int, cents: int
) -> None:
    settings = {"swap_mode": mode, "swap_long": long, "swap_short": short}
    desk = with_position(make_engine, symbol, lots, **settings)
    desk.command("Rollover", 0, day=TUESDAY)
    assert desk.moved(1) == desk.moved(6) == cents * CENT


@both
def test_reopening(make_engine: MakeEngine) -> None:
    settings = {"swap_mode": "reopen_close", "swap_long": -2 * UNIT}
    desk = with_position(make_engine, "EURUSD", 100, **settings)
    desk.quote("EURUSD", 110_100, 110_110)
    desk.command("Rollover", 0, day=TUESDAY + 1)  # Wednesday, three days
    assert desk.moved(1) == 90 * UNIT  # 1.10100 - 1.10010
    assert desk.one("Position")["price"] == 110_100 - 2 * 3
    assert desk.moved(2) == (110_094 - 110_010) * UNIT


@both
def test_swap_terms_of_an_order(make_engine: MakeEngine) -> None:
    desk = with_position(make_engine, "EURUSD", 1, swap_mode="points", swap_long=-70_000_000)
    desk.order(1, "EURUSD", 100, terms=4, swap_long=-5 * UNIT)
    desk.command("Rollover", 0, day=TUESDAY)
    assert desk.legs()[0] == (1, -CENT)  # -0.7 cents of the first, half to even at 0.7
    assert desk.moved(1) == -501 * CENT


@both
def test_funding(make_engine: MakeEngine) -> None:
    desk = Desk(make_engine)
    desk.currencies(USD=2, BTC=8)
    coin = {"base": "BTC", "profit": "USD", "margin": "USD", "digits": 1, "contract_size": UNIT}
    desk.instrument("BTCUSD", "perpetual", **coin)
    desk.group()
    desk.account(1, 100_000)
    desk.account(2, 100_000)
    desk.command("Funding", 0, instrument=0, rate=10_000)
    assert desk.answer == (Code.TRADE_OFFQUOTES, At.INSTRUMENT)
    desk.quote("BTCUSD", 370_000, 370_020)
    desk.order(1, "BTCUSD", 100)
    desk.order(2, "BTCUSD", -200, flags=1, leverage=10)
    desk.command("Funding", 0, instrument=0, rate=10_000)
    # 37,001 × 0.01 % = 3.7001; the isolated short receives 7.4002, into its margin too
    assert desk.legs() == [
        (1, -370 * CENT),
        (6, -370 * CENT),
        (1, 740 * CENT),
        (6, 740 * CENT),
        (5, 740 * CENT),
    ]
    assert [p["margin"] for p in desk.all("Position")] == [37_002 * CENT, 740_740 * CENT]
    desk.command("Funding", 0, instrument=0, rate=10_000)
    assert desk.answer == (Code.TRADE_INCORRECT_STATE, At.TS)
