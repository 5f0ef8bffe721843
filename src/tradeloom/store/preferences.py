"""What users want remembered: layouts, favourites, alerts; small JSON by user and name."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, update

from . import tables as t
from .database import Database
from .errors import StoreError
from .limits import PREFERENCES_MAX


class TooMany(StoreError):  # noqa: N818
    """The user has as many preferences as one may have."""


class Preference(msgspec.Struct, frozen=True):
    """One thing that is remembered; `updated` in UTC nanoseconds."""

    name: str
    value: Any
    updated: int


class Preferences:
    """Preferences of the users of `database`; every method raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def names(self, user_id: int) -> list[str]:
        """What is remembered for a user."""
        p = t.preferences
        async with self._database.read() as connection:
            query = select(p.c.name).where(p.c.user_id == user_id).order_by(p.c.name)
            return list((await connection.execute(query)).scalars())

    async def get(self, user_id: int, name: str) -> Preference | None:
        """One of them, None when there is none."""
        p = t.preferences
        async with self._database.read() as connection:
            query = select(p).where(p.c.user_id == user_id, p.c.name == name)
            row = (await connection.execute(query)).first()
        return None if row is None else Preference(row.name, json.loads(row.value), row.updated)

    async def put(self, user_id: int, name: str, value: Any, now: int) -> None:
        """Remember one; raises TooMany for one name too many."""
        p, text = t.preferences, json.dumps(value, separators=(",", ":"))
        mine = p.c.user_id == user_id
        async with self._database.write() as connection:
            change = update(p).where(mine, p.c.name == name).values(value=text, updated=now)
            if (await connection.execute(change)).rowcount:
                return
            count = select(func.count()).select_from(p).where(mine)
            if (await connection.execute(count)).scalar_one() >= PREFERENCES_MAX:
                raise TooMany(f"at most {PREFERENCES_MAX} preferences")
            row = {"user_id": user_id, "name": name, "value": text, "updated": now}
            await connection.execute(insert(p).values(**row))

    async def remove(self, user_id: int, name: str) -> bool:
        """Forget one; False when there was none."""
        p = t.preferences
        async with self._database.write() as connection:
            gone = delete(p).where(p.c.user_id == user_id, p.c.name == name)
            return bool((await connection.execute(gone)).rowcount)
