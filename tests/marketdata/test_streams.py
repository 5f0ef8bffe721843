"""The stream manager: order, states, and a subscriber that fails."""

from __future__ import annotations

import logging

import pytest

from tradeloom.domain.enums import Side
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    FeedState,
    FeedStatus,
    Funding,
    MarketEvent,
    Topic,
    TradeTick,
)
from tradeloom.marketdata.streams import StreamManager


def quote(number: int, symbol: str = "BTCUSDT", venue: str = "binance") -> BookQuote:
    return BookQuote(venue, symbol, 2, 100 + number, 101 + number, 1, 1, number, number, number)


def trade(number: int) -> TradeTick:
    return TradeTick("binance", "BTCUSDT", 2, 100, 1, Side.BUY, str(number), number, number)


def status(state: FeedState, symbol: str = "BTCUSDT") -> FeedStatus:
    return FeedStatus("binance", symbol, state, "why", 1)


def test_everyone_hears_what_they_want_in_the_order_it_came() -> None:
    streams = StreamManager()
    quotes: list[MarketEvent] = []
    trades: list[MarketEvent] = []
    everything: list[MarketEvent] = []
    streams.subscribe("binance", "BTCUSDT", Topic.QUOTES, quotes.append)
    streams.subscribe("binance", "BTCUSDT", Topic.TRADES, trades.append)
    streams.tap(everything.append)
    sent: list[MarketEvent] = []
    for number in range(200):
        sent += [quote(number), trade(number), quote(number, "ETHUSDT"), quote(number, venue="okx")]
    book = BookDelta("binance", "BTCUSDT", 2, True, (), (), 1, 1)
    funding = Funding("binance", "BTCUSDT", 2, 0, 1, 1, 1, 1, 1)  # type: ignore[arg-type]
    sent += [book, funding]
    for event in sent:
        streams.publish(event)
    assert quotes == [quote(number) for number in range(200)]
    assert trades == [trade(number) for number in range(200)]
    assert everything == sent
    assert streams.quote("binance", "BTCUSDT") == quote(199)
    assert streams.quote("okx", "BTCUSDT") == quote(199, venue="okx")
    assert streams.quote("kraken", "BTCUSDT") is None


def test_a_subscriber_is_asked_before_the_publisher_goes_on() -> None:
    """No queue: when `publish` returns, the event was handled."""
    streams = StreamManager()
    course: list[str] = []
    streams.subscribe("binance", "BTCUSDT", Topic.QUOTES, lambda event: course.append("direct"))
    streams.tap(lambda event: course.append("tap"))
    streams.publish(quote(1))
    course.append("published")
    assert course == ["direct", "tap", "published"]


def test_who_fails_is_cut_off_once_and_nobody_else_notices(
    caplog: pytest.LogCaptureFixture,
) -> None:
    streams = StreamManager()
    heard: list[MarketEvent] = []
    tapped: list[MarketEvent] = []
    calls = 0

    def broken(event: MarketEvent) -> None:
        nonlocal calls
        calls += 1
        raise RuntimeError("a fault of a patch")

    for topic in (Topic.QUOTES, Topic.TRADES):
        streams.subscribe("binance", "BTCUSDT", topic, broken)
        streams.subscribe("binance", "BTCUSDT", topic, heard.append)
    streams.tap(broken)
    streams.tap(tapped.append)
    with caplog.at_level(logging.ERROR):
        for number in range(5):
            streams.publish(quote(number))
            streams.publish(trade(number))
    assert calls == 1
    assert len(heard) == len(tapped) == 10
    assert streams.counts["subscribers cut off"] == 1
    assert len([each for each in caplog.records if "cut off" in each.getMessage()]) == 1


def test_who_fails_on_a_state_is_cut_off_too() -> None:
    streams = StreamManager()
    heard: list[MarketEvent] = []
    streams.subscribe("binance", "BTCUSDT", Topic.QUOTES, lambda event: 1 / 0)  # type: ignore[arg-type]
    streams.subscribe("binance", "BTCUSDT", Topic.QUOTES, heard.append)
    streams.publish(status(FeedState.STALE))
    streams.publish(quote(1))
    assert heard == [status(FeedState.STALE), quote(1)]
    assert streams.counts["subscribers cut off"] == 1


@pytest.mark.parametrize("state", [each for each in FeedState if each is not FeedState.LIVE])
def test_a_symbol_that_is_not_live_has_no_quote(state: FeedState) -> None:
    streams = StreamManager()
    streams.publish(quote(1))
    streams.publish(quote(1, "ETHUSDT"))
    streams.publish(status(state))
    assert streams.quote("binance", "BTCUSDT") is None
    assert streams.quote("binance", "ETHUSDT") is not None
    streams.publish(status(FeedState.LIVE))
    assert streams.quote("binance", "BTCUSDT") == quote(1)


def test_a_state_is_told_once_to_each_and_to_those_who_come_late() -> None:
    streams = StreamManager()
    both: list[MarketEvent] = []
    late: list[MarketEvent] = []
    other: list[MarketEvent] = []
    streams.subscribe("binance", "BTCUSDT", Topic.QUOTES, both.append)
    streams.subscribe("binance", "BTCUSDT", Topic.TRADES, both.append)
    streams.subscribe("binance", "ETHUSDT", Topic.QUOTES, other.append)
    streams.publish(status(FeedState.STALE))
    assert both == [status(FeedState.STALE)]
    assert other == []
    streams.subscribe("binance", "BTCUSDT", Topic.QUOTES, late.append)
    assert late == [status(FeedState.STALE)]


def test_stopping_is_for_one_topic_and_may_be_done_while_an_event_is_told() -> None:
    streams = StreamManager()
    heard: list[MarketEvent] = []
    once: list[MarketEvent] = []

    def first(event: MarketEvent) -> None:
        once.append(event)
        stop_once()

    stop_once = streams.subscribe("binance", "BTCUSDT", Topic.QUOTES, first)
    stop = streams.subscribe("binance", "BTCUSDT", Topic.QUOTES, heard.append)
    streams.subscribe("binance", "BTCUSDT", Topic.TRADES, heard.append)
    stop_tap = streams.tap(heard.append)
    streams.publish(quote(1))
    streams.publish(quote(2))
    assert once == [quote(1)]
    assert heard == [quote(1), quote(1), quote(2), quote(2)]
    stop_tap()
    stop()
    stop()
    streams.publish(quote(3))
    streams.publish(trade(4))
    assert heard[4:] == [trade(4)]
