"""The vault: keys of venues and brokers, encrypted at rest and never shown again.

Values are sealed with the installation's key and bound to their venue and account, so a row that
is copied to another place does not open. Lists tell which parts a key has, not what they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from tradeloom.store import tables as t

from .door import NOBODY, Client, Door
from .errors import BadValue, NotFound
from .limits import VAULT_VALUE_LENGTH_MAX

_NAME: Final = re.compile(r"[a-z0-9_-]{1,32}")
_parts = msgspec.json.Decoder(dict[str, str]).decode


class VaultRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it may be shown; times in UTC nanoseconds."""

    venue: str
    account: str
    holds: list[str]
    created: int
    updated: int


class Vault:
    """Keys by venue and by our name of the account."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def put(
        self,
        venue: str,
        account: str,
        values: Mapping[str, str],
        *,
        actor: int | None = None,
        client: Client = NOBODY,
    ) -> VaultRow:
        """Keep a key, in the place of the one that was there. Raises BadValue."""
        for field, name in (("venue", venue), ("account", account)):
            if not _NAME.fullmatch(name):
                raise BadValue(field, "1 to 32 of a-z, 0-9, _ and -")
        if not values:
            raise BadValue("values", "at least one part")
        for part, value in values.items():
            if not _NAME.fullmatch(part):
                raise BadValue("values", "names of parts are 1 to 32 of a-z, 0-9, _ and -")
            if not value.strip() or len(value) > VAULT_VALUE_LENGTH_MAX:
                raise BadValue(part, f"1 to {VAULT_VALUE_LENGTH_MAX} characters")
        now, holds = self._door.now(), sorted(values)
        sealed = self._door.seal.close(msgspec.json.encode(dict(values)), _owner(venue, account))
        k = t.venue_keys
        dialect = self._door.database.address.dialect
        insert = (sqlite if dialect == "sqlite" else postgresql).insert(k)
        row: dict[str, Any] = {
            "venue": venue,
            "account": account,
            "sealed": sealed,
            "holds": " ".join(holds),
            "created": now,
            "updated": now,
        }
        changed = {name: row[name] for name in ("sealed", "holds", "updated")}
        statement = insert.values(row).on_conflict_do_update(
            index_elements=[k.c.venue, k.c.account], set_=changed
        )
        async with self._door.database.write() as connection:
            await connection.execute(statement)
            target = f"{venue}/{account}"
            detail = {"holds": holds}
            await self._door.note(connection, actor, "vault.put", target, client, detail)
        return VaultRow(venue=venue, account=account, holds=holds, created=now, updated=now)

    async def take(self, venue: str, account: str) -> dict[str, str]:
        """The parts of a key. Raises NotFound, InsecureSecrets."""
        k = t.venue_keys
        query = select(k.c.sealed).where(k.c.venue == venue, k.c.account == account)
        async with self._door.database.read() as connection:
            sealed = (await connection.execute(query)).scalar_one_or_none()
        if sealed is None:
            raise NotFound(f"key of {venue}/{account}")
        return _parts(self._door.seal.open(sealed, _owner(venue, account)))

    async def listed(self, venue: str | None = None) -> list[VaultRow]:
        """What is kept, without values."""
        k = t.venue_keys
        query = select(k.c.venue, k.c.account, k.c.holds, k.c.created, k.c.updated)
        if venue is not None:
            query = query.where(k.c.venue == venue)
        async with self._door.database.read() as connection:
            rows = (await connection.execute(query.order_by(k.c.venue, k.c.account))).all()
        return [
            VaultRow(
                venue=row.venue,
                account=row.account,
                holds=row.holds.split(),
                created=row.created,
                updated=row.updated,
            )
            for row in rows
        ]

    async def remove(
        self, venue: str, account: str, *, actor: int | None = None, client: Client = NOBODY
    ) -> None:
        """Forget a key. Raises NotFound."""
        k = t.venue_keys
        async with self._door.database.write() as connection:
            gone = await connection.execute(
                delete(k).where(k.c.venue == venue, k.c.account == account)
            )
            if not gone.rowcount:
                raise NotFound(f"key of {venue}/{account}")
            await self._door.note(connection, actor, "vault.remove", f"{venue}/{account}", client)


def _owner(venue: str, account: str) -> str:
    return f"venue:{venue}/{account}"
