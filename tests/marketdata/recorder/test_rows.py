"""Frames as columns: the compiled reader against the events that were packed."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.marketdata.ticks import START, mixed, quote, trade
from tradeloom._core import TickReader
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    FeedState,
    FeedStatus,
    Funding,
    MarketEvent,
    TradeTick,
)
from tradeloom.marketdata.frames import BadFrame, pack
from tradeloom.marketdata.recorder.rows import SIDE_OF, Rows

FUNDING = Funding("okx", "BTCUSDT-PERP", 1, Decimal("-0.0001"), 5, 6, 7, START, 0)
BOOK = BookDelta("okx", "BTCUSDT", 1, True, ((1, 2), (3, 4)), ((5, 2**40),), START, START, 1, 9)
STATUS = FeedStatus("okx", "BTCUSDT", FeedState.STALE, "silence – 5 s", START)


def rows_of(frames: list[list[MarketEvent]]) -> Rows:
    """The rows of frames by the names p0, p1, p0 … ."""
    reader = TickReader()
    data = [pack(f"p{at % 2}", at, events) for at, events in enumerate(frames)]
    assert reader.add(data) == []
    assert reader.rows == sum(len(kept(events)) for events in frames)
    rows = Rows.taken(reader)
    assert reader.rows == 0
    return rows


def kept(events: list[MarketEvent]) -> list[MarketEvent]:
    return [each for each in events if not isinstance(each, BookDelta | FeedStatus)]


def events_of(rows: Rows) -> list[MarketEvent]:
    """Quotes, then trades, then funding; what has no time of ours has the venue's."""
    found: list[MarketEvent] = []
    keys = {int(at): key for key, where in rows.by_key(rows.quotes) for at in where}
    for at, row in enumerate(rows.quotes.tolist()):
        _, ts, venue_ns, bid, ask, bid_size, ask_size, seq = row
        found.append(BookQuote(*keys[at], bid, ask, bid_size, ask_size, venue_ns, ts, seq))
    keys = {int(at): key for key, where in rows.by_key(rows.trades) for at in where}
    for at, row in enumerate(rows.trades.tolist()):
        _, ts, venue_ns, price, size, side = row
        trade_id = rows.trade_ids[at]
        found.append(TradeTick(*keys[at], price, size, SIDE_OF[side], trade_id, venue_ns, ts))
    return [*found, *rows.funding()]


def by_kind(events: list[MarketEvent]) -> list[MarketEvent]:
    kinds = (BookQuote, TradeTick, Funding)
    return [each for kind in kinds for each in events if type(each) is kind]


@pytest.fixture(scope="module")
def frames() -> list[list[MarketEvent]]:
    """Forty frames of all kinds of events, some with nothing that is recorded, some empty."""
    dice = random.Random(4)
    extremes: list[MarketEvent] = [
        BookQuote("v", "s" * 300, 12, -(2**63), 2**63 - 1, 0, -1, 0, 1, 2**32),
        TradeTick("ü", "€", 0, -129, 2**31, None, "", 3, 4),
    ]
    events = [*mixed(900), *[FUNDING] * 9, *[BOOK] * 40, *[STATUS] * 20, *extremes]
    dice.shuffle(events)
    cuts = sorted(dice.randrange(len(events)) for _ in range(36))
    parts = [events[a:b] for a, b in zip([0, *cuts], [*cuts, len(events)], strict=True)]
    return [*parts, [], [BOOK], [STATUS]]


def test_columns_hold_what_was_packed(frames: list[list[MarketEvent]]) -> None:
    rows = rows_of(frames)
    assert events_of(rows) == by_kind([event for frame in frames for event in frame])
    assert [(head.producer, head.seq) for head in rows.heads] == [
        (f"p{at % 2}", at) for at in range(len(frames))
    ]
    assert rows.keys() >= {("okx", "BTCUSDT-PERP", 1), ("binance", "BTCUSDT", 2), ("ü", "€", 0)}
    assert rows.days(86_400 * 10**9) >= {0, START // (86_400 * 10**9)}


@pytest.mark.parametrize("seed", range(5))
def test_frames_can_be_left_out(frames: list[list[MarketEvent]], seed: int) -> None:
    dice = random.Random(seed)
    chosen = sorted(dice.sample(range(len(frames)), dice.randrange(len(frames) + 1)))
    rows = rows_of(frames).only(chosen)
    assert events_of(rows) == by_kind([event for at in chosen for event in frames[at]])
    # Twice is the same as once.
    again = rows.only(range(0, len(chosen), 2))
    assert events_of(again) == by_kind([event for at in chosen[::2] for event in frames[at]])
    assert [head.seq for head in again.heads] == chosen[::2]


def test_a_time_of_ours_that_is_missing_is_the_venues() -> None:
    silent = msgspec.structs.replace(quote(1), recv_ns=0)
    rows = rows_of([[silent]])
    assert rows.quotes[0, 1] == rows.quotes[0, 2] == silent.venue_ns


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (msgspec.structs.replace(trade(1), trade_id="a\x00"), "NUL"),
        (msgspec.structs.replace(quote(1), symbol="a\x00"), "NUL"),
        (msgspec.structs.replace(trade(1), digits=2**15), "digits"),
        (msgspec.structs.replace(FUNDING, mark=2**63), "mark of BTCUSDT-PERP"),
        (msgspec.structs.replace(FUNDING, venue="\x00"), "NUL"),
    ],
)
def test_the_frame_no_database_holds_is_named(bad: MarketEvent, problem: str) -> None:
    good: list[MarketEvent] = [quote(1), trade(2), FUNDING]
    rows_of([good, good]).check()
    with pytest.raises(BadFrame, match=problem) as caught:
        rows_of([good, [], [*good, bad, *good], good, [bad]]).check()
    assert caught.value.at == 2


def test_bytes_that_are_no_frames_are_named_and_the_others_taken() -> None:
    wide = pack("p", 2, [quote(3), msgspec.structs.replace(quote(1), bid=2**63)])
    strange: Any = ("z", "v", "s")
    frames = [
        pack("p", 1, [quote(1)]),
        b"",
        wide,
        pack("p", 3, [strange]),
        pack("p", 4, [trade(2)]),
    ]
    reader = TickReader()
    bad = reader.add(frames)
    assert [at for at, _ in bad] == [1, 2, 3]
    assert "64 bits" in bad[1][1]
    assert events_of(Rows.taken(reader)) == [quote(1), trade(2)]
