"""Events that are no longer in memory, made again from the journal for readers that were away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tradeloom.engine.event_log import TooFarBack, events_behind
from tradeloom.engine.journal import Journal
from tradeloom.gateways.limits import REPLAY_EVENTS_MAX, REPLAY_INPUTS_MAX
from tradeloom.gateways.outbox import Batch, walk


class TooOld(LookupError):  # noqa: N818
    """The events are further back than a reader may ask for; `oldest` is what it may ask for."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"events from {oldest} on can be had")
        self.oldest = oldest


class EventHistory:
    """Replays the journal of one shard, one reader at a time, beside the running shard.

    `newest_input` gives the number of the last input, which bounds the work.
    """

    def __init__(
        self, directory: Path, journal: Journal, shard: int, newest_input: Callable[[], int]
    ) -> None:
        self._directory = directory
        self._journal = journal
        self._shard = shard
        self._newest_input = newest_input
        self._one = asyncio.Lock()

    async def behind(self, after: int, last: int) -> list[Batch]:
        """Batches with the events behind `after`, at least up to `last`; raises `TooOld`."""
        if last - after > REPLAY_EVENTS_MAX:
            raise TooOld(last - REPLAY_EVENTS_MAX)
        async with self._one:
            return await asyncio.to_thread(self._read, after, last, self._newest_input())

    def _read(self, after: int, last: int, newest_input: int) -> list[Batch]:
        pieces = events_behind(
            self._directory,
            self._journal,
            after,
            shard=self._shard,
            upto_input=newest_input,
            inputs_max=REPLAY_INPUTS_MAX,
        )
        found = []
        try:
            for data in pieces:
                places = [place for place in walk(data) if place.seq > after]
                if places:
                    found.append(Batch(data, places))
        except TooFarBack:
            raise TooOld(last) from None
        return found
