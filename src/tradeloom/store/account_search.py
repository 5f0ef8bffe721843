"""Finding accounts the way staff look for them: by number, owner, group, currency and state."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import or_, select

from tradeloom.domain.enums import MarginLevel

from . import tables as t
from .cursors import Page, decode, page, rows_of
from .database import Database
from .tables.columns import signed

_LISTING = "search"
_READ_ONLY, _DISABLED, _CLOSED = 1, 2, 4
STATES = ("active", "read_only", "disabled", "closed")


class FoundAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account and who owns it, as the store knows them."""

    account: int
    group: str
    currency: str
    owner: int | None
    login: str
    name: str
    opened: int
    level: MarginLevel


async def search(
    database: Database,
    *,
    text: str = "",
    owner: int | None = None,
    group: str | None = None,
    currency: str | None = None,
    state: str | None = None,
    shard: int = 0,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[FoundAccount]:
    """Accounts by number. `text`: part of a login or name, or the number.

    Raises BadCursor and Unavailable.
    """
    a, g, c, o, u = t.accounts, t.groups, t.currencies, t.account_owners, t.users
    size = rows_of(limit)
    query = (
        select(
            a.c.account, a.c.opened, a.c.level, g.c.name.label("group_name"), c.c.code,
            u.c.id.label("user_id"), u.c.login, u.c.name.label("user_name"),
        )
        .join(g, (g.c.shard == a.c.shard) & (g.c.number == a.c.group_number))
        .join(c, (c.c.shard == a.c.shard) & (c.c.number == a.c.currency))
        .outerjoin(o, o.c.account == a.c.account)
        .outerjoin(u, u.c.id == o.c.user_id)
        .where(a.c.shard == shard)
        .order_by(a.c.account)
        .limit(size + 1)
    )  # fmt: skip
    if text:
        like = f"%{_plain(text.lower())}%"
        matches: list[Any] = [
            u.c.login.like(like, escape="\\"),
            u.c.name.ilike(like, escape="\\"),
        ]
        if text.isascii() and text.isdigit() and len(text) < 19:
            matches.append(a.c.account == int(text))
        query = query.where(or_(*matches))
    if owner is not None:
        query = query.where(o.c.user_id == owner)
    if group is not None:
        query = query.where(g.c.name == group)
    if currency is not None:
        query = query.where(c.c.code == currency)
    if state is not None:
        query = query.where(_in_state(a.c.flags, state))
    if cursor is not None:
        query = query.where(a.c.account > decode(_LISTING, cursor, 1)[0])
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    return page(_LISTING, rows, size, _found, lambda row: (signed(row.account),))


def _in_state(flags: Any, state: str) -> Any:
    match state:
        case "closed":
            return flags.op("&")(_CLOSED) != 0
        case "disabled":
            return flags.op("&")(_CLOSED | _DISABLED) == _DISABLED
        case "read_only":
            return flags.op("&")(_CLOSED | _DISABLED | _READ_ONLY) == _READ_ONLY
    return flags == 0


def _plain(text: str) -> str:
    """Text in which the wildcards of LIKE stand for themselves."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _found(row: Any) -> FoundAccount:
    return FoundAccount(
        account=row.account,
        group=row.group_name,
        currency=row.code,
        owner=row.user_id,
        login=row.login or "",
        name=row.user_name or "",
        opened=row.opened,
        level=MarginLevel(row.level),
    )
