"""What can go wrong in the store, as exceptions whose text says what, where and what to do.

StoreError
├── EventGap         events are missing between what is stored and what came
├── CorruptEvents    bytes that are not whole event records
├── SecondWriter     somebody else moved the projection: two writers on one shard
├── BadCursor        a cursor that this listing did not give out
└── Unavailable      the database does not answer, is locked or has no room
"""

from __future__ import annotations

from typing import Final


class StoreError(Exception):
    """Everything the store raises on purpose."""


class EventGap(StoreError):  # noqa: N818 - the name says what it is
    """Event `expected` should have come, `got` came: feed again from the journal."""

    def __init__(self, expected: int, got: int) -> None:
        self.expected: Final = expected
        self.got: Final = got
        super().__init__(f"event {expected} is missing, {got} came; feed again from the journal")


class CorruptEvents(StoreError):  # noqa: N818 - the name says what it is
    """Bytes at `offset` that are not an event record."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset: Final = offset
        super().__init__(f"not an event record at byte {offset}: {reason}")


class SecondWriter(StoreError):  # noqa: N818 - the name says what it is
    """The stored position of a projection is not where this writer left it."""

    def __init__(self, name: str, shard: int, expected: int) -> None:
        super().__init__(
            f"projection {name} of shard {shard} no longer stands at event {expected}: "
            "another process writes it; stop one of the two"
        )


class BadCursor(StoreError):  # noqa: N818 - the name says what it is
    """A cursor that is damaged or belongs to another listing."""

    def __init__(self) -> None:
        super().__init__("the cursor is not one of this listing; start again without it")


class Unavailable(StoreError):  # noqa: N818 - the name says what it is
    """The database does not answer, is locked or has no room; the text says which."""
