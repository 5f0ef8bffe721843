"""The Bybit connector against the simulated Bybit, over real sockets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from tests.connectors.stand import Stand, limit, market, ready, stand, until
from tradeloom.connectors.contract import Amendment, Outcome, State
from tradeloom.connectors.profile import Need
from tradeloom.connectors.venues.bybit.dialect import BybitLinear, BybitSpot
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce
from tradeloom.domain.market import (
    SIZE_SCALE,
    BookDelta,
    BookQuote,
    FeedState,
    FeedStatus,
    Funding,
    Topic,
    TradeTick,
)
from tradeloom.simulators.bybit import BybitLinear as SimulatedLinear
from tradeloom.simulators.bybit import BybitSpot as Simulated
from tradeloom.simulators.faults import FaultKind

PAIR = "BTCUSDT"
MINUTE = 60 * 10**9
ALL = (Topic.QUOTES, Topic.TRADES, Topic.BOOK)


def spot(**more: object):  # type: ignore[no-untyped-def]
    return stand(Simulated, BybitSpot, symbols=(PAIR, "ETHUSDT"), **more)  # type: ignore[arg-type]


def state(held: Stand, client_id: str) -> OrderState:
    return held.connector.desk.store.find(client_id).order.state  # type: ignore[union-attr]


async def test_prices_flow_and_the_book_is_the_venues() -> None:
    async with spot() as held:
        ready(held)
        held.book(PAIR, 61_800_00)
        await held.follow(PAIR, topics=ALL)
        await until(lambda: held.of(BookQuote), "a first quote")
        for step in range(50):
            held.quote(PAIR, 61_800_00 + step, 61_800_02 + step, (step + 1) * SIZE_SCALE)
        held.trade(PAIR, 61_850_00, 3 * SIZE_SCALE, Side.BUY)
        await until(lambda: held.of(TradeTick), "a trade")
        await until(lambda: held.same_book(PAIR), "the same book")
        quotes = held.of(BookQuote)
        assert quotes[-1].bid == 61_800_49
        assert [each.seq for each in quotes] == sorted({each.seq for each in quotes})
        assert {each.bid for each in quotes} >= {61_800_00 + step for step in range(1, 50)}
        trade = held.of(TradeTick)[-1]
        assert (trade.price, trade.size, trade.side) == (61_850_00, 3 * SIZE_SCALE, Side.BUY)
        assert trade.trade_id
        assert held.connector.health().counters.get("gaps", 0) == 0


async def test_a_dropped_delta_is_one_resync_and_a_doubled_one_is_none() -> None:
    async with spot(trades=False) as held:
        held.book(PAIR, 61_800_00)
        await held.follow(PAIR, topics=(Topic.BOOK,))
        held.arm(FaultKind.DUPLICATE_FRAME, "orderbook.200")
        held.quote(PAIR, 61_799_00, 61_800_05)
        await until(lambda: held.same_book(PAIR), "the first change")
        assert held.connector.health().counters.get("gaps", 0) == 0
        held.arm(FaultKind.DROP_FRAME, "orderbook.200")
        for bid in (61_799_10, 61_799_20):
            held.quote(PAIR, bid, 61_800_05)
            await asyncio.sleep(0.25)
        await until(lambda: held.same_book(PAIR), "the book after the gap")
        counters = held.connector.health().counters
        assert (counters["gaps"], counters["resyncs"]) == (1, 1)
        told = [each.state for each in held.of(FeedStatus)]
        assert told[-2:] == [FeedState.RESYNCING, FeedState.LIVE]
        assert sum(1 for each in held.of(BookDelta) if each.snapshot) == 2


async def test_an_order_lives_is_amended_and_fills() -> None:
    async with spot() as held:
        ready(held)
        held.book(PAIR, 61_800_00)
        await held.follow(PAIR, topics=(Topic.QUOTES,))
        order = limit(PAIR, Side.BUY, "0.5", "61000.00")
        answer = await held.connector.submit(order)
        assert answer.outcome is Outcome.ACCEPTED, answer
        assert answer.venue_order_id
        await until(lambda: state(held, order.client_id) is OrderState.WORKING, "working")
        changed = await held.connector.amend(
            Amendment(client_id=order.client_id, price=Decimal("61100.00"), volume=Decimal("0.4"))
        )
        assert changed.outcome is Outcome.ACCEPTED, changed
        await until(lambda: held.orders(order.client_id)[-1].price == Decimal(61100), "amended")
        held.trade(PAIR, 61_100_00, SIZE_SCALE // 10)
        await until(lambda: state(held, order.client_id) is OrderState.PARTIAL, "partly filled")
        held.quote(PAIR, 60_000_00, 61_000_00, 100 * SIZE_SCALE)
        await until(lambda: state(held, order.client_id) is OrderState.FILLED, "filled")
        fills = held.fills(order.client_id)
        assert sum(each.volume for each in fills) == Decimal("0.4")
        assert all(each.maker and each.fee_currency == "BTC" and each.fee > 0 for each in fills)
        asked = await held.connector.query(order.client_id)
        assert (asked.state, asked.filled) == (OrderState.FILLED, Decimal("0.4"))
        money = {each.currency: each for each in await held.connector.balances()}
        assert money["BTC"].total == Decimal(100) + Decimal("0.4") - sum(each.fee for each in fills)


async def test_market_orders_and_what_bybit_cancels_itself() -> None:
    async with spot() as held:
        held.book(PAIR, 61_800_00)
        await held.follow(PAIR, topics=(Topic.QUOTES,))
        order = market(PAIR, Side.BUY, "0.2")
        assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, order.client_id) is OrderState.FILLED, "filled")
        assert sum(each.volume for each in held.fills(order.client_id)) == Decimal("0.2")
        late = limit(PAIR, Side.BUY, "0.2", "61000.00")
        late = msgspec.structs.replace(late, tif=TimeInForce.IOC)
        assert (await held.connector.submit(late)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, late.client_id) is OrderState.CANCELLED, "cancelled")
        maker = limit(PAIR, Side.BUY, "0.2", "62000.00", post_only=True)
        answer = await held.connector.submit(maker)
        assert (answer.outcome, answer.field) == (Outcome.REFUSED, "post_only")
        day = limit(PAIR, Side.BUY, "0.2", "61000.00")
        day = msgspec.structs.replace(day, tif=TimeInForce.DAY)
        answer = await held.connector.submit(day)
        assert (answer.outcome, answer.field) == (Outcome.REFUSED, "tif")


async def test_cancel_one_and_all() -> None:
    async with spot() as held:
        orders = [limit(PAIR, Side.BUY, "0.1", f"6000{n}.00") for n in range(4)]
        for order in orders:
            assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        assert (await held.connector.cancel(orders[0].client_id)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, orders[0].client_id) is OrderState.CANCELLED, "cancelled")
        assert len(await held.connector.open_orders()) == 3
        answers = await held.connector.cancel_all(PAIR)
        assert {each.outcome for each in answers} == {Outcome.ACCEPTED}
        await until(lambda: not held.connector.desk.store.open(), "all cancelled")
        again = await held.connector.cancel(orders[1].client_id)
        assert again.outcome is Outcome.REFUSED


async def test_refusals_say_what_was_wrong() -> None:
    async with spot() as held:
        poor = await held.connector.submit(limit(PAIR, Side.SELL, "1000", "62000.00"))
        assert (poor.outcome, poor.code, poor.field) == (
            Outcome.REFUSED,
            ReturnCode.TRADE_NO_MONEY,
            "volume",
        )
        assert poor.venue_code == "170131"


@pytest.mark.parametrize("way", ["socket", "rest"])
async def test_a_placement_of_unknown_outcome_is_asked_for_and_never_sent_again(way: str) -> None:
    async with spot(options={"orders": way}) as held:
        place = "order.create" if way == "socket" else "/v5/order/create"
        held.arm(FaultKind.UNKNOWN_OUTCOME, place)
        order = limit(PAIR, Side.BUY, "0.1", "60000.00")
        answer = await held.connector.submit(order)
        assert answer.outcome is Outcome.UNRESOLVED, answer
        await until(lambda: state(held, order.client_id) is OrderState.WORKING, "resolved")
        account = held.venue.keys.all()[0].account
        assert len(held.venue.exchange.orders(account)) == 1


async def test_a_fill_told_twice_or_before_its_answer_is_booked_once() -> None:
    async with spot() as held:
        held.book(PAIR, 61_800_00)
        held.arm(FaultKind.DOUBLE_FILL, "trade", count=5)
        held.arm(FaultKind.FILL_BEFORE_ACK, "order.create")
        order = market(PAIR, Side.BUY, "0.2")
        assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, order.client_id) is OrderState.FILLED, "filled")
        await asyncio.sleep(0.1)
        fills = held.fills(order.client_id)
        assert sum(each.volume for each in fills) == Decimal("0.2")
        assert len({each.trade_id for each in fills}) == len(fills)


async def test_after_a_cut_it_reconciles_before_it_trades_again() -> None:
    async with spot() as held:
        order = limit(PAIR, Side.BUY, "0.1", "60000.00")
        await held.connector.submit(order)
        await until(lambda: state(held, order.client_id) is OrderState.WORKING, "working")
        held.arm(FaultKind.CLOSE, "/v5/private")
        await until(lambda: held.connector.state is State.RECONCILING, "noticed")
        held.book(PAIR, 59_000_00)  # it fills while nobody listens
        await until(lambda: held.connector.state is State.READY, "ready again")
        assert state(held, order.client_id) is OrderState.FILLED
        assert sum(each.volume for each in held.fills(order.client_id)) == Decimal("0.1")


async def test_an_abrupt_close_marks_prices_stale_and_comes_back() -> None:
    async with spot(trades=False) as held:
        held.book(PAIR, 61_800_00)
        await held.follow(PAIR, topics=ALL)
        held.arm(FaultKind.CLOSE, "/v5/public")
        await until(lambda: PAIR in held.connector.health().stale, "stale")
        await until(lambda: not held.connector.health().stale, "live again")
        held.quote(PAIR, 61_799_50, 61_799_90)
        await until(lambda: held.same_book(PAIR), "the same book")
        assert held.connector.health().counters.get("gaps", 0) == 0


async def test_too_many_is_honoured() -> None:
    async with spot(options={"orders": "rest"}) as held:
        held.arm(FaultKind.HTTP_STATUS, "/v5/order/create", status=429, seconds=1.5)
        answer = await held.connector.submit(limit(PAIR, Side.BUY, "0.1", "60000.00"))
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, ReturnCode.TOO_FREQUENT)
        assert any(each.blocked_s > 0.5 for each in held.connector.limits())
        held.venue.faults.clear()


@pytest.mark.parametrize(
    ("keys", "word"),
    [({Need.KEY: "nobodys-key"}, "API key"), ({Need.SECRET: "not-the-secret"}, "secret")],
)
async def test_wrong_keys_are_refused_once_and_named(keys: dict[Need, str], word: str) -> None:
    async with spot(keys=keys) as held:
        assert held.connector.state is State.REFUSED
        assert word in held.connector.reason
        assert all(value not in held.connector.reason for value in keys.values())
        tried = sum(link.connects for link in held.connector.health().links)
        await asyncio.sleep(0.6)
        assert sum(link.connects for link in held.connector.health().links) == tried <= 2


@pytest.mark.parametrize("way", ["socket", "rest"])
async def test_a_clock_that_was_set_is_followed(way: str) -> None:
    async with spot(options={"orders": way}) as held:
        held.arm(FaultKind.CLOCK, seconds=40.0)
        order = limit(PAIR, Side.BUY, "0.1", "60000.00")
        assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        held.arm(FaultKind.CLOSE, "/v5/private")
        await until(lambda: held.connector.state is not State.READY, "noticed")
        await until(lambda: held.connector.state is State.READY, "ready again")


async def test_the_dead_man_switch_cancels_when_we_are_gone() -> None:
    async with spot() as held:
        await held.connector.cancel_on_disconnect(3)
        order = limit(PAIR, Side.BUY, "0.1", "60000.00")
        assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        await held.connector.stop()
        account = held.venue.keys.all()[0].account
        assert held.venue.exchange.open_orders(account)
        await until(lambda: not held.venue.exchange.open_orders(account), "cancelled")


async def test_perpetuals_have_funding_and_positions() -> None:
    perpetual = f"{PAIR}-PERP"
    async with stand(SimulatedLinear, BybitLinear, symbols=(perpetual,)) as held:
        ready(held)
        held.book(perpetual, 61_800_00)
        await held.follow(perpetual, topics=(*ALL, Topic.FUNDING))
        await until(lambda: held.of(Funding), "funding")
        assert held.of(Funding)[-1].rate == Decimal("0.0001")
        order = market(perpetual, Side.SELL, "0.2")
        assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, order.client_id) is OrderState.FILLED, "filled")
        (position,) = await held.connector.positions()
        assert (position.symbol, position.volume) == (perpetual, Decimal("-0.2"))
        maker = limit(perpetual, Side.BUY, "0.1", "63000.00", post_only=True)
        assert (await held.connector.submit(maker)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, maker.client_id) is OrderState.CANCELLED, "cancelled")
        assert "PostOnly" in held.orders(maker.client_id)[-1].reason


async def test_a_stop_waits_is_triggered_or_cancelled() -> None:
    async with spot() as held:
        held.book(PAIR, 61_800_00)
        held.trade(PAIR, 61_800_00, SIZE_SCALE)
        stop = msgspec.structs.replace(
            market(PAIR, Side.SELL, "0.1"), type=OrderType.STOP, stop_price=Decimal("61000.00")
        )
        other = msgspec.structs.replace(stop, client_id="other-stop")
        for order in (stop, other):
            assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, other.client_id) is OrderState.WORKING, "waiting")
        assert (await held.connector.cancel(other.client_id)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, other.client_id) is OrderState.CANCELLED, "cancelled")
        held.trade(PAIR, 61_000_00, SIZE_SCALE)
        await until(lambda: state(held, stop.client_id) is OrderState.FILLED, "triggered, filled")


async def test_history_snapshot_and_maintenance() -> None:
    async with spot(trades=False) as held:
        now = held.venue.clock.now_ns() // MINUTE * MINUTE
        at = held.venue.exchange.market(PAIR).instrument
        for minutes, price in ((3, 61_800_00), (2, 61_900_00), (2, 61_850_00), (0, 61_870_00)):
            when = now - minutes * MINUTE
            trade = TradeTick("bybit", PAIR, at.digits, price, SIZE_SCALE, Side.BUY, "", when, when)
            held.venue.feed(trade)
        bars = await held.connector.bars(PAIR, 60, now - 10 * MINUTE, now)
        assert [(b.start_ns, b.open, b.close, b.volume) for b in bars] == [
            (now - 3 * MINUTE, 61_800_00, 61_800_00, SIZE_SCALE),
            (now - 2 * MINUTE, 61_900_00, 61_850_00, 2 * SIZE_SCALE),
        ]
        with pytest.raises(ValueError, match="bars of 60"):
            await held.connector.bars(PAIR, 61, now - 10 * MINUTE, now)
        held.book(PAIR, 61_800_00)
        book = await held.connector.snapshot(PAIR, 5)
        assert (len(book.bids), book.bids[0], book.asks[0]) == (
            5,
            (61_799_99, SIZE_SCALE + 1),
            (61_800_01, SIZE_SCALE + 1),
        )
        assert await held.connector.dialect.maintenance() == ""


class Impatient(BybitSpot):
    """With the patience of a test."""

    profile = replace(
        BybitSpot.profile, quirks={**BybitSpot.profile.quirks, "ping_s": 0.2, "silence_s": 0.6}
    )


async def test_silence_is_noticed_and_a_lost_event_is_made_good() -> None:
    async with stand(Simulated, Impatient, symbols=(PAIR,)) as held:
        held.book(PAIR, 61_800_00)
        await held.follow(PAIR, topics=(Topic.QUOTES,))
        held.arm(FaultKind.DROP_EVENT, "trade", count=3)
        order = market(PAIR, Side.BUY, "0.2")
        assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        held.arm(FaultKind.SILENCE, "/v5/", seconds=1.5)
        await until(lambda: PAIR in held.connector.health().stale, "stale")
        held.quote(PAIR, 61_700_00, 61_800_00)
        await until(lambda: not held.connector.health().stale, "live again")
        await until(lambda: held.connector.state is State.READY, "ready again")
        await until(lambda: state(held, order.client_id) is OrderState.FILLED, "filled")
        assert sum(each.volume for each in held.fills(order.client_id)) == Decimal("0.2")
