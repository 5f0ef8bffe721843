"""Lists in the form the caller wants: a page of JSON, or the whole list as a CSV file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query, Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from tradeloom.gateways.limits import PAGE_ROWS_MAX
from tradeloom.gateways.rest.gate import page, reply
from tradeloom.gateways.sheet import Row, lines, sheet

Listed = Callable[[str | None, int | None], Awaitable[tuple[list[Row], str | None]]]
"""A page from its cursor and size: rows and the next cursor."""

CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}


def _wanted(
    request: Request,
    format: Annotated[  # noqa: A002 - the word on the wire
        Literal["json", "csv"] | None,
        Query(description="csv gives the whole list as a file, as does `Accept: text/csv`."),
    ] = None,
) -> bool:
    if format is not None:
        return format == "csv"
    accept = request.headers.get("accept", "")
    return "text/csv" in accept and "json" not in accept


AsCsv = Annotated[bool, Depends(_wanted)]


async def pages(
    csv: bool,
    name: str,
    model: type[BaseModel],
    listed: Listed,
    cursor: str | None,
    limit: int | None,
) -> Response:
    """A listing with cursors. The file begins at `cursor` and goes to the end."""
    if not csv:
        rows, more = await listed(cursor, limit)
        return page(rows, more)

    async def fetch(at: str | None) -> tuple[list[Row], str | None]:
        return await listed(at, PAGE_ROWS_MAX)

    rows, more = await fetch(cursor)
    body = sheet(list(model.model_fields), rows, more, fetch)
    return StreamingResponse(body, media_type="text/csv", headers=_named(name))


def whole(csv: bool, name: str, model: type[BaseModel], rows: list[Row]) -> Response:
    """A list that is short enough to be one answer."""
    if not csv:
        return reply(rows)
    columns = list(model.model_fields)
    head = lines(columns, [dict(zip(columns, columns, strict=True))])
    return Response(head + lines(columns, rows), media_type="text/csv", headers=_named(name))


def _named(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}.csv"'}
