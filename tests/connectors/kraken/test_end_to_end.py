"""The Kraken connector against the simulated venue, over real sockets."""

from __future__ import annotations

import asyncio
import base64
from decimal import Decimal
from typing import cast

import msgspec
import pytest

from tests.connectors.stage import (
    BookDelta,
    BookQuote,
    FaultKind,
    FeedStatus,
    Stage,
    Topic,
    TradeTick,
    VenueBalance,
    VenueFill,
    demo_key,
    limit,
    market,
    staged,
)
from tradeloom.connectors.contract import Amendment, Origin, Outcome, State, Unsupported
from tradeloom.connectors.venues.kraken.profile import SPOT
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce
from tradeloom.domain.market import FeedState
from tradeloom.simulators.orders import NewOrder, OrderKind

BTC, ETH = "BTCUSD", "ETHUSD"


def quoted(stage: Stage) -> None:
    stage.book(
        BTC,
        [(f"{61800 - i}.1", "0.5") for i in range(130)],
        [(f"{61801 + i}.3", "0.7") for i in range(130)],
    )
    stage.quote(ETH, "2683.80", "2683.90", "12")


async def test_prices_of_every_topic_arrive() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        await stage.subscribe(BTC, ETH, topics=(Topic.QUOTES, Topic.TRADES, Topic.BOOK))
        await stage.until(lambda: len(stage.heard(BookDelta, lambda d: d.snapshot)) == 2)
        stage.trade(BTC, "61801.3", "0.25")
        stage.quote(ETH, "2683.85", "2683.95", "3.5")
        await stage.until(lambda: stage.heard(BookQuote, lambda q: q.bid == 268385))
        await stage.until(lambda: stage.heard(TradeTick))
        quote = stage.heard(BookQuote, lambda q: q.symbol == ETH)[-1]
        assert (quote.ask, quote.bid_size, quote.digits) == (268395, 350_000_000, 2)
        assert 0 <= quote.recv_ns - quote.venue_ns < 5 * 10**9
        (trade,) = stage.heard(TradeTick)
        assert (trade.price, trade.size, trade.side) == (618013, 25_000_000, Side.BUY)
        book = await stage.connector.snapshot(BTC, 2)
        assert book.bids == ((618001, 50_000_000), (617991, 50_000_000))
        assert not stage.connector.feed.stale(BTC)


async def test_levels_that_fall_out_of_the_depth_are_trimmed_and_come_back() -> None:
    """Kraken tells no removal of a level that others pushed out; the checksum proves the rest."""
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.subscribe(BTC, topics=(Topic.BOOK,))
        await stage.until(lambda: stage.heard(BookDelta))
        keeper = stage.connector.feed.keeper
        assert len(keeper.books[BTC].bids) == 100
        stage.book(BTC, [("61800.5", "1"), ("61800.9", "2")], [])
        await stage.until(lambda: keeper.books[BTC].bids.best() == (618009, 200_000_000))
        assert len(keeper.books[BTC].bids) == 100
        stage.book(BTC, [("61800.5", "0"), ("61800.9", "0"), ("61800.1", "0")], [])
        await stage.until(lambda: keeper.books[BTC].bids.best() == (617991, 50_000_000))
        top = stage.venue.exchange.market(BTC).book.levels(Side.BUY, 100)
        assert keeper.books[BTC].bids.top(100) == top
        assert keeper.counts["checksum failures"] == keeper.counts["gaps"] == 0


async def test_one_bad_checksum_is_one_resync() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.subscribe(BTC, topics=(Topic.QUOTES, Topic.BOOK))
        await stage.until(lambda: stage.heard(BookDelta))
        stage.fault(FaultKind.BAD_CHECKSUM, "book")
        stage.book(BTC, [("61800.7", "1")], [])
        await stage.until(lambda: len(stage.heard(BookDelta, lambda d: d.snapshot)) == 2)
        keeper = stage.connector.feed.keeper
        assert keeper.counts["checksum failures"] == keeper.counts["resyncs"] == 1
        await stage.until(lambda: not stage.connector.feed.stale(BTC))
        stage.book(BTC, [("61800.8", "1")], [])
        await stage.until(lambda: keeper.books[BTC].bids.best() == (618008, 100_000_000))


async def test_a_lost_book_frame_is_found_by_the_checksum() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.subscribe(BTC, topics=(Topic.BOOK,))
        await stage.until(lambda: stage.heard(BookDelta))
        stage.fault(FaultKind.DROP_FRAME, "book")
        stage.book(BTC, [("61800.7", "1")], [])
        stage.book(BTC, [("61800.8", "1")], [])
        await stage.until(lambda: len(stage.heard(BookDelta, lambda d: d.snapshot)) == 2)
        keeper = stage.connector.feed.keeper
        assert keeper.counts["gaps"] == keeper.counts["resyncs"] == 1
        assert keeper.books[BTC].bids.top(3)[:2] == [(618008, 10**8), (618007, 10**8)]


async def test_trades_missed_while_away_come_with_the_next_snapshot() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.subscribe(BTC, topics=(Topic.QUOTES, Topic.TRADES))
        await stage.until(lambda: stage.heard(BookQuote))
        stage.trade(BTC, "61801.3", "0.1")
        await stage.until(lambda: stage.heard(TradeTick))
        stage.fault(FaultKind.CLOSE, "/v2")
        await stage.until(lambda: stage.connector.feed.stale(BTC))
        for size in ("0.2", "0.3", "0.4"):
            stage.trade(BTC, "61801.3", size)
        await stage.until(lambda: len(stage.heard(TradeTick)) == 4)
        ids = [int(trade.trade_id) for trade in stage.heard(TradeTick)]
        assert ids == list(range(ids[0], ids[0] + 4))
        stale = [s.state for s in stage.heard(FeedStatus)]
        assert stale[-2:] == [FeedState.STALE, FeedState.LIVE]


async def test_doubled_frames_are_told_once_and_unreadable_ones_counted() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.subscribe(BTC, topics=(Topic.QUOTES, Topic.TRADES))
        await stage.until(lambda: stage.heard(BookQuote))
        stage.fault(FaultKind.DUPLICATE_FRAME, "trade")
        stage.trade(BTC, "61801.3", "0.1")
        stage.fault(FaultKind.MALFORM_FRAME, "ticker")
        stage.quote(BTC, "61800.2", "61801.3", "1")
        stage.quote(BTC, "61800.3", "61801.3", "1")
        await stage.until(lambda: stage.heard(BookQuote, lambda q: q.bid == 618003))
        assert len(stage.heard(TradeTick)) == 1
        assert not stage.heard(BookQuote, lambda q: q.bid == 618002)
        assert stage.connector.health().counters["odd: malformed"] == 1


async def test_maintenance_halts_every_symbol() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        await stage.subscribe(BTC)
        await stage.until(lambda: stage.heard(BookQuote))
        stage.fault(FaultKind.NOTICE)
        await stage.until(lambda: "maintenance" in stage.connector.feed.stale(BTC))
        answer = await stage.connector.submit(limit("m1", BTC, Side.BUY, "0.01", "60000"))
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, ReturnCode.TRADE_OFFQUOTES)
        stage.fault(FaultKind.CLOSE, "/v2")
        await stage.until(lambda: not stage.connector.feed.stale(BTC))


async def test_an_order_lives_and_trades() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        answer = await stage.connector.submit(
            limit("a-long-client-id-of-thirty-two-c", BTC, Side.BUY, "0.02", "61700.0")
        )
        assert answer.outcome is Outcome.ACCEPTED, answer
        assert answer.venue_order_id.startswith("O")
        name = "a-long-client-id-of-thirty-two-c"
        await stage.order_is(name, OrderState.WORKING)
        change = Amendment(client_id=name, price=Decimal("61750.5"), volume=Decimal("0.03"))
        assert (await stage.connector.amend(change)).outcome is Outcome.ACCEPTED
        (at_venue,) = stage.venue.exchange.open_orders("demo")
        assert (at_venue.price, at_venue.size) == (617505, 3_000_000)
        await stage.until(lambda: stage.order(name).price == Decimal("61750.5"))
        stage.trade(BTC, "61750.5", "0.01", Side.SELL)
        stage.quote(BTC, "61700.0", "61750.5", "9")
        order = await stage.order_is(name, OrderState.FILLED)
        assert (order.filled, order.average) == (Decimal("0.03"), Decimal("61750.5"))
        await stage.until(lambda: sum(f.volume for f in stage.heard(VenueFill)) == Decimal("0.03"))
        for fill in stage.heard(VenueFill):
            assert (fill.client_id, fill.maker, fill.fee_currency) == (name, True, "USD")
            assert fill.fee == fill.price * fill.volume * Decimal("0.0016")
        await stage.until(
            lambda: stage.heard(
                VenueBalance, lambda b: (b.currency, b.total) == ("BTC", Decimal("100.03"))
            )
        )
        by_rest = await stage.connector.fills(symbol=BTC)
        assert {f.trade_id for f in by_rest} == {f.trade_id for f in stage.heard(VenueFill)}
        assert stage.connector.desk.counts["fills told twice"] > 0  # REST told them once more


async def test_balances_hold_what_orders_bind() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        await stage.connector.submit(limit("h1", BTC, Side.SELL, "1.5", "65000"))
        rows = {row.currency: row for row in await stage.connector.balances()}
        assert (rows["BTC"].total, rows["BTC"].free) == (Decimal(100), Decimal("98.5"))
        await stage.connector.submit(market("h2", BTC, Side.BUY, "0.1"))
        await stage.until(
            lambda: stage.heard(
                VenueBalance,
                lambda b: (
                    b.currency == "BTC" and (b.total, b.free) == (Decimal("100.1"), Decimal("98.6"))
                ),
            )
        )


async def test_every_kind_of_order() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        connector = stage.connector
        await connector.submit(market("k1", BTC, Side.BUY, "0.01"))
        await stage.order_is("k1", OrderState.FILLED)
        ioc = limit("k2", BTC, Side.BUY, "5", "61801.3", tif=TimeInForce.IOC)
        await connector.submit(ioc)
        order = await stage.order_is("k2", OrderState.CANCELLED, OrderState.EXPIRED)
        assert 0 < order.filled < 5
        stage.quote(BTC, "61800.1", "61801.3", "5")
        crossing = await connector.submit(
            limit("k3", BTC, Side.BUY, "1", "61900.0", post_only=True)
        )
        assert (crossing.outcome, crossing.field) == (Outcome.REFUSED, "post_only")
        stop = limit("k4", BTC, Side.BUY, "0.02", "62100.0")
        stop = msgspec.structs.replace(
            stop, type=OrderType.STOP_LIMIT, stop_price=Decimal("62000.0")
        )
        assert (await connector.submit(stop)).outcome is Outcome.ACCEPTED
        assert (await connector.query("k4")).price == Decimal("62100.0")
        day = await connector.submit(limit("k5", BTC, Side.BUY, "1", "60000", tif=TimeInForce.DAY))
        assert day.outcome is Outcome.REFUSED
        assert "GTD" in day.message
        ends = stage.venue.clock.now_ns() + 10**9
        gtd = limit("k6", BTC, Side.BUY, "1", "60000", tif=TimeInForce.GTD, expire_ns=ends)
        assert (await connector.submit(gtd)).outcome is Outcome.ACCEPTED
        await stage.order_is("k6", OrderState.EXPIRED)


async def test_refusals_say_what_to_do() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        poor = await stage.connector.submit(limit("r1", BTC, Side.BUY, "100", "61700.0"))
        assert (poor.code, poor.field) == (ReturnCode.TRADE_NO_MONEY, "volume")
        assert poor.venue_code == "EOrder:Insufficient funds"
        assert stage.order("r1").state is OrderState.REJECTED
        await stage.connector.submit(limit("r2", BTC, Side.BUY, "0.1", "61000.0"))
        await stage.connector.cancel("r2")
        await stage.order_is("r2", OrderState.CANCELLED)
        again = await stage.connector.cancel("r2")
        assert again.outcome is Outcome.REFUSED


async def test_cancel_all_and_the_dead_man_switch() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        connector = stage.connector
        for name, symbol, price in (("c1", BTC, "61000"), ("c2", ETH, "2500"), ("c3", ETH, "2400")):
            await connector.submit(limit(name, symbol, Side.BUY, "0.1", price))
        await connector.cancel_all(ETH)
        await stage.order_is("c2", OrderState.CANCELLED)
        await stage.order_is("c3", OrderState.CANCELLED)
        assert len(await connector.open_orders()) == 1
        await connector.cancel_on_disconnect(2)
        await asyncio.sleep(2.5)  # renewed meanwhile
        assert len(await connector.open_orders()) == 1
        await connector.cancel_on_disconnect(1)
        connector._dead_man.cancel()  # type: ignore[union-attr]  # as if we had died
        order = await stage.order_is("c1", OrderState.CANCELLED)
        assert order.reason
        await connector.cancel_on_disconnect(None)


async def test_a_placement_that_went_through_unheard_is_found_and_not_repeated() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.UNKNOWN_OUTCOME, "add_order")
        answer = await stage.connector.submit(limit("u1", BTC, Side.BUY, "0.01", "61000.0"))
        assert answer.outcome is Outcome.UNRESOLVED
        order = await stage.order_is("u1", OrderState.WORKING)
        assert order.venue_order_id.startswith("O")
        await stage.until(lambda: stage.connector.desk.unresolved == 0)
        assert stage.at_venue == 1


async def test_a_lost_answer_and_a_lost_connection_resolve_by_our_id() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.NO_ANSWER, "add_order")
        stage.fault(FaultKind.DROP_EVENT, count=4)
        call = asyncio.create_task(stage.connector.submit(market("u2", BTC, Side.BUY, "0.3")))
        await stage.until(lambda: stage.at_venue == 1)
        stage.fault(FaultKind.CLOSE, "/auth/v2")
        answer = await call
        assert answer.outcome is Outcome.UNRESOLVED
        order = await stage.order_is("u2", OrderState.FILLED)
        assert order.filled == Decimal("0.3")
        await stage.ready()
        await stage.until(lambda: sum(f.volume for f in stage.heard(VenueFill)) == Decimal("0.3"))
        assert stage.at_venue == 1


async def test_fills_told_twice_or_before_the_answer_are_booked_once() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.DOUBLE_FILL)
        stage.fault(FaultKind.FILL_BEFORE_ACK, "add_order")
        answer = await stage.connector.submit(market("f1", BTC, Side.SELL, "0.2"))
        assert answer.outcome is Outcome.ACCEPTED
        order = await stage.order_is("f1", OrderState.FILLED)
        assert order.filled == Decimal("0.2")
        await asyncio.sleep(0.05)
        assert sum(f.volume for f in stage.heard(VenueFill)) == Decimal("0.2")
        assert stage.connector.desk.counts["fills told twice"] >= 1


async def test_a_hole_in_the_private_sequence_is_reconciled() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        await stage.connector.submit(limit("s1", BTC, Side.BUY, "0.1", "61000.0"))
        await stage.order_is("s1", OrderState.WORKING)
        stage.fault(FaultKind.DROP_FRAME, "executions")
        order = stage.venue.exchange.open_orders("demo")[0]
        stage.venue.exchange.cancel(order)  # the venue's own doing; its news is lost
        stage.venue.exchange.place("demo", NewOrder(
            symbol=BTC, side=Side.BUY, size=1_000_000, price=600_000))  # fmt: skip
        stage.venue.flush()
        await stage.order_is("s1", OrderState.CANCELLED)
        await stage.until(lambda: stage.connector.desk.counts["external orders adopted"] == 1)
        found = await stage.connector.open_orders()
        assert [each.origin for each in found] == [Origin.EXTERNAL]


async def test_an_expired_token_is_renewed_within_the_call() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.EXPIRE_TOKEN)
        answer = await stage.connector.submit(limit("t1", BTC, Side.BUY, "0.1", "61000.0"))
        assert answer.outcome is Outcome.ACCEPTED
        assert stage.at_venue == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"key": "nobody"}, "key is unknown"),
        ({"secret": base64.b64encode(b"another").decode()}, "secret does not belong"),
        ({"secret": "not base64!"}, "not base64"),
    ],
)
async def test_wrong_keys_are_refused_with_advice_and_not_tried_again(
    wrong: dict[str, str], words: str
) -> None:
    async with staged(
        "kraken", (BTC, ETH), key=lambda venue: demo_key(venue, **wrong), prepare=quoted
    ) as stage:
        assert stage.connector.state is State.REFUSED
        assert words in stage.connector.reason
        assert not any(value in stage.connector.reason for value in wrong.values())
        calls = stage.connector.context.rest.calls
        await stage.subscribe(BTC)
        await stage.until(lambda: stage.heard(BookQuote))
        await asyncio.sleep(0.6)
        assert stage.connector.context.rest.calls == calls


async def test_too_many_calls_and_a_busy_venue() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.HTTP_STATUS, "Balance", status=429, seconds=7)
        with pytest.raises(Exception, match="rate limit"):
            await stage.connector.balances()
        blocked = {limit.name: limit.blocked_s for limit in stage.connector.limits()}
        assert 6 < blocked["rest"] <= 7
        await stage.subscribe(BTC)
        answer = await stage.connector.submit(limit("b1", BTC, Side.BUY, "0.1", "61000.0"))
        assert answer.outcome is Outcome.ACCEPTED  # orders have counters of their own
        stage.fault(FaultKind.HTTP_STATUS, "amend_order", status=503)
        change = await stage.connector.amend(Amendment(client_id="b1", price=Decimal("61001.0")))
        assert change.outcome is Outcome.UNRESOLVED
        assert "unknown" in change.message


async def test_history_is_finished_bars_only() -> None:
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        at = stage.venue.exchange.market(BTC).instrument
        now = stage.venue.clock.now_ns()
        minute = 60 * 10**9
        start = now // minute * minute
        for back, price in ((3, 617000), (2, 617500), (0, 618000)):
            when = start - back * minute
            tick = (at.venue, at.symbol, at.digits, price, 10**7, Side.BUY, "0", when, when)
            stage.venue.feed(TradeTick(*tick))
        bars = await stage.connector.bars(BTC, 60, start - 10 * minute, now)
        assert [(bar.start_ns, bar.close) for bar in bars] == [
            (start - 3 * minute, 617000),
            (start - 2 * minute, 617500),
        ]
        with pytest.raises(Unsupported, match="60, 300"):
            await stage.connector.bars(BTC, 61, 0, now)
        assert await stage.connector.dialect.maintenance() == ""


async def test_a_silent_link_is_given_up_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats come every second, so that silence means loss."""
    monkeypatch.setitem(cast(dict[str, object], SPOT.quirks), "silence_s", 1.5)
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        await stage.subscribe(BTC)
        await stage.until(lambda: stage.heard(BookQuote))
        stage.fault(FaultKind.SILENCE, seconds=60.0)
        await stage.until(lambda: "silent" in stage.connector.feed.stale(BTC))
        await stage.until(lambda: not stage.connector.feed.stale(BTC))
        await stage.until(
            lambda: [link.connects for link in stage.connector.health().links] == [2, 2]
        )
        await stage.ready()


async def test_a_busy_hour_is_read_page_by_page() -> None:
    """More executions than one page holds, and every one is booked once."""
    async with staged("kraken", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        stage.book(ETH, [("2600.00", "1000")], [])
        for number in range(120):
            asked = NewOrder(
                symbol=ETH, side=Side.SELL, size=1_000_000 + number, kind=OrderKind.MARKET
            )
            stage.venue.exchange.place("demo", asked)
        stage.venue.flush()
        fills = await stage.connector.fills(symbol=ETH)
        assert len(fills) == 120
        assert len({fill.trade_id for fill in fills}) == 120
        assert sum(fill.volume for fill in fills) == Decimal("1.2") + Decimal("0.0000714")
