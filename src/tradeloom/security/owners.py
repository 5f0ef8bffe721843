"""Which user owns which trading account."""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tradeloom.store import tables as t

from .door import NOBODY, Client, Door
from .errors import Taken


class Owners:
    """Owners of accounts; an account has one or none."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def all(self) -> dict[int, int]:
        """Account number -> user id."""
        async with self._door.database.read() as connection:
            rows = await connection.execute(select(t.account_owners))
            return {row.account: row.user_id for row in rows}

    async def give(
        self, account: int, user_id: int, *, actor: int | None = None, client: Client = NOBODY
    ) -> None:
        """Give an account to a user; raises Taken when it belongs to another one.

        Giving it again to the same user does nothing.
        """
        owners = t.account_owners
        try:
            async with self._door.database.write() as connection:
                query = select(owners.c.user_id).where(owners.c.account == account)
                owner = (await connection.execute(query)).scalar()
                if owner == user_id:
                    return
                await connection.execute(
                    insert(owners).values(
                        account=account, user_id=user_id, created=self._door.now()
                    )
                )
                detail = {"user": user_id}
                await self._door.note(
                    connection, actor, "account.give", str(account), client, detail
                )
        except IntegrityError:
            raise Taken from None

    async def take(
        self, account: int, *, actor: int | None = None, client: Client = NOBODY
    ) -> None:
        """Take an account from its owner, if it has one."""
        async with self._door.database.write() as connection:
            gone = delete(t.account_owners).where(t.account_owners.c.account == account)
            if (await connection.execute(gone)).rowcount:
                await self._door.note(connection, actor, "account.take", str(account), client)


async def accounts_of(connection: AsyncConnection, user_id: int) -> frozenset[int]:
    """The accounts of a user."""
    owners = t.account_owners
    rows = await connection.execute(select(owners.c.account).where(owners.c.user_id == user_id))
    return frozenset(rows.scalars())
