"""The demo market: generated or recorded ticks in real time, to the engine, the board and the bars.

Recordings are looped, every symbol by itself, with their times shifted to now. The generated market
starts on a Tuesday afternoon, when everything is open, and skips its weekends. After a restart it
goes on from the last prices the engine knows, so that open positions see no jump.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from tradeloom.app.limits import BEHIND_MAX_S, SILENCE_MAX_NS, SLICE_S
from tradeloom.domain.currency import Currency
from tradeloom.domain.instrument import Instrument
from tradeloom.engine.records import INPUT_HEADER, INPUTS, QUOTE_KIND
from tradeloom.gateways.desk import Desk
from tradeloom.gateways.quotes import Quote, QuoteBoard
from tradeloom.marketdata.bars import BarBuilder
from tradeloom.marketdata.generator import MarketGenerator
from tradeloom.marketdata.quotes import Chunk
from tradeloom.marketdata.recordings import Recording, open_recordings
from tradeloom.replay.market import Market, generated_market, instrument_for, recorded_market

log = logging.getLogger(__name__)

# Tuesday 2024-01-02 14:30 UTC: every market of the generator is open.
_START_NS: Final = int(datetime(2024, 1, 2, 14, 30, tzinfo=UTC).timestamp()) * 10**9
_HOUR_NS: Final = 3_600 * 10**9
_WEEK_NS: Final = 168 * _HOUR_NS
_FIRST_MONDAY_NS: Final = 96 * _HOUR_NS
# Friday 21:00 to Sunday 21:00 of the generator's week.
_WEEKEND: Final = (117 * _HOUR_NS, 165 * _HOUR_NS)
_QUOTE: Final = INPUTS["Quote"]
_HEAD: Final = INPUT_HEADER.pack(INPUT_HEADER.size + _QUOTE.size, QUOTE_KIND, 0, 0)


@dataclass(frozen=True, slots=True)
class Source:
    """What the demo market plays. `tapes`: each a way to start its endless or finite ticks anew."""

    label: str
    simulated: bool
    instruments: tuple[Instrument, ...]
    pegs: tuple[Instrument, ...]
    currencies: tuple[Currency, ...]
    tapes: tuple[Callable[[], Iterator[Chunk]], ...]
    continues: bool


def generated(seed: int, symbols: tuple[str, ...] = ()) -> Source:
    """The seeded market; raises ValueError for symbols it does not have."""
    generator = MarketGenerator(seed, symbols or None, _START_NS)
    whole = generated_market(seed, 1)
    instruments = tuple(
        instrument_for(each.symbol, each.base, each.quote, each.price_digits)
        for each in generator.instruments
    )
    label = f"simulated market, seed {seed}, {len(instruments)} instruments"
    return Source(label, True, instruments, whole.pegs, whole.currencies, (generator.chunks,), True)


def recorded(paths: Sequence[Path]) -> Source:
    """Looped recordings; raises `RecordingError`."""
    market: Market = recorded_market(paths, None)
    recordings = open_recordings(paths).recordings
    label = f"recorded market, looped, {len(recordings)} instruments"
    tapes = tuple(_tape(index, each) for index, each in enumerate(recordings))
    return Source(label, False, market.instruments, market.pegs, market.currencies, tapes, False)


def _tape(index: int, recording: Recording) -> Callable[[], Iterator[Chunk]]:
    def chunks() -> Iterator[Chunk]:
        for rows in recording.chunks():
            yield Chunk(
                np.ascontiguousarray(rows["ts_ns"]),
                np.full(len(rows), index, np.uint32),
                np.ascontiguousarray(rows["bid"]),
                np.ascontiguousarray(rows["ask"]),
            )

    return chunks


@dataclass(slots=True)
class Channel:
    """One symbol on its way from tape to engine: rescaled to its digits, continued from `last`."""

    symbol: str
    index: int
    digits: int
    up: int = 1
    down: int = 1
    last: int = 0
    times: tuple[int, int] = field(default=(1, 1))

    def price(self, mantissa: int) -> int:
        """A price of the tape in points of the engine's instrument."""
        times, over = self.times
        return max(mantissa * self.up * times // (self.down * over), 1)

    def begin(self, bid: int) -> None:
        """Go on from the last known price."""
        if self.last:
            self.times = (self.last, max(bid * self.up // self.down, 1))
            self.last = 0


class MarketFeed:
    """Plays a source into the engine, the quote board and the bars until it is cancelled."""

    def __init__(
        self,
        source: Source,
        channels: Sequence[Channel],
        desk: Desk,
        board: QuoteBoard,
        bars: BarBuilder,
        speed: float = 1.0,
    ) -> None:
        self.source: Final = source
        self.first_quote = asyncio.Event()
        self.ticks = 0
        self._channels = channels
        self._desk = desk
        self._board = board
        self._bars = bars
        self._speed = speed

    async def run(self) -> None:
        """Play for ever."""
        async with asyncio.TaskGroup() as group:
            for tape in self.source.tapes:
                group.create_task(self._play(tape))

    async def _play(self, tape: Callable[[], Iterator[Chunk]]) -> None:
        while True:
            clock = _Clock(self._speed)
            chunks = tape()
            ahead = asyncio.create_task(asyncio.to_thread(next, chunks, None))
            first = True
            while (chunk := await ahead) is not None:
                ahead = asyncio.create_task(asyncio.to_thread(next, chunks, None))
                if first:
                    self._open(chunk, clock)
                    first = False
                await self._chunk(_week(chunk) if self.source.continues else chunk, clock)
            await asyncio.sleep(SLICE_S)

    async def _chunk(self, chunk: Chunk, clock: _Clock) -> None:
        at, size = 0, len(chunk.ts_ns)
        while at < size:
            due = clock.due(int(chunk.ts_ns[at]))
            end = int(np.searchsorted(chunk.ts_ns, due, side="right"))
            if end > at:
                self._hand_on(chunk, at, end, clock)
                at = end
            await asyncio.sleep(SLICE_S)

    def _open(self, chunk: Chunk, clock: _Clock) -> None:
        """Quote every symbol at once: a slow one should not be without a price for a minute."""
        clock.due(int(chunk.ts_ns[0]))
        _, rows = np.unique(chunk.instrument, return_index=True)
        rows = np.sort(rows)
        times = np.full(len(rows), chunk.ts_ns[0])
        opening = Chunk(times, chunk.instrument[rows], chunk.bid[rows], chunk.ask[rows])
        self._hand_on(opening, 0, len(rows), clock)

    def _hand_on(self, chunk: Chunk, at: int, end: int, clock: _Clock) -> None:
        quotes: list[Quote] = []
        newest: dict[int, Quote] = {}
        number = self._board.count
        rows = zip(
            chunk.ts_ns[at:end].tolist(),
            chunk.instrument[at:end].tolist(),
            chunk.bid[at:end].tolist(),
            chunk.ask[at:end].tolist(),
            strict=True,
        )
        for ts, which, raw_bid, raw_ask in rows:
            channel = self._channels[which]
            if channel.last:
                channel.begin(raw_bid)
            bid = channel.price(raw_bid)
            ask = max(channel.price(raw_ask), bid)
            number += 1
            wall = clock.wall(ts)
            quote = Quote(channel.symbol, channel.digits, bid, ask, wall, number)
            quotes.append(quote)
            newest[channel.index] = quote
            self._bars.add(channel.symbol, wall, bid)
        for index, quote in newest.items():
            self._desk.shard.quote(packed(index, quote.bid, quote.ask))
        self._board.publish(quotes)
        self.ticks += len(quotes)
        self.first_quote.set()


class _Clock:
    """Maps times of a tape to the wall clock; the first tick is due at once."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._wall_ns = 0
        self._tape_ns = 0

    def due(self, next_ns: int) -> int:
        """Up to which time of the tape ticks are due, `next_ns` being the next tick."""
        now = time.time_ns()
        if not self._wall_ns:
            self._wall_ns, self._tape_ns = now, next_ns
        due = self._tape_ns + int((now - self._wall_ns) * self._speed)
        ahead = next_ns - due
        if ahead > SILENCE_MAX_NS * self._speed or -ahead > BEHIND_MAX_S * 1e9 * self._speed:
            self._wall_ns, self._tape_ns = now, next_ns
            return next_ns
        return due

    def wall(self, tape_ns: int) -> int:
        """The wall time of a tick."""
        return self._wall_ns + int((tape_ns - self._tape_ns) / self._speed)


def _week(chunk: Chunk) -> Chunk:
    """A chunk without the ticks of the weekend, when most markets stand still."""
    hour = np.mod(chunk.ts_ns - _FIRST_MONDAY_NS, _WEEK_NS)
    keep = (hour < _WEEKEND[0]) | (hour >= _WEEKEND[1])
    if keep.all():
        return chunk
    return Chunk(chunk.ts_ns[keep], chunk.instrument[keep], chunk.bid[keep], chunk.ask[keep])


def packed(index: int, bid: int, ask: int) -> bytes:
    """A QUOTE record; the shard sets its time."""
    return _HEAD + _QUOTE.pack({"instrument": index, "bid": bid, "ask": ask})
