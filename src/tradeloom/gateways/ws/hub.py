"""Deals events and quotes out to readers: each is encoded once per encoding, never per reader."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Any, Final

from tradeloom.domain.events import AnyEvent
from tradeloom.gateways.limits import STALLED_S
from tradeloom.gateways.markups import Markups
from tradeloom.gateways.outbox import Batch, Outbox, Place
from tradeloom.gateways.quotes import Quote, QuoteBoard, price
from tradeloom.gateways.wire import rfc3339, wire
from tradeloom.gateways.ws.messages import CHANNEL_OF, STAFF_OF, Close, Codec, Frame
from tradeloom.gateways.ws.reader import Reader

EveryAccount: Final = 0


class QuoteGroup:
    """Readers that want the same quotes in the same encoding and rhythm share every frame."""

    def __init__(
        self, codec: Codec, interval_s: float, symbols: frozenset[str] | None, account: int
    ) -> None:
        self.codec = codec
        self.interval_s = interval_s
        self.symbols = symbols
        self.account = account
        self.readers: set[Reader] = set()
        self.waiting: list[Quote] = []
        self.timer: asyncio.TimerHandle | None = None


class Hub:
    """Listens to the outbox and the quote board; readers subscribe here. One per process."""

    def __init__(self, outbox: Outbox, board: QuoteBoard, markups: Markups) -> None:
        self.outbox: Final = outbox
        self.board: Final = board
        self.markups: Final = markups
        self._accounts: dict[tuple[str, int], set[Reader]] = {}
        self._groups: dict[tuple[str, float, frozenset[str] | None, int], QuoteGroup] = {}
        self._encoded: dict[str, dict[tuple[int, int], bytes]] = {}
        self._stop = [outbox.listen(self._events), board.listen(self._quotes)]
        self.readers: set[Reader] = set()

    def close(self) -> None:
        """Listen no more."""
        for stop in self._stop:
            stop()
        self._stop.clear()

    def cut_stalled(self) -> int:
        """Cut the readers that have not taken a frame for too long; how many."""
        before = time.monotonic() - STALLED_S
        stalled = [reader for reader in self.readers if 0 < reader.busy_since < before]
        for reader in stalled:
            reader.cut(Close.TOO_SLOW)
        return len(stalled)

    # ---- events ------------------------------------------------------------------------------

    def follow(self, reader: Reader, channel: str, account: int) -> None:
        """Give a reader the events of a channel and account (0: every account)."""
        self._accounts.setdefault((channel, account), set()).add(reader)

    def unfollow(self, reader: Reader, channel: str, account: int) -> None:
        """No longer."""
        readers = self._accounts.get((channel, account))
        if readers is not None:
            readers.discard(reader)
            if not readers:
                del self._accounts[channel, account]

    def replay(
        self, reader: Reader, batches: Iterable[Batch], channel: str, account: int, after: int
    ) -> int:
        """Give a reader the events of these batches behind `after`; the last seq seen."""
        last = after
        for batch in batches:
            for place in batch.places:
                if place.seq <= last:
                    continue
                last = place.seq
                if (channel, account) in _targets(place):
                    for event in self._decode(batch, place):
                        codec = reader.codec
                        reader.push(codec.frame(codec.encode(message(channel, event))))
        return last

    def _events(self, batch: Batch) -> None:
        accounts = self._accounts
        if not accounts:
            return
        for place in batch.places:
            decoded: list[AnyEvent] | None = None
            for target in _targets(place):
                readers = accounts.get(target)
                if not readers:
                    continue
                if decoded is None:
                    decoded = self._decode(batch, place)
                for event in decoded:
                    frames: dict[str, Frame] = {}
                    for reader in tuple(readers):
                        codec = reader.codec
                        frame = frames.get(codec.name)
                        if frame is None:
                            data = codec.encode(message(target[0], event))
                            frame = frames[codec.name] = codec.frame(data)
                        reader.push(frame)

    def _decode(self, batch: Batch, place: Place) -> list[AnyEvent]:
        view = memoryview(batch.data)[place.start : place.end]
        return list(self.outbox.decoder.decode(view))

    # ---- quotes ------------------------------------------------------------------------------

    def watch(
        self, reader: Reader, symbols: frozenset[str] | None, interval_ms: int, account: int = 0
    ) -> QuoteGroup:
        """Give a reader quotes; all symbols for None. It gets the newest of each at once.

        With an account they are the prices it would be filled at, else the raw ones.
        """
        key = (reader.codec.name, interval_ms / 1000, symbols, account)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = QuoteGroup(reader.codec, key[1], symbols, account)
        group.readers.add(reader)
        newest = [
            quote
            for quote in self.board.newest.values()
            if symbols is None or quote.symbol in symbols
        ]
        if newest:
            shown = self._shown(newest, group)
            parts = [self.quote_bytes(quote, reader.codec) for quote in shown]
            reader.push(reader.codec.frame(reader.codec.quotes(parts)))
        return group

    def unwatch(self, reader: Reader, group: QuoteGroup) -> None:
        """No longer."""
        group.readers.discard(reader)
        if not group.readers:
            with contextlib.suppress(KeyError):
                del self._groups[group.codec.name, group.interval_s, group.symbols, group.account]
            if group.timer is not None:
                group.timer.cancel()

    def quote_bytes(self, quote: Quote, codec: Codec) -> bytes:
        """A quote in an encoding; made once, as long as it is the newest lot."""
        encoded = self._encoded.setdefault(codec.name, {})
        key = (quote.number, quote.ask)
        found = encoded.get(key)
        if found is None:
            found = encoded[key] = codec.encode(
                {
                    "symbol": quote.symbol,
                    "bid": price(quote.bid, quote.digits),
                    "ask": price(quote.ask, quote.digits),
                    "time": rfc3339(quote.ts),
                    "number": quote.number,
                }
            )
        return found

    def _quotes(self, quotes: list[Quote]) -> None:
        # What was encoded is kept for the groups that flush later, but never for long.
        for encoded in self._encoded.values():
            if len(encoded) > 4 * len(self.board.newest) + 4096:
                encoded.clear()
        loop = asyncio.get_running_loop()
        for group in self._groups.values():
            if group.symbols is None:
                group.waiting += quotes
            else:
                group.waiting += [quote for quote in quotes if quote.symbol in group.symbols]
            if not group.waiting:
                continue
            if not group.interval_s:
                self._flush(group)
            elif group.timer is None:
                group.timer = loop.call_later(group.interval_s, self._flush, group)

    def _flush(self, group: QuoteGroup) -> None:
        group.timer = None
        quotes, group.waiting = group.waiting, []
        if not quotes or not group.readers:
            return
        quotes = self._shown(quotes, group)
        parts = [self.quote_bytes(quote, group.codec) for quote in quotes]
        frame = group.codec.frame(group.codec.quotes(parts))
        for reader in group.readers:
            reader.push_quotes(frame, quotes)

    def _shown(self, quotes: list[Quote], group: QuoteGroup) -> list[Quote]:
        return self.markups.shown(quotes, group.account) if group.account else quotes


def message(channel: str, event: AnyEvent) -> dict[str, Any]:
    """An event as a message."""
    kind = event.__struct_config__.tag
    return {
        "type": "event",
        "channel": channel,
        "seq": event.seq,
        "kind": kind,
        "event": wire(event),
    }


def _targets(place: Place) -> list[tuple[str, int]]:
    found = []
    own = CHANNEL_OF.get(place.kind)
    if own is not None:
        found.append((own, place.account))
    staff = STAFF_OF.get(place.kind)
    if staff is not None:
        found.append((staff, EveryAccount))
    return found
