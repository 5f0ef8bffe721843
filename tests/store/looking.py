"""What tests compare: every row of every table that events fill."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from tradeloom.store import Address, Database
from tradeloom.store import tables as t
from tradeloom.store.projection import Projection
from tradeloom.store.sinks import open_sink
from tradeloom.store.writer import PROJECTION

Content = dict[str, list[tuple[Any, ...]]]


async def content(database: Database) -> Content:
    """All rows of the projected tables, in order of their keys."""
    found: Content = {}
    async with database.read() as connection:
        for table in (*t.PROJECTED, t.projection_state):
            rows = await connection.execute(select(table).order_by(*table.primary_key))
            found[table.name] = [tuple(row) for row in rows]
    return found


def feed(address: Address, batches: list[list[bytes]], shard: int = 0) -> int:
    """Project each batch in a transaction of its own, with a new connection; the last seq."""
    sink = open_sink(address, shard, PROJECTION)
    sink.open()
    try:
        for batch in batches:
            before = sink.last_seq()
            projection = Projection(shard, before, sink.digits())
            for chunk in batch:
                projection.take(chunk)
            if projection.last_seq > before:
                sink.write(projection.rows(), before, projection.last_seq)
        return sink.last_seq()
    finally:
        sink.close()
