"""Opening a database: addresses, migrations, settings, and what happens when it is not there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, insert, inspect, select, text

from tradeloom.store import Address, BadAddress, Database, Unavailable, audit
from tradeloom.store import tables as t
from tradeloom.store.migrate import SCRIPTS, NewerDatabase, create, upgrade, versions
from tradeloom.store.partitions import add_partitions, has_timescale, maintain

DAY = 86_400 * 10**9
NOW = 1_750_000_000 * 10**9


async def test_migrations_make_the_tables_that_the_code_describes(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        def ours(_o: object, name: str | None, kind: str, *_: object) -> bool:
            partition = kind == "table" and (name or "").startswith("bars_")
            return not partition and name != "bars_start"

        options = {"include_object": ours, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, t.metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


def test_a_new_sqlite_file_is_what_the_migrations_make(tmp_path: Path) -> None:
    def described(make: Callable[[Connection], None]) -> dict[str, object]:
        engine = create_engine(f"sqlite:///{tmp_path / make.__name__}")
        with engine.begin() as connection:
            make(connection)
        with engine.connect() as connection:
            looking = inspect(connection)
            rows = "SELECT version_num, '' FROM alembic_version UNION ALL SELECT * FROM roles"
            found: dict[str, object] = {
                "rows": sorted(map(tuple, connection.execute(text(rows)).all()))
            }
            # The words that make each table and index, without their order.
            for name, sql in connection.execute(text("SELECT name, sql FROM sqlite_master")):
                found[name] = sorted(re.findall(r"\w+", sql or ""))
            for table in looking.get_table_names():
                columns = [column["name"] for column in looking.get_columns(table)]
                found[f"columns of {table}"] = columns
        engine.dispose()
        return found

    assert described(create) == described(upgrade)


def test_versions_are_those_of_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    assert versions() == [script.revision for script in scripts.walk_revisions()][::-1]


async def test_opening_twice_changes_nothing(database: Database) -> None:
    async with database.write() as connection:
        await audit.append(connection, ts=1, actor=None, action="test")
    async with await Database.open(database.address) as again:
        page = await audit.entries(again)
        assert [row.action for row in page.items] == ["test"]
        async with again.read() as connection:
            roles = (await connection.execute(select(t.roles.c.role))).scalars().all()
    assert sorted(roles) == ["admin", "dealer", "manager", "service", "trader"]


async def test_several_processes_may_open_at_once(url: str) -> None:
    opened = await asyncio.gather(*(Database.open(url) for _ in range(4)))
    for database in opened:
        await database.ping()
        await database.close()


async def test_a_newer_database_is_refused(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase, match=r"9999.*newer program"):
        await Database.open(database.address)


async def test_a_failed_block_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as connection:
            await audit.append(connection, ts=1, actor=None, action="lost")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert (await audit.entries(database)).items == []


async def test_writers_at_once_lose_nothing(database: Database) -> None:
    async def one(number: int) -> None:
        async with database.write() as connection:
            await audit.append(connection, ts=number, actor=number, action="many")

    await asyncio.gather(*(one(number) for number in range(50)))
    page = await audit.entries(database, limit=100)
    assert sorted(row.ts for row in page.items) == list(range(50))
    by_one = await audit.entries(database, actor=7)
    assert [row.ts for row in by_one.items] == [7]


async def test_audit_pages_and_filters(database: Database) -> None:
    async with database.write() as connection:
        for number in range(7):
            await audit.append(
                connection,
                ts=number,
                actor=number % 2,
                action="even" if number % 2 == 0 else "odd",
                target="x" * 500,
                detail={"number": number},
            )
    first = await audit.entries(database, limit=4)
    second = await audit.entries(database, limit=4, cursor=first.next)
    assert [row.detail["number"] for row in first.items + second.items] == [6, 5, 4, 3, 2, 1, 0]
    assert second.next is None
    odd = await audit.entries(database, action="odd")
    assert [row.ts for row in odd.items] == [5, 3, 1]


@pytest.mark.parametrize(
    "bad",
    ["", "nothing", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "http://user:hunter2@x"],
)
def test_bad_addresses_are_told_without_secrets(bad: str) -> None:
    with pytest.raises(BadAddress) as caught:
        Address.parse(bad)
    assert "hunter2" not in str(caught.value)


def test_addresses_hide_their_password() -> None:
    address = Address.parse("postgresql://user:hunter2@db.example:5432/loom")
    assert "hunter2" not in f"{address} {address!r}"
    assert address.dsn == "postgresql://user:hunter2@db.example:5432/loom"
    assert Address.file(Path("data/t.db")).path == Path("data/t.db")


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        await Database.open("postgresql://nobody@127.0.0.1:9/none")


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "t.db").write_bytes(b"not a database, but long enough to look at" * 40)
    with pytest.raises(Unavailable):
        await Database.open(f"sqlite:///{tmp_path}/t.db")


async def test_partitions_are_made_ahead_and_old_bars_go(postgres_url: str) -> None:
    async with await Database.open(postgres_url) as database, database.write() as connection:
        if await connection.run_sync(has_timescale):
            pytest.skip("TimescaleDB keeps its own chunks")
        made = await connection.run_sync(add_partitions, NOW)
        assert made == ["bars_2025_06", "bars_2025_07", "bars_2025_08", "bars_2025_09"]
        assert await connection.run_sync(add_partitions, NOW) == []
        old, kept, century = NOW - 4 * DAY, NOW - 2 * DAY, NOW + 36_500 * DAY
        rows = [_bar(1, old), _bar(1, kept), _bar(60, old), _bar(86_400, 0), _bar(60, century)]
        await connection.execute(insert(t.bars), rows)
        query = text("SELECT count(*) FROM bars_2025_06")
        assert (await connection.execute(query)).scalar() == 3
        assert await connection.run_sync(maintain, NOW) == 1
        assert (await connection.execute(query)).scalar() == 2


async def test_timescale_makes_a_hypertable(postgres_url: str) -> None:
    async with await Database.open(postgres_url) as database, database.read() as connection:
        offered = text("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'")
        if (await connection.execute(offered)).first() is None:
            pytest.skip("this PostgreSQL does not offer TimescaleDB")
        tables = text("SELECT hypertable_name FROM timescaledb_information.hypertables")
        assert (await connection.execute(tables)).scalars().all() == ["bars"]


def _bar(interval_s: int, start: int) -> dict[str, object]:
    prices = {c.name: 5 for c in t.bars.c if c.name.split("_")[0] in ("bid", "ask", "sum")}
    times = {"start": start, "first_ts": start, "last_ts": start}
    return {"symbol": "X", "interval_s": interval_s, "digits": 2, "ticks": 1} | prices | times
