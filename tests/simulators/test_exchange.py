"""The exchange's rules one by one: money, margin, stops, amendments, refusals, memory."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulators.tools import UNIT, exchange, inverse, limit, perpetual, quote, spot, trade
from tradeloom.domain.enums import Side
from tradeloom.simulators.accounts import Fees
from tradeloom.simulators.orders import Force, NewOrder, OrderKind, Reason, Refused, Status

MARKET = OrderKind.MARKET


def refusal(work: Any) -> Reason:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.reason


def test_a_limit_order_binds_what_it_may_cost_and_gives_the_rest_back() -> None:
    made, _, _ = exchange(balances={"USDT": 1_000 * UNIT})
    quote(made, 9_900, 10_000)
    order = made.place("a", limit(Side.BUY, 9_950, 2 * UNIT))
    held = made.accounts["a"].balance("USDT")
    assert (held.free, held.locked) == (801 * UNIT, 199 * UNIT)
    trade(made, 9_950, UNIT, Side.SELL)
    assert (order.status, held.locked) == (Status.PARTIALLY_FILLED, 99_50000000)
    made.cancel(order)
    assert (held.free, held.locked) == (900_50000000, 0)
    assert made.accounts["a"].balance("BTC").free == UNIT


def test_a_better_price_costs_less_than_was_bound() -> None:
    made, _, _ = exchange(balances={"USDT": 100 * UNIT})
    quote(made, 9_900, 9_950)
    made.place("a", limit(Side.BUY, 10_000))
    assert made.accounts["a"].balance("USDT").free == 50_000_000


@pytest.mark.parametrize(
    ("paid_in", "side", "asset", "fee"),
    [
        ("received", Side.BUY, "BTC", UNIT // 1_000),
        ("received", Side.SELL, "USDT", 10 * UNIT // 100),
        ("quote", Side.BUY, "USDT", 10 * UNIT // 100),
        ("quote", Side.SELL, "USDT", 10 * UNIT // 100),
    ],
)
def test_fees(paid_in: Any, side: Side, asset: str, fee: int) -> None:
    made, _, _ = exchange(fees=Fees(1_000, 1_000, paid_in))
    quote(made, 10_000, 10_000 + 1)
    quote(made, 10_000, 10_001)
    price = 10_001 if side is Side.BUY else 10_000
    made.place("a", limit(side, price))
    found = made.fills("a")[0]
    assert found.fee_asset == asset
    assert abs(found.fee - fee) <= fee // 1_000
    total = made.accounts["a"].balance(asset)
    moved = {"BTC": UNIT, "USDT": found.cost}[asset] * (1 if (asset == "BTC") == (not side) else -1)
    assert total.free + total.locked == 10**9 * UNIT + moved - found.fee


def test_too_little_money_is_refused_and_changes_nothing() -> None:
    made, heard, _ = exchange(balances={"USDT": UNIT, "BTC": UNIT})
    quote(made, 9_900, 10_000)
    assert refusal(lambda: made.place("a", limit(Side.BUY, 9_950))) is Reason.BALANCE
    assert refusal(lambda: made.place("a", limit(Side.SELL, 9_950, UNIT + 1))) is Reason.BALANCE
    bought = NewOrder(symbol="BTCUSDT", side=Side.BUY, kind=MARKET, size=UNIT)
    assert refusal(lambda: made.place("a", bought)) is Reason.BALANCE
    assert heard.account == []


def test_a_market_order_by_money_spends_no_more() -> None:
    made, _, _ = exchange(spot(step=1_000))
    quote(made, 9_900, 10_000, ask_size=UNIT)
    made.place("a", NewOrder(symbol="BTCUSDT", side=Side.BUY, kind=MARKET, quote_amount=33 * UNIT))
    order = made.orders("a")[0]
    assert (order.status, order.filled, order.cost) == (Status.FILLED, 33_000_000, 33 * UNIT)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"price": 0}, Reason.BAD_PRICE),
        ({"price": 10_003}, Reason.BAD_PRICE),
        ({"size": 0}, Reason.BAD_SIZE),
        ({"size": 15}, Reason.BAD_SIZE),
        ({"size": 10}, Reason.BAD_SIZE),
        ({"size": 2_000 * UNIT}, Reason.BAD_SIZE),
        ({"size": 100_000}, Reason.TOO_SMALL),
        ({"symbol": "NONE"}, Reason.UNKNOWN_SYMBOL),
        ({"post_only": True, "price": 10_100}, Reason.WOULD_TAKE),
        ({"post_only": True, "force": Force.IOC}, Reason.BAD_ORDER),
        ({"stop_price": 9_000, "stop_rising": True}, Reason.WOULD_TRIGGER),
    ],
)
def test_refusals(asked: dict[str, Any], reason: Reason) -> None:
    from decimal import Decimal

    made, _, _ = exchange(
        spot(tick=5, step=10, volume_min=100, volume_max=1_000 * UNIT, notional_min=Decimal(5))
    )
    quote(made, 9_900, 10_000)
    trade(made, 9_950, UNIT, Side.BUY)
    good: dict[str, Any] = {"price": 9_900, "size": UNIT}
    assert refusal(lambda: made.place("a", limit(Side.BUY, **{**good, **asked}))) is reason
    made.place("a", limit(Side.BUY, **good))


def test_a_client_id_is_unique_while_its_order_is_open() -> None:
    made, _, _ = exchange()
    first = made.place("a", limit(Side.BUY, 100, client_id="one"))
    again = limit(Side.BUY, 101, client_id="one")
    assert refusal(lambda: made.place("a", again)) is Reason.DUPLICATE_CLIENT_ID
    made.place("b", limit(Side.BUY, 101, client_id="one"))
    made.cancel(first)
    second = made.place("a", again)
    assert made.order("a", client_id="one") is second
    assert made.order("a", order_id=first.id) is first
    assert refusal(lambda: made.order("b", order_id=first.id)) is Reason.UNKNOWN_ORDER


def test_less_at_the_same_price_keeps_its_place_and_anything_else_loses_it() -> None:
    made, _, _ = exchange()
    first, second = (made.place(name, limit(Side.BUY, 100, 4)) for name in ("a", "b"))
    made.amend(first, size=2)
    made.place("b", limit(Side.SELL, 100, 1))
    assert (first.filled, second.filled) == (1, 0)
    made.amend(first, size=4)
    made.place("b", limit(Side.SELL, 100, 4))
    assert (first.filled, second.filled) == (1, 4)
    assert refusal(lambda: made.amend(first, size=5, must_reduce=True)) is Reason.NOT_SMALLER


def test_stops_wait_trigger_and_trigger_each_other() -> None:
    made, heard, _ = exchange()
    quote(made, 9_900, 10_000, bid_size=3 * UNIT)
    trade(made, 9_950, 1, Side.SELL)
    stop = made.place(
        "a", NewOrder(symbol="BTCUSDT", side=Side.SELL, kind=MARKET, size=UNIT, stop_price=9_940)
    )
    after = made.place(
        "b", NewOrder(symbol="BTCUSDT", side=Side.SELL, kind=MARKET, size=UNIT, stop_price=9_900)
    )
    assert (stop.status, after.status) == (Status.WAITING, Status.WAITING)
    trade(made, 9_940, 1, Side.SELL)
    # The first one sold at 9,900, which is where the second one waits.
    assert (stop.status, after.status) == (Status.FILLED, Status.FILLED)
    assert heard.changes() == ["NEW", "NEW", "TRIGGERED", "TRADE", "TRIGGERED", "TRADE"]


def test_a_trailing_stop_follows_the_market_one_way() -> None:
    made, _, _ = exchange()
    quote(made, 9_000, 9_010, bid_size=3 * UNIT)
    trade(made, 10_000, 1, Side.BUY)
    stop = made.place(
        "a",
        NewOrder(
            symbol="BTCUSDT", side=Side.SELL, kind=MARKET, size=UNIT, stop_price=9_000,
            trail_ppm=10_000,
        ),
    )  # fmt: skip
    for price, waits_at in ((10_000, 9_900), (11_000, 10_890), (10_900, 10_890)):
        trade(made, price, 1, Side.BUY)
        assert (stop.status, stop.stop_price) == (Status.WAITING, waits_at)
    trade(made, 10_889, 1, Side.SELL)
    assert stop.status is Status.FILLED


def test_an_order_expires_in_time() -> None:
    made, heard, clock = exchange()
    order = made.place("a", limit(Side.BUY, 100, expires_ns=clock.now_ns() + 5))
    made.tick()
    assert order.status is Status.NEW
    clock.advance(1.0)
    made.tick()
    assert (order.status, order.reason) == (Status.EXPIRED, Reason.BY_VENUE)
    assert heard.changes() == ["NEW", "EXPIRED"]


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        ("expire_maker", Status.EXPIRED, Status.NEW),
        ("expire_taker", Status.NEW, Status.EXPIRED),
        ("expire_both", Status.EXPIRED, Status.EXPIRED),
        ("allow", Status.FILLED, Status.FILLED),
    ],
)
def test_self_trades(mode: Any, maker: Status, taker: Status) -> None:
    made, _, _ = exchange(self_trade=mode)
    first = made.place("a", limit(Side.BUY, 100))
    second = made.place("a", limit(Side.SELL, 100))
    assert (first.status, second.status) == (maker, taker)


def test_a_halted_instrument_takes_no_orders() -> None:
    made, _, _ = exchange()
    made.markets["BTCUSDT"].halted = True
    assert refusal(lambda: made.place("a", limit(Side.BUY, 100))) is Reason.HALTED


# ---- derivatives ------------------------------------------------------------------------------


def perp(side: Side, price: int, size: int = UNIT, **changes: Any) -> NewOrder:
    return limit(side, price, size, symbol="BTCUSDT-PERP", **changes)


def test_a_position_and_its_result() -> None:
    made, _, _ = exchange(perpetual(), fees=Fees(200, 500))
    quote(made, 9_999, 10_000, 9 * UNIT, 9 * UNIT)
    made.place("a", perp(Side.BUY, 10_000, 2 * UNIT))
    position = made.accounts["a"].position("BTCUSDT-PERP")
    assert (position.size, position.value) == (2 * UNIT, 200 * UNIT)
    quote(made, 11_000, 11_001, 9 * UNIT, 9 * UNIT)
    made.place("a", perp(Side.SELL, 11_000, 3 * UNIT))
    assert (position.size, position.value) == (-UNIT, 110 * UNIT)
    fills = made.fills("a")
    assert [each.realised for each in fills] == [0, 20 * UNIT]
    paid = sum(each.fee for each in fills)
    assert paid == 200 * UNIT * 500 // 10**6 + 330 * UNIT * 500 // 10**6
    held = made.accounts["a"].balance("USDT")
    assert held.free + held.locked == 10**9 * UNIT + 20 * UNIT - paid


def test_an_inverse_position_and_its_result() -> None:
    made, _, _ = exchange(inverse())
    quote(made, 9_999_99, 10_000_00, 9_000 * UNIT, 9_000 * UNIT)
    asked = limit(Side.BUY, 10_000_00, 1_000 * UNIT, symbol="BTCUSD-PERP")
    made.place("a", asked)
    position = made.accounts["a"].position("BTCUSD-PERP")
    assert (position.size, position.value) == (1_000 * UNIT, UNIT // 10)
    quote(made, 12_500_00, 12_500_01, 9_000 * UNIT, 9_000 * UNIT)
    made.place("a", limit(Side.SELL, 12_500_00, 1_000 * UNIT, symbol="BTCUSD-PERP"))
    # 1,000 dollars were 0.1 coins and are 0.08: the long keeps the difference.
    assert made.fills("a")[-1].realised == 2 * UNIT // 100


def test_margin_is_bound_and_refused() -> None:
    made, _, _ = exchange(perpetual(), balances={"USDT": 10 * UNIT})
    quote(made, 9_999, 10_000)
    order = made.place("a", perp(Side.BUY, 9_000, UNIT))
    assert made.available("a", "USDT") == 10 * UNIT - 90 * UNIT // 20
    assert refusal(lambda: made.place("a", perp(Side.BUY, 9_000, 2 * UNIT))) is Reason.MARGIN
    made.cancel(order)
    made.place("a", perp(Side.BUY, 9_000, 2 * UNIT))


def test_reduce_only_never_opens_a_position() -> None:
    made, _, _ = exchange(perpetual())
    quote(made, 9_999, 10_000, 9 * UNIT, 9 * UNIT)
    reducing = perp(Side.SELL, 10_500, 5 * UNIT, reduce_only=True)
    assert refusal(lambda: made.place("a", reducing)) is Reason.REDUCE_ONLY
    made.place("a", perp(Side.BUY, 10_000, 3 * UNIT))
    order = made.place("a", reducing)
    assert order.size == 3 * UNIT
    made.place("a", perp(Side.SELL, 9_999, 2 * UNIT))
    assert (order.left, order.status) == (UNIT, Status.NEW)
    made.place("a", perp(Side.SELL, 9_999, UNIT))
    assert (order.status, order.reason) == (Status.EXPIRED, Reason.REDUCE_ONLY)


def test_funding_moves_money_from_longs_to_shorts() -> None:
    made, _, _ = exchange(perpetual())
    made.place("a", perp(Side.BUY, 10_000))
    made.place("b", perp(Side.SELL, 10_000))
    quote(made, 9_999, 10_001)
    made.charge_funding("BTCUSDT-PERP", 100)
    free = {name: made.accounts[name].balance("USDT").free for name in ("a", "b")}
    assert free == {"a": 10**9 * UNIT - UNIT // 100, "b": 10**9 * UNIT + UNIT // 100}


# ---- what is told -----------------------------------------------------------------------------


def test_public_events_rebuild_the_book() -> None:
    made, heard, _ = exchange()
    quote(made, 9_900, 10_000)
    made.place("a", limit(Side.BUY, 9_950, 5))
    made.place("b", limit(Side.SELL, 9_900, 3))
    made.cancel(made.open_orders("a")[0])
    built: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
    for delta in heard.deltas:
        for side, rows in ((Side.BUY, delta.bids), (Side.SELL, delta.asks)):
            for price, size in rows:
                built[side][price] = size
                if not size:
                    del built[side][price]
    whole = made.snapshot("BTCUSDT")
    assert built == {Side.BUY: dict(whole.bids), Side.SELL: dict(whole.asks)}
    assert [each.seq for each in heard.deltas] == list(range(1, whole.seq + 1))
    assert [each.previous for each in heard.deltas] == list(range(whole.seq))
    last = heard.quotes[-1]
    assert (last.bid, last.ask) == (whole.bids[0][0], whole.asks[0][0])


def test_the_same_calls_do_the_same() -> None:
    def told() -> list[Any]:
        made, heard, clock = exchange(fees=Fees(100, 200))
        for step in range(50):
            clock.advance(0.5)
            quote(made, 9_900 + step % 7, 9_910 + step % 5, 3 * UNIT, 2 * UNIT)
            made.place("ab"[step % 2], limit(Side(step % 2), 9_905 + step % 9, UNIT + step))
            trade(made, 9_903 + step % 4, UNIT // 2, Side(step % 2))
        return [*heard.account, *heard.deltas, *heard.quotes, *heard.trades]

    first = told()
    assert first == told()
    assert len(first) > 300


def test_the_tape_fills_orders_in_its_way_and_prints_the_rest() -> None:
    made, heard, _ = exchange()
    quote(made, 9_900, 10_000, bid_size=10)
    order = made.place("a", limit(Side.BUY, 9_900, 5))
    trade(made, 9_900, 8, Side.SELL)
    assert order.filled == 0
    trade(made, 9_900, 4, Side.SELL)
    assert order.filled == 2
    assert [each.size for each in heard.trades] == [8, 2, 2]
    quote(made, 9_800, 9_850)
    assert (order.filled, order.status) == (5, Status.FILLED)
