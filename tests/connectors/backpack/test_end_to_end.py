"""The Backpack connector against the simulated venue, over real sockets."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from tests.connectors.stage import (
    BookDelta,
    BookQuote,
    FaultKind,
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
    Outcome,
    State,
    VenueUnavailable,
)
from tradeloom.connectors.profile import Need
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side

SPOT = "BTCUSDC"
PERP = "BTCUSDC-PERP"
BOTH = (SPOT, PERP)


def quoted(stage: Stage) -> None:
    stage.quote(SPOT, "61800.00", "61800.10", "5")
    stage.quote(PERP, "61810.00", "61810.10", "5")


async def test_prices_of_every_topic_arrive() -> None:
    async with staged("backpack", BOTH, prepare=quoted) as stage:
        await stage.ready()
        topics = (Topic.QUOTES, Topic.TRADES, Topic.BOOK, Topic.FUNDING)
        await stage.subscribe(*BOTH, topics=topics)
        await stage.until(lambda: stage.heard(Funding))
        stage.quote(SPOT, "61801.00", "61801.50", "7")
        stage.trade(SPOT, "61801.50", "0.25", Side.SELL)
        await stage.until(lambda: stage.heard(TradeTick) and stage.heard(BookQuote))
        quote = stage.heard(BookQuote, lambda q: q.symbol == SPOT)[-1]
        assert (quote.bid, quote.ask, quote.bid_size) == (6180100, 6180150, 7 * 10**8)
        trade = stage.heard(TradeTick)[0]
        assert (trade.price, trade.size, trade.side) == (6180150, 25 * 10**6, Side.SELL)
        funding = stage.heard(Funding)[0]
        assert (funding.symbol, funding.rate) == (PERP, Decimal("0.0001"))
        assert funding.next_ns > funding.venue_ns
        await stage.until(lambda: stage.heard(BookDelta, lambda b: b.symbol == SPOT))
        keeper = stage.connector.feed.keeper
        assert keeper.books[SPOT].whole
        assert keeper.books[SPOT].bids.best() == (6180100, 7 * 10**8)


async def test_an_order_lives_and_fills_and_money_moves() -> None:
    async with staged("backpack", BOTH, prepare=quoted) as stage:
        await stage.ready()
        connector = stage.connector
        answer = await connector.submit(limit("a-1", SPOT, Side.BUY, "0.5", "61700"))
        assert answer.outcome is Outcome.ACCEPTED, answer
        assert (await connector.query("a-1")).state is OrderState.WORKING
        changed = await connector.amend(Amendment(client_id="a-1", volume=Decimal("0.2")))
        assert changed.outcome is Outcome.REFUSED
        assert "cancel it, and place a new one" in changed.message
        stage.quote(SPOT, "61600", "61650", "0.2")
        await stage.order_is("a-1", OrderState.PARTIAL)
        (fill,) = stage.heard(VenueFill)
        assert (fill.price, fill.volume) == (Decimal(61700), Decimal("0.2"))
        assert (fill.maker, fill.fee_currency) == (True, "BTC")
        assert (await connector.cancel("a-1")).outcome is Outcome.ACCEPTED
        done = await stage.order_is("a-1", OrderState.CANCELLED)
        assert done.filled == Decimal("0.2")
        assert (await connector.query("a-1")).filled == Decimal("0.2")
        await stage.until(lambda: stage.heard(VenueBalance, lambda b: b.total > Decimal("10.1")))
        (booked,) = await connector.fills()
        assert booked.trade_id == fill.trade_id


async def test_a_perpetual_has_a_position() -> None:
    async with staged("backpack", BOTH, prepare=quoted) as stage:
        await stage.ready()
        await stage.connector.submit(market("p-1", PERP, Side.SELL, "0.1"))
        await stage.order_is("p-1", OrderState.FILLED)
        await stage.until(lambda: stage.heard(VenuePosition, lambda p: p.volume < 0))
        (position,) = await stage.connector.positions()
        assert (position.symbol, position.volume) == (PERP, Decimal("-0.1"))
        assert position.entry_price == Decimal(61810)
        await stage.connector.submit(market("p-2", PERP, Side.BUY, "0.1"))
        await stage.until(lambda: stage.heard(VenuePosition, lambda p: p.volume == 0))
        assert await stage.connector.positions() == []


async def test_refusals_say_what_is_wrong() -> None:
    async with staged("backpack", BOTH, prepare=quoted) as stage:
        await stage.ready()
        submit = stage.connector.submit
        post = await submit(limit("r-1", SPOT, Side.BUY, "1", "62000", post_only=True))
        assert (post.code, post.field) == (ReturnCode.TRADE_BAD_PRICES, "price")
        poor = await submit(limit("r-2", SPOT, Side.BUY, "900", "61000"))
        assert (poor.code, poor.venue_code) == (ReturnCode.TRADE_NO_MONEY, "INSUFFICIENT_FUNDS")
        stop = OrderRequest(
            client_id="r-3", symbol=SPOT, side=Side.SELL, volume=Decimal(1), type=OrderType.STOP,
            stop_price=Decimal(60000),
        )  # fmt: skip
        assert (await submit(stop)).outcome is Outcome.ACCEPTED
        assert stage.order("r-3").type is OrderType.STOP
        assert {each.client_id for each in await stage.connector.open_orders()} == {"r-3"}
        stage.fault(FaultKind.HTTP_STATUS, "/api/v1/order", status=429, seconds=3)
        answer = await submit(limit("r-4", SPOT, Side.BUY, "1", "61000"))
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, ReturnCode.TOO_FREQUENT)
        later = await submit(limit("r-5", SPOT, Side.BUY, "1", "61000"))
        assert later.code is ReturnCode.TOO_FREQUENT
        assert "nothing was sent" in later.message


async def test_cancel_all_of_a_symbol() -> None:
    async with staged("backpack", BOTH, prepare=quoted) as stage:
        await stage.ready()
        for number, symbol in enumerate((SPOT, SPOT, PERP)):
            await stage.connector.submit(limit(f"c-{number}", symbol, Side.BUY, "0.1", "60000"))
        await stage.connector.cancel_all(SPOT)
        await stage.order_is("c-0", OrderState.CANCELLED)
        await stage.order_is("c-1", OrderState.CANCELLED)
        assert stage.order("c-2").state is OrderState.WORKING
        await stage.connector.cancel_all()
        await stage.order_is("c-2", OrderState.CANCELLED)


@pytest.mark.parametrize("kind", [FaultKind.DROP_FRAME, FaultKind.BAD_CHECKSUM])
async def test_a_hole_in_the_book_costs_one_resync(kind: FaultKind) -> None:
    async with staged("backpack", (SPOT,), prepare=quoted_spot) as stage:
        await stage.ready()
        await stage.subscribe(SPOT, topics=(Topic.BOOK,))
        await stage.until(lambda: stage.connector.feed.links)
        await stage.until(lambda: "depth.BTC_USDC" in stage.venue.listeners)
        stage.book(SPOT, [("61790", "1")], [])
        keeper = stage.connector.feed.keeper
        await stage.until(lambda: SPOT in keeper.books and keeper.books[SPOT].whole)
        before = keeper.counts["resyncs"]
        stage.fault(kind, "depth.")
        stage.book(SPOT, [("61780", "2")], [])
        stage.book(SPOT, [("61770", "3")], [])
        await stage.until(lambda: len(keeper.books[SPOT].bids) == 4 and keeper.books[SPOT].whole)
        assert keeper.counts["resyncs"] == before + 1
        assert keeper.counts["gaps"] == 1


def quoted_spot(stage: Stage) -> None:
    stage.quote(SPOT, "61800.00", "61800.10", "5")


async def test_an_unknown_outcome_is_resolved_without_a_second_order() -> None:
    async with staged("backpack", BOTH, prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.UNKNOWN_OUTCOME)
        stage.fault(FaultKind.DROP_EVENT, "new")
        answer = await stage.connector.submit(limit("u-1", SPOT, Side.BUY, "0.1", "61000"))
        assert answer.outcome is Outcome.UNRESOLVED
        await stage.order_is("u-1", OrderState.WORKING)
        stage.fault(FaultKind.UNKNOWN_OUTCOME)
        stage.fault(FaultKind.DROP_EVENT, "market", count=5)
        filled = await stage.connector.submit(market("u-2", SPOT, Side.BUY, "0.1"))
        assert filled.outcome is Outcome.UNRESOLVED
        await stage.order_is("u-2", OrderState.FILLED)
        assert stage.at_venue == 2
        assert len(stage.heard(VenueFill)) == 1


@pytest.mark.parametrize("kind", [FaultKind.DOUBLE_FILL, FaultKind.FILL_BEFORE_ACK])
async def test_fills_are_booked_once_in_any_order(kind: FaultKind) -> None:
    async with staged("backpack", BOTH, prepare=quoted) as stage:
        await stage.ready()
        stage.fault(kind)
        await stage.connector.submit(market("f-1", SPOT, Side.BUY, "0.1"))
        await stage.order_is("f-1", OrderState.FILLED)
        await stage.until(lambda: stage.heard(VenueFill))
        await asyncio.sleep(0.05)
        assert [fill.volume for fill in stage.heard(VenueFill)] == [Decimal("0.1")]


@pytest.mark.parametrize("acknowledges", [True, False])
async def test_the_account_stream_comes_back(acknowledges: bool) -> None:
    async with staged("backpack", BOTH, prepare=quoted) as stage:
        stage.venue.acknowledges = acknowledges  # type: ignore[attr-defined]
        await stage.ready()
        await stage.connector.submit(limit("b-1", SPOT, Side.BUY, "0.1", "61700"))
        stage.fault(FaultKind.DROP_EVENT, "trade")
        stage.quote(SPOT, "61600", "61650", "5")
        stage.fault(FaultKind.EXPIRE_TOKEN)
        await stage.order_is("b-1", OrderState.FILLED)
        await stage.ready()
        await stage.connector.submit(market("b-2", SPOT, Side.BUY, "0.1"))
        await stage.until(lambda: len(stage.heard(VenueFill)) == 2)


async def test_a_key_that_the_venue_does_not_know() -> None:
    def stranger(venue):  # type: ignore[no-untyped-def]
        other = type(venue)(seed=99, clock=venue.clock)
        return demo_key(other)

    async with staged("backpack", BOTH, key=stranger) as stage:
        assert stage.connector.state is State.REFUSED
        assert "unknown there" in stage.connector.reason


async def test_key_and_secret_of_different_pairs() -> None:
    def mixed(venue):  # type: ignore[no-untyped-def]
        other = type(venue)(seed=99, clock=venue.clock)
        return demo_key(venue, secret=other.keys.all()[0].secret)

    async with staged("backpack", BOTH, key=mixed) as stage:
        assert stage.connector.state is State.REFUSED
        assert "do not belong together" in stage.connector.reason
    async with staged(
        "backpack", BOTH, key=lambda venue: demo_key(venue, **{Need.SECRET.value: "no base64!"})
    ) as stage:
        assert "copy it again" in stage.connector.reason
        assert "no base64" not in str(stage.connector.health())


async def test_a_clock_that_jumps_is_followed() -> None:
    async with staged("backpack", BOTH, prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.CLOCK, seconds=120)
        answer = await stage.connector.submit(limit("k-1", SPOT, Side.BUY, "0.1", "61000"))
        assert answer.outcome is Outcome.ACCEPTED, answer
        assert stage.at_venue == 1


async def test_silence_is_noticed_by_our_own_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradeloom.connectors.venues.backpack.market.HEARTBEAT_S", 0.3)
    async with staged("backpack", BOTH, prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.SILENCE, seconds=5)
        (link,) = stage.connector._private.values()
        await stage.until(lambda: link.connects == 2)
        await stage.ready()


async def test_bars_status_and_server_errors() -> None:
    async with staged("backpack", (SPOT,), prepare=quoted_spot) as stage:
        await stage.ready()
        now = stage.venue.clock.now_ns()
        for minute, price in ((3, 6180000), (2, 6181000), (1, 6180500)):
            at = now - minute * 60 * 10**9
            tick = TradeTick("backpack", SPOT, 2, price, 5 * 10**7, Side.BUY, "1", at, at)
            stage.venue.exchange.market(SPOT).bars.add(tick)
        bars = await stage.connector.bars(SPOT, 60, now - 3_600 * 10**9, now)
        assert [bar.close for bar in bars] == [6180000, 6181000, 6180500]
        assert {bar.volume for bar in bars} == {5 * 10**7}
        assert await stage.connector.dialect.maintenance() == ""
        stage.fault(FaultKind.HTTP_STATUS, "/api/v1/depth", status=502)
        with pytest.raises(VenueUnavailable):
            await stage.connector.snapshot(SPOT)
