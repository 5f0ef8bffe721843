"""A venue through ccxt, as our connector: against the simulated Binance."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from tests.connectors.binance.scene import Doorman, quoted
from tests.connectors.stage import (
    BookDelta,
    BookQuote,
    FaultKind,
    Stage,
    Topic,
    TradeTick,
    VenueFill,
    demo_key,
    limit,
    market,
)
from tradeloom.connectors import ccxt_venue, desk
from tradeloom.connectors.connector import VenueConnector
from tradeloom.connectors.contract import Amendment, Outcome, State, VenueUnavailable
from tradeloom.connectors.venues import dialect_of
from tradeloom.domain.enums import OrderState, ReturnCode, Side
from tradeloom.simulators import Simulator, SystemClock
from tradeloom.simulators.venues import dialect

pytest.importorskip("ccxt.pro", reason="ccxt is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
BTC = "BTCUSDT"


@asynccontextmanager
async def through_ccxt(folder: Path | None = None, **wrong: str) -> AsyncIterator[Stage]:
    venue = dialect("binance")(seed=1, clock=SystemClock(), symbols=(BTC, "ETHUSDT"))
    async with Simulator([venue]) as simulator:
        rest, ws = simulator.url("binance"), simulator.ws_url("binance")
        connector = VenueConnector(
            dialect_of("ccxt:binance"),
            urls={
                "public": f"{rest}/api/v3", "private": f"{rest}/api/v3",
                "ws.spot": f"{ws}/stream/ws", "ws.ws-api.spot": f"{ws}/ws-api/v3",
            },
            credentials=demo_key(venue, **wrong),
            folder=folder,
            options={"types": "spot"},
        )  # fmt: skip
        stage = Stage(simulator, venue, connector)
        quoted(stage)
        try:
            await connector.start()
            yield stage
        finally:
            await connector.close()


def test_it_says_what_it_is_and_what_it_lacks() -> None:
    profile = dialect_of("ccxt:kucoin").profile
    assert profile.venue == "ccxt-kucoin"
    assert "conflated quotes" in profile.title
    assert "conflated quotes" in profile.features
    assert {need.value for need in profile.needs} == {"key", "secret", "passphrase"}
    assert any(name.startswith("ws") or "." in name or name for name in profile.urls)
    with pytest.raises(ValueError, match=r"no venue 'kucon' .*did you mean .*kucoin"):
        dialect_of("ccxt:kucon")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ccxt.pro", None)
    with pytest.raises(ValueError, match=r"pip install tradeloom\[ccxt\]"):
        ccxt_venue.library()


async def test_instruments_and_prices() -> None:
    async with through_ccxt() as stage:
        await stage.ready()
        assert "conflated quotes" in stage.connector.info().features
        listed = {each.symbol: each for each in await stage.connector.instruments()}
        own = stage.venue.exchange.market(BTC).instrument
        for name in ("digits", "tick", "step", "base", "quote", "notional_min"):
            assert getattr(listed[BTC], name) == getattr(own, name)
        book = await stage.connector.snapshot(BTC, 5)
        assert book.bids[:2] == ((6_180_010, 50_000_000), (6_179_910, 50_000_000))
        await stage.subscribe(BTC, topics=(Topic.QUOTES, Topic.TRADES, Topic.BOOK))
        assert "no prices yet" in stage.connector.feed.stale(BTC)

        def heard() -> bool:
            step = len(stage.market) % 5 + 1
            stage.quote(BTC, "61800.2", "61801.3", str(step))
            stage.trade(BTC, "61800.2", "0.25", Side.SELL)
            kinds = (BookQuote, TradeTick, BookDelta)
            return all(stage.heard(kind) for kind in kinds)

        for _ in range(300):
            if heard():
                break
            await asyncio.sleep(0.05)
        quote, trade = stage.heard(BookQuote)[-1], stage.heard(TradeTick)[0]
        assert (quote.bid, quote.ask) == (6_180_020, 6_180_130)
        assert (trade.price, trade.size, trade.side) == (6_180_020, 25_000_000, Side.SELL)
        assert stage.heard(BookDelta)[-1].snapshot
        assert not stage.connector.feed.stale(BTC)


async def test_a_lost_connection_makes_prices_stale_and_comes_back() -> None:
    async with through_ccxt() as stage:
        await stage.ready()
        await stage.subscribe(BTC)

        async def until_quoted() -> None:
            before = len(stage.heard(BookQuote))
            for step in range(400):
                stage.quote(BTC, "61800.2", "61801.3", str(step % 7 + 1))
                if len(stage.heard(BookQuote)) > before:
                    return
                await asyncio.sleep(0.05)
            raise AssertionError(stage.connector.health())

        await until_quoted()
        stage.fault(FaultKind.CLOSE, "/stream")
        await stage.until(lambda: stage.connector.feed.stale(BTC))
        refused = await stage.connector.submit(limit("s1", BTC, Side.BUY, "0.02", "60000"))
        assert refused.code is ReturnCode.TRADE_OFFQUOTES
        await until_quoted()
        await stage.until(lambda: not stage.connector.feed.stale(BTC))


async def test_orders_live_fill_and_are_refused(tmp_path: Path) -> None:
    async with through_ccxt(tmp_path) as stage:
        await stage.ready()
        connector = stage.connector
        rest = limit("c1", BTC, Side.BUY, "0.02", "61000")
        answer = await connector.submit(rest)
        assert answer.outcome is Outcome.ACCEPTED, answer
        assert stage.order("c1").state is OrderState.WORKING
        assert (await connector.submit(rest)).venue_order_id == answer.venue_order_id
        assert [each.client_id for each in await connector.open_orders()] == ["c1"]
        change = await connector.amend(Amendment(client_id="c1", volume=Decimal("0.01")))
        assert "cancel, and place a new one" in change.message
        assert (await connector.cancel("c1")).outcome is Outcome.ACCEPTED
        assert stage.order("c1").state is OrderState.CANCELLED
        bought = await connector.submit(market("c2", BTC, Side.BUY, "0.3"))
        assert bought.outcome is Outcome.ACCEPTED, bought
        assert stage.order("c2").state is OrderState.FILLED
        fills = await connector.fills()
        assert sum(f.volume for f in fills if f.client_id == "c2") == Decimal("0.3")
        assert {f.fee_currency for f in fills} == {"BTC"}
        poor = await connector.submit(limit("c3", BTC, Side.BUY, "900", "61000"))
        assert (poor.outcome, poor.code) == (Outcome.REFUSED, ReturnCode.TRADE_NO_MONEY)
        odd = await connector.submit(limit("c4", BTC, Side.BUY, "0.02", "61000.001"))
        assert odd.field == "price"
        money = {row.currency: row.total for row in await connector.balances()}
        assert money["BTC"] == Decimal("100.2997")
        assert stage.at_venue == 2
        assert (tmp_path / "ccxt-binance-demo.db").exists()


async def test_a_fill_of_a_resting_order_is_found_by_polling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ccxt_venue.CcxtDialect, "compare_every_s", 0.2)
    async with through_ccxt() as stage:
        await stage.ready()
        await stage.connector.submit(limit("p1", BTC, Side.BUY, "0.02", "61700"))
        stage.trade(BTC, "61699", "5", Side.SELL)
        await stage.order_is("p1", OrderState.FILLED)
        booked = stage.heard(VenueFill, lambda fill: fill.client_id == "p1")
        assert sum(fill.volume for fill in booked) == Decimal("0.02")


@pytest.mark.parametrize("fault", ["UNKNOWN_OUTCOME", "NO_ANSWER"])
async def test_an_unknown_outcome_is_asked_for_and_never_sent_again(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "ORDER_TIMEOUT_S", 0.8)
    async with through_ccxt() as stage:
        await stage.ready()
        door = Doorman(stage.venue)
        stage.fault(FaultKind[fault], "/order")
        answer = await stage.connector.submit(limit("u1", BTC, Side.BUY, "0.02", "61000"))
        assert answer.outcome is Outcome.UNRESOLVED, answer
        order = await stage.order_is("u1", OrderState.WORKING)
        assert order.venue_order_id
        assert stage.at_venue == 1
        assert len([what for _, what in door.seen if what.startswith("POST")]) == 1


async def test_an_order_that_never_arrived_is_rejected_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk, "RESOLVE_UNKNOWN_S", 0.3)
    async with through_ccxt() as stage:
        await stage.ready()
        stage.fault(FaultKind.HTTP_STATUS, "/order", status=503)
        answer = await stage.connector.submit(limit("n1", BTC, Side.BUY, "0.02", "61000"))
        assert answer.outcome is Outcome.UNRESOLVED
        await stage.order_is("n1", OrderState.REJECTED)
        assert stage.at_venue == 0


async def test_a_rate_limit_closes_the_door() -> None:
    async with through_ccxt() as stage:
        await stage.ready()
        stage.fault(FaultKind.HTTP_STATUS, "/order", status=429, seconds=5)
        answer = await stage.connector.submit(limit("r1", BTC, Side.BUY, "0.02", "61000"))
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, ReturnCode.TOO_FREQUENT)
        with pytest.raises(VenueUnavailable, match="rate limit"):
            await stage.connector.balances()
        assert stage.at_venue == 0


@pytest.mark.parametrize("part", ["key", "secret"])
async def test_wrong_keys_are_refused_and_not_shown(
    part: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "tradeloom")
    wrong = "nosuchkeyorsecret0123456789"
    async with through_ccxt(None, **{part: wrong}) as stage:
        assert stage.connector.state is State.REFUSED
        assert "key" in stage.connector.reason
        shown = f"{caplog.text} {stage.connector.health()}"
        demo = stage.venue.keys.all()[0]
        for hidden in (wrong, demo.key, demo.secret):
            assert hidden not in shown
