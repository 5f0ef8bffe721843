"""Frames, marks and the publisher: nothing twice, nothing lost in silence."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.marketdata.ticks import START, mixed, quote, trade
from tradeloom.bus import Bus, BusFull, MemoryBus, OutcomeUnknown
from tradeloom.domain.market import BookQuote, FeedState, FeedStatus, MarketEvent, TradeTick
from tradeloom.marketdata.frames import BadFrame, MarketPublisher, Marks, event_ns, pack, unpack


def test_a_frame_comes_back_as_it_was() -> None:
    events = mixed(50)
    frame = unpack(pack("p1", 7, events))
    assert (frame.producer, frame.seq, frame.events) == ("p1", 7, events)


@pytest.mark.parametrize("data", [b"", b"\x00", b"nonsense", pack("p", 1, [])[:-2], b"\x94\x02"])
def test_what_is_no_frame_says_so(data: bytes) -> None:
    with pytest.raises(BadFrame, match="frame"):
        unpack(data)


def test_the_time_of_an_event_is_the_venues_unless_it_is_broken() -> None:
    assert event_ns(quote(0)) == START - 2_000_000
    assert event_ns(BookQuote("v", "s", 0, 1, 2, 0, 0, 0, START)) == START
    broken = START + 2 * 3_600 * 10**9
    assert event_ns(BookQuote("v", "s", 0, 1, 2, 0, 0, broken, START)) == START


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 40)), max_size=120))
def test_marks_are_a_set(pairs: list[tuple[str, int]]) -> None:
    marks, seen = Marks(), set[tuple[str, int]]()
    for pair in pairs:
        assert marks.add(*pair) == (pair not in seen)
        seen.add(pair)
        assert pair in marks
    again = Marks(marks.ranges())
    for producer in "ab":
        own = sorted(seq for name, seq in seen if name == producer)
        assert marks.last(producer) == (own[-1] if own else 0)
        assert marks.missing(producer) == (own[-1] - own[0] + 1 - len(own) if own else 0)
        for seq in range(42):
            assert ((producer, seq) in again) == ((producer, seq) in seen)
        ranges = marks.ranges().get(producer, [])
        assert all(left[1] + 1 < right[0] for left, right in pairwise(ranges))


class _Rough(MemoryBus):
    """A bus that fails as told: `unknown` publishes and says it does not know, `full` refuses."""

    def __init__(self, *faults: str) -> None:
        super().__init__()
        self.faults = list(faults)

    async def publish_many(self, stream: str, batch: Sequence[bytes]) -> list[str]:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "full":
            raise BusFull("no room")
        done = await super().publish_many(stream, batch)
        if fault == "unknown":
            raise OutcomeUnknown("who knows")
        return done


@contextlib.asynccontextmanager
async def _running(publisher: MarketPublisher):  # type: ignore[no-untyped-def]
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _read(bus: Bus, stream: str = "md:v") -> list[MarketEvent]:
    """Every event once, as a reader with marks sees them."""
    marks, events = Marks(), list[MarketEvent]()
    for entry in await bus.read(stream, "g", "me", count=100_000, wait_s=0):
        frame = unpack(entry.data)
        if marks.add(frame.producer, frame.seq):
            events += frame.events
    return events


async def test_everything_arrives_in_order_on_every_bus(bus: Bus) -> None:
    events = mixed(5_000)
    async with _running(MarketPublisher(bus, "md:v", "p1")) as publisher:
        for at in range(0, len(events), 37):
            publisher.publish(events[at : at + 37])
            await asyncio.sleep(0)
        await publisher.flushed()
    assert await _read(bus) == events
    assert publisher.health.published == 5_000
    assert publisher.health.frames < 1_000


async def test_an_unknown_outcome_is_sent_again_and_read_once() -> None:
    bus = _Rough("unknown", "", "unknown")
    events = mixed(600)
    async with _running(MarketPublisher(bus, "md:v", "p1")) as publisher:
        publisher.publish(events)
        await publisher.flushed()
        publisher.publish(mixed(10, seed=2))
        await publisher.flushed()
    assert await bus.length("md:v") > publisher.health.frames
    assert await _read(bus) == events + mixed(10, seed=2)
    assert publisher.health.unknown_outcomes == 2


async def test_a_full_bus_conflates_quotes_keeps_trades_and_says_so() -> None:
    bus = _Rough("full", "full")
    events: list[MarketEvent] = [quote(n) for n in range(90)]
    events += [trade(n) for n in range(90, 100)]
    async with _running(MarketPublisher(bus, "md:v", "p1")) as publisher:
        publisher.publish(events)
        await publisher.flushed()
    found = await _read(bus)
    assert [each for each in found if isinstance(each, TradeTick)] == events[90:]
    assert [each for each in found if isinstance(each, BookQuote)] == [events[89]]
    assert publisher.health.conflated == 89
    told = [each for each in found if isinstance(each, FeedStatus)]
    assert [(each.state, each.recv_ns) for each in told] == [
        (FeedState.STALE, event_ns(quote(0))),
        (FeedState.LIVE, event_ns(quote(88))),
    ]


async def test_a_queue_past_its_bound_drops_the_oldest_trades_last() -> None:
    bus = MemoryBus()
    publisher = MarketPublisher(bus, "md:v", "p1", waiting_max=40)
    publisher.publish([quote(n) for n in range(100)])
    publisher.publish([trade(n) for n in range(100, 160)])
    assert publisher.health.waiting <= 40
    assert publisher.health.dropped > 0
    async with _running(publisher):
        await publisher.flushed()
    found = await _read(bus)
    trades = [each for each in found if isinstance(each, TradeTick)]
    assert trades == [trade(n) for n in range(160 - len(trades), 160)]
    holes = [each for each in found if isinstance(each, FeedStatus)]
    assert len(holes) == 2
    total = len(trades) + publisher.health.dropped + publisher.health.conflated
    assert total + sum(isinstance(each, BookQuote) for each in found) == 160
