"""The two ways an embedded engine keeps what it was told: in memory only, or in a journal first."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Protocol

import numpy as np

from tradeloom._core import Core

from .frames import count
from .local import LocalShard, Storage, open_local
from .results import RESULT


class Writer(Protocol):
    """Applies batches of inputs to a core; when `write` returns, they are as safe as promised."""

    @property
    def core(self) -> Core:
        """The state that was written so far."""

    def write(self, batch: bytes) -> bytes:
        """Apply packed inputs; their packed events and the answers to what was refused.

        Raises MalformedInput, or JournalUnavailable when there is no room: then nothing changed.
        """

    def replay(self, after: int) -> Iterator[bytes]:
        """History from its beginning, as chunks of packed events that reach behind `after`."""

    def close(self) -> None:
        """Release what is held."""


class MemoryWriter:
    """Nothing outlives the process."""

    def __init__(self, shard: int) -> None:
        self._core = Core(shard)

    @property
    def core(self) -> Core:
        """The state that was written so far."""
        return self._core

    def write(self, batch: bytes) -> bytes:
        """Apply packed inputs; their packed events, refusals in their places."""
        count(batch)
        return self._core.apply(batch)

    def replay(self, after: int) -> Iterator[bytes]:
        """There is no journal to make old events from: raises LookupError."""
        raise LookupError(
            f"the events behind {after} are no longer in memory; open the engine with a path"
        )

    def close(self) -> None:
        """Nothing is held."""


class DurableWriter:
    """Everything is in the journal before it is done; see `local.LocalShard`."""

    def __init__(
        self, directory: str | PathLike[str], shard: int, storage: Storage | None = None
    ) -> None:
        opened = open_local(Path(directory), shard, storage=storage)
        self._shard = LocalShard(opened, keep_ts=True)

    @property
    def core(self) -> Core:
        """The state; everything in it is durable."""
        return self._shard.core

    def write(self, batch: bytes) -> bytes:
        """Journal and apply packed inputs; their packed events, then what was refused."""
        outcome = self._shard.write(batch)
        answers = b"".join(outcome.answers)
        if not answers:
            return outcome.events
        rows = np.frombuffer(answers, RESULT)
        refused: bytes = rows[rows["flags"] != 0].tobytes()
        return outcome.events + refused

    def replay(self, after: int) -> Iterator[bytes]:
        """History made again from the journal, from its beginning, whatever `after` is."""
        return self._shard.history()

    def close(self) -> None:
        """Write a final snapshot and release the files."""
        self._shard.close()
