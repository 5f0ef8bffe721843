"""The OKX connectors, spot and swaps, against the simulated OKX, over real sockets."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.connectors.stand import Stand, limit, market, ready, stand, until
from tradeloom.connectors.contract import Amendment, Outcome, State, StateChange, VenuePosition
from tradeloom.connectors.dialect import Dialect
from tradeloom.connectors.profile import Need
from tradeloom.connectors.venues.okx.dialect import OkxSpot, OkxSwap
from tradeloom.domain.enums import OrderState, ReturnCode, Side, TimeInForce
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
from tradeloom.simulators import VenueDialect
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.okx import OkxSpot as SimulatedSpot
from tradeloom.simulators.okx import OkxSwap as SimulatedSwap

PAIR, PERPETUAL = "BTCUSDT", "BTCUSDT-PERP"
MINUTE = 60 * 10**9
ALL = (Topic.QUOTES, Topic.TRADES, Topic.BOOK)
Kind = tuple[type[VenueDialect], type[Dialect], str]
KINDS = pytest.mark.parametrize(
    "kind",
    [(SimulatedSpot, OkxSpot, PAIR), (SimulatedSwap, OkxSwap, PERPETUAL)],
    ids=["spot", "swap"],
)


class WithChecksums(SimulatedSpot):
    """OKX as it was recorded in 2022: books carry a checksum."""

    checksums = True


def opened(kind: Kind, **more: Any) -> AbstractAsyncContextManager[Stand]:
    return stand(kind[0], kind[1], symbols=(kind[2],), **more)


def spot(**more: Any) -> AbstractAsyncContextManager[Stand]:
    return stand(SimulatedSpot, OkxSpot, symbols=(PAIR, "ETHUSDT"), **more)


def state(held: Stand, client_id: str) -> OrderState:
    known = held.connector.desk.store.find(client_id)
    assert known is not None
    return known.order.state


@KINDS
async def test_prices_flow_and_the_book_is_the_venues(kind: Kind) -> None:
    symbol = kind[2]
    async with opened(kind) as held:
        ready(held)
        held.book(symbol, 61_800_00)
        await held.follow(symbol, topics=ALL)
        await until(lambda: held.of(BookQuote), "a first quote")
        for step in range(50):
            held.quote(symbol, 61_800_00 + step, 61_800_02 + step, (step + 1) * SIZE_SCALE)
        held.trade(symbol, 61_850_00, 3 * SIZE_SCALE, Side.BUY)
        await until(lambda: held.of(TradeTick), "a trade")
        await until(lambda: held.same_book(symbol), "the same book")
        quotes = held.of(BookQuote)
        assert quotes[-1].bid == 61_800_49
        assert [each.seq for each in quotes] == sorted({each.seq for each in quotes})
        assert {each.bid for each in quotes} >= {61_800_00 + step for step in range(1, 50)}
        trade = held.of(TradeTick)[-1]
        assert (trade.price, trade.size, trade.side) == (61_850_00, 3 * SIZE_SCALE, Side.BUY)
        assert held.connector.health().counters.get("gaps", 0) == 0


@pytest.mark.parametrize("fault", [FaultKind.DROP_FRAME, FaultKind.BAD_CHECKSUM])
async def test_a_gap_or_a_wrong_checksum_is_one_resync(fault: FaultKind) -> None:
    async with stand(WithChecksums, OkxSpot, symbols=(PAIR,), trades=False) as held:
        held.book(PAIR, 61_800_00)
        await held.follow(PAIR, topics=(Topic.BOOK,))
        held.arm(FaultKind.DUPLICATE_FRAME, "books:")
        held.quote(PAIR, 61_799_00, 61_800_05)
        await until(lambda: held.same_book(PAIR), "the first change")
        assert held.connector.health().counters.get("gaps", 0) == 0
        held.arm(fault, "books:")
        for bid in (61_799_10, 61_799_20):
            held.quote(PAIR, bid, 61_800_05)
            await asyncio.sleep(0.25)
        await until(lambda: held.same_book(PAIR), "the book after the gap")
        counters = held.connector.health().counters
        assert (counters["gaps"], counters["resyncs"]) == (1, 1)
        told = [each.state for each in held.of(FeedStatus)]
        assert told[-2:] == [FeedState.RESYNCING, FeedState.LIVE]
        assert sum(1 for each in held.of(BookDelta) if each.snapshot) == 2


@KINDS
@pytest.mark.parametrize("way", ["socket", "rest"])
async def test_an_order_lives_is_amended_and_fills(kind: Kind, way: str) -> None:
    symbol = kind[2]
    async with opened(kind, options={"orders": way}) as held:
        ready(held)
        held.book(symbol, 61_800_00)
        order = limit(symbol, Side.BUY, "0.5", "61000.00", client_id="with-dashes_and_more")
        answer = await held.connector.submit(order)
        assert answer.outcome is Outcome.ACCEPTED, answer
        await until(lambda: state(held, order.client_id) is OrderState.WORKING, "working")
        changed = await held.connector.amend(
            Amendment(client_id=order.client_id, price=Decimal("61100.00"), volume=Decimal("0.4"))
        )
        assert changed.outcome is Outcome.ACCEPTED, changed
        await until(lambda: held.orders(order.client_id)[-1].price == Decimal(61100), "amended")
        held.trade(symbol, 61_100_00, SIZE_SCALE // 10)
        await until(lambda: state(held, order.client_id) is OrderState.PARTIAL, "partly filled")
        held.quote(symbol, 60_000_00, 61_000_00, 100 * SIZE_SCALE)
        await until(lambda: state(held, order.client_id) is OrderState.FILLED, "filled")
        fills = held.fills(order.client_id)
        assert sum(each.volume for each in fills) == Decimal("0.4")
        paid = "BTC" if kind[1] is OkxSpot else "USDT"
        assert all(each.maker and each.fee_currency == paid and each.fee > 0 for each in fills)
        asked = await held.connector.query(order.client_id)
        assert (asked.state, asked.filled) == (OrderState.FILLED, Decimal("0.4"))
        told = await held.connector.fills()
        assert {each.trade_id for each in told} == {each.trade_id for each in fills}
        money = {each.currency: each for each in await held.connector.balances()}
        if kind[1] is OkxSpot:
            fees = sum(each.fee for each in fills)
            assert money["BTC"].total == Decimal(100) + Decimal("0.4") - fees
        else:
            (position,) = await held.connector.positions()
            assert position.volume == Decimal("0.4")
            assert held.of(VenuePosition)


async def test_market_orders_and_what_okx_cancels_itself() -> None:
    async with spot() as held:
        held.book(PAIR, 61_800_00)
        order = market(PAIR, Side.BUY, "0.2")
        assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, order.client_id) is OrderState.FILLED, "filled")
        assert sum(each.volume for each in held.fills(order.client_id)) == Decimal("0.2")
        late = msgspec.structs.replace(
            limit(PAIR, Side.BUY, "0.2", "61000.00"), tif=TimeInForce.IOC
        )
        assert (await held.connector.submit(late)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, late.client_id) is OrderState.CANCELLED, "cancelled")
        maker = limit(PAIR, Side.BUY, "0.2", "62000.00", post_only=True)
        assert (await held.connector.submit(maker)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, maker.client_id) is OrderState.CANCELLED, "cancelled")
        assert "post-only" in held.orders(maker.client_id)[-1].reason


async def test_cancel_one_and_all() -> None:
    async with spot() as held:
        orders = [limit(PAIR, Side.BUY, "0.1", f"600{n:02d}.00") for n in range(23)]
        for order in orders:
            assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        assert (await held.connector.cancel(orders[0].client_id)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, orders[0].client_id) is OrderState.CANCELLED, "cancelled")
        assert len(await held.connector.open_orders()) == 22
        await held.connector.cancel_all(PAIR)
        await until(lambda: not held.connector.desk.store.open(), "all cancelled")


async def test_refusals_say_what_was_wrong() -> None:
    async with spot() as held:
        poor = await held.connector.submit(limit(PAIR, Side.SELL, "1000", "62000.00"))
        money = (Outcome.REFUSED, ReturnCode.TRADE_NO_MONEY, "volume", "51008")
        assert (poor.outcome, poor.code, poor.field, poor.venue_code) == money


@KINDS
@pytest.mark.parametrize("way", ["socket", "rest"])
async def test_a_placement_of_unknown_outcome_is_never_sent_again(kind: Kind, way: str) -> None:
    async with opened(kind, options={"orders": way}) as held:
        held.book(kind[2], 61_800_00)
        held.arm(FaultKind.UNKNOWN_OUTCOME, "order")
        order = limit(kind[2], Side.BUY, "0.1", "60000.00")
        answer = await held.connector.submit(order)
        assert answer.outcome is Outcome.UNRESOLVED, answer
        await until(lambda: state(held, order.client_id) is OrderState.WORKING, "resolved")
        account = held.venue.keys.all()[0].account
        assert len(held.venue.exchange.orders(account)) == 1


async def test_a_fill_told_twice_or_before_its_answer_is_booked_once() -> None:
    async with spot() as held:
        held.book(PAIR, 61_800_00)
        held.arm(FaultKind.DOUBLE_FILL, "trade", count=5)
        held.arm(FaultKind.FILL_BEFORE_ACK, "order")
        order = market(PAIR, Side.BUY, "0.2")
        assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, order.client_id) is OrderState.FILLED, "filled")
        await asyncio.sleep(0.1)
        fills = held.fills(order.client_id)
        assert sum(each.volume for each in fills) == Decimal("0.2")
        assert len({each.trade_id for each in fills}) == len(fills)


@pytest.mark.parametrize("fault", [FaultKind.CLOSE, FaultKind.EXPIRE_TOKEN, FaultKind.NOTICE])
async def test_after_a_cut_it_reconciles_before_it_trades_again(fault: FaultKind) -> None:
    async with spot() as held:
        order = limit(PAIR, Side.BUY, "0.1", "60000.00")
        await held.connector.submit(order)
        await until(lambda: state(held, order.client_id) is OrderState.WORKING, "working")
        before = len(held.news)
        held.arm(fault, "/ws/v5/private" if fault is FaultKind.CLOSE else "")
        await until(
            lambda: any(
                isinstance(each, StateChange) and each.state is State.RECONCILING
                for each in held.news[before:]
            ),
            "noticed",
        )
        held.book(PAIR, 59_000_00)  # it fills while nobody listens
        await until(lambda: held.connector.state is State.READY, "ready again")
        await until(lambda: state(held, order.client_id) is OrderState.FILLED, "filled")
        assert sum(each.volume for each in held.fills(order.client_id)) == Decimal("0.1")


async def test_too_many_is_honoured() -> None:
    async with spot(options={"orders": "rest"}) as held:
        held.arm(FaultKind.HTTP_STATUS, "/api/v5/trade/order", status=429, seconds=2.5)
        answer = await held.connector.submit(limit(PAIR, Side.BUY, "0.1", "60000.00"))
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, ReturnCode.TOO_FREQUENT)
        assert any(each.blocked_s > 0.5 for each in held.connector.limits())
        again = await held.connector.submit(limit(PAIR, Side.BUY, "0.1", "60000.00"))
        assert (again.outcome, again.code) == (Outcome.REFUSED, ReturnCode.TOO_FREQUENT)
        assert not held.venue.exchange.orders(held.venue.keys.all()[0].account)


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({Need.KEY: "nobodys-key"}, "API key"),
        ({Need.SECRET: "not-the-secret"}, "secret"),
        ({Need.PASSPHRASE: "not-the-phrase"}, "passphrase"),
    ],
    ids=["key", "secret", "passphrase"],
)
@KINDS
async def test_wrong_keys_are_refused_once_and_named(
    kind: Kind, keys: dict[Need, str], word: str
) -> None:
    async with opened(kind, keys=keys) as held:
        assert held.connector.state is State.REFUSED
        assert word in held.connector.reason
        assert all(value not in held.connector.reason for value in keys.values())
        tried = sum(link.connects for link in held.connector.health().links)
        await asyncio.sleep(0.6)
        assert sum(link.connects for link in held.connector.health().links) == tried == 1


@pytest.mark.parametrize("way", ["socket", "rest"])
async def test_a_clock_that_was_set_is_followed(way: str) -> None:
    async with spot(options={"orders": way}) as held:
        held.arm(FaultKind.CLOCK, seconds=-100.0)
        if way == "rest":
            order = limit(PAIR, Side.BUY, "0.1", "60000.00")
            assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        held.arm(FaultKind.CLOSE, "/ws/v5/private")
        await until(lambda: held.connector.state is not State.READY, "noticed")
        await until(lambda: held.connector.state is State.READY, "ready again")


async def test_the_dead_man_switch_counts_down_and_is_wound_up() -> None:
    async with spot() as held:
        again = await held.connector.dialect.cancel_on_disconnect(10)
        assert again is not None
        assert again < 10
        await held.connector.cancel_on_disconnect(None)
        with pytest.raises(ValueError, match="10 to 120"):
            await held.connector.cancel_on_disconnect(5)


async def test_swaps_have_funding_and_both_ways_of_positions() -> None:
    def hedge(venue: VenueDialect) -> None:
        venue.exchange.accounts[venue.keys.all()[0].account].hedged = True

    async with stand(SimulatedSwap, OkxSwap, symbols=(PERPETUAL,), prepare=hedge) as held:
        held.book(PERPETUAL, 61_800_00)
        await held.connector.subscribe([PERPETUAL], [Topic.FUNDING], held.market.append)
        await until(lambda: held.of(Funding) and held.of(Funding)[-1].index, "funding")
        funding = held.of(Funding)[-1]
        assert (funding.rate, funding.mark) == (Decimal("0.0001"), 61_800_00)
        short = market(PERPETUAL, Side.SELL, "0.2")
        assert (await held.connector.submit(short)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, short.client_id) is OrderState.FILLED, "filled")
        (position,) = await held.connector.positions()
        assert position.volume == Decimal("-0.2")
        close = msgspec.structs.replace(market(PERPETUAL, Side.BUY, "0.2"), reduce_only=True)
        assert (await held.connector.submit(close)).outcome is Outcome.ACCEPTED
        await until(lambda: state(held, close.client_id) is OrderState.FILLED, "filled")
        assert await held.connector.positions() == []


@KINDS
async def test_history_snapshot_and_maintenance(kind: Kind) -> None:
    symbol = kind[2]
    async with opened(kind, trades=False) as held:
        now = held.venue.clock.now_ns() // MINUTE * MINUTE
        at = held.venue.exchange.market(symbol).instrument
        for minutes, price in ((3, 61_800_00), (2, 61_900_00), (2, 61_850_00), (0, 61_870_00)):
            when = now - minutes * MINUTE
            held.venue.feed(
                TradeTick(at.venue, symbol, at.digits, price, SIZE_SCALE, Side.BUY, "", when, when)
            )
        bars = await held.connector.bars(symbol, 60, now - 10 * MINUTE, now)
        assert [(b.start_ns, b.open, b.close, b.volume) for b in bars] == [
            (now - 3 * MINUTE, 61_800_00, 61_800_00, SIZE_SCALE),
            (now - 2 * MINUTE, 61_900_00, 61_850_00, 2 * SIZE_SCALE),
        ]
        with pytest.raises(ValueError, match="bars of 1, 60"):
            await held.connector.bars(symbol, 61, now - 10 * MINUTE, now)
        held.book(symbol, 61_800_00)
        book = await held.connector.snapshot(symbol, 5)
        assert (len(book.bids), book.bids[0], book.asks[0]) == (
            5,
            (61_799_99, SIZE_SCALE + 1),
            (61_800_01, SIZE_SCALE + 1),
        )
        assert await held.connector.dialect.maintenance() == ""


class Impatient(OkxSpot):
    """With the patience of a test."""

    profile = replace(
        OkxSpot.profile, quirks={**OkxSpot.profile.quirks, "ping_s": 0.2, "silence_s": 0.6}
    )


async def test_silence_is_noticed_and_a_lost_event_is_made_good() -> None:
    async with stand(SimulatedSpot, Impatient, symbols=(PAIR,)) as held:
        held.book(PAIR, 61_800_00)
        await held.follow(PAIR, topics=(Topic.QUOTES,))
        held.arm(FaultKind.DROP_EVENT, "trade", count=3)
        order = market(PAIR, Side.BUY, "0.2")
        assert (await held.connector.submit(order)).outcome is Outcome.ACCEPTED
        held.arm(FaultKind.SILENCE, "/ws/v5/", seconds=1.5)
        await until(lambda: PAIR in held.connector.health().stale, "stale")
        held.quote(PAIR, 61_700_00, 61_800_00)
        await until(lambda: not held.connector.health().stale, "live again")
        await until(lambda: held.connector.state is State.READY, "ready again")
        await until(lambda: state(held, order.client_id) is OrderState.FILLED, "filled")
        assert sum(each.volume for each in held.fills(order.client_id)) == Decimal("0.2")
