"""A summary tells the last quote of each instrument, and its digest ignores how chunks are cut."""

from __future__ import annotations

from tradeloom.marketdata.generator import MarketGenerator
from tradeloom.marketdata.quotes import Chunk
from tradeloom.marketdata.summary import InstrumentSummary, summarise


def test_counts_and_last_prices() -> None:
    generator = MarketGenerator(4, ("BTCUSDT", "EURUSD", "AAPL"))
    (chunk,) = generator.chunks(20_000)
    summary = summarise([chunk], 3)
    for index, line in enumerate(summary.lines[:2]):
        at = [place for place, each in enumerate(chunk.instrument.tolist()) if each == index]
        assert line == InstrumentSummary(len(at), (int(chunk.bid[at[-1]]), int(chunk.ask[at[-1]])))
    assert summary.lines[2] == InstrumentSummary(0, (0, 0))
    assert (summary.first_ns, summary.last_ns) == (int(chunk.ts_ns[0]), int(chunk.ts_ns[-1]))


def test_digest_sees_quotes_not_chunks() -> None:
    (chunk,) = MarketGenerator(4, ("BTCUSDT",)).chunks(1_000)
    ts_ns, instrument, bid, ask = chunk
    halves = [
        Chunk(ts_ns[:300], instrument[:300], bid[:300], ask[:300]),
        Chunk(ts_ns[300:], instrument[300:], bid[300:], ask[300:]),
    ]
    assert summarise(halves, 1).digest == summarise([chunk], 1).digest
    changed = bid.copy()
    changed[500] += 1
    other = Chunk(ts_ns, instrument, changed, ask)
    assert summarise([other], 1).digest != summarise([chunk], 1).digest
    assert summarise([], 1).first_ns == 0
