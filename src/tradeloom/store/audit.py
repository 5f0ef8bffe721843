"""The audit log: who did what to whom, from where; rows are only ever added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from . import tables as t
from .cursors import Page, decode, page, rows_of
from .database import Database

_LISTING = "audit"
_TARGET_MAX, _ADDRESS_MAX, _ACTION_MAX = 128, 64, 64


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done. `actor`: user id, None for the system or an unknown caller."""

    id: int
    ts: int
    actor: int | None
    action: str
    target: str
    address: str
    detail: dict[str, Any]


async def append(
    connection: AsyncConnection,
    *,
    ts: int,
    actor: int | None,
    action: str,
    target: str = "",
    address: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a row, in the transaction of what it tells about; never put secrets into `detail`."""
    await connection.execute(
        insert(t.audit).values(
            ts=ts,
            actor=actor,
            action=action[:_ACTION_MAX],
            target=target[:_TARGET_MAX],
            address=address[:_ADDRESS_MAX],
            detail=json.dumps(dict(detail or {}), separators=(",", ":"), default=str),
        )
    )


async def entries(
    database: Database,
    *,
    actor: int | None = None,
    action: str | None = None,
    target: str | None = None,
    since: int | None = None,
    until: int | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[AuditRow]:
    """What was done, newest first: by a user, to a target, between two times; raises BadCursor.

    An `action` that ends with a dot stands for all that begin with it.
    """
    size = rows_of(limit)
    query = select(t.audit).order_by(t.audit.c.id.desc()).limit(size + 1)
    if actor is not None:
        query = query.where(t.audit.c.actor == actor)
    if action is not None:
        kind = t.audit.c.action
        query = query.where(
            kind.startswith(action, autoescape=True) if action.endswith(".") else kind == action
        )
    if target is not None:
        query = query.where(t.audit.c.target == target)
    if since is not None:
        query = query.where(t.audit.c.ts >= since)
    if until is not None:
        query = query.where(t.audit.c.ts < until)
    if cursor is not None:
        query = query.where(t.audit.c.id < decode(_LISTING, cursor, 1)[0])
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    return page(_LISTING, rows, size, _row, lambda row: (row.id,))


def _row(row: Any) -> AuditRow:
    return AuditRow(
        id=row.id,
        ts=row.ts,
        actor=row.actor,
        action=row.action,
        target=row.target,
        address=row.address,
        detail=json.loads(row.detail),
    )
