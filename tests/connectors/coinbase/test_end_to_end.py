"""The Coinbase connector against the simulated venue, over real sockets."""

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
from tradeloom.connectors.contract import Amendment, Outcome, State, Unsupported
from tradeloom.connectors.profile import Credentials, Need
from tradeloom.connectors.venues.coinbase.profile import SPOT
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce
from tradeloom.domain.market import FeedState
from tradeloom.simulators import VenueDialect
from tradeloom.simulators.keys import ec_pem

BTC, ETH = "BTCUSD", "ETHUSD"


def quoted(stage: Stage) -> None:
    stage.book(
        BTC,
        [(f"{61800 - i}.01", "0.5") for i in range(50)],
        [(f"{61801 + i}.03", "0.7") for i in range(50)],
    )
    stage.quote(ETH, "2683.80", "2683.90", "12")


def ed25519_key(venue: VenueDialect) -> Credentials:
    demo = venue.keys.all()[1]
    return Credentials(demo.account, {Need.KEY: demo.key, Need.SECRET: demo.secret})


async def test_prices_come_from_books_and_trades() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        await stage.subscribe(BTC, ETH, topics=(Topic.QUOTES, Topic.TRADES, Topic.BOOK))
        await stage.until(lambda: len(stage.heard(BookDelta, lambda d: d.snapshot)) == 2)
        stage.trade(BTC, "61801.03", "0.25", Side.SELL)
        stage.quote(ETH, "2683.85", "2683.95", "3.5")
        await stage.until(lambda: stage.heard(BookQuote, lambda q: q.bid == 268385))
        await stage.until(lambda: stage.heard(TradeTick))
        quote = stage.heard(BookQuote, lambda q: q.symbol == ETH)[-1]
        assert (quote.ask, quote.bid_size, quote.digits) == (268395, 350_000_000, 2)
        (trade,) = stage.heard(TradeTick)
        assert (trade.price, trade.size, trade.side) == (6180103, 25_000_000, Side.SELL)
        assert 0 <= trade.recv_ns - trade.venue_ns < 5 * 10**9
        quotes = stage.heard(BookQuote, lambda q: q.symbol == ETH)
        assert len({(q.bid, q.ask, q.bid_size, q.ask_size) for q in quotes}) == len(quotes)
        book = await stage.connector.snapshot(BTC, 2)
        assert book.bids == ((6180001, 50_000_000), (6179901, 50_000_000))


@pytest.mark.parametrize("kind", [FaultKind.DROP_FRAME, FaultKind.BAD_CHECKSUM])
async def test_a_number_left_out_is_one_resync_of_each_book(kind: FaultKind) -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.subscribe(BTC, ETH, topics=(Topic.BOOK,))
        await stage.until(lambda: len(stage.heard(BookDelta)) == 2)
        stage.fault(kind, "level2 BTC")
        stage.book(BTC, [("61800.70", "1")], [])
        stage.book(BTC, [("61800.80", "1")], [])
        await stage.until(lambda: len(stage.heard(BookDelta, lambda d: d.snapshot)) == 4)
        keeper = stage.connector.feed.keeper
        assert keeper.counts["gaps"] == keeper.counts["resyncs"] == 2
        assert keeper.books[BTC].bids.top(2) == [(6180080, 10**8), (6180070, 10**8)]
        await stage.until(lambda: not stage.connector.health().stale)


async def test_doubled_and_broken_frames() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.subscribe(BTC, topics=(Topic.QUOTES, Topic.TRADES))
        await stage.until(lambda: stage.heard(BookQuote))
        stage.fault(FaultKind.DUPLICATE_FRAME, "market_trades")
        stage.trade(BTC, "61801.03", "0.1")
        stage.trade(BTC, "61801.03", "0.2")
        await stage.until(lambda: len(stage.heard(TradeTick)) == 2)
        counters = stage.connector.health().counters
        assert counters["ignored: doubled or late frame"] == 1
        stage.fault(FaultKind.MALFORM_FRAME, "market_trades")
        stage.trade(BTC, "61801.03", "0.3")
        stage.book(BTC, [("61800.50", "1")], [])
        await stage.until(lambda: stage.heard(BookQuote, lambda q: q.bid == 6180050))
        counters = stage.connector.health().counters
        assert counters["odd: malformed"] == counters["gaps"] == counters["resyncs"] == 1


async def test_trades_missed_while_away_come_with_the_next_snapshot() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.subscribe(BTC, topics=(Topic.QUOTES, Topic.TRADES))
        await stage.until(lambda: stage.heard(BookQuote))
        stage.trade(BTC, "61801.03", "0.1")
        await stage.until(lambda: stage.heard(TradeTick))
        stage.fault(FaultKind.CLOSE, "/ws")
        await stage.until(lambda: stage.connector.feed.stale(BTC))
        for size in ("0.2", "0.3", "0.4"):
            stage.trade(BTC, "61801.03", size)
        await stage.until(lambda: len(stage.heard(TradeTick)) == 4)
        ids = [int(trade.trade_id) for trade in stage.heard(TradeTick)]
        assert ids == list(range(ids[0], ids[0] + 4))
        await stage.until(lambda: not stage.connector.feed.stale(BTC))
        states = [s.state for s in stage.heard(FeedStatus)]
        assert states[-2:] == [FeedState.STALE, FeedState.LIVE]


@pytest.mark.parametrize("key", [demo_key, ed25519_key])
async def test_an_order_lives_and_trades(key: object) -> None:
    async with staged("coinbase", (BTC, ETH), key=key, prepare=quoted) as stage:  # type: ignore[arg-type]
        await stage.ready()
        answer = await stage.connector.submit(limit("a1", BTC, Side.BUY, "0.02", "61700.00"))
        assert answer.outcome is Outcome.ACCEPTED, answer
        await stage.order_is("a1", OrderState.WORKING)
        change = Amendment(client_id="a1", price=Decimal("61750.50"), volume=Decimal("0.03"))
        assert (await stage.connector.amend(change)).outcome is Outcome.ACCEPTED
        (at_venue,) = stage.venue.exchange.open_orders("demo")
        assert (at_venue.price, at_venue.size) == (6175050, 3_000_000)
        stage.trade(BTC, "61750.50", "0.01", Side.SELL)
        await stage.order_is("a1", OrderState.PARTIAL)
        stage.quote(BTC, "61700.00", "61750.50", "9")
        order = await stage.order_is("a1", OrderState.FILLED)
        assert (order.filled, order.average) == (Decimal("0.03"), Decimal("61750.50"))
        await stage.until(lambda: sum(f.volume for f in stage.heard(VenueFill)) == Decimal("0.03"))
        for fill in stage.heard(VenueFill):
            assert (fill.client_id, fill.maker, fill.fee_currency) == ("a1", True, "USD")
            assert fill.fee == fill.price * fill.volume * Decimal("0.006")
        by_rest = await stage.connector.fills(symbol=BTC)
        assert {f.trade_id for f in by_rest} == {f.trade_id for f in stage.heard(VenueFill)}
        rows = {row.currency: row.total for row in await stage.connector.balances()}
        assert rows["BTC"] == Decimal("100.03")
        assert stage.heard(VenueBalance)  # of the reconciliation at the start


async def test_every_kind_of_order() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        connector = stage.connector
        await connector.submit(market("k1", BTC, Side.BUY, "0.01"))
        await stage.order_is("k1", OrderState.FILLED)
        await connector.submit(limit("k2", BTC, Side.BUY, "5", "61801.03", tif=TimeInForce.IOC))
        order = await stage.order_is("k2", OrderState.CANCELLED)
        assert (order.filled, order.volume) == (Decimal("0.69"), Decimal(5))
        stage.quote(BTC, "61800.01", "61801.03", "5")
        crossing = await connector.submit(
            limit("k3", BTC, Side.BUY, "1", "61900.00", post_only=True)
        )
        assert (crossing.outcome, crossing.field) == (Outcome.REFUSED, "post_only")
        assert crossing.venue_code == "INVALID_LIMIT_PRICE_POST_ONLY"
        stop = msgspec.structs.replace(
            limit("k4", BTC, Side.BUY, "0.02", "62100.00"),
            type=OrderType.STOP_LIMIT,
            stop_price=Decimal("62000.00"),
        )
        assert (await connector.submit(stop)).outcome is Outcome.ACCEPTED
        found = await connector.query("k4")
        assert (found.type, found.price) == (OrderType.STOP_LIMIT, Decimal("62100.00"))
        plain = msgspec.structs.replace(stop, client_id="k5", type=OrderType.STOP, price=None)
        refused = await connector.submit(plain)
        assert refused.outcome is Outcome.REFUSED
        assert "stop limit" in refused.message
        await connector.submit(limit("k6", BTC, Side.BUY, "9", "61801.03", tif=TimeInForce.FOK))
        nothing = await stage.order_is("k6", OrderState.CANCELLED)
        assert nothing.filled == 0
        ends = stage.venue.clock.now_ns() + 10**9
        gtd = limit("k7", BTC, Side.BUY, "1", "60000", tif=TimeInForce.GTD, expire_ns=ends)
        assert (await connector.submit(gtd)).outcome is Outcome.ACCEPTED
        await stage.order_is("k7", OrderState.EXPIRED)


async def test_refusals_under_http_200_say_what_to_do() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        poor = await stage.connector.submit(limit("r1", BTC, Side.BUY, "100", "61700.00"))
        assert (poor.code, poor.field) == (ReturnCode.TRADE_NO_MONEY, "volume")
        assert poor.venue_code == "PREVIEW_INSUFFICIENT_FUND"
        assert stage.order("r1").state is OrderState.REJECTED
        stage.fault(FaultKind.HALT, BTC)
        halted = await stage.connector.submit(limit("r2", BTC, Side.BUY, "0.1", "61700.00"))
        assert halted.code is ReturnCode.TRADE_MARKET_CLOSED
        stage.fault(FaultKind.HALT, BTC, count=0)
        await stage.connector.submit(limit("r3", BTC, Side.BUY, "0.1", "61000.00"))
        await stage.order_is("r3", OrderState.WORKING)
        (order,) = stage.venue.exchange.open_orders("demo")
        stage.fault(FaultKind.DROP_EVENT)
        stage.venue.exchange.cancel(order)
        stage.venue.flush()
        gone = await stage.connector.cancel("r3")
        assert (gone.outcome, gone.code) == (Outcome.REFUSED, ReturnCode.ERR_NOTFOUND)
        await stage.order_is("r3", OrderState.CANCELLED)


async def test_cancel_all() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        for name, symbol, price in (("c1", BTC, "61000"), ("c2", ETH, "2500"), ("c3", ETH, "2400")):
            await stage.connector.submit(limit(name, symbol, Side.BUY, "0.1", price))
        await stage.connector.cancel_all(ETH)
        await stage.order_is("c2", OrderState.CANCELLED)
        await stage.order_is("c3", OrderState.CANCELLED)
        assert [each.client_id for each in await stage.connector.open_orders()] == ["c1"]
        await stage.connector.cancel_all()
        await stage.order_is("c1", OrderState.CANCELLED)
        with pytest.raises(Unsupported):
            await stage.connector.cancel_on_disconnect(5)


@pytest.mark.parametrize("kind", [FaultKind.UNKNOWN_OUTCOME, FaultKind.NO_ANSWER])
async def test_a_placement_that_went_through_unheard_is_found_and_not_repeated(
    kind: FaultKind,
) -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.DROP_EVENT, count=1)
        stage.fault(kind, "/orders")
        answer = await stage.connector.submit(limit("u1", BTC, Side.BUY, "0.01", "61000.00"))
        assert answer.outcome is Outcome.UNRESOLVED
        order = await stage.order_is("u1", OrderState.WORKING)
        assert order.venue_order_id
        assert stage.at_venue == 1


async def test_fills_told_twice_or_before_the_answer_are_booked_once() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.DOUBLE_FILL)
        stage.fault(FaultKind.FILL_BEFORE_ACK, "/orders")
        answer = await stage.connector.submit(market("f1", BTC, Side.SELL, "0.2"))
        assert answer.outcome is Outcome.ACCEPTED
        order = await stage.order_is("f1", OrderState.FILLED)
        assert order.filled == Decimal("0.2")
        await stage.until(lambda: sum(f.volume for f in stage.heard(VenueFill)) == Decimal("0.2"))
        await asyncio.sleep(0.1)
        assert sum(f.volume for f in stage.heard(VenueFill)) == Decimal("0.2")


async def test_a_hole_in_the_user_stream_is_reconciled() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        await stage.connector.submit(limit("s1", BTC, Side.BUY, "0.1", "61000.00"))
        await stage.order_is("s1", OrderState.WORKING)
        stage.fault(FaultKind.DROP_FRAME, "user")
        (order,) = stage.venue.exchange.open_orders("demo")
        stage.venue.exchange.cancel(order)
        stage.venue.flush()
        # The next heartbeat shows the hole.
        await stage.order_is("s1", OrderState.CANCELLED)
        await stage.ready()


async def test_an_expired_connection_comes_back() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.EXPIRE_TOKEN)
        await stage.until(lambda: stage.connector.state is State.RECONCILING)
        await stage.ready()
        answer = await stage.connector.submit(limit("t1", BTC, Side.BUY, "0.1", "61000.00"))
        assert answer.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"key": "organizations/none/apiKeys/none"}, "key's name is whole"),
        ({"secret": ec_pem(99, "another")[0]}, "secret belongs to it"),
        ({"secret": "not a key!"}, "neither a PEM private key"),
        ({"secret": base64.b64encode(b"short").decode()}, "neither a PEM private key"),
    ],
)
async def test_wrong_keys_are_refused_with_advice_and_not_tried_again(
    wrong: dict[str, str], words: str
) -> None:
    async with staged(
        "coinbase", (BTC, ETH), key=lambda venue: demo_key(venue, **wrong), prepare=quoted
    ) as stage:
        assert stage.connector.state is State.REFUSED
        assert words in stage.connector.reason
        assert not any(value in stage.connector.reason for value in wrong.values())
        calls = stage.connector.context.rest.calls
        await stage.subscribe(BTC)
        await stage.until(lambda: stage.heard(BookQuote))
        await asyncio.sleep(0.6)
        assert stage.connector.context.rest.calls == calls


async def test_a_key_that_may_only_look_is_told_what_it_lacks() -> None:
    def viewer(venue: VenueDialect) -> Credentials:
        venue.add_key(msgspec.structs.replace(venue.keys.all()[0], scopes=frozenset({"read"})))
        return demo_key(venue)

    async with staged("coinbase", (BTC, ETH), key=viewer, prepare=quoted) as stage:
        await stage.ready()
        answer = await stage.connector.submit(limit("v1", BTC, Side.BUY, "0.1", "61000.00"))
        assert answer.outcome is Outcome.REFUSED
        assert "trade permissions" in answer.message
        assert stage.connector.state is State.REFUSED


async def test_the_venues_clock_is_what_tokens_are_made_with() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.CLOCK, seconds=-3_600)
        answer = await stage.connector.submit(limit("z1", BTC, Side.BUY, "0.1", "61000.00"))
        assert answer.outcome is Outcome.ACCEPTED
        assert stage.connector.health().clock_offset_ms == pytest.approx(-3_600_000, abs=5_000)


async def test_too_many_calls() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.HTTP_STATUS, "/accounts", status=429, seconds=7)
        with pytest.raises(Exception, match="rate limit"):
            await stage.connector.balances()
        blocked = {limit.name: limit.blocked_s for limit in stage.connector.limits()}
        assert 6 < blocked["private"] <= 7
        answer = await stage.connector.submit(limit("b1", BTC, Side.BUY, "0.1", "61000.00"))
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, ReturnCode.TOO_FREQUENT)
        assert stage.at_venue == 0


async def test_history_is_finished_bars_only() -> None:
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
        await stage.ready()
        at = stage.venue.exchange.market(BTC).instrument
        now = stage.venue.clock.now_ns()
        minute = 60 * 10**9
        start = now // minute * minute
        for back, price in ((3, 6170000), (2, 6175000), (0, 6180000)):
            when = start - back * minute
            tick = (at.venue, at.symbol, at.digits, price, 10**7, Side.BUY, "0", when, when)
            stage.venue.feed(TradeTick(*tick))
        bars = await stage.connector.bars(BTC, 60, start - 700 * minute, now)
        assert [(bar.start_ns, bar.close, bar.volume) for bar in bars] == [
            (start - 3 * minute, 6170000, 10**7),
            (start - 2 * minute, 6175000, 10**7),
        ]
        with pytest.raises(Unsupported, match="60, 300"):
            await stage.connector.bars(BTC, 61, 0, now)


async def test_a_silent_link_is_given_up_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats come every second, so that silence means loss."""
    monkeypatch.setitem(cast(dict[str, object], SPOT.quirks), "silence_s", 1.5)
    async with staged("coinbase", (BTC, ETH), prepare=quoted) as stage:
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
