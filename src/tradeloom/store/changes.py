"""Changes of groups and instruments: what stood before, what stands now, who, why."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from . import tables as t
from .cursors import Page, decode, page, rows_of
from .database import Database

_LISTING = "changes"


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One change. `before` None: it was new; `reverts`: the change it took back."""

    id: int
    ts: int
    actor: int
    what: str
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any]
    reason: str
    reverts: int | None
    approval: int | None


class Changes:
    """Changes kept in `database`; every method raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        connection: AsyncConnection,
        *,
        ts: int,
        actor: int,
        what: str,
        name: str,
        before: dict[str, Any] | None,
        after: dict[str, Any],
        reason: str,
        reverts: int | None = None,
        approval: int | None = None,
    ) -> int:
        """Keep a change, in the caller's transaction; its number."""
        made = await connection.execute(
            insert(t.definition_changes).values(
                ts=ts,
                actor=actor,
                kind=what,
                name=name,
                before=None if before is None else json.dumps(before, separators=(",", ":")),
                after=json.dumps(after, separators=(",", ":")),
                reason=reason,
                reverts=reverts,
                approval=approval,
            )
        )
        return int((made.inserted_primary_key or (0,))[0])

    async def get(self, number: int) -> ChangeRow | None:
        """One change."""
        c = t.definition_changes
        async with self._database.read() as connection:
            row = (await connection.execute(select(c).where(c.c.id == number))).first()
        return None if row is None else _shown(row)

    async def listed(
        self,
        *,
        what: str | None = None,
        name: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[ChangeRow]:
        """Changes, newest first; raises BadCursor."""
        c, size = t.definition_changes, rows_of(limit)
        query = select(c).order_by(c.c.id.desc()).limit(size + 1)
        if what is not None:
            query = query.where(c.c.kind == what)
        if name is not None:
            query = query.where(c.c.name == name)
        if cursor is not None:
            query = query.where(c.c.id < decode(_LISTING, cursor, 1)[0])
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return page(_LISTING, rows, size, _shown, lambda row: (row.id,))


def _shown(row: Any) -> ChangeRow:
    return ChangeRow(
        id=row.id,
        ts=row.ts,
        actor=row.actor,
        what=row.kind,
        name=row.name,
        before=None if row.before is None else json.loads(row.before),
        after=json.loads(row.after),
        reason=row.reason,
        reverts=row.reverts,
        approval=row.approval,
    )
