"""Plays a market into a venue: at its own pace, faster, as fast as readers take it, or by command.

A source is an iterator of `Tape`. With `verbatim`, recorded frames of the venue itself go to its
streams exactly as they were; otherwise the exchange tells what changed and the dialect encodes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from tradeloom.simulators.clock import HandClock
from tradeloom.simulators.exchange import MarketInput
from tradeloom.simulators.limits import OUTGOING_FRAMES_EASY, QUIET_S_MAX, REPLAY_BATCH

if TYPE_CHECKING:
    from tradeloom.simulators.dialect import VenueDialect


class Tape(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened in the outside market, and the frame that told it (verbatim)."""

    ts_ns: int
    event: MarketInput
    channel: str = ""
    frame: bytes = b""


class MarketPlayer:
    """Plays one source into one venue.

    `speed` is market seconds per second; 0 means as fast as the readers take it. A player that
    starts `held` moves only by `step`.
    """

    def __init__(
        self,
        dialect: VenueDialect,
        source: Iterator[Tape],
        *,
        speed: float = 1.0,
        verbatim: bool = False,
        held: bool = False,
    ) -> None:
        self.dialect: Final = dialect
        self.speed = speed
        self.held = held
        self.played = 0
        self.ended = False
        self._source: Final = source
        self._next: Tape | None = None
        self._changed: Final = asyncio.Event()
        dialect.exchange.tape_only = verbatim

    @property
    def verbatim(self) -> bool:
        """Whether recorded frames go out as they were."""
        return self.dialect.exchange.tape_only

    async def run(self) -> None:
        """Play until the source ends, then stand still; `hold`, `go` and `step` command it."""
        while True:
            if self.held or self.ended:
                self._changed.clear()
                await self._changed.wait()
            elif self.speed:
                await self._play_paced()
            else:
                await self._play_fast()

    def hold(self) -> None:
        """Stand still."""
        self.held = True
        self._changed.set()

    def go(self, speed: float | None = None) -> None:
        """Run on, at another speed if one is given."""
        self.speed = self.speed if speed is None else speed
        self.held = False
        self._changed.set()

    def step(self, count: int = 1) -> int:
        """Play so many events now, then the timers once; how many there were."""
        played = 0
        while played < count and self._advance():
            played += 1
        self.dialect.tick()
        return played

    def _peek(self) -> Tape | None:
        if self._next is None and not self.ended:
            self._next = next(self._source, None)
            self.ended = self._next is None
        return self._next

    def _advance(self) -> bool:
        tape = self._peek()
        if tape is None:
            return False
        self._next = None
        under = self.dialect.clock.under
        if isinstance(under, HandClock):
            under.set(tape.ts_ns)
        self.dialect.feed(tape.event)
        if self.verbatim and tape.frame:
            self.dialect.play(tape.channel, tape.frame, tape.event)
        self.played += 1
        return True

    async def _play_fast(self) -> None:
        while not self.held and not self.speed:
            for _ in range(REPLAY_BATCH):
                if not self._advance():
                    return
            await asyncio.sleep(0)
            while max((each.waiting for each in self.dialect.sessions), default=0) > (
                OUTGOING_FRAMES_EASY
            ):
                await asyncio.sleep(0.001)

    async def _play_paced(self) -> None:
        loop, speed = asyncio.get_running_loop(), self.speed
        first = self._peek()
        if first is None:
            return
        due, before_ns = loop.time(), first.ts_ns
        batch = 0
        while not self.held and self.speed == speed:
            tape = self._peek()
            if tape is None:
                return
            due += min(max(0, tape.ts_ns - before_ns) / 1e9, QUIET_S_MAX) / speed
            before_ns = tape.ts_ns
            wait_s = due - loop.time()
            if wait_s > 0.0005:
                self._changed.clear()
                try:
                    async with asyncio.timeout(wait_s):
                        await self._changed.wait()
                    return
                except TimeoutError:
                    batch = 0
            elif batch >= REPLAY_BATCH:
                await asyncio.sleep(0)
                batch = 0
            batch += 1
            self._advance()
