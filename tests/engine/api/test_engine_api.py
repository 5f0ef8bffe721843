"""The embeddable engine as its user meets it: a trade from quote to ledger, in plain calls."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.api.conftest import WEDNESDAY, Clock, furnish
from tradeloom.domain import commands as c
from tradeloom.domain import events as e
from tradeloom.domain import presets
from tradeloom.domain.enums import (
    Ledger,
    MarginLevel,
    OrderState,
    OrderType,
    Reason,
    ReturnCode,
    Scope,
    Side,
    TimeInForce,
    TradingState,
)
from tradeloom.domain.errors import EngineStopped, Refused, Rejected
from tradeloom.engine import Engine


def test_a_trade_from_entry_to_take_profit(engine: Engine) -> None:
    answer = engine.buy(1001, "EURUSD", "0.10", sl="1.09", tp="1.12")
    assert answer.ok
    assert answer.price == Decimal("1.10002")
    (position,) = engine.positions(1001)
    assert position.id == answer.position
    assert (position.side, position.volume) == (Side.BUY, Decimal("0.10"))
    assert (position.sl, position.tp) == (Decimal("1.09"), Decimal("1.12"))
    assert (position.current, position.profit) == (Decimal("1.10000"), Decimal("-0.20"))
    account = engine.account(1001)
    assert account.balance == 10_000
    assert account.equity == Decimal("9999.80")
    assert account.margin == Decimal("110.00")
    assert account.free_margin == Decimal("9889.80")
    assert account.level == Decimal("9090.72")
    hit = engine.quote("EURUSD", "1.12010", "1.12012")
    fills = [event for event in hit.events if isinstance(event, e.Fill)]
    assert [(fill.reason, fill.price) for fill in fills] == [
        (Reason.TAKE_PROFIT, Decimal("1.12010"))
    ]
    assert engine.positions(1001) == []
    assert engine.account(1001).balance == Decimal("10200.80")
    rows = {row.ledger: row.amount for row in engine.ledger(1001) if row.amount}
    assert rows == {Ledger.CASH: Decimal("10200.80"), Ledger.REALISED_PNL: Decimal("200.80")}
    assert all(row.customers + row.house == 0 for row in engine.trial_balance())


def test_margin_call_and_stop_out(engine: Engine) -> None:
    engine.buy(1001, "EURUSD", "8")
    called = engine.quote("EURUSD", "1.09800", "1.09802")
    assert [x.level for x in called.events if isinstance(x, e.MarginUpdated)] == [
        MarginLevel.MARGIN_CALL
    ]
    engine.quote("EURUSD", "1.09200", "1.09202")
    assert engine.positions(1001) == []
    assert engine.account(1001).margin == 0


def test_pending_orders_are_placed_modified_cancelled_and_expire(
    engine: Engine, clock: Clock
) -> None:
    minute = 60 * 10**9
    placed = engine.place(
        1001,
        "EURUSD",
        Side.BUY,
        "0.5",
        type=OrderType.LIMIT,
        price="1.09500",
        tif=TimeInForce.GTD,
        expire=clock.now + minute,
        tag=7,
    )
    (order,) = engine.orders(1001)
    assert (order.id, order.price, order.tag) == (placed.reference, Decimal("1.09500"), 7)
    assert order.state is OrderState.WORKING
    engine.modify_order(1001, order.id, "1.09400", sl="1.09", expire=clock.now + minute)
    (order,) = engine.orders(1001)
    assert (order.price, order.sl) == (Decimal("1.09400"), Decimal("1.09000"))
    other = engine.place(
        1001, "EURUSD", Side.SELL, "0.5", type=OrderType.STOP, price="1.09000"
    ).reference
    engine.cancel(1001, other)
    clock.now += minute
    expired = engine.tick()
    states = [x.state for x in expired.events if isinstance(x, e.OrderUpdated)]
    assert states == [OrderState.EXPIRED]
    assert engine.orders(1001) == []


def test_managing_positions(engine: Engine) -> None:
    first = engine.buy(1001, "EURUSD", "0.30").position
    engine.modify_position(1001, first, sl="1.09000", trailing=100)
    assert engine.positions(1001)[0].sl == Decimal("1.09900")
    engine.close_position(1001, first, "0.10")
    assert engine.positions(1001)[0].volume == Decimal("0.20")
    second = engine.sell(1001, "EURUSD", "0.20").position
    engine.close_by(1001, first, second)
    assert engine.positions(1001) == []
    third = engine.buy(1001, "EURUSD", "0.10").position
    engine.reverse(1001, third)
    assert [position.side for position in engine.positions(1001)] == [Side.SELL]
    assert engine.close_all(1001).reference == 1


def test_good_and_bad_answers(engine: Engine) -> None:
    with pytest.raises(Rejected, match=r"TRADE_NO_MONEY \(134\) in volume") as rejected:
        engine.buy(1001, "EURUSD", "500")
    assert (rejected.value.code.number, rejected.value.field) == (134, "volume")
    with pytest.raises(Refused, match=r"TRADE_BAD_VOLUME \(131\) in volume"):
        engine.buy(1001, "EURUSD", "0.015")
    with pytest.raises(Refused, match=r"SYMBOL_NOT_FOUND.*'EURUSX' is not defined.*EURUSD"):
        engine.buy(1001, "EURUSX", "0.01")
    answer = engine.buy(1001, "EURUSD", "500", check=False)
    assert (answer.ok, answer.code) == (False, ReturnCode.TRADE_NO_MONEY)
    assert "deposit" in answer.message
    assert not answer.refused
    refused = engine.execute(c.Deposit(account=77, amount=Decimal(1)))
    assert (refused.code, refused.field, refused.refused) == (
        ReturnCode.USER_NOT_FOUND,
        "account",
        True,
    )
    assert refused.events == ()


def test_an_id_has_one_effect(engine: Engine) -> None:
    first = engine.buy(1001, "EURUSD", "0.10", id="order-1")
    again = engine.buy(1001, "EURUSD", "0.10", id="order-1")
    assert (again.code, again.reference) == (first.code, first.reference)
    assert (first.repeat, again.repeat) == (False, True)
    assert len(engine.positions(1001)) == 1
    with pytest.raises(Refused, match="DUPLICATE_ID"):
        engine.buy(1001, "EURUSD", "0.20", id="order-1")


def test_trading_states(engine: Engine) -> None:
    engine.set_trading_state(Scope.INSTRUMENT, TradingState.HALTED, "EURUSD")
    engine.set_trading_state(Scope.ACCOUNT, TradingState.REDUCING, 1001)
    states = engine.trading_states()
    assert states.instruments == {"EURUSD": TradingState.HALTED}
    assert states.accounts == {1001: TradingState.REDUCING}
    assert (states.shard, states.groups) == (TradingState.ACTIVE, {})
    engine.set_trading_state(Scope.ACCOUNT, TradingState.ACTIVE, 1001)
    with pytest.raises(Rejected, match="HALTED"):
        engine.buy(1001, "EURUSD", "0.10")
    set_back = engine.set_trading_state(Scope.INSTRUMENT, TradingState.ACTIVE, "EURUSD")
    (event,) = (x for x in set_back.events if isinstance(x, e.TradingStateUpdated))
    assert (event.scope, event.target) == (Scope.INSTRUMENT, "EURUSD")
    assert engine.buy(1001, "EURUSD", "0.10").ok


def test_terms_of_one_order(engine: Engine) -> None:
    answer = engine.buy(1001, "EURUSD", "0.10", terms=c.Terms(markup_points=10))
    assert answer.price == Decimal("1.10012")


def test_isolated_leverage_on_a_perpetual(engine: Engine) -> None:
    engine.define(presets.USDTUSD, presets.BTCUSDT)
    engine.quote("USDTUSD", "1", "1")
    engine.quote("BTCUSDT", "60000", "60000.1")
    engine.buy(1001, "BTCUSDT", "0.1", leverage=50)
    (position,) = engine.positions(1001)
    assert position.isolated
    assert position.margin == Decimal("120.00")
    account = engine.account(1001)
    assert (account.isolated, account.margin) == (Decimal("120.00"), Decimal("120.00"))
    assert account.equity == Decimal("9999.99")
    hit = engine.quote("BTCUSDT", "58000", "58000.1")
    reasons = [x.reason for x in hit.events if isinstance(x, e.Fill)]
    assert reasons == [Reason.LIQUIDATION]


def test_reading_what_is_not_there(engine: Engine) -> None:
    quote = engine.last_quote("EURUSD")
    assert quote is not None
    assert (quote.bid, quote.ask, quote.ts) == (Decimal("1.10000"), Decimal("1.10002"), WEDNESDAY)
    engine.define(presets.XAUUSD)
    assert engine.last_quote("XAUUSD") is None
    for read in (engine.account, engine.positions, engine.orders, engine.ledger):
        with pytest.raises(Refused, match="USER_NOT_FOUND"):
            read(7)
    with pytest.raises(Refused, match="SYMBOL_NOT_FOUND"):
        engine.last_quote("NONE")


def test_events_have_no_gaps(engine: Engine) -> None:
    engine.buy(1001, "EURUSD", "0.10")
    numbers = [event.seq for event in engine.events()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [event.seq for event in engine.events(after=3)] == numbers[3:]
    assert list(engine.events(after=numbers[-1])) == []


def test_a_changed_definition_does_not_change_history(engine: Engine) -> None:
    engine.define(replace(presets.EURUSD, symbol="TEST"))
    engine.quote("TEST", "1.10000", "1.10002")
    engine.buy(1001, "TEST", "0.10")
    engine.close_all(1001)
    before = [event.price for event in engine.events() if isinstance(event, e.Fill)]
    engine.define(replace(presets.EURUSD, symbol="TEST", digits=3))
    engine.quote("TEST", "1.100", "1.101")
    after = [event.price for event in engine.events() if isinstance(event, e.Fill)]
    assert after == before


def test_time_comes_from_the_clock_or_the_call(engine: Engine, clock: Clock) -> None:
    assert engine.quote("EURUSD", "1.1", "1.1", ts=WEDNESDAY + 5).ok
    with pytest.raises(Refused, match="TIME_BACKWARDS"):
        engine.quote("EURUSD", "1.1", "1.1")
    clock.now = WEDNESDAY + 5
    assert engine.quote("EURUSD", "1.1", "1.1").ok
    with Engine.open() as wall:
        assert wall.define(presets.CURRENCIES["USD"]).ok


def test_a_closed_engine_says_so(clock: Clock) -> None:
    engine = Engine.open(clock=clock)
    engine.close()
    with pytest.raises(EngineStopped, match="open it again"):
        engine.define(presets.DEMO)


def test_everything_is_there_after_reopening(tmp_path: Path, clock: Clock) -> None:
    with Engine.open(tmp_path / "data", clock=clock) as engine:
        furnish(engine)
        engine.define(presets.XAUUSD, presets.PRO)
        engine.buy(1001, "EURUSD", "0.10", sl="1.09", id="keep")
        order = engine.place(
            1001, "EURUSD", Side.BUY, "0.2", type=OrderType.LIMIT, price="1.09500"
        ).reference
        before = (engine.account(1001), engine.positions(1001), engine.orders(1001))
        digest, events = engine.state_hash, list(engine.events())
    with Engine.open(tmp_path / "data", clock=clock) as engine:
        assert (engine.account(1001), engine.positions(1001), engine.orders(1001)) == before
        assert engine.state_hash == digest
        assert _without_index(engine.events()) == _without_index(events)
        assert engine.buy(1001, "EURUSD", "0.10", sl="1.09", id="keep").repeat
        assert engine.modify_order(1001, order, "1.09400").ok
        assert engine.open_account(1002, group="pro").ok
        assert engine.quote("XAUUSD", "2650.10", "2650.40").ok


def _without_index(events: object) -> list[e.AnyEvent]:
    """Events but for the place of their input in its batch, which a replay does not know."""
    assert hasattr(events, "__iter__")
    return [replace(x, index=0) if isinstance(x, e.Result) else x for x in events]
