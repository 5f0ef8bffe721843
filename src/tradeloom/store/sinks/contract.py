"""What the writer needs of a database: where a projection stands, and one transaction at a time.

Synchronous on purpose: a sink belongs to one thread, the writer's.
"""

from __future__ import annotations

from typing import Protocol

from ..writes import Writes


class Sink(Protocol):
    """One database connection that writes one projection of one shard.

    Every method raises `Unavailable` when the database does not answer; `open` may be tried again.
    """

    def open(self) -> None:
        """Connect, or connect anew after a failure."""

    def last_seq(self) -> int:
        """The last event whose effects are stored; 0 before the first."""

    def digits(self) -> dict[int, int]:
        """Price digits of the instruments that are stored, by number."""

    def write(self, rows: Writes, before: int, last_seq: int) -> None:
        """Store rows and the new position in one transaction.

        Raises `SecondWriter` when the stored position is not `before`; then nothing is stored.
        """

    def clear(self) -> None:
        """Remove everything of this shard that events make, and stand at event 0."""

    def close(self) -> None:
        """Release the connection; may be called twice."""
