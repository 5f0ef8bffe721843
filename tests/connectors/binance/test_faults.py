"""What goes wrong at Binance, spot and USD-M, and what our connector makes of it."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.connectors.binance.scene import (
    BOTH,
    SPOT,
    USDM,
    Doorman,
    Place,
    another,
    at_bid,
    move_book,
    quoted,
    same_book,
)
from tests.connectors.stage import (
    BookDelta,
    BookQuote,
    FaultKind,
    FeedStatus,
    Stage,
    Topic,
    VenueFill,
    demo_key,
    limit,
    market,
    staged,
)
from tradeloom.connectors import desk
from tradeloom.connectors.contract import Origin, Outcome, State, VenueOrder, VenueUnavailable
from tradeloom.connectors.venues import dialect_of
from tradeloom.domain.enums import OrderState, ReturnCode, Side
from tradeloom.domain.market import FeedState
from tradeloom.simulators.orders import NewOrder

pytestmark = pytest.mark.parametrize("place", BOTH, ids=lambda place: place.venue)
SECRETS = "no-such-key-0123456789", "no-such-secret-0123456789"


def gaps(stage: Stage) -> tuple[int, int]:
    """Gaps found and snapshots fetched."""
    counts = stage.connector.feed.keeper.counts
    return counts["gaps"], counts["resyncs"]


@pytest.mark.parametrize("fault", ["DROP_FRAME", "REORDER_FRAME", "DUPLICATE_FRAME"])
async def test_one_gap_is_one_resync_and_the_book_is_the_venues(place: Place, fault: str) -> None:
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.subscribe(place.symbol, topics=(Topic.BOOK,))
        await stage.until(lambda: stage.venue.wanted(f"{place.depth}@100ms"))
        await move_book(stage, place.symbol, 3)
        await stage.until(lambda: same_book(stage, place.symbol))
        assert gaps(stage) == (0, 1)
        armed = stage.fault(FaultKind[fault], place.depth)
        await move_book(stage, place.symbol, 6)
        await stage.until(lambda: armed.fired == 1)
        await stage.until(lambda: same_book(stage, place.symbol))
        await stage.until(lambda: not stage.connector.feed.stale(place.symbol))
        whole = fault == "DUPLICATE_FRAME"  # what is told twice is no gap
        assert gaps(stage) == ((0, 1) if whole else (1, 2))
        assert len(stage.heard(BookDelta, lambda delta: delta.snapshot)) == (1 if whole else 2)
        if whole:
            assert stage.connector.health().counters["old deltas dropped"] == 1
        else:
            told = [each.state for each in stage.heard(FeedStatus)]
            assert told[-2:] == [FeedState.RESYNCING, FeedState.LIVE]


async def test_frames_nobody_understands_are_counted_and_logged_once(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.subscribe(place.symbol)
        await stage.until(lambda: stage.connector.feed.links)
        await stage.until(lambda: all(link.up for link in stage.connector.health().links))
        demo = stage.venue.keys.all()[0]
        with_key = f'{{"oops":"{demo.secret}","listenKey":"pqia91ma19a5s61cv6a81va65"'.encode()
        streams = [s for s in stage.venue.sessions if place.quotes in s.socket.path]
        for frame in (with_key, b"[1,2", b'{"stream":"btcusdt@bookTicker","data":{"u":"x"}}'):
            for session in streams:
                session.send(frame)
        stage.quote(place.symbol, "61800.3", "61801.3", "1")
        await stage.until(lambda: stage.heard(BookQuote, at_bid("61800.3")))
        assert stage.connector.health().counters["odd: malformed"] >= 2
        assert stage.connector.health().counters["odd: unexpected shape"] >= 1
        lines = [each.getMessage() for each in caplog.records if "cannot use" in each.getMessage()]
        assert len(lines) == 2, lines
        assert '"oops"' in lines[0]
        for secret in (demo.key, demo.secret, "pqia91ma19a5s61cv6a81va65"):
            assert secret not in caplog.text


async def test_a_malformed_quote_is_not_guessed(place: Place) -> None:
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.subscribe(place.symbol)
        stage.quote(place.symbol, "61800.2", "61801.3", "1")
        await stage.until(lambda: all(link.up for link in stage.connector.health().links))
        await stage.until(lambda: stage.venue.wanted("btcusdt@bookTicker"))
        stage.fault(FaultKind.MALFORM_FRAME, "btcusdt@bookTicker")
        stage.quote(place.symbol, "61800.4", "61801.3", "1")
        stage.quote(place.symbol, "61800.5", "61801.3", "1")
        await stage.until(lambda: stage.heard(BookQuote, at_bid("61800.5")))
        assert not stage.heard(BookQuote, at_bid("61800.4"))
        odd = {k: n for k, n in stage.connector.health().counters.items() if k.startswith("odd")}
        assert list(odd.values()) == [1], odd


async def test_silence_ends_the_link_and_prices_are_not_traded_on_meanwhile(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = dialect_of(place.venue)
    brief = dataclasses.replace(kind.profile, quirks={**kind.profile.quirks, "silence_s": 0.4})
    monkeypatch.setattr(kind, "profile", brief)
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        await stage.subscribe(place.symbol)

        async def until_quoted(seconds: float = 10.0) -> None:
            before, end = len(stage.heard(BookQuote)), time.monotonic() + seconds
            while len(stage.heard(BookQuote)) == before:
                assert time.monotonic() < end
                await _tick(stage, place)

        await until_quoted()
        stage.fault(FaultKind.SILENCE, place.quotes, seconds=30)
        asked = limit("quiet-1", place.symbol, Side.BUY, "0.01", "61000.0")
        await stage.until(lambda: stage.connector.feed.stale(place.symbol))
        refused = await stage.connector.submit(asked)
        assert (refused.outcome, refused.code) == (Outcome.REFUSED, ReturnCode.TRADE_OFFQUOTES)
        assert "silent for" in refused.message
        assert stage.at_venue == 0
        await until_quoted()
        assert not stage.connector.feed.stale(place.symbol)
        assert (await stage.connector.submit(asked)).outcome is Outcome.ACCEPTED


async def _tick(stage: Stage, place: Place) -> None:
    stage.quote(place.symbol, "61800.2", "61801.3", f"{time.monotonic_ns() % 7 + 1}")
    await asyncio.sleep(0.02)


async def test_a_quiet_link_that_answers_pings_is_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = dialect_of(place.venue)
    brief = dataclasses.replace(kind.profile, quirks={**kind.profile.quirks, "silence_s": 1.5})
    monkeypatch.setattr(kind, "profile", brief)
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.subscribe(place.symbol)
        await stage.until(lambda: all(link.up for link in stage.connector.health().links))
        for _ in range(12):
            for session in stage.venue.sessions:
                await session._connection.ping(b"alive")
            await asyncio.sleep(0.2)
        assert {link.connects for link in stage.connector.health().links} == {1}


async def test_a_cut_private_socket_reconciles_before_it_trades_again(place: Place) -> None:
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        await stage.connector.submit(limit("rest-1", place.symbol, Side.BUY, "0.02", "61700.0"))
        await stage.order_is("rest-1", OrderState.WORKING)
        stage.fault(FaultKind.CLOSE, place.account)
        stage.trade(place.symbol, "61699.0", "5", Side.SELL)  # nobody hears of this fill
        await stage.until(lambda: stage.connector.state is State.RECONCILING)
        refused = await stage.connector.submit(
            limit("rest-2", place.symbol, Side.BUY, "0.02", "61700.0")
        )
        assert (refused.outcome, refused.code) == (Outcome.REFUSED, ReturnCode.BUSY)
        assert "reconciling" in refused.message
        assert stage.at_venue == 1
        await stage.ready()
        order = await stage.order_is("rest-1", OrderState.FILLED)
        assert (order.filled, order.average) == (Decimal("0.02"), Decimal(61700))
        assert _booked(stage, "rest-1") == Decimal("0.02")
        await stage.connector.fills()  # told once more by REST
        assert _booked(stage, "rest-1") == Decimal("0.02")
        assert len(stage.connector.desk.store.executions("rest-1")) == len(
            stage.heard(VenueFill, lambda fill: fill.client_id == "rest-1")
        )


def _booked(stage: Stage, client_id: str) -> Decimal:
    fills = stage.heard(VenueFill, lambda fill: fill.client_id == client_id)
    return sum((fill.volume for fill in fills), Decimal(0))


@pytest.mark.parametrize("status", [429, 418])
async def test_nothing_is_sent_before_the_venue_said(place: Place, status: int) -> None:
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        await stage.connector.submit(limit("before", place.symbol, Side.BUY, "0.02", "61700.0"))
        door = Doorman(stage.venue)
        stage.fault(FaultKind.HTTP_STATUS, "openOrders", status=status, seconds=1)
        with pytest.raises(VenueUnavailable, match=rf"{status}.*open again in 1\.0 s"):
            await stage.connector.open_orders()
        asked = time.monotonic()
        assert {row.blocked_s > 0.5 for row in stage.connector.limits()} == {True}
        await stage.connector.open_orders()  # short enough to be waited for
        stamps = [when for when, what in door.seen if "openOrders" in what]
        assert stamps[1] - asked > 0.9
        assert len(door.since(asked)) == len(door.since(stamps[1])) + 1

        stage.fault(FaultKind.HTTP_STATUS, "openOrders", status=status, seconds=30)
        with pytest.raises(VenueUnavailable):
            await stage.connector.open_orders()
        asked = time.monotonic()
        refused = await stage.connector.submit(
            limit("during", place.symbol, Side.BUY, "0.02", "61700.0")
        )
        assert (refused.outcome, refused.code) == (Outcome.REFUSED, ReturnCode.TOO_FREQUENT)
        assert "nothing was sent" in refused.message
        with pytest.raises(VenueUnavailable, match="rate limit"):
            await stage.connector.balances()
        assert door.since(asked) == []
        assert stage.order("during").state is OrderState.REJECTED


async def test_a_placement_refused_for_its_rate_closes_the_door_too(place: Place) -> None:
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        door = Doorman(stage.venue)
        stage.fault(FaultKind.HTTP_STATUS, "order.place", status=429, seconds=20)
        first = await stage.connector.submit(
            limit("much-1", place.symbol, Side.BUY, "0.02", "61700.0")
        )
        second = await stage.connector.submit(
            limit("much-2", place.symbol, Side.BUY, "0.02", "61700.0")
        )
        assert {first.code, second.code} == {ReturnCode.TOO_FREQUENT}
        assert len([what for _, what in door.seen if "order.place" in what]) == 1
        assert stage.at_venue == 0


async def test_a_placement_that_went_through_with_503_is_found_and_not_repeated(
    place: Place,
) -> None:
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        door = Doorman(stage.venue)
        stage.fault(FaultKind.UNKNOWN_OUTCOME, "order.place")
        asked = limit("lost-1", place.symbol, Side.BUY, "0.02", "61700.0")
        answer = await stage.connector.submit(asked)
        assert answer.outcome is Outcome.UNRESOLVED
        assert "unknown" in answer.message
        order = await stage.order_is("lost-1", OrderState.WORKING)
        assert order.venue_order_id
        await stage.until(lambda: stage.connector.desk.unresolved == 0)
        again = await stage.connector.submit(asked)
        assert (again.outcome, again.venue_order_id) == (Outcome.ACCEPTED, order.venue_order_id)
        assert len([what for _, what in door.seen if "order.place" in what]) == 1
        assert stage.at_venue == 1


async def test_a_placement_that_never_arrived_is_rejected_once_the_venue_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "RESOLVE_UNKNOWN_S", 0.5)
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.HTTP_STATUS, "order.place", status=503)
        answer = await stage.connector.submit(market("never-1", place.symbol, Side.BUY, "0.02"))
        assert answer.outcome is Outcome.UNRESOLVED
        assert stage.order("never-1").state is OrderState.UNRESOLVED
        order = await stage.order_is("never-1", OrderState.REJECTED)
        assert "never reached" in order.reason
        assert stage.at_venue == 0


async def test_no_answer_at_all_is_unresolved_and_asked_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "ORDER_TIMEOUT_S", 0.4)
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.NO_ANSWER, "order.place")
        stage.fault(FaultKind.DROP_EVENT, count=4)  # the stream tells nothing either
        answer = await stage.connector.submit(market("mute-1", place.symbol, Side.BUY, "0.3"))
        assert answer.outcome is Outcome.UNRESOLVED
        order = await stage.order_is("mute-1", OrderState.FILLED)
        assert order.filled == Decimal("0.3")
        await stage.until(lambda: _booked(stage, "mute-1") == Decimal("0.3"))
        assert stage.at_venue == 1


async def test_a_socket_cut_after_sending_is_unresolved(place: Place) -> None:
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.NO_ANSWER, "order.place")
        call = asyncio.create_task(
            stage.connector.submit(limit("cut-1", place.symbol, Side.BUY, "0.02", "61700.0"))
        )
        await stage.until(lambda: stage.at_venue == 1)
        stage.fault(FaultKind.CLOSE, place.orders)
        assert (await call).outcome is Outcome.UNRESOLVED
        await stage.order_is("cut-1", OrderState.WORKING)
        await stage.ready()
        assert stage.at_venue == 1


async def test_a_fill_told_twice_or_before_the_answer_is_booked_once(place: Place) -> None:
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.DOUBLE_FILL)
        stage.fault(FaultKind.FILL_BEFORE_ACK, "order.place")
        answer = await stage.connector.submit(market("twice-1", place.symbol, Side.SELL, "0.2"))
        assert answer.outcome is Outcome.ACCEPTED
        order = await stage.order_is("twice-1", OrderState.FILLED)
        assert order.filled == Decimal("0.2")
        await stage.until(lambda: stage.connector.desk.counts["fills told twice"] >= 1)
        assert _booked(stage, "twice-1") == Decimal("0.2")
        states = [
            each.state
            for each in stage.account
            if getattr(each, "client_id", "") == "twice-1" and hasattr(each, "state")
        ]
        assert states.index(OrderState.FILLED) == len(states) - 1, states


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"key": SECRETS[0].replace("-", "")}, "API key is unknown"),
        ({"key": SECRETS[0]}, "API key has the wrong format"),
        ({"secret": SECRETS[1]}, "secret does not belong to this API key"),
    ],
    ids=["key", "format", "secret"],
)
async def test_wrong_keys_are_named_and_not_tried_again(
    place: Place,
    wrong: dict[str, str],
    words: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG, "tradeloom")
    monkeypatch.setattr("tradeloom.connectors.connector.RECONCILE_EVERY_S", 0.1)
    doors: list[Doorman] = []

    def prepare(stage: Stage) -> None:
        quoted(stage)
        doors.append(Doorman(stage.venue))

    async with staged(
        place.venue, (place.symbol,), key=lambda venue: demo_key(venue, **wrong), prepare=prepare
    ) as stage:
        assert stage.connector.state is State.REFUSED
        assert words in stage.connector.reason
        await asyncio.sleep(0.3)
        settled = time.monotonic()
        await asyncio.sleep(0.6)
        assert doors[0].since(settled) == []
        connects = [what for _, what in doors[0].seen if what.startswith("CONNECT")]
        assert len(connects) <= 2
        await stage.subscribe(place.symbol)  # prices need no key
        stage.quote(place.symbol, "61800.2", "61801.3", "1")
        await stage.until(lambda: stage.connector.feed.links)
        refused = await stage.connector.submit(
            limit("no-key", place.symbol, Side.BUY, "0.02", "61700.0")
        )
        assert refused.outcome is Outcome.REFUSED
        asked = time.monotonic()
        await stage.connector.reconnect()  # a person's decision: tried once more
        await stage.until(lambda: stage.connector.state is State.REFUSED)
        await asyncio.sleep(0.5)
        assert 1 <= len([w for w in doors[0].since(asked) if "CONNECT" in w]) <= 3
        shown = f"{caplog.text} {stage.connector.health()} {refused}"
        demo = stage.venue.keys.all()[0]
        for secret in (*wrong.values(), demo.key, demo.secret):
            assert secret not in shown


async def test_signed_calls_use_the_venues_time(place: Place) -> None:
    def late(stage: Stage) -> None:
        quoted(stage)
        stage.fault(FaultKind.CLOCK, seconds=5)

    async with staged(place.venue, (place.symbol,), prepare=late) as stage:
        await stage.ready()
        health = stage.connector.health()
        assert health.clock_offset_ms is not None
        assert 4_000 < health.clock_offset_ms < 6_000
        assert "clock is off" in health.reason
        answer = await stage.connector.submit(
            limit("late-1", place.symbol, Side.BUY, "0.02", "61700.0")
        )
        assert answer.outcome is Outcome.ACCEPTED
        assert await stage.connector.balances()


@pytest.mark.parametrize("seconds", [8, -8])
async def test_a_clock_that_jumps_is_looked_at_again(place: Place, seconds: int) -> None:
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        stage.fault(FaultKind.CLOCK, seconds=seconds)
        answer = await stage.connector.submit(
            limit("jump-1", place.symbol, Side.BUY, "0.02", "61700.0")
        )
        assert answer.outcome is Outcome.ACCEPTED, answer
        assert stage.at_venue == 1
        assert await stage.connector.balances()
        assert stage.connector.state is State.READY


async def test_a_shutdown_notice_moves_to_another_connection(place: Place) -> None:
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        await stage.subscribe(place.symbol)
        await stage.until(lambda: all(link.up for link in stage.connector.health().links))
        await stage.connector.submit(limit("moved", place.symbol, Side.BUY, "0.02", "61700.0"))
        stage.fault(FaultKind.NOTICE)
        await stage.until(
            lambda: all(link.connects == 2 and link.up for link in stage.connector.health().links)
        )
        await stage.ready()
        stage.quote(place.symbol, "61800.2", "61801.3", "1")
        await stage.until(lambda: stage.heard(BookQuote, at_bid("61800.2")))
        stage.trade(place.symbol, "61699.0", "5", Side.SELL)
        await stage.order_is("moved", OrderState.FILLED)


async def test_an_ended_account_stream_is_opened_again(place: Place) -> None:
    """The listen key of USD-M, the subscription of spot."""
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        await stage.connector.submit(limit("ended", place.symbol, Side.BUY, "0.02", "61700.0"))
        await stage.order_is("ended", OrderState.WORKING)
        stage.fault(FaultKind.EXPIRE_TOKEN)
        stage.trade(place.symbol, "61699.0", "0.01", Side.SELL)  # nobody hears of it
        await stage.until(
            lambda: any(
                link.connects == 2 and link.up
                for link in stage.connector.health().links
                if "account" in link.name or place is SPOT
            )
        )
        await stage.until(lambda: _booked(stage, "ended") == Decimal("0.01"))
        await stage.ready()
        stage.trade(place.symbol, "61699.0", "5", Side.SELL)  # this comes with the new stream
        await stage.order_is("ended", OrderState.FILLED)
        await stage.until(lambda: _booked(stage, "ended") == Decimal("0.02"))
        if place is USDM:
            assert stage.connector.desk.counts["ignored: TRADE_LITE"] >= 1


async def test_a_dropped_report_is_found_by_comparing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradeloom.connectors.connector.RECONCILE_EVERY_S", 0.3)
    async with staged(place.venue, (place.symbol,), prepare=quoted) as stage:
        await stage.ready()
        await stage.connector.submit(limit("hole", place.symbol, Side.BUY, "0.02", "61700.0"))
        await stage.order_is("hole", OrderState.WORKING)
        stage.fault(FaultKind.DROP_EVENT, "trade:", count=2)
        stage.trade(place.symbol, "61699.0", "5", Side.SELL)
        await stage.order_is("hole", OrderState.FILLED)
        assert _booked(stage, "hole") == Decimal("0.02")
        assert stage.connector.state is State.READY


async def test_a_restarted_process_knows_what_it_did_and_learns_the_rest(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "RESOLVE_UNKNOWN_S", 0.3)
    async with staged(place.venue, (place.symbol,), prepare=quoted, start=False) as stage:
        async with another(stage, tmp_path) as first:
            for name, price in (("stays", "61000.0"), ("fills", "61700.0"), ("part", "61700.0")):
                answer = await first.connector.submit(
                    limit(name, place.symbol, Side.BUY, "0.02", price)
                )
                assert answer.outcome is Outcome.ACCEPTED, answer
            stage.trade(place.symbol, "61700.0", "0.005", Side.SELL)
            await first.until(lambda: _booked(first, "fills") == Decimal("0.005"))
            # An intent that was stored when the process died, and never sent.
            lost = limit("lost", place.symbol, Side.BUY, "0.02", "61000.0")
            store, example = first.connector.desk.store, first.order("stays")
            intent = _as_intent(example, "lost")
            await store.intend(intent, first.connector.dialect.wire_id("lost"), lost)

        stage.trade(place.symbol, "61699.0", "0.03", Side.SELL)
        exchange = stage.venue.exchange
        foreign = exchange.place(
            "demo",
            NewOrder(
                symbol=place.symbol, side=Side.BUY, size=1_000_000, price=6_000_000,
                client_id="somebody-else", note=exchange.open_orders("demo")[0].asked.note,
            ),
        )  # fmt: skip
        stage.venue.flush()

        door = Doorman(stage.venue)
        async with another(stage, tmp_path) as second:
            await second.ready()
            filled = await second.order_is("fills", OrderState.FILLED)
            assert filled.filled == Decimal("0.02")
            assert second.order("stays").state is OrderState.WORKING
            part = await second.order_is("part", OrderState.PARTIAL)
            assert part.filled == Decimal("0.015")
            rejected = await second.order_is("lost", OrderState.REJECTED)
            assert "never reached" in rejected.reason
            fills = await second.connector.fills()
            assert sum(f.volume for f in fills if f.client_id == "fills") == Decimal("0.02")
            assert sum(f.volume for f in fills if f.client_id == "part") == Decimal("0.015")
            assert len({fill.trade_id for fill in fills}) == len(fills)
            # The downtime's fills were told, those of before were not told again.
            assert _booked(second, "fills") == Decimal("0.015")
            found = {each.client_id: each for each in await second.connector.open_orders()}
            assert set(found) == {"stays", "part", f"ext-{foreign.id}"}
            assert found[f"ext-{foreign.id}"].origin is Origin.EXTERNAL
            assert not [what for _, what in door.seen if "order.place" in what]
            gone = await second.connector.cancel(f"ext-{foreign.id}")
            assert gone.outcome is Outcome.ACCEPTED, gone
            await second.order_is(f"ext-{foreign.id}", OrderState.CANCELLED)


def _as_intent(example: VenueOrder, client_id: str) -> VenueOrder:
    return msgspec.structs.replace(
        example,
        client_id=client_id,
        venue_order_id="",
        state=OrderState.ROUTING,
        venue_ns=time.time_ns(),
    )
