"""What waits for a second person: requested by one, approved or rejected by another.

A request ends once: `pending` becomes `rejected`, `expired`, `withdrawn` or `approved`. What was
approved is then carried out under a command id made of its number, so that carrying it out again
after a crash does nothing twice; `outcome` says what the engine answered.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from . import tables as t
from .cursors import Page, decode, page, rows_of
from .database import Database

_LISTING = "approvals"


class ApprovalState(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One request. Users by id; `request` is what will be done; times in UTC nanoseconds."""

    id: int
    created: int
    expires: int
    requester: int
    operation: str
    target: str
    request: dict[str, Any]
    reason: str
    state: ApprovalState
    decided_by: int | None
    decided: int | None
    note: str
    outcome: dict[str, Any] | None


class Approvals:
    """Requests in `database`; every method raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(
        self,
        connection: AsyncConnection,
        *,
        now: int,
        expires: int,
        requester: int,
        operation: str,
        target: str,
        request: dict[str, Any],
        reason: str,
        key: str | None = None,
    ) -> int:
        """A new request, in the caller's transaction; its number."""
        made = await connection.execute(
            insert(t.approvals).values(
                created=now,
                expires=expires,
                requester=requester,
                operation=operation,
                target=target,
                request=json.dumps(request, separators=(",", ":")),
                reason=reason,
                state=ApprovalState.PENDING.value,
                note="",
                key=key,
            )
        )
        return int((made.inserted_primary_key or (0,))[0])

    async def get(self, number: int) -> Approval | None:
        """One request."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(t.approvals).where(t.approvals.c.id == number))
            ).first()
        return None if row is None else _shown(row)

    async def asked(self, requester: int, key: str) -> Approval | None:
        """What somebody asked for under this key before."""
        a = t.approvals
        query = select(a).where(a.c.requester == requester, a.c.key == key)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _shown(row)

    async def decide(
        self,
        connection: AsyncConnection,
        number: int,
        state: ApprovalState,
        *,
        by: int,
        now: int,
        note: str = "",
    ) -> bool:
        """End a pending request that is not too old; False when it had ended before."""
        a = t.approvals
        change = (
            update(a)
            .where(a.c.id == number, a.c.state == ApprovalState.PENDING.value, a.c.expires > now)
            .values(state=state.value, decided_by=by, decided=now, note=note)
        )
        return bool((await connection.execute(change)).rowcount)

    async def close(self, number: int, outcome: dict[str, Any]) -> None:
        """Keep what carrying it out came to."""
        a = t.approvals
        text = json.dumps(outcome, separators=(",", ":"), default=str)
        async with self._database.write() as connection:
            await connection.execute(update(a).where(a.c.id == number).values(outcome=text))

    async def expire(self, now: int) -> int:
        """End what nobody decided in time; how many."""
        a = t.approvals
        change = (
            update(a)
            .where(a.c.state == ApprovalState.PENDING.value, a.c.expires <= now)
            .values(state=ApprovalState.EXPIRED.value, decided=a.c.expires)
        )
        async with self._database.write() as connection:
            return (await connection.execute(change)).rowcount

    async def listed(
        self,
        *,
        state: ApprovalState | None = None,
        operation: str | None = None,
        target: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[Approval]:
        """Requests, newest first; raises BadCursor."""
        a, size = t.approvals, rows_of(limit)
        query = select(a).order_by(a.c.id.desc()).limit(size + 1)
        if state is not None:
            query = query.where(a.c.state == state.value)
        if operation is not None:
            query = query.where(a.c.operation == operation)
        if target is not None:
            query = query.where(a.c.target == target)
        if cursor is not None:
            query = query.where(a.c.id < decode(_LISTING, cursor, 1)[0])
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return page(_LISTING, rows, size, _shown, lambda row: (row.id,))


def _shown(row: Any) -> Approval:
    return Approval(
        id=row.id,
        created=row.created,
        expires=row.expires,
        requester=row.requester,
        operation=row.operation,
        target=row.target,
        request=json.loads(row.request),
        reason=row.reason,
        state=ApprovalState(row.state),
        decided_by=row.decided_by,
        decided=row.decided,
        note=row.note,
        outcome=None if row.outcome is None else json.loads(row.outcome),
    )
