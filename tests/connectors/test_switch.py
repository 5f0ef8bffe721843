"""The broker switch: a handle that stays valid while what stands behind it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import msgspec
import pytest

from tests.connectors.stage import FaultKind, Stage, limit, market, staged
from tradeloom.connectors.contract import (
    AccountEvent,
    Amendment,
    Outcome,
    UnknownSymbol,
    VenueFill,
    VenueOrder,
)
from tradeloom.connectors.switch import Market, Policy, Switchboard
from tradeloom.domain.enums import OrderState, ReturnCode, Side
from tradeloom.domain.market import BookQuote, FeedState, FeedStatus, MarketEvent

BTC = "BTCUSDT"


class Desk:
    """Two connections to two simulated venues, a market on top, and what it told."""

    def __init__(self, one: Stage, two: Stage) -> None:
        self.one, self.two = one, two
        self.board = Switchboard()
        self.board.add("one", one.connector)
        self.board.add("two", two.connector)
        self.market = self.board.market(BTC)
        self.prices: list[MarketEvent] = []
        self.news: list[AccountEvent] = []
        self.market.subscribe(self.prices.append)
        self.market.listen(self.news.append)

    def quotes(self) -> list[BookQuote]:
        return [each for each in self.prices if isinstance(each, BookQuote)]

    def told(self, client_id: str) -> list[OrderState]:
        found = [each for each in self.news if isinstance(each, VenueOrder)]
        return [each.state for each in found if each.client_id == client_id]

    async def until(self, what: Callable[[], object]) -> None:
        """Both markets move until something is true."""
        for step in range(1_500):
            if what():
                return
            _move(self.one, "61800", step)
            _move(self.two, "61810", step)
            await asyncio.sleep(0.01)
        raise AssertionError(f"in vain; active {self.market.active!r}, {self.prices[-3:]}")

    async def away(self, stage: Stage) -> None:
        """A venue's prices end, and cannot be had again."""
        stage.fault(FaultKind.REFUSE_CONNECT, "/stream", count=10_000)
        stage.fault(FaultKind.CLOSE, "/stream")
        await self.until(lambda: stage.connector.feed.stale(BTC))


def _move(stage: Stage, bid: str, step: int) -> None:
    stage.quote(BTC, bid, str(Decimal(bid) + 2), str(1 + step % 7))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with staged("binance", (BTC,)) as one, staged("binance", (BTC,)) as two:
        _move(one, "61800", 0)
        _move(two, "61810", 0)
        await asyncio.gather(one.ready(), two.ready())
        yield Desk(one, two)


async def test_a_pinned_market_never_leaves_its_connection(desk: Desk) -> None:
    await desk.board.route(BTC, ["two", "one"], Policy.PINNED)
    await desk.until(lambda: desk.market.active == "two")
    await desk.away(desk.two)
    await desk.until(lambda: desk.market.active == "")
    assert desk.market.quote() is None
    assert isinstance(desk.prices[-1], FeedStatus)
    assert desk.prices[-1].state is FeedState.STALE
    refused = await desk.market.submit(limit("p1", BTC, Side.BUY, "0.01", "60000"))
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, ReturnCode.TRADE_OFFQUOTES)
    assert desk.one.at_venue == desk.two.at_venue == 0


async def test_failover_leaves_resting_orders_where_they_are(desk: Desk) -> None:
    await desk.board.route(BTC, ["one", "two"], Policy.FAILOVER)
    await desk.until(lambda: desk.market.active == "one")
    first = await desk.market.submit(limit("f1", BTC, Side.BUY, "0.02", "60000"))
    assert first.outcome is Outcome.ACCEPTED
    await desk.away(desk.one)
    await desk.until(lambda: desk.market.active == "two")
    before = len(desk.quotes())
    await desk.until(lambda: len(desk.quotes()) > before + 3)
    assert desk.quotes()[-1].bid == 6_181_000
    again = await desk.market.submit(limit("f1", BTC, Side.BUY, "0.02", "60000"))
    assert again.venue_order_id == first.venue_order_id
    second = await desk.market.submit(limit("f2", BTC, Side.BUY, "0.01", "60000"))
    assert second.outcome is Outcome.ACCEPTED
    assert (desk.one.at_venue, desk.two.at_venue) == (1, 1)
    smaller = await desk.market.amend(Amendment(client_id="f1", volume=Decimal("0.01")))
    assert smaller.outcome is Outcome.ACCEPTED, smaller
    assert (await desk.market.cancel("f1")).outcome is Outcome.ACCEPTED
    assert (await desk.market.cancel("f2")).outcome is Outcome.ACCEPTED
    await desk.until(lambda: desk.told("f1")[-1:] == [OrderState.CANCELLED])
    await desk.until(lambda: desk.told("f2")[-1:] == [OrderState.CANCELLED])
    desk.one.venue.faults.clear()
    await desk.until(lambda: desk.market.active == "one")  # the preferred one is back


async def test_best_price_buys_low_and_sells_high(desk: Desk) -> None:
    await desk.board.route(BTC, ["two", "one"], Policy.BEST_PRICE)
    await desk.until(lambda: all(leg.fresh for leg in desk.market._legs))
    bought = await desk.market.submit(market("b1", BTC, Side.BUY, "0.01"))
    sold = await desk.market.submit(market("b2", BTC, Side.SELL, "0.01"))
    assert bought.outcome is sold.outcome is Outcome.ACCEPTED
    await desk.until(lambda: len([e for e in desk.news if isinstance(e, VenueFill)]) == 2)
    fills = {e.client_id: e.price for e in desk.news if isinstance(e, VenueFill)}
    assert fills == {"b1": Decimal(61802), "b2": Decimal(61810)}
    assert (desk.one.at_venue, desk.two.at_venue) == (1, 1)


async def test_a_hot_swap_keeps_the_handle_the_feed_and_the_orders(desk: Desk) -> None:
    handle = desk.market
    await handle.use([("one", desk.one.connector, BTC)], Policy.PINNED)
    await desk.until(lambda: handle.active == "one")
    assert (await handle.submit(limit("s1", BTC, Side.BUY, "0.02", "60000"))).outcome is (
        Outcome.ACCEPTED
    )
    await desk.until(lambda: desk.quotes())
    await handle.use([("two", desk.two.connector, BTC)])
    await desk.until(lambda: handle.active == "two")
    before = len(desk.quotes())
    await desk.until(lambda: len(desk.quotes()) > before + 2)
    assert desk.board.market(BTC) is handle
    assert {each.bid for each in desk.quotes()[before:]} == {6_181_000}
    assert BTC not in desk.one.connector.feed._wanted  # let go, not only ignored
    again = await handle.submit(limit("s1", BTC, Side.BUY, "0.02", "60000"))
    assert again.outcome is Outcome.ACCEPTED
    other = await handle.submit(limit("s1", BTC, Side.BUY, "0.03", "60000"))
    assert other.code is ReturnCode.DUPLICATE_ID
    same = await handle.submit(limit("s1", BTC, Side.BUY, "0.02", "60000"))
    assert same.venue_order_id == again.venue_order_id
    assert (desk.one.at_venue, desk.two.at_venue) == (1, 0)
    desk.one.trade(BTC, "59000", "5", Side.SELL)
    await desk.until(lambda: desk.told("s1")[-1:] == [OrderState.FILLED])
    assert [e.volume for e in desk.news if isinstance(e, VenueFill)] == [Decimal("0.02")]


async def test_an_unresolved_order_is_not_placed_elsewhere(desk: Desk) -> None:
    await desk.board.route(BTC, ["one", "two"], Policy.FAILOVER)
    await desk.until(lambda: desk.market.active == "one")
    desk.one.fault(FaultKind.UNKNOWN_OUTCOME, "order.place")
    asked = limit("u1", BTC, Side.BUY, "0.02", "60000")
    assert (await desk.market.submit(asked)).outcome is Outcome.UNRESOLVED
    await desk.away(desk.one)
    await desk.until(lambda: desk.market.active == "two")
    await desk.market.submit(asked)
    await desk.until(lambda: desk.told("u1")[-1:] == [OrderState.WORKING])
    assert (desk.one.at_venue, desk.two.at_venue) == (1, 0)


async def test_a_refused_order_may_go_elsewhere_under_its_id(desk: Desk) -> None:
    await desk.board.route(BTC, ["one", "two"], Policy.FAILOVER)
    await desk.until(lambda: desk.market.active == "one")
    asked = limit("r1", BTC, Side.BUY, "900", "60000")
    assert (await desk.market.submit(asked)).code is ReturnCode.TRADE_NO_MONEY
    fine = msgspec.structs.replace(asked, volume=Decimal("0.01"))
    await desk.board.route(BTC, ["two"])
    await desk.until(lambda: desk.market.active == "two")
    assert (await desk.market.submit(fine)).outcome is Outcome.ACCEPTED
    assert desk.two.at_venue == 1


async def test_mistakes_change_nothing(desk: Desk) -> None:
    await desk.board.route(BTC, ["one"])
    await desk.until(lambda: desk.market.active == "one")
    with pytest.raises(ValueError, match=r"no connection three \(there are: one, two\)"):
        await desk.board.route(BTC, ["three"])
    with pytest.raises(ValueError, match="'one' exists"):
        desk.board.add("one", desk.two.connector)
    listeners = len(desk.two.connector.desk._listeners)
    with pytest.raises(UnknownSymbol):
        await desk.board.route(BTC, ["two"], symbols={"two": "NOSUCH"})
    assert len(desk.two.connector.desk._listeners) == listeners
    assert desk.market.active == "one"
    refused = await desk.market.cancel("never")
    assert refused.code is ReturnCode.ERR_NOTFOUND
    await desk.board.route(BTC, ["one", "two"], symbols={"two": BTC})
    await desk.board.remove("one")
    await desk.until(lambda: desk.market.active == "two")
    assert set(desk.board.connections) == {"two"}
    await desk.market.close()
    assert desk.market.quote() is None


async def test_a_failing_subscriber_does_not_stop_the_others(desk: Desk) -> None:
    heard: list[MarketEvent] = []

    def broken(event: MarketEvent) -> None:
        raise RuntimeError("a fault of the algo")

    made = Market(BTC, Policy.PINNED)
    made.subscribe(broken)
    stop = made.subscribe(heard.append)
    await made.use([("one", desk.one.connector, BTC)])
    await desk.until(lambda: len(heard) > 3)
    stop()
    count = len(heard)
    await desk.until(lambda: made.quote() is not None)
    assert len(heard) == count
    await made.close()
