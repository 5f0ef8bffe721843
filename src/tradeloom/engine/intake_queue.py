"""What waits to be ordered: commands first come first served, quotes conflated when they pile up.

Bounded in inputs and bytes. Quotes never use up the room of commands: past a limit only the newest
of each instrument is kept, in front of the waiting commands, which then trade on the newest price.
"""

from __future__ import annotations

import asyncio
from typing import Final

from .limits import (
    BATCH_BYTES_MAX,
    BATCH_INPUTS_MAX,
    QUEUE_BYTES_MAX,
    QUEUE_INPUTS_MAX,
    QUOTE_INSTRUMENTS_MAX,
    QUOTES_WAITING_MAX,
)

Answer = asyncio.Future[bytes]
# Where the instrument number stands in a QUOTE record.
_INSTRUMENT: Final = slice(16, 20)


class IntakeQueue:
    """Submissions waiting for the next batch; each with its future, which quotes do not have."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._counts: list[int] = []
        self._futures: list[Answer | None] = []
        self._quotes: list[bytes] = []
        # Position of the newest quote of each instrument, once quotes are being conflated.
        self._newest: dict[bytes, int] | None = None
        self.commands = 0
        self.bytes = 0
        self.conflated = 0

    def __len__(self) -> int:
        return len(self._packed) + len(self._quotes)

    def has_room(self, inputs: int, size: int) -> bool:
        """False when the queue is full."""
        return self.commands + inputs <= QUEUE_INPUTS_MAX and self.bytes + size <= QUEUE_BYTES_MAX

    def add(self, packed: bytes, count: int, future: Answer | None) -> None:
        """Put a submission at the end."""
        self._packed.append(packed)
        self._counts.append(count)
        self._futures.append(future)
        self.commands += count
        self.bytes += len(packed)

    def add_quote(self, packed: bytes) -> bool:
        """Take a quote; False when it was dropped: more instruments wait than there can be."""
        if self._newest is None and len(self._quotes) >= QUOTES_WAITING_MAX:
            self._conflate()
        if self._newest is None:
            self._quotes.append(packed)
            return True
        at = self._newest.get(packed[_INSTRUMENT])
        if at is not None:
            self._quotes[at] = packed
            self.conflated += 1
            return True
        if len(self._quotes) >= QUOTE_INSTRUMENTS_MAX:
            return False
        self._newest[packed[_INSTRUMENT]] = len(self._quotes)
        self._quotes.append(packed)
        return True

    def take(self) -> tuple[list[bytes], list[int], list[Answer | None]]:
        """The next batch: the waiting quotes, then commands up to the bounds of a batch."""
        quotes = self._quotes[:BATCH_INPUTS_MAX]
        self._quotes = self._quotes[BATCH_INPUTS_MAX:]
        self._newest = None
        take, inputs, size = 0, 0, 0
        if self.commands <= BATCH_INPUTS_MAX and self.bytes <= BATCH_BYTES_MAX:
            take, inputs, size = len(self._packed), self.commands, self.bytes
        else:
            for packed, count in zip(self._packed, self._counts, strict=True):
                full = inputs + count > BATCH_INPUTS_MAX or size + len(packed) > BATCH_BYTES_MAX
                if take and full:
                    break
                take, inputs, size = take + 1, inputs + count, size + len(packed)
        batch = (
            quotes + self._packed[:take],
            [1] * len(quotes) + self._counts[:take],
            [None] * len(quotes) + self._futures[:take],
        )
        self._packed = self._packed[take:]
        self._counts = self._counts[take:]
        self._futures = self._futures[take:]
        self.commands -= inputs
        self.bytes -= size
        return batch

    def _conflate(self) -> None:
        newest: dict[bytes, bytes] = {quote[_INSTRUMENT]: quote for quote in self._quotes}
        self.conflated += len(self._quotes) - len(newest)
        self._quotes = list(newest.values())
        self._newest = {instrument: at for at, instrument in enumerate(newest)}
