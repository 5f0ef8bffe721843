"""From a cent to its cause: a transfer, what else its input posted, the input itself, and who."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tradeloom.engine.journal import Journal, JournalError
from tradeloom.engine.journal.decode import decode
from tradeloom.engine.recovery import chunks
from tradeloom.engine.snapshots import SnapshotDamaged, SnapshotStore
from tradeloom.gateways.limits import REPLAY_INPUTS_MAX
from tradeloom.store import Database
from tradeloom.store import tables as t


class Inputs:
    """Finds an input in the journal of a shard by its number, beside the running shard."""

    def __init__(self, directory: Path, journal: Journal, shard: int) -> None:
        self._directory = directory
        self._journal = journal
        self._shard = shard
        self._one = asyncio.Lock()

    async def find(self, number: int) -> dict[str, Any] | None:
        """The input as names and numbers; None when it is too far back or gone."""
        async with self._one:
            return await asyncio.to_thread(self._find, number)

    def _find(self, number: int) -> dict[str, Any] | None:
        try:
            first, record = self._start(number)
            if number - first > REPLAY_INPUTS_MAX:
                return None
            reader = self._journal.reader(record)
        except (JournalError, OSError):
            return None
        try:
            for chunk in chunks(reader, self._journal.durable):
                if chunk.first_seq + chunk.inputs <= number:
                    continue
                for at, made in enumerate(decode(chunk.payload), chunk.first_seq):
                    if at == number:
                        return made
        except (JournalError, OSError):
            return None
        finally:
            reader.close()
        return None

    def _start(self, number: int) -> tuple[int, int]:
        """Inputs and records before the newest snapshot that is older than the input."""
        store = SnapshotStore(self._directory, self._shard)
        for path in store.paths():
            try:
                header = store.header(path)
            except (SnapshotDamaged, OSError):
                continue
            if header.input_seq < number:
                return header.input_seq, header.record
        return 0, 0


async def audited(database: Database, account: int, number: int, since: int) -> int | None:
    """The audit entry of the input, by its number; None for what nobody of the staff did."""
    a = t.audit
    mark = f'"input":{number}'
    query = (
        select(a.c.id, a.c.detail)
        .where(a.c.target == str(account), a.c.ts >= since, a.c.detail.contains(mark))
        .order_by(a.c.id)
        .limit(10)
    )
    async with database.read() as connection:
        for row in await connection.execute(query):
            end = row.detail.index(mark) + len(mark)
            if row.detail[end : end + 1] in (",", "}"):
                return int(row.id)
    return None
