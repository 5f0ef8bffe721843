"""Opaque cursors: where a listing goes on, as text that a client hands back unread."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from .errors import BadCursor
from .limits import CURSOR_CHARACTERS_MAX, PAGE_ROWS, PAGE_ROWS_MAX

T = TypeVar("T")
R = TypeVar("R")
_MARK_BYTES = 2
_VALUE_MAX = 2**63 - 1  # what a column can be compared with


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Rows of a listing, newest first, and the cursor of the next page; `next` None: no more."""

    items: list[T]
    next: str | None = None


def encode(listing: str, values: Sequence[int]) -> str:
    """A cursor of a listing; `values` are the sort keys of the last row shown."""
    body = msgspec.msgpack.encode(values)
    return base64.urlsafe_b64encode(_mark(listing, body) + body).rstrip(b"=").decode()


def decode(listing: str, cursor: str, count: int) -> tuple[int, ...]:
    """The `count` values of a cursor; raises BadCursor for one of another listing or damaged."""
    if len(cursor) > CURSOR_CHARACTERS_MAX:
        raise BadCursor
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        body = raw[_MARK_BYTES:]
        if raw[:_MARK_BYTES] != _mark(listing, body):
            raise BadCursor
        values = msgspec.msgpack.decode(body, type=list[int])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise BadCursor from None
    if len(values) != count or any(abs(value) > _VALUE_MAX for value in values):
        raise BadCursor
    return tuple(values)


def rows_of(limit: int | None) -> int:
    """How many rows a page has when a caller asks for `limit`."""
    return PAGE_ROWS if limit is None else max(1, min(limit, PAGE_ROWS_MAX))


def page(
    listing: str,
    rows: Sequence[R],
    limit: int,
    item: Callable[[R], T],
    keys: Callable[[R], Sequence[int]],
) -> Page[T]:
    """A page from `limit` + 1 rows: the one too many says that there is a next page."""
    shown = rows[:limit]
    more = encode(listing, keys(shown[-1])) if len(rows) > limit else None
    return Page([item(row) for row in shown], more)


def _mark(listing: str, body: bytes) -> bytes:
    """Two bytes that tell a typing error or a cursor of another listing apart; not a signature."""
    return zlib.crc32(body, zlib.crc32(listing.encode())).to_bytes(4, "little")[:_MARK_BYTES]
