"""What can go wrong on the bus, as exceptions whose text says what, where and what to do.

BusError
├── BusFull          there is no room: nothing was published; conflate, or answer BUSY
├── BusUnavailable   nobody answers: nothing was published; try again later
└── OutcomeUnknown   the connection broke after the bytes left: it may or may not be published
"""

from __future__ import annotations

from typing import Final

from tradeloom.domain.enums import ReturnCode


class BusError(Exception):
    """Everything the bus raises on purpose."""


class BusFull(BusError):  # noqa: N818 - the name says what it is
    """There is no room. A quote may be dropped for it; a command is answered with `code`."""

    code: Final = ReturnCode.BUSY


class BusUnavailable(BusError):  # noqa: N818 - the name says what it is
    """The server does not answer or is still loading; nothing was published."""


class OutcomeUnknown(BusError):  # noqa: N818 - the name says what it is
    """Published or not: nobody knows. Publish again only what readers recognise as the same."""
