"""A recording of Kraken's first sockets, told anew in the words of the second version."""

from __future__ import annotations

import pytest

from tests.connectors.ears import captured
from tests.connectors.stage import BookDelta, Stage, Topic, TradeTick, staged
from tradeloom.domain.enums import Side
from tradeloom.simulators.faults import FaultKind

# The recording's pairs whose decimals on the wire were those of their instruments.
PAIRS = ("WAVESEUR", "XMRUSD", "SCEUR", "ETHCHF", "KSMBTC")


def subscribed(stage: Stage, count: int) -> bool:
    return sum("/" in channel for channel in stage.venue.listeners) == count


async def test_a_recording_plays_through_both_sides_with_every_checksum() -> None:
    frames = list(captured("cryptofeed_xfree86/KRAKEN.ws.50.0.gz"))
    async with staged("kraken", PAIRS) as stage:
        await stage.subscribe(*PAIRS, topics=(Topic.BOOK,))
        await stage.until(lambda: subscribed(stage, len(PAIRS)))
        played = 0
        for when, text in frames:
            for _, _, event in stage.venue.read_frame(when, text.encode()):
                stage.venue.feed(event)
                played += 1
        assert played > 2_000
        keeper = stage.connector.feed.keeper

        def agrees(symbol: str) -> bool:
            book = stage.venue.exchange.market(symbol).book
            kept = keeper.books.get(symbol)
            return kept is not None and all(
                ladder.top(100) == book.levels(side, 100)
                for side, ladder in ((Side.BUY, kept.bids), (Side.SELL, kept.asks))
            )

        await stage.until(lambda: all(agrees(symbol) for symbol in PAIRS))
        assert not keeper.counts
        assert len(stage.heard(BookDelta)) > 1_000


async def test_recorded_trades_keep_price_size_and_side() -> None:
    frames = list(captured("cryptofeed_xfree86/KRAKEN.ws.48.0.gz"))
    async with staged("kraken", PAIRS) as stage:
        await stage.subscribe(*PAIRS, topics=(Topic.TRADES,))
        await stage.until(lambda: subscribed(stage, len(PAIRS)))
        events = [
            event
            for when, text in frames
            for _, _, event in stage.venue.read_frame(when, text.encode())
            if isinstance(event, TradeTick)
        ]
        for event in events:
            stage.venue.feed(event)
        assert events
        await stage.until(lambda: len(stage.heard(TradeTick)) == len(events))
        told = [(t.symbol, t.price, t.size, t.side) for t in stage.heard(TradeTick)]
        assert told == [(t.symbol, t.price, t.size, t.side) for t in events]


@pytest.mark.parametrize("kind", [FaultKind.DROP_FRAME, FaultKind.DUPLICATE_FRAME])
async def test_one_fault_in_a_recording_costs_one_resync_at_most(kind: FaultKind) -> None:
    frames = list(captured("cryptofeed_xfree86/KRAKEN.ws.50.0.gz"))
    async with staged("kraken", ("XMRUSD",)) as stage:
        await stage.subscribe("XMRUSD", topics=(Topic.BOOK,))
        await stage.until(lambda: subscribed(stage, 1))
        keeper = stage.connector.feed.keeper
        for number, (when, text) in enumerate(frames):
            if number == 400:
                await stage.until(lambda: "XMRUSD" in keeper.books)
                stage.fault(kind, "book")
            for _, _, event in stage.venue.read_frame(when, text.encode()):
                stage.venue.feed(event)
        book = stage.venue.exchange.market("XMRUSD").book

        def agrees() -> bool:
            kept = keeper.books["XMRUSD"]
            return kept.whole and kept.bids.top(10) == book.levels(Side.BUY, 10)

        await stage.until(agrees)
        assert keeper.counts["resyncs"] <= (1 if kind is FaultKind.DROP_FRAME else 0)
