"""`tradeloom rebuild`: fills what events make in the store again, from the journal."""

from __future__ import annotations

import asyncio

import typer

from tradeloom.app.service import SHARD
from tradeloom.engine.event_log import events_behind
from tradeloom.engine.journal import FileJournal, JournalError
from tradeloom.settings import Settings
from tradeloom.store import Address, Database, StoreError, rebuild


def rebuilt(settings: Settings) -> int:
    """Rebuild and say how far; the exit code."""
    directory = settings.data_dir / "journal"
    if not directory.is_dir():
        typer.echo(f"tradeloom: there is no journal in {settings.data_dir}", err=True)
        return 1
    try:
        address = Address.parse(settings.database)
        asyncio.run(_tables(address))
        journal = FileJournal.open(directory, SHARD)
        try:
            last = rebuild(
                address,
                SHARD,
                lambda after: events_behind(directory, journal, after, shard=SHARD),
            )
        finally:
            journal.close()
    except (JournalError, StoreError) as error:
        typer.echo(f"tradeloom: {error}", err=True)
        return 1
    typer.echo(f"stored again up to event {last}")
    return 0


async def _tables(address: Address) -> None:
    await (await Database.open(address)).close()
