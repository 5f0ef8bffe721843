from pathlib import Path

from tests.store.streams import varied
from tradeloom.store import Database, follow, rebuild


async def test_events_reach_the_tables(tmp_path: Path) -> None:
    core, chunks = varied()
    async with await Database.open(f"sqlite:///{tmp_path}/t.db") as database:
        writer = follow(database.address, 0, lambda _after: iter(chunks))
        writer.start()
        try:
            assert await writer.reached(core.event_seq, 60), writer.progress
        finally:
            await writer.close()
        assert rebuild(database.address, 0, lambda _after: iter(chunks)) == core.event_seq
