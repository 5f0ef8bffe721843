"""The contract, asked of every venue in process and over gRPC."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tests.connectors.conformance.conftest import World
from tradeloom.connectors.books import Book
from tradeloom.connectors.contract import (
    Amendment,
    Outcome,
    State,
    UnknownOrder,
    UnknownSymbol,
    VenueFill,
)
from tradeloom.domain.enums import OrderState, ReturnCode, Side
from tradeloom.domain.market import BookDelta, BookQuote, FeedState, FeedStatus, Topic, TradeTick
from tradeloom.simulators.faults import FaultKind

ENDED = (OrderState.CANCELLED, OrderState.EXPIRED)


async def test_it_says_what_it_is_and_how_it_is(world: World) -> None:
    """Info, health and limits make sense together."""
    await world.ready()
    info, health = world.connector.info(), world.connector.health()
    assert info.venue == health.venue == world.at.venue
    assert info.trades
    assert health.links
    assert all(link.up for link in health.links)
    assert health.clock_offset_ms is not None
    assert world.connector.limits()
    assert all(limit.used <= limit.limit for limit in world.connector.limits())


async def test_its_instruments_have_steps(world: World) -> None:
    """Every instrument can be traded in whole ticks and steps."""
    listed = await world.connector.instruments()
    assert len({each.symbol for each in listed}) == len(listed)
    for each in listed:
        assert each.venue == world.at.venue
        assert each.tick > 0
        assert each.step > 0
        assert 0 <= each.digits <= 12


async def test_quotes_trades_and_book_arrive(world: World) -> None:
    """The best prices are the book's, and the book is the venue's."""
    await world.ready()
    await world.follow(Topic.QUOTES, Topic.TRADES, Topic.BOOK)
    await world.until(lambda: any(isinstance(e, BookDelta) for e in world.market), "a book")
    for shift in range(1, 6):
        world.quoted(shift)
    side = Side.BUY
    world.stage.trade(world.symbol, str(world.price(6)), str(world.volume), side)
    await world.until(lambda: any(isinstance(e, TradeTick) for e in world.market), "a trade")
    wanted = world.middle + 5 * world.at.tick - world.at.tick
    await world.until(
        lambda: any(isinstance(e, BookQuote) and e.bid == wanted for e in world.market),
        "the newest quote",
    )
    trade = next(e for e in world.market if isinstance(e, TradeTick))
    assert trade.price == world.middle + 6 * world.at.tick
    assert trade.size == int(world.volume * 10**8)
    book = Book()

    def rebuilt() -> bool:
        for event in world.market:
            if isinstance(event, BookDelta):
                book.load(event) if event.snapshot else book.apply(event)
        best = book.bids.best()
        return best is not None and best[0] == wanted

    await world.until(rebuilt, "the book of the last quote")
    there = await world.connector.snapshot(world.symbol, 5)
    assert tuple(book.bids.top(5)) == there.bids
    assert tuple(book.asks.top(5)) == there.asks


async def test_an_order_rests_is_found_and_is_cancelled(world: World) -> None:
    """Placed, told, listed, queried, cancelled, told, gone."""
    await world.ready()
    answer = await world.connector.submit(world.order("rest-1", -500))
    assert answer.outcome is Outcome.ACCEPTED, answer
    order = await world.becomes("rest-1", OrderState.WORKING)
    assert order.volume == world.volume
    assert order.price == world.price(-500)
    assert [each.client_id for each in await world.connector.open_orders()] == ["rest-1"]
    assert (await world.connector.query("rest-1")).state is OrderState.WORKING
    gone = await world.connector.cancel("rest-1")
    assert gone.outcome is Outcome.ACCEPTED, gone
    await world.becomes("rest-1", *ENDED)
    assert await world.connector.open_orders() == []
    again = await world.connector.cancel("rest-1")
    assert again.code is ReturnCode.TRADE_INCORRECT_STATE


async def test_a_market_order_fills_once(world: World) -> None:
    """Its fills add up to it, are told once and stay in the list."""
    await world.ready()
    await world.connector.submit(world.market_order("go-1"))
    order = await world.becomes("go-1", OrderState.FILLED)
    assert order.filled == world.volume
    fills = [e for e in world.account if isinstance(e, VenueFill) and e.client_id == "go-1"]
    await world.until(
        lambda: (
            sum(
                e.volume
                for e in world.account
                if isinstance(e, VenueFill) and e.client_id == "go-1"
            )
            == world.volume
        ),
        "all fills",
    )
    fills = [e for e in world.account if isinstance(e, VenueFill) and e.client_id == "go-1"]
    assert len({each.trade_id for each in fills}) == len(fills)
    assert all(each.price >= world.price(1) for each in fills)
    listed = await world.connector.fills()
    assert sum(each.volume for each in listed if each.client_id == "go-1") == world.volume
    assert await world.connector.balances()


async def test_the_same_request_again_is_one_order(world: World) -> None:
    """Same id and body: the first answer. Same id, other body: refused."""
    await world.ready()
    request = world.order("same-1", -500)
    first = await world.connector.submit(request)
    second = await world.connector.submit(request)
    assert second.outcome is Outcome.ACCEPTED
    assert second.venue_order_id == first.venue_order_id
    other = await world.connector.submit(msgspec.structs.replace(request, side=Side.SELL))
    assert other.outcome is Outcome.REFUSED
    assert other.code is ReturnCode.DUPLICATE_ID
    assert len(await world.connector.open_orders()) == 1


async def test_an_order_is_amended_or_the_reason_is_told(world: World) -> None:
    """A smaller volume, where the venue can; else a refusal that says what to do."""
    await world.ready()
    await world.connector.submit(world.order("am-1", -500))
    await world.becomes("am-1", OrderState.WORKING)
    smaller = world.volume / 2
    answer = await world.connector.amend(Amendment(client_id="am-1", volume=smaller))
    if answer.outcome is Outcome.ACCEPTED:
        await world.until(lambda: world.news("am-1")[-1].volume == smaller, "the new volume")
        assert (await world.connector.query("am-1")).volume == smaller
    else:
        assert answer.outcome is Outcome.REFUSED
        assert answer.message
        assert (await world.connector.query("am-1")).volume == world.volume


@pytest.mark.parametrize("fault", ["volume", "zero", "price", "symbol", "id"])
async def test_a_bad_order_is_refused_before_it_is_sent(world: World, fault: str) -> None:
    """The answer names the field, and the venue never saw it."""
    await world.ready()
    good = world.order("bad-1", -500)
    assert good.price is not None
    tick = Decimal(world.at.tick).scaleb(-world.at.digits)
    replace = msgspec.structs.replace
    bad = {
        "volume": replace(good, volume=good.volume + Decimal(world.at.step).scaleb(-8) / 3),
        "zero": replace(good, volume=Decimal(0)),
        "price": replace(good, price=good.price + tick / 3),
        "symbol": replace(good, symbol="NOSUCHCOIN"),
        "id": replace(good, client_id="not allowed!"),
    }[fault]
    answer = await world.connector.submit(bad)
    assert answer.outcome is Outcome.REFUSED
    field = {"zero": "volume", "id": "client_id"}.get(fault, fault)
    assert answer.field == field
    assert answer.message
    assert world.stage.at_venue == 0


async def test_a_503_that_went_through_is_unresolved_then_known_and_never_doubled(
    world: World,
) -> None:
    """The venue took the order and said 503: it is asked for, not sent again."""
    await world.ready()
    world.stage.fault(FaultKind.UNKNOWN_OUTCOME)
    answer = await world.connector.submit(world.order("unsure-1", -500))
    assert answer.outcome is Outcome.UNRESOLVED, answer
    await world.becomes("unsure-1", OrderState.WORKING)
    assert world.stage.at_venue == 1
    assert len(await world.connector.open_orders()) == 1


async def test_killed_means_no_orders_until_it_is_reset(world: World) -> None:
    """Everything is cancelled, new orders are refused, cancels are not."""
    await world.ready()
    for number in range(3):
        await world.connector.submit(world.order(f"kill-{number}", -500 - number))
    answers = await world.connector.kill("test of the switch")
    assert len(answers) == 3
    for number in range(3):
        await world.becomes(f"kill-{number}", *ENDED)
    refused = await world.connector.submit(world.order("after-1", -500))
    assert refused.code is ReturnCode.HALTED
    assert world.connector.health().state is State.KILLED
    await world.connector.reset("test is over")
    await world.ready()
    assert (await world.connector.submit(world.order("after-2", -500))).outcome is Outcome.ACCEPTED


async def test_a_lost_market_connection_makes_prices_stale_and_comes_back(world: World) -> None:
    """Stale prices are marked and not traded on; quotes go on by themselves."""
    await world.ready()
    await world.follow(Topic.QUOTES)

    def quoted() -> bool:
        world.move()
        return any(isinstance(e, BookQuote) for e in world.market)

    await world.until(quoted, "a quote")
    world.stage.fault(FaultKind.CLOSE)
    await world.until(
        lambda: any(isinstance(e, FeedStatus) and e.state is FeedState.STALE for e in world.market),
        "stale",
    )
    await world.until(lambda: all(link.up for link in world.stage.connector.health().links), "up")
    before = len(world.market)

    def again() -> bool:
        world.move()
        return any(isinstance(e, BookQuote) for e in world.market[before:])

    await world.until(again, "quotes again")
    await world.until(lambda: world.symbol not in world.connector.health().stale, "live again")
    await world.ready()


async def test_unknown_names_are_told_apart_from_silence(world: World) -> None:
    """An unknown symbol or order raises its own error."""
    await world.ready()
    with pytest.raises(UnknownSymbol):
        await world.connector.snapshot("NOSUCHCOIN")
    with pytest.raises(UnknownSymbol):
        await world.connector.subscribe(["NOSUCHCOIN"], [Topic.QUOTES], world.market.append)
    with pytest.raises(UnknownOrder):
        await world.connector.query("never-sent")


async def test_a_drained_connector_takes_no_orders(world: World) -> None:
    """Working orders keep it from being drained; then it is."""
    await world.ready()
    await world.connector.submit(world.order("slow-1", -500))
    assert not await world.connector.drain(0.05)
    assert (await world.connector.submit(world.order("slow-2", -500))).outcome is Outcome.REFUSED
    await world.connector.cancel("slow-1")
    await world.becomes("slow-1", *ENDED)
    assert await world.connector.drain(5.0)
