"""The Deribit connector against the simulated venue, over real sockets."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec
import pytest

from tests.connectors.stage import (
    BookDelta,
    BookQuote,
    FaultKind,
    FeedStatus,
    Funding,
    Stage,
    Topic,
    TradeTick,
    VenueBalance,
    VenueFill,
    VenuePosition,
    demo_key,
    limit,
    market,
    staged,
)
from tradeloom.connectors.contract import (
    Amendment,
    OrderRequest,
    Origin,
    Outcome,
    State,
    UnknownOrder,
)
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side
from tradeloom.domain.market import FeedState

BTC = "BTCUSD-PERP"
LINEAR = "BTCUSDC-PERP"


def quoted(stage: Stage) -> None:
    stage.quote(BTC, "61800.0", "61800.5", "5000")
    stage.quote(LINEAR, "61800.00", "61800.10", "5")


async def test_prices_of_every_topic_arrive() -> None:
    async with staged("deribit", (BTC, LINEAR), prepare=quoted) as stage:
        await stage.ready()
        topics = (Topic.QUOTES, Topic.TRADES, Topic.BOOK, Topic.FUNDING)
        await stage.subscribe(BTC, LINEAR, topics=topics)
        await stage.until(lambda: len(stage.heard(Funding)) >= 2 and stage.heard(BookDelta))
        stage.quote(BTC, "61801.0", "61801.5", "7000")
        stage.trade(BTC, "61801.5", "230")
        await stage.until(lambda: stage.heard(TradeTick))
        await stage.until(lambda: stage.heard(BookQuote, lambda q: q.bid == 618010))
        quote = stage.heard(BookQuote, lambda q: q.symbol == BTC)[-1]
        assert (quote.bid, quote.ask, quote.digits) == (618010, 618015, 1)
        assert quote.bid_size == 7000 * 10**8
        (trade,) = stage.heard(TradeTick)
        assert (trade.price, trade.size, trade.side) == (618015, 230 * 10**8, Side.BUY)
        funding = stage.heard(Funding, lambda f: f.symbol == BTC)[0]
        assert funding.rate == Decimal("0.0001")
        assert funding.mark == 618002
        assert not stage.connector.health().stale


async def test_instruments_are_named_and_scaled() -> None:
    async with staged("deribit", (BTC, LINEAR)) as stage:
        listed = {each.symbol: each for each in await stage.connector.instruments()}
        inverse, linear = listed[BTC], listed[LINEAR]
        assert (inverse.wire, inverse.inverse, inverse.settle) == ("BTC-PERPETUAL", True, "BTC")
        assert (inverse.tick, inverse.digits, inverse.step) == (5, 1, 10 * 10**8)
        assert inverse.contract_currency == "USD"
        assert (linear.wire, linear.settle) == ("BTC_USDC-PERPETUAL", "USDC")


async def test_an_order_lives_changes_and_fills() -> None:
    async with staged("deribit", (BTC, LINEAR), prepare=quoted) as stage:
        await stage.ready()
        connector = stage.connector
        answer = await connector.submit(limit("a-1", BTC, Side.BUY, "1000", "61700.0"))
        assert answer.outcome is Outcome.ACCEPTED, answer
        assert answer.venue_order_id
        assert (await connector.query("a-1")).state is OrderState.WORKING
        changed = await connector.amend(
            Amendment(client_id="a-1", price=Decimal("61750.0"), volume=Decimal(1500))
        )
        assert changed.outcome is Outcome.ACCEPTED, changed
        order = await connector.query("a-1")
        assert (order.price, order.volume) == (Decimal("61750.0"), Decimal(1500))
        stage.quote(BTC, "61700.0", "61740.0", "500")
        await stage.order_is("a-1", OrderState.PARTIAL)
        fill = stage.heard(VenueFill)[0]
        assert (fill.price, fill.volume) == (Decimal("61750.0"), Decimal(500))
        assert fill.maker
        cancelled = await connector.cancel("a-1")
        assert cancelled.outcome is Outcome.ACCEPTED
        done = await stage.order_is("a-1", OrderState.CANCELLED)
        assert done.filled == Decimal(500)
        await stage.until(lambda: stage.heard(VenuePosition))
        (position,) = await connector.positions()
        assert (position.symbol, position.volume) == (BTC, Decimal(500))
        assert stage.heard(VenueBalance, lambda b: b.currency == "BTC")


async def test_a_market_order_fills_and_its_fee_is_known() -> None:
    async with staged(
        "deribit", (LINEAR,), prepare=lambda s: s.quote(LINEAR, "100", "101")
    ) as stage:
        await stage.ready()
        answer = await stage.connector.submit(market("m-1", LINEAR, Side.BUY, "2"))
        assert answer.outcome is Outcome.ACCEPTED, answer
        await stage.order_is("m-1", OrderState.FILLED)
        (fill,) = await stage.connector.fills()
        assert (fill.fee, fill.fee_currency) == (Decimal("0.101"), "USDC")
        assert fill.maker is False


async def test_refusals_say_what_is_wrong() -> None:
    async with staged("deribit", (BTC, LINEAR), prepare=quoted) as stage:
        await stage.ready()
        submit = stage.connector.submit
        poor = await submit(limit("r-1", LINEAR, Side.BUY, "900", "61000"))
        assert (poor.outcome, poor.code) == (Outcome.REFUSED, ReturnCode.TRADE_NO_MONEY)
        assert poor.venue_code == "10009"
        post = await submit(limit("r-2", BTC, Side.BUY, "10", "62000", post_only=True))
        assert (post.venue_code, post.field) == ("11054", "price")
        stop = OrderRequest(
            client_id="r-3", symbol=BTC, side=Side.SELL, volume=Decimal(10), type=OrderType.STOP,
            stop_price=Decimal(60000),
        )  # fmt: skip
        assert (await submit(stop)).outcome is Outcome.ACCEPTED
        assert (await stage.connector.query("r-3")).type is OrderType.STOP
        with pytest.raises(UnknownOrder):
            await stage.connector.query("never")


async def test_cancel_all_in_one_call() -> None:
    async with staged("deribit", (BTC, LINEAR), prepare=quoted) as stage:
        await stage.ready()
        for number in range(3):
            await stage.connector.submit(limit(f"c-{number}", BTC, Side.BUY, "10", "60000"))
        answers = await stage.connector.cancel_all(BTC)
        assert len(answers) == 3
        for number in range(3):
            await stage.order_is(f"c-{number}", OrderState.CANCELLED)


async def test_cancel_on_disconnect_comes_back_with_the_connection() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        await stage.connector.cancel_on_disconnect(10)
        for number in (1, 2):
            await stage.connector.submit(limit(f"d-{number}", BTC, Side.BUY, "10", "60000"))
            stage.fault(FaultKind.CLOSE)
            await stage.order_is(f"d-{number}", OrderState.CANCELLED)
            await stage.ready()


async def test_a_lost_book_frame_costs_one_resync() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        await stage.subscribe(BTC, topics=(Topic.BOOK,))
        await stage.until(lambda: stage.heard(BookDelta))
        stage.fault(FaultKind.DROP_FRAME, "book.")
        stage.book(BTC, [("61790", "100")], [])
        await asyncio.sleep(0.15)
        stage.book(BTC, [("61780", "200")], [])
        keeper = stage.connector.feed.keeper
        await stage.until(lambda: keeper.counts["resyncs"] and keeper.books[BTC].whole)
        stage.book(BTC, [("61770", "300")], [])
        await stage.until(lambda: keeper.books[BTC].bids.top(0)[-1][0] == 617700)
        assert (keeper.counts["gaps"], keeper.counts["resyncs"]) == (1, 1)
        assert [level[0] for level in keeper.books[BTC].bids.top(0)] == [
            618000, 617900, 617800, 617700,
        ]  # fmt: skip
        states = [each.state for each in stage.heard(FeedStatus)]
        assert states[-1] is FeedState.LIVE
        assert FeedState.RESYNCING in states


@pytest.mark.parametrize("kind", [FaultKind.DUPLICATE_FRAME, FaultKind.BAD_CHECKSUM])
async def test_doubled_and_broken_book_frames(kind: FaultKind) -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        await stage.subscribe(BTC, topics=(Topic.BOOK,))
        await stage.until(lambda: stage.heard(BookDelta))
        stage.fault(kind, "book.")
        stage.book(BTC, [("61790", "100")], [])
        keeper = stage.connector.feed.keeper
        await stage.until(lambda: len(keeper.books[BTC].bids) == 2 and keeper.books[BTC].whole)
        assert keeper.counts["resyncs"] == (1 if kind is FaultKind.BAD_CHECKSUM else 0)


async def test_lost_and_doubled_trades_are_counted() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        await stage.subscribe(BTC, topics=(Topic.TRADES, Topic.BOOK))
        await stage.until(lambda: stage.heard(BookDelta))
        stage.trade(BTC, "61801", "10")
        await stage.until(lambda: len(stage.heard(TradeTick)) == 1)
        stage.fault(FaultKind.DROP_FRAME, "trades.")
        stage.trade(BTC, "61801", "20")
        await asyncio.sleep(0.15)
        stage.fault(FaultKind.DUPLICATE_FRAME, "trades.")
        stage.trade(BTC, "61801", "30")
        await stage.until(lambda: len(stage.heard(TradeTick)) == 2)
        counters = stage.connector.health().counters
        assert counters["ignored: trades missed"] == 1
        await stage.until(
            lambda: stage.connector.health().counters.get("ignored: old or doubled trade") == 1
        )


async def test_an_unknown_outcome_is_resolved_without_a_second_order() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        stage.fault(FaultKind.UNKNOWN_OUTCOME)
        answer = await stage.connector.submit(limit("u-1", BTC, Side.BUY, "10", "61000"))
        assert answer.outcome is Outcome.UNRESOLVED
        await stage.order_is("u-1", OrderState.WORKING)
        again = await stage.connector.submit(limit("u-1", BTC, Side.BUY, "10", "61000"))
        assert again.outcome is Outcome.ACCEPTED
        assert stage.at_venue == 1


async def test_an_answer_that_never_comes() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        stage.fault(FaultKind.NO_ANSWER, "private/buy")
        call = asyncio.create_task(
            stage.connector.submit(limit("n-1", BTC, Side.BUY, "10", "61000"))
        )
        await stage.until(lambda: stage.at_venue == 1)
        stage.fault(FaultKind.CLOSE)
        assert (await call).outcome is Outcome.UNRESOLVED
        await stage.order_is("n-1", OrderState.WORKING)
        assert stage.at_venue == 1


@pytest.mark.parametrize("kind", [FaultKind.DOUBLE_FILL, FaultKind.FILL_BEFORE_ACK])
async def test_fills_are_booked_once_in_any_order(kind: FaultKind) -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        stage.fault(kind)
        await stage.connector.submit(market("f-1", BTC, Side.BUY, "10"))
        await stage.order_is("f-1", OrderState.FILLED)
        await asyncio.sleep(0.05)
        assert [fill.volume for fill in stage.heard(VenueFill)] == [Decimal(10)]
        assert stage.order("f-1").filled == Decimal(10)


async def test_a_dropped_event_is_found_by_reconciling() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        await stage.connector.submit(limit("x-1", BTC, Side.BUY, "10", "61700"))
        stage.fault(FaultKind.DROP_EVENT, "trade")
        stage.quote(BTC, "61600", "61650")
        await asyncio.sleep(0.05)
        assert stage.order("x-1").state is OrderState.WORKING
        stage.fault(FaultKind.CLOSE)
        await stage.order_is("x-1", OrderState.FILLED)
        assert len(stage.heard(VenueFill)) == 1


async def test_orders_of_others_are_adopted() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        await stage.connector.submit(limit("mine", BTC, Side.BUY, "10", "61000"))
        (mine,) = stage.venue.exchange.open_orders("demo")
        stage.venue.exchange.place("demo", msgspec.structs.replace(mine.asked, note={}))
        stage.fault(FaultKind.CLOSE)
        await stage.until(
            lambda: any(
                known.order.origin is Origin.EXTERNAL for known in stage.connector.desk.store.open()
            )
        )


async def test_an_ended_sign_in_is_renewed_for_the_next_order() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        stage.fault(FaultKind.EXPIRE_TOKEN)
        answer = await stage.connector.submit(market("t-1", BTC, Side.BUY, "10"))
        assert answer.outcome is Outcome.ACCEPTED, answer
        stage.quote(BTC, "61700", "61701")
        await stage.connector.submit(limit("t-2", BTC, Side.SELL, "10", "61800"))
        stage.quote(BTC, "61900", "61901")
        await stage.order_is("t-2", OrderState.FILLED)


@pytest.mark.parametrize("part", ["key", "secret"])
async def test_wrong_keys_are_refused_and_not_tried_again(part: str) -> None:
    def wrong(venue):  # type: ignore[no-untyped-def]
        return demo_key(venue, **{part: "wrong-but-long-enough"})

    async with staged("deribit", (BTC,), key=wrong) as stage:
        assert stage.connector.state is State.REFUSED
        assert "client id or client secret" in stage.connector.reason
        assert "test.deribit.com" in stage.connector.reason
        assert "wrong-but" not in str(stage.connector.health())
        (account,) = [each for each in stage.connector.health().links if "account" in each.name]
        await asyncio.sleep(0.6)
        (later,) = [each for each in stage.connector.health().links if "account" in each.name]
        assert later.connects == account.connects


async def test_a_clock_that_is_off_does_not_stop_trading() -> None:
    def late(stage: Stage) -> None:
        stage.quote(BTC, "61800", "61801")
        stage.fault(FaultKind.CLOCK, seconds=300)

    async with staged("deribit", (BTC,), prepare=late) as stage:
        await stage.ready()
        assert "run NTP" in stage.connector.reason
        stage.fault(FaultKind.CLOCK, seconds=-300)
        stage.fault(FaultKind.CLOSE)
        await stage.until(lambda: stage.connector.state is not State.READY)
        await stage.ready()


async def test_too_many_requests_close_the_budget() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        stage.fault(FaultKind.HTTP_STATUS, "get_order_book", status=429, seconds=3)
        with pytest.raises(Exception, match="too many requests"):
            await stage.connector.snapshot(BTC)
        assert all(each.blocked_s > 2 for each in stage.connector.limits())


async def test_a_test_request_is_answered() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        stage.venue.heartbeat_pace = 0.02  # type: ignore[attr-defined]
        await asyncio.sleep(1.2)
        (link,) = [each for each in stage.connector.health().links if "account" in each.name]
        assert link.up
        assert link.connects == 1


async def test_bars_of_history() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        now = stage.venue.clock.now_ns()
        market_of = stage.venue.exchange.market(BTC)
        for minute, price in ((3, 618000), (2, 618100), (1, 618050)):
            at = now - minute * 60 * 10**9
            market_of.bars.add(
                TradeTick("deribit", BTC, 1, price, 50 * 10**8, Side.BUY, "1", at, at)
            )
        bars = await stage.connector.bars(BTC, 60, now - 3600 * 10**9, now)
        assert [bar.close for bar in bars] == [618000, 618100, 618050]
        assert {bar.volume for bar in bars} == {50 * 10**8}


async def test_maintenance_is_told_and_survived() -> None:
    async with staged("deribit", (BTC,), prepare=lambda s: s.quote(BTC, "61800", "61801")) as stage:
        await stage.ready()
        await stage.subscribe(BTC, topics=(Topic.QUOTES,))
        await stage.until(lambda: stage.heard(BookQuote))
        stage.fault(FaultKind.NOTICE)
        await stage.until(
            lambda: stage.heard(FeedStatus, lambda each: each.state is FeedState.HALTED)
        )
        await stage.until(
            lambda: stage.heard(FeedStatus) and stage.heard(FeedStatus)[-1].state is FeedState.LIVE
        )
        assert await stage.connector.dialect.maintenance() == ""
        stage.fault(FaultKind.HALT, "BTC")
        assert "locked" in await stage.connector.dialect.maintenance()
