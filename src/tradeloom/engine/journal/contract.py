"""What the shard needs of a journal; the file journal is one, a database may be another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

# How safe an answered command is. Named in every shard, so nobody has to guess.
Durability = Literal["memory", "local-fsync"]


@dataclass(frozen=True, slots=True)
class Record:
    """One durable batch: `inputs` packed inputs in `payload`; the first one gets `first_seq`."""

    number: int
    epoch: int
    first_seq: int
    inputs: int
    ts: int
    payload: bytes
    # Where it stands, for messages and tools.
    segment: str
    offset: int


class Journal(Protocol):
    """An ordered, durable list of batches with one writer."""

    @property
    def durability(self) -> Durability:
        """What `append` promises when it returns."""

    @property
    def durable(self) -> int:
        """Number of the last durable record, 0 before the first."""

    @property
    def payload_bytes_max(self) -> int:
        """The largest payload one record can have."""

    def reserve(self, payload_bytes: int) -> None:
        """Make sure a record of this size fits, else `JournalUnavailable` with nothing changed."""

    def append(self, payload: bytes, first_seq: int, inputs: int, ts: int) -> int:
        """Write one record and make it durable; returns its number. `reserve` comes first.

        Raises `JournalWriteFailed` when it may or may not be on the disk: end the process.
        """

    def settle(self) -> None:
        """Do what can wait until the callers of the last record have their answers."""

    def reader(self, after: int = 0) -> RecordReader:
        """Reads durable records with numbers above `after`, in order."""

    def close(self) -> None:
        """Release files and locks. Everything appended is durable already."""


class RecordReader(Protocol):
    """A place in a journal that moves forward; safe to use from another thread than the writer."""

    @property
    def number(self) -> int:
        """Number of the next record."""

    @property
    def hash(self) -> bytes:
        """Chain hash of everything before the next record."""

    @property
    def segment(self) -> str:
        """The file, table or topic the next record is in, for messages."""

    def seek(self) -> None:
        """Go to the first record now, verifying what stands before it; else the first read does."""

    def records(self, upto: int) -> Iterator[Record]:
        """Verified records up to number `upto`, from where the last call stopped."""

    def close(self) -> None:
        """Release files."""
