"""API keys: for programs; shown once, stored as a hash, with fewer rights than their owner."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import func, insert, select, update

from tradeloom.store import Unavailable
from tradeloom.store import tables as t

from .door import NOBODY, Client, Door
from .errors import BadToken, BadValue, NotAllowed, NotFound
from .limits import API_KEYS_MAX, KEY_USED_EVERY_S, NAME_LENGTH_MAX
from .owners import accounts_of
from .rights import Principal, Role, Scope, parse_scopes, scopes_of
from .tokens import digest, new_api_key, prefix_of, same

_NS: Final = 10**9


class ApiKeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key as its owner sees it; times in UTC nanoseconds, `expires` None: never."""

    prefix: str
    name: str
    scopes: list[str]
    created: int
    expires: int | None
    used: int | None


class NewApiKey(msgspec.Struct, frozen=True):
    """A new key; `key` is shown this once."""

    key: str
    row: ApiKeyRow


class ApiKeys:
    """The keys of all users."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def create(
        self,
        owner: Principal,
        name: str,
        scopes: Iterable[str],
        *,
        expires: int | None = None,
        client: Client = NOBODY,
    ) -> NewApiKey:
        """A key with scopes its owner has; raises BadValue, and NotAllowed for a scope too many."""
        wanted, now = parse_scopes(scopes), self._door.now()
        if not wanted:
            raise BadValue("scopes", "at least one")
        if Scope.PROFILE in wanted:
            raise BadValue("scopes", "profile is for people, not for keys")
        for scope in sorted(wanted - owner.scopes):
            raise NotAllowed(scope)
        name = name.strip()
        if not 0 < len(name) <= NAME_LENGTH_MAX or not name.isprintable():
            raise BadValue("name", f"1 to {NAME_LENGTH_MAX} printable characters")
        if expires is not None and expires <= now:
            raise BadValue("expires", "it must be in the future")
        key, prefix, hashed = new_api_key()
        k = t.api_keys
        async with self._door.database.write() as connection:
            alive = select(func.count()).where(k.c.user_id == owner.user_id, k.c.ended.is_(None))
            if (await connection.execute(alive)).scalar_one() >= API_KEYS_MAX:
                raise BadValue("name", f"at most {API_KEYS_MAX} keys; end one first")
            values = {
                "prefix": prefix,
                "name": name,
                "scopes": " ".join(sorted(wanted)),
                "created": now,
                "expires": expires,
                "used": None,
            }
            await connection.execute(insert(k).values(user_id=owner.user_id, hash=hashed, **values))
            await self._door.note(
                connection, owner.user_id, "key.create", prefix, client, {"scopes": sorted(wanted)}
            )
            row = (await connection.execute(select(k).where(k.c.prefix == prefix))).one()
        return NewApiKey(key, _shown(row))

    async def listed(self, user_id: int) -> list[ApiKeyRow]:
        """Keys of a user that were not ended, the newest first."""
        k = t.api_keys
        query = (
            select(k)
            .where(k.c.user_id == user_id, k.c.ended.is_(None))
            .order_by(k.c.created.desc(), k.c.prefix)
        )
        async with self._door.database.read() as connection:
            return [_shown(row) for row in (await connection.execute(query)).all()]

    async def end(self, user_id: int, prefix: str, *, client: Client = NOBODY) -> None:
        """End a key of a user; raises NotFound."""
        k = t.api_keys
        async with self._door.database.write() as connection:
            ended = await connection.execute(
                update(k)
                .where(k.c.prefix == prefix, k.c.user_id == user_id, k.c.ended.is_(None))
                .values(ended=self._door.now())
            )
            if ended.rowcount != 1:
                raise NotFound("key")
            await self._door.note(connection, user_id, "key.end", prefix, client)

    async def authenticate(self, key: str) -> Principal:
        """Whom a key belongs to, with the rights of this moment; raises BadToken."""
        k, now = t.api_keys, self._door.now()
        prefix = prefix_of(key)
        query = (
            select(
                t.users.c.id,
                t.users.c.login,
                t.users.c.role,
                t.users.c.disabled,
                t.users.c.must_change_password,
                t.roles.c.scopes.label("role_scopes"),
                k,
            )
            .join(t.users, t.users.c.id == k.c.user_id)
            .join(t.roles, t.roles.c.role == t.users.c.role)
            .where(k.c.prefix == prefix)
        )
        async with self._door.database.read() as connection:
            row = (await connection.execute(query)).first()
            if row is None or not same(row.hash, digest(key)) or row.ended or row.disabled:
                raise BadToken
            if row.expires is not None and row.expires <= now:
                raise BadToken(expired=True)
            accounts = await accounts_of(connection, row.id)
        if row.used is None or now - row.used >= KEY_USED_EVERY_S * _NS:
            # A database that is busy is no reason to turn a good key away.
            with contextlib.suppress(Unavailable):
                async with self._door.database.write() as connection:
                    await connection.execute(update(k).where(k.c.prefix == prefix).values(used=now))
        own = frozenset(Scope(word) for word in row.scopes.split() if word in set(Scope))
        allowed = frozenset[Scope]() if row.must_change_password else own
        return Principal(
            user_id=row.id,
            login=row.login,
            role=Role(row.role),
            scopes=allowed & scopes_of(row.role, row.role_scopes),
            accounts=accounts,
            key=prefix,
            expires=0.0 if row.expires is None else row.expires / _NS,
        )


def _shown(row: Any) -> ApiKeyRow:
    return ApiKeyRow(
        prefix=row.prefix,
        name=row.name,
        scopes=row.scopes.split(),
        created=row.created,
        expires=row.expires,
        used=row.used,
    )
