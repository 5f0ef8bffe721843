"""What the recorder needs of a store: take frames, all or none, each exactly once."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from .rows import Rows


class StoreDown(Exception):  # noqa: N818 - the name says what it is
    """The store does not answer or has no room; the same call may be made again."""


class Stored(NamedTuple):
    """What a call stored: rows by kind, and frames that were stored before."""

    quotes: int = 0
    trades: int = 0
    funding: int = 0
    known: int = 0

    @property
    def rows(self) -> int:
        """Rows of all kinds."""
        return self.quotes + self.trades + self.funding


class RecordStore(Protocol):
    """A place for ticks. Every method raises StoreDown; `rows` and `every_s` are the size and age
    at which it likes its batches."""

    rows: int
    every_s: float

    async def open(self) -> None:
        """Get ready; may be called again after a failure."""

    async def store(self, stream: str, rows: Rows) -> Stored:
        """Store the rows of a stream's frames durably, leaving out what is stored already.

        Raises BadFrame with the position of a frame that can never be stored; then none is.
        """

    async def close(self) -> None:
        """Let go; may be called twice."""
