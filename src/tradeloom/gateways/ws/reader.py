"""One connected reader: what waits for it, and the task that writes it out.

Events are never dropped: a reader with too many waiting is cut. Quotes are: while a reader is busy
with an earlier frame, only the newest of each symbol waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from tradeloom.gateways.limits import OUTBOX_EVENTS_MAX
from tradeloom.gateways.quotes import Quote
from tradeloom.gateways.ws.messages import Close, Codec
from tradeloom.security.rights import Principal

SendFrame = Callable[[bytes], Awaitable[None]]


class Reader:
    """The outgoing half of one connection. `on_cut` is called once, with the reason."""

    def __init__(
        self,
        codec: Codec,
        send: SendFrame,
        quote_bytes: Callable[[Quote, Codec], bytes],
        on_cut: Callable[[Close], None],
    ) -> None:
        self.codec = codec
        self.caller: Principal | None = None
        self.conflated = 0
        self._send = send
        self._quote_bytes = quote_bytes
        self._on_cut = on_cut
        self._frames: deque[bytes] = deque()
        self._shared: deque[tuple[bytes, list[Quote]]] = deque()
        self._stale: dict[str, Quote] = {}
        self._wake = asyncio.Event()
        self._cut = False
        self.busy_since = 0.0

    def push(self, frame: bytes) -> None:
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
        self.push(self.codec.encode(message))

    def push_quotes(self, frame: bytes, quotes: list[Quote]) -> None:
        """Queue a frame of quotes that many readers share, or merge them if this one is behind."""
        if self._shared or self._stale or self.busy_since:
            if self._shared:
                for _, waiting in self._shared:
                    self._merge(waiting)
                self._shared.clear()
            self._merge(quotes)
        else:
            self._shared.append((frame, quotes))
        self._wake.set()

    def cut(self, why: Close) -> None:
        """Stop serving this reader."""
        if not self._cut:
            self._cut = True
            self._frames.clear()
            self._stale.clear()
            self._shared.clear()
            self._on_cut(why)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._frames:
                await self._write(self._frames.popleft())
            while self._shared:
                await self._write(self._shared.popleft()[0])
            while self._stale:
                parts = [self._quote_bytes(quote, self.codec) for quote in self._stale.values()]
                self._stale.clear()
                await self._write(self.codec.quotes(parts))

    async def _write(self, frame: bytes) -> None:
        self.busy_since = time.monotonic()
        await self._send(frame)
        self.busy_since = 0.0

    def _merge(self, quotes: list[Quote]) -> None:
        stale = self._stale
        before = len(stale)
        for quote in quotes:
            stale[quote.symbol] = quote
        self.conflated += len(quotes) - (len(stale) - before)
