"""Margin worked out by hand: every calculation mode, tiers, hedging, conversion, the check."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.desk import CENT, Desk, MakeEngine, both
from tests.core.world import UNIT
from tests.oracle.codes import At, Code

USD = {"base": "USD", "profit": "USD", "margin": "USD", "digits": 2}
INDEX = {"tick_value": UNIT // 2, "tick_size": 25, "contract_size": 10 * UNIT}
FUTURE = {"tick_value": UNIT, "tick_size": 25, "contract_size": UNIT}
HELD = {"initial_margin": 500 * UNIT, "maintenance_margin": 400 * UNIT}
TIERS = [[0, 10_000], [20_000 * UNIT, 25_000], [100_000 * UNIT, 100_000]]

# symbol, mode, settings, bid, ask, margin in cents of buying one lot with leverage 100
MODES: list[tuple[str, str, dict[str, Any], int, int, int]] = [
    # 100,000 EUR / 100 = 1,000 EUR at the fill price 1.10010
    ("EURUSD", "forex", {}, 110_000, 110_010, 110_010),
    # a margin rate of 50 % for buys
    ("EURUSD", "forex", {"margin_rate_ppm": [500_000] + [0] * 7}, 110_000, 110_010, 55_005),
    # 200 EUR of initial margin / 100 = 2 EUR = 2.2002 USD
    ("EURUSD", "forex", {"initial_margin": 200 * UNIT}, 110_000, 110_010, 220),
    ("EURUSD", "forex_no_leverage", {}, 110_000, 110_010, 11_001_000),
    # 10 × 1,500.50
    ("DAX", "cfd", USD | {"contract_size": 10 * UNIT}, 150_000, 150_050, 1_500_500),
    ("DAX", "cfd_leverage", USD | {"contract_size": 10 * UNIT}, 150_000, 150_050, 15_005),
    # 10 × 1,500.50 × 0.5 / 0.25
    ("DAX", "cfd_index", USD | INDEX, 150_000, 150_050, 3_001_000),
    # what is held is the maintenance margin
    ("ES", "futures", USD | FUTURE | HELD, 450_000, 450_025, 40_000),
    ("ACME", "stocks", USD | {"contract_size": 100 * UNIT}, 5_000, 5_010, 501_000),
    ("BTC", "perpetual", USD | {"digits": 1, "contract_size": UNIT}, 370_000, 370_020, 37_002),
    # 20,000 × 1 % + 17,002 × 2.5 %
    (
        "BTC",
        "perpetual",
        USD | {"digits": 1, "contract_size": UNIT, "tiers": TIERS},
        370_000,
        370_020,
        62_505,
    ),
]


def trading_desk(make_engine: MakeEngine, **group: Any) -> Desk:
    desk = Desk(make_engine)
    desk.currencies(USD=2, EUR=2, GBP=2)
    desk.instrument("EURUSD")
    desk.group(**group)
    desk.account(1, 200_000)
    desk.quote("EURUSD", 110_000, 110_010)
    return desk


@both
@pytest.mark.parametrize(("symbol", "calc", "settings", "bid", "ask", "cents"), MODES)
def test_margin_of_each_mode(
    make_engine: MakeEngine,
    symbol: str,
    calc: str,
    settings: dict[str, Any],
    bid: int,
    ask: int,
    cents: int,
) -> None:
    desk = Desk(make_engine)
    desk.currencies(USD=2, EUR=2)
    desk.instrument(symbol, calc, **settings)
    desk.group()
    desk.account(1, 200_000)
    desk.quote(symbol, bid, ask)
    desk.order(1, symbol, 100)
    assert desk.moved(5) == cents * CENT


@both
@pytest.mark.parametrize(
    ("rule", "hedged_ppm", "cents"),
    [
        # 1,100.10 × 0.6 / 1.0 + (1,100.10 + 440.00) × 0.4 / 1.4 = 660.06 + 440.028571
        ("net", 1_000_000, 110_009),
        ("net", 500_000, 88_007),
        ("net", 0, 66_006),
        ("larger_leg", 1_000_000, 110_010),
    ],
)
def test_hedged_margin(make_engine: MakeEngine, rule: str, hedged_ppm: int, cents: int) -> None:
    desk = trading_desk(make_engine, hedged_margin=rule)
    desk.instrument("EURUSD", hedged_ppm=hedged_ppm)
    desk.order(1, "EURUSD", 100)
    before = desk.moved(5)
    desk.order(1, "EURUSD", -40)
    assert before + desk.moved(5) == cents * CENT


@both
@pytest.mark.parametrize(
    ("conversion", "lots", "cents"),
    [("side", 100, 110_010), ("side", -100, 110_000), ("mid", 100, 110_005)],
)
def test_margin_conversion(make_engine: MakeEngine, conversion: str, lots: int, cents: int) -> None:
    desk = trading_desk(make_engine, margin_conversion=conversion)
    desk.instrument("EURGBP", converts=False)
    desk.instrument("GBPUSD")
    desk.quote("GBPUSD", 125_000, 125_010)
    desk.quote("EURGBP", 88_000, 88_010)
    desk.order(1, "EURGBP", lots)
    assert desk.moved(5) == cents * CENT


@both
def test_leverage_of_override_then_account_then_group(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine, overrides=[{"symbol": "EURUSD", "leverage": 500}])
    desk.order(1, "EURUSD", 100)
    assert desk.moved(5) == 22_002 * CENT
    desk.group("other")
    desk.account(2, 10_000, "other", leverage=200)
    desk.order(2, "EURUSD", 100)
    assert desk.moved(5) == 55_005 * CENT


@both
def test_just_enough_money(make_engine: MakeEngine) -> None:
    commission = {"mode": "per_lot", "value": 35 * UNIT // 10}
    desk = trading_desk(make_engine, commission=commission)
    desk.account(2)
    desk.command("Balance", 2, amount=110_359 * CENT)
    assert desk.refused(2, "EURUSD", 100) == (Code.TRADE_NO_MONEY, At.VOLUME)
    desk.command("Balance", 2, amount=CENT)
    desk.order(2, "EURUSD", 100)
    assert desk.one("Ledger")["balance"] == 110_010 * CENT
    # the spread is already a margin call: 1,090.10 of equity on 1,100.10 of margin
    assert desk.one("Margin")["level"] == 1
    assert desk.one("Margin")["equity"] == 109_010 * CENT


@both
def test_futures_need_the_initial_margin_to_open(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    desk.instrument("ES", "futures", **USD, **FUTURE, **HELD)
    desk.quote("ES", 450_000, 450_025)
    desk.account(2, 499)
    assert desk.refused(2, "ES", 100) == (Code.TRADE_NO_MONEY, At.VOLUME)
    desk.command("Balance", 2, amount=UNIT)
    desk.order(2, "ES", 100)
    assert desk.moved(5) == 400 * UNIT


@both
def test_pending_margin_is_locked_and_released(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    rates = [10**6, 10**6, 500_000, 0, 0, 0, 0, 0]
    desk.instrument("EURUSD", margin_rate_ppm=rates)
    order = desk.order(1, "EURUSD", 100, type_=1, price=109_000)
    assert desk.legs() == [(5, 545 * UNIT)]
    desk.command("ModifyOrder", 1, order=order, price=108_000)
    assert desk.legs() == [(5, -5 * UNIT)]
    desk.command("CancelOrder", 1, order=order)
    assert desk.legs() == [(5, -540 * UNIT)]
    order = desk.order(1, "EURUSD", 100, type_=1, price=109_000)
    desk.quote("EURUSD", 108_990, 109_000)
    assert [leg for leg in desk.legs() if leg[0] == 5] == [(5, -545 * UNIT), (5, 1_090 * UNIT)]
    assert desk.one("Order")["order"] == order


@both
def test_isolated_margin(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    desk.order(1, "EURUSD", 100, flags=1, leverage=20)
    assert desk.moved(5) == 550_050 * CENT  # 110,010 / 20
    assert desk.one("Position")["flags"] == 1
    assert desk.refused(1, "EURUSD", 100, flags=1) == (Code.ERR_PARAMS, At.LEVERAGE)
    assert desk.refused(1, "EURUSD", 100, leverage=5) == (Code.ERR_PARAMS, At.LEVERAGE)
    assert desk.refused(1, "EURUSD", 100, flags=1, leverage=101)[1] == At.LEVERAGE
