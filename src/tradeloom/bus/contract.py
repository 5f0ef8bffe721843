"""The contract of the bus: streams of bytes, read by groups.

Every group of a stream gets every entry; inside a group each entry goes to one consumer and stays
*waiting* until that consumer acknowledges it. What a dead consumer left waiting is claimed by a
living one. So an entry is handled at least once, and a reader that stores what it did in the same
transaction as its position makes that exactly once.

Ids are `MILLISECONDS-NUMBER` of the time they were published and grow within a stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

Since = Literal["oldest", "newest"]


class Entry(NamedTuple):
    """What was published; `deliveries` counts this one, so it is 1 the first time."""

    id: str
    data: bytes
    deliveries: int


class Waiting(NamedTuple):
    """An entry that was delivered and not acknowledged."""

    id: str
    deliveries: int


class Buried(NamedTuple):
    """A dead letter: the entry, the group it was taken out of, and why."""

    id: str
    data: bytes
    group: str
    reason: str


class Backlog(NamedTuple):
    """How far behind a group is: `lag` entries not delivered yet (None: Redis does not know, some
    were deleted meanwhile), `pending` delivered and not acknowledged."""

    lag: int | None
    pending: int
    consumers: dict[str, int]


class Trimmed(NamedTuple):
    """What a trim removed: `read` entries every durable group was done with, `unread` others."""

    read: int
    unread: int

    @property
    def reason(self) -> Literal["none", "read", "full"]:
        """Why entries went; `full` is a loss that readers see as a gap."""
        if self.unread:
            return "full"
        return "read" if self.read else "none"


class Bus(Protocol):
    """A place to publish to and read from.

    Every method raises `BusUnavailable` when nobody answers; those that publish also `BusFull` and
    `OutcomeUnknown`. A group or stream that does not exist (any more) is made, from the oldest
    entry there is.
    """

    async def publish(self, stream: str, data: bytes) -> str:
        """Add one entry; its id."""

    async def publish_many(self, stream: str, batch: Sequence[bytes]) -> list[str]:
        """Add entries in their order, all or none; their ids."""

    async def join(self, stream: str, group: str, since: Since = "oldest") -> bool:
        """Make the group if there is none; True when it was made."""

    async def read(
        self, stream: str, group: str, consumer: str, *, count: int, wait_s: float
    ) -> list[Entry]:
        """Up to `count` entries nobody of the group had yet; waits for the first, then empty."""

    async def waiting(
        self, stream: str, group: str, consumer: str, *, count: int, after: str = ""
    ) -> list[Waiting]:
        """What this consumer has not acknowledged, oldest first, behind the id `after`."""

    async def claim(
        self, stream: str, group: str, consumer: str, *, idle_s: float, count: int
    ) -> list[str]:
        """Make what nobody acknowledged for `idle_s` this consumer's own; the ids.

        It is not delivered yet: `take` does that. Waiting entries that were trimmed meanwhile are
        forgotten.
        """

    async def take(self, stream: str, group: str, consumer: str, ids: Sequence[str]) -> list[Entry]:
        """Deliver waiting entries (again), which counts; those that were trimmed are left out."""

    async def acknowledge(self, stream: str, group: str, ids: Sequence[str]) -> int:
        """Stop waiting for these; how many were waiting."""

    async def bury(self, stream: str, group: str, entry: Entry, reason: str) -> None:
        """Acknowledge an entry nobody can handle and keep it among the dead letters, in one."""

    async def buried(self, stream: str, count: int = 100) -> list[Buried]:
        """The newest dead letters of a stream, newest first."""

    async def backlog(self, stream: str, group: str) -> Backlog:
        """How far behind a group is."""

    async def length(self, stream: str) -> int:
        """Entries kept."""

    async def trim(
        self, stream: str, *, keep_s: float, durable: Sequence[str], length_max: int
    ) -> Trimmed:
        """Remove entries older than `keep_s`, but none that a `durable` group still needs (one
        that does not exist yet needs all), unless there are more than `length_max`."""

    async def close(self) -> None:
        """Let go of everything; may be called twice."""


def order(entry_id: str) -> tuple[int, int]:
    """What ids are sorted by."""
    head, _, tail = entry_id.partition("-")
    return int(head), int(tail or 0)
