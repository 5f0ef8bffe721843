"""How fast events become rows, beside the bare database of the same run: `make bench-store`.

Every run checks the ledger it wrote against the core's before a number is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
from pathlib import Path

from benchmarks.report import Row, row, write
from tests.store.server import NoServerError, running
from tests.store.streams import orders
from tradeloom._core import Core
from tradeloom.store import Address, Database, follow, rebuild
from tradeloom.store.ledger import LedgerBook
from tradeloom.store.projection import Projection
from tradeloom.store.tables import PROJECTED

ORDERS = 20_000
UNIT = 10**8
RUNS = 3


def sqlite(core: Core, chunks: tuple[bytes, ...]) -> list[Row]:
    """A rebuild, the follower of a live stream, and the same rows without us."""
    rebuilt, live, cpu, bare = 0.0, 0.0, 0.0, 0.0
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            address = Address.file(Path(folder) / "rebuilt.db")
            rebuilt = max(rebuilt, asyncio.run(_rebuilt(address, core, chunks)))
            bare = max(bare, _bare(Path(folder) / "bare.db", chunks))
            rate, used = asyncio.run(_followed(Path(folder) / "live.db", core, chunks))
            live, cpu = max(live, rate), used
    base = f"sqlite3 executemany of the same rows without indexes: {bare:,.0f} rows/s"
    return [
        row("SQLite, rebuild", rebuilt, "events/s", at_least=20_000, baseline=base),
        row("SQLite, live stream", live, "events/s", at_least=20_000, baseline=base),
        row("SQLite, processor time of an event", cpu, "µs", baseline=base),
    ]


def postgresql(core: Core, chunks: tuple[bytes, ...]) -> list[Row]:
    """A rebuild on a server of our own; nothing where there is none."""
    try:
        with running() as server:
            address = Address.parse(f"{server.address}/postgres")
            rate = max(asyncio.run(_rebuilt(address, core, chunks)) for _ in range(RUNS))
    except NoServerError as error:
        return [row("PostgreSQL, rebuild", 0.0, "events/s", baseline=f"skipped: {error}")]
    return [
        row("PostgreSQL, rebuild", rate, "events/s", baseline="server on the same cores, no fsync")
    ]


async def _rebuilt(address: Address, core: Core, chunks: tuple[bytes, ...]) -> float:
    async with await Database.open(address) as database:
        began = time.perf_counter()
        last = await asyncio.to_thread(rebuild, address, 0, lambda _: chunks)
        took = time.perf_counter() - began
        assert last == core.event_seq
        await _check(database, core)
        return last / took


async def _followed(path: Path, core: Core, chunks: tuple[bytes, ...]) -> tuple[float, float]:
    async with await Database.open(Address.file(path)) as database:
        writer = follow(database.address, 0, lambda _: ())
        began, used = time.perf_counter(), time.process_time()
        writer.start()
        for chunk in chunks:
            writer.submit(chunk)
        assert await writer.reached(core.event_seq, 300), writer.progress
        took, used = time.perf_counter() - began, time.process_time() - used
        await writer.close()
        await _check(database, core)
        return core.event_seq / took, used / core.event_seq * 1e6


def _bare(path: Path, chunks: tuple[bytes, ...]) -> float:
    """Rows a second into tables without types, keys and indexes, in one transaction."""
    projection = Projection(0, 0, {})
    for chunk in chunks:
        projection.take(chunk)
    rows = projection.rows()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    for table in PROJECTED:
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        connection.execute(f"CREATE TABLE {table.name} ({columns})")
    began = time.perf_counter()
    connection.execute("BEGIN")
    for statement, values in rows:
        marks = ", ".join("?" for _ in values[0])
        columns = ", ".join(
            f'"{c}"' for c in (*statement.columns, *statement.keys)[: len(values[0])]
        )
        connection.executemany(
            f"INSERT INTO {statement.table.name} ({columns}) VALUES ({marks})",  # noqa: S608
            values,
        )
    connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return sum(len(values) for _, values in rows) / took


async def _check(database: Database, core: Core) -> None:
    trial = await LedgerBook(database).trial_balance()
    found = sorted((r.ledger.value, r.customers * UNIT) for r in trial if r.customers or r.house)
    expected = sorted((r[0], r[2]) for r in core.trial_balance() if r[2] or r[3])
    assert [(ledger, int(amount)) for ledger, amount in found] == expected
    assert all(r.customers + r.house == 0 and r.debits == r.credits for r in trial)


def main() -> None:
    """Measure and write build/bench/store.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, help="market orders in the stream")
    core, chunks = orders(parser.parse_args().orders)
    write("store", sqlite(core, chunks) + postgresql(core, chunks))


if __name__ == "__main__":
    main()
