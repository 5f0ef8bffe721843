"""What happens at a quote: stops, pendings, gaps, stop-out and isolated stops, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.desk import CENT, LOT, SECOND, Desk, MakeEngine, both
from tests.core.world import UNIT
from tests.oracle.codes import At, Code, OrderState, Reason

COIN = {"base": "BTC", "profit": "USD", "margin": "USD", "digits": 1, "contract_size": UNIT}


def trading_desk(make_engine: MakeEngine, money: int = 100_000, **group: Any) -> Desk:
    desk = Desk(make_engine)
    desk.currencies(USD=2, EUR=2, GBP=2, BTC=8)
    rates = [10**6, 10**6, 10**6, 10**6, 0, 0, 0, 0]
    desk.instrument("EURUSD", margin_rate_ppm=rates)
    desk.instrument("GBPUSD")
    desk.instrument("BTCUSD", "perpetual", **COIN)
    desk.group(**group)
    desk.account(1, money)
    desk.quote("EURUSD", 110_000, 110_010)
    desk.quote("GBPUSD", 125_000, 125_010)
    desk.quote("BTCUSD", 370_000, 370_000)
    return desk


@both
def test_a_gap_fills_where_it_lands(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    desk.order(1, "EURUSD", 100, sl=109_500, tp=110_500)
    desk.quote("EURUSD", 109_501, 109_511)
    assert desk.events == []
    desk.quote("EURUSD", 109_000, 109_010)
    assert (desk.one("Fill")["price"], desk.one("Fill")["reason"]) == (109_000, Reason.STOP_LOSS)
    assert desk.moved(1) == -1_010 * UNIT
    desk.order(1, "EURUSD", -100, tp=108_000)
    desk.quote("EURUSD", 107_000, 107_010)
    assert (desk.one("Fill")["price"], desk.one("Fill")["reason"]) == (107_010, Reason.TAKE_PROFIT)


@both
def test_stops_close_by_id_before_takes(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    desk.order(1, "EURUSD", -10, tp=108_000)
    desk.order(1, "EURUSD", 10, sl=109_000)
    desk.order(1, "EURUSD", 10, sl=109_500)
    desk.quote("EURUSD", 107_000, 107_010)
    assert [p["position"] for p in desk.all("Position")] == [4, 6, 2]


@both
def test_pending_orders(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    limit = desk.order(1, "EURUSD", 10, type_=1, price=109_900, oco=7)
    stop = desk.order(1, "EURUSD", 10, type_=2, price=110_100, oco=7)
    desk.order(1, "EURUSD", 10, type_=3, price=110_100, limit_price=110_050)
    desk.quote("EURUSD", 110_190, 110_200)
    first, second, third = desk.all("Order")
    assert (first["order"], first["state"]) == (stop, OrderState.FILLED)
    assert (second["order"], second["reason"]) == (limit, Reason.OCO)
    assert third["state"] == OrderState.TRIGGERED
    assert desk.one("Fill")["price"] == 110_200  # a stop fills where the gap lands
    desk.quote("EURUSD", 110_030, 110_040)
    assert desk.one("Fill")["price"] == 110_040  # a limit never worse than its price


@both
def test_order_checks(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    desk.instrument("EURUSD", stops_level=50, collar_ppm=10_000, quote_age_max_ms=1_000)
    bad_stop = desk.refused(1, "EURUSD", 10, type_=2, price=110_000)
    assert bad_stop == (Code.TRADE_BAD_PRICES, At.PRICE)
    near = desk.refused(1, "EURUSD", 10, type_=1, price=109_961)
    assert near == (Code.TRADE_BAD_STOPS, At.PRICE)
    desk.order(1, "EURUSD", 10, type_=1, price=109_960)
    assert desk.refused(1, "EURUSD", 10, sl=109_951) == (Code.TRADE_INVALID_SL_TP, At.SL)
    assert desk.refused(1, "EURUSD", 10, tp=110_049) == (Code.TRADE_INVALID_SL_TP, At.TP)
    far = desk.refused(1, "EURUSD", 10, type_=1, price=108_000)
    assert far == (Code.COLLAR, At.PRICE)
    assert desk.refused(1, "EURUSD", 0) == (Code.TRADE_BAD_VOLUME, At.VOLUME)
    desk.later(SECOND + 1)
    assert desk.refused(1, "EURUSD", 10) == (Code.TRADE_OFFQUOTES, At.INSTRUMENT)


@both
def test_liquidity(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    desk.instrument("EURUSD", liquidity_max=35 * LOT // 100)
    desk.order(1, "EURUSD", 100)
    order = desk.one("Order")
    assert (order["state"], order["filled"]) == (OrderState.CANCELLED, 35 * LOT // 100)
    assert order["reason"] == Reason.KILLED
    assert desk.refused(1, "EURUSD", 100, tif=4) == (Code.NOT_FILLED, At.TIF)
    desk.order(1, "EURUSD", 100, type_=1, price=110_010)
    assert desk.one("Order")["state"] == OrderState.PARTIAL
    for state in (OrderState.PARTIAL, OrderState.FILLED):
        desk.quote("EURUSD", 110_000, 110_010)
        assert desk.one("Order")["state"] == state


@both
def test_trailing_stop(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    desk.order(1, "EURUSD", 10, trailing=100, trailing_step=20)
    assert desk.one("Position")["sl"] == 109_900
    desk.quote("EURUSD", 110_019, 110_029)
    assert desk.events == []
    desk.quote("EURUSD", 110_020, 110_030)
    assert (desk.one("Position")["sl"], desk.one("Position")["reason"]) == (
        109_920,
        Reason.TRAILING,
    )
    desk.quote("EURUSD", 109_920, 109_930)
    assert desk.one("Fill")["reason"] == Reason.STOP_LOSS


@both
def test_expiry(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    until = desk.now + 10 * SECOND
    desk.order(1, "EURUSD", 10, type_=1, price=100_000, tif=2, expire=until)
    desk.order(1, "EURUSD", 10, type_=1, price=100_000, tif=1)
    assert desk.one("Order")["expire"] == desk.now + 12 * 3_600 * SECOND
    desk.now = until - 1
    assert desk.command("Clock", 0) == []
    desk.now = until
    desk.quote("EURUSD", 99_000, 99_010)  # expires before it could fill
    expired, filled = desk.all("Order")
    assert (expired["state"], filled["state"]) == (OrderState.EXPIRED, OrderState.FILLED)


@both
def test_stop_out_order(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine, 1_500, negative_balance_protection=True)
    desk.order(1, "EURUSD", 10, type_=1, price=109_000)  # locks 109
    large = desk.order(1, "EURUSD", 20, type_=1, price=108_000)  # locks 216
    desk.order(1, "EURUSD", 20)  # 220.02
    desk.order(1, "GBPUSD", 30)  # 375.03
    # equity 1,500 - 2 - 1,053 = 445 is under half of 920.05: the larger order goes, then 704.05
    desk.quote("GBPUSD", 121_500, 121_510)
    out, call = desk.all("Margin")
    assert (out["level"], out["equity"], out["margin"]) == (2, 445 * UNIT, 92_005 * CENT)
    assert (call["level"], call["margin"]) == (1, 70_405 * CENT)
    assert (desk.one("Order")["order"], desk.one("Order")["reason"]) == (large, Reason.STOP_OUT)
    # a gap: the last order, the larger loss (-1,503), then the other position (-2); 5 are missing
    desk.quote("GBPUSD", 120_000, 120_010)
    assert [fill["profit"] for fill in desk.all("Fill")] == [-1_503 * UNIT, -2 * UNIT]
    assert [order["state"] for order in desk.all("Order")] == [3, 2, 2]
    assert [margin["level"] for margin in desk.all("Margin")] == [2, 0]
    assert desk.all("Ledger")[-1]["balance"] == 0
    assert desk.legs()[-1] == (1, 5 * UNIT)


@both
def test_stop_out_skips_what_cannot_trade(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine, 1_000)
    desk.order(1, "EURUSD", 20)
    desk.order(1, "GBPUSD", 40)
    desk.instrument("GBPUSD", trade_mode="disabled")
    desk.quote("GBPUSD", 122_000, 122_010)
    assert desk.one("Fill")["instrument"] == desk.symbols["EURUSD"]
    assert desk.one("Margin")["level"] == 2
    desk.instrument("GBPUSD")
    desk.quote("GBPUSD", 122_000, 122_010)
    assert desk.one("Fill")["instrument"] == desk.symbols["GBPUSD"]


@both
@pytest.mark.parametrize(
    ("bid", "profit", "missing"),
    [(334_850, -3_515, 0), (330_000, -4_000, 300)],
)
def test_isolated_stop(make_engine: MakeEngine, bid: int, profit: int, missing: int) -> None:
    desk = trading_desk(make_engine, 10_000)
    desk.order(1, "BTCUSD", 100, flags=1, leverage=10)
    assert desk.moved(5) == 3_700 * UNIT  # 5 % of it are 185
    desk.quote("BTCUSD", 334_851, 334_851)
    assert desk.events == []
    desk.quote("BTCUSD", bid, bid)
    assert desk.one("Fill")["reason"] == Reason.LIQUIDATION
    assert desk.one("Fill")["profit"] == profit * UNIT
    assert desk.moved(1) == (profit + missing) * UNIT
    assert desk.moved(5) == -3_700 * UNIT


@both
def test_trading_states(make_engine: MakeEngine) -> None:
    desk = trading_desk(make_engine)
    desk.order(1, "EURUSD", 10, sl=109_500)
    position = desk.one("Position")["position"]
    desk.command("SetTradingState", 0, scope=2, target=1, state=1)
    assert desk.refused(1, "EURUSD", 10) == (Code.REDUCE_ONLY, At.STATE)
    desk.command("SetTradingState", 0, scope=2, target=1, state=2)
    desk.command("ClosePosition", 1, position=position, max_deviation=-1)
    assert desk.answer == (Code.HALTED, At.STATE)
    desk.quote("EURUSD", 109_000, 109_010)
    assert desk.events == []
    desk.command("SetTradingState", 0, scope=2, target=1)
    assert not desk.all("Fill")
    desk.quote("EURUSD", 109_000, 109_010)
    assert desk.one("Fill")["reason"] == Reason.STOP_LOSS
