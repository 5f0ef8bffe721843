"""Whom a change of a group or an instrument concerns: accounts, open positions, pending orders."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Select, distinct, func, select, union

from . import tables as t
from .database import Database

_CLOSED = 4


class Impact(msgspec.Struct, frozen=True):
    """How many there are."""

    accounts: int
    positions: int
    orders: int


async def of_group(database: Database, name: str, shard: int = 0) -> Impact:
    """What is in a group now; raises Unavailable."""
    a, g, p, o = t.accounts, t.groups, t.positions, t.orders
    inside = (
        select(a.c.account)
        .join(g, (g.c.shard == a.c.shard) & (g.c.number == a.c.group_number))
        .where(g.c.name == name, a.c.shard == shard, a.c.flags.op("&")(_CLOSED) == 0)
    )
    return await _count(
        database,
        select(func.count()).select_from(inside.subquery()),
        select(func.count()).where(p.c.closed.is_(None), p.c.account.in_(inside)),
        select(func.count()).where(o.c.live, o.c.account.in_(inside)),
    )


async def of_instrument(database: Database, symbol: str, shard: int = 0) -> Impact:
    """What is open on an instrument now; raises Unavailable."""
    i, p, o = t.instruments, t.positions, t.orders
    number = select(i.c.number).where(i.c.symbol == symbol, i.c.shard == shard).scalar_subquery()
    held = (p.c.shard == shard, p.c.instrument == number, p.c.closed.is_(None))
    waits = (o.c.shard == shard, o.c.instrument == number, o.c.live)
    both = union(select(p.c.account).where(*held), select(o.c.account).where(*waits)).subquery()
    return await _count(
        database,
        select(func.count(distinct(both.c.account))),
        select(func.count()).where(*held),
        select(func.count()).where(*waits),
    )


async def _count(database: Database, *queries: Select[Any]) -> Impact:
    async with database.read() as connection:
        found = [int((await connection.execute(query)).scalar_one()) for query in queries]
    return Impact(*found)
