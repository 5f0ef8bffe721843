"""The Exchange recording of 2021, told anew in the words of Advanced Trade."""

from __future__ import annotations

from tests.connectors.ears import captured
from tests.connectors.stage import BookDelta, BookQuote, Topic, TradeTick, staged
from tradeloom.domain.enums import Side

PAIRS = ("SKLGBP", "BANDGBP", "CRVEUR", "DASHBTC", "NMREUR", "NUGBP", "SKLUSD", "YFIBTC")


async def test_a_recording_plays_through_both_sides() -> None:
    frames = list(captured("cryptofeed_xfree86/COINBASE.ws.28.0.gz"))
    async with staged("coinbase", PAIRS) as stage:
        topics = (Topic.BOOK, Topic.TRADES, Topic.QUOTES)
        await stage.subscribe(*PAIRS, topics=topics)
        wanted = 2 * len(PAIRS)
        await stage.until(
            lambda: sum(" " in channel for channel in stage.venue.listeners) == wanted
        )
        events = [
            event
            for when, text in frames
            for _, _, event in stage.venue.read_frame(when, text.encode())
        ]
        for event in events:
            stage.venue.feed(event)
        trades = [event for event in events if isinstance(event, TradeTick)]
        assert len(events) > 5_000
        assert trades
        await stage.until(lambda: len(stage.heard(TradeTick)) == len(trades))
        told = [(t.symbol, t.price, t.size, t.side) for t in stage.heard(TradeTick)]
        assert told == [(t.symbol, t.price, t.size, t.side) for t in trades]
        keeper = stage.connector.feed.keeper

        def agrees(symbol: str) -> bool:
            book = stage.venue.exchange.market(symbol).book
            kept = keeper.books.get(symbol)
            return kept is not None and all(
                ladder.top(0) == book.levels(side)
                for side, ladder in ((Side.BUY, kept.bids), (Side.SELL, kept.asks))
            )

        listed = {event.symbol for event in events}
        await stage.until(lambda: all(agrees(symbol) for symbol in listed))
        assert not keeper.counts
        assert len(stage.heard(BookDelta)) > 4_000
        assert stage.heard(BookQuote)
