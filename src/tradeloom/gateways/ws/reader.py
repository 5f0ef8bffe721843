"""One connected reader: what waits for it, and the task that writes it out.

Events are never dropped: a reader with too many waiting is cut. Quotes are: while a reader is busy
with an earlier frame, only the newest of each symbol waits for it. A reader that is not busy gets
its quotes without its task being woken, which is most of what a frame costs.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any

from tradeloom.gateways.limits import OUTBOX_EVENTS_MAX
from tradeloom.gateways.quotes import Quote
from tradeloom.gateways.ws.messages import Close, Codec, Frame
from tradeloom.security.rights import Principal

SendFrame = Callable[[Frame], Coroutine[Any, Any, None]]


class Reader:
    """The outgoing half of one connection. `on_cut` is called once, with the reason."""

    def __init__(
        self,
        codec: Codec,
        send: SendFrame,
        quote_bytes: Callable[[Quote, Codec], bytes],
        on_cut: Callable[[Close | None], None],
    ) -> None:
        self.codec = codec
        self.caller: Principal | None = None
        self.conflated = 0
        self._send = send
        self._quote_bytes = quote_bytes
        self._on_cut = on_cut
        self._frames: deque[Frame] = deque()
        self._begun: tuple[Coroutine[Any, Any, None], Any] | None = None
        self._stale: dict[str, Quote] = {}
        self._wake = asyncio.Event()
        self._cut = False
        self.busy_since = 0.0

    def push(self, frame: Frame) -> None:
        """Queue a frame that must arrive."""
        if self._cut:
            return
        if len(self._frames) >= OUTBOX_EVENTS_MAX:
            self.cut(Close.TOO_SLOW)
            return
        self._frames.append(frame)
        self._wake.set()

    def say(self, message: dict[str, Any]) -> None:
        """Queue an object."""
        self.push(self.codec.frame(self.codec.encode(message)))

    def push_quotes(self, frame: Frame, quotes: list[Quote]) -> None:
        """Queue a frame of quotes that many readers share, or merge them if this one is behind."""
        if self._cut:
            return
        if self.busy_since or self._frames or self._stale:
            self._merge(quotes)
            self._wake.set()
            return
        sending = self._send(frame)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return
        except Exception:
            self.cut(None)
            return
        self._begun = sending, waits_for
        self.busy_since = time.monotonic()
        self._wake.set()

    def cut(self, why: Close | None) -> None:
        """Stop serving this reader."""
        if not self._cut:
            self._cut = True
            self._frames.clear()
            self._stale.clear()
            self._on_cut(why)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._begun is not None:
                begun, self._begun = self._begun, None
                await _finish(*begun)
                self.busy_since = 0.0
            while self._frames:
                await self._write(self._frames.popleft())
            while self._stale:
                parts = [self._quote_bytes(quote, self.codec) for quote in self._stale.values()]
                self._stale.clear()
                await self._write(self.codec.frame(self.codec.quotes(parts)))

    async def _write(self, frame: Frame) -> None:
        self.busy_since = time.monotonic()
        await self._send(frame)
        self.busy_since = 0.0

    def _merge(self, quotes: list[Quote]) -> None:
        stale = self._stale
        before = len(stale)
        for quote in quotes:
            stale[quote.symbol] = quote
        self.conflated += len(quotes) - (len(stale) - before)


@coroutine
def _finish(begun: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that was begun outside a task and waits for something."""
    while True:
        try:
            value = yield waits_for
        except BaseException as error:
            waits_for = begun.throw(error)
            continue
        try:
            waits_for = begun.send(value)
        except StopIteration:
            return
