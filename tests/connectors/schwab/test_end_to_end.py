"""The Schwab connector against the simulated venue, over real sockets."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from tests.connectors.stage import (
    BookDelta,
    BookQuote,
    FaultKind,
    FeedStatus,
    Stage,
    Topic,
    TradeTick,
    VenueFill,
    demo_key,
    limit,
    market,
    staged,
)
from tradeloom.connectors.contract import Amendment, OrderRequest, Origin, Outcome, State
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.venues.schwab import code_in, exchange_code, login_address
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce
from tradeloom.domain.market import FeedState

AAPL = "AAPL"
BOTH = (AAPL, "MSFT")


def quoted(stage: Stage) -> None:
    stage.quote(AAPL, "213.20", "213.30", "500")
    stage.quote("MSFT", "402.60", "402.70", "500")


async def test_prices_arrive_merged_field_by_field() -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        await stage.subscribe(*BOTH, topics=(Topic.QUOTES, Topic.TRADES, Topic.BOOK))
        await stage.until(lambda: len({q.symbol for q in stage.heard(BookQuote)}) == 2)
        stage.quote(AAPL, "213.20", "213.25", "500")  # only the ask moves: only it is sent
        await stage.until(lambda: stage.heard(BookQuote, lambda q: q.ask == 2132500))
        quote = stage.heard(BookQuote, lambda q: q.ask == 2132500)[0]
        assert (quote.bid, quote.bid_size, quote.digits) == (2132000, 500 * 10**8, 4)
        stage.trade(AAPL, "213.25", "40")
        await stage.until(lambda: stage.heard(TradeTick))
        trade = stage.heard(TradeTick)[0]
        assert (trade.price, trade.size, trade.side) == (2132500, 40 * 10**8, None)
        await stage.until(lambda: stage.heard(BookDelta, lambda b: b.symbol == AAPL))
        assert all(delta.snapshot for delta in stage.heard(BookDelta))
        assert len(stage.connector.health().links) == 1  # one connection per user


async def test_only_what_is_wanted_is_subscribed() -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        heard: list[object] = []
        one = await stage.connector.subscribe([AAPL], [Topic.QUOTES], heard.append)
        await stage.until(lambda: "LEVELONE_EQUITIES:AAPL" in stage.venue.listeners)
        two = await stage.connector.subscribe(["MSFT"], [Topic.QUOTES], heard.append)
        await stage.until(lambda: "LEVELONE_EQUITIES:MSFT" in stage.venue.listeners)
        await one.close()
        await stage.until(lambda: "LEVELONE_EQUITIES:AAPL" not in stage.venue.listeners)
        assert "LEVELONE_EQUITIES:MSFT" in stage.venue.listeners
        await two.close()


async def test_symbols_can_be_chosen() -> None:
    async with staged("schwab", BOTH, prepare=quoted, options={"symbols": "aapl"}) as stage:
        assert [each.symbol for each in await stage.connector.instruments()] == [AAPL]


async def test_an_order_lives_changes_and_fills() -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        connector = stage.connector
        answer = await connector.submit(limit("a-1", AAPL, Side.BUY, "30", "213.00"))
        assert answer.outcome is Outcome.ACCEPTED, answer
        first = answer.venue_order_id
        await stage.order_is("a-1", OrderState.WORKING)
        stage.quote(AAPL, "212.90", "212.95", "10")
        await stage.order_is("a-1", OrderState.PARTIAL)
        changed = await connector.amend(
            Amendment(client_id="a-1", price=Decimal("212.50"), volume=Decimal(40))
        )
        assert changed.outcome is Outcome.ACCEPTED, changed
        assert changed.venue_order_id != first  # a replacement has an id of its own
        order = await connector.query("a-1")
        assert (order.volume, order.filled) == (Decimal(40), Decimal(10))
        assert order.price == Decimal("212.50")
        stage.quote(AAPL, "212.30", "212.40", "500")
        done = await stage.order_is("a-1", OrderState.FILLED)
        assert done.filled == Decimal(40)
        fills = stage.heard(VenueFill)
        assert sorted(fill.volume for fill in fills) == [Decimal(10), Decimal(30)]
        assert {fill.client_id for fill in fills} == {"a-1"}
        (held,) = [p for p in await connector.positions() if p.symbol == AAPL]
        assert held.volume == Decimal(140)


async def test_cancel_and_refusals() -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        submit = stage.connector.submit
        await submit(limit("c-1", AAPL, Side.BUY, "5", "200.00"))
        assert (await stage.connector.cancel("c-1")).outcome is Outcome.ACCEPTED
        await stage.order_is("c-1", OrderState.CANCELLED)
        poor = await submit(limit("c-2", AAPL, Side.BUY, "9000", "213.00"))
        assert (poor.outcome, poor.code) == (Outcome.REFUSED, ReturnCode.TRADE_NO_MONEY)
        assert "buying power" in poor.message
        dated = await submit(
            limit("c-3", AAPL, Side.BUY, "1", "200", tif=TimeInForce.GTD, expire_ns=2**62)
        )
        assert "use DAY or GTC" in dated.message
        half = await submit(limit("c-4", AAPL, Side.BUY, "0.5", "200"))
        assert half.field == "volume"
        stop = OrderRequest(
            client_id="c-5", symbol=AAPL, side=Side.SELL, volume=Decimal(1), type=OrderType.STOP,
            stop_price=Decimal(200),
        )  # fmt: skip
        assert (await submit(stop)).outcome is Outcome.ACCEPTED
        await stage.order_is("c-5", OrderState.WORKING)
        stage.fault(FaultKind.HTTP_STATUS, "/orders", status=429, seconds=3)
        often = await submit(limit("c-6", AAPL, Side.BUY, "1", "200"))
        assert often.code is ReturnCode.TOO_FREQUENT


async def test_an_instant_fill_without_an_id_is_found() -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        answer = await stage.connector.submit(market("i-1", AAPL, Side.BUY, "7"))
        assert answer.outcome is Outcome.ACCEPTED
        done = await stage.order_is("i-1", OrderState.FILLED)
        assert done.venue_order_id
        assert [fill.volume for fill in stage.heard(VenueFill)] == [Decimal(7)]


@pytest.mark.parametrize("kind", [FaultKind.UNKNOWN_OUTCOME, FaultKind.NO_ANSWER])
async def test_a_lost_answer_is_resolved_by_what_was_sent(
    kind: FaultKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradeloom.connectors.desk.ORDER_TIMEOUT_S", 0.5)
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        # An order of a person, like ours but for its size: it must not be taken for ours.
        await stage.connector.submit(limit("other", AAPL, Side.BUY, "6", "200.00"))
        stage.fault(kind, "/orders")
        stage.fault(FaultKind.DROP_EVENT, "new")
        answer = await stage.connector.submit(limit("u-1", AAPL, Side.BUY, "5", "200.00"))
        assert answer.outcome is Outcome.UNRESOLVED
        found = await stage.order_is("u-1", OrderState.WORKING)
        assert found.volume == Decimal(5)
        assert found.venue_order_id != stage.order("other").venue_order_id
        assert stage.at_venue == 2


async def test_a_restart_finds_orders_whose_answer_was_lost(tmp_path: Path) -> None:
    async with staged("schwab", BOTH, prepare=quoted, folder=tmp_path) as stage:
        await stage.ready()
        await stage.connector.submit(limit("known", AAPL, Side.BUY, "4", "200.00"))
        stage.fault(FaultKind.UNKNOWN_OUTCOME, "/orders")
        stage.fault(FaultKind.DROP_EVENT, "new")
        # Nothing may be asked before the end: what is known comes from the disk alone.
        stage.fault(FaultKind.HTTP_STATUS, "/orders", status=503, count=100, after=1)
        answer = await stage.connector.submit(limit("lost", AAPL, Side.BUY, "5", "200.00"))
        assert answer.outcome is Outcome.UNRESOLVED
        await stage.connector.close()
        stage.venue.faults.clear()
        again = type(stage.connector)(
            type(stage.connector.dialect),
            urls=stage.connector.context.urls,
            credentials=stage.connector.context.credentials,
            folder=tmp_path,
        )
        try:
            await again.start()
            await stage.until(lambda: again.state is State.READY)
            orders = {each.client_id: each for each in await again.open_orders()}
            assert set(orders) == {"known", "lost"}
            assert orders["lost"].state is OrderState.WORKING
            assert orders["lost"].origin is Origin.OURS
            assert stage.at_venue == 2
        finally:
            await again.close()


async def test_an_order_that_never_arrived_is_not_invented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradeloom.connectors.desk.RESOLVE_UNKNOWN_S", 0.3)
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.HTTP_STATUS, "/orders", status=503)
        answer = await stage.connector.submit(limit("n-1", AAPL, Side.BUY, "5", "200.00"))
        assert answer.outcome is Outcome.UNRESOLVED
        gone = await stage.order_is("n-1", OrderState.REJECTED)
        assert gone.reason == "it never reached the venue"
        assert stage.at_venue == 0


@pytest.mark.parametrize("kind", [FaultKind.DOUBLE_FILL, FaultKind.FILL_BEFORE_ACK])
async def test_fills_are_booked_once(kind: FaultKind) -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        stage.fault(kind)
        await stage.connector.submit(market("f-1", AAPL, Side.SELL, "3"))
        await stage.order_is("f-1", OrderState.FILLED)
        await asyncio.sleep(0.15)
        assert [fill.volume for fill in stage.heard(VenueFill)] == [Decimal(3)]


async def test_what_the_stream_does_not_tell_is_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradeloom.connectors.venues.schwab.dialect.POLL_S", 0.2)
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        await stage.connector.submit(limit("p-1", AAPL, Side.BUY, "5", "213.00"))
        await stage.order_is("p-1", OrderState.WORKING)
        stage.fault(FaultKind.DROP_EVENT, "AAPL", count=10)
        stage.quote(AAPL, "212.90", "212.95", "500")
        await stage.order_is("p-1", OrderState.FILLED)


async def test_ended_access_tokens_are_renewed() -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        await asyncio.sleep(1.1)
        stage.fault(FaultKind.EXPIRE_TOKEN)
        answer = await stage.connector.submit(limit("t-1", AAPL, Side.BUY, "1", "200.00"))
        assert answer.outcome is Outcome.ACCEPTED, answer
        assert stage.at_venue == 1


async def test_a_token_that_the_streamer_denies_is_renewed_once() -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        await asyncio.sleep(1.1)
        stage.fault(FaultKind.EXPIRE_TOKEN)
        stage.fault(FaultKind.CLOSE)
        (link,) = stage.connector._private.values()
        await stage.until(lambda: link.connects == 3)
        await stage.ready()


async def test_a_cut_stream_comes_back_and_stale_prices_are_marked() -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        await stage.subscribe(AAPL)
        await stage.until(lambda: stage.heard(BookQuote))
        stage.fault(FaultKind.CLOSE)
        await stage.until(lambda: stage.heard(FeedStatus, lambda s: s.state is FeedState.STALE))
        await stage.ready()
        await stage.until(lambda: stage.heard(FeedStatus)[-1].state is FeedState.LIVE)
        assert not stage.connector.health().stale


async def test_the_weekly_log_in_ended() -> None:
    def ended(stage: Stage) -> None:
        stage.venue.access.expire_login()  # type: ignore[attr-defined]

    async with staged("schwab", BOTH, prepare=ended) as stage:
        assert stage.connector.state is State.REFUSED
        reason = stage.connector.reason
        assert "a person must log in at http://127.0.0.1" in reason
        assert "/schwab/v1/oauth/authorize?client_id=YOUR_APP_KEY" in reason
        demo = stage.venue.keys.all()[0]
        for secret in (demo.key, demo.secret, demo.passphrase):
            assert secret not in str(stage.connector.health())
        calls = stage.connector.context.rest.calls
        await asyncio.sleep(0.6)
        assert stage.connector.context.rest.calls == calls  # no storm of retries


async def test_the_log_in_ends_while_running() -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        await asyncio.sleep(1.1)
        stage.venue.access.expire_login()  # type: ignore[attr-defined]
        answer = await stage.connector.submit(limit("e-1", AAPL, Side.BUY, "1", "200.00"))
        assert answer.outcome is Outcome.REFUSED
        assert stage.connector.state is State.REFUSED
        assert stage.at_venue == 0


@pytest.mark.parametrize("part", ["key", "secret"])
async def test_a_wrong_app_key_or_secret(part: str) -> None:
    def wrong(venue):  # type: ignore[no-untyped-def]
        return demo_key(venue, **{part: "wrong"})

    async with staged("schwab", BOTH, key=wrong) as stage:
        assert stage.connector.state is State.REFUSED
        assert "app key with this app secret" in stage.connector.reason


async def test_no_key_at_all_says_what_is_needed() -> None:
    async with staged("schwab", BOTH, key=lambda venue: None) as stage:
        assert stage.connector.state is State.REFUSED
        assert "refresh token into the vault" in stage.connector.reason


async def test_a_person_logs_in_and_trades_again() -> None:
    async with staged("schwab", BOTH, prepare=quoted, start=False) as stage:
        base, demo = stage.simulator.url("schwab"), stage.venue.keys.all()[0]
        stage.venue.access.expire_login()  # type: ignore[attr-defined]
        # What the browser does: the page agrees and leads to the redirect address.
        address = login_address(demo.key, "https://127.0.0.1:8182", base)
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(address, allow_redirects=False) as page,
        ):
            landed = page.headers["Location"]
        assert code_in(landed).endswith("@")
        tokens = await exchange_code(demo.key, demo.secret, landed, base=base)
        assert tokens.refresh not in repr(tokens)
        with pytest.raises(LoginRefused, match="once only"):
            await exchange_code(demo.key, demo.secret, landed, base=base)
        with pytest.raises(ValueError, match="holds no code"):
            code_in("https://127.0.0.1:8182/?error=denied")
    async with staged(
        "schwab",
        BOTH,
        key=lambda venue: demo_key(venue, refresh_token=venue.keys.all()[0].passphrase),
        prepare=quoted,
    ) as again:
        await again.ready()


async def test_a_second_program_holds_the_stream() -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        kind = type(stage.connector)
        second = kind(
            type(stage.connector.dialect),
            urls=stage.connector.context.urls,
            credentials=stage.connector.context.credentials,
        )
        task = asyncio.create_task(second.start())
        try:
            await stage.until(
                lambda: any("code 12" in each.error for each in second.health().links)
            )
        finally:
            task.cancel()
            await second.close()
        assert stage.connector.state is State.READY


async def test_bars_hours_and_book_by_rest() -> None:
    async with staged("schwab", BOTH, prepare=quoted) as stage:
        await stage.ready()
        now = stage.venue.clock.now_ns()
        for minute, cents in ((3, 2132000), (2, 2133000), (1, 2132500)):
            at = now - minute * 60 * 10**9
            tick = TradeTick("schwab", AAPL, 4, cents, 9 * 10**8, Side.BUY, "1", at, at)
            stage.venue.exchange.market(AAPL).bars.add(tick)
        bars = await stage.connector.bars(AAPL, 60, now - 3_600 * 10**9, now)
        assert [bar.close for bar in bars] == [2132000, 2133000, 2132500]
        assert {bar.volume for bar in bars} == {9 * 10**8}
        book = await stage.connector.snapshot(AAPL)
        assert book.bids == ((2132000, 500 * 10**8),)
        assert await stage.connector.dialect.maintenance() == ""
        stage.fault(FaultKind.HALT)
        assert "closed" in await stage.connector.dialect.maintenance()
