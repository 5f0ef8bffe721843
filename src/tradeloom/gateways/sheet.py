"""Listings as CSV files: streamed page by page, and safe to open in a spreadsheet.

A cell that begins like a formula would be run by a spreadsheet, so it gets an apostrophe in front;
numbers, which may begin with a minus, stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from tradeloom.gateways.limits import STATEMENT_ROWS_MAX

Row = dict[str, Any]
Fetch = Callable[[str | None], Awaitable[tuple[list[Row], str | None]]]
"""A page from its cursor: rows and the next cursor."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def cell(value: Any) -> str:
    """A value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list | tuple):
        value = msgspec.json.encode(value).decode()
    text = str(value)
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def lines(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """Rows as CSV lines."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue().encode()


async def sheet(
    columns: Sequence[str], rows: list[Row], cursor: str | None, fetch: Fetch
) -> AsyncIterator[bytes]:
    """A CSV file from its first page on; at most STATEMENT_ROWS_MAX rows."""
    yield lines(columns, [dict(zip(columns, columns, strict=True))])
    sent = 0
    while rows and sent < STATEMENT_ROWS_MAX:
        yield lines(columns, rows)
        sent += len(rows)
        if cursor is None:
            return
        rows, cursor = await fetch(cursor)
