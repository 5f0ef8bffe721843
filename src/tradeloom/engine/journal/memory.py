"""A journal that keeps nothing, for tests and for measuring what the disk costs."""

from __future__ import annotations

from collections.abc import Iterator

from ..limits import RECORD_PAYLOAD_BYTES_MAX
from .contract import Durability, Record


class MemoryJournal:
    """Counts records; durability `memory`: everything is gone when the process ends."""

    durability: Durability = "memory"

    payload_bytes_max = RECORD_PAYLOAD_BYTES_MAX

    def __init__(self) -> None:
        self.durable = 0

    def reserve(self, payload_bytes: int) -> None:
        """There is always room."""

    def append(self, payload: bytes, first_seq: int, inputs: int, ts: int) -> int:
        """Count one record."""
        self.durable += 1
        return self.durable

    def settle(self) -> None:
        """Nothing waits."""

    def reader(self, after: int = 0) -> NothingReader:
        """A reader without records."""
        return NothingReader()

    def close(self) -> None:
        """Nothing to release."""


class NothingReader:
    """The reader of a journal that keeps nothing."""

    number = 1
    hash = b""
    segment = "memory"

    def seek(self) -> None:
        """There is only one place."""

    def records(self, upto: int) -> Iterator[Record]:
        """No records."""
        return iter(())

    def close(self) -> None:
        """Nothing to release."""
